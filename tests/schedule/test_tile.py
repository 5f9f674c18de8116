"""Register tiles: what they hold has names of its own, on machines with registers of every width."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.loops.verifier import verify

C, D = sn.tensor("C", 30, 113), sn.tensor("D", sn.dim("m"), 113)
u, s = sn.tensor("u", 30), sn.tensor("s")
E = sn.tensor("E", 30, 100)
ALIKE = (u @ E) / (1 + sn.abs(sn.sum(sn.exp(u)) * s))  # what all columns share is computed above their loops
MACHINES = ("x86-64", "x86-64-v3", "x86-64-v4", "aarch64", "wasm32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", MACHINES)
@pytest.mark.parametrize(
    "root", [sn.sum(sn.exp(C), 0), sn.max(C, 0), sn.prod(C, 0), sn.sum(sn.tanh(D), 0), u @ C, ALIKE]
)
def test_tiles_of_several_widths_that_stand_beside_one_another_are_apart(root, target: str, dtype: str) -> None:
    verify(sn.compile(root, dtype=dtype, target=target, stop_after="schedule"))
