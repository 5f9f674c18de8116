"""Standardised vectors, on paper: by their standard deviation σ and by what they are divided by it, h.

In: a root.  Out: a graph of the same value in which √n/‖u‖ reads as 1/√(mean u²) and, where u stands in several places,
as 1/σ with h for u/σ, named: the Jacobian of layer norm is (I - 𝟏𝟏ᵀ/n - h hᵀ/n)/σ.  The same of √(mean u² + ε), and
along the rows of a matrix.
Only for printing: what is computed divides by sums of squares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import sympy

from symnet.expr.nodes.constants import as_node, number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.expansion import Expand, expand, fill
from symnet.expr.nodes.extents import product as number_of_elements
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.printing.view import visible

Naming = Callable[[Node, Sequence[str]], Node | None]  # a value under the first of some names that is free


class Deviation(NamedTuple):
    """A vector u, or a matrix of rows, and what its standard deviation is the square root of.

    Attributes:
        u: what is standardised.
        axes: the axes of u that the standard deviation has.
        square: Σu², with `count` n, or (Σu²)/n + ε, with 1: the square of σ is square/count.
        total: Σu².
    """

    u: Node
    axes: tuple[int, ...]
    square: Node
    count: Any
    total: Einsum


class TimesDeviation(NamedTuple):
    """coefficient * σ**power * core; `axes`: where the axes of σ stand; a core of None is ones."""

    coefficient: Any
    power: Any
    axes: tuple[int, ...]
    core: Node | None
    shape: Shape


def standardised(root: Node, named: Naming) -> Node:
    """The root with standard deviations in it, named where they and what they divide stand in several places."""
    order = visible(root)
    for given in _deviations(order):
        uses = sum(o is given.u for node in order if node is not _square_of(given.total) for o in node.operands)
        if not uses:
            continue
        deviation, whole = _deviation(given), given.u
        if uses > 1:
            sigma = named(deviation, ("sigma", "tau", "rho"))
            if sigma is None:
                continue
            letters = ("h", "z", "q") if given.u.rank == 1 else ("H", "Z", "Q")
            unit = elementwise("mul", given.u, elementwise("pow", _along(sigma, given.u.shape, given.axes), -1))
            h = named(unit, letters)
            if h is None:
                continue
            deviation, whole = sigma, h
        found = _DeviationsOut(given, deviation, whole, uses > 1).written(order)
        if uses == 1 or _is_shorter(visible(found), given.u, deviation):
            return found
    return root


def _is_shorter(order: Sequence[Node], u: Node, sigma: Node) -> bool:
    """Whether what is standardised is gone from a formula, and σ stands below lines only."""
    repeated = {node for node in order if node.kind == "expand" and node.operands[0] is sigma} | {sigma}
    users = [node for node in order if node not in repeated and not repeated.isdisjoint(node.operands)]
    divides = all(_is_reciprocal(node) for node in users)
    return u not in order and divides


def _is_reciprocal(node: Node) -> bool:
    exponent = number_of(node.operands[1]) if is_op(node, "pow") else None
    return exponent is not None and bool(exponent.is_negative)


def _deviations(order: Sequence[Node]) -> list[Deviation]:
    """What is divided by its standard deviation in a formula."""
    found: list[Deviation] = []
    divisors = {o.operands[0] for o in order if is_op(o, "pow") and number_of(o.operands[1]) == -sympy.S.Half}
    for square in divisors:
        for term in operands_of("add", square):
            total = _total_in(term)
            if total is None:
                continue
            u = total.operands[0].operands[0]
            axes = tuple(a for a, i in enumerate(total.inputs[0]) if i in total.output)
            n = number_of_elements(x for a, x in enumerate(u.shape) if a not in axes)
            if square is total and _has_root_of(order, n):
                found.append(Deviation(u, axes, square, n, total))
            elif square is not total and _is_mean(term, total, n):
                found.append(Deviation(u, axes, square, 1, total))
    return sorted(found, key=lambda given: order.index(given.square))


def _total_in(term: Node) -> Einsum | None:
    """Σu² among the factors of a term."""
    for factor in operands_of("mul", term):
        inner = factor.operands[0] if isinstance(factor, Expand) else factor
        if isinstance(inner, Einsum) and inner.is_sum and inner.rank < 2 and _is_square(inner.operands[0]):
            return inner
    return None


def _is_square(node: Node) -> bool:
    return is_op(node, "pow") and number_of(node.operands[1]) == 2 and node.rank in (1, 2)


def _square_of(total: Einsum) -> Node:
    return total.operands[0]


def _is_mean(term: Node, total: Einsum, n: Any) -> bool:
    """Whether a term is Σu²/n."""
    factors = list(operands_of("mul", term))
    if total not in factors:
        return False
    factors.remove(total)
    return bool(sympy.prod([_constant(f) or 0 for f in factors]) == sympy.Integer(1) / n)


def _has_root_of(order: Sequence[Node], n: Any) -> bool:
    """Whether √n is a factor somewhere: of one over the norm it makes one over the standard deviation."""
    root = sympy.sqrt(sympy.sympify(n))
    return any(_divides_well(c, root) for node in order if is_op(node, "mul") if (c := _coefficient(node)) is not None)


def _divides_well(value: Any, root: Any) -> bool:
    return bool((value / root).is_Rational) and not root.is_Rational


def _coefficient(node: Node) -> Any:
    known = [c for f in node.operands if (c := _constant(f)) is not None]
    return sympy.prod(known) if known else None


def _constant(node: Node) -> Any:
    """A number, an extent, or a power of either; None for other nodes."""
    if node.kind in ("number", "size"):
        return node.args[0]
    if is_op(node, "pow") and node.operands[0].kind in ("number", "size") and node.operands[1].kind == "number":
        return node.operands[0].args[0] ** node.operands[1].args[0]
    return None


def _along(x: Node, shape: Shape, axes: tuple[int, ...]) -> Node:
    return expand(x, shape, axes) if x.rank < len(shape) and (x.rank or axes) else x


def _deviation(given: Deviation) -> Node:
    mean = given.square if given.count == 1 else elementwise("mul", as_node(sympy.S.One / given.count), given.square)
    return elementwise("pow", mean, sympy.S.Half)


class _DeviationsOut:
    """The nodes of a formula, operands first, with their powers of σ before them."""

    def __init__(self, given: Deviation, deviation: Node, whole: Node, named: bool) -> None:
        self.given, self.deviation, self.whole, self.named = given, deviation, whole, named
        self.new: dict[Node, TimesDeviation] = {}

    def written(self, order: Sequence[Node]) -> Node:
        for node in order:
            self.new[node] = self._scaled(node)
        return self._whole(self.new[order[-1]])

    def _scaled(self, node: Node) -> TimesDeviation:
        given = self.given
        if node is given.u:
            return TimesDeviation(1, int(self.named), given.axes, self.whole, node.shape)
        if node is given.square:
            return TimesDeviation(given.count, 2, tuple(range(node.rank)), None, node.shape)
        value = _constant(node)
        if value is not None:
            return TimesDeviation(value, 0, (), None, ())
        below = [] if node.kind == "named" else [self.new[o] for o in node.operands]
        rule = _RULES.get(node.args[0].name if node.kind == "elementwise" else node.kind)
        found = rule(self, node, below) if rule and below else None
        return found or self._plain(node, [self._whole(b) for b in below])

    def _plain(self, node: Node, operands: Sequence[Node]) -> TimesDeviation:
        return TimesDeviation(1, 0, (), with_operands(node, operands) if operands else node, node.shape)

    def _whole(self, found: TimesDeviation) -> Node:
        """The product in full."""
        parts: list[Node] = [] if found.core is None else [found.core]
        if found.power:
            sigma = _along(self.deviation, found.shape, found.axes)
            parts.insert(0, sigma if found.power == 1 else elementwise("pow", sigma, number(found.power)))
        if found.coefficient != 1 or not parts:
            parts.insert(0, as_node(sympy.sympify(found.coefficient)))
        value = parts[0] if len(parts) == 1 else elementwise("mul", *parts)
        return value if value.rank == len(found.shape) or value.rank else fill(value, found.shape)

    def _common(self, below: Sequence[TimesDeviation], rank: int) -> tuple[int, ...] | None:
        """Where σ stands in all operands of an elementwise operation; None where they differ."""
        axes = {tuple(a + rank - len(b.shape) for a in b.axes) for b in below if b.power}
        return (axes or {()}).pop() if len(axes) < 2 else None

    def _product(self, node: Node, below: Sequence[TimesDeviation]) -> TimesDeviation | None:
        axes = self._common(below, node.rank)
        if axes is None:
            return None
        cores = [b.core for b in below if b.core is not None]
        core = None if not cores else cores[0] if len(cores) == 1 else elementwise("mul", *cores)
        coefficient = sympy.prod([b.coefficient for b in below])
        return TimesDeviation(coefficient, sum(b.power for b in below), axes, core, node.shape)

    def _power(self, node: Node, below: Sequence[TimesDeviation]) -> TimesDeviation | None:
        base, exponent = below[0], number_of(node.operands[1])
        if exponent is None or base.core is not None:
            return None
        return TimesDeviation(base.coefficient**exponent, base.power * exponent, base.axes, None, node.shape)

    def _expanded(self, node: Any, below: Sequence[TimesDeviation]) -> TimesDeviation | None:
        (x,) = below
        axes = tuple(node.axes[a] for a in x.axes)
        core = None if x.core is None else x.core if not x.core.rank else with_operands(node, [x.core])
        return TimesDeviation(x.coefficient, x.power, axes, core, node.shape)

    def _sum(self, node: Node, below: Sequence[TimesDeviation]) -> TimesDeviation | None:
        axes, powers = self._common(below, node.rank), {b.power for b in below}
        if axes is None or len(powers) > 1 or not any(powers):
            return None
        terms = [self._whole(b._replace(power=sympy.S.Zero)) for b in below]
        return TimesDeviation(1, powers.pop(), axes, elementwise("add", *terms), node.shape)

    def _contraction(self, node: Any, below: Sequence[TimesDeviation]) -> TimesDeviation | None:
        """σ passes out of a contraction of which it has no axis that is summed."""
        where = {tuple(i[a] for a in b.axes) for i, b in zip(node.inputs, below, strict=True) if b.power}
        if len(where) > 1 or any(i not in node.output for indices in where for i in indices):
            return None
        axes = tuple(node.output.index(i) for i in (where or {()}).pop())
        cores = [fill(1, b.shape) if b.core is None else b.core for b in below]
        cores = [c if c.rank == len(b.shape) else fill(c, b.shape) for c, b in zip(cores, below, strict=True)]
        coefficient = sympy.prod([b.coefficient for b in below])
        return TimesDeviation(coefficient, sum(b.power for b in below), axes, with_operands(node, cores), node.shape)


_RULES: dict[str, Callable[[_DeviationsOut, Any, Sequence[TimesDeviation]], TimesDeviation | None]] = {
    "mul": _DeviationsOut._product,
    "pow": _DeviationsOut._power,
    "add": _DeviationsOut._sum,
    "expand": _DeviationsOut._expanded,
    "einsum": _DeviationsOut._contraction,
}
