"""An inverse beside what it is the inverse of, multiplied out; and so Newton's step of a quadratic function.

In: a contraction with an inverse; a sum of which one term is x, and another an inverse times something, A⁻¹v.  Out: the
contraction without the two, (XᵀX)⁻¹Xᵀ(X w) → w; the inverse times what is left of A x - v, x - A⁻¹(A x - b) → A⁻¹b.
A correction A⁻¹(A x - b) by itself stays as it is: it keeps its digits where x is nearly the solution.
Not handled: stacks of matrices; several terms that are corrected together.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.facts.networks import NetworkKey, flattened
from symnet.expr.nodes.constants import identity, number
from symnet.expr.nodes.contraction import Einsum, IndexedOperand, Indices, contract
from symnet.expr.nodes.linalg import Solve
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.coefficients import ONE, product, split_coefficient, sum_of_all
from symnet.simplify.forms.networks import Network, multiplied_out
from symnet.simplify.rewrite import Rewrite

MOST_TERMS = 6  # of a sum that is looked at


def cancel_inverse_of_product(node: Einsum) -> Node | None:
    """(XᵀX)⁻¹Xᵀ(X w) → w, A⁻¹(A x) → x: an inverse beside a product that is what it is the inverse of.

    Condition: they meet in an index that is summed; the operands of that product have no other.
    """
    for inverse, indices, rest in _inverses(node):
        for row, column in (indices, indices[::-1]) if len(set(indices)) == 2 else ():
            kept = (*node.output, row)
            fresh = itertools.count(1 + max(*kept, column, *(i for _, mine in rest for i in mine)))
            (product_, *more) = multiplied_out(rest, kept, fresh)
            matrix = (column, next(fresh)) if (row, column) == indices else (next(fresh), column)
            (wanted, *others) = multiplied_out([(inverse.matrix, matrix)], matrix, fresh)
            if more or others or column in node.output or wanted.value != 1:
                continue
            found = _found_within(product_, wanted, column, kept)
            if found is not None:
                left, other = found
                whole = [*left, (identity(inverse.shape[0]), (row, other))]
                return product(product_.value, (contract([i for _, i in whole], node.output, *(o for o, _ in whole)),))
    return None


def _inverses(node: Einsum) -> Iterator[tuple[Solve, Indices, list[IndexedOperand]]]:
    """The inverses in a contraction, each with its indices and the other operands."""
    parts = flattened(node)
    for place, (operand, indices) in enumerate(parts):
        if isinstance(operand, Solve) and operand.is_inverse and operand.rank == 2:
            yield operand, indices, [p for k, p in enumerate(parts) if k != place]


def _found_within(
    whole: Network, wanted: Network, column: int, kept: Indices
) -> tuple[list[IndexedOperand], int] | None:
    """What is left of a product without a matrix that has the index `column`, and the other index of that matrix."""
    operands = [o for o, _ in wanted.parts]
    key = wanted.key(_is_symmetric)
    places = [k for k, (o, _) in enumerate(whole.parts) if o in operands]
    for chosen in itertools.combinations(places, len(operands)) if key and len(places) <= MOST_TERMS else ():
        inside = [whole.parts[k] for k in chosen]
        left = [p for k, p in enumerate(whole.parts) if k not in chosen]
        met = {*kept, *(i for _, mine in left for i in mine)}
        shared = {i for _, mine in inside for i in mine if i in met and i != column}
        if len(shared) == 1 and column not in met:
            (other,) = shared
            output = tuple(column if i == column else other for i in wanted.output)
            if Network(ONE, tuple(inside), output).key(_is_symmetric) == key:
                return left, other
    return None


def take_value_into_its_correction(node: Node) -> Node | None:
    """x - A⁻¹(A x - b) → A⁻¹b.

    Condition: what is left of A x - (A x - b), multiplied out, has fewer terms than what A⁻¹ was multiplied by.
    """
    if len(node.operands) > MOST_TERMS:
        return None
    for place, term in enumerate(node.operands):
        value, factors = split_coefficient(term)
        if not factors or not isinstance(factors[-1], Einsum) or factors[-1].shape != node.shape:
            continue
        for other, x in enumerate(node.operands):
            new = _corrected(x, value, factors) if other != place and x.shape == node.shape else None
            if new is not None:
                rest = [o for k, o in enumerate(node.operands) if k not in (place, other)]
                return broadcast_to(sum_of_all([new, *rest]), node.shape)
    return None


def _corrected(x: Node, value: Expr, factors: tuple[Node, ...]) -> Node | None:
    """x + value·factors, the last a contraction with an inverse, as that inverse times one sum."""
    *scalars, total = factors
    if any(s.rank for s in scalars) or not isinstance(total, Einsum):
        return None
    for inverse, indices, others in _inverses(total):
        rest = [*((s, ()) for s in scalars), *others]
        for row, column in (indices, indices[::-1]):
            if _is_between(row, column, rest, total):
                output = tuple(column if i == row else i for i in total.output)
                fresh = itertools.count(1 + max(*output, row, *(i for _, mine in rest for i in mine)))
                matrix = (column, row) if (row, column) == indices else (row, column)
                image = multiplied_out([(inverse.matrix, matrix), (x, total.output)], output, fresh)
                correction = [replace(n, value=n.value * value) for n in multiplied_out(rest, output, fresh)]
                left = _left_over(image, correction)
                if left is not None:
                    return _times_inverse((inverse, indices), left, output, total)
    return None


def _times_inverse(inverse: IndexedOperand, left: list[Network], output: Indices, total: Einsum) -> Node:
    if not left:
        return broadcast_to(number(0), total.shape)
    whole = sum_of_all([each.build() for each in left])
    return contract([inverse[1], output], total.output, inverse[0], whole)


def _is_between(row: int, column: int, rest: list[IndexedOperand], total: Einsum) -> bool:
    """Whether an inverse alone has the row, which is kept, and shares the column, which is summed, with the rest."""
    beside = {i for _, indices in rest for i in indices}
    return row in total.output and row not in beside and column in beside and column not in total.output


def _left_over(image: list[Network], correction: list[Network]) -> list[Network] | None:
    """The sum of networks, like ones collected; None where it is not shorter than the correction."""
    found: dict[NetworkKey | int, Network] = {}
    for place, each in enumerate([*image, *correction]):
        key = each.key(_is_symmetric) or place
        held = found.get(key)
        found[key] = each if held is None else replace(held, value=held.value + each.value)
    left = [each for each in found.values() if each.value != 0]
    return left if len(left) < len(correction) else None


def _is_symmetric(operand: Node) -> bool:
    return known(operand, "symmetric")


CANCELLED_PRODUCTS = (
    Rewrite(
        cancel_inverse_of_product, ("einsum",), below=("solve",), needs=("symmetric",), domain="extends", role="shorter"
    ),
)
CORRECTIONS = (
    Rewrite(
        take_value_into_its_correction, ("add",), below=("solve",), needs=("symmetric",), domain="equal", role="shorter"
    ),
)
