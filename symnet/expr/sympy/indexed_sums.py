"""Sums over indices become contractions: Σᵢ a[i]·b[i, j] is an einsum.

In: SymPy's `Sum`, `Indexed`, elements `X[i, j]` of matrices, `KroneckerDelta`.  Out: nodes; inside a sum `Labelled`
values (`labelled.py`).  An index is affine in the indices of sums: x[i + 1] is a slice, x[2*i] one with a step,
x[n - 1 - i] runs backwards, x[i + j] is gathered, as in a convolution.
Not handled: other indices, as x[i*j] and x[t[i]].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sympy

from symnet.expr.nodes.constants import identity, iota, number, size
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import keep_axes
from symnet.expr.nodes.extents import as_extent, ints_arg, same_extent, shape_arg
from symnet.expr.nodes.indexing import take
from symnet.expr.nodes.movement import Slice, broadcast_to
from symnet.expr.nodes.node import Extent, Node
from symnet.expr.nodes.reduction import reduce
from symnet.expr.sympy.conversion import Conversion
from symnet.expr.sympy.labelled import IndexedArray, Labelled, SumIndex, SumRange, labelled, over, whole


def _inside(c: Conversion, part: Any, own: tuple[SumRange, ...], ranges: tuple[SumRange, ...]) -> Any:
    """`part` under indices of its own, which hide outer ones of the same name."""
    outer = tuple(r for r in ranges if r.index not in {o.index for o in own})
    return c.convert(part, (*outer, *own))


def sum_over(c: Conversion, part: Any, ranges: tuple[SumRange, ...]) -> Any:
    """Σ over the limits of `part`."""
    own = tuple(_range(c, part, limit) for limit in part.limits)
    body = _inside(c, part.function, own, ranges)
    if isinstance(body, Node) and body.rank:
        raise c.refuse(part, "sums of scalars", "a sum of matrices", "Write it out, or sum its elements.")
    value = labelled(body)
    repeated = [IndexedArray(size(o.extent), ()) for o in own if o.index not in value.labels]
    value = Labelled((*repeated, *value.factors))
    gone = {o.index for o in own}
    left = tuple(label for label in value.labels if label not in gone)
    total = value.summed(left)
    return Labelled((IndexedArray(total, left),)) if left else total


def _range(c: Conversion, part: Any, limit: Any) -> SumRange:
    if len(limit) != 3:
        raise c.refuse(part, "sums with both limits", f"limits {limit}", "Write Sum(f, (i, 0, n - 1)).")
    index, low, high = limit
    low, high = (_with_dims(c, b) for b in (low, high))
    extent = sympy.expand(high - low + 1)
    if extent.is_Integer and extent < 0:
        raise c.refuse(part, "a range of at least no elements", f"from {low} to {high}", "Exchange the limits.")
    as_extent(extent, "from_sympy(Sum(…))")
    return SumRange(index, low, high)


def indexed(c: Conversion, part: Any, ranges: tuple[SumRange, ...]) -> Any:
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


def _shape_by_ranges(c: Conversion, part: Any, ranges: tuple[SumRange, ...]) -> tuple[Extent, ...]:
    shape = []
    for index in part.indices:
        found = _affine(_with_dims(c, index), ranges)
        if found is None or not found.terms:
            mend = f"Write IndexedBase({part.base.label}, shape=(…))."
            raise c.refuse(part, "a shape of the indexed base", "no shape is given", mend)
        shape.append(whole(found.high + 1))
    return tuple(shape)


def _with_dims(c: Conversion, value: Any) -> Any:
    """A size or an index, with the symbols of sizes as dims."""
    return sympy.expand(value.xreplace({s: c.names.get(str(s), s) for s in value.free_symbols}))


class Affine(NamedTuple):
    """offset + Σ coefficient·index, over indices of sums."""

    offset: Any
    terms: tuple[tuple[SumRange, int], ...]

    @property
    def low(self) -> Any:
        return self.offset + sum(k * (r.low if k > 0 else r.high) for r, k in self.terms)

    @property
    def high(self) -> Any:
        return self.offset + sum(k * (r.high if k > 0 else r.low) for r, k in self.terms)


def _affine(index: Any, ranges: tuple[SumRange, ...]) -> Affine | None:
    """An index in terms of those of the sums; None where it is not affine with whole coefficients."""
    terms = tuple((r, index.coeff(r.index)) for r in ranges if r.index in index.free_symbols)
    offset = sympy.expand(index - sympy.Add(*(k * r.index for r, k in terms)))
    bound = {r.index for r in ranges}
    if bound & offset.free_symbols or not all(k.is_Integer and k for _, k in terms):
        return None
    return Affine(offset, tuple((r, int(k)) for r, k in terms))


def element(c: Conversion, part: Any, x: Any, indices: Sequence[Any], ranges: tuple[SumRange, ...]) -> Any:
    """x[i, j]: numbers drop an axis, indices of sums name one, or several."""
    x = c.plain(part, x)
    if len(indices) != x.rank:
        raise c.refuse(part, f"{x.rank} indices", f"{len(indices)}", "Write one index per axis.")
    keys: list[Any] = []
    axes: list[Affine] = []
    for axis, index in enumerate(indices):
        found = _affine(_with_dims(c, index), ranges)
        if found is not None and found.terms:
            keys.append(_window(c, part, x.shape[axis], found.low, found.high))
            axes.append(found)
        else:
            keys.append(int(index) if index.is_Integer else _position(c, part, index, ranges))
    node = x[tuple(keys)]
    for axis in reversed(range(len(axes))):
        node = _spread(node, axis, axes[axis])
    labels: list[SumIndex] = [r.index for found in axes for r, _ in found.terms]
    if len(set(labels)) < len(labels):
        once = tuple(dict.fromkeys(labels))
        node, labels = contract([[once.index(label) for label in labels]], range(len(once)), node), list(once)
    return Labelled((IndexedArray(node, tuple(labels)),)) if labels else node


def _spread(x: Node, axis: int, found: Affine) -> Node:
    """An axis, cut to the elements between the lowest and the highest index, as one axis for each index of a sum."""
    (first, step), *others = found.terms
    if not others and step == 1:
        return x
    if not others:
        starts = [0] * x.rank
        sizes, steps = list(x.shape), [1] * x.rank
        starts[axis] = 0 if step > 0 else whole(x.shape[axis] - 1)
        sizes[axis], steps[axis] = first.extent, step
        return Slice(x, shape_arg(tuple(starts)), shape_arg(tuple(sizes)), ints_arg(tuple(steps)))
    ramps = []
    for place, (r, k) in enumerate(found.terms):
        ramp = iota(r.extent) if k > 0 else iota(r.extent)[::-1]
        ramp = ramp if abs(k) == 1 else elementwise("mul", number(abs(k)), ramp)
        ramps.append(keep_axes(ramp, tuple(a for a in range(len(found.terms)) if a != place)))
    return take(x, elementwise("add", *ramps), axis)


def _window(c: Conversion, part: Any, extent: Extent, low: Any, high: Any) -> slice:
    """The elements of an axis from the lowest to the highest value of an index: x[2:9] for i + 2, i = 0 … 6."""
    stop = sympy.expand(high + 1)
    if low == 0 and same_extent(whole(stop), extent):
        return slice(None)
    if not (sympy.expand(low).is_nonnegative and sympy.expand(extent - stop).is_nonnegative):
        why = f"an index from {low} to {high} on an axis of extent {extent}"
        raise c.refuse(part, "indices inside the axis", why, "Count from 0 to n - 1.")
    return slice(whole(low), whole(stop))


def _position(c: Conversion, part: Any, index: Any, ranges: tuple[SumRange, ...]) -> int:
    bound = sorted(str(s) for s in index.free_symbols)
    if any(r.index in index.free_symbols for r in ranges):
        why, mend = f"index {index}", "Use sums of indices with whole coefficients, as in x[2*i + j]."
    else:
        why, mend = f"free index {', '.join(bound)}", "Sum over it, or write the whole matrix."
    raise c.refuse(part, "numbers or affine indices of sums", why, mend)


def kronecker_delta(c: Conversion, part: Any, ranges: tuple[SumRange, ...]) -> Any:
    """δ(i, j) of two indices over the same range."""
    a, b = (_alone(index, ranges) for index in part.indices)
    if a is None or b is None or a[1:] != b[1:]:
        why = "indices of different ranges, or free ones"
        raise c.refuse(part, "δ of two indices of sums over one range", why, "Write it as a Piecewise, or evaluate it.")
    if a.index == b.index:
        return number(1)
    return Labelled((IndexedArray(identity(a.extent), (a.index, b.index)),))


def _alone(index: Any, ranges: tuple[SumRange, ...]) -> SumRange | None:
    return next((r for r in ranges if r.index == index), None)


def product_over(c: Conversion, part: Any, ranges: tuple[SumRange, ...]) -> Any:
    """Π over the limits of `part`."""
    own = tuple(_range(c, part, limit) for limit in part.limits)
    body = _inside(c, part.function, own, ranges)
    if isinstance(body, Node) and body.rank:
        raise c.refuse(part, "products of scalars", "a product of matrices", "Write it out.")
    value = labelled(body)
    gone = [o.index for o in own if o.index in value.labels]
    left = [label for label in value.labels if label not in gone]
    total = value.summed([*left, *gone])
    if gone:
        total = reduce("prod", total, tuple(range(len(left), total.rank)))
    for repeated in (o for o in own if o.index not in value.labels):
        total = elementwise("pow", total, size(repeated.extent))
    return Labelled((IndexedArray(total, tuple(left)),)) if left else total


def function_matrix(c: Conversion, part: Any, ranges: tuple[SumRange, ...]) -> Node:
    """f(i, j) for all rows i and columns j."""
    shape = c.shape(part.shape)
    own = tuple(SumRange(v, sympy.Integer(0), n - 1) for v, n in zip(part.lamda.variables, shape, strict=True))
    value = labelled(_inside(c, part.lamda.expr, own, ranges))
    if any(label not in {o.index for o in own} for label in value.labels):
        why, mend = "its elements do", "Sum over its elements instead."
        raise c.refuse(part, "matrices that do not depend on the index of a sum", why, mend)
    return broadcast_to(over(value, tuple(o.index for o in own)), shape)
