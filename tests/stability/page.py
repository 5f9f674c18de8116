"""The tables of docs/stability.md: every spelling with its bound and what was measured, every unit with its reason.

In: `FAMILIES`.  Out: text between the markers of the page.  To write it after a change:

    python -m tests.stability.page

The test compares all but the measured figures, which differ from machine to machine and must only keep the bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.stability.measuring import Family, measured
from tests.stability.spellings import FAMILIES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "stability.md"
DTYPES = ("float32", "float64")
Errors = Callable[[Family, str], dict[tuple[str, int], float]]


def errors(family: Family, dtype: str) -> dict[tuple[str, int], float]:
    """The largest error of each spelling and order."""
    found: dict[tuple[str, int], float] = {}
    for each in measured(family, dtype):
        key = each.spelling, each.order
        found[key] = max(found.get(key, 0.0), each.error)
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def spellings_table(figures: Errors = errors) -> str:
    """A row for each spelling."""
    lines = ["| family | spelling | bound, ulp | measured float32 | measured float64 |", "|---|---|---|---|---|"]
    for family in FAMILIES:
        found = {dtype: figures(family, dtype) for dtype in DTYPES}
        for text, bounds in family.rows.items():
            seen = [", ".join(f"{found[d][text, k]:.2f}" for k in range(len(bounds))) for d in DTYPES]
            cells = [_cell(family.name), f"`{_cell(text)}`", ", ".join(f"{b:g}" for b in bounds), *seen]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def units_table() -> str:
    """A row for each family whose ulp is that of more than the value."""
    lines = ["| family | value | slope | second | why |", "|---|---|---|---|---|"]
    for family in FAMILIES:
        if any(family.units):
            units = [f"`{_cell(u)}`" if u else "" for u in family.units]
            lines.append("| " + " | ".join([_cell(family.name), *units, _cell(family.why)]) + " |")
    return "\n".join(lines) + "\n"


def _section(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)


def between(name: str, text: str) -> str:
    """What the page shows between two markers."""
    return _section(name).findall(text)[0]


def main() -> None:
    text = PAGE.read_text()
    for name, table in (("spellings", spellings_table()), ("units", units_table())):
        text = _section(name).sub(lambda _, table=table: table, text, count=1)  # type: ignore[misc]
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
