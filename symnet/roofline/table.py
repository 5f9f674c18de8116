"""Where the time of a call goes: what each phase has to do, how long it takes, and what this machine could do at most.

In: a program and its times.  Out: a `Roofline`: rows, a table as text (`plot.py` draws it).

A phase cannot be quicker than its operations at the machine's best, nor than its bytes from the cache or memory in
which all arrays of the call have their place.  The slower of the two is its limit.  Both are of one thread, as the
times are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symnet.roofline.limits import peak, reading
from symnet.roofline.phase_work import PhaseLoad

SHORT = 0.01  # of the whole: phases that take less are one row


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """A phase beside its limits.

    Attributes:
        load: what it has to do.
        seconds: what it takes.
        compute, memory: the seconds that its operations, and its bytes, take at least.
    """

    load: PhaseLoad
    seconds: float
    compute: float
    memory: float

    @property
    def limit(self) -> str:
        """What binds: "arithmetic" or "memory"."""
        return "arithmetic" if self.compute >= self.memory else "memory"

    @property
    def share(self) -> float:
        """Of the limit: 1 where it cannot be quicker."""
        return max(self.compute, self.memory) / self.seconds if self.seconds else 1.0


@dataclass(frozen=True)
class Roofline:
    """All phases of a call.

    Attributes:
        title: the call, with its extents.
        rows: the phases, in order.
        peaks: operations in a second, by dtype.
        bandwidth: bytes in a second, of arrays as large as those of the call.
        nbytes: of these arrays.
    """

    title: str
    rows: tuple[PhaseRow, ...]
    peaks: dict[str, float]
    bandwidth: float
    nbytes: int

    @property
    def seconds(self) -> float:
        """Of all phases."""
        return sum(row.seconds for row in self.rows)

    def text(self) -> str:
        """The table."""
        kept = [row for row in self.rows if row.seconds >= SHORT * self.seconds]
        lines = [f"{self.title}, one thread: {1e6 * self.seconds:.4g} µs", "  ".join(h.rjust(w) for h, w in _HEADS)]
        lines += [_line(row.load.name, row.load.runs, row) for row in kept]
        rest = [row for row in self.rows if row not in kept]
        if rest:
            lines.append(_line(f"{len(rest)} others", sum(row.load.runs for row in rest), joined(rest)))
        if len(kept) > 1 or rest:
            lines.append(_line("all", sum(row.load.runs for row in self.rows), joined(self.rows)))
        peaks = ", ".join(f"{p / 1e9:.4g} GFLOP/s in {dtype}" for dtype, p in self.peaks.items())
        held = f"{self.bandwidth / 1e9:.3g} GB/s from arrays of {_bytes(self.nbytes)} in all"
        return "\n".join([*lines, f"limits measured here: {peaks}; {held}"])


def roofline(title: str, loads: Sequence[PhaseLoad], seconds: Sequence[float], nbytes: int) -> Roofline:
    """Both sides together; the limits are measured now, unless they are known.

    Args:
        title: what was called.
        loads: what each phase has to do.
        seconds: what each takes.
        nbytes: of all arrays of the call.
    """
    peaks = {dtype: peak(dtype) for dtype in dict.fromkeys(load.dtype for load in loads)}
    bandwidth = reading(nbytes)
    rows = [
        PhaseRow(load, taken, load.flops / peaks[load.dtype], load.nbytes / bandwidth)
        for load, taken in zip(loads, seconds, strict=True)
    ]
    return Roofline(title, tuple(rows), peaks, bandwidth, nbytes)


def joined(rows: Sequence[PhaseRow]) -> PhaseRow:
    """Several phases as one, each with its own limit."""
    loads = [row.load for row in rows]
    bound = [max(row.compute, row.memory) for row in rows]
    arithmetic = sum(b for b, row in zip(bound, rows, strict=True) if row.limit == "arithmetic")
    load = PhaseLoad("all", 0, sum(x.flops for x in loads), sum(x.nbytes for x in loads), loads[0].dtype)
    memory = sum(bound) - arithmetic
    whole = sum(bound)
    more = arithmetic >= memory
    return PhaseRow(load, sum(row.seconds for row in rows), whole if more else arithmetic, memory if more else whole)


_HEADS = (
    ("phase", 16), ("runs", 5), ("FLOPs", 9), ("bytes", 9), ("µs", 9), ("GFLOP/s", 8), ("of limit", 8), ("limit", 10),
)  # fmt: skip


def _line(name: str, runs: int, row: PhaseRow) -> str:
    rate = f"{row.load.flops / row.seconds / 1e9:.3g}" if row.seconds else "-"
    cells = (
        name, str(runs), _number(row.load.flops), _bytes(row.load.nbytes), f"{1e6 * row.seconds:.4g}",
        rate, f"{row.share:.0%}", row.limit,
    )  # fmt: skip
    return "  ".join(cell.rjust(width) for cell, (_, width) in zip(cells, _HEADS, strict=True))


def _number(count: float, base: float = 1000, units: Sequence[str] = ("", " k", " M", " G", " T")) -> str:
    for unit in units:
        if count < base or unit == units[-1]:
            break
        count /= base
    return f"{count:.3g}{unit}"


def _bytes(count: float) -> str:
    return _number(count, 1024, (" B", " KB", " MB", " GB"))
