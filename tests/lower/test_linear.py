"""Lowering and scheduling are linear in the number of outputs and nodes: calls are counted, nothing is timed."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import symnet as sn
from tests.deep_graphs import FAMILIES


def calls(stage: str, depth: int, label: str) -> int:
    """Python functions called for all gradients of a network, from their formulas to a stage."""
    loss, params = FAMILIES["network"](depth, label)
    gradients = sn.grad(loss, params)
    count = [0]

    def profile(frame: Any, event: str, argument: Any) -> None:
        count[0] += event == "call"

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        sn.compile(gradients, stop_after=stage)
    finally:
        sys.setprofile(before)
    return count[0]


@pytest.mark.parametrize("stage", ["loops", "schedule"])
def test_twice_as_many_layers_take_twice_the_calls(stage):
    calls(stage, 2, f"_{stage}_first")  # what is imported and remembered once
    once, twice = calls(stage, 8, f"_{stage}_once"), calls(stage, 16, f"_{stage}_twice")
    assert twice <= 2.15 * once
