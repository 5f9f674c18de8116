"""Which loops of a nest may run all their iterations at once, statement by statement.

In: a `For`.  Out: whether running every statement of its nest for all iterations together gives what running
the iterations one after the other gives.  The interpreter is quick because of this; nothing else depends on it.

The claim rests on one fact.  Take a buffer that the nest stores to, and two accesses to it.  If every loop that
encloses both steps through the buffer along one axis in the same way, then iterations that meet at an element
agree on all those loops, so that only the order of the statements matters, and that order is kept.  A register
buffer made inside the nest is each iteration's own, so the loops around its `Alloc` need no such step.

What a fetch notes, that something lay outside, is no access: it is the same in any order.

Not handled (answered with no): nests that hold `If`, inner extents that depend on an outer loop of the nest,
aliasing through views.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from symnet.loops import affine, ir
from symnet.loops.accesses import reads_of


@dataclass(frozen=True, slots=True)
class _AccessInNest:
    memory: int | str  # the Alloc, or the name of the buffer whose memory it is
    buffer: ir.Buffer
    index: tuple[ir.IntExpr, ...]
    loops: tuple[ir.For, ...]  # those that share the memory, outermost first
    stores: bool


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a statement stands: the loops around it, and the register buffers made in the nest so far."""

    loops: tuple[ir.For, ...]
    cells: dict[str, tuple[int, int]]  # name → its Alloc, and how many loops stand around that
    roots: dict[str, str]

    def access(self, buffer: ir.Buffer, index: tuple[ir.IntExpr, ...], stores: bool) -> _AccessInNest:
        memory, private = self.cells.get(buffer.name, (self.roots.get(buffer.name, buffer.name), 0))
        return _AccessInNest(memory, buffer, index, self.loops[private:], stores)


def _accesses(body: ir.Body, scope: _Scope) -> Iterator[_AccessInNest]:
    scope = replace(scope, cells=dict(scope.cells))
    for stmt in body:
        if isinstance(stmt, ir.For):
            yield from _accesses(stmt.body, replace(scope, loops=(*scope.loops, stmt)))
        elif isinstance(stmt, ir.Alloc):
            scope.cells[stmt.buffer.name] = id(stmt), len(scope.loops)
        elif isinstance(stmt, ir.Let | ir.Fetch | ir.Store):
            if isinstance(stmt, ir.Store):
                yield scope.access(stmt.buffer, stmt.index, True)
            yield from (scope.access(buffer, index, False) for buffer, index in reads_of(stmt))


def is_straight(body: ir.Body) -> bool:
    """True for bodies without conditions."""
    return not any(isinstance(stmt, ir.If) for stmt in ir.walk(body))


def may_run_at_once(nest: ir.For, roots: dict[str, str]) -> bool:
    """True where all iterations of the nest may run together; `roots` sends a view's name to its memory's."""
    if not is_straight(nest.body) or not _is_rectangular(nest):
        return False
    by_memory: dict[int | str, list[_AccessInNest]] = {}
    for access in _accesses(nest.body, _Scope((nest,), {}, roots)):
        by_memory.setdefault(access.memory, []).append(access)
    return all(_order_is_kept(group) for group in by_memory.values() if any(a.stores for a in group))


def _is_rectangular(nest: ir.For) -> bool:
    loops = [stmt for stmt in ir.walk((nest,)) if isinstance(stmt, ir.For)]
    variables = {loop.var for loop in loops}
    inner = [loop.extent for loop in loops if loop is not nest]
    return not any(affine.names(extent) & variables or affine.int_loads(extent) for extent in inner)


def _order_is_kept(group: list[_AccessInNest]) -> bool:
    if len({access.buffer for access in group}) > 1:
        return False
    enclosed: dict[int, list[_AccessInNest]] = {}
    loops: dict[int, ir.For] = {}
    for access in group:
        for loop in access.loops:
            loops[id(loop)] = loop
            enclosed.setdefault(id(loop), []).append(access)
    return all(len(inside) == 1 or _walks_one_axis(loops[key], inside) for key, inside in enclosed.items())


def _walks_one_axis(loop: ir.For, inside: list[_AccessInNest]) -> bool:
    rank = len(inside[0].index)
    return any(_same_steps(loop, [access.index[axis] for access in inside], inside) for axis in range(rank))


def _same_steps(loop: ir.For, exprs: list[ir.IntExpr], inside: list[_AccessInNest]) -> bool:
    first = exprs[0]
    others = {inner.var for access in inside for inner in access.loops} - {loop.var}
    return (
        all(expr == first for expr in exprs)
        and affine.step(first, loop.var) not in (None, 0)
        and not affine.names(first) & others
        and not affine.int_loads(first)
    )
