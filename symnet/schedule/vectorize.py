"""Vector loops are cut into chunks of lanes, for one target.

before: for i in 100 (vector): s[0] += x[i]
after:  for i in 100 (vector of 8): s[0] += x[i]          chunks of 8 lanes, each of a row with a sum of its own

In: a scheduled program.  Out: the same, its vector loops with a `LaneCut`; a loop without one is left to be serial, as
the target has no registers of several lanes for it.  What is decided here is the order of every sum
(`loops/chunks.py`); a back end writes it, the interpreter runs it.  It depends on the loop and the target alone.
"""

from __future__ import annotations

from dataclasses import replace

from symnet.loops.changes import changed, with_bodies
from symnet.loops.facts import BodyFacts, gather
from symnet.loops.ir import Body, For, IntConst, LaneCut, Let, Program, Stmt, Store
from symnet.loops.substitute import int_variables
from symnet.schedule.target import Target

UNROLLED_CHUNKS = 8
UNROLLED_WEIGHT = 256  # instructions in a row that are still worth unrolling
MOST_IN_TILE = 32  # vectors of a register tile; what holds more of them is memory
MASKED_CHUNKS = 2  # a bounded extent of so many vectors is written as masked chunks, without a loop


def vectorized(program: Program, target: Target) -> Program:
    """The program with every vector loop cut."""
    groups = tuple(
        replace(group, phases=tuple(replace(s, body=in_lanes(s.body, target)) for s in group.phases))
        for group in program.groups
    )
    return replace(program, groups=groups)


def in_lanes(body: Body, target: Target) -> Body:
    """The body with every vector loop cut."""
    return changed(body, lambda stmt: _statement(stmt, target))


def _statement(stmt: Stmt, target: Target) -> Stmt:
    if isinstance(stmt, For) and stmt.kind == "vector":
        return replace(stmt, cut=cut_of(stmt, gather(_of_one_row(stmt)), target))
    return with_bodies(stmt, lambda body: in_lanes(body, target))


def _of_one_row(loop: For) -> Body:
    """What a vector loop does for one of the rows whose sums it makes at once: each is cut as if it were alone."""
    *lets, last = loop.body
    if isinstance(last, For) and last.kind == "unroll" and all(isinstance(s, Let) for s in lets):
        inside = last.body
        if all(loop.var not in int_variables(i) for s in inside if isinstance(s, Store) for i in s.index):
            return (*lets, *inside)
    return loop.body


def lanes_of(facts: BodyFacts, target: Target) -> int:
    """How many of a body's widest reals (of its integers, without reals) a register holds; 0 or 1 for no vectors."""
    return target.vector_bits // (8 * max(4, facts.itemsize or 8))


def cut_of(loop: For, facts: BodyFacts, target: Target) -> LaneCut | None:
    """How a loop is cut; `facts` are those of its body.

    As many lanes as `lanes_of` says; twice as many where a function is one long chain of instructions, of which another
    vector's may run beside.  A few chunks are one row, and so are all of a register tile, which must have its lanes at
    fixed places; what waits in the cache is no tile.
    """
    lanes = lanes_of(facts, target)
    if lanes <= 1:
        return None
    is_tile = loop.var in facts.tiles
    if facts.chained and not (facts.reduces or facts.loops or is_tile):
        lanes *= 2
    if isinstance(loop.extent, IntConst):
        full = max(loop.extent.value, 0) // lanes
        most = 1 if _is_square(loop) and not facts.reduces else UNROLLED_CHUNKS
        few = full <= most and full * facts.weight <= UNROLLED_WEIGHT
        row = 0 if few or (is_tile and full <= MOST_IN_TILE) else _row(loop, facts)
        return LaneCut(lanes, row, "rounded" if target.masks else "narrow")
    if loop.bound is not None and (is_tile or loop.bound <= MASKED_CHUNKS * lanes):
        return LaneCut(lanes, 0, "whole")
    return LaneCut(lanes, _row(loop, facts), "whole" if target.masks else "single")


def _is_square(loop: For) -> bool:
    """Whether each chunk is a square of elements, whose turning takes many instructions."""
    return any(isinstance(stmt, For) and stmt.kind == "unroll" for stmt in loop.body)


def _row(loop: For, facts: BodyFacts) -> int:
    """Chunks written in a row inside a loop over rows; a gather leaves little room for what counts them."""
    if facts.loops or (_is_square(loop) and not facts.reduces):
        return 1
    if facts.weight <= (16 if facts.reduces else 6):
        return 8 if loop.var in facts.gathered and not facts.reduces else 4
    return 2 if facts.weight <= 16 else 1
