"""How a nest touches memory: which loop runs along contiguous elements, what each access varies with.

In: a nest.  Out: its accesses, and for a loop variable whether an access is *invariant*, *contiguous* or *strided*.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import wraps
from typing import TypeVar

from symnet.dtypes import ITEMSIZE
from symnet.loops.accesses import Access, computed_with, of_value, reads, writes
from symnet.loops.ir import (
    Body,
    Buffer,
    Fetch,
    IntAdd,
    IntConst,
    IntExpr,
    IntMul,
    IntVar,
    Let,
    Load,
    Stmt,
    Store,
    walk,
)
from symnet.loops.limits import limit
from symnet.loops.substitute import Substitution, int_variables
from symnet.lower.nest import Accumulator, Axis, Check, Nest

INVARIANT, CONTIGUOUS, STRIDED = "invariant", "contiguous", "strided"
Answer = TypeVar("Answer")
Readers = dict[str, int]  # the name of a buffer's memory → how many nests read it


def once_per_nest(work: Callable[[Nest], Answer]) -> Callable[[Nest], Answer]:
    """What a nest gives is worked out once and kept beside the nest, which does not change."""
    key = f"_{work.__name__}"

    @wraps(work)
    def remembered(nest: Nest) -> Answer:
        if key not in nest.__dict__:
            nest.__dict__[key] = work(nest)
        return nest.__dict__[key]

    return remembered


def _statement_loads(statements: Iterable[Stmt]) -> Iterator[Load]:
    for stmt in walk(tuple(statements)):
        if isinstance(stmt, Let | Fetch | Store):
            yield from computed_with(stmt.value)


def array_bytes(buffer: Buffer, perhaps: int) -> int:
    """The bytes of an array; an extent that is not known counts for `perhaps`."""
    most = (limit(extent) for extent in buffer.shape)
    return ITEMSIZE[buffer.dtype] * math.prod(perhaps if n is None else max(n, 1) for n in most)


@once_per_nest
def inner_loads(nest: Nest) -> tuple[Load, ...]:
    """What the innermost loops compute with."""
    value = list(computed_with(nest.accumulator.value)) if nest.accumulator else []
    return *_statement_loads(nest.inner), *value


@once_per_nest
def outer_loads(nest: Nest) -> tuple[Load, ...]:
    return tuple(_statement_loads(nest.outer))


@once_per_nest
def stores(nest: Nest) -> tuple[Store, ...]:
    return tuple(s for s in writes(_outer(nest)) if s.buffer.space != "register")


def _outer(nest: Nest) -> Body:
    """What runs at every point, that of its check too."""
    return nest.outer if nest.check is None else (*nest.outer, *nest.check.again)


@once_per_nest
def accesses(nest: Nest) -> tuple[Access, ...]:
    """Every access to memory, those inside indices included."""
    value = of_value(nest.accumulator.value) if nest.accumulator else ()
    written = [(s.buffer, s.index) for s in stores(nest)]
    touched = [*reads(nest.when), *reads(nest.inner), *value, *reads(_outer(nest)), *written]
    return tuple(access for access in touched if access[0].space != "register")


@once_per_nest
def read_names(nest: Nest) -> frozenset[str]:
    """The buffers, by the names of their memory, that a nest reads; a store that combines reads its own."""
    value = of_value(nest.accumulator.value) if nest.accumulator else ()
    touched = [buffer for buffer, _ in (*reads(nest.when), *reads(nest.inner), *value, *reads(_outer(nest)))]
    touched += [s.buffer for s in stores(nest) if s.combine is not None]
    return frozenset(base_name(buffer) for buffer in touched if buffer.space != "register")


@once_per_nest
def written_names(nest: Nest) -> frozenset[str]:
    """The buffers, by the names of their memory, that a nest stores to."""
    return frozenset(base_name(s.buffer) for s in stores(nest))


def readers(nests: Iterable[Nest]) -> Readers:
    """How many nests read the memory of every buffer."""
    found: Readers = {}
    for nest in nests:
        for name in read_names(nest):
            found[name] = found.get(name, 0) + 1
    return found


def stride(access: Load | Store, var: str) -> str:
    """How the address moves when `var` grows by one; axes of one element at the end of an array are as if not there."""
    index = access.index
    touched = [position for position, expr in enumerate(index) if _mentions(expr, var)]
    if not touched:
        return INVARIANT
    last = touched[-1]
    alone = len(touched) == 1 and all(extent == IntConst(1) for extent in access.buffer.shape[last + 1 :])
    return CONTIGUOUS if alone and coefficient(index[last], var) == 1 else STRIDED


def _mentions(expr: IntExpr, var: str) -> bool:
    return expr.name == var if isinstance(expr, IntVar) else var in int_variables(expr)


def without_unit_axes(nest: Nest) -> Nest:
    """The nest without loops over one element, of which a reduction keeps the last; batches stay."""
    if nest.kernel is not None or nest.is_empty or not any(map(_is_unit, nest.axes)):
        return nest
    parallel, reduced = (tuple(a for a in axes if not _is_unit(a)) for axes in (nest.parallel, nest.reduced))
    reduced = reduced or nest.reduced[-1:]
    gone: dict[str, IntExpr] = {a.var: IntConst(0) for a in nest.axes if a not in (*parallel, *reduced)}
    return replace(restricted(substituted(nest, Substitution(gone)), parallel), reduced=reduced)


def _is_unit(axis: Axis) -> bool:
    return axis.constant == 1 and not axis.batch


def coefficient(expr: IntExpr, var: str) -> int | None:
    """The constant factor of `var` in an affine expression, None when it is not affine."""
    if isinstance(expr, IntVar):
        return int(expr.name == var)
    if isinstance(expr, IntAdd):
        left, right = coefficient(expr.left, var), coefficient(expr.right, var)
        return None if left is None or right is None else left + right
    if isinstance(expr, IntMul) and isinstance(expr.right, IntConst):
        inner = coefficient(expr.left, var)
        return None if inner is None else inner * expr.right.value
    return 0 if var not in int_variables(expr) else None


def substituted(nest: Nest, rule: Substitution) -> Nest:
    """The nest with integer variables replaced and accesses moved; its axes stay."""
    acc = nest.accumulator
    moved: Accumulator | None = replace(acc, value=rule.value(acc.value)) if acc else None
    check = _check_substituted(nest.check, rule) if nest.check else None
    outer, inner, when = rule.body(nest.outer), rule.lets(nest.inner), rule.lets(nest.when)
    instead = tuple(substituted(n, rule) for n in nest.instead)
    beside = replace(nest.beside, body=rule.body(nest.beside.body)) if nest.beside else None
    moved_nest = replace(nest, outer=outer, inner=inner, when=when, accumulator=moved, check=check, instead=instead)
    return replace(moved_nest, beside=beside)


def _check_substituted(check: Check, rule: Substitution) -> Check:
    again, extent = rule.body(check.again), rule.integer(check.extent)
    source = None if check.source is None else Load(*rule.located(check.source.buffer, check.source.index))
    return Check(rule.value(check.suspect), again, extent, source)


def restricted(nest: Nest, axes: tuple[Axis, ...]) -> Nest:
    """The nest over other ranges of its parallel axes."""
    return replace(nest, parallel=axes, instead=tuple(restricted(n, axes) for n in nest.instead))


def shifted(nest: Nest, axis: Axis, start: IntExpr, extent: IntExpr) -> Nest:
    """The nest over start … start + extent of one parallel axis."""
    moved = substituted(nest, Substitution({axis.var: IntVar(axis.var) + start}))
    swap = {axis.var: replace(axis, extent=extent)}
    return restricted(moved, tuple(swap.get(a.var, a) for a in nest.parallel))


def base_name(buffer: Buffer) -> str:
    """The buffer whose memory this is."""
    return buffer.view_of or buffer.name
