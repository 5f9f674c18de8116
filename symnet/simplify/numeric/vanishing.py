"""What is 0 where a sum of squares is 0: the same elements, by the axes along which both stand.

In: a product's operands, each *located*: the node, with the axis of the product that each of its axes runs along.
Out: whether a factor, or a product of some, vanishes at every element of the product at which the sum of squares does.
x[i]·y[j]/(Σⱼ y[j]²) does; x[j, i]²/(x[i, j]² + y[i, j]²) does not, though x stands in both.
An axis of a factor that runs along no axis of the product is `APART`; one over which squares are summed, `EVERY`: the
sum is 0 only where all along it is.
Not handled: a slice that does not begin at 0 and a reshape, which are apart along what they move.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.movement import Place, Slice
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.forms.coefficients import negated, split_coefficient
from symnet.simplify.forms.factors import split_power
from symnet.simplify.forms.signs import is_positive

APART, EVERY = -1, -2
DEEPEST = 6  # how far below a product its factors are looked for


class Located(NamedTuple):
    """A node, and for each of its axes the axis of the product that it runs along, `APART` or `EVERY`."""

    node: Node
    places: Axes

    @property
    def is_aligned(self) -> bool:
        """Whether every axis runs along one of the product."""
        return APART not in self.places


def located(node: Node) -> Located:
    """The product itself."""
    return Located(node, tuple(range(node.rank)))


def operands_at(x: Located, summed: int = APART) -> list[Located]:
    """The operands of a node where they stand; `summed` is where the axes stand that a contraction sums over."""
    node, places = x
    if isinstance(node, Expand):
        return [Located(node.operands[0], tuple(places[a] for a in node.axes))]
    if isinstance(node, Einsum):
        of = dict(zip(node.output, places, strict=True))
        inputs = zip(node.operands, node.inputs, strict=True)
        return [Located(o, tuple(of.get(i, summed) for i in indices)) for o, indices in inputs]
    if isinstance(node, Slice | Place):
        moves = zip(places, node.starts, node.steps, strict=True)
        return [Located(node.operands[0], tuple(p if start == 0 and step == 1 else APART for p, start, step in moves))]
    if node.kind != "elementwise":
        return [Located(o, (APART,) * o.rank) for o in node.operands]
    return [Located(o, tuple(places[node.rank - o.rank :])) for o in node.operands]


def core_at(x: Located) -> Located:
    """A value without its repetition."""
    return operands_at(x)[0] if isinstance(x.node, Expand) else x


def factors_at(x: Located) -> list[Located]:
    """The factors of a product, or the node itself."""
    return operands_at(x) if is_op(x.node, "mul") else [x]


def squares_at(total: Located) -> Iterator[frozenset[Located]]:
    """The bases whose product is 0 where a term is, for each term of a sum that is 0 only where all its terms are."""
    terms = operands_at(total) if is_op(total.node, "add") else [total]
    if not all(known(term.node, "nonnegative") for term in terms):
        return
    for term in terms:
        inside = operands_at(term, EVERY) if isinstance(term.node, Einsum) else [term]
        if len(inside) == 1:
            powers = [_power(f) for f in factors_at(inside[0]) if number_of(f.node) is None]
            if powers and all(is_positive(e) for _, e in powers):
                yield frozenset(base for base, _ in powers)


def _power(x: Located) -> tuple[Located, Expr | Node]:
    """The base, where it stands, and the exponent."""
    base, exponent = split_power(x.node)
    return Located(base, x.places[len(x.places) - base.rank :]), exponent


def vanish_with(factors: Iterable[Located], bases: frozenset[Located], depth: int = DEEPEST) -> bool:
    """Whether a product is 0 wherever the product of the bases is."""
    factors = list(factors)
    inside = [base for base, e in map(_power, factors) if is_positive(e)]
    if all(any(_same(x, base) for x in inside) for base in bases):
        return True
    return any(_vanishes_with(f, bases, depth) for f in factors)


def vanish_twice(factors: Iterable[Located], bases: frozenset[Located]) -> bool:
    """Whether a product is 0 of second order wherever the product of the bases is 0."""
    order = 0
    for factor in factors:
        node = factor.node
        outer = isinstance(node, Einsum) and sum(map(len, node.inputs)) == len(node.output)
        for part in operands_at(factor) if outer else [factor]:
            base, exponent = _power(part)
            if is_positive(exponent) and vanish_with([base], bases):
                order += 1 if isinstance(exponent, Node) or exponent < 2 else 2
    return order > 1


def _same(x: Located, base: Located) -> bool:
    """Whether x is the base or its negative, at the same elements."""
    if _unsigned(x.node) is not _unsigned(base.node):
        return False
    where = zip(x.places, base.places, x.node.shape, strict=True)
    return all(theirs == EVERY or extent == 1 or mine == theirs != APART for mine, theirs, extent in where)


def _unsigned(x: Node) -> Node:
    """x or -x, the same for both, so that they compare as equal."""
    return min(x, negated(x), key=lambda node: node.digest) if number_of(x) is None else x


def _vanishes_with(x: Located, bases: frozenset[Located], depth: int) -> bool:
    if not depth:
        return False
    node, below = x.node, depth - 1
    if is_op(node, "mul"):
        return vanish_with(operands_at(x), bases, below)
    if isinstance(node, Einsum | Expand | Slice | Place) or node.kind == "reshape":
        return any(vanish_with([o], bases, below) for o in operands_at(x))
    if is_op(node, "add"):
        return all(vanish_with([o], bases, below) for o in _without(x, bases))
    return False


def _without(total: Located, bases: frozenset[Located]) -> list[Located]:
    """The terms of a sum, without those that together are a multiple of the one base."""
    operands = operands_at(total)
    (base, *others) = bases
    inner = operands_at(base) if is_op(base.node, "add") and not others else []
    terms = {split_coefficient(o.node)[1]: o for o in operands}
    ratios = {_ratio(terms.get(split_coefficient(each.node)[1]), each) for each in inner}
    if len(ratios) != 1 or None in ratios:
        return operands
    gone = {split_coefficient(each.node)[1] for each in inner}
    return [o for f, o in terms.items() if f not in gone]


def _ratio(term: Located | None, inner: Located) -> Expr | None:
    """How many times a term of a base this term is; None where it is none, or stands elsewhere."""
    if term is None or not _same(Located(inner.node, term.places), inner):
        return None
    return split_coefficient(term.node)[0] / split_coefficient(inner.node)[0]
