"""Real workloads: symnet, the tape and JAX agree to 1e-10 with the truth, in float64; each example says what it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.compare.peers import FAST
from tests.compare.workloads import FOLDER, NAMES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, list[object]]]:
    """In a process apart, as JAX starts threads; XLA compiles as fast as it can, for each is called a few times."""
    command = [sys.executable, "-m", "tests.compare.workloads"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=os.environ | FAST, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", NAMES)
def test_all_agree_with_the_truth(name: str, found: dict[str, dict[str, list[object]]]) -> None:
    rows = found[name]
    assert set(rows) == {"symnet, compiled", "tape (interpreted)", *(["JAX, jit"] if find_spec("jax") else [])}
    for method, (value, error, failed) in rows.items():
        assert not failed, (method, failed)
        assert value < 1e-10 and error < 1e-10, (method, value, error)  # type: ignore[operator]  # numbers of JSON


def test_there_is_one_of_every_sort_and_each_says_what_it_is_about() -> None:
    assert len(NAMES) == 9
    for name in NAMES:
        lines = (FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith('"""') and len(lines) <= 65, name
        assert any("sn.compare(" in line for line in lines), name


def test_the_newton_step_of_k_means_ends_at_the_means() -> None:
    path = FOLDER / "k_means.py"
    text = path.read_text(encoding="utf-8").replace('against="tape, jax"', 'against="tape"')
    exec(compile(text, str(path), "exec"), {"__name__": "__main__"})
