"""Packing: a transposed copy of a contraction operand that no lane axis reads contiguously.

before: out[i, j] += A[i, k] * B[j, k]        (j strided in B, so lanes along j would gather)
after:  Bt[k, j] = B[j, k];  out[i, j] += A[i, k] * Bt[k, j]

The copy costs one pass over B; the contraction reads it once per row tile.  Contractions that would copy an input, or a
constant, in the same way read one copy.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from symnet.loops.accesses import Access
from symnet.loops.ir import Buffer, IntConst, IntExpr, IntVar, Load, Store
from symnet.loops.substitute import Substitution
from symnet.lower.nest import Axis, Nest
from symnet.schedule.access import CONTIGUOUS, INVARIANT, STRIDED, inner_loads, stores, stride, substituted

GIVEN = ("input", "constant")  # memory that no nest stores to
MIN_EXTENT = 2  # a lane axis shorter than this is not worth packing for


def all_packed(nests: Iterable[Nest]) -> tuple[list[Nest], list[Buffer]]:
    """Nests in order, copies before the first that reads them, and the buffers of the copies."""
    result: list[Nest] = []
    made: dict[tuple[Buffer, tuple[int | IntExpr, ...], tuple[IntExpr, ...]], Buffer] = {}
    buffers: list[Buffer] = []
    for nest in nests:
        fills, reading, extra = packed(nest, f"packed{len(buffers) + 1}")
        for fill, copy in zip(fills, extra, strict=True):
            source, order = _copied(fill)
            known = made.setdefault((source, order, copy.shape), copy)
            if known is copy or source.space not in GIVEN:
                result.append(fill)
                buffers.append(copy)
            else:
                reading = substituted(reading, Substitution({}, partial(_instead, copy, known)))
        result.append(reading)
    return result, buffers


def _copied(fill: Nest) -> tuple[Buffer, tuple[int | IntExpr, ...]]:
    """The buffer that a copy is of, and where its axes stand in the copy, or the one place that is taken of them."""
    (store,) = stores(fill)
    assert isinstance(store.value, Load)
    order = (store.index.index(i) if isinstance(i, IntVar) else i for i in store.value.index)
    return store.value.buffer, tuple(order)


def _instead(copy: Buffer, known: Buffer, access: Access) -> Access:
    return (known, access[1]) if access[0] == copy else access


def packed(nest: Nest, name: str) -> tuple[list[Nest], Nest, list[Buffer]]:
    """(the copies, the nest that reads them, their buffers); the nest alone where nothing is gained."""
    found = _strided_operand(nest)
    if found is None:
        return [], nest, []
    load, lane = found
    name = f"{load.buffer.name}.{name}"
    axes = [_axis(nest, i.name) for i in load.index if isinstance(i, IntVar)]
    order = [*(a for a in axes if a.var != lane.var), lane]
    across = any(a.batch and a is not lane for a in nest.parallel) and lane.batch  # all rows meet all rows
    batch = None if across else next((n for n, a in enumerate(order) if a.batch), None)
    number = 0 if batch is None else order[batch].batch
    copy = Buffer(name, load.buffer.dtype, tuple(a.extent for a in order), "workspace", None, batch, number)
    index = tuple(IntVar(a.var) for a in order)
    fill = Nest(name, tuple(order), (Store(copy, index, load),))

    def redirect(access: Access) -> Access:
        return (copy, index) if access == (load.buffer, load.index) else access

    return [fill], substituted(nest, Substitution({}, redirect)), [copy]


def _axis(nest: Nest, var: str) -> Axis:
    return next(a for a in nest.axes if a.var == var)


def _strided_operand(nest: Nest) -> tuple[Load, Axis] | None:
    """The one strided operand along the axis that the result stores contiguously, where other loads are fine."""
    if nest.accumulator is None or not nest.reduced or nest.when:  # what is rarely computed is not packed for
        return None
    loads = inner_loads(nest)
    lanes = [a for a in nest.parallel if all(stride(s, a.var) == CONTIGUOUS for s in stores(nest))]
    if len(loads) < 2 or not lanes or (lanes[0].constant or MIN_EXTENT) < MIN_EXTENT:
        return None
    (lane,) = lanes[:1]
    bad = [x for x in loads if stride(x, lane.var) == STRIDED]
    rows = [a for a in nest.parallel if a is not lane]
    if len(bad) != 1:
        return None
    variables = [i for i in bad[0].index if not isinstance(i, IntConst)]
    plain = all(isinstance(i, IntVar) for i in variables) and len(set(variables)) == len(variables)
    reread = any(stride(bad[0], a.var) == INVARIANT for a in rows)
    return (bad[0], lane) if plain and reread else None
