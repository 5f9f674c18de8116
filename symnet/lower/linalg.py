"""Linear algebra as nests: one elimination with partial pivoting, shared by all that needs it.

In: `Solve` and `Determinant` nodes.  Out: nests whose axes are those of the stack (none for one matrix) and whose
statements are written by hand: *kernels*.

    factor:  P A = L U in one square buffer, the row swaps in another    (`elimination.py`, 2/3 n³ operations;
                                                                          large ones by panels, `blocked.py`)
    solve:   swaps, then L and U; Aᵀ X = B by the same factors of A      (`substitution.py`)
    det:     the product of U's diagonal, a sign for each swap; logdet the sum of log|U's diagonal|

Small matrices of a stack are factored and solved with several at once (`side_by_side.py`).
Of a singular matrix det is 0 and logdet is -inf, and solving fails with the code SINGULAR_MATRIX.  As in LAPACK,
singular means that a pivot is exactly 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.extents import typical
from symnet.expr.nodes.linalg import Determinant, Solve
from symnet.expr.nodes.node import Node
from symnet.loops.ir import Body, Buffer, If, IntCondition, IntConst, IntExpr, IntVar, Store, as_int
from symnet.lower.extents import lower_extent
from symnet.lower.kernels.blocked import SMALLEST, eliminate_in_panels
from symnet.lower.kernels.elimination import LuFactors, determinant, eliminate, refuse_singular
from symnet.lower.kernels.panel import PANEL
from symnet.lower.kernels.side_by_side import EXTENT, Held, eliminated, is_small, substituted
from symnet.lower.kernels.statements import MatrixPart, loop
from symnet.lower.kernels.substitution import Unknowns, substitute
from symnet.lower.nest import Axis, Nest, SideBySide
from symnet.lower.state import LoweringState


def factored_matrix(node: Node) -> tuple[Node, bool]:
    """(A, False) of a node over A, (A, True) of one over Aᵀ: both read the factors of A."""
    matrix = node.operands[0]
    if isinstance(matrix, Einsum) and matrix.is_transpose:
        (*stack, i, j), output = matrix.inputs[0], matrix.output
        if output == (*stack, j, i):
            return matrix.operands[0], True
    return matrix, False


class FactorBuffers(NamedTuple):
    """Where the factors of a stack go, its row swaps, and the scratch of a blocked elimination."""

    lu: Buffer
    swaps: Buffer
    panel: Buffer | None


def factor_buffers(state: LoweringState, matrix: Node, dtype: str, fresh: Callable[[str], str]) -> FactorBuffers:
    """The buffers of an elimination; `fresh` names them."""
    shape = tuple(map(lower_extent, matrix.shape))
    axis, batch = state.batch_axis(matrix, matrix.rank - 2)
    lu = Buffer(fresh("factors"), dtype, shape, batch_axis=axis, batch=batch)
    swaps = Buffer(fresh("swaps"), "int64", shape[:-1], batch_axis=axis, batch=batch)
    panel_shape = (*shape[:-2], as_int(PANEL), shape[-1])
    is_small = isinstance(matrix.shape[-1], int) and matrix.shape[-1] < SMALLEST
    panel = None if is_small else Buffer(fresh("panel"), dtype, panel_shape, batch_axis=axis, batch=batch)
    return FactorBuffers(lu, swaps, panel)


def _stack(state: LoweringState, matrix: Node) -> tuple[Axis, ...]:
    """The loops over the matrices of a stack."""
    return tuple(state.axis(f"s{a}", (matrix, a)) for a in range(matrix.rank - 2))


def _which(axes: tuple[Axis, ...]) -> tuple[IntVar, ...]:
    return tuple(IntVar(a.var) for a in axes)


def _kernel(name: str, axes: tuple[Axis, ...], body: Body, work: int, beside: SideBySide | None = None) -> Nest:
    return Nest(name, axes, body, kernel=work, beside=beside)


def _are_neighbours(axes: tuple[Axis, ...], extent: IntExpr) -> bool:
    """Whether there are several small matrices."""
    return bool(axes) and axes[-1].constant != 1 and is_small(extent)


def _factors(buffers: FactorBuffers, axes: tuple[Axis, ...]) -> LuFactors:
    return LuFactors(MatrixPart(buffers.lu, _which(axes)), MatrixPart(buffers.swaps, _which(axes)))


def _eliminated(state: LoweringState, factors: LuFactors, panel: MatrixPart | None) -> Body:
    """The elimination: by columns where the matrix is small, otherwise by panels; where its extent is symbolic, the
    call decides.
    """
    if panel is None:
        return eliminate(factors, state.clear)
    blocked = eliminate_in_panels(factors, panel, state.clear)
    if isinstance(factors.extent, IntConst):
        return blocked
    is_large = IntCondition("ge", factors.extent, as_int(SMALLEST))
    return (If(is_large, blocked, eliminate(factors, state.clear)),)


def factor_nest(state: LoweringState, matrix: Node, buffers: FactorBuffers) -> Nest:
    """P A = L U, in place on a copy of A."""
    axes = _stack(state, matrix)
    factors = _factors(buffers, axes)
    points = state.points("f")
    i, j = IntVar(state.clear("i")), IntVar(state.clear("j"))
    value = points.cast(points.at(matrix, (*_which(axes), i, j)), factors.lu.dtype)
    n = factors.extent
    copy = loop(i, n, loop(j, n, *points.lets, factors.lu.store((i, j), value)))
    panel = MatrixPart(buffers.panel, _which(axes)) if buffers.panel else None
    work = typical(matrix.shape[-1]) ** 3
    beside = None
    if _are_neighbours(axes, n):
        beside = eliminated(factors, lambda held, i, j: _element(state, matrix, axes, held, i, j), state.clear)
    return _kernel(buffers.lu.name, axes, (copy, *_eliminated(state, factors, panel)), work, beside)


def _element(
    state: LoweringState, node: Node, axes: tuple[Axis, ...], held: Held, row: IntExpr, column: IntExpr
) -> Body:
    """The statements that store an element of a matrix, or of a vector as its only column, in its lane."""
    points = state.points("b")
    inside = (row, column)[: node.rank - len(axes)]
    value = points.cast(points.at(node, (*_which(axes), *inside)), held.buffer.dtype)
    return (*points.lets, held.store((row, column), value))


def solve_nest(
    state: LoweringState, node: Solve, buffer: Buffer, view: Buffer, buffers: FactorBuffers, transposed: bool
) -> Nest:
    """A X = B, or Aᵀ X = B.  `view` is the result as matrices (as vectors where there is one right-hand side)."""
    axes = _stack(state, node.matrix)
    factors, unknowns = _factors(buffers, axes), Unknowns(MatrixPart(view, _which(axes)), state.clear)
    points = state.points("r")
    right = node.operands[1]
    inside = tuple(IntVar(state.clear(f"x{a}")) for a in range(len(axes), right.rank))
    index = (*_which(axes), *inside)
    value = points.cast(points.at(right, index), buffer.dtype)
    copy: Body = (*points.lets, Store(buffer, index, value))
    for a in reversed(range(len(inside))):
        copy = (loop(inside[a], lower_extent(right.shape[len(axes) + a]), *copy),)
    steps = substitute(factors, unknowns, transposed)
    body = (*refuse_singular(factors, buffer.name, state.clear), *copy, *steps)
    work = typical(node.matrix.shape[-1])
    for a in (len(axes), *node.columns):
        work *= typical(node.shape[a])
    return _kernel(buffer.name, axes, body, work, _solved_beside(state, node, view, factors, axes, transposed))


def _solved_beside(
    state: LoweringState, node: Solve, view: Buffer, factors: LuFactors, axes: tuple[Axis, ...], transposed: bool
) -> SideBySide | None:
    """The same for several matrices at once, where they and their right-hand sides are small."""
    right, x = node.operands[1], MatrixPart(view, _which(axes))
    *_, columns = (*x.shape, IntConst(1)) if len(x.shape) == 1 else x.shape
    few = isinstance(columns, IntConst) and 0 < columns.value <= EXTENT
    if not few or right.rank > len(axes) + 2 or not _are_neighbours(axes, factors.extent):
        return None
    assert isinstance(columns, IntConst)

    def first(held: Held, row: IntExpr, column: IntExpr) -> Body:
        return _element(state, right, axes, held, row, column)

    def last(held: Held, row: IntExpr, column: IntExpr) -> Body:
        return (x.store((row, column)[: len(x.shape)], held.at(row, column)),)

    return substituted(factors, view.view_of or view.name, columns.value, first, last, transposed, state.clear)


def determinant_nest(state: LoweringState, node: Determinant, buffer: Buffer, buffers: FactorBuffers) -> Nest:
    axes = _stack(state, node.operands[0])
    result = MatrixPart(buffer, _which(axes))
    body = determinant(_factors(buffers, axes), result, node.op, state.clear)
    return _kernel(buffer.name, axes, body, typical(node.operands[0].shape[-1]))


def columns_shape(node: Solve, buffer: Buffer) -> tuple[int, bool]:
    """How many axes come before the columns, and whether there is one right-hand side only."""
    first = node.matrix.rank - 1
    return first, all(extent == IntConst(1) for extent in buffer.shape[first:])
