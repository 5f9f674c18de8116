"""Loads code in a process whose free addresses are single pages far apart.

In: nothing.  Out: exit status 0 when the code runs.  A process of its own, because it spoils its address space (and
because LLVM aborts where it goes wrong).  Linux only: it asks the C library for `mmap`.
"""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

import symnet as sn
from symnet.backends.llvm import loading

PAGE = mmap.PAGESIZE
NO_RESERVE = 0x4000  # of <sys/mman.h> on Linux; the module mmap names it from Python 3.13 on
APART = 8 << 30  # bytes; offsets of 32 bits reach 2 GiB


def scatter() -> None:
    """Fills the holes between mappings, takes a large range below them, and frees two single pages at its top."""
    library = ctypes.CDLL(None)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

    def take(size: int) -> int:
        return int(library.mmap(None, size, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE, -1, 0))

    for _ in range(60_000):
        take(PAGE)
    start = take(APART)
    while take(PAGE) > start:  # the range is aligned, and leaves a gap above it
        pass
    for page in (1, 9):
        library.munmap(start + APART - page * PAGE, PAGE)


def main() -> None:
    X = sn.tensor("X", 5, 3)
    loss = sn.sum(sn.softmax(sn.tanh(X @ X.T), axis=1) ** 2) + sn.logdet(X.T @ X)
    built = loading.NativeModule.__init__

    def build(self: loading.NativeModule, code: bytes) -> None:
        assert len(code) > 2 * PAGE
        loading.NativeModule.__init__ = built  # type: ignore[method-assign]  # the runtime's own code is smaller
        scatter()
        built(self, code)

    loading.NativeModule.__init__ = build  # type: ignore[method-assign]
    data = np.random.default_rng(0).normal(size=(5, 3))
    value, (slope,) = sn.value_and_grad(loss, [X])(X=data)
    assert np.isfinite(value) and np.isfinite(slope).all()


if __name__ == "__main__":
    main()
