"""The table of `docs/compare.md` of where methods differ is what they give, and symnet what it says it does."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.compare.differing import BUILT_IN, LIBRARIES, PLACES, Place, installed, problem, sides, slope

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8").splitlines()
HEAD = next(k for k, line in enumerate(PAGE) if line.startswith("| expression |"))
ROWS = PAGE[HEAD : HEAD + 2 + len(PLACES)]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.replace("\\|", "¦").strip("|").split("|")]


def test_the_columns_are_the_methods() -> None:
    names = [name for name, _ in (*BUILT_IN, *LIBRARIES)]
    assert cells(ROWS[0]) == ["expression", "left ¦ right", *names, "what symnet does"]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.text)
def test_a_row_is_what_the_methods_give(place: Place) -> None:
    row = cells(ROWS[2 + PLACES.index(place)])
    found = [slope(kind, problem(place)) for _, kind in BUILT_IN]
    expected = [f"`{place.text}`", sides(place).replace("\\|", "¦"), *found]
    assert row[: len(expected)] == expected and row[-1] == place.choice


def test_the_whole_table_is_what_the_script_prints() -> None:
    told = re.findall(r"JAX (\d+\.\d+) and PyTorch (\d+\.\d+)", "\n".join(PAGE))[0]
    if len(installed()) < len(LIBRARIES):
        pytest.skip("JAX or PyTorch is not installed: pip install 'symnet[compare]'")
    if [".".join(version(name).split(".")[:2]) for name in ("jax", "torch")] != list(told):
        pytest.skip(f"the page has JAX {told[0]} and PyTorch {told[1]}, others are installed")
    command = [sys.executable, "-m", "tests.compare.differing"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("|")] == ROWS
