"""A nest: one computation over a rectangular index space, before it is scheduled.

In: built by `lower/` from one stored value of the graph.  Out: `naive_phase` writes it as plain loops (the *loops*
floor); `schedule/` writes it as tiled, vectorized, streamed loops.

    for every point of `parallel`:
        acc = identity of its combine                      (when there are reduced axes)
        if `when` lets; the last of them is not 0:         (always where there are none)
            for every point of `reduced`:
                `inner` lets;  acc = acc combine value
        `outer` lets and stores, which may read Var(acc)

Points that are computed together accumulate if one of them must: what the others hold then is theirs, and not read.

A *kernel* has no accumulator: its `outer` brings loops of its own, and its axes are plain loops around them; over the
reduced ones it adds to what it stored before.
A nest with a *check* counts the points at which a condition holds; where there are any, another body runs for every
point, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from symnet.loops.ir import (
    Alloc,
    Body,
    Buffer,
    Const,
    Fetch,
    For,
    If,
    IntCondition,
    IntConst,
    IntExpr,
    IntLoad,
    Let,
    Load,
    Op,
    Phase,
    Stmt,
    Store,
    Value,
    Var,
    as_int,
)
from symnet.loops.substitute import value_variables


@dataclass(frozen=True, slots=True)
class Axis:
    """A loop of a nest; `batch` marks a streamed axis by the number of its batch, from 1; a nest has one of them."""

    var: str
    extent: IntExpr
    batch: int = 0

    @property
    def constant(self) -> int | None:
        return self.extent.value if isinstance(self.extent, IntConst) else None


@dataclass(frozen=True, slots=True)
class Accumulator:
    """`name = combine(name, value)` over the reduced axes, starting from `initial`."""

    name: str
    dtype: str
    combine: str
    initial: float | int
    value: Value


@dataclass(frozen=True, slots=True)
class Check:
    """Where `suspect`, a condition of the lets of `outer`, holds at a point, `again` runs for every point.

    So the check itself fills vectors and has no branch; only where something is wrong are points looked at one by one.
    `extent` is what indices must stay below; `source`, the element of an input that is the index as it came.
    """

    suspect: Value
    again: Body
    extent: IntExpr
    source: Load | None = None


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What a kernel does at once for neighbours along its last axis, where there are vectors (`side_by_side.py`).

    `body` touches memory at the axis's variable inside loops over `lane` alone: those over `most` lanes, and those over
    the first `count` of them, which store; `fits` says when it may be taken, where that depends on extents; what is
    `turned` reads squares, which pays where masked loads are cheap.
    """

    lane: str
    count: str
    most: int
    body: Body
    fits: IntCondition | None = None
    turned: bool = False


@dataclass(frozen=True)  # without slots: what is asked of it again and again is kept beside it (`schedule/access.py`)
class Nest:
    """One stored value (or several over one space).

    `kernel` is the number of multiply-adds of one point of a kernel (of other nests None); `check` stands without an
    accumulator only.  The last let of `when` is an int32: whether anyone reads what a point accumulates.
    `instead` are nests over the same points that run after a nest that fetches, if an index of its fetches was outside:
    they compute what it should have.
    `beside` is what a kernel does for several of its points at once.
    `halved` are the variables of two parallel axes, whose sums are wanted where the first is not beyond the second
    (`schedule/halved.py`); what others hold is theirs, and not read.
    """

    name: str
    parallel: tuple[Axis, ...]
    outer: Body
    reduced: tuple[Axis, ...] = ()
    inner: tuple[Let, ...] = ()
    accumulator: Accumulator | None = None
    kernel: int | None = None
    check: Check | None = None
    when: tuple[Let, ...] = ()
    instead: tuple[Nest, ...] = ()
    halved: tuple[str, ...] = ()
    beside: SideBySide | None = None

    @property
    def axes(self) -> tuple[Axis, ...]:
        return self.parallel + self.reduced

    @property
    def is_ordinary(self) -> bool:
        """Whether it is no kernel, and neither checks, fetches nor accumulates on a condition."""
        return self.kernel is None and self.check is None and self.beside is None and not (self.when or self.instead)

    @property
    def is_empty(self) -> bool:
        """Whether it stores nothing: an extent of 0, known now."""
        return any(axis.constant == 0 for axis in self.parallel)


def of_one_batch(nest: Nest) -> Nest:
    """The nest whose axes run over the first of its batches, or over none."""
    numbers = {axis.batch for axis in nest.axes if axis.batch}
    if len(numbers) < 2:
        return nest
    parallel, reduced = (
        tuple(replace(a, batch=a.batch if a.batch == min(numbers) else 0) for a in axes)
        for axes in (nest.parallel, nest.reduced)
    )
    return replace(nest, parallel=parallel, reduced=reduced)


def depths(axes: Sequence[Axis], statements: Iterable[Stmt]) -> list[tuple[int, Stmt]]:
    """How many of the nested loops each statement needs: lets float out as far as their variables allow."""
    level = {axis.var: number + 1 for number, axis in enumerate(axes)}
    placed: list[tuple[int, Stmt]] = []
    for stmt in statements:
        if isinstance(stmt, Let):
            depth = max((level.get(v, 0) for v in value_variables(stmt.value)), default=0)
            level[stmt.name] = depth
        else:
            depth = len(axes)
            if isinstance(stmt, Fetch):
                level[stmt.name] = depth
        placed.append((depth, stmt))
    return placed


def nested(axes: Sequence[Axis], statements: Iterable[Stmt], kinds: Sequence[str] | None = None) -> Body:
    """Loops over `axes` around `statements`, each let in the outermost loop that binds its variables."""
    placed = depths(axes, statements)
    body: Body = tuple(s for d, s in placed if d == len(axes))
    for number in range(len(axes) - 1, -1, -1):
        axis = axes[number]
        kind = kinds[number] if kinds else "serial"
        loop = For(axis.var, axis.extent, body, kind, axis=axis.var if axis.batch else None)
        body = (*(s for d, s in placed if d == number), loop)
    return body


def bounded(body: Body, var: str, bound: int) -> Body:
    """The statements, the loop over `var` told how long it can be."""
    out: list[Stmt] = []
    for stmt in body:
        if isinstance(stmt, For):
            stmt = replace(stmt, body=bounded(stmt.body, var, bound), bound=bound if stmt.var == var else stmt.bound)
        out.append(stmt)
    return tuple(out)


def around(axes: Sequence[Axis], body: Body) -> Body:
    """Plain loops over `axes` around all of a body."""
    for axis in reversed(axes):
        body = (For(axis.var, axis.extent, body, axis=axis.var if axis.batch else None),)
    return body


def mapped(nest: Nest, axes: Sequence[Axis], kinds: Sequence[str] | None = None) -> Body:
    """The loops of a nest without an accumulator, its check among them."""
    if nest.check is None:
        return nested(axes, nest.outer, kinds)
    store = next(s for s in nest.outer if isinstance(s, Store))
    cell, zero = Buffer(f"{nest.name}.suspects", store.buffer.dtype, (as_int(1),), "register"), (as_int(0),)
    count = Store(cell, zero, Op("cast", (nest.check.suspect,), cell.dtype), "add")
    some = IntCondition("ne", IntLoad(cell, zero), IntConst(0))
    return (
        Alloc(cell),
        Store(cell, zero, Const(0, cell.dtype)),
        *nested(axes, (*nest.outer, count), kinds),
        If(some, around(nest.parallel, nest.check.again)),
    )


def fetched(nest: Nest, loops: Body, again: Body) -> Body:
    """The loops of a nest that fetches; then, if an index was outside, other statements."""
    (inside,) = {stmt.inside for stmt in nest.outer if isinstance(stmt, Fetch)}
    met, zero = Buffer(f"{inside.name}_met", "int32", (as_int(1),), "register"), (as_int(0),)
    return (
        Alloc(inside),
        Store(inside, zero, Const(True, "bool")),
        *loops,
        Alloc(met),
        Store(met, zero, Op("cast", (Load(inside, zero),), met.dtype)),
        If(IntCondition("eq", IntLoad(met, zero), IntConst(0)), again),
    )


def accumulated_when(nest: Nest, over: Callable[[Body], Body], then: Body, orelse: Body) -> Body:
    """`then` where a point that `over` runs through must be accumulated, otherwise `orelse`; `then` without `when`."""
    if not nest.when:
        return then
    assert nest.accumulator is not None
    flag = Buffer(f"{nest.accumulator.name}_when", "int32", (as_int(1),), "register")
    first = (as_int(0),)
    found = over((*nest.when, Store(flag, first, Var(nest.when[-1].name, "int32"), "max")))
    condition = IntCondition("gt", IntLoad(flag, first), IntConst(0))
    return (Alloc(flag), Store(flag, first, Const(0, "int32")), *found, If(condition, then, orelse))


def naive_body(nest: Nest) -> Body:
    """The nest as plain serial loops, with a scalar accumulator in a register buffer."""
    if nest.kernel is not None:
        return around(nest.axes, nest.outer)
    if nest.accumulator is None:
        return mapped(nest, nest.parallel)
    acc = nest.accumulator
    cell = Buffer(f"{acc.name}_cell", acc.dtype, (as_int(1),), "register")
    zero = (as_int(0),)
    accumulate = Store(cell, zero, acc.value, acc.combine)
    point: Body = (
        Alloc(cell),
        Store(cell, zero, Const(acc.initial, acc.dtype)),
        *accumulated_when(nest, lambda body: body, nested(nest.reduced, (*nest.inner, accumulate)), ()),
        Let(acc.name, Load(cell, zero)),
        *nest.outer,
    )
    return around(nest.parallel, point)


def naive_phase(nest: Nest) -> Phase:
    return Phase(nest.name, naive_body(nest))
