"""What is compared: an expression at a point, and which of its derivatives.

In: what the user passed to `compare`.  Out: a `LossAtPoint`, its arrays converted once and checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from symnet import dtypes
from symnet.arrays import Array
from symnet.calculus.grad import scalar_root
from symnet.calculus.structure import flatten
from symnet.errors import ArgumentError, DTypeError, explain, one_of, refuse_mask
from symnet.expr.nodes.abstract import refuse_abstract
from symnet.expr.nodes.contraction import transpose
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import substitute
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, check_leaves, describe, tensor
from symnet.nn.initialisers import init
from symnet.reference.declared import check_assumptions
from symnet.reference.symbols import bind_dims

CALL = "compare(L, wrt, data)"
KINDS: tuple[str, ...] = ("gradient", "hvp", "hessian")


@dataclass(frozen=True)
class LossAtPoint:
    """A loss at a point.

    Attributes:
        root: rank 0, as the user wrote it.
        wrt: the leaves to differentiate by.
        data: name → contiguous array of `dtype` (integers as they are), for every leaf.
        dims: the value of every symbolic extent.
        dtype: float32 or float64.
        of: "gradient"; "hvp", the product of the Hessian with `vectors`; or "hessian", its blocks row by row.
        vectors: one array per leaf of `wrt`, of its shape and `dtype`: what the Hessian is multiplied with.
    """

    root: Node
    wrt: tuple[Tensor, ...]
    data: Mapping[str, Array]
    dims: Mapping[Dim, int]
    dtype: str
    of: str
    vectors: tuple[Array, ...]

    def data_as(self, dtype: str) -> dict[str, Array]:
        """The data with reals in another dtype."""
        return {name: a.astype(dtype) if a.dtype.kind == "f" else a for name, a in self.data.items()}

    @cached_property
    def unbound(self) -> LossAtPoint:
        """The same for methods that move every element by itself: a symmetric leaf S stands there as (S + Sᵀ)/2.

        Derivatives by a symmetric leaf are projections (`docs/math-conventions.md`); so are those of this expression.
        """
        bound = [leaf for leaf in self.wrt if "symmetric" in leaf.assumptions]
        if not bound:
            return self
        loose = {leaf: _loose(leaf) for leaf in bound}
        halves: dict[Node, Node] = {leaf: (free + _turned(free)) / 2 for leaf, free in loose.items()}
        root = substitute([self.root], halves)[0]
        return replace(self, root=root, wrt=tuple(loose.get(leaf, leaf) for leaf in self.wrt))

    @property
    def parameters(self) -> int:
        """How many numbers the gradient has."""
        return sum(self.data[leaf.name].size for leaf in self.wrt)

    @property
    def results(self) -> tuple[str, ...]:
        """The name of each array that is compared."""
        names = [leaf.name for leaf in self.wrt]
        return tuple(f"{a}, {b}" for a in names for b in names) if self.of == "hessian" else tuple(names)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each array that is compared."""
        shapes = [self.data[leaf.name].shape for leaf in self.wrt]
        return tuple((*a, *b) for a in shapes for b in shapes) if self.of == "hessian" else tuple(shapes)


def _loose(leaf: Tensor) -> Tensor:
    """The leaf without its symmetry."""
    known: dict[str, Any] = {name: True for name in leaf.assumptions if name != "symmetric"}
    return tensor(leaf.name, *leaf.shape, dtype=leaf.dtype, **known)


def _turned(matrices: Node) -> Node:
    axes = range(matrices.rank)
    return transpose(matrices, (*axes[:-2], axes[-1], axes[-2]))


def problem_of(L: Any, wrt: Any, data: Any, dtype: Any, of: Any) -> LossAtPoint:
    """The problem that the user meant.

    Raises:
        ShapeError, ArgumentError, DTypeError, AssumptionError: in four parts.
    """
    one_of(f"compare(…, of={of!r})", of, KINDS, "one of " + ", ".join(KINDS), 'Write "gradient".')
    root = scalar_root(CALL, L)
    leaves = check_leaves(CALL, [root])
    refuse_abstract(CALL, [root])
    targets = flatten(CALL, wrt)[0]
    if not targets:
        known = ", ".join(leaf.name for leaf in leaves) or "none"
        raise ArgumentError(explain(CALL, "a leaf to differentiate by", "none", f"The loss has the leaves {known}."))
    for target in targets:
        if not isinstance(target, Tensor):
            under = ", ".join(leaf.name for leaf in check_leaves(CALL, [target]))
            mend = f"Compare by {under}, of which it is made; sn.grad also takes intermediate nodes and elements."
            raise ArgumentError(explain(CALL, "leaves to differentiate by", f"{target}", mend))
    given = _by_name(leaves, data)
    missing = [leaf for leaf in targets if leaf.name not in given]
    given = {**given, **init(missing)} if missing else given
    lacking = [leaf for leaf in leaves if leaf.name not in given]
    if lacking:
        got = f"{', '.join(given) or 'nothing'}, without {', '.join(leaf.name for leaf in lacking)}"
        mend = f"Add {lacking[0].name!r}: an array {describe(lacking[0])}."
        raise ArgumentError(explain(CALL, "an array for every leaf", got, mend))
    if len(missing) == len(leaves):
        mend = f"Add {leaves[0].name!r}: an array {describe(leaves[0])}."
        expected = "data for some leaf, as parameters alone start at what says little"
        raise ArgumentError(explain(CALL, expected, "nothing", mend))
    real = _real_dtype(leaves, dtype)
    arrays = {leaf.name: _array(leaf, given[leaf.name], real) for leaf in leaves}
    dims = bind_dims(leaves, arrays)
    rng = np.random.default_rng(0)
    vectors = tuple(np.asarray(rng.standard_normal(arrays[t.name].shape), real) for t in targets)
    return LossAtPoint(root, tuple(targets), arrays, dims, real, of, vectors)


def _by_name(leaves: Sequence[Tensor], data: Any) -> dict[str, Any]:
    known = ", ".join(leaf.name for leaf in leaves)
    if not isinstance(data, Mapping):
        expected = f"data as a dict with {known}"
        raise ArgumentError(explain(CALL, expected, type(data).__name__, 'Write {"X": x, "D": d}.'))
    named = {key.name if isinstance(key, Tensor) else key: value for key, value in data.items()}
    for name in named:
        if name not in {leaf.name for leaf in leaves}:
            raise ArgumentError(explain(CALL, f"data for {known}", repr(name), f"Drop {name!r}."))
    return named


def _real_dtype(leaves: Sequence[Tensor], dtype: Any) -> str:
    if dtype is None:
        return next((str(leaf.dtype) for leaf in leaves if leaf.dtype in dtypes.REAL), dtypes.DEFAULT_REAL)
    name = dtypes.check(dtype, f"compare(…, dtype={dtype!r})")
    if name not in dtypes.REAL:
        raise ArgumentError(explain(f"compare(…, dtype={dtype!r})", "float32 or float64", name, 'Write "float32".'))
    return name


def _array(leaf: Tensor, value: Any, real: str) -> Array:
    refuse_mask(CALL, leaf.name, value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        mend = f"Build a numeric array for {leaf.name}."
        raise DTypeError(explain(CALL, f"numbers for {leaf.name}", f"dtype {array.dtype}", mend))
    found = np.ascontiguousarray(array, real if leaf.dtype in dtypes.REAL else leaf.dtype).reshape(array.shape)
    if array.ndim == leaf.rank:
        check_assumptions(leaf, found, f"compare(…, data={{{leaf.name!r}: …}})")
    return found
