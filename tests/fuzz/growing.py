"""Grows a random graph step by step, with the numbers of every value at hand.

In: a source of choices (`choose(n)` gives 0 … n-1).  Out: a pool of well-typed nodes, finite and moderate on the data
drawn for their leaves.
Because each value is computed as soon as it is made, what overflows is squashed or dropped, indices stay in range, and
no comparison is decided by rounding: x + y - y ≥ x may come out either way, and proves nothing.
Choice 0 is always the simplest, so that a failing graph shrinks to a small one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import sympy

import symnet as sn
from symnet import dtypes
from symnet.errors import SymnetError
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Extent, Node
from symnet.expr.nodes.symbols import Tensor
from symnet.reference import evaluation
from symnet.reference.context import Context

Array = np.ndarray[Any, np.dtype[Any]]
Choose = Callable[[int], int]

M, N = sn.dim("m"), sn.dim("n")
# The values of m and n, and a concrete extent: whole vectors and odd ends, and once in a while more than one row block.
ROWS, ORDERS, WIDTHS = (2, 3, 1, 5, 0, 17, 2, 3, 261), (2, 3, 1, 0), (2, 3, 1, 4, 0, 9)
LIMIT, NEAR = 30.0, 1e-4  # the largest value kept; the closest that two compared numbers may come
WORST_CONDITION = 1e3  # of a matrix that is solved with
RANK, SIZE = 3, 1200  # the most axes and elements of a value

_JUMPS = ("lt", "le", "gt", "ge", "eq", "ne", "sign", "floor")


def leaves_for(k: int) -> list[Tensor]:
    """One leaf of every shape and assumption; k is a concrete extent, which may be 0 or 1."""
    return [
        sn.tensor("s"), sn.tensor("v", k), sn.tensor("X", M, k), sn.tensor("Q", 3, 3), sn.tensor("W", k, 3),
        sn.tensor("u", M), sn.tensor("C", M, 1), sn.tensor("N", N, N), sn.tensor("a", N), sn.tensor("Y", M, k),
        sn.tensor("K", 2, k, 3), sn.tensor("S", 3, 3, symmetric=True), sn.tensor("p", k, positive=True),
        sn.tensor("D", M, 3, simplex=True), sn.tensor("H", M, 3, one_hot=True), sn.tensor("q", M, 3, unit=True),
        sn.tensor("g", 3, nonnegative=True), sn.tensor("z", 3, nonzero=True), sn.tensor("w", 3, integer=True),
        sn.tensor("t", M, dtype="int64"), sn.tensor("i", 2, 2, dtype="int64"), sn.tensor("b", M, dtype="bool"),
        sn.tensor("r", 1, 3), sn.tensor("o", 1, 1), sn.tensor("T", N, N, symmetric=True), sn.tensor("Z", M, N, 2),
        sn.tensor("B", M, 2, 2), sn.tensor("A", 2, 3, 3, symmetric=True),
    ]  # fmt: skip


INDEX_LIMITS = {"t": 3, "i": 2}  # integer leaves lie below these


def draw(leaf: Tensor, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Data that satisfy the leaf's assumptions."""
    if leaf.dtype == "bool":
        return rng.random(shape) < 0.5
    if leaf.dtype in dtypes.INTEGER:
        return rng.integers(0, INDEX_LIMITS[leaf.name], shape)
    x = rng.normal(size=shape)
    held = leaf.assumptions
    if "one_hot" in held:
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if "simplex" in held:
        return rng.dirichlet(np.ones(shape[-1]), shape[:-1]).reshape(shape)
    if "symmetric" in held:
        return x + np.swapaxes(x, -1, -2)
    if "unit" in held:
        return rng.uniform(0.1, 0.9, shape)
    if "integer" in held:
        return np.round(2 * x)
    return np.abs(x) + 0.2 if held & {"positive", "nonnegative"} else x + 0.2 * np.sign(x)


class Grower:
    """A pool of values, grown by operations that draw their operands from it."""

    def __init__(self, choose: Choose) -> None:
        self.choose = choose
        self.dims = {M: self.among(ROWS), N: self.among(ORDERS)}
        self.k = self.among(WIDTHS)
        self.leaves = leaves_for(self.k)
        self.context = Context(self.dims, "float64")
        rng = np.random.default_rng(choose(100))
        self.data = {leaf.name: draw(leaf, self.shape(leaf), rng) for leaf in self.leaves}
        self.numbers: dict[Node, Array] = {leaf: self.data[leaf.name] for leaf in self.leaves}
        self.below = {leaf: INDEX_LIMITS[leaf.name] for leaf in self.leaves if leaf.name in INDEX_LIMITS}
        self.made: list[Node] = []

    # ---- choices

    def among(self, options: Any) -> Any:
        """One of a sequence; the first is the simplest."""
        return options[self.choose(len(options))]

    def pick(self, wanted: Callable[[Node], bool]) -> Node | None:
        """A value that fits: any leaf, or a value made before (twice as likely as all leaves together)."""
        found = [v for v in self.leaves if wanted(v)]
        made = [v for v in self.made if wanted(v)]
        if made and (not found or self.choose(3)):
            return self.among(made)
        return self.among(found) if found else None

    def real(self, wanted: Callable[[Node], bool] = lambda node: True) -> Node | None:
        """A value that counts as a number: real, now and then integer."""
        return self.pick(lambda v: v.dtype in ("float64", "int64", None) and wanted(v))

    def axes(self, x: Node) -> tuple[int, ...]:
        """One axis of x or several."""
        first = self.choose(x.rank)
        others = [a for a in range(x.rank) if a != first and self.choose(4) == 3]
        return tuple(sorted([first, *others]))

    # ---- extents

    def extent(self, extent: Extent) -> int:
        """An extent as a number."""
        return extent if isinstance(extent, int) else int(sympy.sympify(extent).xreplace(self.dims))

    def shape(self, x: Node) -> tuple[int, ...]:
        return tuple(map(self.extent, x.shape))

    def count(self, x: Node, axes: Iterable[int]) -> int:
        """The number of elements along some axes."""
        return int(np.prod([self.extent(x.shape[a]) for a in axes], dtype=int))

    # ---- growth

    def grow(self, operation: Callable[[Grower], Node | None]) -> bool:
        """Make a value and keep it if it is fit to be used: whether it was."""
        made = operation(self)
        if made is None or made.rank > RANK + 1 or (made in self.numbers and not made.operands):
            return False
        return self.keep(made) or (dtypes.is_real(made.dtype) and self.keep(sn.tanh(made)))

    def keep(self, made: Node) -> bool:
        """Whether every new node is finite, moderate, small, and decided by more than rounding."""
        found: dict[Node, Array] = {}
        for node in topological(made):
            if node not in self.numbers and not self._compute(node, found):
                return False
        self.numbers.update(found)
        if made not in self.made:
            self.made.append(made)
        return True

    def _compute(self, node: Node, found: dict[Node, Array]) -> bool:
        operands = [found[o] if o in found else self.numbers[o] for o in node.operands]
        if node.kind in ("solve", "determinant") and (
            is_nearly_singular(operands[0]) or self._is_unseen(node.operands[0])
        ):
            return False
        found[node] = value = np.asarray(evaluation._value(node, operands, self.context))
        if value.size > SIZE or is_decided_by_rounding(node, operands):
            return False
        moderate = LIMIT if node.kind != "number" else np.inf
        return value.dtype.kind != "f" or bool((np.isfinite(value) & (np.abs(value) <= moderate)).all())

    def _is_unseen(self, matrices: Node) -> bool:
        """Whether no copy is left of a matrix that is repeated: it may be singular, and is computed before that."""
        repeated = any(n.kind == "expand" for n in topological(matrices))
        return repeated and self.extent(matrices.shape[-1]) > 0 and 0 in self.shape(matrices)

    def anchors(self, roots: Iterable[Node]) -> list[Node]:
        """Leaves that tell the extents which the roots mention and their leaves do not."""
        nodes = topological(*roots)
        told = {n for node in nodes if isinstance(node, Tensor) for n in node.shape}
        used = {d for node in nodes for n in (*node.shape, *node.args) if isinstance(n, sympy.Basic)
                for d in n.free_symbols if isinstance(d, Dim)}  # fmt: skip
        by_extent = {M: "u", N: "a"}
        return [leaf for d in sorted(used - told, key=str) for leaf in self.leaves if leaf.name == by_extent[d]]


def is_nearly_singular(matrices: Array) -> bool:
    """Whether a matrix of the stack is; not even a determinant has a derivative there."""
    return bool((np.linalg.cond(matrices) > WORST_CONDITION).any()) if matrices.size else False


def is_decided_by_rounding(node: Node, operands: list[Array]) -> bool:
    """Whether another order of summation could change the outcome by a jump."""
    if node.kind == "reduce" and node.op == "argmax":  # type: ignore[attr-defined]
        ordered = np.sort(np.moveaxis(operands[0], node.axes[0], -1), axis=-1)  # type: ignore[attr-defined]
        return bool((np.diff(ordered, axis=-1) < NEAR).any())
    if all(o.dtype.kind in "biu" for o in operands):
        return False
    if is_op(node, "mod", "floor_divide"):
        return _is_near_a_step(*operands)
    if not is_op(node, *_JUMPS):
        return False
    x = operands[0]
    y = operands[1] if len(operands) == 2 else np.round(x) if is_op(node, "floor") else 0
    if len(operands) == 2 and node.operands[0] is node.operands[1]:
        return False
    return bool((np.abs(x - y) < NEAR).any())


def _is_near_a_step(x: Array, y: Array) -> bool:
    """Whether x/y is so close to a whole number that a small step of either passes it: of a small y, every x/y is."""
    with np.errstate(all="ignore"):
        quotient = x / y
        near = NEAR * (1 + np.abs(quotient)) / np.minimum(np.abs(y), 1)
        return bool((np.abs(quotient - np.round(quotient)) < near).any())


def try_to_grow(grower: Grower, operation: Callable[[Grower], Node | None]) -> bool:
    """`Grower.grow`, where the operation may refuse the operands it drew."""
    try:
        return grower.grow(operation)
    except SymnetError as refused:
        raise AssertionError(f"{operation.__name__} built what is not well-typed: {refused}") from refused
