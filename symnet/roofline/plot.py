"""The roofline as a picture: operations for each byte against operations in a second, below what the machine allows.

In: a `Roofline`, axes of matplotlib's.  Out: the same axes.  Needs the extra `[plot]`.
"""

from __future__ import annotations

from typing import Any

from symnet.errors import DependencyError, explain
from symnet.roofline.table import SHORT, PhaseRow, Roofline

_MARKS = {"float32": "o", "float64": "s"}
_LEAST, _MOST = 2.0**-6, 2.0**12  # operations for each byte


def new_axes(call: str, *grid: int, size: tuple[float, float] = (7, 4.5), **options: Any) -> Any:
    """Axes of a figure of their own, or several in a grid.

    Args:
        call: what was asked for, for the error.
        grid: rows and columns of axes; none for one.
        size: of the figure, in inches.
        **options: of `pyplot.subplots`.

    Raises:
        DependencyError: without matplotlib.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        text = explain(call, "matplotlib", "none installed", "Run pip install 'symnet[plot]'.")
        raise DependencyError(text) from error
    return pyplot.subplots(*grid, figsize=size, layout="constrained", **options)[1]


def draw(found: Roofline, axes: Any) -> Any:
    """Draw the limits as lines and the phases as marks, the larger the more time they take; returns the axes."""
    for (dtype, best), style in zip(found.peaks.items(), ("-", "--"), strict=False):
        ridge = best / found.bandwidth
        at = [_LEAST, min(max(ridge, _LEAST), _MOST), _MOST]
        axes.plot(
            at,
            [min(best, found.bandwidth * x) / 1e9 for x in at],
            color="0.4",
            linestyle=style,
            label=f"limit in {dtype}: {best / 1e9:.4g} GFLOP/s",
        )
    shown = [row for row in found.rows if row.load.flops and row.seconds >= SHORT * found.seconds]
    for number, row in enumerate(shown):
        share = row.seconds / found.seconds
        x, y = _intensity(row), row.load.flops / row.seconds / 1e9
        text = f"{row.load.name}: {1e6 * row.seconds:.3g} µs, {row.share:.0%} of its limit"
        axes.scatter(
            [x], [y], s=30 + 400 * share, marker=_MARKS[row.load.dtype], color=f"C{number}", alpha=0.8, label=text
        )
    axes.set(xscale="log", yscale="log", xlim=(_LEAST, _MOST), title=found.title)
    axes.set(xlabel=f"operations for each byte ({found.bandwidth / 1e9:.3g} GB/s)", ylabel="GFLOP/s")
    legend = axes.legend(fontsize="small", loc="lower right")
    for handle in legend.legend_handles:
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([40])
    axes.grid(visible=True, which="major", alpha=0.3)
    return axes


def _intensity(row: PhaseRow) -> float:
    """Operations for each byte; at the edge for a phase whose numbers all stay in a cache."""
    return min(max(row.load.flops / max(row.load.nbytes, 1), _LEAST), _MOST)
