"""Sums as data: coefficients of monomials.

In: a node.  Out: `Terms` — Σ coefficient × monomial, a monomial being a tuple of factor nodes with the axes of the
result along which it varies — and back (`build`).  This is the canonical sum: nested sums and repetitions are seen
through, numbers are distributed, like terms collected, terms with the same scalar factor gathered behind it.
"""

from __future__ import annotations

from sympy import Expr

from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import Size, number
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Axes, Node, Shape
from symnet.simplify.forms.broadcast import core_of, cover, restrict, spread, trailing, without_repetition
from symnet.simplify.forms.coefficients import (
    ONE,
    ScaledFactors,
    content,
    may_join,
    product,
    quotient,
    rounded_once,
    split_coefficient,
    sum_of,
    terms_of,
)
from symnet.simplify.forms.common_factors import factored
from symnet.simplify.forms.factors import Factors
from symnet.simplify.forms.signs import MINUS_ONE, is_negative, magnitude

CoresAlongAxes = tuple[tuple[Node, ...], Axes]
CONSTANT: CoresAlongAxes = ((), ())
MANY = 32  # a sum of more terms than this stays closed inside another: it bounds the work per node
MOST = 2 * MANY  # none is opened into a sum that would have more terms: flat cotangents had a term for every layer


class Terms:
    """Σ coefficient × monomial over a result of `shape`."""

    __slots__ = ("coefficients", "count_of_operands", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.coefficients: dict[CoresAlongAxes, Expr] = {}
        self.count_of_operands = 1  # with those of the sums opened so far

    @classmethod
    def of(cls, node: Node) -> Terms:
        """The terms of a node, sums inside it opened."""
        terms = cls(node.shape)
        operands = operands_of("add", node)
        terms.count_of_operands = len(operands)
        for operand in operands:
            terms.plus(operand, trailing(operand.rank, node.rank))
        return terms

    def plus(self, node: Node, axes: Axes, coefficient: Expr = ONE, scalars: tuple[Node, ...] = ()) -> Terms:
        """Add coefficient × Π scalars × node, the node's axes standing at `axes` of the result."""
        stack = [(node, axes, coefficient, scalars)]
        while stack:
            each, places, scale, heads = stack.pop()
            core, places = core_of(each, places, self.shape)
            number_part, factors = split_coefficient(core)
            scale = number_part if scale is ONE else scale if number_part is ONE else scale * number_part
            if is_op(core, "add") and self._has_room(core) and _may_spread(scale, core):
                self.count_of_operands += len(core.operands) - 1
                rank = len(places)
                stack.extend((o, places[rank - o.rank :], scale, heads) for o in reversed(core.operands))
            elif (split := self._scaled_sum(factors, scale)) is not None:
                more, inner = split
                stack.append((inner, places[len(places) - inner.rank :], scale, (*heads, *more)))
            elif heads:
                whole = Factors(tuple(self.shape[a] for a in places))
                for part in (*heads, *factors):
                    whole.times(part, trailing(part.rank, len(places)))
                number_part, factors = split_coefficient(whole.primitive().build())
                self._collect(factors, places, scale * number_part)
            else:
                self._collect(factors, places, scale)
        return self

    def _scaled_sum(self, factors: tuple[Node, ...], scale: Expr) -> tuple[tuple[Node, ...], Node] | None:
        """scalars × sum, which opens into the sum of scalars × terms."""
        if not factors or not (is_op(factors[-1], "add") or _repeats_sum(factors[-1])):
            return None
        heads, last = factors[:-1], factors[-1]
        total = without_repetition(last)
        if not all(_is_scale(h, bool(self.shape)) for h in heads) or not self._has_room(total):
            return None
        if not _may_spread(scale, total):
            return None
        return heads, last

    def _has_room(self, inner: Node) -> bool:
        """Whether a sum may be opened into this one."""
        return len(inner.operands) <= MANY and self.count_of_operands + len(inner.operands) <= MOST + 1

    def _collect(self, factors: tuple[Node, ...], axes: Axes, coefficient: Expr) -> None:
        key = (factors, axes)
        held = self.coefficients.get(key)
        total = coefficient if held is None else rounded_once(held + coefficient)
        if total == 0:
            self.coefficients.pop(key, None)
        else:
            self.coefficients[key] = total

    # ---- coefficients

    def common_size(self) -> Expr:
        """c when every coefficient is c or -c (negative when every one is), else 1.

        Rounded numbers stay where they are: x·(1/x) is not always 1.  Beside fractions, terms that broadcasting repeats
        do not count: 2·x - x.sum()/5 is 2·(x - x.mean()).
        """
        values = list(self.coefficients.values())
        if CONSTANT not in self.coefficients and not all(v.is_Integer for v in values):
            live = len(set().union(*(axes for _, axes in self.coefficients)))
            values = [v for (_, axes), v in self.coefficients.items() if len(axes) == live] or values
        size = magnitude(values[0])
        if not size.is_Integer and any(v in (1, -1) for v in self.coefficients.values()):
            return ONE  # x/2 - y stays: (x - 2·y)/2 is no shorter
        if size.is_Float or not all(magnitude(v) == size for v in values[1:]):
            return ONE
        return -size if size != 1 and all(is_negative(v) for v in self.coefficients.values()) else size

    def count(self) -> int:
        """The number of terms that are no numbers."""
        return len(self.coefficients) - (CONSTANT in self.coefficients)

    def over(self, other: Terms) -> Expr | None:
        """r when every coefficient is r times that of the same term in `other`."""
        if self.coefficients.keys() != other.coefficients.keys():
            return None
        ratios = {quotient(value, other.coefficients[key]) for key, value in self.coefficients.items()}
        return ratios.pop() if len(ratios) == 1 else None

    def divided(self, divisor: Expr) -> Terms:
        twin = Terms(self.shape)
        twin.coefficients = {key: quotient(value, divisor) for key, value in self.coefficients.items()}
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
        if size == 1:
            return self._gathered()._layers()
        whole = self._gathered()._layers() if CONSTANT not in self.coefficients and not size.is_Integer else None
        if whole is not None and softmax_axes(elementwise("exp", whole)):
            return whole  # x/2 - logsumexp(x/2) stays what it is
        inner = self.divided(size)._gathered()
        if all(map(is_negative, inner.coefficients.values())):  # only once gathered: -s·(a - b) - t·c
            size, inner = -size, inner.divided(MINUS_ONE)
        return elementwise("mul", number(size), inner._layers())

    def _in_front(self) -> tuple[Expr, Node]:
        """The number to take out of the sum where it is a factor, and what is left.

        It is taken out of every term, those too that are repeated: -c - (d + e)[:, None] leaves c + (d + e)[:, None].
        """
        value, factors = split_coefficient(self.build())
        if len(factors) == 1 and is_op(factors[0], "add"):
            size = content(factors[0])
            if size != 1 and may_join(value, size):
                return value * size, self.divided(value * size).build()
        return value, product(ONE, factors)

    def _gathered(self) -> Terms:
        """Terms with the same scalar factors, two or more but not all, gathered behind them: (a + b)/m + c.

        Where each term has a place smaller than their sum for the scalars, they stay there: mean(x) + y*mean(z).
        """
        groups: dict[tuple[Node, ...], list[CoresAlongAxes]] = {}
        for monomial in self.coefficients:
            heads = _scale_of(monomial[0], bool(self.shape))
            if heads and len(heads) < len(monomial[0]):
                groups.setdefault(heads, []).append(monomial)
        if self.shape:
            self._join_scalars(groups)
        crowded = {h: members for h, members in groups.items() if len(members) > 1 and _fills_their_sum(members)}
        if not crowded:
            return self
        gathered = Terms(self.shape)
        taken = {monomial for members in crowded.values() for monomial in members}
        gathered.coefficients = {k: v for k, v in self.coefficients.items() if k not in taken}
        for heads, members in crowded.items():
            part = Terms(self.shape)
            for m in members:
                value, left = _divided(m[0], heads)
                part._collect(left, m[1], self.coefficients[m] * value)
            size, total = part._in_front()
            inner, places = core_of(total, trailing(len(self.shape), len(self.shape)), self.shape)
            whole = Factors(inner.shape)
            for factor in (*heads, inner):
                whole.times(factor, trailing(factor.rank, inner.rank))
            number_part, factors = split_coefficient(whole.primitive().build())
            gathered._collect(factors, places, size * number_part)
        return gathered

    def _join_scalars(self, groups: dict[tuple[Node, ...], list[CoresAlongAxes]]) -> None:
        """A term joins the sum over its elements, where both are alone: s·x - s·mean(x) is s·(x - mean(x)).

        Other scalars stay apart: several are one number to add, and u/s + x - t/s has a part u/s + x of its own.  What
        is written so opens into the same terms again, in whatever order they stand.
        """
        scalars = [m for m in self.coefficients if not m[1]]
        pairs = [(h, m) for h, members in groups.items() for m in scalars if _is_sum_of(m[0], members, h)]
        for heads, scalar in pairs:
            if sum(h == heads or m == scalar for h, m in pairs) == 1:
                groups[heads].append(scalar)

    def _layers(self) -> Node:
        """Terms of full rank and scalars flat; the others summed at their own size, then repeated."""
        by_axes: dict[Axes, list[ScaledFactors]] = {}
        for (factors, axes), coefficient in self.coefficients.items():
            by_axes.setdefault(axes, []).append((coefficient, factors))
        live = tuple(sorted(set().union(*by_axes)))
        shape = tuple(self.shape[a] for a in live)
        full = tuple(range(len(live)))
        flat: list[ScaledFactors] = []
        for axes, members in by_axes.items():
            places = restrict(axes, live)
            if places in ((), full):
                flat.extend(members)
            else:
                flat.append(_repeated(members, places, shape))
        return cover(broadcast_to(sum_of(flat), shape), live, self.shape)


def _may_spread(scale: Expr, total: Node) -> bool:
    """Whether a number in front of a sum may be multiplied into its terms."""
    return scale in (1, -1) or all(may_join(scale, value) for value, _ in terms_of(total))


def _repeated(members: list[ScaledFactors], places: Axes, shape: Shape) -> ScaledFactors:
    """One term for all those that vary along the same axes: -1·expand(s), or expand(s + t)."""
    coefficient, factors = members[0]
    if len(members) > 1:
        part = Terms(tuple(shape[a] for a in places))
        part.coefficients = {(each, trailing(len(places), len(places))): c for c, each in members}
        coefficient, factors = split_coefficient(part.build())
        if len(factors) == 1 and is_op(factors[0], "add"):
            value, factors = _in_factors(factors[0])
            coefficient *= value
    if places == trailing(len(places), len(shape)):
        return coefficient, factors
    heads = tuple(f for f in factors if not f.rank)
    body = tuple(f for f in factors if f.rank)
    return coefficient, (*heads, spread(product(ONE, body), places, shape))


def _in_factors(total: Node) -> ScaledFactors:
    """s·x + t·s·y → s·(x + t·y), as a sum is written by itself: `of` opens that, so that `build` has to give it."""
    common = factored(total)
    if common is None:
        return ONE, (total,)
    outside, rest = common
    size, inner = Terms.of(elementwise("add", *rest))._in_front()
    number_part, factors = split_coefficient(outside.times(inner, trailing(inner.rank, total.rank)).primitive().build())
    return size * number_part, factors


def _fills_their_sum(members: list[CoresAlongAxes]) -> bool:
    """Whether scalars of these terms meet as many elements inside some term as in front of their sum."""
    live = set().union(*(axes for _, axes in members))
    return any(len(axes) == len(live) and not any(_is_smaller(f, len(live)) for f in each) for each, axes in members)


def _is_smaller(factor: Node, rank: int) -> bool:
    """Whether a factor is an array that a product of this rank repeats."""
    return factor.rank > 0 and (factor.rank < rank or factor.kind == "expand")


def _is_scale(factor: Node, arrays: bool) -> bool:
    """Whether terms are gathered behind a factor: any scalar beside arrays, only an extent among scalars."""
    if factor.rank:
        return False
    return arrays or isinstance(factor, Size) or (is_op(factor, "pow") and isinstance(factor.operands[0], Size))


def _is_sum_of(scalar: tuple[Node, ...], members: list[CoresAlongAxes], heads: tuple[Node, ...]) -> bool:
    """Whether a scalar is that in front of a single term times the sum of its array; extents are divided."""
    if len(members) > 1:
        return False
    arrays = tuple(f for f in members[0][0] if f.rank)
    computed = {h for h in heads if not _is_scale(h, False)}
    more = [f for f in scalar if f not in computed and not _is_scale(f, False)]
    if len(arrays) > 1 or len(more) != 1 or not computed or not computed < set(scalar):
        return False
    return isinstance(more[0], Einsum) and more[0].is_sum and more[0].operands == arrays


def _scale_of(factors: tuple[Node, ...], arrays: bool) -> tuple[Node, ...]:
    return tuple(f for f in factors if _is_scale(f, arrays))


def _divided(factors: tuple[Node, ...], heads: tuple[Node, ...]) -> ScaledFactors:
    """The factors without those in front; extents that they have not are divided by."""
    left = tuple(f for f in factors if f not in heads)
    if len(left) + len(heads) == len(factors):
        return ONE, left
    whole = Factors(())
    for exponent, parts in ((ONE, factors), (MINUS_ONE, heads)):
        for part in parts:
            whole.times(part, (), exponent)
    return split_coefficient(whole.build())


def _repeats_sum(node: Node) -> bool:
    return node.kind == "expand" and is_op(node.operands[0], "add")
