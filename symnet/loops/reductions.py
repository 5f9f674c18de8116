"""Combining stores in the order that the program says, in NumPy.

In: the elements that iterations combine into, and what with.  Out: the elements, changed, in the bits of machine code.
What is added is a `Contribution`: one value, or two factors, whose product is rounded with the sum, once.

Not handled: two stores of one vector loop that combine into the same element share their accumulators in machine code;
here each has its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from symnet.arrays import Array
from symnet.loops.arithmetic import Arithmetic
from symnet.loops.chunks import SUMS, chunks, tree
from symnet.loops.fused import multiply_add
from symnet.loops.ir import LaneCut
from symnet.loops.neutral import neutral
from symnet.loops.operands import COMBINED_BY

Contribution: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Combination:
    """`how` is a Store's `combine`."""

    how: str
    arithmetic: Arithmetic

    def of(self, old: Any, addend: Contribution) -> Any:
        """The element after one store."""
        if len(addend) == 1:
            return self.arithmetic.combine(self.how, old, addend[0])
        a, b = addend
        return multiply_add(a, b, old)

    def pair(self, a: Array, b: Array) -> Array:
        return self.of(a, (b,))

    def halves(self, lanes: Array) -> Array:
        """The last axis combined: its halves, the halves of these, …"""
        while lanes.shape[-1] > 1:
            half = lanes.shape[-1] // 2
            lanes = self.pair(lanes[..., :half], lanes[..., half:])
        return lanes[..., 0]

    def start(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """What leaves alone whatever it is combined with."""
        return np.full(shape, neutral(self.how, dtype.name), dtype)

    def in_order(self, memory: Array, flat: Array, addend: Contribution) -> None:
        """One store after the other; `flat` says to which elements."""
        function = self.arithmetic.meaning[COMBINED_BY[self.how]]
        if len(addend) == 1 and isinstance(function, np.ufunc):
            function.at(memory, flat, addend[0])
            return
        turn = _turns(flat)
        for number in range(int(turn.max(initial=-1)) + 1):
            here = turn == number
            memory[flat[here]] = self.of(memory[flat[here]], tuple(part[here] for part in addend))


def reduced(
    combination: Combination, cut: LaneCut, flat: Array, addend: Contribution, moves: bool
) -> tuple[Array, Contribution]:
    """What elements take that all lanes of a vector loop share, in order: (places, addends), by outer iteration.

    Args:
        combination: what is done to the element.
        cut: of the vector loop.
        flat: (outer iterations, those of the vector loop, those inside it): the element of each.
        addend: of the same shape.
        moves: the element's address changes inside the vector loop.
    """
    steps: list[tuple[Array, Contribution]] = []
    if moves:
        steps += _chunk_by_chunk(combination, cut, flat, addend)
    else:
        _, one_each = np.unique(flat[0, 0], return_inverse=True)
        for element in range(int(one_each.max()) + 1):
            inside = one_each == element
            mine = tuple(part[..., inside] for part in addend)
            steps += [(flat[:, 0, inside][:, 0], step) for step in _accumulated(combination, cut, mine)]
    parts = [_as_long(step, len(addend)) for _, step in steps]
    taken = tuple(np.stack([part[k] for part in parts], axis=1).ravel() for k in range(len(addend)))
    return np.stack([place for place, _ in steps], axis=1).ravel(), taken


def _accumulated(combination: Combination, cut: LaneCut, addend: Contribution) -> Iterator[Contribution]:
    """The sums of one element: those of iterations by themselves, then of each width of lanes."""
    outer, extent, inside = addend[0].shape
    sums: dict[tuple[int, int], Array] = {}
    for chunk in chunks(extent, cut):
        for number in range(inside):
            part = tuple(a[:, chunk.start : chunk.start + chunk.real, number] for a in addend)
            if not chunk.lanes:
                yield tuple(a[:, 0] for a in part)
                continue
            key = chunk.lanes, chunk.number % SUMS
            if key not in sums:
                sums[key] = combination.start((outer, chunk.lanes), addend[0].dtype)
            sums[key][:, : chunk.real] = combination.of(sums[key][:, : chunk.real], part)
    for lanes in sorted({lanes for lanes, _ in sums}, reverse=True):
        parts = [each for key, each in sums.items() if key[0] == lanes]
        yield (combination.halves(tree(parts, combination.pair)),)


def _chunk_by_chunk(
    combination: Combination, cut: LaneCut, flat: Array, addend: Contribution
) -> Iterator[tuple[Array, Contribution]]:
    """Each chunk's lanes at once."""
    outer, extent, inside = flat.shape
    for chunk in chunks(extent, cut):
        for number in range(inside):
            part = tuple(a[:, chunk.start : chunk.start + chunk.real, number] for a in addend)
            place = flat[:, chunk.start, number]
            if not chunk.lanes:
                yield place, tuple(a[:, 0] for a in part)
                continue
            lanes = combination.start((outer, chunk.lanes), addend[0].dtype)
            lanes[:, : chunk.real] = reduce(np.multiply, part)
            yield place, (combination.halves(lanes),)


def _as_long(step: Contribution, count: int) -> Contribution:
    """A value as a product, where the others are."""
    return step if len(step) == count else (*step, *(np.ones_like(step[0]) for _ in range(count - len(step))))


def _turns(flat: Array) -> Array:
    """How many times each element was met before."""
    order = np.argsort(flat, kind="stable")
    begins = np.r_[True, np.diff(flat[order]) != 0] if flat.size else np.zeros(0, bool)
    places = np.arange(flat.size)
    turn = np.empty(flat.size, np.int64)
    turn[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return turn
