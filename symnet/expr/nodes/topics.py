"""What rewrites are looked up by, as bits: the topics at a node and below it are one integer.

In: a topic, the kind of a node or the primitive of an elementwise one.  Out: the bit that stands for it.
"""

from __future__ import annotations

_BITS: dict[str, int] = {}


def bit_of(topic: str) -> int:
    """The bit that stands for a topic in this process; two may share one, met by two threads at the same time."""
    found = _BITS.get(topic)
    return _BITS.setdefault(topic, 1 << len(_BITS)) if found is None else found
