"""A tape of scalar operations: each entry holds where its operands stand and the slope for each.

In: a system of numbers.  Out: `ScalarTape`, which records, and `backward`, which adds up what reaches each entry.
Source: Griewank and Walther, "Evaluating derivatives", 2nd ed., 2008, section 3.2.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from symnet.compare.scalars.numbers import Numbers
from symnet.compare.scalars.slopes import FLAT, SLOPES


class Recorded:
    """A number on a tape.

    Attributes:
        value: the number.
        place: its entry on the tape.
        tape: which.
    """

    __slots__ = ("place", "tape", "value")

    def __init__(self, value: Any, place: int, tape: ScalarTape) -> None:
        self.value, self.place, self.tape = value, place, tape

    def __add__(self, other: Any) -> Any:
        return self.tape.apply("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self.tape.apply("add", other, self)

    def __mul__(self, other: Any) -> Any:
        return self.tape.apply("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.tape.apply("mul", other, self)


def plain_number(x: Any) -> Any:
    """The number itself, whether it is recorded or not."""
    return x.value if isinstance(x, Recorded) else x


class ScalarTape:
    """Scalar operations in the order in which they ran.

    Attributes:
        links: for each entry, (place of an operand, slope) for every operand that is on the tape.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.links: list[Sequence[tuple[int, Any]]] = []

    def variable(self, value: Any) -> Recorded:
        """A number to differentiate by."""
        return self.record(value, ())

    def record(self, value: Any, links: Sequence[tuple[int, Any]]) -> Recorded:
        self.links.append(links)
        return Recorded(value, len(self.links) - 1, self)

    def apply(self, op: str, *xs: Any) -> Any:
        """A primitive of numbers; recorded where an operand is."""
        values = [plain_number(x) for x in xs]
        y = self.numbers.functions[op](*values)
        if op in FLAT or not any(isinstance(x, Recorded) for x in xs):
            return y
        links = [(x.place, self._slope(op, k, y, values)) for k, x in enumerate(xs) if isinstance(x, Recorded)]
        return self.record(y, links)

    def _slope(self, op: str, k: int, y: Any, values: list[Any]) -> Any:
        if op == "add":
            return 1
        if op == "mul":
            return functools.reduce(lambda a, b: a * b, values[:k] + values[k + 1 :], 1)
        return SLOPES[op][k](self.numbers, y, *values)

    def sum_of_products(self, terms: Sequence[Sequence[Any]]) -> Any:
        """Σ Π of the numbers, one entry however many terms there are."""
        total: Any = None
        links: list[tuple[int, Any]] = []
        for term in terms:
            values = [plain_number(x) for x in term]
            product = functools.reduce(lambda a, b: a * b, values)
            total = product if total is None else total + product
            links += [(x.place, self._slope("mul", k, None, values)) for k, x in enumerate(term) if _recorded(x)]
        if total is None:
            return self.numbers.number(0)
        return self.record(total, links) if links else total

    def backward(self, root: Any) -> list[Any]:
        """What reaches each entry from the root: ∂root/∂entry."""
        bars: list[Any] = [0] * len(self.links)
        if not isinstance(root, Recorded):
            return bars
        bars[root.place] = self.numbers.number(1)
        for place in range(root.place, -1, -1):
            bar = bars[place]
            if isinstance(bar, int):  # nothing reached it
                continue
            for operand, slope in self.links[place]:
                bars[operand] = bars[operand] + bar * slope
        return bars


def _recorded(x: Any) -> bool:
    return isinstance(x, Recorded)
