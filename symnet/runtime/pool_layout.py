"""Where things stand in the memory that the threads of a pool share, and in a job.

In: nothing.  Out: offsets in bytes, and the lines of LLVM assembly that find and load words of the control block.
Words that different threads write are on lines of their own.
"""

from __future__ import annotations

TEAM_BITS = 9  # of an epoch, for the size of the team
PIECES_PER_THREAD = 2
LINE = 128  # bytes: two cache lines, since the prefetcher fetches pairs
EPOCH, CALLER, DONE, STOP, STATUS = 0, 8, LINE, 2 * LINE, 2 * LINE + 8  # CALLER: its processor
IN, OUT, DIMS, WORKSPACE, BYTES, PHASE, SIZE, LARGER, ENTRY = (3 * LINE + 8 * word for word in range(9))
YIELD, PROCESSOR, WAIT, POST, CLAIMS = (4 * LINE + 8 * word for word in range(5))  # functions, which but YIELD may be
# null, and the place of the words of claims, after the beds
BUSY, DEBT, GROUP, PLACE, TURN = (5 * LINE + 8 * word for word in range(5))  # the caller's own
SLEEPERS = 6 * LINE  # how many sleep on their semaphores
BEDS = 7 * LINE  # for each thread: whether it sleeps, and its semaphore
SEMAPHORE = 32  # its place in a bed
RUN, UNITS, PHASES, GROUPS = 8, 16, 24, 32  # places in a job, after the entry


def control_bytes(threads: int) -> int:
    """Size of the control block of a pool of so many threads in bytes."""
    return BEDS + LINE * threads + LINE * PIECES_PER_THREAD * threads


def field(name: str, offset: int) -> str:
    """The line that finds a word of the control block."""
    return f"  %{name}_at = getelementptr i8, ptr %control, i64 {offset}\n"


def fields(**offsets: int) -> str:
    """The lines that find several words."""
    return "".join(field(name, offset) for name, offset in offsets.items())


def load(kind: str, name: str, offset: int) -> str:
    """The lines that load a word."""
    return field(name, offset) + f"  %{name} = load {kind}, ptr %{name}_at\n"
