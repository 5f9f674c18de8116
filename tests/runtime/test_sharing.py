"""How many threads a call uses: by extents and processors alone, one where it is small, all where they pay."""

import os

import numpy as np
import pytest

import symnet as sn
from symnet.loops.ir import IntConst
from symnet.loops.work import GroupWork, PhaseWork, Work, WorkTerm
from symnet.processors import usable_processors
from symnet.runtime import function, sharing
from symnet.runtime.sharing import BUSY, BYTE, FOR_EVER, HAND_OVER, Sharing, everywhere

m = sn.dim("m")
END = (1, FOR_EVER, 1, 0)  # whatever follows the phases runs alone


def one_phase(units: int, nanoseconds: float, nbytes: float = 0.0, repeat: int = 1) -> Work:
    """A program of one phase."""
    phase = PhaseWork(0, (WorkTerm(nanoseconds, ()),), (WorkTerm(nbytes, ()),))
    return Work((IntConst(units), IntConst(repeat)), (GroupWork((phase,), 1),))


def team(work: Work, processors: int) -> int:
    found = sharing.sharing(work, {}, processors)
    return 1 if found is None else found.threads


def test_a_short_phase_runs_on_one_thread_and_a_long_one_on_all() -> None:
    assert [team(one_phase(64, time), 2) for time in (0, 100, HAND_OVER, 1e5, 1e9)] == [1, 1, 1, 2, 2]
    assert [team(one_phase(64, time), 16) for time in (0, HAND_OVER, 1e6)] == [1, 1, 16]


def test_more_threads_are_used_the_longer_a_phase_is() -> None:
    found = [team(one_phase(1024, 2.0**k), 64) for k in range(8, 30)]
    assert found == sorted(found) and found[0] == 1 and found[-1] == 64 and len(set(found)) > 3


def test_one_processor_or_one_unit_is_one_thread() -> None:
    assert team(one_phase(64, 1e9), 1) == 1
    assert team(one_phase(1, 1e9), 8) == 1
    assert team(one_phase(3, 1e9), 8) == 3
    assert team(Work(), 8) == 1


def test_what_waits_for_memory_gains_until_the_memory_is_busy() -> None:
    large = 1e9
    assert team(one_phase(64, 0.5 * BYTE * large, large), 16) == BUSY
    assert team(one_phase(64, 16 * BYTE * large, large), 16) == 16
    assert team(one_phase(64, 1e5, 1e5), 16) > BUSY  # it is in the cache


def test_each_phase_has_a_team_of_its_own() -> None:
    extents = (IntConst(64), IntConst(3), IntConst(0), IntConst(1))
    light, heavy = (PhaseWork(0, (WorkTerm(time, ()),), ()) for time in (50.0, 1e6))
    groups = (GroupWork((heavy,), 2), GroupWork((light, heavy), 1), GroupWork((light,), 3))
    found = sharing.sharing(Work(extents, groups), {}, 2)
    assert found is not None and found.threads == 2
    gain = found.words[5]
    assert found.words == (2, 3, 1, 0, 2, gain, 1, 1, 1, 0, *END) and 4e5 < gain < 5e5  # no group without repetitions


def test_a_shared_phase_that_is_a_small_part_of_the_call_wakes_nobody() -> None:
    alone, shared = PhaseWork(0, (WorkTerm(1e6, ()),), ()), PhaseWork(1, (WorkTerm(4e3, ()),), ())
    work = Work((IntConst(1), IntConst(64)), (GroupWork((alone, shared), 0),))
    assert team(work, 2) == 1
    assert team(Work(work.extents, (GroupWork((shared,), 0),)), 2) == 2


def test_an_explicit_number_means_every_phase() -> None:
    assert everywhere(1) is None
    assert everywhere(3) == Sharing(3, 3, (1, FOR_EVER, 3, everywhere(3).words[3]))


# --------------------------------------------------------------------------- of functions


def gradient(**options):
    X, W, T = sn.tensor("X", m, 64), sn.tensor("W", 64, 32), sn.tensor("T", m, 32)
    return sn.value_and_grad(sn.sum((sn.tanh(X @ W) - T) ** 2), [W], **options)


@pytest.mark.parametrize("processors", [1, 2, 4])
def test_none_is_as_many_as_pay(monkeypatch, processors):
    monkeypatch.setattr(function, "usable_processors", lambda: processors)
    f = gradient()
    assert f.threads is None
    assert f.threads_used(m=1) == 1
    assert f.threads_used(m=5000) == processors
    assert [f.threads_used(m=5000) for _ in range(3)] == [processors] * 3
    assert gradient(threads=3).threads_used(m=1) == 3


def test_a_call_and_a_bound_step_use_as_many_and_have_the_same_bits(monkeypatch, rng):
    monkeypatch.setattr(function, "usable_processors", lambda: 3)
    f, one = gradient(), gradient(threads=1)
    for rows, least in ((1, 1), (2000, 2)):
        data = {"X": rng.normal(size=(rows, 64)), "W": rng.normal(size=(64, 32)), "T": rng.normal(size=(rows, 32))}
        step = f.bind(**data)
        assert step.threads == f.threads_used(m=rows) and step.threads >= least
        assert one.bind(**data).threads == 1
        expected = one(**data)
        for _ in range(30):
            for found in (f(**data), step()):
                assert found[0] == expected[0]
                np.testing.assert_array_equal(found[1][0], expected[1][0])


def test_a_function_from_the_cache_chooses_alike(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMNET_CACHE", "1")
    monkeypatch.setenv("SYMNET_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(function, "usable_processors", lambda: 2)
    first, second = gradient(), gradient()
    assert second.from_cache and not first.from_cache
    assert [f.threads_used(m=10_000) for f in (first, second)] == [2, 2]


def test_a_report_says_how_many(monkeypatch):
    from symnet import compiled

    for module in (function, compiled):
        monkeypatch.setattr(module, "usable_processors", lambda: 2)
    assert "threads     2 of 2, whatever m" in gradient().report()
    assert "threads     3 as asked for, whatever m" in gradient(threads=3).report()
    assert "threads     1 of 2\n" in sn.compile(sn.tensor("x", 3) * 2).report()


def test_no_more_processors_than_the_process_may_use():
    if hasattr(os, "sched_getaffinity") and not hasattr(os, "process_cpu_count"):
        assert usable_processors() == len(os.sched_getaffinity(0))
    assert usable_processors() >= 1
