"""Failures of batches and sessions: seeds come again, crashes are noticed, files fail as their batch did."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from symnet.expr.nodes.graph import topological
from tests.chain import Disagreement
from tests.fuzz import isolation, session
from tests.fuzz.__main__ import main
from tests.fuzz.batch import Batch, Check, Failure
from tests.fuzz.graphs import RandomGraph
from tests.fuzz.isolation import isolated, timed
from tests.fuzz.reproduction import rebuilt
from tests.fuzz.session import Plan, Summary


def has_slice(graph: RandomGraph) -> bool:
    return any(n.kind == "slice" for n in topological(*graph.roots))


def refuses_slices(graph: RandomGraph) -> Counter[str]:
    if has_slice(graph):
        raise Disagreement("loops", "output 0 is off by 1")
    return Counter(graphs=1)


def dies_of_slices(graph: RandomGraph) -> Counter[str]:
    if has_slice(graph):
        os.kill(os.getpid(), signal.SIGSEGV)
    return Counter(graphs=1)


def found_by(check: Check) -> Failure:
    with pytest.raises(Failure) as caught:
        Batch(3, 60, check).run()
    return caught.value


@functools.cache
def failure() -> Failure:
    return found_by(refuses_slices)


def test_a_seed_finds_the_same_failure_again() -> None:
    again = found_by(refuses_slices)
    assert vars(again) == vars(failure()) and again.floor == "loops"


def test_a_failure_shows_a_small_graph() -> None:
    assert str(failure()).startswith("seed 3, loops: the floor 'loops' disagrees")
    assert len(topological(*rebuilt(failure().source)["roots"])) <= 9


def test_a_crash_is_a_failure_like_any_other() -> None:
    found = found_by(isolated(dies_of_slices))
    assert found.floor == "process" and f"ended with -{signal.SIGSEGV}" in found.detail
    assert found.source == failure().source


def test_a_check_alone_gives_its_counts_and_its_errors() -> None:
    counts: list[Counter[str]] = []
    graph = RandomGraph([], {}, {})
    counts.append(isolated(lambda graph: Counter(graphs=1, kinks=2))(graph))
    assert counts == [Counter(graphs=1, kinks=2)]
    with pytest.raises(Disagreement, match=r"the floor 'ZeroDivisionError' disagrees .*by zero"):
        isolated(lambda graph: Counter(graphs=1 // 0))(graph)


def test_a_graph_that_takes_too_long_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "LIMIT", 1)
    monkeypatch.setattr(isolation, "PATIENCE", 2)

    def computes(graph: RandomGraph) -> Counter[str]:
        while True:
            sum(range(1000))

    def sleeps(graph: RandomGraph) -> Counter[str]:
        time.sleep(20)
        return Counter()

    with pytest.raises(Disagreement, match="took more than 1 s"):
        timed(computes)(RandomGraph([], {}, {}))
    with pytest.raises(Disagreement, match="did not end in 2 s"):
        isolated(sleeps)(RandomGraph([], {}, {}))


def plan(tmp_path: Path, **changes: Any) -> Plan:
    return Plan(**{"seed": 5, "number": 3, "minutes": 0, "compiled": False, "out": tmp_path} | changes)


def test_the_command_runs_a_batch_and_says_how_it_went(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "5", "--graphs", "3", "--compile", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "seed 5: 0." in printed and "3 graphs" in printed and "0 failures" in printed
    assert not list(tmp_path.iterdir())


SPOKEN = "import json, os, sys; print(json.dumps({'begun': 5}), flush=True)"


def speaks(monkeypatch: pytest.MonkeyPatch, *programs: str) -> list[list[str]]:
    """Workers that run these programs, one after another, in the place of batches; their command lines."""
    lines: list[list[str]] = []
    rest = iter(programs)

    def start(arguments: list[str]) -> subprocess.Popen[bytes]:
        lines.append(arguments)
        return subprocess.Popen([sys.executable, "-c", next(rest)], stdout=subprocess.PIPE, bufsize=0)

    monkeypatch.setattr(session, "_start", start)
    return lines


def test_a_worker_that_dies_is_noticed_and_its_batch_run_again_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_failure = {"seed": 5, "number": 3, "floor": "process", "detail": "it ended with -11", "source": "roots = []"}
    told = f"{SPOKEN}; print(json.dumps({{'ended': 5, 'failure': {told_failure!r}}}))"
    lines = speaks(monkeypatch, f"{SPOKEN}; os.abort()", told)
    summary = session.session(plan(tmp_path))
    assert [found["floor"] for found in summary.failures] == ["process"]
    assert "--isolated" not in lines[0] and "--isolated" in lines[1] and lines[1][3] == "5"
    assert "it ended with -11" in (tmp_path / "seed_5.py").read_text()


def test_a_session_goes_on_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told_failure = {"seed": 5, "number": 3, "floor": "loops", "detail": "off by 1", "source": "roots = []"}
    ends = [{"ended": 5, "failure": told_failure}, {"begun": 6}, {"ended": 6, "counts": {"graphs": 3}}]
    told = f"{SPOKEN}; " + "; ".join(f"print(json.dumps({end!r}))" for end in ends)
    speaks(monkeypatch, told)
    summary = session.session(plan(tmp_path))
    assert len(summary.failures) == 1 and summary.counts["graphs"] == 3


def test_a_worker_that_cannot_start_ends_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speaks(monkeypatch, "raise SystemExit(1)")
    with pytest.raises(RuntimeError, match="ended before its first batch"):
        session.session(plan(tmp_path))


def test_a_failure_is_written_as_a_program_that_fails_the_same_way(tmp_path: Path) -> None:
    session.record(plan(tmp_path), {"ended": 3, "failure": dict(vars(failure()))}, Summary())
    text = (tmp_path / "seed_3.py").read_text()
    assert "found by `python -m tests.fuzz --seed 3 --graphs 60`" in text and "off by 1" in text
    checked: list[RandomGraph] = []
    code = text.replace("from tests.fuzz.checks import check", "")
    exec(code, {"check": lambda graph, **how: checked.append(graph)})
    assert has_slice(checked[0]) and not set(checked[0].data) - {leaf.name for leaf in checked[0].leaves}
