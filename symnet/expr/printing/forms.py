"""Forms: what a formula looks like, whatever the notation.

In: nothing.  Out: `Form`, the small language between graphs (read by `layout.py`) and texts (written by `text.py`,
`latex.py`, `pretty.py`, one table each, keyed by the kinds below).

    form := name(text, latex)                  a leaf, a named value, or a shared part
          | number(value)                      a SymPy number or an extent
          | same(x)                            x, unchanged
          | sum(*terms; signs)                 a + b - c
          | product(*above, *below; sign, n)   -2*a*b/m: the first n parts stand above the line
          | power(base, exponent) | root(x)
          | matmul(*factors) | transpose(x)
          | reduce(x; op, axes, count)         axes None: all of them; count: how many elements a mean divides by
          | spread(x; items, unit)             x[:, None]: axes that broadcast, or of extent 1 (unit); of a reduction,
                                               the items "keepdims" write keepdims=True
          | index(x, *arrays; items)           x[1:, ::2]; an item "{}" is filled by the next array
          | unit(; extent, place)              eye(n)[2], a vector with one 1
          | relation(a, b; op)                 a >= 0
          | indicator(condition)               1[a >= 0]
          | einsum(*operands; inputs, output)  what has no shorter form
         | element(x; *letters)               X_ij, an element: on paper only, as the two below
         | indexed(entry; *letters)           [X_ij + b_k]_ijk, an array by its entries
         | total(entry; op, letters)          Σ_i X_ij, max_i X_ij
          | filled(; value, shape)             ones(m, 3)
          | ones()                             a column of ones, as long as its place wants: on paper only
          | identity(; extent) | ramp(; extent)
          | array(; contents)                  array([1.0, 2.0]), a small constant array in full
          | sequence(*xs)                      [a, b]
          | rows(*entries; *shape)             [a, b], [[a, b], [c, d]]: a vector or a matrix of scalars
          | call(*args; name, keywords)        tanh(x), concat([a, b], axis=0)
          | function(*args; function)          besselj(2, x), a function of SymPy's
          | applied(f, *args; n, places)       f(x), f''(x), ∂₁f(x, y): the n-th derivative of an abstract function,
                                               by its arguments at some places where it has several
          | leibniz(f, *by)                    ∂h/∂z, the derivative of an abstract function
    part := Form | Ref                         a Ref is another node's form, inlined or printed by name
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import sympy

from symnet.expr.nodes.node import Node

# How tightly a text binds: an operand is parenthesised when its level is below what its place needs.  Python gives
# `a*b` and `a @ b` one precedence; people do not, so a product of several arrays (HADAMARD) is a level of its own.
RELATION, SUM, OPERATOR, HADAMARD, MATMUL, PRODUCT, POWER, ATOM = range(8)

KINDS = (
    "name", "number", "same", "sum", "product", "power", "root", "matmul", "transpose", "reduce", "spread", "index",
    "unit", "relation", "indicator", "einsum", "element", "indexed",
    "total", "filled", "ones", "identity", "ramp", "array", "sequence", "rows",
    "call", "function", "applied", "leibniz",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ref:
    """A node's form.  `loose`: its shape may be smaller than the node's, where broadcasting makes up for it."""

    node: Node
    loose: bool
    rank: int


@dataclass(frozen=True, slots=True)
class Form:
    """One piece of notation; `rank` is that of the value it stands for."""

    kind: str
    parts: tuple[FormPart, ...] = ()
    data: tuple[Any, ...] = ()
    rank: int = 0


FormPart = Form | Ref


def same(part: FormPart) -> Form:
    """A part as a form."""
    return part if isinstance(part, Form) else Form("same", (part,), (), part.rank)


def numeral(value: Any) -> Form:
    """A number or an extent."""
    return Form("number", (), (value,))


def reads_as_decimal(value: Any) -> bool:
    """Whether a fraction is shorter as a decimal, and exactly that: 0.044715 for 8943/200000, but 1/1024."""
    if not value.is_Rational or value.q <= 100 or abs(value.p) == 1:
        return False
    rounded = float(value)
    return math.isfinite(rounded) and bool(sympy.Rational(repr(rounded)) == value)


def call(name: str, *args: FormPart, rank: int = 0, **keywords: Any) -> Form:
    """`name(*args, **keywords)`."""
    return Form("call", args, (name, tuple(keywords.items())), rank)


def product(sign: int, above: list[FormPart], below: list[FormPart]) -> Form:
    """A signed product of factors over a product of divisors."""
    if sign > 0 and len(above) == 1 and not below:
        return same(above[0])
    rank = max((p.rank for p in (*above, *below)), default=0)
    return Form("product", (*above, *below), (sign, len(above)), rank)


def put_number(value: Any, above: list[FormPart], below: list[FormPart]) -> int:
    """Write a number above and below the line; give its sign."""
    sign = -1 if value.is_negative else 1
    if _is_root(value * sign):
        over, under = sympy.fraction(value**2)
        if under != 1:
            below.append(Form("root", (numeral(under),)) if under.has(sympy.pi) else numeral(sympy.sqrt(under)))
        value = sign * sympy.sqrt(over)
    coefficient, rest = (value * sign).as_coeff_Mul()
    if coefficient.is_Rational and not coefficient.is_Integer and not reads_as_decimal(coefficient):
        below.append(numeral(sympy.Integer(coefficient.q)))
        coefficient = sympy.Integer(coefficient.p)
    value = coefficient * rest
    if value != 1 or (sign > 0 and not below):
        above.append(numeral(value))
    return sign


def _is_root(value: Any) -> bool:
    """Whether a number is the square root of a fraction, perhaps with π in it: √2/2 reads as 1/√2."""
    if value.is_Rational or not (value.is_Pow or value.is_Mul):
        return False
    factors = [f.as_base_exp() for f in sympy.Mul.make_args(value)]
    return all(e in (1, -1, sympy.S.Half, -sympy.S.Half) and (b.is_Rational or b is sympy.pi) for b, e in factors)


def transposed(part: FormPart) -> Form:
    """xᵀ of a matrix; the transpose of a transpose is the matrix."""
    if isinstance(part, Form) and part.kind == "transpose":
        return same(part.parts[0])
    return Form("transpose", (part,), (), part.rank)


def filled(value: int, shape: tuple[Any, ...]) -> Form:
    """An array of zeros or ones."""
    return Form("filled", (), (value, shape), len(shape))
