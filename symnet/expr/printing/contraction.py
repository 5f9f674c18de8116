"""How contractions read: matrix products, transposes, sums, traces, outer products; einsum for the rest.

In: an `Einsum` node and a `View`.  Out: its `Form`.  Readings are tried in the order of `_READINGS`; each says what it
recognises.  An operand's axis that is summed and met nowhere else is summed first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symnet.expr.nodes.contraction import Einsum, Indices, IndicesOfOperand
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.node import Node
from symnet.expr.printing.forms import Form, FormPart, call, product, same, transposed
from symnet.expr.printing.indexing import range_text
from symnet.expr.printing.view import View


@dataclass(frozen=True)
class WrittenOperand:
    """One operand of a contraction as it will be written; `node` is None when something was done to it."""

    indices: Indices
    part: FormPart
    key: tuple[Any, ...]
    node: Node | None = None

    @property
    def is_plain(self) -> bool:
        """Whether no index stands twice: no diagonal is taken."""
        return len(set(self.indices)) == len(self.indices)


def read_einsum(node: Einsum, view: View) -> Form:
    """The shortest reading of a contraction; factors of rank 0 stand in front."""
    pairs = _inner_product(node) or list(zip(node.inputs, node.operands, strict=True))
    chain = _opened(pairs) if len(pairs) > 1 else pairs
    if len(chain) > len(pairs):
        form = _chain([_factor(*pair, view) for pair in chain], node.output, view)
        if form is not None:
            return form
    factors = [_factor(*pair, view) for pair in pairs]
    if len([f for f in factors if f.indices]) > 1:
        factors = [_summed_first(f, factors, node.output) for f in factors]
    factors = _with_diagonal(factors, view)
    scalars = [f.part for f in factors if not f.indices]
    arrays = [f for f in factors if f.indices]
    if not arrays:
        return product(1, scalars, [])
    form = next(f for reading in _READINGS if (f := reading(arrays, node.output, view)) is not None)
    return product(1, [*scalars, form], [])


def _factor(indices: Indices, node: Node, view: View) -> WrittenOperand:
    return WrittenOperand(indices, _operand(node, view), view.factor_key(node), node)


# What multiplies as a matrix or a vector in a text; sums of functions read better as sums.
_LINEAR = ("tensor", "named", "einsum", "solve")


def _inner_product(node: Einsum) -> list[IndicesOfOperand]:
    """sum(a*b) of vectors reads as a @ b, sum(A*B.T) of matrices as trace(A @ B); nothing for other sums."""
    operand, indices = node.operands[0], node.inputs[0]
    if not node.is_sum or node.output or not is_op(operand, "mul") or len(operand.operands) != 2:
        return []
    factors = operand.operands
    if any(o.shape != operand.shape or not (o.kind in _LINEAR or is_op(o, "add")) for o in factors):
        return []
    turned = any(isinstance(o, Einsum) and o.is_transpose for o in factors)
    return [(indices, o) for o in factors] if operand.rank == 1 or (operand.rank == 2 and turned) else []


_MOST_CHAINED = 8  # factors that one product of matrices shows without parentheses


def _opened(pairs: list[IndicesOfOperand]) -> list[IndicesOfOperand]:
    """The operands with products of matrices among them opened: A @ (B @ c) reads as A @ B @ c."""
    opened = list(pairs)
    fresh = 1 + max((i for indices, _ in pairs for i in indices), default=0)
    place = 0
    while place < len(opened):
        indices, node = opened[place]
        if not _is_product_of_matrices(node) or len(opened) + len(node.operands) - 1 > _MOST_CHAINED:
            place += 1
            continue
        assert isinstance(node, Einsum)
        names = dict(zip(node.output, indices, strict=True))
        for i in node.contracted:
            names[i], fresh = fresh, fresh + 1
        inside = [(tuple(names[i] for i in mine), o) for mine, o in zip(node.inputs, node.operands, strict=True)]
        opened[place : place + 1] = inside
    return opened


def _is_product_of_matrices(node: Node) -> bool:
    if not isinstance(node, Einsum) or not node.contracted or len(node.operands) < 2 or not node.rank:
        return False
    return all(0 < o.rank <= 2 and len(set(i)) == len(i) for o, i in zip(node.operands, node.inputs, strict=True))


def _operand(node: Node, view: View) -> FormPart:
    """A part; the transpose of a matrix is written as one, so that it can be undone."""
    if isinstance(node, Einsum) and node.is_transpose and node.rank == 2:
        return transposed(view.ref(node.operands[0]))
    return view.ref(node)


def _with_diagonal(factors: list[WrittenOperand], view: View) -> list[WrittenOperand]:
    """(A.T*v) @ A reads as A.T @ diag(v) @ A: vectors between a matrix and its own transpose stand apart."""
    if len(factors) != 2 or any(f.node is None or len(f.indices) != 2 for f in factors):
        return factors
    for scaled, other in (factors, factors[::-1]):
        matrix, vectors = _scaled_matrix(scaled.node, other.node)
        met = [axis for axis, index in enumerate(scaled.indices) if index in other.indices]
        if matrix is not None and met == [next(iter(vectors))]:
            (axis,) = met
            rest = [WrittenOperand((scaled.indices[axis],), view.ref(v), view.factor_key(v), v) for v in vectors[axis]]
            return [WrittenOperand(scaled.indices, _operand(matrix, view), scaled.key, matrix), *rest, other]
    return factors


def _scaled_matrix(scaled: Any, other: Any) -> tuple[Node | None, dict[int, list[Node]]]:
    """(matrix, {axis: vectors}) when `scaled` is `other`, or its transpose, times vectors along one axis."""
    matrix = next((o for o in scaled.operands if _untransposed(o) is _untransposed(other)), None)
    if not is_op(scaled, "mul") or matrix is None or not same_shape(matrix.shape, scaled.shape):
        return None, {}
    vectors: dict[int, list[Node]] = {}
    for factor in scaled.operands:
        if factor is matrix:
            continue
        axis, vector = (factor.axes[0], factor.operands[0]) if factor.kind == "expand" and factor.axes else (1, factor)
        if vector.rank != 1:
            return None, {}
        vectors.setdefault(axis, []).append(vector)
    return (matrix, vectors) if len(vectors) == 1 else (None, {})


def _untransposed(node: Node) -> Node:
    return node.operands[0] if isinstance(node, Einsum) and node.is_transpose and node.rank == 2 else node


def _summed_first(factor: WrittenOperand, factors: Sequence[WrittenOperand], output: Indices) -> WrittenOperand:
    met = Counter(i for f in factors for i in f.indices)
    alone = [i for i in factor.indices if met[i] == 1 and i not in output]
    if not alone:
        return factor
    kept = tuple(i for i in factor.indices if i not in alone)
    return WrittenOperand(kept, reduction("sum", factor.part, [factor.indices.index(i) for i in alone]), factor.key)


def reduction(op: str, part: FormPart, axes: Sequence[int], count: Any = None) -> Form:
    """op(part, axis=axes); all axes are not named."""
    named = None if len(axes) == part.rank else tuple(axes)
    return Form("reduce", (part,), (op, named, count), part.rank - len(axes))


# --------------------------------------------------------------------------- one operand


def _transpose(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """Axes permuted: x.T, transpose(x, 0, 2, 1), or x itself."""
    (factor, *more) = factors
    if more or not factor.is_plain or set(factor.indices) != set(output):
        return None
    if factor.indices == output:
        return product(1, [factor.part], [])
    if factor.indices == output[::-1]:
        return transposed(factor.part)
    return call("transpose", factor.part, rank=len(output), axes=tuple(factor.indices.index(i) for i in output))


def _one_element(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """Axes of one element dropped: x[0], x[:, 3]; what was only put there is taken away again."""
    (factor, *more) = factors
    node: Any = factor.node
    if more or node is None or not factor.is_plain or tuple(i for i in factor.indices if i in output) != output:
        return None
    if any(node.shape[factor.indices.index(i)] != 1 for i in factor.indices if i not in output):
        return None
    if node.kind == "expand" and all((a in node.new_axes) != (i in output) for a, i in enumerate(factor.indices)):
        return same(view.ref(node.operands[0]))
    if node.kind != "slice":
        items = [":" if i in output else "0" for i in factor.indices]
        return Form("index", (factor.part,), tuple(items), len(output))
    drop = [i not in output for i in factor.indices]
    return Form("index", (view.ref(node.operands[0]),), range_text(node, drop), len(output))


def squeezed(node: Node) -> tuple[Node, tuple[int, ...]] | None:
    """(x, axes) when the node is x without those axes of extent 1."""
    if not isinstance(node, Einsum) or not node.is_sum:
        return None
    x, indices, output = node.operands[0], node.inputs[0], node.output
    axes = tuple(a for a, i in enumerate(indices) if i not in output)
    return (x, axes) if all(x.shape[a] == 1 for a in axes) else None


def _sum(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """A sum of one array over some axes, the others in order, reads as sum(x, axis=1)."""
    (factor, *more) = factors
    if more or not factor.is_plain or tuple(i for i in factor.indices if i in output) != output:
        return None
    return reduction("sum", factor.part, [a for a, i in enumerate(factor.indices) if i not in output])


def _diagonal(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """The trace or the diagonal of a matrix."""
    (factor, *more) = factors
    if more or len(factor.indices) != 2 or factor.is_plain:
        return None
    return call("diag" if output else "trace", factor.part, rank=len(output))


# --------------------------------------------------------------------------- elementwise products


def _aligned(factor: WrittenOperand, order: Indices) -> FormPart | None:
    """The factor with new axes so that it broadcasts against axes in this order."""
    if factor.indices == order[::-1] and len(order) == 2:
        return transposed(factor.part)
    if tuple(i for i in order if i in factor.indices) != factor.indices:
        return None
    items = [":" if i in factor.indices else "None" for i in order]
    while items[0] == "None":
        items.pop(0)
    return Form("spread", (factor.part,), (tuple(items), False), len(items)) if "None" in items else factor.part


def _elementwise(factors: Sequence[WrittenOperand], order: Indices) -> Form | None:
    """A product in which one factor has every axis."""
    if not all(f.is_plain for f in factors) or all(set(f.indices) != set(order) for f in factors):
        return None
    parts = [_aligned(f, order) for f in sorted(factors, key=lambda f: (-len(f.indices), f.key))]
    whole = [p for p in parts if p is not None]
    return product(1, whole, []) if len(whole) == len(parts) else None


def _product(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """A product of which nothing is summed reads as an elementwise product."""
    if len(factors) < 2 or {i for f in factors for i in f.indices} != set(output):
        return None
    return _diagonal_matrix(factors, output, view) or _elementwise(factors, output)


def _diagonal_matrix(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """A vector times the identity matrix reads as diag(v)."""
    eyes = [f for f in factors if f.node is not None and f.node.kind == "delta"]
    if len(factors) != 2 or len(eyes) != 1 or len(output) != 2 or set(eyes[0].indices) != set(output):
        return None
    other = next(f for f in factors if f is not eyes[0])
    return call("diag", other.part, rank=2) if len(other.indices) == 1 else None


def _outer(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """Two vectors that share no index read as outer(a, b)."""
    by_index = {f.indices[0]: f.part for f in factors if len(f.indices) == 1}
    if len(factors) != 2 or len(by_index) != 2 or len(output) != 2:
        return None
    return call("outer", by_index[output[0]], by_index[output[1]], rank=2)


def _summed_product(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """sum(a*b, axis=1): a product in which one factor has every axis, then a sum."""
    order = max((f.indices for f in factors), key=len)
    if tuple(i for i in order if i in output) != output or not {i for f in factors for i in f.indices} <= set(order):
        return None
    inner = _elementwise(factors, order)
    return inner and reduction("sum", inner, [a for a, i in enumerate(order) if i not in output])


def _same_axes(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """Factors of rank 2 or more with the same axes, some of them summed: sum(a*b, axis=1), before any trace."""
    if len(factors) < 2 or len(factors[0].indices) < 2 or len({f.indices for f in factors}) > 1:
        return None
    return _summed_product(factors, output, view)


# --------------------------------------------------------------------------- matrix products


def _inner(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """Two vectors along one index: a @ b; a matrix product among them joins the chain: a @ M @ b."""
    if output or len(factors) != 2 or any(len(f.indices) != 1 for f in factors):
        return None
    left, right = (_links(f, view) for f in factors)
    if len(left) > 1:
        left = [p if p.rank == 1 else transposed(p) for p in reversed(left)]
    return Form("matmul", _either_way([*left, *right]), (), 0)


def _either_way(chain: Sequence[FormPart]) -> tuple[FormPart, ...]:
    """The factors of a number, a @ M.T @ b, or read from the other end, b @ M @ a, whichever transposes less."""
    turned = [p if p.rank < 2 or _is_diagonal(p) else transposed(p) for p in reversed(chain)]
    return tuple(
        min(chain, turned, key=lambda parts: sum(isinstance(p, Form) and p.kind == "transpose" for p in parts))
    )


def _is_diagonal(part: FormPart) -> bool:
    return isinstance(part, Form) and part.kind == "call" and part.data[0] == "diag"


def _links(factor: WrittenOperand, view: View) -> list[FormPart]:
    """The factors of a vector that is a matrix-vector product itself: M and b for M @ b."""
    if not isinstance(factor.node, Einsum):
        return [factor.part]
    form = read_einsum(factor.node, view)
    chained = form.kind == "matmul" and [p.rank for p in form.parts[1:]][-1:] == [1]
    return list(form.parts) if chained and all(p.rank <= 2 for p in form.parts) else [factor.part]


def _chain(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """A path of matrices, vectors at its ends or on the diagonal: A @ B.T @ c, X.T @ diag(s) @ X, trace(A @ B)."""
    if len(factors) < 2 or any(len(f.indices) > 2 or not f.is_plain for f in factors):
        return None
    return _Path(factors, output).form()


class _Path:
    """The walk along shared indices from one end of a chain to the other."""

    def __init__(self, factors: Sequence[WrittenOperand], output: Indices) -> None:
        self.output = output
        self.matrices = [f for f in factors if len(f.indices) == 2]
        self.vectors: dict[int, FormPart] = {}
        for f in factors:
            if len(f.indices) == 1:
                i = f.indices[0]
                self.vectors[i] = product(1, [self.vectors[i], f.part], []) if i in self.vectors else f.part
        self.meetings = Counter([i for f in self.matrices for i in f.indices] + list(output))
        self.written: list[FormPart] = []

    def form(self) -> Form | None:
        if not self.matrices or any(n > 2 for n in self.meetings.values()) or len(self.output) > 2:
            return None
        if any(self.meetings[i] == 0 or (self.meetings[i] == 1 and i not in self.vectors) for i in self._all()):
            return None
        start, closed = self._start()
        end = self._walk(start)
        goal = self.output[1] if len(self.output) == 2 else start if closed else end
        if self.matrices or self.vectors or end != goal:
            return None
        chain = tuple(self.written) if self.output or closed else _either_way(self.written)
        result = Form("matmul", chain, (), len(self.output))
        return call("trace", result) if closed else result

    def _all(self) -> set[int]:
        return set(self.meetings) | set(self.vectors)

    def _start(self) -> tuple[int, bool]:
        """(first index, whether the path is a cycle)."""
        if self.output:
            return self.output[0], False
        ends = [i for i in self.vectors if self.meetings[i] == 1]
        if not ends:
            return self.matrices[0].indices[0], True
        self.written.append(self.vectors.pop(ends[0]))
        return ends[0], False

    def _walk(self, index: int) -> int:
        while True:
            self._write_diagonal(index)
            step = next((f for f in self.matrices if index in f.indices), None)
            if step is None:
                if self.meetings[index] == 1 and index in self.vectors:
                    self.written.append(self.vectors.pop(index))
                return index
            self.matrices.remove(step)
            forward = step.indices[0] == index
            self.written.append(step.part if forward else transposed(step.part))
            index = step.indices[1 if forward else 0]

    def _write_diagonal(self, index: int) -> None:
        if self.meetings[index] == 2 and index in self.vectors:
            self.written.append(call("diag", self.vectors.pop(index), rank=2))


def _batched(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form | None:
    """A product of stacks of matrices reads as NumPy's A @ B, which multiplies over leading axes."""
    if len(factors) != 2 or not all(f.is_plain for f in factors):
        return None
    for a, b in (factors, factors[::-1]):
        if _matmul_output(a.indices, b.indices) == output:
            return Form("matmul", (a.part, b.part), (), len(output))
    return None


def _matmul_output(a: Indices, b: Indices) -> Indices | None:
    """The output axes of a @ b, when their indices meet as matmul wants."""
    if len(a) < 2 and len(b) < 2:
        return None
    if a[-1] != b[max(len(b) - 2, 0)]:
        return None
    batch_a, batch_b = a[:-2], b[:-2]
    longer, shorter = (batch_a, batch_b) if len(batch_a) >= len(batch_b) else (batch_b, batch_a)
    if shorter != longer[len(longer) - len(shorter) :]:
        return None
    return (*longer, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))


def _subscripts(factors: Sequence[WrittenOperand], output: Indices, view: View) -> Form:
    """What no other reading takes reads as einsum("ij,jk->ik", A, B)."""
    summed = {i for f in factors for i in f.indices} != set(output)
    renumber: dict[int, int] = {} if summed else {i: n for n, i in enumerate(output)}
    inputs = tuple(tuple(renumber.setdefault(i, len(renumber)) for i in f.indices) for f in factors)
    return Form("einsum", tuple(f.part for f in factors), (inputs, tuple(renumber[i] for i in output)), len(output))


_READINGS = (
    _transpose, _one_element, _sum, _diagonal, _product, _outer, _inner, _same_axes, _chain, _batched,
    _summed_product, _subscripts,
)  # fmt: skip
