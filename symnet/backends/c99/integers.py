"""Integer expressions → polynomials of C's variables → text; and indices → elements of arrays.

In: `IntExpr`, or a buffer and one of them per axis.  Out: a `Poly` of pieces of C, its text, or an element's.
All of them are int64_t.  Not handled: what is out of range; sizes are checked before anything runs (`sizes.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symnet.backends.c99.emitter import CArray, CEmitter
from symnet.backends.c99.prelude import prelude
from symnet.loops.ir import (
    Buffer,
    IntAdd,
    IntConst,
    IntExpr,
    IntFloorDiv,
    IntLoad,
    IntMin,
    IntMod,
    IntMul,
    IntVar,
)
from symnet.loops.polynomials import Poly, add, constant, divide, known, multiply, smaller


def evaluate(e: CEmitter, expr: IntExpr) -> Poly:
    """The polynomial of an integer expression."""
    return _EVALUATE[type(expr)](e, expr)


def text_of(e: CEmitter, expr: IntExpr) -> str:
    """An integer expression in C; a sum stands in no brackets."""
    return poly_text(evaluate(e, expr))


# --------------------------------------------------------------------------- expressions


def _variable(e: CEmitter, expr: IntVar) -> Poly:
    return e.integers[expr.name]


def _min(e: CEmitter, expr: IntMin) -> Poly:
    left, right = evaluate(e, expr.left), evaluate(e, expr.right)
    least = smaller(left, right)
    if least is not None:
        return least
    function = prelude(e.unit, "least", "int64")
    return opaque(e, f"{function}({poly_text(left)}, {poly_text(right)})", is_natural(e, left, right))


def _floordiv(e: CEmitter, expr: IntFloorDiv) -> Poly:
    whole, rest = divide(evaluate(e, expr.value), expr.divisor)
    if (value := known(rest)) is not None:
        return add(whole, constant(value // expr.divisor))
    return add(whole, quotient(e, rest, expr.divisor))


def quotient(e: CEmitter, poly: Poly, divisor: int) -> Poly:
    """⌊poly / divisor⌋."""
    if is_natural(e, poly):
        return opaque(e, f"({_factor(poly)}/{divisor})", True)
    return opaque(e, f"{prelude(e.unit, 'floor_quotient', 'int64')}({poly_text(poly)}, {divisor})", False)


def _mod(e: CEmitter, expr: IntMod) -> Poly:
    _, rest = divide(evaluate(e, expr.value), expr.divisor)
    if (value := known(rest)) is not None:
        return constant(value % expr.divisor)
    return remainder(e, rest, expr.divisor)


def remainder(e: CEmitter, poly: Poly, divisor: int) -> Poly:
    """What is left of a polynomial by multiples of the divisor."""
    if is_natural(e, poly):
        return opaque(e, f"({_factor(poly)} % {divisor})", True)
    return opaque(e, f"{prelude(e.unit, 'floor_rest', 'int64')}({poly_text(poly)}, {divisor})", True)


def _load(e: CEmitter, expr: IntLoad) -> Poly:
    text = element(e, expr.buffer, expr.index)
    return opaque(e, text if expr.buffer.dtype == "int64" else f"(int64_t){text}", False)


_EVALUATE: dict[type, Callable[[CEmitter, Any], Poly]] = {
    IntConst: lambda e, expr: constant(expr.value),
    IntVar: _variable,
    IntAdd: lambda e, expr: add(evaluate(e, expr.left), evaluate(e, expr.right)),
    IntMul: lambda e, expr: multiply(evaluate(e, expr.left), evaluate(e, expr.right)),
    IntMin: _min,
    IntFloorDiv: _floordiv,
    IntMod: _mod,
    IntLoad: _load,
}

# --------------------------------------------------------------------------- polynomials


def opaque(e: CEmitter, text: str, natural: bool) -> Poly:
    """A piece of C that polynomials do not look into."""
    if natural:
        e.natural.add(text)
    return {(text,): 1}


def is_natural(e: CEmitter, *polys: Poly) -> bool:
    """Whether a value is surely never negative."""
    return all(c > 0 and all(atom in e.natural for atom in m) for p in polys for m, c in p.items())


def poly_text(poly: Poly) -> str:
    """Σ coefficient·atoms, the constant last."""
    text = ""
    for monomial in sorted(poly, key=lambda m: not m):
        coefficient = poly[monomial]
        size = "*".join([str(abs(coefficient))] * (abs(coefficient) != 1 or not monomial) + list(monomial))
        if not text:
            text = f"-{size}" if coefficient < 0 else size
        else:
            text += f" {'-' if coefficient < 0 else '+'} {size}"
    return text or "0"


def _factor(poly: Poly) -> str:
    """A polynomial that something is divided of."""
    text = poly_text(poly)
    return text if len(poly) == 1 and len(next(iter(poly))) == 1 and next(iter(poly.values())) == 1 else f"({text})"


# --------------------------------------------------------------------------- elements


def element(e: CEmitter, buffer: Buffer, index: tuple[IntExpr, ...]) -> str:
    """`X[8*i + j]`, as it lies in memory."""
    place = e.place(buffer)
    return f"{place.pointer}[{poly_text(offset(e, place, index))}]"


def offset(e: CEmitter, place: CArray, index: tuple[IntExpr, ...]) -> Poly:
    """Elements from the start of a buffer."""
    flat: Poly = {}
    for part, stride in zip(index, place.strides, strict=True):
        flat = add(flat, multiply(evaluate(e, part), stride))
    return flat


def strides(e: CEmitter, buffer: Buffer) -> tuple[tuple[Poly, ...], Poly]:
    """Elements to step per axis, and how many there are."""
    found: list[Poly] = []
    count: Poly = {(): 1}
    for extent in reversed(buffer.shape):
        found.append(count)
        count = multiply(count, evaluate(e, extent))
    return tuple(reversed(found)), count
