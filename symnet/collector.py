"""The garbage collector while something large is built.

A compilation makes many objects that live to its end, in a process that holds those of SymPy: the collector would walk
all of them several times and find nothing, 80 ms each time.  What it made is old at the end: it lives as long as the
function, and a walk just then would take a tenth of the time of the compilation.

In: nothing.  Out: `RARELY`, a context in which it walks young objects alone, and these seldom.
Not handled: thresholds that other code changes meanwhile are overwritten at the end.  Objects that were frozen stay so,
and then the walk takes its time.
"""

from __future__ import annotations

import gc
import os
import threading

THRESHOLDS = (500_000, 20, 100)  # new objects until the young are walked; such walks until the old are
UNSEEN = 1_000_000  # objects that may have become old unwalked, before all are walked


class Rarely:
    """A context; several threads may be in it, and the last one to leave puts back what was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._unseen = self._walks = 0
        self._before = gc.get_threshold()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before, self._walks = gc.get_threshold(), _walks()
                if 0 < self._before[0] < THRESHOLDS[0]:
                    gc.set_threshold(*THRESHOLDS)

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside = max(0, self._inside - 1)
            if not self._inside:
                self._age()
                gc.set_threshold(*self._before)

    def _age(self) -> None:
        """Make all objects old without a walk, unless too many have become so."""
        self._unseen += gc.get_count()[0] + (_walks() - self._walks) * gc.get_threshold()[0]
        if not gc.isenabled() or gc.get_freeze_count():
            return
        if self._unseen > UNSEEN:
            self._unseen = 0
            gc.collect()
        else:
            gc.freeze()
            gc.unfreeze()

    def forked(self) -> None:
        """Begin anew in a forked child: its other threads are gone, and will not leave."""
        self._lock = threading.Lock()
        if self._inside:
            gc.set_threshold(*self._before)
            self._inside = 0


def _walks() -> int:
    """How many times the young were walked."""
    return gc.get_stats()[0]["collections"]


RARELY = Rarely()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=RARELY.forked)
