"""Equations instead of inverses: a pass of the numeric form.

In: contractions in the algebra form, which knows inverses alone.  Out: the same where an inverse that multiplies
something is a system of equations that is solved.  What it multiplies is contracted first where that leaves fewer
columns: A⁻¹B x solves for one column, and A⁻²x for one after the other.
Not handled: sums of inverses, which are formed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symnet.expr.nodes.contraction import Einsum, IndexedOperand, Indices, contract
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.extents import product, same_extent
from symnet.expr.nodes.linalg import Solve, matrix_transpose
from symnet.expr.nodes.node import Extent, Node
from symnet.simplify.algebra.contraction import indexed_operands
from symnet.simplify.algebra.linalg import is_inverse, opened_beside_inverses
from symnet.simplify.rewrite import Rewrite

TYPICAL = 256  # what a symbolic extent counts for when numbers of columns are compared


def open_products_around_inverses(node: Node) -> Node | None:
    """(A⁻¹A⁻¹) x → A⁻¹A⁻¹x, before the inner product is settled.  Condition: a factor is an inverse."""
    if not isinstance(node, Einsum):
        return None
    parts = opened_beside_inverses(node)
    return contract([i for _, i in parts], node.output, *(o for o, _ in parts)) if parts else None


@dataclass(frozen=True)
class _Choice:
    """The inverse at `place`, with its index `axis` (-1: A⁻¹B, -2: A⁻ᵀB) summed over with the operands `group`."""

    place: int
    axis: int
    group: tuple[int, ...]
    kept: Indices  # the columns


def solve_instead_of_inverting(node: Einsum) -> Node | None:
    """A⁻¹B → solve(A, B), A⁻ᵀB → solve(Aᵀ, B): fewer operations, and a small residual.

    Condition: B is no larger than a few matrices like A (rows of a batch are multiplied by one inverse instead).
    """
    parts, extents = indexed_operands(node), node.extents
    best: tuple[int, _Choice] | None = None
    for choice in _choices(parts, node.output):
        columns = [extents[i] for i in choice.kept]
        if not _is_few(columns, parts[choice.place][0].shape[-1]):
            continue
        count = int(product(n if isinstance(n, int) else TYPICAL for n in columns))
        if best is None or count < best[0]:
            best = count, choice
    return _solved(node, parts, best[1]) if best else None


def _choices(parts: list[IndexedOperand], output: Indices) -> Iterator[_Choice]:
    for place, (inverse, ij) in enumerate(parts):
        if not is_inverse(inverse) or len(set(ij)) < len(ij):
            continue
        for axis in (-1, -2):
            if ij[axis] in output:
                continue
            holders = tuple(b for b, (_, indices) in enumerate(parts) if b != place and ij[axis] in indices)
            groups = {holders} if len(holders) == 1 and parts[holders[0]][1].count(ij[axis]) == 1 else set()
            for group in sorted({*groups, _connected(parts, place, holders, output)}, key=len):
                if group:
                    yield _Choice(place, axis, group, _kept(parts, place, axis, group, output))


def _connected(parts: list[IndexedOperand], place: int, start: tuple[int, ...], output: Indices) -> tuple[int, ...]:
    """What hangs together with `start` by summed indices that the inverse does not have."""
    closed = {*output, *parts[place][1]}
    group, waiting = set(start), list(start)
    while waiting:
        mine = {i for i in parts[waiting.pop()][1] if i not in closed}
        new = [b for b, (_, indices) in enumerate(parts) if b != place and b not in group and mine & set(indices)]
        group.update(new)
        waiting += new
    return tuple(sorted(group))


def _kept(parts: list[IndexedOperand], place: int, axis: int, group: tuple[int, ...], output: Indices) -> Indices:
    """The group's indices that are needed outside it, apart from the inverse's own summed one and its stack."""
    ij = parts[place][1]
    outside = {*output, *(i for b, (_, indices) in enumerate(parts) if b not in group for i in indices)}
    mine = dict.fromkeys(i for b in group for i in parts[b][1])
    return tuple(i for i in mine if i in outside and i != ij[axis] and i not in ij[:-2])


def _is_few(columns: list[Extent], n: Extent) -> bool:
    """Whether there are few columns to solve for beside each matrix of n rows: a known number, or as many as n."""
    return all(isinstance(extent, int) or same_extent(extent, n) for extent in columns) and (
        not isinstance(n, int) or len(columns) < 2 or product(columns) <= 8 * n
    )


def _solved(node: Einsum, parts: list[IndexedOperand], choice: _Choice) -> Node:
    """The contraction with A⁻¹B in the place of A⁻¹ and B; a B without some of the stack's indices is repeated."""
    inverse, ij = parts[choice.place]
    assert isinstance(inverse, Solve)
    mine = [parts[b] for b in choice.group]
    present = {i for _, indices in mine for i in indices}
    order = (*(i for i in (*ij[:-2], ij[choice.axis]) if i in present), *choice.kept)
    right = mine[0][0] if len(mine) == 1 and mine[0][1] == order else None
    if right is None:
        right = contract([i for _, i in mine], order, *(o for o, _ in mine))
    where = (*ij[:-2], ij[choice.axis], *choice.kept)
    shape = (*inverse.shape[:-1], *(node.extents[i] for i in choice.kept))
    right = expand(right, shape, tuple(k for k, i in enumerate(where) if i in present))
    matrix = inverse.matrix if choice.axis == -1 else matrix_transpose(inverse.matrix)
    solved = Solve(matrix, right)
    where = (*ij[:-2], ij[-3 - choice.axis], *choice.kept)
    rest = [p for b, p in enumerate(parts) if b != choice.place and b not in choice.group]
    if not rest and where == node.output:
        return solved
    return contract([*(i for _, i in rest), where], node.output, *(o for o, _ in rest), solved)


OPENING = Rewrite(open_products_around_inverses, ("einsum",), domain="equal", role="spelling")
EQUATIONS = (Rewrite(solve_instead_of_inverting, ("einsum",), below=("solve",), domain="equal", role="stable"),)
