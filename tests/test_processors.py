"""Work that is spread over processors: every item once, results in order, errors and interrupts after the last."""

from __future__ import annotations

import threading
import time

import pytest

from symnet import processors
from symnet.processors import on_all_processors


@pytest.fixture(params=[1, 2, 7])
def count(request, monkeypatch):
    monkeypatch.setattr(processors, "usable_processors", lambda: request.param)
    return request.param


@pytest.mark.parametrize("items", [0, 1, 2, 50])
def test_every_item_is_worked_on_once_and_results_are_in_order(items, count):
    seen = []

    def work(item, worker):
        seen.append(item)
        time.sleep(0.001 * (item % 3))
        return item * item

    assert on_all_processors(work, list(range(items))) == [k * k for k in range(items)]
    assert sorted(seen) == list(range(items))


def test_no_two_at_once_are_the_same_worker(count):
    busy, most = set(), []

    def work(item, worker):
        assert worker not in busy
        busy.add(worker)
        most.append(len(busy))
        time.sleep(0.002)
        busy.remove(worker)

    on_all_processors(work, list(range(40)))
    assert 1 <= max(most) <= count


def test_the_first_error_is_raised_when_all_have_ended(count):
    running = threading.active_count()

    def work(item, worker):
        time.sleep(0.001)
        if item == 3:
            raise ValueError("the third")
        return item

    with pytest.raises(ValueError, match="the third"):
        on_all_processors(work, list(range(30)))
    assert threading.active_count() == running


def test_an_interrupt_waits_for_the_threads(count):
    done = []

    def work(item, worker):
        if worker == 0:
            raise KeyboardInterrupt
        time.sleep(0.02)
        done.append(item)

    running = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        on_all_processors(work, list(range(30)))
    assert threading.active_count() == running
