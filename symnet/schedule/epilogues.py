"""Sums over rows on their own: what follows a finished sum, and what its additions round away, stand apart from it.

before: for k: s = Σ over rows of x[i, k];  y[k] = f(s)
after:  for k: s = Σ over rows of x[i, k];  sums[k] = s              once per superblock, with sums_low[k]
        for k: s = sums[k];  y[k] = f(s)                             once at the end

In: nests.  Out: nests, and the buffers that they need.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symnet.loops.ir import Buffer, IntVar, Let, Load, Store, Var
from symnet.lower.nest import Nest
from symnet.schedule.access import stores
from symnet.schedule.partials import is_rounded
from symnet.schedule.stream import classify


def split_epilogues(nests: Iterable[Nest]) -> tuple[list[Nest], list[Buffer]]:
    """A reduction over rows that stores a function of its sum: the sum first, the function once at the end."""
    result: list[Nest] = []
    extra: list[Buffer] = []
    for nest in nests:
        acc = nest.accumulator
        if acc is None or classify(nest) != "reduce" or _is_bare(nest):
            result.append(nest)
            continue
        index = tuple(IntVar(a.var) for a in nest.parallel)
        cell = Buffer(f"{acc.name}s", acc.dtype, tuple(a.extent for a in nest.parallel), "workspace")
        extra.append(cell)
        result.append(replace(nest, outer=(Store(cell, index, Var(acc.name, acc.dtype)),)))
        finish = (Let(acc.name, Load(cell, index)), *nest.outer)
        result.append(Nest(f"{nest.name}_final", nest.parallel, finish))
    return result, extra


def lows_of(nests: Iterable[Nest]) -> dict[str, Buffer]:
    """Where roundings are added up: a buffer for each sum over rows that is rounded, by the name of its nest."""
    found: dict[str, Buffer] = {}
    for nest in nests:
        if classify(nest) == "reduce" and is_rounded(nest):
            assert nest.accumulator is not None
            (store,) = stores(nest)
            low = f"{nest.accumulator.name}_low"
            found[nest.name] = Buffer(low, store.buffer.dtype, store.buffer.shape, "workspace")
    return found


def _is_bare(nest: Nest) -> bool:
    acc = nest.accumulator
    return (
        acc is not None
        and len(nest.outer) == 1
        and isinstance(nest.outer[0], Store)
        and nest.outer[0].value == Var(acc.name, acc.dtype)
    )
