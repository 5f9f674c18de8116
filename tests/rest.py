"""Rewriting comes to rest: whether two rewrites undo each other.

In: nothing.  Out: a context in which the nodes where they do are counted.  Anywhere else in the tests such a node is an
error, as every warning is.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from symnet.errors import UnsettledWarning


@contextmanager
def counting_unrest() -> Iterator[list[str]]:
    """What is said of the nodes where it does not."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnsettledWarning)
        yield found
    found += [str(each.message) for each in caught]
