"""Offsets → addresses: a pointer, and how it moves from lane to lane.

In: a place and the elements from its start, a polynomial.  Out: an `ElementAddress`.  The terms are added to the
pointer outermost first, the constant last, so that unrolled accesses share one pointer and differ by a displacement.
By getelementptr only: arithmetic on pointers as integers can be miscompiled.
"""

from __future__ import annotations

from math import gcd

from symnet.backends.llvm.emitter import LANE, BufferPlace, ElementAddress, Emitter
from symnet.backends.llvm.polynomials import integer, term
from symnet.backends.llvm.types import V, constant
from symnet.loops.polynomials import Poly

SHUFFLED = (1, -1, 2)  # elements from lane to lane where whole vectors are loaded, and lanes taken from them


def reach(e: Emitter, place: BufferPlace, flat: Poly) -> ElementAddress:
    """The address that lies `flat` elements behind the start of a place."""
    varying = _take_varying(e, flat) if e.lanes else {}
    alignment = place.size
    if place.alignment > alignment:
        alignment = gcd(place.alignment, *(c * place.size for c in flat.values()))
    pointer = point(e, place, flat)
    if not varying:
        return ElementAddress(pointer, 0, None, alignment)
    factor = varying.get((LANE,)) if len(varying) == 1 else None
    if factor in SHUFFLED:
        return ElementAddress(pointer, factor, None, alignment if factor == 1 else place.size)
    distinct = all(m.count(LANE) == 1 and not any(e.atoms[a].lanes for a in m if a != LANE) for m in varying)
    ((monomial, factor), *more) = varying.items()
    one = not more and len(monomial) == 1
    return ElementAddress(
        pointer, None, integer(e, varying), place.size, distinct, *((factor, monomial[0]) if one else ())
    )


def _take_varying(e: Emitter, flat: Poly) -> Poly:
    """Remove and return the terms that differ from lane to lane."""
    atoms = e.atoms
    names = [monomial for monomial in flat if any(atoms[name].lanes for name in monomial)]
    return {monomial: flat.pop(monomial) for monomial in names}


# --------------------------------------------------------------------------- pointers


def point(e: Emitter, place: BufferPlace, flat: Poly) -> V:
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


def step(e: Emitter, place: BufferPlace, pointer: V, distance: V) -> V:
    """A pointer moved by a distance in elements.

    What is computed outside of the loop that needs it is given to the loop as a whole: LLVM would open it, and try in
    every loop how else its terms could be added.
    """
    rhs = f"getelementptr {place.memory}, ptr {pointer.text}, {distance.scalar} {distance.text}"
    found = e.text.pure("ptr", 0, rhs, pointer.depth if pointer.depth > distance.depth else distance.depth)
    if found.depth == e.text.depth or place.in_frame:
        return found
    return e.text.pure("ptr", 0, f"freeze ptr {found.text}", found.depth)


def lane_pointers(e: Emitter, place: BufferPlace, where: ElementAddress) -> V:
    """A vector of pointers: each lane's own."""
    offsets = integer(e, {(LANE,): where.step}) if where.step else where.offsets
    assert offsets is not None
    offsets = e.text.splat(offsets, e.lanes)
    rhs = f"getelementptr {place.memory}, ptr {where.pointer.text}, {offsets.typed}"
    return e.text.pure("ptr", e.lanes, rhs, max(where.pointer.depth, offsets.depth))
