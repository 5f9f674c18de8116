"""The tape and what stands on it.

In: NumPy values, and for each operation a *pullback* per operand: cotangent of the result → cotangent of the operand.
Out: `Tape.backward`, which walks the operations in reverse and adds up what reaches each variable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Pullback = Callable[[Any], Any]


class TapeValue:
    """A value while the program runs.

    Attributes:
        value: an array, or a Python number for a constant.
        needs: whether anything asks for its cotangent.
        pulls: (operand, pullback) for the operands that need one.
        bar: the cotangent, once `backward` has reached it.
    """

    __slots__ = ("bar", "needs", "pulls", "value")

    def __init__(self, value: Any, needs: bool = False, pulls: Sequence[tuple[TapeValue, Pullback]] = ()) -> None:
        self.value, self.needs, self.pulls = value, needs, pulls
        self.bar: Any = None


class Tape:
    """Operations in the order in which they ran.

    Args:
        recording: False: values only, nothing is kept.
    """

    def __init__(self, recording: bool = True) -> None:
        self.recording = recording
        self.operations: list[TapeValue] = []

    def record(self, value: Any, *pulls: tuple[TapeValue, Pullback]) -> TapeValue:
        """The result of an operation; on the tape where an operand needs a cotangent."""
        if not self.recording:
            return TapeValue(value)
        needed = [pull for pull in pulls if pull[0].needs]
        result = TapeValue(value, bool(needed), needed)
        if needed:
            self.operations.append(result)
        return result

    def backward(self, root: TapeValue) -> None:
        """Fill in `bar` of everything that the root depends on."""
        root.bar = np.ones_like(root.value)
        for operation in reversed(self.operations):
            if operation.bar is None:
                continue
            for operand, pull in operation.pulls:
                arrived = pull(operation.bar)
                operand.bar = arrived if operand.bar is None else operand.bar + arrived
