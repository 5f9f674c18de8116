"""Extents: the sizes of axes, concrete or symbolic.

In: Python ints, `Dim` symbols, SymPy integer expressions over them.  Out: canonical extents (a Python int, or an
expanded SymPy expression), broadcasting, and products.  Two extents are the same when their difference expands
to zero; nothing is assumed of different symbols.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Integer, Symbol, Tuple

from symnet.errors import ShapeError, explain
from symnet.expr.nodes.node import Extent, Shape, by_identity

_DIMS: dict[str, Dim] = {}
TYPICAL = 256  # what a symbolic extent counts for when costs are compared


class Dim(Symbol):
    """A symbolic extent: a nonnegative integer known at run time.  As a scalar it is the number itself."""

    __slots__ = ()

    def __new__(cls, name: str, **assumptions: Any) -> Dim:
        known = _DIMS.get(name)  # SymPy's own cache forgets; one name is one object for good
        return known or _DIMS.setdefault(name, super().__new__(cls, name, integer=True, nonnegative=True))

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.name,), {}


def dim(name: str) -> Dim:
    """A symbolic extent, such as a batch size.

    Args:
        name: an identifier; two dims of one name are the same extent.

    Example:
        >>> import symnet as sn
        >>> sn.tensor("X", sn.dim("m"), 3).shape
        (m, 3)
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ShapeError(explain(f"dim({name!r})", "an identifier", repr(name), 'Write dim("m").'))
    return Dim(name)


@lru_cache(maxsize=16384, typed=True)
def _canonical(expr: Expr) -> Extent:
    expr = sympy.expand(expr)
    return int(expr) if expr.is_Integer else expr


def whole_number(value: Any) -> int | None:
    """The integer that a value is; None for others (every NumPy array has `__index__`, few have an index)."""
    try:
        return operator.index(value)
    except TypeError:
        return None


def difference(longer: Extent, shorter: Extent) -> Extent:
    """longer - shorter; of equal ones 0, without the sum for which SymPy loads its tensors and groups."""
    return sympy.S.Zero if longer == shorter else longer - shorter


def as_extent(value: Any, call: str) -> Extent:
    """An int ≥ 0, or an expanded SymPy expression whose symbols are dims."""
    if isinstance(value, str):
        raise ShapeError(
            explain(
                call, "an int or a dim for each extent", repr(value), f'Write sn.dim("{value}") for a symbolic one.'
            )
        )
    whole = None if isinstance(value, (bool, Expr)) else whole_number(value)
    if whole is not None:
        value = whole
        if value < 0:
            raise ShapeError(explain(call, "extents of at least 0", str(value), "Give each axis a size of 0 or more."))
        return value
    if isinstance(value, Expr) and value.free_symbols and all(isinstance(s, Dim) for s in value.free_symbols):
        return _canonical(value)
    if isinstance(value, Integer):
        return as_extent(int(value), call)
    raise ShapeError(
        explain(call, "an int or a dim for each extent", repr(value), 'Write sn.dim("m") for a symbolic one.')
    )


def same_extent(a: Extent, b: Extent) -> bool:
    """Whether two extents are equal for every value of the dims.

    The first difference of symbols that SymPy computes loads its tensors and groups: numbers and single dims need none.
    """
    if a is b:
        return True
    if isinstance(a, int | Dim) or isinstance(b, int | Dim):
        return bool(a == b)
    return bool(a == b or _canonical(sympy.sympify(a) - b) == 0)


def is_one(extent: Extent) -> bool:
    """Whether an extent is the number 1 (a comparison with a symbol would cost far more)."""
    return isinstance(extent, int) and extent == 1


def has_unit_axis(shape: Shape) -> bool:
    return any(map(is_one, shape))


def same_shape(a: Sequence[Extent], b: Sequence[Extent]) -> bool:
    return len(a) == len(b) and all(map(same_extent, a, b))


def product(extents: Iterable[Extent]) -> Extent:
    """The number of elements of a shape."""
    result: Any = 1
    for extent in extents:
        result = result * extent
    return result if isinstance(result, int) else _canonical(result)


def total_extent(extents: Iterable[Extent]) -> Extent:
    """The sum of extents."""
    known, symbolic = 0, list[Expr]()
    for extent in extents:
        if isinstance(extent, int):
            known += extent
        else:
            symbolic.append(extent)
    return _canonical(sympy.Add(known, *symbolic)) if symbolic else known


@lru_cache(maxsize=16384)
def shape_arg(shape: Shape) -> Tuple:
    """A shape as a `Basic` argument of a node."""
    return Tuple(*(Integer(e) if isinstance(e, int) else e for e in shape))


@lru_cache(maxsize=16384)
def ints_arg(values: tuple[int, ...]) -> Tuple:
    """Plain integers (axes, indices) as a `Basic` argument of a node."""
    return Tuple(*map(Integer, values))


@by_identity
@lru_cache(maxsize=16384)
def shape_of(arg: Tuple) -> Shape:
    """The inverse of `shape_arg`."""
    return tuple(_canonical(e) for e in arg)


@by_identity
@lru_cache(maxsize=16384)
def ints_of(arg: Tuple) -> tuple[int, ...]:
    """The inverse of `ints_arg`."""
    return tuple(int(e) for e in arg)


@lru_cache(maxsize=16384)
def subscripts_arg(groups: tuple[tuple[int, ...], ...]) -> Tuple:
    """Groups of plain integers as a `Basic` argument of a node."""
    return Tuple(*map(ints_arg, groups))


@by_identity
@lru_cache(maxsize=16384)
def subscripts_of(arg: Tuple) -> tuple[tuple[int, ...], ...]:
    """The inverse of `subscripts_arg`."""
    return tuple(ints_of(group) for group in arg)


def broadcast_shapes(call: str, *shapes: Shape) -> Shape:
    """NumPy's broadcasting: axes aligned at the right, extent 1 stretches.

    Raises:
        ShapeError: naming the two extents that differ.
    """
    rank = max((len(s) for s in shapes), default=0)
    result: list[Extent] = [1] * rank
    for shape in shapes:
        for position, extent in enumerate(shape, start=rank - len(shape)):
            have = result[position]
            if extent is have or is_one(extent) or (not is_one(have) and same_extent(have, extent)):
                continue
            if not is_one(have):
                raise ShapeError(
                    explain(
                        call,
                        f"shapes that broadcast: equal extents, or 1, at axis {position - rank}",
                        " and ".join(str(tuple(s)) for s in shapes) + f", where {have} meets {extent}",
                        "Reshape or transpose one of them, or use the same dim for both.",
                    )
                )
            result[position] = extent
    return tuple(result)


def normalize_axes(call: str, axis: Any, rank: int) -> tuple[int, ...]:
    """`axis=` as sorted nonnegative positions; None means all of them."""
    if axis is None:
        return tuple(range(rank))
    axes = list(axis) if isinstance(axis, (tuple, list)) else [axis]
    out = []
    for a in axes:
        whole = whole_number(a)
        if whole is None:
            raise ShapeError(
                explain(call, "an int or a tuple of ints as axis", f"axis={axis!r}", "Write axis=0 or axis=(0, 1).")
            )
        a = whole
        if not -rank <= a < rank:
            raise ShapeError(
                explain(call, f"axes from {-rank} to {rank - 1}" if rank else "no axis", f"axis {a}", "Check the rank.")
            )
        out.append(a % rank)
    if len(set(out)) != len(out):
        raise ShapeError(explain(call, "each axis once", f"axis={axis}", "Name each axis once."))
    return tuple(sorted(out))


def normalize_axis(call: str, axis: Any, rank: int) -> int:
    """One `axis=` as a nonnegative position."""
    if whole_number(axis) is None:
        raise ShapeError(explain(call, "an int as axis", f"axis={axis!r}", "Write axis=0: it goes along one axis."))
    return normalize_axes(call, axis, rank)[0]


def typical(extent: Extent) -> int:
    """An extent as costs count it: a symbolic one is TYPICAL."""
    return max(extent, 1) if isinstance(extent, int) else TYPICAL
