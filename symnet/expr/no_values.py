"""What asks an expression for a value: Python's numbers, formats and membership, each refused in words.

In: the name of what is asked.  Out: a method that raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from symnet.errors import ArgumentError, explain


def asked(call: str, expected: str = "a number") -> Callable[..., NoReturn]:
    """The method of that name: `float` refuses float(expression)."""

    def refuse(self: Any, *rest: Any) -> NoReturn:
        mend = "It has no value until it is compiled and called: sn.compile(expression)(x=…)."
        raise ArgumentError(explain(f"{call}({', '.join(map(repr, (self, *rest)))})", expected, "an expression", mend))

    return refuse
