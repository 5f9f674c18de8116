"""Weights beside logarithms of probabilities: 0·log 0 = 0, as xlogy has it, for log-softmax and log σ too.

In: products and contractions in the algebra form.  Out: the same with the logarithm left out where its weight is 0: a
class that is excluded by a logit of -∞ and has no label adds nothing to the loss.
Not handled: weights that repeat along more axes than the logarithm has, scalars.
"""

from __future__ import annotations

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, equal, is_op, where
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import Reduce
from symnet.simplify.algebra.exponentials import complemented_logistic
from symnet.simplify.forms.broadcast import align, cover
from symnet.simplify.forms.coefficients import split_coefficient
from symnet.simplify.rewrite import Rewrite


def _is_logarithm(x: Node) -> bool:
    """Whether x is a log-softmax or the logarithm of a logistic function, up to its sign."""
    factors = split_coefficient(x)[1]
    if len(factors) != 1:
        return False
    (core,) = factors
    if is_op(core, "add"):
        return any(_holds_logsumexp(o, core) for o in core.operands)
    inner = core.operands[0] if is_op(core, "log") else core
    return is_op(core, "softplus") or (
        inner is not core and (is_op(inner, "sigmoid") or complemented_logistic(inner) is not None)
    )


def _holds_logsumexp(term: Node, whole: Node) -> bool:
    core, _ = align(term, whole.shape)
    factors = split_coefficient(core)[1]
    return len(factors) == 1 and isinstance(factors[0], Reduce) and factors[0].op == "logsumexp"


def _guarded(weight: Node, log: Node) -> Node:
    return where(equal(weight, 0), 0, log)


def _may_be_zero(x: Node) -> bool:
    return x.kind not in ("number", "delta") and not known(x, "nonzero")


def weight_of_zero_leaves_out_its_logarithm(node: Node) -> Node | None:
    """p·(z - logsumexp(z)) → p·where(p = 0, 0, z - logsumexp(z)), and so for p·log σ(z).

    Condition: the weight is an array beside the logarithm and may be 0; one of zeros and ones is no factor any more.
    """
    for place, log in enumerate(node.operands):
        if log.shape != node.shape or not _is_logarithm(log):
            continue
        weights = [o for k, o in enumerate(node.operands) if k != place and o.rank == node.rank and _may_be_zero(o)]
        if weights:
            weight = weights[0] if len(weights) == 1 else elementwise("mul", *weights)
            if len(node.operands) == 2 and known(weight, "unit", "integer"):
                return _guarded(weight, log)
            return with_operands(node, [*node.operands[:place], _guarded(weight, log), *node.operands[place + 1 :]])
    return None


def contracted_weight_of_zero_leaves_out_its_logarithm(node: Einsum) -> Node | None:
    """Σ p·(z - logsumexp(z)) of operands p and z - logsumexp(z) → Σ p·where(p = 0, 0, z - logsumexp(z)).

    Condition: the indices of the weight are among those of the logarithm, and it may be 0.
    """
    for place, log in enumerate(node.operands):
        if len(node.operands) < 2 or not _is_logarithm(log):
            continue
        weight = _weight_beside(node, place)
        if weight is not None:
            operands = [*node.operands[:place], _guarded(weight, log), *node.operands[place + 1 :]]
            return with_operands(node, operands)
    return None


def _weight_beside(node: Einsum, place: int) -> Node | None:
    """The first other operand that may be 0 and whose indices the operand at `place` has, repeated to its shape."""
    mine = node.inputs[place]
    for k, (operand, indices) in enumerate(zip(node.operands, node.inputs, strict=True)):
        distinct = len(set(indices)) == len(indices) and len(set(mine)) == len(mine)
        if k == place or not operand.rank or not distinct or not set(indices) <= set(mine) or not _may_be_zero(operand):
            continue
        ordered = tuple(i for i in mine if i in indices)
        turned = operand if ordered == tuple(indices) else contract([indices], ordered, operand)
        return expand(turned, node.operands[place].shape, tuple(mine.index(i) for i in ordered))
    return None


def weight_of_zero_leaves_out_its_logit(node: Node) -> Node | None:
    """logsumexp(z) - Σ p·z → logsumexp(z) - Σ p·where(p = 0, 0, z).  Condition: the weight may be 0."""
    logits = {total.operands[0] for o in node.operands if (total := _logsumexp(o, node)) is not None}
    for place, term in enumerate(node.operands if logits else ()):
        core, axes = align(term, node.shape)
        coefficient, factors = split_coefficient(core)
        total = factors[-1] if factors else core
        if not isinstance(total, Einsum):
            continue
        new = _with_guarded_logit(total, logits)
        if new is not None:
            scaled = elementwise("mul", coefficient, *factors[:-1], new)
            return with_operands(
                node, [*node.operands[:place], cover(scaled, axes, node.shape), *node.operands[place + 1 :]]
            )
    return None


def _logsumexp(term: Node, whole: Node) -> Reduce | None:
    factors = split_coefficient(align(term, whole.shape)[0])[1]
    found = factors[-1] if factors else None
    return found if isinstance(found, Reduce) and found.op == "logsumexp" else None


def _with_guarded_logit(total: Einsum, logits: set[Node]) -> Node | None:
    if len(total.operands) == 1 and is_op(total.operands[0], "mul"):
        inside = total.operands[0]
        found = [o for o in inside.operands if o in logits and o.shape == inside.shape]
        weights = [o for o in inside.operands if o not in logits and o.rank == inside.rank and _may_be_zero(o)]
        if len(found) != 1 or not weights:
            return None
        rest = [o for o in inside.operands if o is not found[0]]
        weight = weights[0] if len(weights) == 1 else elementwise("mul", *weights)
        return with_operands(total, [elementwise("mul", *rest, _guarded(weight, found[0]))])
    for place, operand in enumerate(total.operands):
        beside = _weight_beside(total, place) if operand in logits and len(total.operands) > 1 else None
        if beside is not None:
            guarded = _guarded(beside, operand)
            return with_operands(total, [*total.operands[:place], guarded, *total.operands[place + 1 :]])
    return None


WEIGHTED_LOGARITHMS = (
    Rewrite(
        weight_of_zero_leaves_out_its_logarithm,
        ("mul",),
        below=("log|softplus|reduce",),
        needs=("unit", "integer"),
        domain="extends",
        role="stable",
    ),
    Rewrite(
        contracted_weight_of_zero_leaves_out_its_logarithm,
        ("einsum",),
        below=("log|softplus|reduce",),
        domain="extends",
        role="stable",
    ),
    Rewrite(weight_of_zero_leaves_out_its_logit, ("add",), below=("reduce",), domain="extends", role="stable"),
)
