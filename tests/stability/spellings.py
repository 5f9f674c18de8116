"""The families of `spellings.toml`.

In: the data file.  Out: `FAMILIES`.  A new spelling is a line in its family; a new family says where it is measured and
what its ulp is taken of, and why where that is not the value alone.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tests.stability.measuring import Family, Points

FILE = Path(__file__).with_name("spellings.toml")


def _family(entry: dict[str, Any]) -> Family:
    points = entry.pop("points", {})
    rows = {text: tuple(map(float, bounds)) for text, bounds in entry.pop("rows").items()}
    units = tuple(entry.pop("units", ("", "", "")))
    return Family(points=points if isinstance(points, str) else Points(**points), rows=rows, units=units, **entry)


FAMILIES = tuple(map(_family, tomllib.loads(FILE.read_text())["family"]))
