"""The loop of every session: one member for each seed, until the time is over.

In: the first seed, seconds, members at most (0: no bound), what looks at one member.  Out: counts, and what was wrong.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable

Look = Callable[[int, "Counter[str]"], Iterable[str]]  # (seed, counts to add to) → what is wrong


def over_seeds(seed: int, seconds: float, most: int, look: Look) -> tuple[Counter[str], list[str]]:
    """How much was tried, and what was wrong, each with its seed; an exception is wrong too."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    end = time.monotonic() + seconds
    for number in range(seed, seed + (most or 10**9)):
        if time.monotonic() > end:
            break
        try:
            wrong += [f"seed {number}: {problem}" for problem in look(number, counts)]
        except Exception as error:
            wrong.append(f"seed {number}: {type(error).__name__}: {str(error)[:300]}")
    return counts, wrong
