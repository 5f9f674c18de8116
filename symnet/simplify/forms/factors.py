"""Products as data: a coefficient and powers of cores.

In: a node.  Out: `Factors` — coefficient × Π base^exponent, each base a core with the axes of the result along which
it varies — and back (`build`).  This is the canonical product: nested products, repetitions and outer products are
seen through, equal bases are collected, numbers are folded exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy
from sympy import Expr, Float

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import Number, Size, is_product_of_roots, number, number_of, power_of_number
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Axes, Node, Shape, kept_on_node
from symnet.simplify.forms.broadcast import core_of, cover, restrict, spread, trailing
from symnet.simplify.forms.coefficients import (
    ONE,
    content,
    divided,
    has_both_signs,
    is_beyond_float64,
    is_finite,
    is_small,
    may_join,
    may_join_reciprocal,
    rounded_once,
)
from symnet.simplify.forms.order import OrderKey, product_key
from symnet.simplify.forms.signs import is_whole

Base = tuple[Node, Axes]
HIGHEST = 2  # a product of variables to a higher power stays closed: (x·y)⁴⁰ is 1 where x⁴⁰ is ∞ and y⁴⁰ is 0
MANY = 12  # a product of more factors than this stays closed inside another: it bounds the work per node
LARGEST_POWER = 512  # of an exact number that is written out


def split_power(node: Node) -> tuple[Node, Expr | Node]:
    """base and exponent; a node that is no power has exponent 1."""
    if not is_op(node, "pow"):
        return node, ONE
    base, exponent = node.operands
    if exponent.kind == "expand" and not exponent.operands[0].rank:
        exponent = exponent.operands[0]
    value = number_of(exponent)
    return base, (exponent if value is None else value)


def power_of(base: Node, exponent: Expr | Node) -> Node:
    """base ** exponent, the base itself for 1."""
    if isinstance(exponent, Node):
        return elementwise("pow", base, exponent)
    return base if exponent == 1 else elementwise("pow", base, number(exponent))


def add_exponents(a: Expr | Node, b: Expr | Node) -> Expr | Node:
    """The sum of two exponents; numbers when both are."""
    if isinstance(a, Node) or isinstance(b, Node):
        if a == 0:
            return b
        if b == 0:
            return a
        return elementwise("add", _as_node(a), _as_node(b))
    return a + b


def _as_node(exponent: Expr | Node) -> Node:
    return exponent if isinstance(exponent, Node) else number(exponent)


class Factors:
    """coefficient × Π base^exponent over a result of `shape`."""

    __slots__ = ("coefficient", "powers", "shape")

    def __init__(self, shape: Shape, coefficient: Expr = ONE) -> None:
        self.shape = shape
        self.coefficient = coefficient
        self.powers: dict[Base, Expr | Node] = {}

    @classmethod
    def of(cls, node: Node) -> Factors:
        """The factors of a node, products inside it opened."""
        return cls.view(node).copy()

    @staticmethod
    def view(node: Node) -> Factors:
        """As `of`, to look at and not to change: the rewrites of one node ask for its factors one after another."""
        if is_op(node, "mul"):
            return _factors_of_product(node)
        return Factors(node.shape).times(node, trailing(node.rank, node.rank))

    def times(self, node: Node, axes: Axes, exponent: Expr | Node = ONE) -> Factors:
        """Multiply by node^exponent, the node's axes standing at `axes` of the result."""
        stack: list[tuple[Node, Axes, Expr | Node]] = [(node, axes, exponent)]
        while stack:
            each, places, power = stack.pop()
            core, places = core_of(each, places, self.shape)
            opens = _OPEN.get(core.op if core.kind == "elementwise" else core.kind)
            opened = None if opens is None else opens(core, places, power, len(self.shape))
            if opened is None or len(opened) > MANY or not self._holds(opened):
                self._multiply(core, places, power)
            else:
                stack.extend(reversed(opened))
        return self

    def _holds(self, opened: list[tuple[Node, Axes, Expr | Node]]) -> bool:
        """Whether the number among these factors, to its power, may join the one in front."""
        core, _, exponent = opened[0]
        value = number_of(core)
        if value is None or isinstance(exponent, Node) or not is_finite(value):
            return True
        if exponent == 1:
            return may_join(self.coefficient, value)
        if exponent == -1 and may_join_reciprocal(self.coefficient, value):
            return True
        if not abs(exponent) <= LARGEST_POWER or (value.has(Float) and not is_beyond_float64(value)):
            return False  # a rounded number costs digits, and an exact one grows long
        folded = power_of_number(value, exponent)
        return is_small(folded) if folded.is_Rational else bool(folded.is_real)

    def _multiply(self, core: Node, axes: Axes, exponent: Expr | Node) -> None:
        value = number_of(core)
        if value is not None and not isinstance(exponent, Node):
            folded = value if exponent is ONE else power_of_number(value, exponent)
            if is_product_of_roots(folded) or (folded.is_real and folded.is_finite):
                signed = self.coefficient in (1, -1) or folded in (1, -1)  # a sign makes no number longer
                self.coefficient = self.coefficient * folded if signed else rounded_once(self.coefficient * folded)
                return
        key = (core, axes)
        held = self.powers.get(key)
        total = exponent if held is None else add_exponents(held, exponent)
        if not isinstance(total, Node) and total == 0:
            self.powers.pop(key, None)
        else:
            self.powers[key] = total

    def copy(self) -> Factors:
        twin = Factors(self.shape, self.coefficient)
        twin.powers = dict(self.powers)
        return twin

    def primitive(self) -> Factors:
        """Take numbers and signs out of sums, (2·b - 2·a)·x → -2·(a - b)·x: the sign stands in front.

        A sum with nothing but a number beside it keeps its sign, as a sum alone does: 2·(b - a).
        """
        alone = len(self.powers) == 1
        for (core, axes), exponent in list(self.powers.items()):
            if not is_op(core, "add") or not is_whole(exponent):
                continue
            size = content(core)
            if alone and exponent == 1 and has_both_signs(core):
                size = abs(size) if self.coefficient > 0 else -abs(size)
            if size != 1 and (may_join(self.coefficient, size) if exponent == 1 else is_small(size**exponent)):
                del self.powers[(core, axes)]
                self.coefficient *= size**exponent
                self.times(divided(core, size), axes, exponent)
        return self

    def placed(self, base: Base) -> Base:
        """The base and its axes as its power stands: an array of exponents varies along every axis of the result."""
        core, axes = base
        exponent = self.powers[base]
        if isinstance(exponent, Node) and exponent.rank:
            return spread(core, axes, self.shape), trailing(len(self.shape), len(self.shape))
        return base

    def build(self) -> Node:
        """The product node, of exactly `shape`."""
        if self.coefficient == 0:
            return cover(number(0), (), self.shape)
        scalars, groups = self._grouped()
        heads = [*([] if self.coefficient == 1 else [number(self.coefficient)]), *scalars]
        if not groups:
            return cover(_product(heads), (), self.shape)
        live = tuple(sorted(set().union(*(axes for axes, _ in groups))))
        inner = tuple(self.shape[a] for a in live)
        body = _body([(restrict(axes, live), factors) for axes, factors in groups], inner)
        if len(live) == len(self.shape):
            return broadcast_to(_product([*heads, *body]), self.shape)
        return _product([*heads, cover(_product(body), live, self.shape)])

    def _grouped(self) -> tuple[list[Node], list[tuple[Axes, list[Node]]]]:
        """Scalars, and the other factors by the axes they vary along."""
        by_axes: dict[Axes, list[tuple[Node, Expr | Node]]] = {}
        for base in self.powers:
            core, axes = self.placed(base)
            by_axes.setdefault(axes, []).append((core, self.powers[base]))
        ordered = {axes: _ordered(members) for axes, members in by_axes.items()}
        scalars = ordered.pop((), [])
        return scalars, sorted(ordered.items(), key=lambda item: (len(item[0]), item[0]))


def distributed(factors: Factors, base: Base, others: Sequence[Base], primitive: bool = False) -> Node:
    """The product with some of its factors taken into the terms of a sum.

    Args:
        factors: the product.
        base: the sum, one of its factors, to the power 1.
        others: the factors to take in.
        primitive: take numbers and signs out of the sums within each new term, as `Factors.primitive` does.
    """
    core, axes = base
    rest = factors.copy()
    for each in (base, *others):
        del rest.powers[each]
    terms = []
    for operand in core.operands:
        term = Factors(factors.shape).times(operand, axes[len(axes) - operand.rank :])
        for each in others:
            term.times(*each, factors.powers[each])
        terms.append((term.primitive() if primitive else term).build())
    total = elementwise("add", *terms)
    return rest.times(total, trailing(total.rank, len(factors.shape))).build()


def _ordered(members: list[tuple[Node, Expr | Node]]) -> list[Node]:
    return [power_of(core, e) for core, e in sorted(members, key=_reading_order)]


def _reading_order(member: tuple[Node, Expr | Node]) -> OrderKey:
    """The order of a factor in a product: that of its base; a power with an array of exponents, which is not opened
    everywhere, counts as the node that it is.
    """
    core, exponent = member
    return product_key(power_of(core, exponent) if isinstance(exponent, Node) and exponent.rank else core)


def _product(factors: list[Node]) -> Node:
    if not factors:
        return number(1)
    return factors[0] if len(factors) == 1 else elementwise("mul", *factors)


def _body(groups: list[tuple[Axes, list[Node]]], shape: Shape) -> list[Node]:
    """The array factors: those of full rank flat, the others computed at their own size; or an outer product."""
    full = tuple(range(len(shape)))
    flat = [f for axes, factors in groups if axes == full for f in factors]
    partial = [(axes, _product(factors)) for axes, factors in groups if axes != full]
    if not flat:
        partial.sort(key=lambda part: part[0])
        return [contract([axes for axes, _ in partial], full, *(core for _, core in partial))]
    spreads = [spread(core, axes, shape) for axes, core in partial]
    return sorted(spreads, key=product_key) + flat


@kept_on_node
def _factors_of_product(node: Node) -> Factors:
    factors = Factors(node.shape)
    for operand in sorted(node.operands, key=lambda o: number_of(o) is None):  # a number decides what may join it
        factors.times(operand, trailing(operand.rank, node.rank))
    return factors


# --------------------------------------------------------------------------- what may be opened, and how

Opened = list[tuple[Node, Axes, "Expr | Node"]] | None


def _open_mul(core: Node, axes: Axes, exponent: Expr | Node, rank: int) -> Opened:
    """(xy)^e = x^e·y^e: e an integer, or x and y not negative; of two variables only for a power that is not high."""
    if not isinstance(exponent, Node) and exponent.is_finite and abs(exponent) > HIGHEST and _several_vary(core):
        return None
    if not is_whole(exponent) and not all(known(o, "nonnegative") for o in core.operands):
        return None
    return [(o, axes[len(axes) - o.rank :], exponent) for o in core.operands]


def _several_vary(product: Node) -> bool:
    """Whether more than one factor is no number, so that one may bring back what the other takes out of range."""
    return sum(number_of(o) is None for o in product.operands) > 1


def _open_pow(core: Node, axes: Axes, exponent: Expr | Node, rank: int) -> Opened:
    """(x^a)^e = x^(a·e): e an integer, or x positive."""
    base, inner = split_power(core)
    if isinstance(inner, Node) and inner.rank and len(axes) < rank:
        return None  # an array of exponents stands on the axes of the whole product only
    if not is_whole(exponent) and not known(base, "positive"):
        return None
    return [(base, axes[len(axes) - base.rank :], _times(inner, exponent))]


def _times(a: Expr | Node, b: Expr | Node) -> Expr | Node:
    if a is ONE:
        return b
    if isinstance(a, Node) or isinstance(b, Node):
        if a == 1:
            return b
        if b == 1:
            return a
        return elementwise("mul", _as_node(a), _as_node(b))
    return a * b


def _open_outer(core: Node, axes: Axes, exponent: Expr | Node, rank: int) -> Opened:
    """An outer product is a product: x[i]·y[j]."""
    assert isinstance(core, Einsum)
    place = dict(zip(core.output, axes, strict=True))
    for indices in core.inputs:
        if list(indices) != sorted(set(indices), key=lambda i: place.get(i, -1)) or not place.keys() >= set(indices):
            return None
    if len(core.operands) == 1 or not is_whole(exponent):
        return None
    return [
        (o, tuple(place[i] for i in indices), exponent) for o, indices in zip(core.operands, core.inputs, strict=True)
    ]


def _open_size(core: Node, axes: Axes, exponent: Expr | Node, rank: int) -> Opened:
    """The extent 10·m is the number 10 times the extent m."""
    assert isinstance(core, Size)
    parts = sympy.Mul.make_args(core.extent)
    if len(parts) == 1 and not parts[0].is_Pow:
        return None
    opened: list[tuple[Node, Axes, Expr | Node]] = []
    for part in parts:
        base, power = part.as_base_exp()
        opened.append((Number(base) if base.is_number else Size(base), axes, _times(power, exponent)))
    return opened


_OPEN: dict[str, Callable[[Node, Axes, Expr | Node, int], Opened]] = {
    "mul": _open_mul,
    "pow": _open_pow,
    "einsum": _open_outer,
    "size": _open_size,
}
