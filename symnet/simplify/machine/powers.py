"""Powers of matrices inside contractions, by squaring: A¹³ is five products instead of twelve.

In: a contraction.  Out: the same with a run of one matrix, A[i, j]·A[j, k]·…, replaced by its power, where that takes
fewer operations: A¹³x stays thirteen products of a matrix and a vector.
Source: D. Knuth, "The Art of Computer Programming", volume 2, 3rd edition 1997, section 4.6.3, algorithm A.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from symnet.expr.nodes.contraction import Einsum, IndicesOfOperand, contract
from symnet.expr.nodes.extents import typical
from symnet.expr.nodes.node import Node

SHORTEST = 4  # a run of fewer takes as many products either way
LONGEST_PLANNED = 8  # of a longer one the best order is not looked for: that grows fast


def power_by_squaring(node: Einsum, cost: Callable[[Einsum], float]) -> Node | None:
    """The contraction with its longest run as a power; None where there is none, or nothing is saved."""
    terms = list(zip(node.inputs, node.operands, strict=True))
    run = max((_run_from(start, terms, node.output) for start in range(len(terms))), key=len, default=[])
    if len(run) < SHORTEST:
        return None
    if len(run) > LONGEST_PLANNED:
        stepwise = _step_by_step(run, terms, node)
        if stepwise is not None:
            return stepwise
    matrix = terms[run[0]][1]
    steps: list[Einsum] = []
    whole = _power(matrix, len(run), steps)
    where = (*terms[run[0]][0][:-1], terms[run[-1]][0][-1])
    rest = [t for place, t in enumerate(terms) if place not in run]
    if not rest and where == node.output:
        reduced: Node = whole
        left = 0.0
    else:
        reduced = contract([*(i for i, _ in rest), where], node.output, *(o for _, o in rest), whole)
        left = cost(reduced) if isinstance(reduced, Einsum) else 0.0
    saves = len(run) > LONGEST_PLANNED or left + sum(map(cost, steps)) < cost(node)
    return reduced if saves else None


def _step_by_step(run: list[int], terms: list[IndicesOfOperand], node: Einsum) -> Node | None:
    """A(A(…(A x))) where x, at one end of the run, has so few columns that this is cheaper than squaring."""
    inside = {i for place in run for i in terms[place][0]}
    for end, axis in ((terms[run[-1]][0][-1], -1), (terms[run[0]][0][-2], -2)):
        near = [p for p, (indices, _) in enumerate(terms) if p not in run and end in indices]
        if end in node.output or len(near) != 1 or len(set(terms[near[0]][0])) < len(terms[near[0]][0]):
            continue
        indices, x = terms[near[0]]
        columns = math.prod(typical(node.extents[i]) for i in indices if i not in inside)
        products = len(run).bit_length() + len(run).bit_count() - 2
        if len(run) * columns >= products * typical(node.extents[end]) + columns or inside & set(indices) - {end}:
            continue
        kept = tuple(i for i in indices if i != end)
        for place in reversed(run) if axis == -1 else run:
            mine = terms[place][0]
            indices_ = (mine[-2], *kept) if axis == -1 else (mine[-1], *kept)
            x, indices = contract([mine, indices], indices_, terms[place][1], x), indices_
        rest = [t for p, t in enumerate(terms) if p not in run and p != near[0]]
        return contract([*(i for i, _ in rest), indices], node.output, *(o for _, o in rest), x)
    return None


def _run_from(start: int, terms: list[IndicesOfOperand], output: tuple[int, ...]) -> list[int]:
    """The positions of A[i, j], A[j, k], … that follow `start`, each index summed between these two alone."""
    indices, matrix = terms[start]
    if len(indices) < 2 or len(set(indices)) < len(indices):
        return []
    stack, first, uses = indices[:-2], indices[-2], [i for mine, _ in terms for i in mine]
    run, last = [start], indices[-1]
    while uses.count(last) == 2 and last not in output:
        found = [
            place
            for place, (mine, operand) in enumerate(terms)
            if operand is matrix and place not in run and mine[:-1] == (*stack, last) and mine[-1] != first
        ]
        if not found:
            break
        run.append(found[0])
        last = terms[found[0]][0][-1]
    return run


def _power(matrix: Node, exponent: int, steps: list[Einsum]) -> Node:
    """The power, and the products that it takes."""
    result: Node | None = None
    base = matrix
    while True:
        if exponent & 1:
            result = base if result is None else _product(result, base, steps)
        exponent >>= 1
        if not exponent:
            assert result is not None
            return result
        base = _product(base, base, steps)


def _product(a: Node, b: Node, steps: list[Einsum]) -> Node:
    *stack, i, j, k = range(a.rank + 1)
    steps.append(contract([(*stack, i, j), (*stack, j, k)], (*stack, i, k), a, b))
    return steps[-1]
