"""A comparison as a picture: what each method takes, and how wrong it is.

In: a `Comparison`, axes of matplotlib's.  Out: the axes.  Needs the extra `[plot]`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from symnet.compare.report.numbers import error_text, time_text
from symnet.errors import ArgumentError, explain
from symnet.roofline.plot import new_axes

COLOURS = {"symbolic": "C0", "reverse": "C1", "forward": "C2", "differences": "C3", "given": "C4"}


def two_axes(rows: int) -> Any:
    """Two axes of a figure of their own.

    Raises:
        DependencyError: without matplotlib.
    """
    return new_axes("comparison.plot()", 1, 2, size=(9, 1.2 + 0.4 * rows), sharey=True)


def draw(comparison: Any, axes: Any) -> Any:
    """Warm times with their quartiles, and errors, a bar for each method; returns the axes."""
    rows = [row for row in comparison.rows if not row.failed][::-1]
    times, errors = axes
    places = range(len(rows))
    spreads = [[r.times.median - r.times.low for r in rows], [r.times.high - r.times.median for r in rows]]
    colours = [COLOURS[r.family] for r in rows]
    bars = times.barh(places, [r.seconds for r in rows], xerr=spreads, color=colours)
    times.bar_label(bars, [f" {time_text(r.seconds)}" for r in rows], fontsize="small")
    times.set(xscale="log", xlabel="seconds, warm", yticks=list(places), yticklabels=[r.method for r in rows])
    floor = 1e-17
    shown = [max(_drawn(r.error), floor) for r in rows]
    bars = errors.barh(places, shown, color=colours)
    errors.bar_label(bars, [f" {error_text(r.error, comparison.truth.floor)}" for r in rows], fontsize="small")
    errors.set(xscale="log", xlabel="relative error", xlim=(floor, 1e3))
    for each in axes:
        each.margins(x=0.3)
        each.grid(visible=True, axis="x", alpha=0.3)
    return axes


def _drawn(error: float | None) -> float:
    """What is NaN or ∞ fills the picture; of what has no truth there is no bar."""
    return 0.0 if error is None else error if math.isfinite(error) else 1.0


def check_axes(axes: Any) -> Sequence[Any]:
    """The two axes that were given.

    Raises:
        ArgumentError: not two.
    """
    if not hasattr(axes, "__len__") or len(axes) != 2:
        mend = "Write comparison.plot(pyplot.subplots(1, 2)[1])."
        raise ArgumentError(explain("comparison.plot(axes)", "two axes", type(axes).__name__, mend))
    found: Sequence[Any] = axes
    return found
