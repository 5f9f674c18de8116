"""Indices → addresses: a pointer, and how it moves from lane to lane.

In: a place and an index per axis.  Out: an `Access`.  An offset is a polynomial; its terms are added to the
pointer outermost first, the constant last, so that unrolled accesses share one pointer and differ by a
displacement.  By getelementptr only: arithmetic on pointers as integers can be miscompiled.
"""

from __future__ import annotations

from math import gcd
from typing import NamedTuple

from symnet.llvm.emitter import LANE, Emitter, Form, Place, Poly
from symnet.llvm.integers import add, evaluate, integer, known, multiply, term
from symnet.llvm.types import V, constant
from symnet.loops.ir import IntAdd, IntConst, IntExpr, IntMul, IntVar


class Access(NamedTuple):
    """An element's address, lane by lane.

    `step` is 0 (all lanes share it), 1 (lanes are neighbours), or None: `offsets` then holds each lane's
    distance from `pointer` in elements, and `distinct` says that no two lanes meet; where the distance is a factor
    times one value, `factor` and the name of the `atom`.
    """

    pointer: V
    step: int | None
    offsets: V | None
    alignment: int
    distinct: bool = True
    factor: int = 0
    atom: str = ""


def access(e: Emitter, place: Place, index: tuple[IntExpr, ...]) -> Access:
    """The address of `place[index]`."""
    flat = offset(e, place, index)
    key = (place.pointer.text, e.lanes, *flat.items())
    before = e.accesses.get(key)
    if before is not None and before[1].open:
        return before[0]
    found = _access(e, place, flat)
    depth = found.pointer.depth if found.offsets is None else max(found.pointer.depth, found.offsets.depth)
    e.accesses[key] = found, e.text.regions[depth]
    return found


def _access(e: Emitter, place: Place, flat: Poly) -> Access:
    varying = _take_varying(e, flat) if e.lanes else {}
    alignment = place.size
    if place.alignment > alignment:
        alignment = gcd(place.alignment, *(c * place.size for c in flat.values()))
    pointer = point(e, place, flat)
    if not varying:
        return Access(pointer, 0, None, alignment)
    if len(varying) == 1 and varying.get((LANE,)) == 1:
        return Access(pointer, 1, None, alignment)
    distinct = all(m.count(LANE) == 1 and not any(e.atoms[a].lanes for a in m if a != LANE) for m in varying)
    ((monomial, factor), *more) = varying.items()
    one = not more and len(monomial) == 1
    return Access(pointer, None, integer(e, varying), place.size, distinct, *((factor, monomial[0]) if one else ()))


def _take_varying(e: Emitter, flat: Poly) -> Poly:
    """Remove and return the terms that differ from lane to lane."""
    atoms = e.atoms
    names = [monomial for monomial in flat if any(atoms[name].lanes for name in monomial)]
    return {monomial: flat.pop(monomial) for monomial in names}


# --------------------------------------------------------------------------- offsets


def offset(e: Emitter, place: Place, index: tuple[IntExpr, ...]) -> Poly:
    """Elements from the start of a place; a new dictionary."""
    found = place.forms.get(id(index))
    if found is None:
        found = place.forms[id(index)] = (index, _form(place, index))
    form = found[1]
    if form is None:
        return _general_offset(e, place, index)
    flat: Poly = {}
    for name, factor in form:
        for monomial, coefficient in e.integers[name].items() if name else _ONE:
            total = flat.get(monomial, 0) + coefficient * factor
            if total:
                flat[monomial] = total
            else:
                flat.pop(monomial, None)
    return flat


_ONE = (((), 1),)


def _form(place: Place, index: tuple[IntExpr, ...]) -> Form | None:
    """The offset as Σ factor·name (the name is "" for the constant), if the index and the strides are linear."""
    factors: dict[str, int] = {}
    for part, stride in zip(index, place.strides, strict=True):
        step = known(stride)
        if step is None or not _collect(factors, part, step):
            return None
    return tuple((name, factor) for name, factor in factors.items() if factor)


def _collect(factors: dict[str, int], expr: IntExpr, factor: int) -> bool:
    """Add factor·expr; False where it is not linear."""
    if isinstance(expr, IntVar):
        factors[expr.name] = factors.get(expr.name, 0) + factor
        return True
    if isinstance(expr, IntConst):
        factors[""] = factors.get("", 0) + factor * expr.value
        return True
    if isinstance(expr, IntAdd):
        return _collect(factors, expr.left, factor) and _collect(factors, expr.right, factor)
    if isinstance(expr, IntMul) and isinstance(expr.right, IntConst):
        return _collect(factors, expr.left, factor * expr.right.value)
    return False


def _general_offset(e: Emitter, place: Place, index: tuple[IntExpr, ...]) -> Poly:
    flat: Poly = {}
    for part, stride in zip(index, place.strides, strict=True):
        flat = add(flat, multiply(evaluate(e, part), stride))
    return dict(flat)


# --------------------------------------------------------------------------- pointers


def point(e: Emitter, place: Place, flat: Poly) -> V:
    """base + offset, the terms of each depth added together and the constant last."""
    last = flat.get((), 0)
    terms = [(_depth(e, monomial), monomial) for monomial in flat if monomial]
    if len(terms) > 1:
        terms.sort()
    pointer, pending, depth = place.pointer, None, -1
    for level, monomial in terms:
        addend = term(e, monomial, flat[monomial])
        if pending is not None and level != depth:
            pointer, pending = step(e, place, pointer, pending), None
        pending = addend if pending is None else e.text.binary("add", pending, addend)
        depth = level
    if pending is not None:
        pointer = step(e, place, pointer, pending)
    return step(e, place, pointer, constant(last, e.index)) if last else pointer


def _depth(e: Emitter, monomial: tuple[str, ...]) -> int:
    if len(monomial) == 1:
        return e.atoms[monomial[0]].depth
    return max(e.atoms[name].depth for name in monomial)


def step(e: Emitter, place: Place, pointer: V, distance: V) -> V:
    """A pointer moved by a distance in elements."""
    rhs = f"getelementptr {place.memory}, ptr {pointer.text}, {distance.scalar} {distance.text}"
    return e.text.pure("ptr", 0, rhs, pointer.depth if pointer.depth > distance.depth else distance.depth)


def lane_pointers(e: Emitter, place: Place, where: Access) -> V:
    """Each lane's own pointer."""
    assert where.offsets is not None
    offsets = e.text.splat(where.offsets, e.lanes)
    rhs = f"getelementptr {place.memory}, ptr {where.pointer.text}, {offsets.typed}"
    return e.text.pure("ptr", e.lanes, rhs, max(where.pointer.depth, offsets.depth))
