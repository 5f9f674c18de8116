"""Formulas with one mistake in them: what a slip of the pen makes of a formula.

In: a formula.  Out: `Slip`s: the formula with a factor, a term or a function lost, a sign turned, a power off by one, a
matrix transposed, two matrices in the other order; each knows what was changed.  Applied to the true gradient they are
mistakes that somebody may have made; applied to what somebody wrote they are what he should have written.
Not handled: two slips at once, but for two factors of one product.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from symnet import dtypes
from symnet.diff.elementwise import slope
from symnet.errors import SymnetError
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import Elementwise, elementwise, exp, is_op, negative, power, reciprocal
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import substitute, topological, with_operands
from symnet.expr.nodes.linalg import inv
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node

MOST_NODES = 80  # of a formula in which slips are looked for
_LINEAR = frozenset({"add", "mul", "pow", "where"})  # primitives that no one forgets as a function


class Slip(NamedTuple):
    """One change of a formula.

    Attributes:
        kind: "factor", "term", "sign", "part", "number" (a factor in the argument of a function), or "slope" (a
            function in the place of its derivative).
        place: the sum or product in which it happened.
        before: the factor, term or part as it was.
        after: what a part became; None where something was dropped or its sign turned.
        whole: the formula with the change.
    """

    kind: str
    place: Node
    before: Node
    after: Node | None
    whole: Node


def slips(formula: Node) -> Iterator[Slip]:
    """Every change of one place: first with all its occurrences, then one occurrence at a time."""
    order = topological(formula)
    if len(order) > MOST_NODES:
        return
    users = [(user, k) for user in order for k in range(len(user.operands))]
    leaves = [node for node in order if node.kind == "tensor"]
    for node in reversed(order):
        for kind, before, after, new in _at(node):
            yield Slip(kind, node, before, after, _replaced(formula, node, new))
    for user, k in reversed(users):
        node = user.operands[k]
        if sum(o is node for other in order for o in other.operands) > 1:
            for kind, before, after, new in _at(node):
                yield Slip(kind, node, before, after, _replaced(formula, user, _with_operand(user, k, new)))
        for other in leaves if node.kind == "tensor" else []:
            if other is not node and other.dtype == node.dtype and same_shape(other.shape, node.shape):
                yield Slip("part", node, node, other, _replaced(formula, user, _with_operand(user, k, other)))


def _with_operand(user: Node, k: int, new: Node) -> Node:
    return with_operands(user, [*user.operands[:k], new, *user.operands[k + 1 :]])


def _replaced(formula: Node, node: Node, new: Node) -> Node:
    (whole,) = substitute([formula], {node: new})
    return whole


Change = tuple[str, Node, Node | None, Node]  # (kind, before, after, the node with the change)


def _at(node: Node) -> Iterator[Change]:
    """The changes of one node, each a node of the same shape."""
    if is_op(node, "mul"):
        yield from _lost_factors(node)
    elif isinstance(node, Einsum):
        yield from _lost_operands(node)
        yield from _transposed(node)
        yield from _swapped(node)
    elif is_op(node, "add"):
        yield from _terms(node)
    elif is_op(node, "pow"):
        yield from _powers(node)
    elif node.kind == "elementwise" and str(node.args[0]) not in _LINEAR:
        yield from _functions(node)


def _lost_factors(node: Node) -> Iterator[Change]:
    places = [k for k, o in enumerate(node.operands) if number_of(o) is None]
    for count in (1, 2):
        for lost in combinations(places, count):
            rest = [o for k, o in enumerate(node.operands) if k not in lost]
            if rest:
                kept = elementwise("mul", *rest) if len(rest) > 1 else rest[0]
                before = [node.operands[k] for k in lost]
                said = elementwise("mul", *before) if count == 2 else _unrepeated(before[0])
                yield "factor", said, None, broadcast_to(kept, node.shape)


def _lost_operands(node: Einsum) -> Iterator[Change]:
    for k, factor in enumerate(node.operands):
        inputs = [indices for j, indices in enumerate(node.inputs) if j != k]
        operands = [o for j, o in enumerate(node.operands) if j != k]
        if operands and set(node.output) <= {i for indices in inputs for i in indices}:
            yield "factor", factor, None, contract(inputs, node.output, *operands)


def _transposed(node: Einsum) -> Iterator[Change]:
    """A square matrix the other way round: its indices change places."""
    if len(node.operands) < 2 and not node.is_transpose:
        return
    for k, (indices, operand) in enumerate(zip(node.inputs, node.operands, strict=True)):
        if operand.rank == 2 and same_shape(operand.shape, operand.shape[::-1]) and len(set(indices)) == 2:
            inputs = [i[::-1] if j == k else i for j, i in enumerate(node.inputs)]
            after = contract(inputs, node.output, *node.operands)
            yield "part", node, after, after


def _swapped(node: Einsum) -> Iterator[Change]:
    """Two square matrices of a product in the other order, also where one of them stands in an inner product."""
    for a, b in combinations([o for o in node.operands if o.rank == 2], 2):
        if same_shape(a.shape, b.shape):
            after = with_operands(node, [b if o is a else a if o is b else o for o in node.operands])
            yield "part", node, after, after
            if len(node.operands) == 2 and same_shape(a.shape, a.shape[::-1]):
                for first, second in ((_turned(b), a), (b, _turned(a)), (_turned(b), _turned(a))):
                    turned = with_operands(node, [second if o is b else first for o in node.operands])
                    yield "part", node, turned, turned
    for inner in [o for o in node.operands if isinstance(o, Einsum)]:
        pairs = [(a, b) for a in node.operands for b in inner.operands if a is not inner and a is not b]
        for a, b in pairs:
            if a.rank == b.rank == 2 and same_shape(a.shape, b.shape):
                changed = with_operands(inner, [a if o is b else o for o in inner.operands])
                after = with_operands(node, [b if o is a else changed if o is inner else o for o in node.operands])
                yield "part", node, after, after


def _turned(node: Node) -> Node:
    return node.operands[0] if isinstance(node, Einsum) and node.is_transpose else node.T


def _terms(node: Node) -> Iterator[Change]:
    for k, term in enumerate(node.operands):
        rest = [*node.operands[:k], *node.operands[k + 1 :]]
        kept = elementwise("add", *rest) if len(rest) > 1 else rest[0]
        if same_shape(kept.shape, node.shape):
            yield "term", term, None, kept
        turned = with_operands(node, [*node.operands[:k], negative(term), *node.operands[k + 1 :]])
        yield "sign", term, None, turned


def _powers(node: Node) -> Iterator[Change]:
    base, exponent = node.operands
    p = number_of(exponent)
    for q in () if p is None else dict.fromkeys((p - 1, p + 1, -p, 2 * p, p / 2)):
        if q not in (0, p):
            after = base if q == 1 else power(base, number(q))
            yield "part", node, after, after


def _functions(node: Node) -> Iterator[Change]:
    """f(u) without the f; of exp(a + b) also exp(a) and exp(b)."""
    varying = [o for o in node.operands if number_of(_unrepeated(o)) is None]
    if len(varying) == 1 and varying[0].dtype == node.dtype and same_shape(varying[0].shape, node.shape):
        yield "part", node, varying[0], varying[0]
    if len(varying) == 1 and node.dtype in dtypes.REAL:
        yield from _scaled_argument(node)
        found = _slope(node)
        if found is not None and found is not node:
            yield "slope", node, found, broadcast_to(found, node.shape)
    if is_op(node, "exp") and is_op(node.operands[0], "add"):
        for term in node.operands[0].operands:
            rest = [o for o in node.operands[0].operands if o is not term]
            kept = exp(elementwise("add", *rest) if len(rest) > 1 else rest[0])
            yield "factor", _exponential(term), None, broadcast_to(kept, node.shape)


def _scaled_argument(node: Node) -> Iterator[Change]:
    """f(u) of f(2*u)."""
    inner = node.operands[0]
    numbers = [o for o in inner.operands if number_of(o) not in (None, -1)] if is_op(inner, "mul") else []
    for number_ in numbers:
        rest = [o for o in inner.operands if o is not number_]
        if rest and len(node.operands) == 1:
            kept = broadcast_to(elementwise("mul", *rest) if len(rest) > 1 else rest[0], inner.shape)
            yield "number", number_, None, with_operands(node, [kept])


def _slope(node: Node) -> Node | None:
    """f'(u) of f(u), the other operands being numbers; None where that is zero or has no rule."""
    varying = [k for k, o in enumerate(node.operands) if number_of(_unrepeated(o)) is None]
    if not isinstance(node, Elementwise) or len(varying) != 1:
        return None
    try:
        return slope(node, varying[0])
    except SymnetError:
        return None


def _exponential(term: Node) -> Node:
    """exp(term); for a term -logsumexp(x) it is 1/Σ exp(x)."""
    minus = is_op(term, "mul") and number_of(term.operands[0]) == -1 and len(term.operands) == 2
    value = _unrepeated(term.operands[1]) if minus else term
    if minus and value.kind == "reduce" and value.op == "logsumexp":
        return reciprocal(total(exp(value.operands[0]), axis=value.axes))
    return exp(term)


# --------------------------------------------------------------------------- products of the wrong kind


def matrix_operations(claim: Node) -> Iterator[tuple[Node, Node, Node]]:
    """(what stands there, what it may stand for, the claim with it): a*b for a @ b, 1/A for inv(A), A**2 for A @ A."""
    for node in topological(claim):
        for meant in _meant(node):
            try:
                yield node, meant, _rebuilt(claim, node, meant)
            except SymnetError:
                continue


def _meant(node: Node) -> Iterator[Node]:
    if is_op(node, "mul"):
        for places in combinations(range(len(node.operands)), 2):
            a, b = (_unrepeated(node.operands[k]) for k in places)
            others = [o for k, o in enumerate(node.operands) if k not in places]
            if a.rank and b.rank and not any(_unrepeated(o).rank for o in others):
                yield from (_scaled(p, others) for p in (_product(a, b), _product(b, a)) if p is not None)
    elif is_op(node, "pow") and node.rank == 2 and same_shape(node.shape, node.shape[::-1]):
        base, exponent = node.operands[0], number_of(node.operands[1])
        if exponent == -1:
            yield inv(base)
        elif exponent == 2:
            yield base @ base


def _product(a: Node, b: Node) -> Node | None:
    try:
        return a @ b
    except SymnetError:
        return None


def _scaled(product: Node, factors: list[Node]) -> Node:
    for factor in factors:
        product = _unrepeated(factor) * product
    return product


def _unrepeated(node: Node) -> Node:
    return node.operands[0] if node.kind == "expand" else node


def other_axes(claim: Node) -> Iterator[tuple[int, int, Node]]:
    """(axis, another, the claim with it), for sums over one axis of a matrix."""
    for node in topological(claim):
        if isinstance(node, Einsum) and node.is_sum and node.rank == 1 and node.operands[0].rank == 2:
            (indices,) = node.inputs
            axis = next(k for k, i in enumerate(indices) if i not in node.output)
            try:
                yield axis, 1 - axis, _rebuilt(claim, node, contract([indices], [indices[axis]], *node.operands))
            except SymnetError:
                continue


def _rebuilt(claim: Node, node: Node, product: Node) -> Node:
    """The claim over a value of another shape, where only elementwise operations follow."""
    new: dict[Node, Node] = {node: product}
    for user in topological(claim):
        if user not in new and any(o in new for o in user.operands):
            if user.kind != "elementwise":
                return claim
            new[user] = elementwise(str(user.args[0]), *(new.get(o, _unrepeated(o)) for o in user.operands))
    return new[claim]
