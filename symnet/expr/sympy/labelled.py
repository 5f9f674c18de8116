"""What stands under a sum of SymPy's: scalars for every value of its indices, as arrays whose axes have names.

In: nodes, and the indices that their axes stand for.  Out: `Labelled`, a product that stays a list of factors until a
sum contracts it (`summed`) or a function needs it whole (`broadcast`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sympy

from symnet.expr.nodes.constants import iota, size
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.elementwise import convert, elementwise
from symnet.expr.nodes.expansion import keep_axes
from symnet.expr.nodes.node import Extent, Node

SumIndex = Any  # a SymPy Symbol or Idx
AxisIndices = tuple[SumIndex, ...]


class SumRange(NamedTuple):
    """An index of a sum, from `low` to `high`, both included."""

    index: SumIndex
    low: Any
    high: Any

    @property
    def extent(self) -> Extent:
        return whole(self.high - self.low + 1)

    def as_scalar(self) -> Labelled:
        """The index itself as a number: a real one, for SymPy's numbers do not wrap."""
        ramp = iota(self.extent)
        value = convert(ramp if self.low == 0 else ramp + size(self.low), None)
        return Labelled((IndexedArray(value, (self.index,)),))


class IndexedArray(NamedTuple):
    """An array, and the index that each of its axes stands for."""

    node: Node
    labels: AxisIndices


@dataclass(frozen=True)
class Labelled:
    """A product of factors: a scalar for every value of its indices."""

    factors: tuple[IndexedArray, ...]

    @property
    def labels(self) -> AxisIndices:
        return tuple(dict.fromkeys(label for factor in self.factors for label in factor.labels))

    def summed(self, out: Sequence[SumIndex]) -> Node:
        """The array with axes `out`, the other indices summed over."""
        arrays = [f for f in self.factors if f.labels]
        scalars = [f.node for f in self.factors if not f.labels]
        if not arrays:
            return elementwise("mul", *scalars) if len(scalars) > 1 else scalars[0]
        if len(arrays) == 1 and arrays[0].labels == tuple(out):
            total = arrays[0].node
        else:
            number_of = {label: k for k, label in enumerate(self.labels)}
            indices = [[number_of[label] for label in f.labels] for f in arrays]
            total = contract(indices, [number_of[label] for label in out], *(f.node for f in arrays))
        return elementwise("mul", *scalars, total) if scalars else total


def whole(value: Any) -> Extent:
    value = sympy.expand(value)
    return int(value) if value.is_Integer else value


def product_of(values: Sequence[Any]) -> Labelled:
    """The product of labelled values: all their factors, side by side."""
    factors = [v.factors if isinstance(v, Labelled) else (IndexedArray(v, ()),) for v in values]
    return Labelled(tuple(f for group in factors for f in group))


def broadcast(build: Callable[..., Any], values: Sequence[Any], ranges: Sequence[SumRange]) -> Any:
    """A scalar function of labelled values, their axes brought to one order."""
    inside = {label for v in _flat(values) if isinstance(v, Labelled) for label in v.labels}
    order = tuple(r.index for r in ranges if r.index in inside)

    def array(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(array, value))
        return over(value, order) if isinstance(value, Labelled) else value

    result = build(*map(array, values))
    if isinstance(result, tuple):  # a condition and its value: Piecewise puts them together
        return tuple(values)
    return Labelled((IndexedArray(result, order),))


def _flat(values: Sequence[Any]) -> list[Any]:
    return [v for value in values for v in (value if isinstance(value, tuple) else (value,))]


def over(value: Labelled, order: AxisIndices) -> Node:
    mine = [label for label in order if label in value.labels]
    return keep_axes(value.summed(mine), tuple(k for k, label in enumerate(order) if label not in mine))


def labelled(body: Any) -> Labelled:
    """A value as a product of factors."""
    return body if isinstance(body, Labelled) else product_of([body])
