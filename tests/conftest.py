"""What every test may ask for, a seeded generator; and what holds in every one: rewriting comes to rest.

Hypothesis draws the same examples on every run.
"""

import os
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from symnet import compiler
from symnet.loops.ir import Program
from symnet.loops.order import early_read
from tests.rest import algebra_comes_to_rest

os.environ["SYMNET_CACHE"] = "0"  # every test compiles what it tests
settings.register_profile(
    "symnet",
    deadline=None,  # nothing is timed inside the test suite
    derandomize=True,  # the same examples on every machine
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("symnet")


@pytest.fixture(autouse=True, scope="session")
def rest() -> Iterator[None]:
    """In every test."""
    with algebra_comes_to_rest():
        yield


@pytest.fixture(autouse=True, scope="session")
def order() -> Iterator[None]:
    """In every program that any test compiles: nothing is read before it is written."""
    made = compiler.schedule

    def schedule(*args: Any) -> Program:
        program = made(*args)
        assert early_read(program) is None
        return program

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "schedule", schedule)
        yield


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that depend on the test's name only."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))
