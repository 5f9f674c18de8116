"""Polynomials of SSA values → instructions.

In: a `Poly` (constants stay constants, so that unrolled code has constant addresses).  Out: the integer value, written.
Polynomials are written outermost terms first, so that each partial sum stands outside the loops it does not depend on.
"""

from __future__ import annotations

from symnet.backends.llvm.emitter import LANE, Emitter
from symnet.backends.llvm.types import V, constant
from symnet.loops.polynomials import Poly


def quotient(e: Emitter, poly: Poly, divisor: int) -> V:
    """⌊poly / divisor⌋."""
    dividend, by = integer(e, poly), constant(divisor, e.index)
    if is_natural(e, poly):
        return e.text.binary("udiv", dividend, by)
    if divisor & (divisor - 1) == 0:
        return e.text.binary("ashr", dividend, constant(divisor.bit_length() - 1, e.index))
    quotient = e.text.binary("sdiv", dividend, by)
    rest = e.text.binary("sub", dividend, e.text.binary("mul", quotient, by))
    negative = e.text.binary("icmp slt", rest, constant(0, e.index), "i1")
    return e.text.binary("add", quotient, e.text.convert("sext", negative, e.index))


def is_natural(e: Emitter, *polys: Poly) -> bool:
    """Whether a value is surely never negative."""
    return all(c > 0 and all(a in e.unsigned or a == LANE for a in m) for p in polys for m, c in p.items())


def opaque(e: Emitter, value: V, unsigned: bool) -> Poly:
    """A value that polynomials do not look into."""
    if value.constant and not value.lanes:
        number = int(value.text)
        return {(): number} if number else {}
    e.atoms[value.text] = value
    if unsigned:
        e.unsigned.add(value.text)
    return {(value.text,): 1}


# --------------------------------------------------------------------------- instructions


def integer(e: Emitter, poly: Poly) -> V:
    """The instructions that compute a polynomial."""
    total: V | None = None
    for monomial in outermost_first(e, poly):
        addend = term(e, monomial, poly[monomial])
        total = addend if total is None else e.text.binary("add", total, addend)
    return total if total is not None else constant(0, e.index)


def outermost_first(e: Emitter, poly: Poly) -> list[tuple[str, ...]]:
    """Monomials by the depth of the region that defines them; the constant comes last."""
    atoms = e.atoms
    return sorted(poly, key=lambda m: (not m, max((atoms[a].depth for a in m), default=0)))


def term(e: Emitter, monomial: tuple[str, ...], coefficient: int) -> V:
    if not monomial:
        return constant(coefficient, e.index)
    factors = sorted((e.atoms[name] for name in monomial), key=lambda v: v.depth)
    value = factors[0]
    for factor in factors[1:]:
        value = e.text.binary("mul", value, factor)
    return value if coefficient == 1 else e.text.binary("mul", value, constant(coefficient, e.index))


def to_index(e: Emitter, value: V) -> V:
    """An integer as wide as addresses are."""
    if value.scalar == e.index:
        return value
    return e.text.convert("sext" if value.scalar == "i32" else "trunc", value, e.index)
