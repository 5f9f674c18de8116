"""Whose memory a buffer is.

In: buffers as a program declares them.  Out: by the name of each, the name of the one that has the memory: its own, or
that of the buffer at the end of what it views.
Not handled: views that go in circles, which the verifier refuses.
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet.loops.ir import Buffer


def owners(buffers: Iterable[Buffer]) -> dict[str, str]:
    """By name, the buffer that has the memory of each."""
    views = {buffer.name: buffer.view_of for buffer in buffers}

    def owner(name: str) -> str:
        while (below := views.get(name)) is not None:
            name = below
        return name

    return {name: owner(name) for name in views}
