"""Integer expressions → polynomials of SSA values, and indices → addresses.

In: `IntExpr`, or a place and one of them per axis.  Out: a `Poly`, or an `ElementAddress`.  The two are one
file, as an index may hold an element of another buffer, which has an index of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symnet.backends.llvm.addresses import reach
from symnet.backends.llvm.emitter import BufferPlace, ElementAddress, Emitter, LinearOffset
from symnet.backends.llvm.memory import load
from symnet.backends.llvm.polynomials import integer, is_natural, opaque, quotient, to_index
from symnet.backends.llvm.types import constant
from symnet.loops.ir import (
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
from symnet.loops.polynomials import Poly, add, divide, known, multiply, smaller
from symnet.loops.polynomials import constant as number


def evaluate(e: Emitter, expr: IntExpr) -> Poly:
    """The polynomial of an integer expression."""
    return _EVALUATE[type(expr)](e, expr)


# --------------------------------------------------------------------------- expressions


def _constant(e: Emitter, expr: IntConst) -> Poly:
    return number(expr.value)


def _variable(e: Emitter, expr: IntVar) -> Poly:
    return e.integers[expr.name]


def _add(e: Emitter, expr: IntAdd) -> Poly:
    return add(evaluate(e, expr.left), evaluate(e, expr.right))


def _mul(e: Emitter, expr: IntMul) -> Poly:
    return multiply(evaluate(e, expr.left), evaluate(e, expr.right))


def _min(e: Emitter, expr: IntMin) -> Poly:
    left, right = evaluate(e, expr.left), evaluate(e, expr.right)
    least = smaller(left, right)
    if least is not None:
        return least
    return opaque(e, e.text.intrinsic("smin", integer(e, left), integer(e, right)), is_natural(e, left, right))


def _floordiv(e: Emitter, expr: IntFloorDiv) -> Poly:
    whole, rest = divide(evaluate(e, expr.value), expr.divisor)
    if (value := known(rest)) is not None:
        return add(whole, number(value // expr.divisor))
    return add(whole, opaque(e, quotient(e, rest, expr.divisor), is_natural(e, rest)))


def _mod(e: Emitter, expr: IntMod) -> Poly:
    _, rest = divide(evaluate(e, expr.value), expr.divisor)
    if (value := known(rest)) is not None:
        return number(value % expr.divisor)
    dividend = integer(e, rest)
    product = e.text.binary("mul", quotient(e, rest, expr.divisor), constant(expr.divisor, e.index))
    return opaque(e, e.text.binary("sub", dividend, product), True)


def _load(e: Emitter, expr: IntLoad) -> Poly:
    place = e.place(expr.buffer)
    where = access(e, place, expr.index)
    value = to_index(e, load(e, place, where))
    if where.step == 1 and e.mask is None:
        e.stored_indices[value.text] = place, where
    return opaque(e, value, False)


_EVALUATE: dict[type, Callable[[Emitter, Any], Poly]] = {
    IntConst: _constant,
    IntVar: _variable,
    IntAdd: _add,
    IntMul: _mul,
    IntMin: _min,
    IntFloorDiv: _floordiv,
    IntMod: _mod,
    IntLoad: _load,
}


# --------------------------------------------------------------------------- indices


def access(e: Emitter, place: BufferPlace, index: tuple[IntExpr, ...]) -> ElementAddress:
    """The address of `place[index]`."""
    flat = offset(e, place, index)
    key = (place.pointer.text, e.lanes, *flat.items())
    before = e.accesses.get(key)
    if before is not None and before[1].open:
        return before[0]
    found = reach(e, place, flat)
    depth = found.pointer.depth if found.offsets is None else max(found.pointer.depth, found.offsets.depth)
    e.accesses[key] = found, e.text.regions[depth]
    return found


def offset(e: Emitter, place: BufferPlace, index: tuple[IntExpr, ...]) -> Poly:
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


def _form(place: BufferPlace, index: tuple[IntExpr, ...]) -> LinearOffset | None:
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


def _general_offset(e: Emitter, place: BufferPlace, index: tuple[IntExpr, ...]) -> Poly:
    flat: Poly = {}
    for part, stride in zip(index, place.strides, strict=True):
        flat = add(flat, multiply(evaluate(e, part), stride))
    return dict(flat)
