"""Sums as data: coefficients of monomials.

In: a node.  Out: `Terms` — Σ coefficient × monomial, a monomial being a tuple of factor nodes with the axes of the
result along which it varies — and back (`build`).  This is the canonical sum: nested sums and repetitions are seen
through, numbers are distributed, like terms collected, terms with the same scalar factor gathered behind it.
"""

from __future__ import annotations

import math

import sympy
from sympy import Expr

from symnet.expr.constants import Number, Size, number
from symnet.expr.elementwise import elementwise, is_op
from symnet.expr.movement import broadcast_to
from symnet.expr.node import Node, Shape
from symnet.simplify.broadcast import Axes, core_of, cover, restrict, spread, trailing
from symnet.simplify.factors import Factors
from symnet.simplify.order import sum_key, weight
from symnet.simplify.signs import is_negative, is_positive

ONE, ZERO = sympy.S.One, sympy.S.Zero
Monomial = tuple[tuple[Node, ...], Axes]
CONSTANT: Monomial = ((), ())
MANY = 32  # a sum of more terms than this is not opened inside another: it bounds the work per node


def split_coefficient(node: Node) -> tuple[Expr, tuple[Node, ...]]:
    """The leading number of a product, and its other factors."""
    if _is_finite_number(node):
        return node.args[0], ()
    if is_op(node, "mul"):
        first = node.operands[0]
        return (first.args[0], node.operands[1:]) if _is_finite_number(first) else (ONE, node.operands)
    return ONE, (node,)


def _is_finite_number(node: Node) -> bool:
    return isinstance(node, Number) and (node.value.is_Rational or bool(node.value.is_finite))


def product(coefficient: Expr, factors: tuple[Node, ...]) -> Node:
    """coefficient × Π factors as one node."""
    parts = factors if coefficient == 1 and factors else (number(coefficient), *factors)
    return parts[0] if len(parts) == 1 else elementwise("mul", *parts)


class Terms:
    """Σ coefficient × monomial over a result of `shape`."""

    __slots__ = ("coefficients", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.coefficients: dict[Monomial, Expr] = {}

    @classmethod
    def of(cls, node: Node) -> Terms:
        """The terms of a node, sums inside it opened."""
        return cls(node.shape).plus(node, trailing(node.rank, node.rank))

    def plus(self, node: Node, axes: Axes, coefficient: Expr = ONE, scalars: tuple[Node, ...] = ()) -> Terms:
        """Add coefficient × Π scalars × node, the node's axes standing at `axes` of the result."""
        stack = [(node, axes, coefficient, scalars)]
        while stack:
            each, places, scale, heads = stack.pop()
            core, places = core_of(each, places, self.shape)
            number_part, factors = split_coefficient(core)
            scale = scale * number_part
            if is_op(core, "add") and len(self.coefficients) + len(stack) + len(core.operands) <= MANY + 1:
                rank = len(places)
                stack.extend((o, places[rank - o.rank :], scale, heads) for o in reversed(core.operands))
            elif (split := self._scaled_sum(factors)) is not None:
                more, inner = split
                stack.append((inner, places[len(places) - inner.rank :], scale, (*heads, *more)))
            elif heads:
                inner = Factors(tuple(self.shape[a] for a in places))
                for part in (*heads, *factors):
                    inner.times(part, trailing(part.rank, len(places)))
                number_part, factors = split_coefficient(inner.build())
                self._collect(factors, places, scale * number_part)
            else:
                self._collect(factors, places, scale)
        return self

    def _scaled_sum(self, factors: tuple[Node, ...]) -> tuple[tuple[Node, ...], Node] | None:
        """scalars × sum, which opens into the sum of scalars × terms."""
        if not factors or not (is_op(factors[-1], "add") or _repeats_sum(factors[-1])):
            return None
        heads, last = factors[:-1], factors[-1]
        if not all(_is_scale(h, bool(self.shape)) for h in heads) or len(self.coefficients) + len(last.operands) > MANY:
            return None
        return heads, last

    def _collect(self, factors: tuple[Node, ...], axes: Axes, coefficient: Expr) -> None:
        key = (factors, axes)
        total = self.coefficients.get(key, ZERO) + coefficient
        if total == 0:
            self.coefficients.pop(key, None)
        else:
            self.coefficients[key] = total

    # ---- coefficients

    def content(self) -> Expr:
        """The number to pull out of the sum when it is a factor: what is left has coprime whole coefficients,
        and a plus sign on the term of greatest weight."""
        values = list(self.coefficients.values())
        if not all(v.is_Rational for v in values):
            size = sympy.Abs(values[0])
            size = size if all(sympy.Abs(v) == size for v in values) else ONE
        else:
            top, bottom = math.gcd(*(int(v.p) for v in values)), math.lcm(*(int(v.q) for v in values))
            size = sympy.Rational(top, bottom)
        return size * self._sign()

    def _sign(self) -> int:
        values = self.coefficients
        if all(is_negative(v) for v in values.values()):
            return -1
        if all(is_positive(v) for v in values.values()):
            return 1
        leader = max(values, key=lambda key: weight(key[0]))
        return -1 if is_negative(values[leader]) else 1

    def common_size(self) -> Expr:
        """c when every coefficient is c or -c (negative when every one is), else 1."""
        values = list(self.coefficients.values())
        size = sympy.Abs(values[0])
        if not all(sympy.Abs(v) == size for v in values[1:]):
            return ONE
        return -size if size != 1 and all(is_negative(v) for v in values) else size

    def scaled(self, factor: Expr) -> Terms:
        twin = Terms(self.shape)
        twin.coefficients = {key: value * factor for key, value in self.coefficients.items()}
        return twin

    # ---- building

    def build(self) -> Node:
        """The sum node, of exactly `shape`."""
        if not self.coefficients:
            return cover(number(0), (), self.shape)
        if len(self.coefficients) == 1:
            ((factors, axes), coefficient) = next(iter(self.coefficients.items()))
            return cover(product(coefficient, factors), axes, self.shape)
        size = self.common_size()
        if size != 1:
            return elementwise("mul", number(size), self.scaled(1 / size).build())
        return self._gathered()._layers()

    def _gathered(self) -> Terms:
        """Terms with the same scalar factors, two or more but not all, gathered behind them: (a + b)/m + c."""
        groups: dict[tuple[Node, ...], list[Monomial]] = {}
        for monomial in self.coefficients:
            heads = _scale_of(monomial[0], bool(self.shape))
            if heads and len(heads) < len(monomial[0]):
                groups.setdefault(heads, []).append(monomial)
        crowded = {heads: members for heads, members in groups.items() if 1 < len(members)}
        if not crowded:
            return self
        gathered = Terms(self.shape)
        taken = {monomial for members in crowded.values() for monomial in members}
        gathered.coefficients = {k: v for k, v in self.coefficients.items() if k not in taken}
        for heads, members in crowded.items():
            part = Terms(self.shape)
            part.coefficients = {(_without(m[0], heads), m[1]): self.coefficients[m] for m in members}
            outside = -ONE if all(map(is_negative, part.coefficients.values())) else ONE  # -s·(a + b), not s·(-a - b)
            whole = part.scaled(outside).build()
            inner, places = core_of(whole, trailing(len(self.shape), len(self.shape)), self.shape)
            number_part, factors = split_coefficient(inner)
            gathered._collect((*heads, *factors), places, outside * number_part)
        return gathered

    def _layers(self) -> Node:
        """Terms of full rank and scalars flat; the others summed at their own size, then repeated."""
        by_axes: dict[Axes, list[tuple[tuple[Node, ...], Expr]]] = {}
        for (factors, axes), coefficient in self.coefficients.items():
            by_axes.setdefault(axes, []).append((factors, coefficient))
        live = tuple(sorted(set().union(*by_axes)))
        shape = tuple(self.shape[a] for a in live)
        full = tuple(range(len(live)))
        flat: list[tuple[tuple[Node, ...], Expr]] = []
        for axes, members in by_axes.items():
            places = restrict(axes, live)
            if places in ((), full):
                flat.extend(members)
            else:
                flat.append(_repeated(members, places, shape))
        return cover(broadcast_to(_sum(flat), shape), live, self.shape)


def _repeated(members: list[tuple[tuple[Node, ...], Expr]], places: Axes, shape: Shape) -> tuple[tuple[Node, ...], Expr]:
    """One term for all those that vary along the same axes: -1·expand(s), or expand(s + t)."""
    factors, coefficient = members[0]
    if len(members) > 1:
        part = Terms(tuple(shape[a] for a in places))
        part.coefficients = {(each, trailing(len(places), len(places))): c for each, c in members}
        coefficient, factors = split_coefficient(part.build())
    heads = tuple(f for f in factors if not f.rank)
    body = tuple(f for f in factors if f.rank)
    return (*heads, spread(product(ONE, body), places, shape)), coefficient


def _sum(members: list[tuple[tuple[Node, ...], Expr]]) -> Node:
    ordered = sorted(members, key=lambda member: sum_key(is_negative(member[1]), member[0]))
    nodes = [product(coefficient, factors) for factors, coefficient in ordered]
    return nodes[0] if len(nodes) == 1 else elementwise("add", *nodes)


def _is_scale(factor: Node, arrays: bool) -> bool:
    """A factor that terms are gathered behind: any scalar beside arrays, only extents among scalars."""
    if factor.rank:
        return False
    return arrays or isinstance(factor, Size) or (is_op(factor, "pow") and isinstance(factor.operands[0], Size))


def _scale_of(factors: tuple[Node, ...], arrays: bool) -> tuple[Node, ...]:
    return tuple(f for f in factors if _is_scale(f, arrays))


def _without(factors: tuple[Node, ...], heads: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(f for f in factors if f not in heads)


def _repeats_sum(node: Node) -> bool:
    return node.kind == "expand" and is_op(node.operands[0], "add")
