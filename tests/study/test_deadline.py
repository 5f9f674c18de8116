"""Work without an end is ended, also where Python ignores an exception."""

from __future__ import annotations

import subprocess
import sys
import threading
import weakref
from pathlib import Path

from symnet.study.critical_points.deadline import within


def _endless() -> None:
    while True:
        pass


def test_work_in_time_is_done_and_leaves_no_thread() -> None:
    before = threading.active_count()
    assert [within(60, lambda k=k: k) for k in range(50)] == list(range(50))
    for thread in threading.enumerate():
        if thread.daemon and thread is not threading.current_thread():
            thread.join(0.1)
    assert threading.active_count() <= before


def test_work_without_an_end_is_ended_in_any_thread() -> None:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(within(0.02, _endless))) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [None] * 4
    assert within(0.02, _endless) is None


def test_an_end_that_python_ignores_comes_again() -> None:
    """An exception in the callback of a weak reference is dropped: the alarm that rang there was lost."""

    class Thing:
        pass

    rung: list[int] = []

    def busy(_: object) -> None:
        rung.append(1)
        _endless()

    def work() -> None:
        thing = Thing()
        held = weakref.ref(thing, busy)
        del thing
        assert held() is None
        _endless()

    assert within(0.02, work) is None
    assert rung == [1]


def test_an_end_at_the_very_end_does_not_escape() -> None:
    for k in range(200):
        within(1e-5 * k, lambda: sum(range(2000)))


PROFILED = """
import sys
from symnet.study.critical_points.deadline import within
assert within(60, lambda: 1) == 1
assert within(0.02, lambda: [None for _ in iter(int, 1)]) is None
sys.setprofile(lambda *_: None)
def called(): return "called"
print(called())
"""


def test_calls_below_a_profiler_go_on_afterwards() -> None:
    """An exception that was taken back left CPython 3.11 looking for it for ever."""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", PROFILED], capture_output=True, text=True, timeout=120, cwd=root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "called\n", "")
