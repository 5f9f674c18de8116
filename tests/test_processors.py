"""Work that is spread over processors: every item once, results in order, errors and interrupts after the last."""

from __future__ import annotations

import _thread
import contextlib
import gc
import os
import random
import signal
import subprocess
import sys
import threading
import time
import weakref

import pytest

from symnet import processors
from symnet.processors import on_all_processors


def settled(running):
    """Whether as many threads as before are there: one that has said its last word may still be going."""
    end = time.monotonic() + 5
    while _thread._count() > running and time.monotonic() < end:
        time.sleep(0.001)
    return _thread._count() <= running


@pytest.fixture(params=[1, 2, 7])
def count(request, monkeypatch):
    monkeypatch.setattr(processors, "usable_processors", lambda: request.param)
    return request.param


@pytest.mark.parametrize("items", [0, 1, 2, 50])
def test_every_item_is_worked_on_once_and_results_are_in_order(items, count):
    seen = []

    def work(item):
        seen.append(item)
        time.sleep(0.001 * (item % 3))
        return item * item

    assert on_all_processors(work, list(range(items))) == [k * k for k in range(items)]
    assert sorted(seen) == list(range(items))


def test_the_caller_draws_the_items_and_others_work_on_them_meanwhile(count):
    done, threads, before = [], set(), []

    def drawn():
        for k in range(20):
            threads.add(threading.get_ident())
            time.sleep(0.005)
            before.append(len(done))
            yield k

    assert on_all_processors(lambda k: done.append(k) or -k, drawn()) == [-k for k in range(20)]
    assert threads == {threading.get_ident()}
    assert before[-1] >= 10 if count > 1 else before[-1] == 0


def test_turns_are_as_long_as_before_when_the_work_has_ended(count):
    before = sys.getswitchinterval()
    assert on_all_processors(lambda k: sys.getswitchinterval() < before, range(20)) == [True] * 20
    assert sys.getswitchinterval() == before
    with pytest.raises(ZeroDivisionError):
        on_all_processors(lambda k: 1 / (k - 3), range(20))
    assert sys.getswitchinterval() == before


def test_an_error_of_the_one_who_draws_ends_the_work(count):
    def drawn():
        yield from range(5)
        raise KeyError("six")

    running = _thread._count()
    with pytest.raises(KeyError, match="six"):
        on_all_processors(str, drawn())
    assert settled(running)


def test_no_more_work_at_once_than_there_are_processors(count):
    busy, most = set(), []

    def work(item):
        busy.add(item)
        most.append(len(busy))
        time.sleep(0.002)
        busy.remove(item)

    on_all_processors(work, list(range(40)))
    assert 1 <= max(most) <= count


def test_the_first_error_is_raised_when_all_have_ended(count):
    running = _thread._count()

    def work(item):
        time.sleep(0.001)
        if item == 3:
            raise ValueError("the third")
        return item

    with pytest.raises(ValueError, match="the third"):
        on_all_processors(work, list(range(30)))
    assert settled(running)


def test_an_interrupt_waits_for_the_threads(count):
    done = []

    def work(item):
        if threading.get_ident() == threading.main_thread().ident:
            raise KeyboardInterrupt
        time.sleep(0.02)
        done.append(item)

    running = _thread._count()
    with pytest.raises(KeyboardInterrupt):
        on_all_processors(work, list(range(30)))
    assert settled(running)


@pytest.mark.parametrize("starts", range(7))
def test_where_threads_do_not_start_the_others_have_the_work(starts, count, monkeypatch):
    start, started = _thread.start_new_thread, []

    def refuse(*given):
        if len(started) == starts:
            raise RuntimeError("can't start new thread")
        started.append(given)
        start(*given)

    running = _thread._count()
    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    assert on_all_processors(str, list(range(40))) == list(map(str, range(40)))
    assert settled(running)


@pytest.mark.parametrize("at", range(4))
def test_an_interrupt_that_hides_a_start_does_not_hide_the_work(at, count, monkeypatch):
    """The system has started the thread, or will in a moment; the caller is interrupted before it knows."""
    start, started, seen = _thread.start_new_thread, [], []

    def hide(run, given):
        started.append(given)
        if len(started) > at:
            start((lambda *_: (time.sleep(0.02), run(*given))) if at % 2 else run, given)
            raise KeyboardInterrupt
        start(run, given)

    def work(item):
        seen.append("begin")
        time.sleep(0.03)
        seen.append("end")

    monkeypatch.setattr(_thread, "start_new_thread", hide)
    if count > at + 1:
        with pytest.raises(KeyboardInterrupt):
            on_all_processors(work, list(range(30)))
    else:
        on_all_processors(work, list(range(30)))
    begun = len(seen)
    assert seen.count("begin") == seen.count("end")
    time.sleep(0.1)
    assert len(seen) == begun


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that interrupt")
def test_an_interrupt_at_any_moment_leaves_nothing_at_work(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    def work(item):
        if threading.get_ident() == threading.main_thread().ident:
            time.sleep(0.0005)  # wherever it is interrupted, it is at work no more
            return
        busy.append(item)
        time.sleep(0.0005)
        busy.remove(item)

    monkeypatch.setattr(processors, "usable_processors", lambda: 4)
    busy, rng, before = [], random.Random(0), signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(150):
            with contextlib.suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 4e-3))
                on_all_processors(work, list(range(20)))
                time.sleep(0.01)
            assert not busy
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


FORKED = """
import os, sys, threading, time
from symnet import processors

processors.usable_processors = lambda: int(sys.argv[1])
children = []

def work(item):
    time.sleep(0.002)
    if threading.get_ident() == threading.main_thread().ident and not children:
        children.append(os.fork())
    return item * item

right = processors.on_all_processors(work, list(range(30))) == [k * k for k in range(30)]
if children == [0]:
    os._exit(0 if right else 1)
sys.exit(not right or os.waitpid(children[0], 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks")
@pytest.mark.parametrize("number", [1, 2, 7])
def test_a_child_that_is_forked_amid_the_work_does_what_is_missing(number):
    command = [sys.executable, "-c", FORKED, str(number)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_an_error_is_no_part_of_a_ring(count):
    """Else what its frames hold would live until the collector comes by, which takes it down in any order."""

    class Held:
        pass

    kept = []

    def work(item):
        held = Held()
        kept.append(weakref.ref(held))
        raise ValueError(item)

    gc.collect()
    gc.disable()
    try:
        with contextlib.suppress(ValueError):
            on_all_processors(work, list(range(30)))
        assert not any(held() for held in kept)
    finally:
        gc.enable()
