"""What rewrites are looked up by, as bits: the topics at a node and below it are one integer.

In: a topic, the kind of a node or the primitive of an elementwise one.  Out: the bit that stands for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

_BITS: dict[str, int] = {}


def bit_of(topic: str) -> int:
    """The bit that stands for a topic in this process; two may share one, met by two threads at the same time."""
    found = _BITS.get(topic)
    return _BITS.setdefault(topic, 1 << len(_BITS)) if found is None else found


def bits_of(topics: Iterable[str]) -> int:
    """The bits of several topics."""
    return reduce(or_, map(bit_of, topics), 0)
