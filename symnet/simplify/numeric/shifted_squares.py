"""Quotients by powers of S = c + x², c a positive number: one scale for each S, and as few products as there can be.

In: roots in the numeric form.  Out: the same values, where a product has 1/S as a factor.  Where x² overflows, S is
taken times t = 2⁻¹⁰²⁴ (2⁻¹²⁸ in float32), S' = c·t + x·(x·t), which lies between 1 and the largest number; elsewhere t
is 1, and not a bit changes.  Then x/S is x·t/S', and y/S is y/S'·t.  Where x is bounded, as sin and tanh are, S is left
as it is.
It looks at all roots together: which of the factors beside 1/S² is divided first depends on what is divided elsewhere.
What it leaves, such as g·h/S of weights that have nothing to do with x, `quotients_by_squares.py` takes.
Not handled: sums over axes, sums of several squares, powers that are not whole.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of, where
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import consumers, topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Sealed
from symnet.simplify.forms.coefficients import ONE, product, sum_of_all, terms_of
from symnet.simplify.forms.factors import power_of, split_power
from symnet.simplify.numeric.scaled_squares import OVERFLOWING, is_bounded
from symnet.simplify.rewrite import GraphRewrite
from symnet.simplify.trace import Step

MOST = 4  # of n in S⁻ⁿ, and of a power of what is beside it
MODERATE = sympy.Integer(2) ** 20  # c lies between this and its reciprocal
_TWO = sympy.Integer(2)
_EVEN = frozenset(2 * sympy.Integer(k) for k in range(MOST + 1))


@dataclass(frozen=True)
class ShiftedSquare:
    """S = c + (2^shift·x)², shift ≤ 0."""

    constant: Expr
    x: Node
    shift: int

    @functools.cached_property
    def scale(self) -> Node:
        """t: 1, or 2⁻¹⁰²⁴ where the square overflows."""
        power = OVERFLOWING[str(self.x.dtype)]
        overflows = elementwise("le", number(_TWO**power), elementwise("abs", self._root))
        return where(overflows, number(_TWO ** (-2 * power)), 1)

    @functools.cached_property
    def scaled(self) -> Node:
        """S' = S·t."""
        constant = self.scale if self.constant == 1 else elementwise("mul", number(self.constant), self.scale)
        return elementwise("add", constant, self._scaled_square)

    @functools.cached_property
    def of_root(self) -> Node:
        """r/S, r = 2^shift·x."""
        return elementwise("mul", self._scaled_root, power_of(self.scaled, -sympy.S.One))

    @functools.cached_property
    def of_square(self) -> Node:
        """r·r/S."""
        return elementwise("mul", self._scaled_square, power_of(self.scaled, -sympy.S.One))

    def over(self, y: Node) -> Node:
        """y/S."""
        return elementwise("mul", elementwise("mul", y, power_of(self.scaled, -sympy.S.One)), self.scale)

    def of_polynomial(self, coefficients: Sequence[Expr]) -> Node:
        """Σ cₖ·r²ᵏ/Sⁿ, n the highest k: each term with as many factors r² or t as the others."""
        degree = len(coefficients) - 1
        terms = [
            product(c, (self.scale,) * (degree - k) + (self._scaled_square,) * k)
            for k, c in enumerate(coefficients)
            if c
        ]
        return product(ONE, (sum_of_all(terms), *[power_of(self.scaled, -ONE)] * degree))

    @functools.cached_property
    def reciprocal(self) -> Node:
        """1/S, which is subnormal where S overflows: it is for what is divided by S before, or by nothing else."""
        return elementwise("mul", self.scale, power_of(self.scaled, -sympy.S.One))

    @functools.cached_property
    def _root(self) -> Node:
        return elementwise("mul", number(_TWO**self.shift), self.x) if self.shift else self.x

    @functools.cached_property
    def _scaled_root(self) -> Node:
        return elementwise("mul", self._root, self.scale)

    @functools.cached_property
    def _scaled_square(self) -> Node:
        return elementwise("mul", self._root, self._scaled_root)


def shifted_square(total: Node) -> ShiftedSquare | None:
    """c + x² as such, x²/4^k being (x/2^k)²; None of other nodes, and of bounded x."""
    if not is_op(total, "add") or len(total.operands) != 2 or str(total.dtype) not in OVERFLOWING:
        return None
    constants = [value for o in total.operands if (value := number_of(o)) is not None]
    terms = [o for o in total.operands if number_of(o) is None]
    if len(terms) != 1 or not 1 / MODERATE <= constants[0] <= MODERATE or is_bounded(total):
        return None
    factors = operands_of("mul", terms[0])
    squares = [o for o in factors if is_op(o, "pow") and number_of(o.operands[1]) == 2]
    numbers = [value for o in factors if (value := number_of(o)) is not None]
    if len(squares) != 1 or len(squares) + len(numbers) != len(factors):
        return None
    x, shift = squares[0].operands[0], _half_of_power(sympy.Mul(*numbers))
    alike = x.shape == total.shape and x.dtype == total.dtype
    return ShiftedSquare(constants[0], x, shift) if alike and shift is not None else None


def polynomial_in_square(total: Node, square: ShiftedSquare) -> tuple[Expr, ...]:
    """The numbers beside 1, r², r⁴ and so on of a sum that is a polynomial in r²; none of another."""
    if not is_op(total, "add") or not same_shape(total.shape, square.x.shape) or total.dtype != square.x.dtype:
        return ()
    found: dict[int, Expr] = {}
    for value, factors in terms_of(total):
        base, exponent = split_power(factors[0]) if factors else (square.x, sympy.S.Zero)
        if len(factors) > 1 or base is not square.x or isinstance(exponent, Node) or exponent not in _EVEN:
            return ()
        half = int(exponent) // 2
        found[half] = value / _TWO ** (2 * square.shift * half)
    return tuple(found.get(k, sympy.S.Zero) for k in range(max(found) + 1))


def _half_of_power(value: Expr) -> int | None:
    """k of 4^k, -10 ≤ k ≤ 0: 2^k·x does not overflow."""
    return next((k for k in range(-10, 1) if value == _TWO ** (2 * k)), None)


# --------------------------------------------------------------------------- products


@dataclass(frozen=True)
class WholePowers:
    """A product as a number and powers; what has no whole exponent stands as it is, once."""

    number: Expr
    powers: dict[Node, int]

    def above(self, total: Node) -> Node | None:
        """y where this is y/S, or a power of y over S, with a number or not."""
        others = [base for base in self.powers if base is not total]
        return others[0] if self.powers.get(total) == -1 and len(others) == 1 and self.powers[others[0]] > 0 else None

    def times(self, other: WholePowers) -> int:
        """How many times another product is in it."""
        return max(min((int(self.powers.get(b, 0) / e) for b, e in other.powers.items()), default=0), 0)

    def without(self, other: WholePowers, times: int = 1) -> WholePowers:
        """The quotient by another product, so many times."""
        left = {b: self.powers.get(b, 0) - times * other.powers.get(b, 0) for b in {**self.powers, **other.powers}}
        return WholePowers(self.number / other.number**times, {b: e for b, e in left.items() if e})


@dataclass(frozen=True)
class Share:
    """What of S⁻ⁿ stands beside what: x/S and x²/S so many times, other factors each over S, the last `again`.

    sums: polynomials in x², each over as many S as its degree.
    """

    total: Node
    roots: int
    squares: int
    others: tuple[Node, ...]
    again: int
    sums: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Division:
    """What is divided by which S, and what is left of the product."""

    shares: tuple[Share, ...]
    left: WholePowers


def quotients_by_shifted_squares(roots: list[Node], trace: list[Step] | None = None) -> list[Node]:
    """x·y/S² → (x·t/S')·(y/S'·t), S = c + x², t = 2⁻¹⁰²⁴ where x² overflows and otherwise 1, and S' = c·t + x·(x·t).

    Condition: c is a number, no farther from 1 than 2²⁰; x or a single factor stands beside 1/S, there or elsewhere.
    """
    nodes = topological(*roots)
    squares = {n: square for n in reversed(nodes) if (square := shifted_square(n)) is not None}
    plans = _plans(nodes, squares) if squares else {}
    if not plans:
        return roots
    taken = {share.total for plan in plans.values() for share in plan.shares}
    users = consumers(*roots)
    new: dict[Node, Node] = {}
    at: dict[Node, ShiftedSquare] = {}
    for node in nodes:
        before = new[node] = with_operands(node, [new[o] for o in node.operands])
        if node in taken:
            at[node] = replace(squares[node], x=new[squares[node].x])
        elif node in plans:
            new[node] = _divided(plans[node], squares, at, new)
        elif _order(node) and node.operands[0] in taken and all(u in plans or is_op(u, "add") for u in users[node]):
            new[node] = power_of(at[node.operands[0]].reciprocal, sympy.Integer(_order(node)))
        if trace is not None and before is not new[node]:
            trace.append(Step(QUOTIENTS_BY_SHIFTED_SQUARES, before, new[node], before, new[node]))
    return [new[root] for root in roots]


def _order(node: Node) -> int:
    """n of a power S⁻ⁿ, n whole and not high; 0 of other nodes."""
    exponent = number_of(node.operands[1]) if is_op(node, "pow") else None
    moderate = exponent is not None and exponent.is_Integer and -MOST <= exponent < 0
    return -int(exponent) if exponent is not None and moderate else 0


def _parts(node: Node) -> WholePowers:
    coefficient = sympy.S.One
    powers: dict[Node, int] = {}
    for factor in operands_of("mul", node):
        value = number_of(factor)
        base, exponent = split_power(factor)
        if value is not None:
            coefficient *= value
        elif isinstance(exponent, Node) or not exponent.is_Integer or abs(exponent) > MOST:
            powers[factor] = powers.get(factor, 0) + 1
        else:
            powers[base] = powers.get(base, 0) + int(exponent)
    return WholePowers(coefficient, powers)


def _opened(parts: WholePowers, squares: Mapping[Node, ShiftedSquare], once: set[Node]) -> WholePowers:
    """The product without products in it that are kept as one value: what has no other user, and y·x, S = c + x²."""

    def opened(parts: WholePowers, is_opened: Callable[[Node, WholePowers], bool]) -> WholePowers:
        for base, inside in _kept(parts):
            if is_opened(base, inside):
                parts = parts.without(WholePowers(sympy.S.One, {base: 1})).without(inside, -1)
        return parts

    parts = opened(parts, lambda base, inside: base in once)
    roots = [_parts(squares[b].x) for b, e in parts.powers.items() if e < 0 and b in squares]
    return opened(parts, lambda base, inside: any(map(inside.times, roots)))


def _kept(parts: WholePowers) -> list[tuple[Node, WholePowers]]:
    """The factors that are products kept as one value, in parts."""
    kept = [b for b, e in parts.powers.items() if e == 1 and b.kind == Sealed.kind and is_op(b.operands[0], "mul")]
    return [(base, _parts(base.operands[0])) for base in kept]


def _plans(nodes: list[Node], squares: Mapping[Node, ShiftedSquare]) -> dict[Node, Division]:
    """Of the products with 1/S how they are divided; what divides in one of them may do so in all."""
    once = {n for n, users in consumers(*nodes).items() if len(users) == 1}
    products = {n: _opened(_parts(n), squares, once) for n in nodes if is_op(n, "mul")}
    places = {s: k for k, s in enumerate(squares)}
    totals = {
        n: sorted((b for b, e in parts.powers.items() if -MOST <= e < 0 and b in squares), key=places.__getitem__)
        for n, parts in products.items()
    }
    alone = {(s, y) for n, parts in products.items() for s in totals[n] if (y := parts.above(s)) is not None}

    def planned(taken: set[Node]) -> dict[Node, Division]:
        plans = {n: _plan(products[n], {s: squares[s] for s in totals[n]}, alone, taken) for n in totals if totals[n]}
        return {n: plan for n, plan in plans.items() if plan.shares}

    return planned({share.total for plan in planned(set()).values() for share in plan.shares})


def _plan(
    parts: WholePowers, squares: Mapping[Node, ShiftedSquare], alone: set[tuple[Node, Node]], taken: set[Node]
) -> Division:
    """A product by its quotients: by each S that x or a single factor stands beside, or that is `taken`."""
    shares: list[Share] = []
    for total, square in squares.items():
        order, x = -parts.powers.get(total, 0), _parts(square.x)
        if order < 1:  # what divides is a part of an x that was taken out
            continue
        sums, degree = _sums(parts, square, order)
        parts, order = parts.without(WholePowers(sympy.S.One, Counter(sums))), order - degree
        roots = min(order, parts.times(x))
        beside = parts.without(x, roots)
        above = [b for b, e in beside.powers.items() if e > 0 for _ in range(e)]
        others = [b for b in dict.fromkeys(above) if (total, b) in alone]
        if roots or total in taken or len(set(above)) == 1:
            others += (Counter(above) - Counter(others)).elements()
        others = others[: order - roots]
        if roots or others or sums:
            twice = min(roots, beside.times(x))
            scale = _TWO ** (-square.shift * (roots + twice))
            used = WholePowers(1 / scale, {total: -order - degree, **Counter(others)})
            again = order - roots - len(others)
            shares.append(Share(total, roots - twice, twice, tuple(others), again, sums))
            parts = beside.without(x, twice).without(used)
    return Division(tuple(shares), parts)


def _sums(parts: WholePowers, square: ShiftedSquare, order: int) -> tuple[tuple[Node, ...], int]:
    """The factors that are polynomials in x², as many as Sⁿ is for, and their degree in all."""
    found: list[Node] = []
    degree = 0
    for base, exponent in parts.powers.items():
        for _ in range(exponent):
            more = len(polynomial_in_square(base, square)) - 1
            if 0 < more <= order - degree:
                found.append(base)
                degree += more
    return tuple(found), degree


def _divided(
    plan: Division, squares: Mapping[Node, ShiftedSquare], at: Mapping[Node, ShiftedSquare], new: Mapping[Node, Node]
) -> Node:
    """The product: factors, and quotients x/S and x²/S, which are small, in turns."""
    small: list[Node] = []
    large: list[Node] = []
    for share in plan.shares:
        square = at[share.total]
        small += [square.of_polynomial(polynomial_in_square(n, squares[share.total])) for n in share.sums]
        small += [*[square.of_square] * share.squares, *[square.of_root] * share.roots]
        large += [square.over(new[y]) for y in share.others]
        last = large if share.others else small
        for _ in range(share.again):
            last[-1] = elementwise("mul", last[-1], square.reciprocal)
    large += [new[b] for b, e in plan.left.powers.items() if e > 0 for _ in range(e)]
    below = [power_of(new[b], sympy.Integer(e)) for b, e in plan.left.powers.items() if e < 0]
    first, *turns = (factor for pair in zip_longest(large, small) for factor in pair if factor is not None)
    whole = functools.reduce(lambda a, b: elementwise("mul", a, b), [first, *below, *turns])
    return product(plan.left.number, (whole,))


QUOTIENTS_BY_SHIFTED_SQUARES = GraphRewrite(quotients_by_shifted_squares, domain="equal", role="stable")
