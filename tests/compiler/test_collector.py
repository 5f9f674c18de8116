"""The garbage collector is let alone while a function is compiled, and afterwards is as it was."""

import gc
import weakref

import pytest

import symnet as sn
from symnet.collector import THRESHOLDS, UNSEEN, Rarely


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield (700, 10, 10)
    gc.set_threshold(*before)


def test_it_walks_rarely_inside_and_as_before_outside(thresholds):
    rarely = Rarely()
    with rarely:
        assert gc.get_threshold() == THRESHOLDS
        with rarely:
            assert gc.get_threshold() == THRESHOLDS
        assert gc.get_threshold() == THRESHOLDS
    assert gc.get_threshold() == thresholds


@pytest.mark.parametrize("asked", [(0, 10, 10), (10**6, 5, 5)])
def test_who_asked_for_less_keeps_what_he_asked_for(thresholds, asked):
    gc.set_threshold(*asked)
    with Rarely():
        assert gc.get_threshold() == asked
    assert gc.get_threshold() == asked


def test_a_forked_child_is_outside_and_may_still_leave(thresholds):
    rarely = Rarely()
    with rarely:
        rarely.forked()
        assert gc.get_threshold() == thresholds
    with rarely:
        assert gc.get_threshold() == THRESHOLDS
    assert gc.get_threshold() == thresholds


def test_compiling_leaves_the_collector_as_it_was_also_when_it_fails(thresholds, monkeypatch):
    x = sn.tensor("collected", 3)
    inside = []

    def fails(*_):
        inside.append(gc.get_threshold())
        raise RuntimeError

    sn.compile(sn.sum(x * x))
    assert gc.get_threshold() == thresholds
    monkeypatch.setattr("symnet.stages.lower", fails)
    with pytest.raises(RuntimeError):
        sn.compile(sn.sum(x * x * x))
    assert inside == [THRESHOLDS] and gc.get_threshold() == thresholds


def test_what_was_made_inside_is_old_at_the_end_and_no_walk_comes_just_then(thresholds):
    gc.collect()
    walked = []
    gc.callbacks.append(lambda phase, info: walked.append(info["generation"]))
    try:
        with Rarely():
            kept = [[] for _ in range(30_000)]
        after = [[] for _ in range(100)]
    finally:
        gc.callbacks.pop()
    assert not walked
    assert gc.get_count()[0] >= len(after) and any(x is kept[0] for x in gc.get_objects(generation=2))


def test_garbage_of_compilations_is_found_before_it_is_much(thresholds):
    class Held:
        pass

    rarely, alive = Rarely(), weakref.WeakSet()
    for _ in range(130):
        with rarely:
            for _ in range(10_000):
                one = Held()
                one.itself = one
                alive.add(one)
    assert len(alive) < UNSEEN + 50_000 < 1_300_000


def test_frozen_objects_stay_frozen(thresholds):
    gc.freeze()
    try:
        with Rarely():
            pass
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()
