"""Which loops of a nest may run all their iterations at once, statement by statement.

In: a `For`.  Out: whether running every statement of its nest for all iterations together gives what running
the iterations one after the other gives.  The interpreter is quick because of this; nothing else depends on it.

The claim rests on one fact.  Take a buffer that the nest stores to, and two accesses to it.  If every loop that
encloses both steps through the buffer along one axis in the same way, then iterations that meet at an element
agree on all those loops, so that only the order of the statements matters, and that order is kept.

Not handled (answered with no): nests that hold `If` or `Alloc`, inner extents that depend on an outer loop of
the nest, aliasing through views.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from symnet.loops import affine, ir


@dataclass(frozen=True, slots=True)
class _Access:
    buffer: ir.Buffer
    index: tuple[ir.IntExpr, ...]
    loops: tuple[ir.For, ...]  # outermost first
    stores: bool


def loads_of_value(value: ir.Value) -> Iterator[tuple[ir.Buffer, tuple[ir.IntExpr, ...]]]:
    """Every element a value reads, integer loads included."""
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, ir.Load):
            yield node.buffer, node.index
            yield from loads_of_index(node.index)
        elif isinstance(node, ir.FromInt):
            yield from loads_of_index((node.value,))
        elif isinstance(node, ir.Op):
            stack.extend(node.args)


def loads_of_index(index: Iterable[ir.IntExpr]) -> Iterator[tuple[ir.Buffer, tuple[ir.IntExpr, ...]]]:
    """Every element that index expressions read."""
    for expr in index:
        for load in affine.int_loads(expr):
            yield load.buffer, load.index


def accesses(body: ir.Body, loops: tuple[ir.For, ...]) -> Iterator[_Access]:
    """Every load and store of a body of Let, Store and For."""
    for stmt in body:
        if isinstance(stmt, ir.For):
            yield from accesses(stmt.body, (*loops, stmt))
        elif isinstance(stmt, ir.Let | ir.Store):
            reads = list(loads_of_value(stmt.value))
            if isinstance(stmt, ir.Store):
                reads += loads_of_index(stmt.index)
                yield _Access(stmt.buffer, stmt.index, loops, True)
            for buffer, index in reads:
                yield _Access(buffer, index, loops, False)


def is_straight(body: ir.Body) -> bool:
    """True for bodies of Let, Store and For only."""
    return all(isinstance(stmt, ir.Let | ir.Store | ir.For) for stmt in ir.walk(body))


def may_run_at_once(nest: ir.For, roots: dict[str, str]) -> bool:
    """True where all iterations of the nest may run together; `roots` sends a view's name to its memory's."""
    if not is_straight(nest.body) or not _is_rectangular(nest):
        return False
    by_memory: dict[str, list[_Access]] = {}
    for access in accesses(nest.body, (nest,)):
        by_memory.setdefault(roots.get(access.buffer.name, access.buffer.name), []).append(access)
    return all(_order_is_kept(group) for group in by_memory.values() if any(a.stores for a in group))


def _is_rectangular(nest: ir.For) -> bool:
    loops = [stmt for stmt in ir.walk((nest,)) if isinstance(stmt, ir.For)]
    variables = {loop.var for loop in loops}
    inner = [loop.extent for loop in loops if loop is not nest]
    return not any(affine.names(extent) & variables or affine.int_loads(extent) for extent in inner)


def _order_is_kept(group: list[_Access]) -> bool:
    if len({access.buffer for access in group}) > 1:
        return False
    enclosed: dict[int, list[_Access]] = {}
    loops: dict[int, ir.For] = {}
    for access in group:
        for loop in access.loops:
            loops[id(loop)] = loop
            enclosed.setdefault(id(loop), []).append(access)
    return all(len(inside) == 1 or _walks_one_axis(loops[key], inside) for key, inside in enclosed.items())


def _walks_one_axis(loop: ir.For, inside: list[_Access]) -> bool:
    rank = len(inside[0].index)
    return any(_same_steps(loop, [access.index[axis] for access in inside], inside) for axis in range(rank))


def _same_steps(loop: ir.For, exprs: list[ir.IntExpr], inside: list[_Access]) -> bool:
    first = exprs[0]
    others = {inner.var for access in inside for inner in access.loops} - {loop.var}
    return (
        all(expr == first for expr in exprs)
        and affine.step(first, loop.var) not in (None, 0)
        and not affine.names(first) & others
        and not affine.int_loads(first)
    )
