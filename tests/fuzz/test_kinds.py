"""The sessions of every kind: seeds come again, and a member that kills its process is found."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.fuzz import kinds
from tests.fuzz.__main__ import main


@pytest.mark.parametrize("name", ["integers", "extents", "indices"])
def test_a_slice_of_every_kind_finds_nothing(name: str) -> None:
    counts, wrong = kinds.kind(name)(2026, 60, 30)
    assert wrong == [] and sum(counts.values()) >= 30


def test_one_command_runs_a_kind_in_workers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kinds, "SLICE", 3)
    assert main(["extents", "--seed", "5"]) == 0
    assert "extents: 0 failures; 3 calls" in capsys.readouterr().out


def test_a_worker_that_dies_is_run_again_seed_by_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Done:
        def __init__(self, command: list[str]) -> None:
            first, most = int(command[-1]), int(command[command.index("--members") + 1])
            self.returncode = -11 if first <= 7 < first + most else 0
            self.stdout, self.stderr = json.dumps({"counts": {"members": most}, "wrong": []}), ""

    monkeypatch.setattr(kinds.subprocess, "run", lambda command, **_: Done(command))
    monkeypatch.setattr(kinds, "SLICE", 10)
    counts, wrong = kinds.run("indices", 0, 0)
    assert counts == Counter(members=10) and wrong == ["seed 7: it ended with -11: "]


def test_every_kind_has_a_session() -> None:
    for name in kinds.MODULES:
        assert callable(kinds.kind(name))
