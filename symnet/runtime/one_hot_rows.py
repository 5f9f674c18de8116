"""Products with one-hot rows, in NumPy, where of the rows their integers are given.

In: arrays with an index for each axis, and integers i[p…] with the indices (p…, k), which stand for δ[k, i[p…]].
Out: the arrays at these integers, A[k] as A[i[p]]; and what is left over p, added where the integers say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.errors import ValueDomainError, explain

ArrayAlong = tuple[np.ndarray, tuple[int, ...]]  # an array and the index of each axis


def taken_at_rows(
    operands: Sequence[ArrayAlong], chosen: Sequence[ArrayAlong], extents: Sequence[int]
) -> tuple[list[ArrayAlong], list[ArrayAlong]]:
    """The operands without the indices of classes, and the one-hot rows by which what they give is to be laid out.

    Of several rows with one index of classes all but the first are arrays of zeros and ones.
    """
    arrays = list(operands)
    rows: list[ArrayAlong] = []
    for places, indices in chosen:
        _check(places, extents[indices[-1]])
        if any(indices[-1] == other[-1] for _, other in rows):
            arrays.append((places[..., None] % extents[indices[-1]] == np.arange(extents[indices[-1]]), indices))
        else:
            rows.append((places, indices))
    for k, (places, (*where, classes)) in enumerate(rows):
        arrays = [_taken(each, places, where, classes) for each in arrays]
        rows = [each if n == k else _rows_taken(each, places, where, classes) for n, each in enumerate(rows)]
    return arrays, rows


def scattered(
    value: np.ndarray,
    rows: Sequence[ArrayAlong],
    where: Sequence[int],
    rest: Sequence[int],
    output: Sequence[int],
    extents: Sequence[int],
) -> np.ndarray:
    """A value over the indices `where` and `rest`, added up over the output's at the classes of the rows.

    An index of `where` that the output has, too, is laid along itself.
    """
    places = {indices[-1]: _along(array, indices[:-1], where) for array, indices in rows}
    places |= {i: _along(np.arange(extents[i]), (i,), where) for i in where if i in output}
    outside = [i for i in output if i in places]
    shape = [extents[i] for i in outside] + list(value.shape[len(where) :])
    out = np.zeros(shape, value.dtype)
    np.add.at(out, tuple(places[i] for i in outside), value)
    order = [*outside, *rest]
    return out.transpose([order.index(i) for i in output])


def _taken(array: ArrayAlong, places: np.ndarray, where: Sequence[int], classes: int) -> ArrayAlong:
    """An array at the integers of one-hot rows, along every axis with the index of their classes."""
    values, indices = array
    while classes in indices:
        at = indices.index(classes)
        values = np.take(values, places, axis=at)
        indices = (*indices[:at], *where, *indices[at + 1 :])
    return values, indices


def _rows_taken(rows: ArrayAlong, places: np.ndarray, where: Sequence[int], classes: int) -> ArrayAlong:
    """One-hot rows whose own index is the classes of others: δ[k, i[j]]·δ[j, n[p]] is δ[k, i[n[p]]]."""
    values, indices = _taken((rows[0], rows[1][:-1]), places, where, classes)
    return values, (*indices, rows[1][-1])


def _along(array: np.ndarray, indices: Sequence[int], onto: Sequence[int]) -> np.ndarray:
    """An array whose axes stand where those of `onto` do, the others of extent 1."""
    present = [i for i in onto if i in indices]
    turned = np.einsum(array, list(indices), present)
    sizes = dict(zip(present, turned.shape, strict=True))
    return turned.reshape([sizes.get(i, 1) for i in onto])


def _check(places: np.ndarray, extent: int) -> None:
    outside = places[(places < -extent) | (places >= extent)]
    if outside.size:
        got, mend = f"{outside.flat[0]}", "Correct the indices that were given."
        raise ValueDomainError(explain("H.dense()", f"indices from {-extent} to {extent - 1}", got, mend))
