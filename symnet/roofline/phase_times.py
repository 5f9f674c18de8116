"""How long each phase of a call takes on one thread.

In: a function and a step of it, bound to arrays.  Out: seconds, phase by phase: the best of several calls.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Mapping

import numpy as np

from symnet.loops.ir import Program
from symnet.runtime.bind import BoundStep
from symnet.runtime.extents import evaluate
from symnet.runtime.native import EntryPoints

ROUNDS, SECONDS = 7, 0.2  # calls at least, and as many more as this leaves time for

_POINTER, _INT32, _INT64 = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64
_ENTRY = ctypes.CFUNCTYPE(_INT32, *[_POINTER] * 4, ctypes.c_size_t, _INT32, _INT64, _INT64)
_UNITS = ctypes.CFUNCTYPE(_INT64, _POINTER, _INT32)


def phase_times(program: Program, native: EntryPoints, step: BoundStep, dims: Mapping[str, int]) -> list[float]:
    """Seconds of all runs of each phase, in the order of `Program.phases()`."""
    order = _order(program, dims)
    entry, units = _ENTRY(native.entry), _UNITS(native.units)
    arguments, given = step.addresses, step.addresses[2]
    many = [units(given, k) for k in range(len(order))]
    best, end, rounds = np.full(len(order), np.inf), time.perf_counter() + SECONDS, 0
    while rounds < ROUNDS or (time.perf_counter() < end and rounds < 1000):
        for k, count in enumerate(many):
            begin = time.perf_counter()
            entry(*arguments, k, 0, count)
            best[k] = min(best[k], time.perf_counter() - begin)
        rounds += 1
    found = [0.0] * len(list(program.phases()))
    for phase, seconds in zip(order, best.tolist(), strict=True):
        found[phase] += seconds
    return found


def _order(program: Program, dims: Mapping[str, int]) -> list[int]:
    """Which phases run, one after another: their places in `Program.phases()`."""
    order: list[int] = []
    first = 0
    for group in program.groups:
        last = first + len(group.phases)
        order += [*range(first, last)] * evaluate(group.repeat, dims)
        first = last
    return order
