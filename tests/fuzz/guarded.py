"""Arrays between pages that nobody may touch: what reads or writes beside them ends the process.

In: an array.  Out: a copy that ends where a forbidden page begins (or begins where one ends).
Needs `mmap` and `mprotect`, so it works on Linux and macOS.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np

PAGE = mmap.PAGESIZE
_KEPT: list[Any] = []  # memory with forbidden pages is never given back


def guarded(array: np.ndarray, at_end: bool = True) -> np.ndarray:
    """A copy whose last (or first) element stands at the edge of a forbidden page."""
    array = np.ascontiguousarray(array)
    inside = max(1, -(-array.nbytes // PAGE)) * PAGE
    memory = mmap.mmap(-1, inside + 2 * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (start, start + PAGE + inside):
        if ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(page), PAGE, 0):
            raise OSError(ctypes.get_errno(), "mprotect")
    offset = PAGE + (inside - array.nbytes if at_end else 0)
    copy = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    _KEPT.append(memory)
    return copy
