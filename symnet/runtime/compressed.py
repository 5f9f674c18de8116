"""An array kept as a sum of terms: deltas, and factors over the indices that are left.

In: a `Pattern` (plain data: what `compile(H, compressed=True)` found) and the factors that native code computed.
Out: `CompressedArray`: `dense()`, `matvec(v)`, `@`, and the factors themselves, in NumPy.

    out[axes] += scale · Π factor[indices]      wherever every axis is at its index plus its offset

A delta ties several axes to one index; a term is then a view of the dense array along its diagonal.  One-hot rows are
the integers that say where they are 1; what meets them in a product is taken there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, final

import numpy as np

from symnet.errors import ArgumentError, DTypeError, ShapeError, explain, ragged, refuse_mask
from symnet.loops.integers import IntExpr
from symnet.runtime.extents import evaluate_shape
from symnet.runtime.one_hot_rows import ArrayAlong, scattered, taken_at_rows


@dataclass(frozen=True, slots=True)
class TermPattern:
    """One term of a compressed array, as plain data.

    Attributes:
        scale: a number.
        axes: for each axis of the array its index and an offset.
        extents: of the indices, over dims.
        factors: (position among the outputs, the indices of its axes).
        chosen: the same of one-hot rows, of which the outputs have the integers; the last index is that of the classes.
        text: as formulas write it.
    """

    scale: float
    axes: tuple[tuple[int, int], ...]
    extents: tuple[IntExpr, ...]
    factors: tuple[tuple[int, tuple[int, ...]], ...]
    chosen: tuple[tuple[int, tuple[int, ...]], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """Where the factors of a compressed array go; `positions` are its factors' places among the outputs."""

    shape: tuple[IntExpr, ...]
    dtype: str
    terms: tuple[TermPattern, ...]
    positions: tuple[int, ...]

    def filled(self, outputs: Sequence[Any], dims: Mapping[str, int]) -> CompressedArray:
        """The array, from all outputs of a call and its extents."""
        terms = tuple(
            BoundTerm(
                t.scale,
                t.axes,
                evaluate_shape(t.extents, dims),
                tuple((np.asarray(outputs[k]), indices) for k, indices in t.factors),
                tuple((np.asarray(outputs[k]), indices) for k, indices in t.chosen),
                t.text,
            )
            for t in self.terms
        )
        factors = tuple(np.asarray(outputs[k]) for k in self.positions)
        return CompressedArray(evaluate_shape(self.shape, dims), np.dtype(self.dtype), terms, factors)


@dataclass(frozen=True, slots=True)
class BoundTerm:
    """A `TermPattern` with its arrays and extents as numbers."""

    scale: float
    axes: tuple[tuple[int, int], ...]
    extents: tuple[int, ...]
    factors: tuple[ArrayAlong, ...]
    chosen: tuple[ArrayAlong, ...]
    text: str

    def block(self, *others: ArrayAlong, output: Sequence[int]) -> np.ndarray:
        """scale · Σ Π factors and others, over the indices `output`; an index in none of them is an axis of 1."""
        operands, rows = taken_at_rows([*self.factors, *others], self.chosen, self.extents)
        rows = [each for each in rows if each[1][-1] in output]
        where = tuple(dict.fromkeys(i for _, indices in rows for i in indices[:-1]))
        classes = {indices[-1] for _, indices in rows}
        rest = [i for i in output if i not in classes and i not in where]
        value = self._product(operands, [*where, *rest])
        return scattered(value, rows, where, rest, output, self.extents) if rows else value

    def _product(self, operands: Sequence[ArrayAlong], output: Sequence[int]) -> np.ndarray:
        inside = {i for _, indices in operands for i in indices}
        present = [i for i in output if i in inside]
        value: Any = self.scale
        if operands:
            interleaved = [part for array, indices in operands for part in (array, list(indices))]
            value = np.einsum(*interleaved, present, optimize=len(operands) > 2) * self.scale
        return np.reshape(value, [self.extents[i] if i in inside else 1 for i in output])

    def along(self, array: np.ndarray, axes: range) -> ArrayAlong:
        """A view of some axes of an array where this term has its elements, and the indices of the view."""
        indices = tuple(dict.fromkeys(self.axes[a][0] for a in axes))
        start = tuple(slice(self.axes[a][1], None) for a in axes)
        cut = array[start]
        strides = [sum(cut.strides[a - axes[0]] for a in axes if self.axes[a][0] == i) for i in indices]
        shape = [self.extents[i] for i in indices]
        return np.lib.stride_tricks.as_strided(cut, shape, strides), indices


def _numbers(call: str, v: Any) -> np.ndarray:
    """What is multiplied with, as an array of real numbers."""
    refuse_mask(call, "v", v)
    try:
        array = np.asarray(v)
    except ValueError as error:
        raise ragged(call, "v", error) from None
    if array.dtype.kind not in "biuf":
        raise DTypeError(explain(call, "real numbers for v", f"an array of {array.dtype}", "Pass floats or integers."))
    return array


@final
class CompressedArray:
    """An array that is never built until `dense()` is called.

    Attributes:
        shape, ndim, dtype, nbytes: of the array; nbytes of its factors.
        factors: the distinct arrays it is made of.  After `bind` they are overwritten by every call.
        terms: which factor stands where.

    `np.asarray(H)` is `H.dense()`.
    """

    __slots__ = ("dtype", "factors", "shape", "terms")
    __array_ufunc__ = None  # NumPy's operators leave us alone: v @ H is refused, not spread out in silence

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype, terms: tuple[BoundTerm, ...], factors: tuple[np.ndarray, ...]
    ) -> None:
        self.shape, self.dtype, self.terms, self.factors = shape, dtype, terms, factors

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the factors."""
        return sum(factor.nbytes for factor in self.factors)

    def dense(self) -> np.ndarray:
        """The whole array."""
        out = np.zeros(self.shape, self.dtype)
        for term in self.terms:
            view, indices = term.along(out, range(self.ndim)) if self.ndim else (out, ())
            np.add(view, term.block(output=indices), out=view, casting="unsafe")  # exact: a float only by its scale
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            call = "np.asarray(H, copy=False)"
            raise ValueError(explain(call, "a copy", "copy=False", "A compressed array is spread out when it is read."))
        return self.dense() if dtype is None else self.dense().astype(dtype, copy=False)

    def matvec(self, v: Any) -> np.ndarray:
        """Σ H[…, j…]·v[j…]: all axes of v are contracted with as many last axes of H.

        Args:
            v: an array of the shape of H's last axes: for a Hessian, that of its variable.

        Raises:
            ShapeError: for another shape.  DTypeError: for what are no real numbers.
        """
        v = _numbers("H.matvec(v)", v)
        kept = self.ndim - v.ndim
        if kept < 0 or v.shape != self.shape[kept:]:
            expected = f"v of the shape of the last axes of {self.shape}"
            mend = "For a Hessian by x, v has x's shape."
            raise ShapeError(explain("H.matvec(v)", expected, f"shape {v.shape}", mend))
        if not v.ndim:
            return self.dense() * v
        out = np.zeros(self.shape[:kept], np.result_type(self.dtype, v.dtype))
        for term in self.terms:
            view, indices = term.along(out, range(kept)) if kept else (out, ())
            block = term.block(term.along(v, range(kept, self.ndim)), output=indices)
            np.add(view, block, out=view, casting="unsafe")
        return out

    def __matmul__(self, v: Any) -> np.ndarray:
        """H @ v of a matrix H, with a vector or a matrix."""
        v = _numbers("H @ v", v)
        if self.ndim != 2 or v.ndim not in (1, 2) or v.shape[0] != self.shape[1]:
            expected = "a matrix H and a vector or matrix v that fit"
            got = f"shapes {self.shape} and {v.shape}"
            raise ShapeError(explain("H @ v", expected, got, "H.matvec(v) contracts all axes of v."))
        if v.ndim == 1:
            return self.matvec(v)
        return np.stack([self.matvec(column) for column in v.T], axis=1) if v.shape[1] else self.dense() @ v

    def __repr__(self) -> str:
        head = f"CompressedArray of shape {self.shape}, {self.dtype}: {self.nbytes} bytes, dense {self._dense_bytes}"
        return "\n".join([head, *(f"  {term.text}" for term in self.terms)])

    @property
    def _dense_bytes(self) -> int:
        return int(reduce(int.__mul__, self.shape, 1)) * self.dtype.itemsize

    def __iter__(self) -> Any:
        raise ArgumentError(
            explain("for … in H", "an array", "a compressed one", "Use H.factors, H.terms or H.dense().")
        )
