"""Fetches: gathers that look at their indices.

In: a `Fetch`.  Out: what it loads, and the note that an index lay outside.  An index is loaded once: the number that is
compared is the one that is used.  One unsigned comparison says whether it is inside, as a negative one is very large.

- Where masked vectors are cheap, an index beyond the end is moved to the last place, so that the gather does not wait
  for the comparison; what is noted is a mask.
- Elsewhere lanes are loaded one by one; a branch that is hardly ever taken leaves all of them out.
"""

from __future__ import annotations

from collections.abc import Callable

from symnet.backends.llvm.emitter import BufferPlace, ElementAddress, Emitter
from symnet.backends.llvm.integers import access, evaluate
from symnet.backends.llvm.memory import by_lane, load, neighbours, to_register
from symnet.backends.llvm.polynomials import integer, opaque, to_index
from symnet.backends.llvm.reductions import update_shared
from symnet.backends.llvm.types import SIZE, V, constant, vector
from symnet.loops.ir import Fetch, IntConst, IntLoad, IntVar
from symnet.loops.polynomials import Poly, known

_INDEX = "%index"  # the name that stands for the loaded index in the address of what is fetched
_MOST = {"i32": 2**31 - 1, "i64": 2**63 - 1}


def emit_fetch(e: Emitter, stmt: Fetch) -> None:
    """Bind the name of a fetch."""
    buffer, index = stmt.value.buffer, stmt.value.index
    axis, loaded = next((axis, part) for axis, part in enumerate(index) if isinstance(part, IntLoad))
    indices, place = e.place(loaded.buffer), e.place(buffer)
    at = access(e, indices, loaded.index)
    came = load(e, indices, at)
    extent = _extent(e, evaluate(e, buffer.shape[axis]), came.scalar)

    def address(index_value: V) -> ElementAddress:
        e.integers[_INDEX] = opaque(e, to_index(e, index_value), False)
        return access(e, place, (*index[:axis], IntVar(_INDEX), *index[axis + 1 :]))

    if not came.lanes:
        e.values[stmt.name] = _alone(e, stmt, address(came), e.text.binary("icmp ult", came, extent, "i1"))
        return
    where = address(came)
    if at.step == 1 and where.factor and e.mask is None and not e.target.masks:
        e.values[stmt.name] = _lane_by_lane(e, stmt, where, neighbours(e, indices, at), extent)
    else:
        last = e.text.binary("sub", extent, constant(1, extent.scalar))
        _note_lanes(e, stmt, e.text.binary("icmp ult", came, extent, "i1"))
        e.values[stmt.name] = _clamped(e, place, address(e.text.intrinsic("umin", came, last)), extent)


def _extent(e: Emitter, extent: Poly, scalar: str) -> V:
    """An extent as an integer like the indices.

    An index of 32 bits that is 2³¹ - 1 counts as outside where the extent is larger: what runs instead looks closer.
    """
    size = known(extent)
    if size is not None:
        return constant(min(size, _MOST[scalar]), scalar)
    value = integer(e, extent)
    if value.scalar == scalar:
        return value
    if scalar == "i64":
        return e.text.convert("sext", value, scalar)
    return e.text.convert("trunc", e.text.intrinsic("smin", value, constant(_MOST[scalar], value.scalar)), scalar)


def _clamped(e: Emitter, place: BufferPlace, where: ElementAddress, extent: V) -> V:
    """All lanes, as their indices are moved inside; none where nothing is inside."""
    kept = e.mask
    if not extent.constant or int(extent.text) == 0:
        some = e.text.splat(e.text.binary("icmp ne", extent, constant(0, extent.scalar), "i1"), e.lanes)
        e.mask = some if kept is None else e.text.binary("and", some, kept)
    value = load(e, place, where)
    e.mask = kept
    return value


def _note_lanes(e: Emitter, stmt: Fetch, inside: V) -> None:
    assert e.reductions is not None
    e.reductions.accumulate(e, *_note(e, stmt), "min", (inside,))


def _lane_by_lane(e: Emitter, stmt: Fetch, where: ElementAddress, indices: list[V], extent: V) -> V:
    place = e.place(stmt.value.buffer)
    inside, *more = (e.text.binary("icmp ult", came, extent, "i1") for came in indices)
    for other in more:
        inside = e.text.binary("and", inside, other)
    return _where_inside(e, stmt, place, inside, e.lanes, lambda: by_lane(e, place, where, indices))


def _alone(e: Emitter, stmt: Fetch, where: ElementAddress, inside: V) -> V:
    place = e.place(stmt.value.buffer)
    return _where_inside(e, stmt, place, inside, 0, lambda: load(e, place, where))


def _where_inside(e: Emitter, stmt: Fetch, place: BufferPlace, inside: V, lanes: int, read: Callable[[], V]) -> V:
    """What is read if a scalar condition holds; 0 and the note where it does not."""
    scalar = place.scalar if not lanes else place.memory
    kind = vector(scalar, lanes)
    slot = e.text.alloca(kind, max(1, lanes) * SIZE[scalar])

    def keep(value: V) -> None:
        e.text.line(f"store {value.typed}, ptr {slot.text}")

    def leave_out() -> None:
        update_shared(e, *_note(e, stmt), "min", constant(False, "i1"))
        keep(constant(0, scalar, lanes))

    e.text.branch(inside, lambda: keep(read()), leave_out, likely=True)
    value = e.text.define(scalar, lanes, f"load {kind}, ptr {slot.text}")
    return to_register(e, place, value) if lanes else value


def _note(e: Emitter, stmt: Fetch) -> tuple[BufferPlace, ElementAddress]:
    place = e.place(stmt.inside)
    return place, access(e, place, (IntConst(0),))
