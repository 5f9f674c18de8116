"""Sums over indices become contractions: Σᵢ a[i]·b[i, j] is an einsum.

In: SymPy's `Sum`, `Indexed`, elements `X[i, j]` of matrices, `KroneckerDelta`.  Out: nodes; inside a sum `Labelled`
values, whose axes are index symbols.  A product stays a list of factors until a sum contracts it or a function needs
it whole.  An index stands alone or with an offset: x[i], x[i + 1].
Not handled: indices that are sums or multiples of others, as x[i + j] and x[2*i].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from symnet.expr.constants import identity, iota, number, size
from symnet.expr.contraction import contract
from symnet.expr.elementwise import elementwise
from symnet.expr.extents import as_extent, same_extent
from symnet.expr.movement import keep_axes
from symnet.expr.node import Extent, Node

if TYPE_CHECKING:
    from symnet.expr.from_sympy import Converter

Index = Any  # a SymPy Symbol or Idx
Labels = tuple[Index, ...]


class Range(NamedTuple):
    """An index of a sum, from `low` to `high`, both included."""

    index: Index
    low: Any
    high: Any

    @property
    def extent(self) -> Extent:
        return _whole(self.high - self.low + 1)

    def as_scalar(self) -> Labelled:
        """The index itself as a number."""
        ramp = iota(self.extent)
        return Labelled((Factor(ramp if self.low == 0 else ramp + size(self.low), (self.index,)),))


class Factor(NamedTuple):
    """An array whose axes are indices."""

    node: Node
    labels: Labels


@dataclass(frozen=True)
class Labelled:
    """A product of factors: a scalar for every value of its indices."""

    factors: tuple[Factor, ...]

    @property
    def labels(self) -> Labels:
        return tuple(dict.fromkeys(label for factor in self.factors for label in factor.labels))

    def summed(self, out: Sequence[Index]) -> Node:
        """The array with axes `out`, the other indices summed over."""
        arrays = [f for f in self.factors if f.labels]
        scalars = [f.node for f in self.factors if not f.labels]
        if len(arrays) == 1 and arrays[0].labels == tuple(out):
            total = arrays[0].node
        else:
            number_of = {label: k for k, label in enumerate(self.labels)}
            indices = [[number_of[label] for label in f.labels] for f in arrays]
            total = contract(indices, [number_of[label] for label in out], *(f.node for f in arrays))
        return elementwise("mul", *scalars, total) if scalars else total


def _whole(value: Any) -> Extent:
    value = sympy.expand(value)
    return int(value) if value.is_Integer else value


def product_of(values: Sequence[Any]) -> Labelled:
    """Factors side by side."""
    factors = [v.factors if isinstance(v, Labelled) else (Factor(v, ()),) for v in values]
    return Labelled(tuple(f for group in factors for f in group))


def broadcast(build: Callable[..., Any], values: Sequence[Any], ranges: Sequence[Range]) -> Any:
    """A scalar function of labelled values, their axes brought to one order."""
    inside = {label for v in _flat(values) if isinstance(v, Labelled) for label in v.labels}
    order = tuple(r.index for r in ranges if r.index in inside)

    def array(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(array, value))
        return _over(value, order) if isinstance(value, Labelled) else value

    result = build(*map(array, values))
    if isinstance(result, tuple):  # a condition and its value: Piecewise puts them together
        return tuple(values)
    return Labelled((Factor(result, order),))


def _flat(values: Sequence[Any]) -> list[Any]:
    return [v for value in values for v in (value if isinstance(value, tuple) else (value,))]


def _over(value: Labelled, order: Labels) -> Node:
    mine = [label for label in order if label in value.labels]
    return keep_axes(value.summed(mine), tuple(k for k, label in enumerate(order) if label not in mine))


# --------------------------------------------------------------------------- what stands under a sum


def sum_over(c: Converter, part: Any, ranges: tuple[Range, ...]) -> Any:
    """Σ over the limits of `part`."""
    own = tuple(_range(c, part, limit) for limit in part.limits)
    outer = tuple(r for r in ranges if r.index not in {o.index for o in own})
    body = c.convert(part.function, (*outer, *own))
    if isinstance(body, Node) and body.rank:
        raise c.refuse(part, "sums of scalars", "a sum of matrices", "Write it out, or sum its elements.")
    value = body if isinstance(body, Labelled) else product_of([body])
    repeated = [Factor(size(o.extent), ()) for o in own if o.index not in value.labels]
    value = Labelled((*repeated, *value.factors))
    gone = {o.index for o in own}
    left = tuple(label for label in value.labels if label not in gone)
    if not value.labels:
        return elementwise("mul", *(f.node for f in value.factors)) if len(value.factors) > 1 else value.factors[0].node
    total = value.summed(left)
    return Labelled((Factor(total, left),)) if left else total


def _range(c: Converter, part: Any, limit: Any) -> Range:
    if len(limit) != 3:
        raise c.refuse(part, "sums with both limits", f"limits {limit}", "Write Sum(f, (i, 0, n - 1)).")
    index, low, high = limit
    low, high = (b.xreplace({s: c.names.get(str(s), s) for s in b.free_symbols}) for b in (low, high))
    extent = sympy.expand(high - low + 1)
    if extent.is_Integer and extent < 0:
        raise c.refuse(part, "a range of at least no elements", f"from {low} to {high}", "Exchange the limits.")
    as_extent(extent, "from_sympy(Sum(…))")
    return Range(index, low, high)


def indexed(c: Converter, part: Any, ranges: tuple[Range, ...]) -> Any:
    """x[i, j] of an `IndexedBase`; without a shape it is as long as the ranges say."""
    base = part.base
    leaf = c.given.get(base)
    if leaf is None:
        shape = c.shape(base.shape) if base.shape is not None else _shape_by_ranges(c, part, ranges)
        leaf = c.leaf(str(base.label), shape)
    known = c.bases.setdefault(base, leaf)
    if known is not leaf:
        got = f"{known.shape} and {leaf.shape} in different places"
        raise c.refuse(part, "one shape of an indexed base", got, f"Write IndexedBase({base.label}, shape=(…)).")
    return element(c, part, leaf, part.indices, ranges)


def _shape_by_ranges(c: Converter, part: Any, ranges: tuple[Range, ...]) -> tuple[Extent, ...]:
    shape = []
    for index in part.indices:
        found, offset = _find(index, ranges)
        if found is None:
            mend = f"Write IndexedBase({part.base.label}, shape=(…))."
            raise c.refuse(part, "a shape of the indexed base", "no shape is given", mend)
        shape.append(_whole(found.high + offset + 1))
    return tuple(shape)


def _find(index: Any, ranges: tuple[Range, ...]) -> tuple[Range | None, Any]:
    """The range that an index runs over, and its offset."""
    for candidate in ranges:
        offset = sympy.expand(index - candidate.index)
        if candidate.index not in offset.free_symbols and not any(r.index in offset.free_symbols for r in ranges):
            return candidate, offset
    return None, 0


def element(c: Converter, part: Any, x: Any, indices: Sequence[Any], ranges: tuple[Range, ...]) -> Any:
    """x[i, j]: numbers drop an axis, indices of sums name one."""
    x = c.plain(part, x)
    if len(indices) != x.rank:
        raise c.refuse(part, f"{x.rank} indices", f"{len(indices)}", "Write one index per axis.")
    keys: list[Any] = []
    labels: list[Index] = []
    for axis, index in enumerate(indices):
        found, offset = _find(index, ranges)
        if found is not None:
            keys.append(_window(c, part, x.shape[axis], found.low + offset, found.high + offset))
            labels.append(found.index)
        elif index.is_Integer:
            keys.append(int(index))
        else:
            keys.append(_position(c, part, index, ranges))
    node = x[tuple(keys)]
    if len(set(labels)) < len(labels):
        once = tuple(dict.fromkeys(labels))
        node, labels = contract([[once.index(label) for label in labels]], range(len(once)), node), list(once)
    return Labelled((Factor(node, tuple(labels)),)) if labels else node


def _window(c: Converter, part: Any, extent: Extent, low: Any, high: Any) -> slice:
    """The part of an axis that an index runs over."""
    stop = sympy.expand(high + 1)
    if low == 0 and same_extent(_whole(stop), extent):
        return slice(None)
    if not (sympy.expand(low).is_nonnegative and sympy.expand(extent - stop).is_nonnegative):
        why = f"an index from {low} to {high} on an axis of extent {extent}"
        raise c.refuse(part, "indices inside the axis", why, "Count from 0 to n - 1.")
    return slice(_whole(low), _whole(stop))


def _position(c: Converter, part: Any, index: Any, ranges: tuple[Range, ...]) -> int:
    bound = sorted(str(s) for s in index.free_symbols)
    if any(r.index in index.free_symbols for r in ranges):
        why, mend = f"index {index}", "Use an index alone or with an offset, as in x[i + 1]."
    else:
        why, mend = f"free index {', '.join(bound)}", "Sum over it, or write the whole matrix."
    raise c.refuse(part, "numbers or indices of a sum", why, mend)


def kronecker_delta(c: Converter, part: Any, ranges: tuple[Range, ...]) -> Any:
    """δ(i, j) of two indices over the same range."""
    rows = [_find(index, ranges) for index in part.indices]
    (a, shift_a), (b, shift_b) = rows
    if a is None or b is None or shift_a or shift_b or a[1:] != b[1:]:
        why = "indices of different ranges, or free ones"
        raise c.refuse(part, "δ of two indices of sums over one range", why, "Write it as a Piecewise, or evaluate it.")
    if a.index == b.index:
        return number(1)
    return Labelled((Factor(identity(a.extent), (a.index, b.index)),))
