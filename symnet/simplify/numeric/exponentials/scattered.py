"""Exponentials beside what is added by index: exp(z) taken to where the divisor stands, at the index.

In: the slope of a log-sum-exp of exponentials that are taken by index, exp(z)·Σᵣ 1[i[r] = j]·w[r]/Σ exp(z[i[r]]).
Out: the same with exp(z[i[r]]) inside the sum by index, beside the divisor that keeps it finite.  Outside, all rows
would be relative to one largest exponent, beside which those of other rows vanish: there is none for each j.
Not handled: logarithms of what is added by index.
"""

from __future__ import annotations

from collections.abc import Iterator

from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.extents import same_shape, shape_arg
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.indexing import take
from symnet.expr.nodes.movement import Place, Reshape, Slice, broadcast_to, reshape
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.forms.broadcast import align, cover
from symnet.simplify.forms.coefficients import ONE, product, split_coefficient, sum_of_all
from symnet.simplify.forms.factors import split_power
from symnet.simplify.forms.signs import is_negative
from symnet.simplify.numeric.exponentials.mantissas import unmoved
from symnet.simplify.rewrite import Rewrite


def exponential_joins_what_is_added_by_index(node: Node) -> Node | None:
    """exp(z)·(one_hot(i).T @ (w/Σ exp(z[i]))) → one_hot(i).T @ (exp(z[i])·w/Σ exp(z[i])).

    Condition: the exponential varies along the axis that i is of; inside, something divides by exponentials of the same
    terms, moved or not.  What is added by index may be laid into zeros, turned or folded before it meets the
    exponential, which is then cut, turned or folded the other way.
    """
    for operand in node.operands:
        core, places = align(operand, node.shape)
        joining = _joining(core, places, node, operand)
        if joining:
            rest = [o for o in node.operands if o is not operand and o not in joining]
            new = _joined(core, places, product(ONE, tuple(joining)), node)
            return broadcast_to(product(ONE, (*rest, new)), node.shape)
    return None


def exponential_joins_terms_that_are_added_by_index(node: Node) -> Node | None:
    """exp(z)·(v·(one_hot(i).T @ (w/Σ exp(z[i]))) - y) → v·(one_hot(i).T @ (exp(z[i])·w/Σ exp(z[i]))) - exp(z)·y.

    Condition: as above.
    """
    for operand in node.operands:
        if not is_op(operand, "add") or operand.rank != node.rank:
            continue
        found: list[Node] = []
        for factor in (f for term in operand.operands for f in operands_of("mul", term)):
            found += (o for o in _joining(*align(factor, node.shape), node, operand) if o not in found)
        if found:
            terms = [_term_joined(term, found, node, operand) for term in operand.operands]
            rest = [o for o in node.operands if o is not operand and o not in found]
            return broadcast_to(product(ONE, (*rest, sum_of_all(terms))), node.shape)
    return None


def _term_joined(term: Node, found: list[Node], whole: Node, operand: Node) -> Node:
    """A term times the exponentials, each taken into a factor that is added by index if there is one."""
    factors, left = list(operands_of("mul", term)), list(found)
    for k, factor in enumerate(factors):
        core, places = align(factor, whole.shape)
        joining = [o for o in _joining(core, places, whole, operand) if o in left]
        if joining:
            factors[k] = _joined(core, places, product(ONE, tuple(joining)), whole)
            left = [o for o in left if o not in joining]
    return product(ONE, (*left, *factors))


def _joining(core: Node, places: Axes, whole: Node, operand: Node) -> list[Node]:
    """The exponentials of a product, an operand of it left out, that keep finite what is added by index."""
    total = _added_by_index(core)
    if total is None or (total is not core and len(places) < whole.rank):
        return []
    axis = places[total.output.index(_hot(total)[1][-1])] if total is core else None
    beside = [o for o in whole.operands if o is not operand and _exponents(o)]
    beside = [o for o in beside if axis is None or axis in align(o, whole.shape)[1]]
    divided = _divided_exponents(total) if beside else set()
    return [o for o in beside if _exponents(o) & divided]


# --------------------------------------------------------------------------- sums by index, and how they are moved


def _added_by_index(x: Node) -> Einsum | None:
    """The sum by index, of an index that `take` had, that is moved here by moves that the adjoints of moves are."""
    while _is_adjoint(x):
        x = x.operands[0]
    place = x.by_index if isinstance(x, Einsum) else None
    return x if place is not None and x.operands[place].wraps else None


def _is_adjoint(x: Node) -> bool:
    """Whether a move lays its operand among zeros, or moves every element of it."""
    if isinstance(x, Einsum):
        return x.is_transpose
    if isinstance(x, Slice):
        return same_shape(x.shape, x.operands[0].shape)
    return isinstance(x, (Place, Reshape))


def _hot(total: Einsum) -> tuple[Node, Axes]:
    """The index of a sum by index, and what its one-hot rows are indexed by."""
    place = total.by_index
    assert place is not None
    return total.operands[place].operands[0], tuple(total.inputs[place])


def _joined(core: Node, places: Axes, x: Node, whole: Node) -> Node:
    """x·core, x taken into the outermost move, or into the sum by index."""
    if not isinstance(core, Einsum) or core.is_transpose:
        x = broadcast_to(x, whole.shape)
        return with_operands(core, [elementwise("mul", _moved_back(core, x), core.operands[0])])
    index, (*rows, classes) = _hot(core)
    new = max(max(i, default=0) for i in core.inputs) + 1
    names = dict(zip(places, core.output, strict=True))
    output = tuple(names.get(a, new + a) for a in range(whole.rank))
    axis = output.index(classes)
    inner = (*output[:axis], *rows, *output[axis + 1 :])
    taken = take(broadcast_to(x, whole.shape), index, axis)
    assert core.by_index is not None
    others = [k for k in range(len(core.operands)) if k != core.by_index]
    indices = [core.inputs[k] for k in others]
    kept = tuple(i for i in inner if any(i in each for each in indices))
    rest = contract(indices, kept, *(core.operands[k] for k in others))
    beside = cover(rest, tuple(inner.index(i) for i in kept), taken.shape)
    return contract([(*rows, classes), inner], output, core.operands[core.by_index], elementwise("mul", taken, beside))


def _moved_back(move: Node, x: Node) -> Node:
    """x cut, turned or folded, so that it meets what is moved before that is moved."""
    inner = move.operands[0]
    if isinstance(move, Einsum):
        return contract([move.output], move.inputs[0], x)
    if isinstance(move, Reshape):
        return reshape(x, inner.shape)
    if isinstance(move, Place):
        return Slice(x, move.args[2], shape_arg(inner.shape), move.args[3])
    return with_operands(move, [x])  # an axis backwards is its own inverse


# --------------------------------------------------------------------------- exponents


def _divided_exponents(total: Node) -> set[Node]:
    """The terms of the exponents of what divides inside a sum, without moves."""
    found: set[Node] = set()
    for node in topological(total):
        if is_op(node, "pow") and is_negative(split_power(node)[1]):
            for inner in topological(node.operands[0]):
                found |= _exponents(inner)
    return found


def _exponents(x: Node) -> set[Node]:
    """What the exponent of an exponential, or of one in a product, is a sum of multiples of, without moves."""
    x = unmoved(x, transposes=True)
    if is_op(x, "mul"):
        return set[Node]().union(*map(_exponents, x.operands))
    return set(_pieces(x.operands[0])) if is_op(x, "exp") else set()


def _pieces(x: Node) -> Iterator[Node]:
    x = unmoved(x, transposes=True)
    if is_op(x, "add") or x.kind == "concat":
        for each in x.operands:
            yield from _pieces(each)
        return
    factors = split_coefficient(x)[1]
    if len(factors) == 1 and factors[0] is not x:
        yield from _pieces(factors[0])
    elif x.free_symbols:
        yield x


SCATTERED = (
    Rewrite(
        exponential_joins_what_is_added_by_index, ("mul",), below=("exp", "one_hot"), domain="extends", role="stable"
    ),
    Rewrite(
        exponential_joins_terms_that_are_added_by_index,
        ("mul",),
        below=("exp", "one_hot"),
        domain="extends",
        role="stable",
    ),
)
