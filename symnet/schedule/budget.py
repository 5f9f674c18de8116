"""A workspace within a budget: fewer rows of the batch at a time, until everything fits.

In: what schedules a graph, the machines that one object is for, a number of bytes.  Out: their programs, all with as
many rows in a superblock, so that they add in the same order; or what is in the way (`Excess`).

Which buffers there are does not depend on the extents, how large they are does: what counts is the size for the worst
of them (`workspace_limit`).
Not handled: buffers that hold all rows of the batch, as a reversal of it needs; no budget is enough for these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

from symnet.dtypes import ITEMSIZE
from symnet.loops.abi import ALIGNMENT
from symnet.loops.integer_text import buffer_text
from symnet.loops.ir import Buffer, Program
from symnet.loops.limits import limit
from symnet.schedule.reuse import reused
from symnet.schedule.spread import LONGEST
from symnet.schedule.target import Target


@dataclass(frozen=True, slots=True)
class Excess:
    """Why nothing fits: the least number of bytes, or a buffer that grows with an extent, as text."""

    least: int | None
    grows: str = ""


Schedule = Callable[[Target, int | None], Program]  # of a machine and the rows of a superblock at most


def within(schedule: Schedule, targets: Sequence[Target], most: int) -> tuple[Program, ...] | Excess:
    """The programs with the largest superblocks whose workspace has at most so many bytes, for any extents."""
    least = None
    for programs in _smaller_and_smaller(schedule, targets):
        sizes = [workspace_limit(reused(program)) for program in programs]
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            grown = next(b for program in programs for b in reused(program).workspace if _elements(b) is None)
            return Excess(None, buffer_text(grown))
        if max(known) <= most:
            return programs
        least = max(known) if least is None else min(least, max(known))
    return Excess(least)


def _smaller_and_smaller(schedule: Schedule, targets: Sequence[Target]) -> Iterator[tuple[Program, ...]]:
    """The programs without a limit, then with fewer and fewer rows in a superblock."""
    yield tuple(schedule(target, None) for target in targets)
    rows = LONGEST
    while rows:
        yield tuple(schedule(target, rows) for target in targets)
        rows //= 2


def workspace_limit(program: Program) -> int | None:
    """The size of the workspace in bytes for the worst of all extents, or None where it grows with them."""
    total = 0
    for buffer in program.workspace:
        if buffer.view_of is None:
            count = _elements(buffer)
            if count is None:
                return None
            total += -(-count * ITEMSIZE[buffer.dtype] // ALIGNMENT) * ALIGNMENT
    return total


def _elements(buffer: Buffer) -> int | None:
    extents = [most for extent in buffer.shape if (most := limit(extent)) is not None]
    return prod(extents) if len(extents) == len(buffer.shape) else None
