"""Cumulative sums on the tape.

In: a variable and an axis.  Out: the sums from the front or from the end, recorded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.compare.tape.var import Tape, TapeValue


def sums(x: Any, axis: int, reverse: bool) -> Any:
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)


def cumsum(tape: Tape, x: TapeValue, *, axis: int, reverse: bool) -> TapeValue:
    return tape.record(sums(x.value, axis, reverse), (x, lambda g: sums(g, axis, not reverse)))
