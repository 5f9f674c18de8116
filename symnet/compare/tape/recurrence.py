"""Linear recurrences and cumulative products on the tape.

In: variables and an axis.  Out: the values after every step, or before it, recorded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.compare.tape.var import Tape, TapeValue


def in_front(x: Any, axis: int, reverse: bool) -> Any:
    return np.moveaxis(np.flip(x, axis) if reverse else x, axis, 0)


def in_place(x: Any, axis: int, reverse: bool) -> Any:
    back = np.moveaxis(x, 0, axis)
    return np.flip(back, axis) if reverse else back


def before(after: Any, start: int) -> Any:
    """What there was before every step."""
    found = np.full_like(after, start)
    found[1:] = after[:-1]
    return found


def steps(a: Any, b: Any) -> Any:
    """r[k] = a[k]·r[k - 1] + b[k], from the first axis' front."""
    rows = [*b[:1]]
    for factor, added in zip(a[1:], b[1:], strict=True):
        rows.append(factor * rows[-1] + added)
    return np.stack(rows) if rows else b


def _sent_back(a: Any, y_bar: Any, exclusive: bool) -> Any:
    """What reaches every step from the result: s[k] = y_bar[k] + a[k + 1]·s[k + 1], y_bar one further if exclusive."""
    turned, factors = y_bar[::-1], a[::-1]
    arrived = before(turned, 0) if exclusive else turned
    return steps(before(factors, 0), arrived)[::-1]


def cumprod(tape: Tape, x: TapeValue, *, axis: int, reverse: bool, exclusive: bool) -> TapeValue:
    factors = in_front(x.value, axis, reverse)
    after = np.cumprod(factors, 0)
    earlier = before(after, 1)

    def pull(g: Any) -> Any:
        reached = _sent_back(factors, in_front(g, axis, reverse), exclusive)
        return in_place(reached * earlier, axis, reverse)

    return tape.record(in_place(earlier if exclusive else after, axis, reverse), (x, pull))


def linear_recurrence(
    tape: Tape, a: TapeValue, b: TapeValue, *, axis: int, reverse: bool, exclusive: bool
) -> TapeValue:
    factors, added = (in_front(x.value, axis, reverse) for x in (a, b))
    after = steps(factors, added)
    earlier = before(after, 0)

    def reached(g: Any) -> Any:
        return _sent_back(factors, in_front(g, axis, reverse), exclusive)

    return tape.record(
        in_place(earlier if exclusive else after, axis, reverse),
        (a, lambda g: in_place(reached(g) * earlier, axis, reverse)),
        (b, lambda g: in_place(reached(g), axis, reverse)),
    )
