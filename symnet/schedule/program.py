"""Scheduling: nests become a program of phases.

In: `Lowered` and a `Target`.  Out: a `Program` whose groups are, for each sweep over the batch,

    once:    what does not depend on rows (packed weights, what reads several sums of earlier sweeps)
    stream:  for each superblock of 256 rows or fewer: the row nests, in units of some rows; then the reductions over
             rows, in units of features, added to those of the superblock before

or, where rows are light, instead of stream (`spread.py`),

    spread:  for so many superblocks at a time: units of a superblock or more, each with its rows and their sums; then
             these, added to those of the superblocks before

With the last superblock a sum is complete: what the additions rounded away joins it there, and what becomes of it alone
is computed (`follow.py`).

The whole forward and backward work on a superblock stays in a workspace of fixed size.  Units have fixed sizes and
each adds rows in order, so the bits are the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from symnet.loops.accesses import Access
from symnet.loops.facts import facts_of
from symnet.loops.ir import (
    Alloc,
    Body,
    Buffer,
    Const,
    For,
    Group,
    If,
    IntCondition,
    IntConst,
    IntExpr,
    IntLoad,
    IntVar,
    Phase,
    Program,
    Stmt,
    Store,
    Var,
    as_int,
    ceil_div,
    int_min,
)  # fmt: skip
from symnet.loops.limits import int_max
from symnet.loops.shares import begin_of, length_of
from symnet.loops.substitute import Substitution, substitute
from symnet.lower.nest import Nest, around
from symnet.lower.program import Lowered
from symnet.lower.state import clear_of
from symnet.schedule.access import base_name, restricted, stores, substituted, without_unit_axes
from symnet.schedule.alike import Alike
from symnet.schedule.epilogues import lows_of, split_epilogues
from symnet.schedule.fetch import fetching
from symnet.schedule.flat import views_made
from symnet.schedule.follow import Followers, take_followers
from symnet.schedule.fuse import fused
from symnet.schedule.halved import all_halved
from symnet.schedule.layout import laid_out
from symnet.schedule.notes import notes
from symnet.schedule.pack import all_packed
from symnet.schedule.parallelize import NestInUnits, in_units, one_after_another, one_chunk, rows_of_unit
from symnet.schedule.partials import Carry, settled
from symnet.schedule.reach import NONE, Reach, Span, reach, row_of, shift, united
from symnet.schedule.register_tiles import cleared
from symnet.schedule.spread import ALL, Spread, added_up, into_part, longest, part_of, slots_of, spread_of
from symnet.schedule.stacked import Stack, in_stacks, stack_bytes, stacks_of
from symnet.schedule.stream import SUPERBLOCK, Sweep, is_one_pass, is_streamed, plan
from symnet.schedule.superblock import beyond, rows_of_superblock, sum_bytes
from symnet.schedule.target import Target
from symnet.schedule.tile import scheduled


def schedule(lowered: Lowered, target: Target, most_rows: int | None = None) -> Program:
    """The program of a lowered graph for one target.

    Args:
        lowered: nests and buffers.
        target: the machine.
        most_rows: of a superblock, where the workspace must be small (`budget.py`): then one is held at a time.
    """
    plain = list(map(without_unit_axes, lowered.nests))
    nests, halves = all_halved(plain, target) if most_rows is None else (plain, [])
    nests, copies = all_packed(nests)
    nests, finals = split_epilogues(nests)
    lows = lows_of(nests)
    sums = sum_bytes(nests)
    nests, buffers = laid_out(nests, lowered.workspace, target, sums)
    streamed = plan(nests, buffers)
    read_by = streamed.readers()
    followers = take_followers(streamed.sweeps)
    for sweep, after, names in zip(streamed.sweeps, followers, read_by, strict=True):
        sweep.once, sweep.rows = (fetching(fused(nests, target, names), names) for nests in (sweep.once, sweep.rows))
        after.update({name: fused(nests, target, names) for name, nests in after.items()})
    reaches = [reach(sweep.rows, sweep.reduces) for sweep in streamed.sweeps]
    stacks = {id(s): stacks_of(s, one, target, sums) for s, one in zip(streamed.sweeps, reaches, strict=True)}
    rows = rows_of_superblock(streamed, max(one.places for one in reaches), sum(map(stack_bytes, stacks.values())))
    if rows == SUPERBLOCK:
        rows = longest(streamed, reaches, rows)
    rows = rows if most_rows is None else min(rows, most_rows)
    spreads = [
        None if stacks[id(sweep)] else spread_of(sweep, one, streamed.whole, rows)
        for sweep, one in zip(streamed.sweeps, reaches, strict=True)
    ]
    if most_rows is not None:
        spreads = [spread if spread is not None and spread.units == ALL else None for spread in spreads]
    after = {name: nests for one in followers for name, nests in one.items()}
    slots = slots_of(streamed, spreads)
    state = _State(lowered, target, streamed.whole, lows, after, rows, united(reaches), slots, stacks)
    groups: list[Group] = []
    for number, (sweep, reached) in enumerate(zip(streamed.sweeps, reaches, strict=True)):
        groups += state.groups(sweep, reached, number, spreads[number])
    more = (*halves, *copies, *finals, *lows.values(), *state.parts.values())
    made = [state.block_buffer(b) for b in (*buffers, *more)]
    statements = (stmt for group in groups for phase in group.phases for stmt in phase.body)
    touched = {b.name: b for stmt in statements for b in facts_of(stmt).buffers.values()}.values()
    memory = {base_name(b) for b in touched}
    workspace = tuple(b for b in made if base_name(b) in memory)
    said = notes(nests, streamed, workspace, lowered.across)
    workspace += views_made(touched, {b.name for b in (*lowered.inputs, *lowered.outputs, *workspace)})
    arrays = lowered.inputs, lowered.outputs, workspace
    held = frozenset(b.name for b in workspace if is_streamed(b, streamed.whole))
    return Program(lowered.name, lowered.dims, *arrays, tuple(groups), said, lowered.constants, held)


@dataclass
class _State:
    lowered: Lowered
    target: Target
    whole: frozenset[str]
    lows: dict[str, Buffer]
    followers: Followers
    rows: int  # of a superblock
    held: Mapping[str, Span]  # the rows beside those of a superblock that buffers hold
    slots: Mapping[str, int]  # of how many superblocks at a time
    stacks: Mapping[int, Sequence[Stack]]  # by the id of a sweep
    held_rows: int = 0  # of a superblock, as buffers hold them; 0 for the same
    parts: dict[str, Buffer] = field(default_factory=dict)  # of sums, by the names of their nests

    def __post_init__(self) -> None:
        self.superblock = clear_of("block", self.lowered.dims)
        self.unit = clear_of("u", self.lowered.dims)
        self.alike = Alike(self.target, self.unit)
        self._blocks: dict[str, tuple[Buffer, Buffer]] = {}
        self.run, self.tile = clear_of("run", self.lowered.dims), clear_of("rows_tile", self.lowered.dims)

    # ---- buffers and rows

    def block_buffer(self, buffer: Buffer) -> Buffer:
        """A workspace buffer with its batch axis cut to a superblock, if the batch is not shorter."""
        known = self._blocks.get(buffer.name)
        if known is None or (known[0] is not buffer and known[0] != buffer):
            known = self._blocks[buffer.name] = buffer, self._block_buffer(buffer)
        return known[1]

    def _block_buffer(self, buffer: Buffer) -> Buffer:
        if not is_streamed(buffer, self.whole):
            return buffer
        axis = buffer.batch_axis
        low, high = self.held.get(base_name(buffer), (0, 0))
        rows = self.held_rows or self.rows
        others = rows * (self.slots.get(base_name(buffer), 1) - 1)
        shape = tuple(
            int_min(rows, n) + beyond(n, rows) * others + (high - low) if a == axis else n
            for a, n in enumerate(buffer.shape)
        )
        return replace(buffer, shape=shape)

    def on_block(self, nest: Nest, row: str, local: IntExpr) -> Nest:
        """Row `row` of the nest becomes row `local` after the begin of this superblock."""
        mark = f"{row}_local"

        def move(access: Access) -> Access:
            buffer, index = access
            if not is_streamed(buffer, self.whole):
                return access
            axis, further = buffer.batch_axis, shift(access, row)
            assert further is not None
            place = IntVar(mark) + (further - self.held.get(base_name(buffer), (0, 0))[0])
            return self.block_buffer(buffer), tuple(place if a == axis else i for a, i in enumerate(index))

        begin = IntVar(self.superblock) * self.rows + local
        return substituted(nest, Substitution({row: IntVar(row) + begin, mark: IntVar(row) + local}, move))

    def rows_in_superblock(self, sweep: Sweep) -> IntExpr:
        batch = sweep.batch
        if isinstance(batch, IntConst) and batch.value % self.rows == 0:
            return IntConst(self.rows)
        return self.rows_left(batch)

    def rows_left(self, batch: IntExpr, more: int = 0) -> IntExpr:
        """Rows from the begin of a superblock to its end, or so many more, as far as those of an axis go."""
        return int_min(self.rows + more, batch - IntVar(self.superblock) * self.rows)

    # ---- groups

    def groups(self, sweep: Sweep, reached: Reach, number: int, spread: Spread | None) -> list[Group]:
        groups = []
        if is_one_pass(sweep, self.whole):
            return [Group(tuple(self._once([*sweep.once, *sweep.rows], number)), var=self.superblock)]
        rare = self._is_rare(sweep)
        once = [*self._once(sweep.once, number)]
        if sweep.reduces and (not isinstance(sweep.batch, IntConst) or sweep.batch == IntConst(0)):
            body = tuple(s for n in sweep.reduces for s in (*self.alike.final(cleared(n)), *self._following(n)))
            empty = If(IntCondition("eq", sweep.batch, IntConst(0)), body)
            once.append(Phase(f"empty_{number}", (empty,), unit_var=self.unit))
        if rare:
            once.append(self._rare(sweep, reached, number))
        if once:
            groups.append(Group(tuple(once), var=f"{self.superblock}_once" if rare else self.superblock))
        if rare:
            return groups
        if spread is not None and (sweep.rows or sweep.reduces):
            groups.append(self._spread(sweep, spread, number))
        elif phases := [*self._rows(sweep, reached, number), *self._reduces(sweep, number)]:
            groups.append(Group(tuple(phases), ceil_div(sweep.batch, self.rows), self.superblock))
        return groups

    # ---- several superblocks at a time

    def _spread(self, sweep: Sweep, spread: Spread, number: int) -> Group:
        """The group in which units run whole superblocks, so many at a time."""
        block, unit, superblocks = IntVar(self.superblock), IntVar(self.unit), ceil_div(sweep.batch, self.rows)
        if spread.units == ALL:
            return self._striped(sweep, number)
        body = self.alike.final(self._of_unit_of_superblocks(sweep, spread))
        if not sweep.reduces:  # nobody waits: a unit goes on to its next superblocks
            times = ceil_div(superblocks - unit * spread.run, spread.superblocks)
            units = int_min(spread.units, ceil_div(superblocks, spread.run))
            phase = Phase(f"rows_{number}", (For(self.superblock, times, body),), units, self.unit)
            return Group((phase,), var=f"{self.superblock}_once")
        left = superblocks - block * spread.superblocks
        units = int_min(spread.units, ceil_div(left, spread.run))
        times = ceil_div(superblocks, spread.superblocks)
        adding = self._adding(sweep, int_min(spread.superblocks, left), times)
        parts, sums = Phase(f"parts_{number}", body, units, self.unit), Phase(f"sums_{number}", adding)
        return Group((parts, sums), times, self.superblock)

    def _striped(self, sweep: Sweep, number: int) -> Group:
        """The group in which each unit goes through a share of the rows, some at a time, kept at a place of its own."""
        rows = rows_of_unit(sweep.rows, self.rows)
        most, tiles = self.rows // rows, ceil_div(sweep.batch, rows)
        here, few = IntVar(self.unit), replace(self, rows=rows, held_rows=self.rows)
        body = tuple(s for nest in sweep.rows for s in scheduled(few._row_nest(nest, sweep, NONE, rows), self.target))
        body = substitute(body, {self.unit: IntConst(0)})
        body = substitute(body, {self.superblock: begin_of(here, tiles, most) + IntVar(self.tile)}, few._into_slot)
        loop = For(self.tile, length_of(here, tiles, most), self.alike.final(body))
        phase = Phase(f"rows_{number}", (loop,), int_min(most, tiles), self.unit)
        return Group((phase,), var=f"{self.superblock}_once")

    def _of_unit_of_superblocks(self, sweep: Sweep, spread: Spread) -> Body:
        """The superblocks that one unit runs, one after another."""
        first = (IntVar(self.superblock) * spread.units + IntVar(self.unit)) * spread.run
        at: IntExpr = IntVar(self.run) if spread.run > 1 else IntConst(0)
        body = self._of_superblock(sweep, spread, IntVar(self.unit) * spread.run + at)
        body = substitute(body, {self.superblock: first + at}, self._into_slot)
        if spread.run == 1:
            return body
        return (For(self.run, int_min(spread.run, ceil_div(sweep.batch, self.rows) - first), body),)

    def _of_superblock(self, sweep: Sweep, spread: Spread, at: IntExpr) -> Body:
        """The rows of one superblock, and the sums over them, which it stores at a place of its own."""
        unit = rows_of_unit(sweep.rows, self.rows)
        body = tuple(s for nest in sweep.rows for s in scheduled(self._row_nest(nest, sweep, NONE, unit), self.target))
        if body and unit < self.rows:
            body = (For(self.tile, ceil_div(self.rows_in_superblock(sweep), unit), body),)
        body = substitute(body, {self.unit: IntVar(self.tile) if unit < self.rows else IntConst(0)})
        for nest in sweep.reduces:
            part = self.parts[nest.name] = part_of(nest, spread)
            body += scheduled(into_part(self._rows_reduced(nest, sweep), part, at), self.target)
        return body

    def _into_slot(self, access: Access) -> Access:
        """Rows of a superblock where the unit that runs it keeps its own."""
        buffer, index = access
        if not is_streamed(buffer, self.whole):
            return access
        begin = IntVar(self.unit) * self.rows
        return buffer, tuple(begin + i if a == buffer.batch_axis else i for a, i in enumerate(index))

    def _adding(self, sweep: Sweep, count: IntExpr, times: IntExpr) -> Body:
        """The statements that add the sums of so many superblocks to those before, the very first to none; so often."""
        first = IntCondition("eq", IntVar(self.superblock), IntConst(0))
        body: Body = ()
        for nest in sweep.reduces:
            part, low = self.parts[nest.name], self.lows.get(nest.name)
            kept, added = map(self.alike.loops, added_up(nest, part, IntConst(0), low))
            _, others = added_up(nest, part, IntVar(self.run) + 1, low)
            body += (If(first, kept, added), For(self.run, count - 1, self.alike.loops(others)))
            body += self._completed(nest, sweep, NestInUnits(nest, IntConst(1)), times)
        return body

    def _is_rare(self, sweep: Sweep) -> bool:
        """Whether a sweep serves sums alone that are accumulated on a condition."""
        inside = all(is_streamed(s.buffer, self.whole) for n in sweep.rows for s in stores(n))
        return bool(sweep.reduces) and inside and all(n.when for n in sweep.reduces)

    def _rare(self, sweep: Sweep, reached: Reach, number: int) -> Phase:
        """The whole sweep as one phase, so that it costs a comparison where it is not needed."""
        needed = Buffer("rare.needed", "int32", (as_int(1),), "register")
        first = (as_int(0),)
        find: Body = (Alloc(needed), Store(needed, first, Const(0, "int32")))
        for nest in sweep.reduces:
            either = Store(needed, first, Var(nest.when[-1].name, "int32"), "max")
            find += self.alike.final(around(nest.parallel, (*nest.when, either)))
        rows = tuple(For(self.unit, phase.units, phase.body) for phase in self._rows(sweep, reached, number))
        plain = [replace(n, when=()) for n in sweep.reduces]
        sums = tuple(s for n in plain for s in self.alike.loops(self._rows_reduced(n, sweep), self._carry(n, sweep)))
        superblocks = For(self.superblock, ceil_div(sweep.batch, self.rows), (*rows, *sums))
        settling = tuple(
            s for n in plain for settle in settled(n, self.lows.get(n.name)) for s in self.alike.loops(settle)
        )
        more = If(IntCondition("gt", sweep.batch, IntConst(self.rows)), settling)
        empty = self.alike.final(tuple(s for n in plain for s in cleared(n)))
        sweeping = If(IntCondition("gt", IntLoad(needed, first), IntConst(0)), (superblocks, more), empty)
        return Phase(f"rare_{number}", (*find, sweeping), unit_var=f"{self.unit}_once")

    def _once(self, nests: Sequence[Nest], number: int) -> list[Phase]:
        """Small nests in a row share a phase; a large one has its own, in units."""
        phases: list[Phase] = []
        small: list[Nest] = []

        def flush() -> None:
            if small:
                body = tuple(s for n in small for s in self.alike.loops(n))
                phases.append(Phase(small[-1].name, body, unit_var=self.unit))
                small.clear()

        for nest in nests:
            part = in_units(nest, self.target, self.unit)
            if part.units == IntConst(1):
                small.append(nest)
                continue
            flush()
            phases.append(Phase(nest.name, self.alike.loops(part.nest), part.units, self.unit))
        flush()
        return phases

    def _rows(self, sweep: Sweep, reached: Reach, number: int) -> list[Phase]:
        """The phases of rows: one, and one more for each time that rows are read which other units stored; those of
        stacks, of which one with sums runs with these.
        """
        phases: list[Phase] = []
        stacks, spans = self.stacks[id(sweep)], reached.spans
        unit = rows_of_unit(
            [n for nests, stack in in_stacks(sweep.rows, stacks) if not stack for n in nests], self.rows
        )
        for level in range(max(reached.levels.values(), default=-1) + 1):
            for nests, stack in in_stacks(reached.of(level, sweep.rows), stacks):
                name = f"rows_{number}" + (f"_{len(phases)}" if phases else "")
                if stack is None:
                    moved = [self._row_nest(nest, sweep, spans[id(nest)], unit) for nest in nests]
                    body = tuple(s for nest in moved for s in self.alike.loops(nest))
                    more = max(high - low for low, high in (spans[id(nest)] for nest in nests))
                    units = ceil_div(self.rows_in_superblock(sweep) + more, unit)
                    phases.append(Phase(name, body, units, self.unit))
                elif not stack.sums:
                    phases.append(Phase(name, self._stacked(stack, sweep), self._units_of(stack), self.unit))
        return phases

    def _units_of(self, stack: Stack) -> IntExpr:
        return ceil_div(stack.axes[0].extent, stack.chunk(self.rows))

    def _stacked(self, stack: Stack, sweep: Sweep, own: Mapping[str, IntExpr] | None = None) -> Body:
        """All rows of a superblock, for some matrices of a stack, and the sums over them; `own`: the unit's number."""
        chunk, body = stack.chunk(self.rows), list[Stmt]()
        start = IntVar(self.unit) * chunk
        for nest, axis in zip(stack.rows, stack.axes, strict=False):
            whole = substituted(self._row_nest(nest, sweep, NONE, self.rows), Substitution({self.unit: IntConst(0)}))
            body += self.alike.loops(one_chunk(whole, axis, start, chunk), None, own)
        for nest, axis in zip(stack.sums, stack.axes[len(stack.rows) :], strict=True):
            cut = one_chunk(self._rows_reduced(nest, sweep), axis, start, chunk)
            body += self._summed(nest, sweep, NestInUnits(cut, self._units_of(stack), axis, start, chunk), own)
        return tuple(body)

    def _row_nest(self, nest: Nest, sweep: Sweep, span: Span, unit: int) -> Nest:
        """The rows of one unit, counted from the first that the nest computes, which may lie before all rows."""
        row = row_of(nest)
        assert row is not None
        start, (low, high) = IntVar(self.unit) * unit, span
        plain = span == (0, 0) and row.extent == sweep.batch
        rows = self.rows_in_superblock(sweep) if plain else self.rows_left(row.extent, high) - low
        extent, local = rows if plain and unit >= self.rows else int_min(unit, rows - start), start + low
        if low < 0:
            before = int_max(0, IntConst(0) - (IntVar(self.superblock) * self.rows + local))
            extent, local = extent - before, local + before
        extent = extent if plain else int_max(0, extent)
        moved = self.on_block(nest, row.var, local)
        cut = tuple(replace(a, extent=extent) if a.batch else a for a in nest.parallel)
        return restricted(moved, cut)

    def _reduces(self, sweep: Sweep, number: int) -> list[Phase]:
        """All the reductions of a sweep as one phase."""
        if not sweep.reduces:
            return []
        stacks = [stack for stack in self.stacks[id(sweep)] if stack.sums]
        parts = [(partial(self._stacked, stack, sweep), self._units_of(stack)) for stack in stacks]
        stacked = {id(nest) for stack in stacks for nest in stack.sums}
        for nest in sorted(sweep.reduces, key=lambda n: -len(n.parallel)):
            if id(nest) not in stacked:
                part = in_units(self._rows_reduced(nest, sweep), self.target, self.unit)
                parts.append((partial(self._summed, nest, sweep, part), part.units))
        body, units = one_after_another(parts, self.unit)
        return [Phase(f"sums_{number}", body, units, self.unit)]

    def _summed(self, nest: Nest, sweep: Sweep, part: NestInUnits, own: Mapping[str, IntExpr] | None = None) -> Body:
        """A unit's part of a sum over the rows of a superblock, and what becomes of it; `own`: its number."""
        loops = self.alike.loops(part.nest, self._carry(nest, sweep), own)
        return (*loops, *self._completed(nest, sweep, part, ceil_div(sweep.batch, self.rows), own))

    def _completed(
        self, nest: Nest, sweep: Sweep, part: NestInUnits, times: IntExpr, own: Mapping[str, IntExpr] | None = None
    ) -> Body:
        """What a unit does with its part of a sum the last of so many times, being complete; `own`: its number."""
        settling = settled(nest, self.lows.get(nest.name))
        settle = tuple(s for n in settling for s in self.alike.loops(part.beside(n), None, own))
        body: Body = (If(self._carry(nest, sweep).more, settle),) if settle else ()
        body += self._following(nest, part, own)
        if not body or times == IntConst(1):
            return body
        return (If(IntCondition("eq", IntVar(self.superblock), times - 1), body),)

    def _following(self, nest: Nest, part: NestInUnits | None = None, own: Mapping[str, IntExpr] | None = None) -> Body:
        """What becomes of a sum, or of a unit's part of it: values of the nest itself, in whatever phase they stand."""
        nests = (part.beside(n) if part else n for n in self.followers.get(nest.name, ()))
        body = tuple(s for n in nests for s in self.alike.final(scheduled(n, self.target)))
        return substitute(body, own) if own else body

    def _carry(self, nest: Nest, sweep: Sweep) -> Carry:
        first = IntCondition("eq", IntVar(self.superblock), IntConst(0))
        return Carry(first, IntCondition("gt", sweep.batch, IntConst(self.rows)), self.lows.get(nest.name))

    def _rows_reduced(self, nest: Nest, sweep: Sweep) -> Nest:
        """A reduction over the rows of this superblock alone."""
        row = row_of(nest)
        assert row is not None
        moved = self.on_block(nest, row.var, IntConst(0))
        whole = row.extent == sweep.batch
        extent = self.rows_in_superblock(sweep) if whole else int_max(0, self.rows_left(row.extent))
        cut = tuple(replace(a, extent=extent) if a.batch else a for a in nest.reduced)
        return replace(moved, reduced=cut)
