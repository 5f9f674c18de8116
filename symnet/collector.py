"""The garbage collector while something large is built.

A compilation makes many objects that live to its end, in a process that holds those of SymPy: the collector would walk
all of them several times and find nothing, 80 ms each time.

In: nothing.  Out: `RARELY`, a context in which it walks young objects alone, and these seldom.
Not handled: thresholds that other code changes meanwhile are overwritten at the end.
"""

from __future__ import annotations

import gc
import os
import threading

THRESHOLDS = (50_000, 20, 100)  # new objects until the young are walked; such walks until the old are


class Rarely:
    """A context; several threads may be in it, and the last one to leave puts back what was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = gc.get_threshold()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before = gc.get_threshold()
                if 0 < self._before[0] < THRESHOLDS[0]:
                    gc.set_threshold(*THRESHOLDS)

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside = max(0, self._inside - 1)
            if not self._inside:
                gc.set_threshold(*self._before)

    def forked(self) -> None:
        """Begin anew in a forked child: its other threads are gone, and will not leave."""
        self._lock = threading.Lock()
        if self._inside:
            gc.set_threshold(*self._before)
            self._inside = 0


RARELY = Rarely()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=RARELY.forked)
