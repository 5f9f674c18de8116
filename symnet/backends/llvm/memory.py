"""Loads and stores, lane by lane or all lanes at once.

In: a place and an `ElementAddress`.  Out: a value; or memory changed.  Neighbouring lanes become one vector access
(masked in tails), neighbours the other way round and every second element are shuffled out of whole vectors, a shared
element is read once and spread when needed, anything else is gathered or scattered.  Booleans are one byte in memory,
and one bit in registers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symnet.backends.llvm.addresses import lane_pointers, step
from symnet.backends.llvm.emitter import BufferPlace, ElementAddress, Emitter
from symnet.backends.llvm.ops import combine
from symnet.backends.llvm.polynomials import to_index
from symnet.backends.llvm.types import Addend, V, constant, first_lanes, suffix, vector
from symnet.errors import CompileError, explain

# --------------------------------------------------------------------------- loads


def load(e: Emitter, place: BufferPlace, where: ElementAddress) -> V:
    """`place[where]`: a scalar when all lanes share the element, else a vector."""
    if where.step == 0:
        return to_register(e, place, _plain(e, place, where, 0))
    if where.step == 1:
        return to_register(e, place, neighbouring(e, place, where, None if place.padded else e.mask))
    if where.step is not None and (e.mask is None or (where.step == -1 and e.target.masks)):
        return to_register(e, place, _SHUFFLES[where.step](e, place, where))
    return to_register(e, place, _gather(e, place, where))


def to_register(e: Emitter, place: BufferPlace, value: V) -> V:
    if place.scalar != "i1":
        return value
    return e.text.binary("icmp ne", value, constant(0, "i8"), "i1")


def _plain(e: Emitter, place: BufferPlace, where: ElementAddress, lanes: int) -> V:
    rhs = f"load {vector(place.memory, lanes)}, ptr {where.pointer.text}, align {where.alignment}"
    return e.text.load(place.memory, lanes, rhs, where.pointer.depth, place.alias)


def _reversed(e: Emitter, place: BufferPlace, where: ElementAddress) -> V:
    """Neighbours the other way round: the last lane's element is the first in memory."""
    mask = None if e.mask is None else _backwards(e, e.mask)
    return _backwards(e, neighbouring(e, place, _at_last_lane(e, place, where), mask))


def _at_last_lane(e: Emitter, place: BufferPlace, where: ElementAddress) -> ElementAddress:
    pointer = step(e, place, where.pointer, constant(1 - e.lanes, e.index))
    return ElementAddress(pointer, 1, None, place.size)


def _backwards(e: Emitter, value: V) -> V:
    return picked(e, value, value, range(e.lanes - 1, -1, -1))


def _every_second(e: Emitter, place: BufferPlace, where: ElementAddress) -> V:
    """Two vectors, the second so far on that it ends with the last element that is wanted."""
    lanes = e.lanes
    first = _plain(e, place, where, lanes)
    further = ElementAddress(step(e, place, where.pointer, constant(lanes - 1, e.index)), 1, None, place.size)
    second = _plain(e, place, further, lanes)
    return picked(e, first, second, (*range(0, lanes, 2), *range(lanes + 1, 2 * lanes, 2)))


def picked(e: Emitter, first: V, second: V, lanes: Sequence[int]) -> V:
    """Lanes of two vectors, those of the second counted on."""
    picks = ", ".join(f"i32 {lane}" for lane in lanes)
    rhs = f"shufflevector {first.typed}, {second.typed}, <{len(lanes)} x i32> <{picks}>"
    return e.text.pure(first.scalar, len(lanes), rhs, max(first.depth, second.depth))


_SHUFFLES: dict[int, Callable[[Emitter, BufferPlace, ElementAddress], V]] = {-1: _reversed, 2: _every_second}


def neighbouring(e: Emitter, place: BufferPlace, where: ElementAddress, mask: V | None) -> V:
    """A vector of elements that stand beside each other, or of some of them."""
    if mask is None:
        return _plain(e, place, where, e.lanes)
    lanes, kind = mask.lanes, vector(place.memory, mask.lanes)
    name = f"llvm.masked.load.{suffix(place.memory, lanes)}.p0"
    _declare(e, name, f"declare {kind} @{name}(ptr, i32, <{lanes} x i1>, {kind})")
    rhs = f"call {kind} @{name}(ptr {where.pointer.text}, i32 {where.alignment}, {mask.typed}, {kind} zeroinitializer)"
    return e.text.load(place.memory, lanes, rhs, max(where.pointer.depth, mask.depth), place.alias)


def _gather(e: Emitter, place: BufferPlace, where: ElementAddress) -> V:
    stored = e.stored_indices.get(where.atom)
    if stored is not None and e.mask is None and not e.target.masks:
        return _gather_by_stored(e, place, where, *stored)
    kind, lanes = vector(place.memory, e.lanes), e.lanes
    pointers, mask = lane_pointers(e, place, where), e.mask or first_lanes(lanes, lanes)
    name = f"llvm.masked.gather.{suffix(place.memory, lanes)}.v{lanes}p0"
    _declare(e, name, f"declare {kind} @{name}(<{lanes} x ptr>, i32, <{lanes} x i1>, {kind})")
    rhs = f"call {kind} @{name}({pointers.typed}, i32 {where.alignment}, {mask.typed}, {kind} zeroinitializer)"
    return e.text.load(place.memory, lanes, rhs, max(pointers.depth, mask.depth), place.alias)


def _gather_by_stored(
    e: Emitter, place: BufferPlace, where: ElementAddress, indices: BufferPlace, at: ElementAddress
) -> V:
    """Lane by lane, each index loaded by itself: taking lanes out of a vector of indices costs more than loads."""
    return by_lane(e, place, where, neighbours(e, indices, at))


def neighbours(e: Emitter, place: BufferPlace, at: ElementAddress) -> list[V]:
    """What lanes that are neighbours load, one by one."""
    pointers = (step(e, place, at.pointer, constant(lane, e.index)) for lane in range(e.lanes))
    return [load(e, place, ElementAddress(pointer, 0, None, place.size)) for pointer in pointers]


def by_lane(e: Emitter, place: BufferPlace, where: ElementAddress, indices: list[V]) -> V:
    """A vector of what stands in memory at the index of each lane, times the factor of the address."""
    text, lanes = e.text, e.lanes
    value = V("poison", place.memory, lanes)
    for lane, came in enumerate(indices):
        index = to_index(e, came)
        distance = text.binary("mul", index, constant(where.factor, e.index)) if where.factor != 1 else index
        pointer = step(e, place, where.pointer, distance)
        single = _plain(e, place, ElementAddress(pointer, 0, None, where.alignment), 0)
        rhs = f"insertelement {value.typed}, {single.typed}, i32 {lane}"
        value = text.pure(place.memory, lanes, rhs, max(value.depth, single.depth))
    return value


def _declare(e: Emitter, name: str, text: str) -> None:
    e.text.declarations.setdefault(name, text)


# --------------------------------------------------------------------------- stores


def store(e: Emitter, place: BufferPlace, where: ElementAddress, value: V) -> None:
    """Overwrite `place[where]`."""
    if where.step == 1:
        _store_vector(e, place, where, value)
    elif where.step == -1 and (e.mask is None or e.target.masks):
        _store_reversed(e, place, _at_last_lane(e, place, where), _backwards(e, e.text.splat(value, e.lanes)))
    elif not e.lanes:
        _store_plain(e, place, where, value, 0)
    elif where.step == 0:
        raise CompileError(
            explain(
                f"Store({place.alias})",
                "an element that depends on the loop variable, or a combining store",
                "a plain store of every lane to one element, inside a vector loop",
                "Make the loop serial.",
            )
        )
    else:
        _scatter(e, place, where, value)
    e.text.wrote(place.alias)


def update(e: Emitter, place: BufferPlace, where: ElementAddress, how: str, addend: Addend) -> None:
    """Combine a value into `place[where]`; lanes that may meet in one element take turns."""
    if where.step is None and not where.distinct:
        _update_in_turn(e, place, where, how, addend)
    else:
        store(e, place, where, combine(e, how, load(e, place, where), addend))


def _store_plain(e: Emitter, place: BufferPlace, where: ElementAddress, value: V, lanes: int) -> None:
    value = _to_memory(e, place, value, lanes)
    e.text.line(f"store {value.typed}, ptr {where.pointer.text}, align {where.alignment}")


def _to_memory(e: Emitter, place: BufferPlace, value: V, lanes: int) -> V:
    value = e.text.splat(value, lanes)
    return e.text.convert("zext", value, "i8") if place.scalar == "i1" else value


def _store_vector(e: Emitter, place: BufferPlace, where: ElementAddress, value: V) -> None:
    if e.mask is not None and place.padded and e.whole != place.extent:
        value = e.text.select(e.mask, value, load(e, place, where))  # other elements follow in this row
    if e.mask is None or place.padded:
        _store_plain(e, place, where, value, e.lanes)
    else:
        _store_masked(e, place, where, value, e.mask)


def _store_reversed(e: Emitter, place: BufferPlace, where: ElementAddress, value: V) -> None:
    if e.mask is None:
        _store_plain(e, place, where, value, e.lanes)
    else:
        _store_masked(e, place, where, value, _backwards(e, e.mask))


def _store_masked(e: Emitter, place: BufferPlace, where: ElementAddress, value: V, mask: V) -> None:
    value = _to_memory(e, place, value, e.lanes)
    name = f"llvm.masked.store.{suffix(place.memory, e.lanes)}.p0"
    _declare(e, name, f"declare void @{name}({value.type}, ptr, i32, <{e.lanes} x i1>)")
    e.text.line(f"call void @{name}({value.typed}, ptr {where.pointer.text}, i32 {where.alignment}, {mask.typed})")


def _scatter(e: Emitter, place: BufferPlace, where: ElementAddress, value: V) -> None:
    lanes = e.lanes
    value, mask = _to_memory(e, place, value, lanes), e.mask or first_lanes(lanes, lanes)
    pointers = lane_pointers(e, place, where)
    name = f"llvm.masked.scatter.{suffix(place.memory, lanes)}.v{lanes}p0"
    _declare(e, name, f"declare void @{name}({value.type}, <{lanes} x ptr>, i32, <{lanes} x i1>)")
    e.text.line(f"call void @{name}({value.typed}, {pointers.typed}, i32 {where.alignment}, {mask.typed})")


def _update_in_turn(e: Emitter, place: BufferPlace, where: ElementAddress, how: str, addend: Addend) -> None:
    """Lane after lane, each under its bit of the mask."""
    lanes, mask = e.lanes, e.mask
    pointers = lane_pointers(e, place, where)
    addend = tuple(e.text.splat(value, lanes) for value in addend)
    e.lanes, e.mask = 0, None
    for lane in range(lanes):
        single = ElementAddress(e.text.extract(pointers, lane), 0, None, where.alignment)
        value = tuple(e.text.extract(part, lane) for part in addend)

        def one(single: ElementAddress = single, value: Addend = value) -> None:
            update(e, place, single, how, value)

        if mask is None:
            one()
        else:
            e.text.branch(e.text.extract(mask, lane), one)
    e.lanes, e.mask = lanes, mask
