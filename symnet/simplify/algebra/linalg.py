"""Rewrites of linear algebra: inverses and determinants.

In: a `solve`, `determinant` or `einsum` node whose operands are in normal form.  Out: a shorter or canonical one.
The algebra form knows inverses alone: A⁻¹B is a contraction, in which A⁻¹A cancels.  The numeric form goes back
(`equations.py`): where an inverse multiplies something, equations are solved.
Conditions speak of the original: where A has no inverse, it is not defined.
"""

from __future__ import annotations

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import identity, number, size
from symnet.expr.nodes.contraction import Einsum, IndexedOperand, Indices, contract
from symnet.expr.nodes.contraction import sum as sum_over
from symnet.expr.nodes.elementwise import absolute, elementwise, is_op, log, negative, power, reciprocal
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.extents import same_extent
from symnet.expr.nodes.linalg import Determinant, Solve, det, identities, inv, logdet, matrix_transpose
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import prod
from symnet.simplify.algebra.contraction import indexed_operands
from symnet.simplify.forms.coefficients import unsigned
from symnet.simplify.rewrite import Rewrite

# --------------------------------------------------------------------------- what a matrix is made of


def _scalars_outside(matrix: Node) -> tuple[list[Node], Node] | None:
    """(scalars, rest) of s·A; None where there is no scalar."""
    if not is_op(matrix, "mul"):
        return None
    scalars = [o for o in matrix.operands if not o.rank]
    rest = [o for o in matrix.operands if o.rank]
    if not scalars or not rest:
        return None
    body = rest[0] if len(rest) == 1 else elementwise("mul", *rest)
    return (scalars, body) if body.shape == matrix.shape else None


def _square_factors(matrix: Node) -> list[Node] | None:
    """The factors of a product of square matrices, left to right, each with the whole stack; None for anything else."""
    if not isinstance(matrix, Einsum) or len(matrix.operands) < 2 or not matrix.contracted:
        return None
    *stack, row, column = matrix.output
    waiting = indexed_operands(matrix)
    factors: list[Node] = []
    while waiting:
        step = next(((o, i) for o, i in waiting if _is_of_stack(i, stack) and row in i[-2:]), None)
        if step is None or not same_extent(*step[0].shape[-2:]):
            return None
        waiting.remove(step)
        operand, (*_, first, second) = step
        factors.append(operand if first == row else matrix_transpose(operand))
        row = second if first == row else first
    return factors if row == column else None


def _is_of_stack(indices: Indices, stack: list[int]) -> bool:
    """Whether the operand is a matrix for each of a stack: the stack's indices, then two others."""
    return list(indices[:-2]) == stack and len(set(indices)) == len(indices) == len(stack) + 2


def _diagonal(matrix: Node) -> Node | None:
    """The vector v of diag(v): a product with the identity matrix."""
    if not is_op(matrix, "mul") or matrix.rank != 2:
        return None
    rest = [o for o in matrix.operands if o.kind != "delta"]
    if not 0 < len(rest) < len(matrix.operands):
        return None
    whole = rest[0] if len(rest) == 1 else elementwise("mul", *rest)
    return contract([[0, 0]], [0], broadcast_to(whole, matrix.shape))


def _transposed(matrix: Node) -> Node | None:
    """A of Aᵀ, where no axis of the stack moves."""
    if not isinstance(matrix, Einsum) or not matrix.is_transpose or matrix.inputs[0][:-2] != matrix.output[:-2]:
        return None
    return matrix.operands[0]


def _repeated(matrix: Node) -> Node | None:
    """The matrices of which a stack holds copies."""
    if not isinstance(matrix, Expand) or matrix.axes[-2:] != (matrix.rank - 2, matrix.rank - 1):
        return None
    return matrix.operands[0] if matrix.operands[0].rank >= 2 else None


def _times(scalars: list[Node], x: Node) -> Node:
    return elementwise("mul", *scalars, x) if scalars else x


# --------------------------------------------------------------------------- inverses


def multiply_by_inverse(node: Solve) -> Node | None:
    """solve(A, B) → A⁻¹B: one spelling, in which inverses cancel.  Always (the numeric form goes back)."""
    if node.is_inverse:
        return None
    stack, i, j = node.stack, node.rank, node.rank + 1
    parts = [[*stack, i, j], [*stack, j, *node.columns]]
    return contract(parts, [*stack, i, *node.columns], inv(node.matrix), node.operands[1])


def inverse_of_inverse(node: Solve) -> Node | None:
    """(A⁻¹)⁻¹ → A.  Always."""
    inner = node.matrix
    return inner.matrix if node.is_inverse and isinstance(inner, Solve) and inner.is_inverse else None


def inverse_of_identity(node: Solve) -> Node | None:
    """I⁻¹ → I.  Always."""
    return node.matrix if node.is_inverse and node.matrix.kind == "delta" else None


def repeat_after_inverting(node: Solve) -> Node | None:
    """Copies of A, each inverted → copies of A⁻¹.  Condition: the copies stand along axes of the stack."""
    one = _repeated(node.matrix) if node.is_inverse else None
    return None if one is None else expand(inv(one), node.shape, node.matrix.axes)


def take_scalars_out_of_inverse(node: Solve) -> Node | None:
    """(s·A)⁻¹ → s⁻¹·A⁻¹.  Condition: s is of rank 0."""
    split = _scalars_outside(node.matrix) if node.is_inverse else None
    return None if split is None else _times([reciprocal(s) for s in split[0]], inv(split[1]))


def take_sign_out_of_inverse(node: Solve) -> Node | None:
    """(B - A)⁻¹ → -(A - B)⁻¹.  Condition: the sum's leading term is negative: A - B alone is left."""
    flipped = unsigned(node.matrix) if node.is_inverse else None
    return None if flipped is None else negative(inv(flipped))


def inverse_of_transpose(node: Solve) -> Node | None:
    """(Aᵀ)⁻¹ → (A⁻¹)ᵀ.  Always: products see through the transposition."""
    inner = _transposed(node.matrix) if node.is_inverse else None
    return None if inner is None else matrix_transpose(inv(inner))


def inverse_of_product(node: Solve) -> Node | None:
    """(A B)⁻¹ → B⁻¹A⁻¹.  Condition: every factor is square."""
    factors = _square_factors(node.matrix) if node.is_inverse else None
    return None if factors is None else _chain([inv(f) for f in reversed(factors)])


def _chain(factors: list[Node]) -> Node:
    count = len(factors)
    stack = range(count + 1, count + factors[0].rank - 1)
    return contract([(*stack, k, k + 1) for k in range(count)], (*stack, 0, count), *factors)


def inverse_of_diagonal(node: Solve) -> Node | None:
    """diag(v)⁻¹ → diag(1/v).  Always: v has no zero where the inverse is defined."""
    v = _diagonal(node.matrix) if node.is_inverse else None
    if v is None:
        return None
    return elementwise("mul", identity(node.shape[0]), expand(reciprocal(v), node.shape, (0,)))


# --------------------------------------------------------------------------- determinants


def determinant_of_identity(node: Determinant) -> Node | None:
    """det I → 1, log|det I| → 0.  Always."""
    return number(1 if node.op == "det" else 0) if node.operands[0].kind == "delta" else None


def repeat_after_eliminating(node: Determinant) -> Node | None:
    """det of copies of A → copies of det A; of logdet too.  Condition: the copies stand along axes of the stack."""
    matrix = node.operands[0]
    one = _repeated(matrix)
    if one is None:
        return None
    return expand(Determinant(node.args[0], one), node.shape, matrix.axes[:-2])


def determinant_of_transpose(node: Determinant) -> Node | None:
    """det Aᵀ → det A, log|det Aᵀ| → log|det A|.  Always."""
    inner = _transposed(node.operands[0])
    return None if inner is None else Determinant(node.args[0], inner)


def determinant_of_inverse(node: Determinant) -> Node | None:
    """det A⁻¹ → 1/det A, log|det A⁻¹| → -log|det A|.  Always."""
    inner = node.operands[0]
    if not isinstance(inner, Solve) or not inner.is_inverse:
        return None
    return reciprocal(det(inner.matrix)) if node.op == "det" else negative(logdet(inner.matrix))


def determinant_of_product(node: Determinant) -> Node | None:
    """det(A B) → det A·det B, log|det(A B)| → log|det A| + log|det B|.  Condition: every factor is square."""
    factors = _square_factors(node.operands[0])
    if factors is None:
        return None
    return elementwise("mul" if node.op == "det" else "add", *(Determinant(node.args[0], f) for f in factors))


def take_scalars_out_of_determinant(node: Determinant) -> Node | None:
    """det(s·A) → sⁿ·det A, log|det(s·A)| → n·log|s| + log|det A|, A of n rows.  Condition: s is of rank 0."""
    split = _scalars_outside(node.operands[0])
    if split is None:
        return None
    scalars, body = split
    n = size(body.shape[-1])
    if node.op == "det":
        return _times([power(s, n) for s in scalars], det(body))
    return elementwise("add", *(elementwise("mul", n, log(absolute(s))) for s in scalars), logdet(body))


def take_sign_out_of_logdet(node: Determinant) -> Node | None:
    """log|det(B - A)| → log|det(A - B)|.  Condition: the sum's leading term is negative: A - B alone is left."""
    flipped = unsigned(node.operands[0]) if node.op == "logdet" else None
    return None if flipped is None else logdet(flipped)


def determinant_of_diagonal(node: Determinant) -> Node | None:
    """det diag(v) → Π v, log|det diag(v)| → Σ log|v|.  Always."""
    v = _diagonal(node.operands[0])
    if v is None:
        return None
    return prod(v) if node.op == "det" else sum_over(log(absolute(v)))


def log_of_determinant(node: Node) -> Node | None:
    """log|det A| by log and det → logdet A.  Always: the determinant may overflow."""
    inner = node.operands[0]
    if not is_op(inner, "abs") or not isinstance(inner.operands[0], Determinant) or inner.operands[0].op != "det":
        return None
    return logdet(inner.operands[0].operands[0])


# --------------------------------------------------------------------------- products with an inverse


def cancel_inverse(node: Einsum) -> Node | None:
    """A⁻¹A → I, A A⁻¹ → I inside any contraction.

    Condition: the two meet in a summed index that nothing else has; A may be inside a product that is opened for it.
    """
    parts = indexed_operands(node)
    if not any(is_inverse(o) or _is_product(o) for o, _ in parts):
        return None
    for choice in (parts, opened_beside_inverses(node)):
        found = _cancelled(choice, node.output)
        if found is not None:
            return contract([i for _, i in found], node.output, *(o for o, _ in found))
    return None


def is_inverse(operand: Node) -> bool:
    """Whether a node is A⁻¹, of one matrix or of a stack."""
    return isinstance(operand, Solve) and operand.is_inverse


def _is_product(operand: Node) -> bool:
    """A product of matrices beside which an inverse may stand."""
    return isinstance(operand, Einsum) and len(operand.operands) > 1 and operand.rank >= 2 and bool(operand.contracted)


def opened_beside_inverses(node: Einsum) -> list[IndexedOperand]:
    """The operands with the products among them opened, where an inverse is involved; nothing where none is."""
    parts = indexed_operands(node)
    inside = [o for operand, _ in parts if _is_product(operand) for o in operand.operands]
    if not inside or not any(map(is_inverse, (*inside, *node.operands))):
        return []
    fresh = 1 + max(i for _, indices in parts for i in indices)
    found: list[IndexedOperand] = []
    for operand, indices in parts:
        if not isinstance(operand, Einsum) or not _is_product(operand):
            found.append((operand, indices))
            continue
        names = dict(zip(operand.output, indices, strict=True))
        for i in operand.contracted:
            names[i], fresh = fresh, fresh + 1
        found += [(o, tuple(names[i] for i in mine)) for o, mine in indexed_operands(operand)]
    return found


def _cancelled(parts: list[IndexedOperand], output: Indices) -> list[IndexedOperand] | None:
    """The parts with one pair A⁻¹, A replaced by the identity."""
    uses: dict[int, int] = {}
    for _, indices in parts:
        for i in indices:
            uses[i] = uses.get(i, 0) + 1
    for a, (inverse, ij) in enumerate(parts):
        if not isinstance(inverse, Solve) or not inverse.is_inverse:
            continue
        for b, (matrix, kl) in enumerate(parts):
            if matrix is not inverse.matrix:
                continue
            for mine, theirs in _meetings(ij, kl, known(matrix, "symmetric")):
                if uses[ij[mine]] == 2 and ij[mine] not in output:
                    rest = [p for n, p in enumerate(parts) if n not in (a, b)]
                    left = (*ij[:-2], ij[-3 - mine], kl[-3 - theirs])
                    return [*rest, (identities(matrix.shape), left)]
    return None


def _meetings(ij: Indices, kl: Indices, symmetric: bool) -> list[tuple[int, int]]:
    """(axis of the inverse, axis of the matrix) that share an index as in A⁻¹A or A A⁻¹, of the same of a stack."""
    if ij[:-2] != kl[:-2]:
        return []
    pairs = [(-2, -1), (-1, -2), *([(-2, -2), (-1, -1)] if symmetric else [])]
    return [(a, b) for a, b in pairs if ij[a] == kl[b]]


# --------------------------------------------------------------------------- parts


def contract_separate_parts_apart(node: Einsum) -> Node | None:
    """Σⱼₗ A[i, j]·a[j]·B[k, l]·b[l] → (A a)[i]·(B b)[k]: an outer product of two contractions.

    Condition: the operands fall into parts without a common index, and one part of several operands sums.
    """
    parts = indexed_operands(node)
    groups = _connected(parts)
    if len(groups) < 2:
        return None
    apart: list[IndexedOperand] = []
    for group in groups:
        indices = tuple(dict.fromkeys(i for _, mine in group for i in mine))
        kept = tuple(i for i in indices if i in node.output)
        if len(group) > 1 and kept != indices:
            apart.append((contract([i for _, i in group], kept, *(o for o, _ in group)), kept))
        else:
            apart += group
    if len(apart) == len(parts):
        return None
    return contract([i for _, i in apart], node.output, *(o for o, _ in apart))


def _connected(parts: list[IndexedOperand]) -> list[list[IndexedOperand]]:
    groups: list[tuple[set[int], list[IndexedOperand]]] = []
    for part in parts:
        mine = set(part[1])
        touching = [g for g in groups if g[0] & mine]
        groups = [g for g in groups if not g[0] & mine]
        merged = mine.union(*(g[0] for g in touching))
        groups.append((merged, [*(p for g in touching for p in g[1]), part]))
    return [members for _, members in groups]


INVERSES = (
    Rewrite(multiply_by_inverse, ("solve",), domain="equal", role="exposing"),
    Rewrite(inverse_of_inverse, ("solve",), domain="extends", role="shorter"),
    Rewrite(inverse_of_identity, ("solve",), domain="equal", role="shorter"),
    Rewrite(repeat_after_inverting, ("solve",), domain="equal", role="spelling"),
    Rewrite(take_scalars_out_of_inverse, ("solve",), domain="equal", role="spelling"),
    Rewrite(take_sign_out_of_inverse, ("solve",), domain="equal", role="spelling"),
    Rewrite(inverse_of_transpose, ("solve",), domain="equal", role="shorter"),
    Rewrite(inverse_of_product, ("solve",), domain="equal", role="exposing"),
    Rewrite(inverse_of_diagonal, ("solve",), domain="extends", role="shorter"),
    Rewrite(determinant_of_identity, ("determinant",), domain="equal", role="shorter"),
    Rewrite(repeat_after_eliminating, ("determinant",), domain="equal", role="spelling"),
    Rewrite(determinant_of_transpose, ("determinant",), domain="equal", role="shorter"),
    Rewrite(determinant_of_inverse, ("determinant",), domain="extends", role="shorter"),
    Rewrite(determinant_of_product, ("determinant",), domain="equal", role="shorter"),
    Rewrite(take_scalars_out_of_determinant, ("determinant",), domain="equal", role="shorter"),
    Rewrite(take_sign_out_of_logdet, ("determinant",), domain="equal", role="spelling"),
    Rewrite(determinant_of_diagonal, ("determinant",), domain="equal", role="shorter"),
    Rewrite(log_of_determinant, ("log",), domain="equal", role="shorter"),
    Rewrite(cancel_inverse, ("einsum",), below=("solve",), needs=("symmetric",), domain="extends", role="shorter"),
    Rewrite(contract_separate_parts_apart, ("einsum",), domain="equal", role="shorter"),
)
