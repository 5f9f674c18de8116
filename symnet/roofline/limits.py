"""What one thread of this machine can do at most, measured: operations in a second, bytes read in a second.

In: nothing.  Out: `peak(dtype)`, `reading(bytes)`; each is measured once in a process.

These are the best of several tries of code that does nothing else (`limits_ir.py`), in about 20 ms each.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from symnet.locks import once
from symnet.roofline.limits_ir import STRIDE, flops_of, limits_ir

TRIES, SECONDS = 8, 2e-3
_LEAST, _MOST = 1 << 14, 1 << 28  # bytes of an array that is read

_POINTER, _INT64 = ctypes.c_void_p, ctypes.c_int64


@once
def _module() -> Any:
    from symnet.backends.llvm import codegen, loading, targets

    target = targets.host_target()
    text = f'target triple = "{target.triple}"\n{limits_ir(target)}attributes #0 = {{ nounwind }}\n'
    return loading.load(codegen.compile_object(text, target))


@cache
def peak(dtype: str) -> float:
    """Multiply-adds of one thread, each counted as two: operations in a second.

    Args:
        dtype: "float32" or "float64".
    """
    from symnet.backends.llvm.targets import host_target

    call = ctypes.CFUNCTYPE(None, _INT64, _POINTER)(_module().address(f"symnet_peak_{dtype}"))
    out = np.full(64, 0.5, dtype)
    return flops_of(host_target(), dtype) * _rate(lambda count: call(count, out.ctypes.data))


def reading(size: int) -> float:
    """Bytes in a second that one thread reads of arrays of this size in all, again and again.

    Args:
        size: bytes; what is measured is the next power of two, from 16 KiB to 256 MiB.
    """
    return _reading(min(max(1 << (size - 1).bit_length(), _LEAST), _MOST))


@cache
def _reading(size: int) -> float:
    call = ctypes.CFUNCTYPE(None, _POINTER, _INT64, _INT64, _POINTER)(_module().address("symnet_reads"))
    data, out = np.ones(size + STRIDE, np.uint8), np.empty(16, np.int32)
    begin = data.ctypes.data + -data.ctypes.data % 64
    return size * _rate(lambda count: call(begin, size, count, out.ctypes.data))


def _rate(run: Callable[[int], None]) -> float:
    """How often in a second the thing is done that `run(count)` does `count` times."""
    count, best = 1, np.inf
    while _seconds(run, count) < SECONDS:
        count *= 2
    for _ in range(TRIES):
        best = min(best, _seconds(run, count))
    return count / best


def _seconds(run: Callable[[int], None], count: int) -> float:
    begin = time.perf_counter()
    run(count)
    return time.perf_counter() - begin
