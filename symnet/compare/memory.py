"""The most memory that a call holds at once.

In: a callable.  Out: bytes: arrays of NumPy's and objects of Python's that it allocates, results included; what stood
before the call does not count.

Not seen: what other libraries allocate by themselves; a few buffers of BLAS that do not grow with the data.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any


def peak_bytes(call: Callable[[], Any]) -> int:
    """The largest number of bytes that were allocated at a time, above what was there before; of a second call."""
    call()  # what it sets up once for the whole process is no part of it
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start(1)
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        result = call()
        peak = tracemalloc.get_traced_memory()[1]
        del result
    finally:
        if not running:
            tracemalloc.stop()
    return max(0, peak - before)
