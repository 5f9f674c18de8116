"""Combining stores into an element that all lanes share: vector accumulators, summed in a fixed tree.

In: one value per lane, chunk after chunk.  Out: the element updated once, after the loop, in the order of
`loops/chunks.py`, which no sharing among threads changes.  An element whose address
changes inside the vector loop is updated chunk by chunk, after the same tree.
"""

from __future__ import annotations

from functools import partial

from symnet.backends.llvm.emitter import BufferPlace, ElementAddress, Emitter
from symnet.backends.llvm.memory import update
from symnet.backends.llvm.ops import combine, identity
from symnet.backends.llvm.types import SIZE, Addend, V, suffix, vector
from symnet.loops.chunks import SUMS, tree


class Accumulators:
    """The accumulators of one vector loop; `home` is the depth of the region around it."""

    def __init__(self, home: int) -> None:
        self.home = home
        self._slots: dict[tuple[str, str, int, int], V] = {}
        self._targets: dict[tuple[str, str], tuple[BufferPlace, ElementAddress]] = {}

    def accumulate(self, e: Emitter, place: BufferPlace, where: ElementAddress, how: str, addend: Addend) -> None:
        """Take one value per lane."""
        if where.pointer.depth > self.home:
            value = addend[0] if len(addend) == 1 else e.text.binary("fmul", addend[0], addend[1])
            update_shared(e, place, where, how, horizontal(e, how, _kept(e, how, value)))
            return
        slot = self._slot(e, place, where, how)
        kind = vector(place.scalar, e.lanes)
        old = e.text.define(place.scalar, e.lanes, f"load {kind}, ptr {slot.text}")
        if e.mask is not None:
            addend = _without_dead_lanes(e, how, addend)
        new = e.text.splat(combine(e, how, old, addend), e.lanes)
        e.text.line(f"store {new.typed}, ptr {slot.text}")

    def _slot(self, e: Emitter, place: BufferPlace, where: ElementAddress, how: str) -> V:
        number = 0 if place.scalar == "i1" else e.number % SUMS  # truth values are the same in any order
        key = where.pointer.text, how, e.lanes, number
        if key not in self._slots:
            slot = e.text.alloca(vector(place.scalar, e.lanes), max(16, SIZE[place.scalar] * e.lanes))
            start = e.text.splat(identity(how, place.scalar), e.lanes)
            e.text.regions[self.home].lines.append(f"store {start.typed}, ptr {slot.text}")
            self._slots[key] = slot
            self._targets[key[:2]] = place, where
        return self._slots[key]

    def finish(self, e: Emitter) -> None:
        """Sum the accumulators and update each element once."""
        for (pointer, how), (place, where) in self._targets.items():
            widths = sorted({key[2] for key in self._slots if key[:2] == (pointer, how)}, reverse=True)
            for lanes in widths:
                slots = [slot for key, slot in self._slots.items() if key[:3] == (pointer, how, lanes)]
                kind = vector(place.scalar, lanes)
                parts = [e.text.define(place.scalar, lanes, f"load {kind}, ptr {slot.text}") for slot in slots]
                update_shared(e, place, where, how, horizontal(e, how, tree(parts, partial(_added, e, how))))


def update_shared(e: Emitter, place: BufferPlace, where: ElementAddress, how: str, value: V) -> None:
    """Combine one scalar into memory."""
    kept = e.lanes, e.mask
    e.lanes, e.mask = 0, None
    update(e, place, where, how, (value,))
    e.lanes, e.mask = kept


def _without_dead_lanes(e: Emitter, how: str, addend: Addend) -> Addend:
    """What leaves an accumulator as it is in the lanes that do not count: of a product both factors are 0 there.

    The accumulator is not chosen afterwards: LLVM folds a masked load into a masked multiply-add, and where the other
    factor is needed again it takes the load out as one of the whole vector, beyond the end of the array.
    """
    zero_or_identity = how if len(addend) == 1 else "add"
    return tuple(_kept(e, zero_or_identity, value) for value in addend)


def _kept(e: Emitter, how: str, value: V) -> V:
    """The value with the identity in the lanes that do not count."""
    value = e.text.splat(value, e.lanes)
    return value if e.mask is None else e.text.select(e.mask, value, identity(how, value.scalar))


def _added(e: Emitter, how: str, a: V, b: V) -> V:
    return combine(e, how, a, (b,))


_LOGICAL = {"max": "or", "min": "and"}


def horizontal(e: Emitter, how: str, value: V) -> V:
    """All lanes of a vector combined: halves, quarters, …; truth values at once."""
    if value.scalar == "i1" and how in _LOGICAL:
        return e.text.call(f"llvm.vector.reduce.{_LOGICAL[how]}.{suffix('i1', value.lanes)}", "i1", 0, value)
    while value.lanes > 2:
        half = value.lanes // 2
        low, high = (_part(e, value, first, half) for first in (0, half))
        value = combine(e, how, low, (high,))
    return combine(e, how, e.text.extract(value, 0), (e.text.extract(value, 1),))


def _part(e: Emitter, value: V, first: int, count: int) -> V:
    picks = ", ".join(f"i32 {lane}" for lane in range(first, first + count))
    rhs = f"shufflevector {value.typed}, {value.type} poison, <{count} x i32> <{picks}>"
    return e.text.pure(value.scalar, count, rhs, value.depth)
