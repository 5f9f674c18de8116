"""Layout: of rows that meet a stack of matrices, those of one matrix lie side by side.

before: t[r, j, i] = Σ over k of a[r, j, k]*F[j, i, k]                    of one j, rows are apart in t and in a
after:  t[j, r, i] = Σ over k of a[j, r, k]*F[j, i, k]

So units of j (`stacked.py`) walk over memory as it lies, and rows that are a power of two apart do not meet in one
place of a cache.
In: nests, and the buffers of the workspace.  Out: the same with some axes in another order.
Moved are buffers with rows as their first axis, between which and the last one that of the stack stands; what is
computed from them element by element moves with them.
Not handled: buffers that share memory with others, which may have other shapes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from symnet.loops.accesses import Access
from symnet.loops.ir import Buffer, IntVar
from symnet.loops.substitute import Substitution
from symnet.lower.nest import Nest
from symnet.schedule.access import accesses, base_name, stores, substituted
from symnet.schedule.fuse import is_map
from symnet.schedule.stacked import stack_axis
from symnet.schedule.target import Target

Item = TypeVar("Item")


def laid_out(
    nests: Sequence[Nest], buffers: Sequence[Buffer], target: Target, sums: int
) -> tuple[list[Nest], tuple[Buffer, ...]]:
    """Nests and buffers of the workspace, with the rows of stacks side by side."""
    owners = Counter(map(base_name, buffers))
    moved: dict[str, int] = {}  # the name of a buffer → the axis that becomes its first

    def move(buffer: Buffer, axis: int) -> None:
        own = buffer.space == "workspace" and owners[buffer.name] == 1
        if own and buffer.batch_axis == 0 and 0 < axis < len(buffer.shape) - 1:
            moved.setdefault(buffer.name, axis)

    for nest in nests:
        stack = stack_axis(nest, target, sums)
        for buffer, index in accesses(nest) if stack is not None else ():
            if stack is not None and IntVar(stack.var) in index:
                move(buffer, index.index(IntVar(stack.var)))
    for nest in nests:
        for store in stores(nest) if is_map(nest) else ():
            for buffer, index in accesses(nest):
                if buffer.name in moved and index == store.index:
                    move(store.buffer, moved[buffer.name])

    def turned(buffer: Buffer) -> Buffer:
        if buffer.name not in moved:
            return buffer
        return replace(buffer, shape=_first(moved[buffer.name], buffer.shape), batch_axis=1)

    def redirect(access: Access) -> Access:
        buffer, index = access
        return (turned(buffer), _first(moved[buffer.name], index)) if buffer.name in moved else access

    rule = Substitution({}, redirect)
    found = [substituted(n, rule) if _touches(n, moved) else n for n in nests]
    return found, tuple(map(turned, buffers))


def _touches(nest: Nest, names: Iterable[str]) -> bool:
    return not {buffer.name for buffer, _ in accesses(nest)}.isdisjoint(names)


def _first(axis: int, items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items with one of them before all others."""
    return (items[axis], *items[:axis], *items[axis + 1 :])
