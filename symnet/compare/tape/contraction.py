"""Contraction on the tape: sums, transpositions, matrix products by BLAS, einsum for the rest.

In: variables and integer indices.  Out: the result, recorded; the cotangent of an operand is again a contraction, of
the result's cotangent with the other operands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symnet.compare.tape.var import Pullback, Tape, TapeValue
from symnet.expr.nodes.contraction import Indices


def einsum(tape: Tape, *xs: TapeValue, inputs: tuple[Indices, ...], output: Indices) -> TapeValue:
    values = [x.value for x in xs]
    y = contract(values, inputs, output)
    return tape.record(y, *((x, _pullback(k, values, inputs, output)) for k, x in enumerate(xs) if x.needs))


def contract(values: Sequence[Any], inputs: Sequence[Indices], output: Indices) -> Any:
    """out[output] = Σ over the other indices of Π value[its indices]."""
    distinct = all(len(set(indices)) == len(indices) for indices in inputs)
    if distinct and len(values) == 1:
        return _sum_and_transpose(values[0], inputs[0], output)
    if distinct and len(values) == 2 and not set(inputs[0]) & set(inputs[1]) & set(output):
        return _matrix_product(values[0], values[1], inputs[0], inputs[1], output)
    arguments: list[Any] = [part for pair in zip(values, map(list, inputs), strict=True) for part in pair]
    return np.einsum(*arguments, list(output), optimize=len(values) > 2)


def _sum_and_transpose(x: Any, indices: Indices, output: Indices) -> Any:
    gone = tuple(axis for axis, index in enumerate(indices) if index not in output)
    kept = [index for index in indices if index in output]
    total = x.sum(gone) if gone else x
    order = [kept.index(index) for index in output]
    return total if order == list(range(len(order))) else total.transpose(order)


def _matrix_product(a: Any, b: Any, a_indices: Indices, b_indices: Indices, output: Indices) -> Any:
    """Two operands that share only what is summed: a matrix product of their foldings."""
    a, a_indices = _sum_lonely(a, a_indices, (*b_indices, *output))
    b, b_indices = _sum_lonely(b, b_indices, (*a_indices, *output))
    summed = [index for index in a_indices if index in b_indices]
    y = np.tensordot(a, b, ([a_indices.index(i) for i in summed], [b_indices.index(i) for i in summed]))
    found = [index for index in (*a_indices, *b_indices) if index not in summed]
    order = [found.index(index) for index in output]
    return y if order == list(range(len(order))) else y.transpose(order)


def _sum_lonely(x: Any, indices: Indices, wanted: Sequence[int]) -> tuple[Any, Indices]:
    """Sum over the indices that stand nowhere else."""
    lonely = tuple(axis for axis, index in enumerate(indices) if index not in wanted)
    return (x.sum(lonely), tuple(i for i in indices if i in wanted)) if lonely else (x, indices)


def _pullback(k: int, values: list[Any], inputs: tuple[Indices, ...], output: Indices) -> Pullback:
    """x_bar[its indices] = Σ y_bar[output] · Π of the others; repeated along indices that only x has."""

    def pull(g: Any) -> Any:
        others = [j for j in range(len(values)) if j != k]
        wanted = tuple(dict.fromkeys(inputs[k]))
        known = tuple(i for i in wanted if i in output or any(i in inputs[j] for j in others))
        bar = contract([g, *(values[j] for j in others)], [output, *(inputs[j] for j in others)], known)
        return _spread(bar, known, wanted, inputs[k], np.shape(values[k]))

    return pull


def _spread(bar: Any, known: Indices, wanted: Indices, indices: Indices, shape: tuple[int, ...]) -> Any:
    """A cotangent over distinct indices laid out as the operand: repeated, or on the diagonal."""
    extent = dict(zip(indices, shape, strict=True))
    if known != wanted:
        bar = np.reshape(bar, [extent[i] if i in known else 1 for i in wanted])
        bar = np.broadcast_to(bar, [extent[i] for i in wanted])
    if wanted == indices:
        return bar
    full = np.zeros_like(bar, shape=shape)
    np.einsum(full, list(indices), list(wanted))[...] = bar
    return full
