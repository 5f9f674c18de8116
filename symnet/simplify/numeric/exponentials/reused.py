"""Values of products and sums of exponentials by the relative exponentials that were made before.

In: a value that is taken apart (`mantissas.py`), and an exponent that it is multiplied by.  Out: the value, where the
exponent of every term is a sum of exponents that exp(s - N) was made of before (`largest.py`): no largest exponent is
asked for then, and no exponential.  In p[k]·Σ over i of exp(u[i, k])/Σ over k of p[k]·exp(u[i, k]), p = softmax(w), the
exponent of p goes into the sum over i, and there the product is the divisor's exp(w[k] + u[i, k] - N[i]).
Every such factor lies in [0, 1], so that nothing overflows, and a term that vanishes is as small as that.
Not handled: divisors and operands of logarithms, which must not vanish (they keep their own largest); functions other
than exponentials are taken as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.extents import same_extent
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Axes, Node, Shape
from symnet.simplify.forms.broadcast import core_of, trailing
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.terms import CoresAlongAxes, Terms
from symnet.simplify.numeric.exponentials.largest import Largest, ScaleKey, key_of
from symnet.simplify.numeric.exponentials.mantissas import TAKEN_APART
from symnet.simplify.numeric.exponentials.scaled_contractions import attached, contraction_of
from symnet.simplify.numeric.exponentials.shifts import (
    Placed,
    Scaled,
    added,
    copied,
    over_places,
    placed,
    placed_product,
)

WAYS = 4  # in which an exponent is made of what there is, that are tried
DEEP = 64  # values inside values that are gone through

ValueRequest = tuple[Node, Terms, frozenset[Base]]  # a value, the exponent that it is multiplied by, and what besides
Question = tuple[Node, ScaleKey, frozenset[Base]]
Steps = Generator[ValueRequest, Node | None, Node | None]


@dataclass
class Reused:
    """Makes values of the relative exponentials that were made before.

    Attributes:
        scaled, plain: every value taken apart, and as it is computed where it is not.
        largest: the relative exponentials that were made.
        sums, exact: the values that hold sums, and those of which it matters where they vanish.
        stands_apart: whether a factor of a product is to stay as it is.
    """

    scaled: Mapping[Node, Scaled]
    plain: Mapping[Node, Node]
    largest: Largest
    sums: set[Node]
    exact: set[Node]
    stands_apart: Callable[[Node, Node], bool]
    _made: dict[Question, Node] = field(default_factory=dict)

    def value(self, node: Node) -> Node | None:
        """The value by what was made before, if that suffices."""
        failed: set[Question] = set()
        first = node, Terms(node.shape), frozenset[Base]()
        stack = [(_question(first), self._steps(*first))]
        answer: Node | None = None
        while stack:
            question, steps = stack[-1]
            try:
                asked = steps.send(answer)
            except StopIteration as end:
                stack.pop()
                answer = end.value
                if answer is None:
                    failed.add(question)
                else:
                    self._made[question] = answer
                continue
            question = _question(asked)
            answer = self._made.get(question)
            if answer is None and question not in failed and len(stack) < DEEP:
                stack.append((question, self._steps(*asked)))
        return answer

    def _steps(self, node: Node, outer: Terms, beside: frozenset[Base]) -> Steps:
        """The value times exp(outer), asking for the values of its parts."""
        found = self._by_own(node, outer, beside) if node in self.exact else None
        if found is None and node in self.sums:
            found = yield from self._by_parts(node, outer, beside)
        return self._by_own(node, outer, beside) if found is None and node not in self.exact else found

    def _by_own(self, node: Node, outer: Terms, beside: frozenset[Base]) -> Node | None:
        whole = self.scaled.get(node) or Scaled(self.plain[node], Terms(node.shape))
        full = trailing(node.rank, node.rank)
        total = added(copied(outer), whole.shift)
        made = self.largest.made_of(total, _factors([(whole.mantissa, full)], beside, node.shape))
        return None if made is None else placed_product([(whole.mantissa, full), *made], full, node.shape)

    def _by_parts(self, node: Node, outer: Terms, beside: frozenset[Base]) -> Steps:
        if isinstance(node, Einsum):
            return (yield from self._of_contraction(node, outer, beside))
        if is_op(node, "add"):
            return (yield from self._of_sum(node, outer, beside))
        if isinstance(node, Expand):
            return (yield from self._of_product(node, [(node.operands[0], node.axes)], outer, beside))
        if is_op(node, "mul"):
            operands = [(o, trailing(o.rank, node.rank)) for o in node.operands]
            return (yield from self._of_product(node, operands, outer, beside))
        return None

    def _of_product(self, node: Node, operands: list[Placed], outer: Terms, beside: frozenset[Base]) -> Steps:
        found = yield from self._of_factors(node, operands, outer, beside)
        full = trailing(node.rank, node.rank)
        return None if found is None else placed_product([*found[0], *found[1]], full, node.shape)

    def _of_sum(self, node: Node, outer: Terms, beside: frozenset[Base]) -> Steps:
        terms = []
        for each in node.operands:
            term = yield from self._of_product(node, [(each, trailing(each.rank, node.rank))], outer, beside)
            if term is None:
                return None
            terms.append(term)
        return with_operands(node, terms)

    def _of_contraction(self, node: Einsum, outer: Terms, beside: frozenset[Base]) -> Steps:
        order = _index_order(node)
        output = tuple(order.index(i) for i in node.output)
        operands = [(o, tuple(order.index(i) for i in own)) for o, own in zip(node.operands, node.inputs, strict=True)]
        total = placed(Terms(tuple(node.extents[i] for i in order)), outer, output)
        found = yield from self._of_factors(node, operands, total, _placed_bases(beside, output))
        if found is None:
            return None
        if not node.contracted:
            return placed_product([*found[0], *found[1]], output, node.shape)
        within = [(power, places) for power, places in found[1] if not set(places) <= set(output)]
        beyond = [(power, places) for power, places in found[1] if set(places) <= set(output)]
        whole = contraction_of(attached(found[0], within), output)
        return placed_product([(whole, output), *beyond], output, node.shape) if beyond else whole

    def _of_factors(
        self, node: Node, operands: list[Placed], outer: Terms, beside: frozenset[Base]
    ) -> Generator[ValueRequest, Node | None, tuple[list[Placed], list[Placed]] | None]:
        """The factors without their exponents, and what was made of these: the widest sum takes in what it may, or what
        is left by the exponentials beside it, or nothing.
        """
        sums = [k for k, (o, _) in enumerate(operands) if o in self.sums and not self.stands_apart(node, o)]
        inner = [k for k in sums if operands[k][0] not in self.exact]
        widest = max(inner, key=lambda k: len(_live(*operands[k], outer.shape)), default=None)
        alone: dict[int, Node] = {}
        for asked in dict.fromkeys((tuple(inner), tuple(sums))):
            for k in asked:
                if k != widest and k not in alone:
                    value = yield operands[k][0], Terms(operands[k][0].shape), frozenset[Base]()
                    alone |= {} if value is None else {k: value}
            for into, goes in dict.fromkeys(((widest, True), (widest, False), (None, False))):
                found = yield from self._attempt(node, operands, outer, beside, alone, into, goes)
                if found is not None:
                    return found
        return None

    def _attempt(
        self,
        node: Node,
        operands: list[Placed],
        outer: Terms,
        beside: frozenset[Base],
        alone: dict[int, Node],
        into: int | None,
        goes: bool,
    ) -> Generator[ValueRequest, Node | None, tuple[list[Placed], list[Placed]] | None]:
        """As `_of_factors`, in one way: factors known by themselves stand alone, one perhaps takes exponents in, and
        those of single exponentials go into it or not.
        """
        total, values, own = copied(outer), list[Placed](), set[CoresAlongAxes]()
        for k, (each, places) in enumerate(operands):
            value = alone.get(k)
            values.append((self._factor(node, each, total, places, k == into) if value is None else value, places))
            if not goes and each in self.scaled and is_op(each, *TAKEN_APART):
                own |= placed(Terms(outer.shape), self.scaled[each].shift, places).coefficients.keys()
        known = _factors([v for k, v in enumerate(values) if k != into], beside, outer.shape)
        if into is None:
            found = self.largest.made_of(total, known)
            return None if found is None else (values, found)
        each, places = operands[into]
        live = _live(each, places, outer.shape)
        inside = frozenset(
            (core, tuple(places.index(a) for a in axes)) for core, axes in self.largest.guards(known, live)
        )
        ways = self.largest.ways(total, known, lambda k: k not in own and live.issuperset(k[1]))
        for powers, rest in islice(ways, WAYS):
            value = yield each, over_places(rest, places), inside
            if value is not None:
                values[into] = value, places
                return values, powers
        return None

    def _factor(self, node: Node, each: Node, total: Terms, places: Axes, waits: bool) -> Node:
        whole = self.scaled.get(each)
        if whole is None or waits or self.stands_apart(node, each):
            return self.plain[each]
        placed(total, whole.shift, places)
        return whole.mantissa


def _question(asked: ValueRequest) -> Question:
    node, outer, beside = asked
    return node, key_of(outer), beside


def _factors(values: list[Placed], beside: frozenset[Base], shape: Shape) -> Factors:
    whole = Factors(shape)
    for value, places in (*values, *beside):
        whole.times(value, places)
    return whole


def _placed_bases(bases: frozenset[Base], places: Axes) -> frozenset[Base]:
    return frozenset((core, tuple(places[a] for a in axes)) for core, axes in bases)


def _index_order(node: Einsum) -> Axes:
    """The indices in an order in which the axes of as many operands as can be stand: no exponent is transposed."""
    left = list(dict.fromkeys((*(i for own in node.inputs for i in own), *node.output)))
    order: list[int] = []
    while left:
        later = {i for own in (*node.inputs, node.output) for i in [j for j in own if j in left][1:]}
        order.append(next((i for i in left if i not in later), left[0]))
        left.remove(order[-1])
    return tuple(order)


def _live(x: Node, places: Axes, shape: Shape) -> set[int]:
    """The axes of the whole along which a factor varies: exponents that vary along these alone may go into it."""
    core, axes = core_of(x, places, shape)
    return {a for a, n in zip(axes, core.shape, strict=True) if same_extent(n, shape[a])}
