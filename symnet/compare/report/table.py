"""A comparison as text.

In: a `Comparison`.  Out: lines: the table, and what must be known to read it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from symnet.compare.report.numbers import (
    UNDEFINED,
    UNKNOWN,
    count_text,
    error_text,
    numbers_text,
    ratio_text,
    time_text,
    ulp_text,
)
from symnet.compare.row import Row

FIGURES = ("ulp", "arithmetic", "functions", "peak bytes", "cold", "warm", "", "÷ loss")
WHAT = {"gradient": "the gradient", "hvp": "the Hessian times a vector", "hessian": "the Hessian"}
COLUMN = {"gradient": "gradient", "hvp": "H·v", "hessian": "Hessian"}


def table(comparison: Any) -> str:
    """The rows as text, with what must be known to read them."""
    rows = [row for row in comparison.rows if not row.failed]
    cells = [("", "value", COLUMN[comparison.of], *FIGURES), *(_cells(row, comparison) for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]
    lines = [_line(line, widths) for line in cells]
    rule = "-" * max(map(len, lines))
    head = f"{WHAT[comparison.of]} by {numbers_text(comparison.parameters)}, {comparison.dtype}"
    return "\n".join((head, rule, lines[0], rule, *lines[1:], rule, *_wrapped(_legend(comparison))))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = cells
    return "  ".join([first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(rest, widths[1:], strict=True))]).rstrip()


def _cells(row: Row, comparison: Any) -> tuple[str, ...]:
    first, floor = comparison.rows[0].seconds, comparison.truth.floor
    slower = None if first is None or row.seconds is None else row.seconds / first
    return (
        row.method,
        error_text(row.value_error, floor),
        error_text(row.error, floor),
        ulp_text(row.ulp) if comparison.tells_ulp else UNKNOWN,
        count_text(row.arithmetic),
        count_text(row.functions),
        count_text(row.peak_bytes),
        time_text(row.cold),
        time_text(row.seconds),
        f"× {ratio_text(slower)}",
        ratio_text(row.ratio),
    )


def _legend(comparison: Any) -> list[str]:
    truth = comparison.truth
    return [
        f"value, {COLUMN[comparison.of]}: relative errors, of arrays relative to the largest element; ulp: the largest "
        f"error of an element in units in its last place. The truth is {truth.name}.",
        *([f"truth: {truth.note}"] if truth.note else []),
        "cold: until the first answer, nothing compiled before; warm: a median; ÷ loss: warm, over the loss alone by "
        f"the same means. {UNKNOWN}: not measured.",
        *([f"{UNDEFINED}: the truth is undefined"] if any(row.not_compared for row in comparison.rows) else []),
        "ran with " + ", ".join(comparison.conditions[1:]),
        *(f"at these data {note}" for note in comparison.notes),
        *(f"{row.method}: {row.note}" for row in comparison.rows if row.note),
        *(f"{row.method}: {text}" for row in comparison.rows for text in absolutes(row)),
        *(f"{row.method} failed: {row.failed}" for row in comparison.rows if row.failed),
    ]


def absolutes(row: Row) -> list[str]:
    """What was found where the true derivative is zero, so that no error is relative to it."""
    wrong = {a.name: a.absolute for a in row.agreements if a.zero and a.absolute is not None and a.absolute > 0}
    if not wrong:
        return []
    names = ", ".join(wrong)
    size = max(wrong.values())
    return [f"the true derivative by {names} is 0, and {'up to ' * (len(wrong) > 1)}{size:.1e} was found"]


def _wrapped(lines: Sequence[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, 118, subsequent_indent="  ")]
