"""The lowest versions that pyproject.toml declares, as pins that pip can install.

In: pyproject.toml, and the names of extras.  Out: a line `name==floor` for every package that symnet needs to run, and
for those of the extras; `pip install $(python .ci/lowest.py test) .` makes an environment where a declared floor that
does not work is seen.  Formatters and type checkers are left out, for they read the code and run none of it; and gmpy2,
without which SymPy and mpmath must do as well.

Not handled: requirements with markers or extras of their own; there are none, and one would be an error here.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = {"ruff", "mypy", "gmpy2"}
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)>=(?P<floor>\d+(\.\d+)*)(,<\d+(\.\d+)*)?")


def pin(requirement: str) -> str:
    """`numpy>=2.1` → `numpy==2.1`, which is also 2.1.0.

    Raises:
        ValueError: the requirement has no lower bound.
    """
    found = REQUIREMENT.fullmatch(requirement)
    if not found:
        raise ValueError(f"{requirement!r} in pyproject.toml: expected name>=version, perhaps with ,<version after it")
    return f"{found['name']}=={found['floor']}"


def pins(project: dict, *extras: str) -> list[str]:
    """The floors of the project and of some of its extras, each once, in the order in which they are declared."""
    requirements = [*project["dependencies"]]
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    floors = dict.fromkeys(pin(requirement) for requirement in requirements)
    return [floor for floor in floors if floor.split("==")[0] not in LEFT_OUT]


def main(*extras: str) -> None:
    """Print them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    print(*pins(project, *extras), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
