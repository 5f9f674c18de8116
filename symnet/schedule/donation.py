"""Whether an output may be computed in the place of an input: an update without a second array.

In: a program as it is scheduled for a machine, the names of an input and of an output.  Out: None where every element
of the input is read for the last time before the output's element in its place is written, or at the same point,
whatever order the units run in; otherwise what may come too late (`LateRead`).

    for j: for k: let w = W[j, k];  N[j, k] = w - lr*G[j, k]          N may be W
    for j: N[j] = W[j] + W[0]                                         it may not: W[0] is gone at the second point

A read and a write are in order where one of these holds:

- the read is in an earlier phase, of which no repetition follows the write: the group does not repeat, or the write is
  in its last repetition;
- they are in one phase that a single unit runs from begin to end, and the read comes first;
- they are at the same point of the same loops, the read first, and another point has other elements, as the axes that
  both index alike say (`_is_one_to_one`);
- they touch other elements (`_are_apart`), or never run both, as what is for no rows and what is for some.

It goes by the program alone, so it holds for any schedule.  Where it does not hold, `computed_apart` makes it so: the
output is computed in the workspace and copied when everything else is done.
Not handled: a proof that needs more than that is none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from symnet.loops import ir
from symnet.loops.accesses import Access, reads_of
from symnet.loops.affine import constant_difference, extreme, names, polynomial, step
from symnet.loops.limits import limit
from symnet.loops.owners import owners
from symnet.loops.substitute import substitute
from symnet.lower.nest import Axis, Nest
from symnet.schedule.target import Target
from symnet.schedule.tile import scheduled
from symnet.schedule.vectorize import vectorized

StatementPath = tuple[tuple[int, int], ...]  # in each body around it a position and which inner body


@dataclass(frozen=True, slots=True)
class LateRead:
    """A read that may come after a write, with the phases that they are in."""

    read: ir.Stmt
    reads_in: str
    writes_in: str


@dataclass(frozen=True, slots=True)
class _Site:
    """A read or a write, and where it stands.

    Attributes:
        times: the group's number and the phase's in it.
        place: in the phase's body.
        around: the statements around it, the outermost first, each with the number of the body that it is in.
    """

    group: ir.Group
    phase: ir.Phase
    times: tuple[int, int]
    place: StatementPath
    around: tuple[tuple[ir.Stmt, int], ...]
    stmt: ir.Stmt
    buffer: ir.Buffer
    index: tuple[ir.IntExpr, ...]

    @property
    def loops(self) -> list[ir.For]:
        return [stmt for stmt, _ in self.around if isinstance(stmt, ir.For)]

    @property
    def extents(self) -> dict[str, ir.IntExpr]:
        """Those of the loops around it."""
        return {loop.var: loop.extent for loop in self.loops}


def late_read(program: ir.Program, source: str, result: str) -> LateRead | None:
    """The first read of an input that may come after its place in the output is written."""
    owner = owners((*program.inputs, *program.outputs, *program.workspace))
    taken: list[_Site] = []
    made: list[_Site] = []
    for site, writes in _sites(program):
        if owner.get(site.buffer.name, site.buffer.name) == (result if writes else source):
            (made if writes else taken).append(site)
    for read in taken:
        for write in made:
            if not _is_in_order(read, write):
                return LateRead(read.stmt, read.phase.name, write.phase.name)
    return None


def computed_apart(program: ir.Program, results: Collection[str], target: Target) -> ir.Program:
    """The program that computes some outputs in the workspace, and copies them when all else is done."""
    kept = _in_workspace(program, results)

    def move(access: Access) -> Access:
        buffer, index = access
        return kept.get(buffer.name, buffer), index

    groups = tuple(
        replace(group, phases=tuple(replace(p, body=substitute(p.body, {}, move)) for p in group.phases))
        for group in program.groups
    )
    made = [b for b in program.outputs if b.name in results]
    copies = tuple(s for b in made for s in scheduled(_copied(kept[b.name], b), target))
    last = vectorized(replace(program, groups=(ir.Group((ir.Phase("kept", copies),)),)), target)
    workspace = (*(b for b in program.workspace if b.name not in kept), *kept.values())
    return replace(program, workspace=workspace, groups=(*groups, *last.groups))


def _in_workspace(program: ir.Program, results: Collection[str]) -> dict[str, ir.Buffer]:
    """By name, arrays of the workspace that stand in for outputs, and for the views of these."""
    buffers = (*program.outputs, *program.workspace)
    owner = owners(buffers)
    found: dict[str, ir.Buffer] = {}
    for buffer in buffers:
        if owner[buffer.name] in results:
            view_of = None if buffer.view_of is None else f"{buffer.view_of}.kept"
            found[buffer.name] = replace(buffer, name=f"{buffer.name}.kept", space="workspace", view_of=view_of)
    return found


def _copied(source: ir.Buffer, result: ir.Buffer) -> Nest:
    axes = tuple(Axis(f"i{k}", extent) for k, extent in enumerate(result.shape))
    index = tuple(ir.IntVar(axis.var) for axis in axes)
    value = ir.Let(f"{result.name}_value", ir.Load(source, index))
    return Nest(f"{result.name}_copied", axes, (value, ir.Store(result, index, ir.Var(value.name, result.dtype))))


def _sites(program: ir.Program) -> Iterator[tuple[_Site, bool]]:
    """Every element that is read or written, and whether it is written."""
    for g, group in enumerate(program.groups):
        for p, phase in enumerate(group.phases):
            for stmt, place, around in _statements(phase.body):
                where = group, phase, (g, p), place, around, stmt
                for buffer, index in reads_of(stmt):
                    yield _Site(*where, buffer, tuple(index)), False
                if isinstance(stmt, ir.Store):
                    yield _Site(*where, stmt.buffer, stmt.index), True


def _statements(
    body: ir.Body, place: StatementPath = (), around: tuple[tuple[ir.Stmt, int], ...] = ()
) -> Iterator[tuple[ir.Stmt, StatementPath, tuple[tuple[ir.Stmt, int], ...]]]:
    for position, stmt in enumerate(body):
        yield stmt, (*place, (position, 0)), around
        for number, inner in enumerate(ir.children(stmt), 1):
            yield from _statements(inner, (*place, (position, number)), (*around, (stmt, number)))


# --------------------------------------------------------------------------- order


def _is_in_order(read: _Site, write: _Site) -> bool:
    if read.times[0] < write.times[0] or _never_both(read, write) or _never_both(write, read):
        return True
    if read.times[0] > write.times[0]:
        return False
    again = not _is_once(read.group.repeat) and not _is_last(write)
    if read.times != write.times:
        return read.times < write.times and not again
    common = _common(read, write)
    loops = [stmt for stmt, _ in read.around[:common] if isinstance(stmt, ir.For)]
    points = {loop.var: loop.extent for loop in loops}
    if not (_is_once(read.phase.units) or _is_one_unit(read, common)):
        points[read.phase.unit_var] = read.phase.units
    if again:
        points[read.group.var] = read.group.repeat
    first = read.place[common:] <= write.place[common:] or _are_branches(read, write, common)
    return (first and _is_one_to_one(_axes_alike(read, write, points), points)) or _are_apart(read, write, again)


def _is_once(repeat: ir.IntExpr) -> bool:
    most = limit(repeat)
    return most is not None and most <= 1


def _is_last(site: _Site) -> bool:
    """Whether it runs in the last repetition of its group alone."""
    last = site.group.repeat - 1
    return any(
        isinstance(stmt, ir.If)
        and number == 1
        and stmt.condition.op == "eq"
        and stmt.condition.left == ir.IntVar(site.group.var)
        and constant_difference(stmt.condition.right, last) == 0
        for stmt, number in site.around
    )


def _is_one_unit(site: _Site, common: int) -> bool:
    """Whether conditions around it leave a single unit of the phase."""
    unit = ir.IntVar(site.phase.unit_var)
    low: ir.IntExpr = ir.IntConst(0)
    high = site.phase.units
    for stmt, number in site.around[:common]:
        if isinstance(stmt, ir.If) and stmt.condition.op == "lt" and stmt.condition.left == unit:
            low, high = (low, stmt.condition.right) if number == 1 else (stmt.condition.right, high)
    return constant_difference(high, low) == 1


def _common(one: _Site, other: _Site) -> int:
    """How many statements stand around both."""
    same = 0
    for left, right in zip(one.place[:-1], other.place[:-1], strict=False):
        if left != right:
            break
        same += 1
    return same


def _are_branches(one: _Site, other: _Site, common: int) -> bool:
    """Whether they are in different bodies of one condition."""
    left, right = one.place[common], other.place[common]
    return left[0] == right[0] and left[1] != right[1] and min(left[1], right[1]) > 0


def _never_both(some: _Site, none: _Site) -> bool:
    """Whether one runs where there are rows, and the other where there are none of these."""
    there: set[ir.IntExpr] = set()
    for extent in (some.group.repeat, some.phase.units, *some.extents.values()):
        there |= _positive(extent)
    zeros = (
        stmt.condition.left
        for stmt, number in none.around
        if isinstance(stmt, ir.If)
        and number == 1
        and stmt.condition.op == "eq"
        and stmt.condition.right == ir.IntConst(0)
    )
    changing = _variables(some) | _variables(none)
    return any(zero in there and not names(zero) & changing for zero in zeros)


def _variables(site: _Site) -> set[str]:
    """What a site's extents and indices may mention beside extents of the call."""
    return {site.group.var, site.phase.unit_var, *(loop.var for loop in site.loops)}


def _positive(extent: ir.IntExpr) -> set[ir.IntExpr]:
    """What is more than 0 where a loop of an extent runs at all."""
    if isinstance(extent, ir.IntMin):
        return _positive(extent.left) | _positive(extent.right)
    if isinstance(extent, ir.IntFloorDiv) and isinstance(extent.value, ir.IntAdd):
        more = extent.value.right
        rounded_up = isinstance(more, ir.IntConst) and more.value == extent.divisor - 1
        return {extent, *_positive(extent.value.left)} if rounded_up else {extent}
    return {extent}


# --------------------------------------------------------------------------- elements


def _axes_alike(read: _Site, write: _Site, points: Mapping[str, ir.IntExpr]) -> list[ir.IntExpr]:
    """The indices of the axes in which both touch the same place at each point, and at one place alone."""
    if [*map(repr, read.buffer.shape)] != [*map(repr, write.buffer.shape)]:
        return []
    inner = (_variables(read) | _variables(write)) - points.keys() - _fixed(read, points)
    pairs = zip(read.index, write.index, strict=True)
    return [i for i, j in pairs if constant_difference(i, j) == 0 and not inner & (names(i) | names(j))]


def _fixed(site: _Site, points: Mapping[str, ir.IntExpr]) -> set[str]:
    """The unit and the repetition, where there is but one of them to speak of."""
    return {site.phase.unit_var, site.group.var} - points.keys()


def _is_one_to_one(index: Sequence[ir.IntExpr], points: Mapping[str, ir.IntExpr]) -> bool:
    """Whether each point has an element of its own: in every axis the steps of its variables are as those of digits."""
    left = set(points)
    for axis in index:
        moving = [(step(axis, var), var) for var in points if var in names(axis)]
        if any(not factor or factor < 0 for factor, _ in moving):
            return False
        reach: int | None = 0
        for factor, var in sorted((factor or 0, var) for factor, var in moving):
            if reach is None or factor <= reach:
                return False
            most = limit(points[var])
            reach = None if most is None else reach + factor * (most - 1)
        left -= {var for _, var in moving}
    return not left


def _are_apart(read: _Site, write: _Site, again: bool) -> bool:
    """Whether all that one touches, in whatever unit, is before all that the other touches, in some axis."""
    if again or len(read.index) != len(write.index):
        return False
    hidden = _variables(read) | _variables(write)
    for one, other in ((read, write), (write, read)):
        for high, low in zip(one.index, other.index, strict=True):
            end, begin = extreme(high, one.extents, True), extreme(low, other.extents, False)
            if end is None or begin is None or hidden & (_left_in(end) | _left_in(begin)):
                continue
            between = constant_difference(end, begin)
            if between is not None and between < 0:
                return True
    return False


def _left_in(expr: ir.IntExpr) -> set[str]:
    """The names in an expression once what cancels is gone."""
    return {name for monomial in polynomial(expr) for atom in monomial for name in names(atom)}
