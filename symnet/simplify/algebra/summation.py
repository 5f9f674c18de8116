"""Rewrites of sums over axes that need no summation: deltas, distributions, terms that repeat.

In: an `einsum` node whose operands are in normal form.  Out: a contraction over fewer indices, or none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import reduce
from operator import and_

from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, IndexedOperand, Indices, contract
from symnet.expr.nodes.contraction import sum as sum_over
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.extents import same_extent
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Concat, Place, Reshape
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.contraction import build, factors_with_indices, indexed_operands, multiplied
from symnet.simplify.algebra.totals import number_times_total, total_of
from symnet.simplify.forms.broadcast import align, cover, trailing
from symnet.simplify.forms.coefficients import ONE, product, split_coefficient
from symnet.simplify.forms.masks import is_off_diagonal
from symnet.simplify.rewrite import Rewrite


def contract_delta(node: Einsum) -> Node | None:
    """Σⱼ δ[i, j]·x[j] → x[i].  Condition: an index of the delta is summed, or another operand has both."""
    parts = indexed_operands(node)
    for n, (operand, (*pair,)) in enumerate(parts):
        if operand.kind != "delta":
            continue
        rest = parts[:n] + parts[n + 1 :]
        i, j = pair
        if i == j:
            return build(node, rest)
        if j not in node.output or i not in node.output:
            gone, stays = (j, i) if j not in node.output else (i, j)
            renamed = [(o, tuple(stays if k == gone else k for k in indices)) for o, indices in rest]
            return build(node, renamed, settled={gone})
    return None


def split_delta_from_product(node: Einsum) -> Node | None:
    """Σⱼ (δ*x)[i, j] → Σⱼ δ[i, j]·x[i, j], also where δ is a factor of a factor: Σⱼ ((δ*x)[i, j]*y[k, i, j]).

    Condition: an index of the delta is summed, so that it goes.
    """
    parts = indexed_operands(node)
    for n, (operand, indices) in enumerate(parts):
        if not is_op(operand, "mul"):
            continue
        factors = factors_with_indices(operand, indices)
        for opened in (factors, _opened(factors)):
            delta = next((p for p in opened if p[0].kind == "delta" and not set(p[1]) <= set(node.output)), None)
            if delta is not None:
                rest = [p for p in opened if p is not delta]
                beside = [multiplied(rest, indices, operand)] if opened is factors else rest
                return build(node, [*parts[:n], delta, *beside, *parts[n + 1 :]])
    return None


def _opened(factors: Iterable[IndexedOperand]) -> list[IndexedOperand]:
    """Factors and their own factors: those of products, and of contractions that sum nothing."""
    found: list[IndexedOperand] = []
    stack = list(reversed(list(factors)))
    while stack:
        core, where = stack.pop()
        if is_op(core, "mul"):
            stack += reversed(factors_with_indices(core, where))
        elif isinstance(core, Einsum) and not core.contracted:
            names = dict(zip(core.output, where, strict=True))
            stack += reversed([(o, tuple(names[i] for i in inner)) for o, inner in indexed_operands(core)])
        else:
            found.append((core, where))
    return found


def total_of_distribution_is_one(node: Einsum) -> Node | None:
    """Σ over the last axis of d → 1, also of d[k:], and Σ where(c, d, 0) → [c], Σ pad(d) → pad(1).

    Condition: d is one-hot or on the simplex; a softmax over its own axes.  c does not vary along them.
    """
    operand, indices = node.operands[0], node.inputs[0]
    if len(node.operands) > 1 or len(set(indices)) < len(indices):
        return None
    summed = {a for a, i in enumerate(indices) if i not in node.output}
    choices = [{operand.rank - 1}] if known(operand, "simplex") else [set(axes) for axes in softmax_axes(operand)]
    for one in choices:
        if one <= summed:
            rest = tuple(i for a, i in enumerate(indices) if a not in one)
            ones = cover(number(1), (), tuple(n for a, n in enumerate(operand.shape) if a not in one))
            return contract([rest], node.output, ones)
    total = None if is_op(operand, "add") else total_of(operand, summed)
    kept = [i for a, i in enumerate(indices) if a not in summed]
    return None if total is None else contract([kept], node.output, total)


def sum_terms_apart(node: Einsum) -> Node | None:
    """Σ (1 - d) → n - Σ d, and Σ (x - expand(Σ x)/n) → Σ x - Σ x.

    Condition: one operand, and a term of it is a scalar, a distribution, or repeats the sum of another term.
    """
    operand, indices = node.operands[0], node.inputs[0]
    if len(node.operands) > 1 or not is_op(operand, "add") or len(set(indices)) < len(indices):
        return None
    summed = {a for a, i in enumerate(indices) if i not in node.output}
    if all(operand.shape[a] == 1 for a in summed):
        return None
    if not any(_is_settled(o, summed, operand, node) for o in operand.operands):
        return None
    return elementwise("add", *(_summed_term(o, operand, node) for o in operand.operands))


def _summed_term(term: Node, whole: Node, node: Einsum) -> Node:
    """Σ of one term, its number outside."""
    coefficient, factors = split_coefficient(term)
    body = product(ONE, factors)
    inner = contract(node.inputs, node.output, cover(body, trailing(body.rank, whole.rank), whole.shape))
    return inner if coefficient == 1 else elementwise("mul", number(coefficient), inner)


def _is_settled(term: Node, summed: set[int], whole: Node, node: Einsum) -> bool:
    """Whether the sum of a term of `whole` is known without summing."""
    _, factors = split_coefficient(term)
    cores = [align(f, whole.shape) for f in factors]
    varying = [core for core, axes in cores if set(axes) & summed]
    if not varying:
        return all(not axes for _, axes in cores) or _repeats_a_sum(term, whole, node)
    if number_times_total(term, whole, summed) is not None:
        return True
    if len(varying) != 1:
        return False
    (core,) = varying
    if is_op(core, "add") and core.shape == whole.shape:
        return any(_repeats_a_sum(o, core, node) for o in core.operands)
    return core.rank == whole.rank and whole.rank - 1 in summed and known(core, "simplex") and len(cores) == 1


def _repeats_a_sum(term: Node, whole: Node, node: Einsum) -> bool:
    """Whether a term of `whole` holds, repeated, the sum of another term: the mean of x in x - mean(x)."""
    core, _ = align(term, whole.shape)
    inside = set(operands_of("mul", core))
    totals = (split_coefficient(_summed_term(o, whole, node))[1] for o in whole.operands if o is not term)
    return any(len(factors) == 1 and factors[0] in inside for factors in totals)


def contract_delta_term_apart(node: Einsum) -> Node | None:
    """(s·δ + A) @ x → s·x + A @ x: the terms of an operand that hold a delta, each contracted by itself.

    Condition: an index of the delta is summed, so that it goes; the operand is no mask c·(1 - δ).  A contraction with a
    delta is the smaller one without it; the other terms stay together, so that nothing is computed twice.
    """
    if not node.contracted:
        return None
    for n, operand in enumerate(node.operands):
        summed = {a for a, i in enumerate(node.inputs[n]) if i not in node.output}
        terms = operand.operands if is_op(operand, "add") and summed and not is_off_diagonal(operand) else ()
        deltas = [o for o in terms if _delta_axes(o, operand.rank) & summed]
        if deltas:
            rest = [o for o in operand.operands if o not in deltas]
            parts = [*deltas, *([elementwise("add", *rest)] if len(rest) > 1 else rest)]
            return elementwise("add", *(_with_term(node, n, part) for part in parts))
    return None


def _delta_axes(term: Node, rank: int) -> set[int]:
    """The axes of a sum of this rank along which the deltas in a term of it stand."""
    axes: set[int] = set()
    for factor in operands_of("mul", term):
        core, where = align(factor, (None,) * (rank - factor.rank) + factor.shape)
        if core.kind == "delta":
            axes |= set(where)
        elif isinstance(core, Einsum) and not core.contracted:  # another one is not seen through
            deltas = {i for o, indices in indexed_operands(core) if o.kind == "delta" for i in indices}
            axes |= {where[k] for k, i in enumerate(core.output) if i in deltas}
    return axes


def _with_term(node: Einsum, place: int, term: Node) -> Node:
    """The contraction with one term in the place of an operand."""
    whole = node.operands[place].shape
    full = cover(term, trailing(term.rank, len(whole)), whole)
    return with_operands(node, [*node.operands[:place], full, *node.operands[place + 1 :]])


def take_common_factors_out_of_operand(node: Einsum) -> Node | None:
    """Σᵢ (x[i]·δ[k, l] - x[i]·y[i, l])·z[i] → Σᵢ x[i]·(δ[k, l] - y[i, l])·z[i]: a factor of every term of an operand.

    Condition: the contraction has other operands, and the factor varies along fewer axes than the operand, so that it
    stays a smaller operand of its own.
    """
    for n, (operand, indices) in enumerate(
        indexed_operands(node) if len(node.operands) > 1 and node.contracted else ()
    ):
        if not is_op(operand, "add") or len(set(indices)) < len(indices):
            continue
        terms = [_opened_term(o, indices) for o in operand.operands]
        common = reduce(and_, (Counter(parts) for _, parts in terms))  # as often as every term holds it
        shared = [p for p in common.elements() if len(p[1]) < operand.rank]
        if shared:
            left = [_term_without(value, parts, shared, operand, indices) for value, parts in terms]
            parts = indexed_operands(node)
            return build(node, [*parts[:n], *shared, (elementwise("add", *left), indices), *parts[n + 1 :]])
    return None


def _opened_term(term: Node, indices: Indices) -> tuple[Expr, list[IndexedOperand]]:
    """The number of a term and its factors with their indices, outer products opened."""
    value, factors = split_coefficient(term)
    return value, _opened(factors_with_indices(product(ONE, factors), indices[len(indices) - term.rank :]))


def _term_without(
    value: Expr, parts: list[IndexedOperand], gone: list[IndexedOperand], whole: Node, indices: Indices
) -> Node:
    """value × the other parts, over the indices of the whole operand."""
    left = list(parts)
    for part in gone:
        left.remove(part)
    have = tuple(i for i in indices if any(i in where for _, where in left))
    body = contract([where for _, where in left], have, *(o for o, _ in left)) if left else number(1)
    full = cover(body, tuple(indices.index(i) for i in have), whole.shape)
    return full if value == 1 else elementwise("mul", number(value), full)


def expectation_of_number_is_itself(node: Einsum) -> Node | None:
    """Σ p·(x + 1) → Σ p·x + 1.

    Condition: p sums to one over the summed axes.  Numbers only: a term that varies, such as a log-sum-exp, may cancel
    digits that are lost once it stands outside.
    """
    operand, indices = node.operands[0], node.inputs[0]
    if len(node.operands) > 1 or not is_op(operand, "mul") or len(set(indices)) < len(indices):
        return None
    summed = {a for a, i in enumerate(indices) if i not in node.output}
    weights = [o for o in operand.operands if o.shape == operand.shape and _sums_to_one(o, summed)]
    others = [o for o in operand.operands if o not in weights]
    if len(weights) != 1 or len(others) != 1 or not is_op(others[0], "add"):
        return None
    constant = [o for o in others[0].operands if number_of(o) is not None]
    varying = [o for o in others[0].operands if o not in constant]
    if not constant or not varying:
        return None
    inner = elementwise("mul", *weights, varying[0] if len(varying) == 1 else elementwise("add", *varying))
    return elementwise("add", with_operands(node, [inner]), *constant)


def _sums_to_one(x: Node, summed: set[int]) -> bool:
    if known(x, "simplex") and summed == {x.rank - 1}:
        return True
    return any(set(axes) == summed for axes in softmax_axes(x))


def sum_before_placing(node: Einsum) -> Node | None:
    """Σ pad(x) → Σ x: zeros add nothing.  Condition: every axis along which zeros are laid is summed, alone."""
    operand, indices = node.operands[0], node.inputs[0]
    if len(node.operands) > 1 or not isinstance(operand, Place) or len(set(indices)) < len(indices):
        return None
    x = operand.operands[0]
    moved = [a for a in range(operand.rank) if not same_extent(x.shape[a], operand.shape[a]) or operand.steps[a] != 1]
    return None if any(indices[a] in node.output for a in moved) else with_operands(node, [x])


def sum_before_reshaping(node: Einsum) -> Node | None:
    """Σ reshape(x) → Σ x.  Condition: all axes are summed."""
    operand = node.operands[0]
    if len(node.operands) > 1 or not isinstance(operand, Reshape) or node.output:
        return None
    if len(set(node.inputs[0])) < operand.rank:
        return None
    return sum_over(operand.operands[0])


def sum_what_was_joined_apart(node: Einsum) -> Node | None:
    """Σ concat(x, y) → Σ x + Σ y.  Condition: the axis along which they are joined is summed, alone."""
    operand, indices = node.operands[0], node.inputs[0]
    if len(node.operands) > 1 or not isinstance(operand, Concat) or len(set(indices)) < len(indices):
        return None
    if indices[operand.axis] in node.output:
        return None
    return elementwise("add", *(with_operands(node, [x]) for x in operand.operands))


SUMMATIONS = (
    Rewrite(split_delta_from_product, ("einsum",), below=("delta",), domain="equal", role="exposing"),
    Rewrite(contract_delta, ("einsum",), below=("delta",), domain="extends", role="shorter"),
    Rewrite(total_of_distribution_is_one, ("einsum",), needs=("simplex",), domain="extends", role="shorter"),
    Rewrite(sum_terms_apart, ("einsum",), below=("add",), needs=("simplex",), domain="equal", role="spelling"),
    Rewrite(
        contract_delta_term_apart, ("einsum",), below=("delta",), needs=("finite",), domain="equal", role="exposing"
    ),
    Rewrite(take_common_factors_out_of_operand, ("einsum",), below=("add",), domain="extends", role="exposing"),
    Rewrite(
        expectation_of_number_is_itself,
        ("einsum",),
        below=("add",),
        needs=("simplex",),
        domain="equal",
        role="exposing",
    ),
    Rewrite(sum_before_placing, ("einsum",), below=("place",), domain="equal", role="shorter"),
    Rewrite(sum_before_reshaping, ("einsum",), below=("reshape",), domain="equal", role="shorter"),
    Rewrite(sum_what_was_joined_apart, ("einsum",), below=("concat",), domain="equal", role="exposing"),
)
