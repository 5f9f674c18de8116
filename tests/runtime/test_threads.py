import ctypes
import gc
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from symnet.errors import ArgumentError
from symnet.runtime import pool_layout, threads
from symnet.runtime.pool_ir import PRICE
from symnet.runtime.sharing import ALWAYS, FOR_EVER, Sharing, everywhere
from symnet.runtime.threads import Job, ThreadPool, shared_pool
from tests.runtime.programs import native


@pytest.mark.parametrize("number", [2, 3, 5])
def test_any_number_of_threads_gives_the_same_bits(number, rng):
    serial, parallel = native("column_sums"), native("column_sums", threads=number)
    for rows in (0, 1, 3, 4, 5, 64, 257):
        for columns in (1, 2, 31, 200):
            X = rng.normal(size=(rows, columns))
            np.testing.assert_array_equal(parallel(X=X), serial(X=X))


def test_a_bound_step_runs_on_several_threads(rng):
    X = rng.normal(size=(100, 33))
    step = native("column_sums", threads=2).bind(X=X)
    for _ in range(300):
        X[:] = rng.normal(size=X.shape)
        np.testing.assert_array_equal(step(), native("column_sums")(X=X))


def test_sleeping_workers_wake_up(rng):
    X = rng.normal(size=(1000, 64))
    f, expected = native("column_sums", threads=3), native("column_sums")(X=X)
    crew = shared_pool(3).crew
    for _ in range(3):
        np.testing.assert_array_equal(f(X=X), expected)
        wait_until(lambda: crew.asleep() == 2)
    np.testing.assert_array_equal(f(X=X), expected)


def test_workers_sleep_by_locks_where_the_system_has_no_semaphores(rng, monkeypatch):
    monkeypatch.setattr(threads, "_semaphores", lambda: None)
    monkeypatch.setattr(threads, "_POOLS", {})
    test_sleeping_workers_wake_up(rng)
    assert shared_pool(3).crew._post is None and len(shared_pool(3).crew._dozing) <= 2


def job(f, *entry):
    """A function whose phases all have one team and gain."""
    return Job(f.native, Sharing(entry[0], 2, (1, FOR_EVER, *entry)))


def test_sleepers_are_woken_once_their_help_is_worth_it(rng, monkeypatch):
    monkeypatch.setattr(threads, "_POOLS", {})
    f, X = native("column_sums", threads=2), rng.normal(size=(8, 6))
    expected, crew = native("column_sums")(X=X), shared_pool(2).crew
    step = f.bind(X=X)
    assert np.array_equal(step(), expected)
    wait_until(lambda: crew.asleep() == 1)
    phases, little = 6, PRICE // 20
    run = job(f, 2, little).run
    awake = []
    for _ in range(12):
        step.outputs[:] = 0
        assert run(*step.addresses) == 0
        assert np.array_equal(step.outputs, expected)
        awake.append(owed(crew))
    per_call = awake[0]
    assert 0 < per_call <= phases * little
    assert per_call < awake[1] and 0 <= min(awake[2:]) < per_call  # it grew, and was settled
    wait_until(lambda: crew.asleep() == 1)
    assert job(f, 1, ALWAYS).run(*step.addresses) == 0  # alone: nobody is woken
    assert crew.asleep() == 1


def owed(crew):
    return ctypes.c_int64.from_address(crew.address + pool_layout.DEBT).value


def test_a_worker_beyond_the_team_stays_out(rng, monkeypatch):
    monkeypatch.setattr(threads, "_POOLS", {})
    X = rng.normal(size=(400, 64))
    f, expected = native("column_sums", threads=4), native("column_sums")(X=X)
    step = f.bind(X=X)
    few = Job(f.native, Sharing(2, 4, (1, FOR_EVER, 2, ALWAYS)))
    for _ in range(50):  # teams change from call to call, so that a worker may hold an epoch of another team
        for run in (few.run, Job(f.native, everywhere(4)).run, few.run):
            step.outputs[:] = 0
            assert run(*step.addresses) == 0
            np.testing.assert_array_equal(step.outputs, expected)


def test_callers_at_the_same_time_all_get_their_results(rng):
    f = native("column_sums", threads=2)
    arrays = [rng.normal(size=(40 + k, 19)) for k in range(4)]
    expected = [native("column_sums")(X=X) for X in arrays]
    wrong = []

    def work(k):
        for _ in range(100):
            if not np.array_equal(f(X=arrays[k]), expected[k]):
                wrong.append(k)

    callers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def test_a_closed_or_dropped_pool_ends_its_threads():
    pool = ThreadPool(3)
    members = pool.crew.with_members(pool.threads)._members
    assert all(member.is_alive() for member in members)
    pool.close()
    assert not any(member.is_alive() for member in members)
    pool = ThreadPool(2)
    members = pool.crew.with_members(pool.threads)._members
    del pool
    gc.collect()
    wait_until(lambda: not any(member.is_alive() for member in members))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads are not moved on this system")
def test_a_worker_beside_the_caller_moves_and_stays_free_to_run_anywhere():
    allowed = os.sched_getaffinity(0)
    crew = shared_pool(2).crew
    for processor in allowed:
        crew._set(pool_layout.CALLER, processor)
        crew._move_away(1)  # of this very thread
        assert os.sched_getaffinity(0) == allowed


def test_one_pool_per_size_serves_the_process():
    assert shared_pool(2) is shared_pool(2)
    assert shared_pool(2) is not shared_pool(3)


@pytest.mark.parametrize("wrong", [0, -1, 257, 2.0, True, "auto"])
def test_a_number_of_threads_is_an_int_in_range(wrong):
    with pytest.raises(ArgumentError, match=r"affine\(…\), threads=.*expected None or an int from 1 to 256; got"):
        native("affine", threads=wrong)


CHILD = """
import os, sys
import numpy as np
from tests.runtime.programs import native
f = native("column_sums", threads=2)
X = np.ones((50, 20))
assert f(X=X)[0] == 50
if len(sys.argv) > 1:
    child = os.fork()
    assert f(X=X)[0] == 50
    if child == 0:
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
print("done")
"""


@pytest.mark.parametrize(
    "forks", [(), pytest.param(("fork",), marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork"))]
)
def test_the_interpreter_ends_cleanly_while_workers_wait(forks):
    command = [sys.executable, "-W", "ignore", "-c", CHILD, *forks]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def wait_until(condition):
    """Wait for what happens soon, on however slow a machine."""
    waiting = threading.Event()
    for _ in range(2000):
        if condition():
            return
        waiting.wait(0.01)
    raise AssertionError("it never happened")
