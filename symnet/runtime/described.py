"""What stands in a signature, under the names that users call it by.

In: a `Signature`, and `Arguments` made of it.  Out: the properties that a native function and code for another machine
have alike.
"""

from __future__ import annotations

from symnet.loops.signature import Signature
from symnet.runtime.arguments import Arguments


class Described:
    """A function that is described by a signature."""

    signature: Signature
    arguments: Arguments

    @property
    def name(self) -> str:
        return self.signature.name

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return self.arguments.names

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return tuple(buffer.name for buffer in self.signature.outputs)
