"""What every test may ask for: a seeded generator; and what holds in every one: floors examine what they give.

Hypothesis draws the same examples on every run.  The whole suite is shared by as many processes as there are cores; a
part of it runs in this process, unless `-n` says otherwise.
"""

import gc
import os
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

LINUX = hasattr(os, "sched_getaffinity")
os.environ["SYMNET_CACHE"] = "0"  # every test compiles what it tests
os.environ["SYMNET_VERIFY"] = "1"  # and examines what a floor gives before the next one takes it
settings.register_profile(
    "symnet",
    deadline=None,  # nothing is timed inside the test suite
    derandomize=True,  # the same examples on every machine
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("symnet")


PARTS = ("keyword", "markexpr", "lf", "failedfirst", "usepdb", "trace", "stepwise", "collectonly")
MOST = 8  # processes: each reads all of the tests anew, which takes it some ten seconds


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Workers for the whole suite; for one file or folder their start would take longer than they save."""
    options = config.option
    unsaid = config.pluginmanager.hasplugin("xdist") and options.numprocesses is None and not options.tx
    if unsaid and not hasattr(config, "workerinput") and _is_whole(config):
        options.numprocesses = min(MOST, len(os.sched_getaffinity(0)) if LINUX else os.cpu_count() or 1)
        options.dist = "worksteal"  # neighbours stay together as long as they can: they share what was compiled


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """The collector is let alone while tests are read: all that is made stays, and it would walk it again and again."""
    before = gc.get_threshold()
    gc.set_threshold(250_000, 20, 100)
    try:
        return (yield)
    finally:
        gc.set_threshold(*before)


def _is_whole(config: pytest.Config) -> bool:
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    part = any(getattr(config.option, name, False) for name in PARTS)
    return not named and not part and config.option.capture != "no"


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that depend on the test's name only."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))
