"""Contraction: a sum over products of operands, one kind of node (`Einsum`), and the functions that build it.

In: operands and integer indices.  Out: `Einsum(inputs, output, *operands)`, where
out[output] = Σ over the other indices of Π operand[its indices].
Matmul, outer and inner products, transposition, traces, diagonals and sums are all this node.  An index names one
extent; nothing broadcasts.  Every index of the output is one of an operand: what repeats along an axis that no operand
has is an `Expand`.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from sympy import Tuple

from symnet import dtypes
from symnet.errors import ArgumentError, ShapeError, explain, truth
from symnet.expr.nodes.constants import as_node, size
from symnet.expr.nodes.elementwise import convert, elementwise, reciprocal
from symnet.expr.nodes.expansion import keep_axes
from symnet.expr.nodes.extents import (
    ints_arg,
    ints_of,
    normalize_axes,
    product,
    same_extent,
    subscripts_arg,
    subscripts_of,
    whole_number,
)
from symnet.expr.nodes.node import Extent, Node, Shape, name_of
from symnet.expr.nodes.operand_dtypes import check_one_real
from symnet.expr.nodes.operators import multiply, of_truth_values
from symnet.expr.nodes.result_dtypes import COUNTED, common_dtype

Indices = tuple[int, ...]
IndexedOperand = tuple[Node, Indices]  # `A` with (0, 1) for A[i, j]
IndicesOfOperand = tuple[Indices, Node]  # the same, in the order of an einsum's args


class Einsum(Node):
    """args are (a Tuple of index Tuples, one per operand; the output's index Tuple; *operands).

    Attributes:
        inputs: the indices of each operand's axes.
        output: the indices of the result's axes.
        contracted: the indices summed over, in order of first appearance.
    """

    __slots__ = ("contracted", "inputs", "output")
    kind = "einsum"
    inputs: tuple[Indices, ...]
    output: Indices
    contracted: Indices

    @classmethod
    def _derive(cls, inputs: Tuple, output: Tuple, *operands: Node) -> tuple[Shape, str | None]:
        subscripts = subscripts_of(inputs)
        assert len(subscripts) == len(operands) >= 1
        extents = index_extents(subscripts, operands)
        out = ints_of(output)
        assert len(set(out)) == len(out) and all(i in extents for i in out), (subscripts, out)
        if len({o.dtype for o in operands}) > 1:
            check_one_real(f"einsum({subscripts_text(subscripts, out)!r}, …)", operands)
        dtype = common_dtype(*operands)
        # Sums and products of truth values are counts; a transposition or a diagonal stays bool.
        counts = dtype == "bool" and (len(operands) > 1 or set(out) != set(subscripts[0]))
        return tuple(extents[i] for i in out), "int64" if counts else dtype

    def _read(self) -> None:
        self.inputs, self.output = subscripts_of(self.args[0]), ints_of(self.args[1])
        self.contracted = tuple(dict.fromkeys([i for n in self.inputs for i in n if i not in self.output]))

    @property
    def extents(self) -> dict[int, Extent]:
        """The extent of every index."""
        return index_extents(self.inputs, self.operands)

    @property
    def is_transpose(self) -> bool:
        """One operand, nothing summed, no diagonal: a permutation of axes."""
        return len(self.operands) == 1 and sorted(self.inputs[0]) == sorted(self.output)

    @property
    def is_sum(self) -> bool:
        """One operand, some axes summed, the others in order."""
        indices = self.inputs[0]
        kept = tuple(i for i in indices if i in set(self.output))
        return len(self.operands) == 1 and len(set(indices)) == len(indices) and kept == self.output != indices

    @property
    def by_index(self) -> int | None:
        """Which operand is a `one_hot` by whose labels i the others are scattered: out[j, k] = Σᵣ 1[i[r] = j]·g[r, k].

        Row r of g is added to row i[r] of the result: the last index of the `one_hot`, over classes (j), is kept, and
        its others (r) are summed.  None where there is no such operand.
        """
        kept = set(self.output)
        for place, (indices, operand) in enumerate(zip(self.inputs, self.operands, strict=True)):
            *rows, classes = indices or (None,)
            if operand.kind == "one_hot" and rows and classes in kept and not kept & set(rows) and classes not in rows:
                return place
        return None


def index_extents(inputs: Sequence[Indices], operands: Sequence[Node]) -> dict[int, Extent]:
    """The extent of every index.

    Raises:
        ShapeError: when two operands disagree on an index.
    """
    extents: dict[int, Extent] = {}
    for indices, operand in zip(inputs, operands, strict=True):
        for index, extent in zip(indices, operand.shape, strict=True):
            known = extents.setdefault(index, extent)
            if known is not extent and not same_extent(known, extent):
                raise ShapeError(_two_extents(inputs, operands, index, known))
    return extents


def _two_extents(inputs: Sequence[Indices], operands: Sequence[Node], index: int, known: Extent) -> str:
    """What to say of an index whose extents are not all `known`."""
    places = [
        (o.shape[axis], axis, o.shape)
        for indices, o in zip(inputs, operands, strict=True)
        for axis, i in enumerate(indices)
        if i == index
    ]
    other = next(place for place in places if not same_extent(place[0], known))
    return explain(
        f"einsum({subscripts_text(inputs)!r}, …)",
        f"one extent for index {letter(index)}",
        " and ".join(f"{extent} (axis {axis} of shape {shape})" for extent, axis, shape in (places[0], other)),
        "Transpose an operand, or correct its shape.",
    )


def letter(index: int) -> str:
    """How an index prints: i, j, k, … then the rest of the alphabet, then i26, i27, …"""
    letters = "ijklmnpqrstuvwxyzabcdefgho"
    return letters[index] if index < len(letters) else f"i{index}"


def subscripts_text(inputs: Sequence[Indices], output: Indices | None = None) -> str:
    """`ij,jk->ik` for ((0, 1), (1, 2)) and (0, 2)."""
    left = ",".join("".join(map(letter, indices)) for indices in inputs)
    return left if output is None else f"{left}->{''.join(map(letter, output))}"


def contract(inputs: Sequence[Sequence[int]], output: Sequence[int], *operands: Node) -> Einsum:
    """The Einsum node, its indices numbered by first appearance.

    inputs [[7, 5], [5, 9]] and output [7, 9] become ((0, 1), (1, 2)) and (0, 2).
    """
    order: dict[int, int] = {}
    renumbered = tuple([tuple([order.setdefault(i, len(order)) for i in indices]) for indices in inputs])
    out = tuple([order[i] for i in output])
    return Einsum(subscripts_arg(renumbered), ints_arg(out), *operands)


def einsum(subscripts: str, *operands: Any) -> Node:
    """Einstein summation with explicit or implicit output, as in NumPy (without the ellipsis).

    Of bool operands alone the result is bool, as in NumPy: whether any of the products is true.  (`sum` counts them.)

    Args:
        subscripts: such as "ij,jk->ik"; a letter names one extent.
        *operands: nodes or numbers, one for each group of letters.

    Raises:
        ArgumentError: malformed subscripts.
        ShapeError: an index with two extents, or a rank that does not fit.

    Example:
        >>> import symnet as sn
        >>> A, x = sn.tensor("A", 3, 4), sn.tensor("x", 4)
        >>> sn.einsum("ij,j->i", A, x).shape
        (3,)
    """
    if not isinstance(subscripts, str):
        mend = 'Write einsum("ij,jk->ik", a, b).'
        raise ArgumentError(explain("einsum(…)", "subscripts as text first", type(subscripts).__name__, mend))
    call = f"einsum({subscripts!r}, …)"
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    groups = left.split(",")
    nodes = [as_node(o) for o in operands]
    if not all(c in string.ascii_letters for c in "".join(groups) + right):
        raise ArgumentError(explain(call, "letters, commas and one ->", repr(subscripts), 'Write "ij,jk->ik".'))
    if len(groups) != len(nodes):
        raise ArgumentError(
            explain(call, f"{len(groups)} operands", str(len(nodes)), "Give one operand per group of letters.")
        )
    for group, node in zip(groups, nodes, strict=True):
        if len(group) != node.rank:
            raise ShapeError(
                explain(
                    call,
                    f"an operand of rank {len(group)} for {group!r}",
                    f"shape {node.shape}",
                    "Use one letter per axis.",
                )
            )
    letters = "".join(groups)
    out = right if arrow else "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if len(set(out)) != len(out) or not set(out) <= set(letters):
        raise ArgumentError(
            explain(call, "output letters that stand in the inputs, each once", repr(out), "Correct the part after ->.")
        )
    inputs, output = [[ord(c) for c in g] for g in groups], [ord(c) for c in out]
    return of_truth_values(lambda *xs: contract(inputs, output, *xs), *operands)


# --------------------------------------------------------------------------- sugar


def transpose(x: Any, *axes: Any) -> Node:
    """Axes permuted (reversed when none are given); a rank-0 or rank-1 node is returned as it is.

    Example:
        >>> import symnet as sn
        >>> sn.transpose(sn.tensor("x", 2, 3, 4), 2, 0, 1).shape
        (4, 2, 3)
    """
    x = as_node(x)
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list))):
        axes = tuple(axes[0] or ())
    whole = [whole_number(a) for a in axes]
    inside = [a % x.rank for a in whole if a is not None and -x.rank <= a < x.rank]
    order = inside if axes else list(reversed(range(x.rank)))
    if sorted(order) != list(range(x.rank)):
        raise ShapeError(
            explain(
                f"transpose({axes})", f"a permutation of {tuple(range(x.rank))}", str(axes), "Name every axis once."
            )
        )
    if order == list(range(x.rank)):
        return x
    return contract([range(x.rank)], order, x)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """Σ over some axes (all of them by default).

    Args:
        x: any shape.
        axis: an int or a tuple of ints; negative ones count from the end.
        keepdims: keep the summed axes with extent 1.

    Example:
        >>> import symnet as sn
        >>> X = sn.tensor("X", sn.dim("m"), 3)
        >>> sn.sum(X).shape, sn.sum(X, axis=1).shape, X.sum(0, keepdims=True).shape
        ((), (m,), (1, 3))
    """
    x = widened(as_node(x))
    axes = normalize_axes("sum(…)", axis, x.rank)
    if not axes:
        return convert(x, "int64") if x.dtype == "bool" else x
    total: Node = contract([range(x.rank)], [a for a in range(x.rank) if a not in axes], x)
    return keep_axes(total, axes) if truth("sum(…)", "keepdims", keepdims) else total


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """The arithmetic mean over some axes (all by default): their sum over their number of elements.

    Raises:
        ShapeError: over an axis of extent 0 (at the call, where the extent is symbolic).

    Example:
        >>> import symnet as sn
        >>> X = sn.tensor("X", sn.dim("m"), 3)
        >>> sn.grad(sn.mean(X), X)
        1/(3*m)*ones(m, 3)
    """
    x = as_node(x)
    axes = normalize_axes("mean(…)", axis, x.rank)
    count = product(x.shape[a] for a in axes)
    if count == 0:
        raise ShapeError(
            explain("mean(…)", "at least one element", f"shape {x.shape}", "The mean of nothing is not defined.")
        )
    x = convert(x, dtypes.DEFAULT_REAL) if x.dtype in COUNTED else x  # as NumPy adds them up
    if not axes:
        return x
    return elementwise("mul", sum(x, axes, keepdims), reciprocal(size(count)))


def widened(x: Node) -> Node:
    """What a sum, trace or running sum of `x` adds up: int32 as int64, as in NumPy (`@` and `einsum` stay int32)."""
    return convert(x, "int64") if x.dtype == "int32" else x


def dot(a: Any, b: Any) -> Node:
    """NumPy's `dot` for ranks 0 to 2: a product with a scalar, an inner product, or a matrix product.

    Of stacks of matrices it is `a @ b`; NumPy's pairs every matrix of a with every one of b.
    """
    ranks = as_node(a).rank, as_node(b).rank
    return matmul(a, b) if all(ranks) else multiply(a, b)


def outer(a: Any, b: Any) -> Node:
    """a bᵀ of two vectors.  NumPy's `outer` flattens other arrays; here they are reshaped first.

    Example:
        >>> import symnet as sn
        >>> sn.outer(sn.tensor("a", 3), sn.tensor("b", 4)).shape
        (3, 4)
    """
    a, b = as_node(a), as_node(b)
    if a.rank != 1 or b.rank != 1:
        raise ShapeError(
            explain("outer(a, b)", "two vectors", f"shapes {a.shape} and {b.shape}", "Reshape them to vectors first.")
        )
    return of_truth_values(lambda *xs: contract([[0], [1]], [0, 1], *xs), a, b)


def trace(x: Any) -> Node:
    """Σᵢ x[i, i] of a square matrix; of a stack of them, each one's (as `numpy.linalg.trace`: the last two axes).

    Example:
        >>> import symnet as sn
        >>> A = sn.tensor("A", 3, 3)
        >>> sn.grad(sn.trace(A @ A), A)
        2*A.T
    """
    x = as_node(x)
    if x.rank < 2 or not same_extent(*x.shape[-2:]):
        raise ShapeError(explain("trace(x)", "a square matrix", f"shape {x.shape}", "Slice it to a square first."))
    stack = range(x.rank - 2)
    return contract([[*stack, x.rank, x.rank]], stack, widened(x))


def matmul(a: Any, b: Any) -> Node:
    """a @ b with NumPy's meaning for ranks 1 and up; leading axes of equal extents are batched.

    Raises:
        ShapeError: for scalars, or inner extents that differ.

    Example:
        >>> import symnet as sn
        >>> (sn.tensor("X", sn.dim("m"), 4) @ sn.tensor("W", 4, 3)).shape
        (m, 3)
    """
    a, b = as_node(a), as_node(b)
    if not a.rank or not b.rank:
        raise ShapeError(
            explain(
                f"{name_of(a, 'a')} @ {name_of(b, 'b')}",
                "operands of rank 1 or more",
                f"shapes {a.shape} and {b.shape}",
                "Multiply by a scalar with *.",
            )
        )
    inner_b = max(b.rank - 2, 0)
    if not same_extent(a.shape[-1], b.shape[inner_b]):
        raise ShapeError(
            explain(
                f"{name_of(a, 'a')} @ {name_of(b, 'b')}",
                "equal inner extents",
                f"shapes {a.shape} and {b.shape}: {a.shape[-1]} against {b.shape[inner_b]}",
                _matmul_hint(a, b),
            )
        )
    return of_truth_values(_batched_matmul, a, b)


def _matmul_hint(a: Node, b: Node) -> str:
    left, right = name_of(a, ""), name_of(b, "")
    if b.rank == 2 and same_extent(a.shape[-1], b.shape[1]):
        return f"Did you mean {left} @ {right}.T?" if left and right else "Transpose the right operand."
    if a.rank == 2 and same_extent(a.shape[0], b.shape[max(b.rank - 2, 0)]):
        return f"Did you mean {left}.T @ {right}?" if left and right else "Transpose the left operand."
    return "The last extent of the left operand must be the last but one of the right one."


def _batched_matmul(a: Node, b: Node) -> Node:
    """The axes of a stack are the indices 0, 1, …, aligned at the end; those of its matrices are far above them."""
    row, inner, column = 1000, 1001, 1002
    batch = max(a.rank, b.rank) - 2
    a_indices = [*range(batch - (a.rank - 2), batch), row, inner] if a.rank > 1 else [inner]
    b_indices = [*range(batch - (b.rank - 2), batch), inner, column] if b.rank > 1 else [inner]
    a, a_indices = _without_unit_batch(a, a_indices, b, b_indices)
    b, b_indices = _without_unit_batch(b, b_indices, a, a_indices)
    present = set(a_indices) | set(b_indices)
    output = [i for i in (*range(max(batch, 0)), row, column) if i in present]
    return contract([a_indices, b_indices], output, a, b)


def _without_unit_batch(x: Node, indices: list[int], other: Node, theirs: list[int]) -> tuple[Node, list[int]]:
    """x without the stack's axes of extent 1 that meet a longer one of `other`: a sum over one element drops each.

    So (1, 3, 4) @ (5, 4, 2) broadcasts, though no index of an `Einsum` does.
    """
    extent = dict(zip(theirs, other.shape, strict=True))
    drop = [i for i, n in zip(indices, x.shape, strict=True) if i < 1000 and n == 1 and extent.get(i, 1) != 1]
    if not drop:
        return x, indices
    kept = [i for i in indices if i not in drop]
    return contract([indices], kept, x), kept
