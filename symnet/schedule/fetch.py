"""Checked indices that are used once, each for one number: the check is part of the gather.

before: for i: k[i] = checked(j[i])           after: for i: y[i] = x[j[i]], noting whether an index was outside
        for i: y[i] = x[k[i]]                        if one was: both loops of before

In: nests of one sweep, or of what runs once before it, in order, and how many nests read each buffer anywhere.  Out:
fewer nests; those that fetch have the others in `instead`, which find out what was outside (or merely counted from the
end), and by what number of which check.
Fetched is where a plain nest over the axes of the indices is the only one that reads their copy, and reads it as the
index of one load, along an axis of the extent that is checked.
Not handled: rows (beside their elements a check costs little), indices that are computed, several loads by one index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symnet.loops import affine
from symnet.loops.accesses import reads
from symnet.loops.ir import Buffer, Fetch, IntExpr, IntLoad, IntVar, Let, Load, Stmt, Store, as_int
from symnet.loops.substitute import Substitution
from symnet.lower.nest import Nest
from symnet.schedule.access import Readers, base_name, read_names, stores, substituted, written_names
from symnet.schedule.fuse import is_plain


def fetching(nests: Sequence[Nest], read_by: Readers) -> list[Nest]:
    """The nests, checks joined to what they serve.

    Args:
        nests: in order.
        read_by: how many nests read what these leave in each buffer (`StreamPlan.readers`).
    """
    found: dict[int, Nest] = {}
    waiting: dict[str, int] = {}  # the memory of a checked copy → the place of its check
    for place, nest in enumerate(nests):
        served = sorted(waiting[name] for name in read_names(nest) & waiting.keys())
        made = _fetched(nest, [found[at] for at in served], read_by) if served and is_plain(nest) else None
        if made is not None and _may_wait(served, found):
            found = {at: other for at, other in found.items() if at not in served}
            nest = made
        found[place] = nest
        if nest.check is not None:
            waiting[base_name(_copy(nest).buffer)] = place
        waiting = {name: at for name, at in waiting.items() if at not in served}
    return list(found.values())


def _may_wait(served: Sequence[int], nests: Mapping[int, Nest]) -> bool:
    """Whether no other check stands behind the first of some: the first failure is the one that is reported."""
    others = (nest for at, nest in nests.items() if at > served[0] and at not in served)
    return all(nest.check is None and not nest.instead for nest in others)


def _fetched(nest: Nest, checks: Sequence[Nest], read_by: Readers) -> Nest | None:
    """The nest with fetches in the place of loads by checked indices; None where it is not to be."""
    inside = Buffer(f"{nest.name}.inside", "bool", (as_int(1),), "register")
    outer, moved = nest.outer, list[Nest]()
    for check in checks:
        like = _along(check, nest)
        if like is None or read_by.get(base_name(_copy(check).buffer), 0) != _own_reads(check) + 1:
            return None
        outer = _with_fetch(outer, like, inside)
        moved.append(like)
    copies = {base_name(_copy(check).buffer) for check in checks}
    if copies & {base_name(buffer) for buffer, _ in reads(outer)} or not _may_run_again(nest, outer):
        return None
    return replace(nest, outer=outer, instead=(*moved, nest))


def _may_run_again(nest: Nest, outer: Sequence[Stmt]) -> bool:
    """Whether nothing that it stores is what it reads, not even where an output may be the memory of an input (what is
    fetched from cannot be: it is read at other points than those stored).
    """
    tables = {stmt.value.buffer for stmt in outer if isinstance(stmt, Fetch)}
    given = {stmt.buffer.dtype for stmt in stores(nest) if stmt.buffer.space == "output"}
    shared = any(b.dtype in given for b, _ in reads(outer) if b.space == "input" and b not in tables)
    return not shared and not read_names(nest) & written_names(nest)


def _copy(check: Nest) -> Store:
    """The store of a checked index."""
    return next(s for s in stores(check) if s.buffer.space != "register")


def _own_reads(check: Nest) -> int:
    return int(base_name(_copy(check).buffer) in read_names(check))


def _along(check: Nest, nest: Nest) -> Nest | None:
    """The check over the axes of the nest, if they are the same; None for indices that are no input."""
    if check.check is None or check.check.source is None:
        return None
    if [(a.extent, a.batch) for a in check.parallel] != [(a.extent, a.batch) for a in nest.parallel]:
        return None
    names: dict[str, IntExpr] = {
        mine.var: IntVar(theirs.var) for mine, theirs in zip(check.parallel, nest.parallel, strict=True)
    }
    return replace(substituted(check, Substitution(names)), parallel=nest.parallel)


def _with_fetch(outer: Sequence[Stmt], check: Nest, inside: Buffer) -> tuple[Stmt, ...]:
    """The statements, the only load by the copy that a check makes a fetch by the index as it came."""
    copied = _copy(check)
    by_copy = IntLoad(copied.buffer, copied.index)
    users = [stmt for stmt in outer if any(buffer == copied.buffer for buffer, _ in reads((stmt,)))]
    if len(users) != 1:
        return tuple(outer)
    made = _fetch(users[0], by_copy, check, inside)
    return tuple(made if stmt is users[0] else stmt for stmt in outer)


def _fetch(stmt: Stmt, by_copy: IntLoad, check: Nest, inside: Buffer) -> Stmt:
    """A let of a load by an index as a fetch; the statement itself where it is something else."""
    assert check.check is not None and check.check.source is not None
    if not isinstance(stmt, Let) or not isinstance(stmt.value, Load):
        return stmt
    buffer, index = stmt.value.buffer, stmt.value.index
    loads = [axis for axis, part in enumerate(index) if affine.int_loads(part)]
    if len(loads) != 1 or index[loads[0]] != by_copy or buffer.shape[loads[0]] != check.check.extent:
        return stmt
    source = check.check.source
    axis = loads[0]
    came = IntLoad(source.buffer, source.index)
    return Fetch(stmt.name, Load(buffer, (*index[:axis], came, *index[axis + 1 :])), inside)
