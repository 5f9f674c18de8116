"""Other libraries: their derivatives of the loss that is written for them are right, in the precision asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.compare.methods.jax_peers import flattened
from symnet.compare.methods.written import loss_function, ordered
from symnet.compare.problem import problem_of
from tests.compare.peers import FAST

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("library", ["jax", "torch"])
def test_a_library_agrees_and_is_left_as_it_was(library: str) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed: pip install 'symnet[compare]'")
    command = [sys.executable, "-m", "tests.compare.peers", library]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=os.environ | FAST, check=False, timeout=500
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    found.pop("settings")
    assert len(found) == (12 if library == "jax" else 8)
    for name, (error, peak, failed) in found.items():
        assert not failed, (name, failed)
        assert error < (1e-13 if "float64" in name else 1e-5), (name, error)
        assert "eager" in name or "PyTorch" in name or peak > 100, name


def test_a_library_that_is_absent_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    x = sn.scalar("x")
    for library in ("jax", "torch"):
        monkeypatch.setitem(sys.modules, library, None)
        found = sn.compare(x**2, x, {"x": 3.0}, against=f"tape, {library}", repeats=1)
        assert found.rows[1].error == 0 and "pip install 'symnet[compare]'" in found.rows[2].failed


def test_the_loss_is_written_with_the_variables_first() -> None:
    X, w = sn.tensor("X", 3), sn.tensor("w", 3)
    problem = problem_of(sn.sum(X * sn.exp(w)), w, {"X": np.ones(3), "w": np.zeros(3)}, None, "gradient")
    assert [leaf.name for leaf in ordered(problem)] == ["w", "X"]
    assert loss_function(problem, "numpy")(np.zeros(3), np.ones(3)) == 3


def test_blocks_are_read_row_by_row() -> None:
    assert flattened(((1, 2), (3, 4))) == [1, 2, 3, 4] and flattened(5) == [5]
