"""What an expression refuses in words: to be a value (a number, a format, a container), and Python's other operators.

In: the name of what is asked, or the sign of an operator.  Out: a method that raises.
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


_BITS = "Bits are not handled: i << n is i * 2**n."
_REMEDY = {
    "<<": _BITS,
    ">>": _BITS,
}


def lacking(sign: str) -> tuple[Callable[..., NoReturn], Callable[..., NoReturn]]:
    """The methods of an operator of Python's that expressions have not, for an expression on its left and right."""

    def refuse(left: Any, right: Any) -> NoReturn:
        call = f"({left!r}) {sign} ({right!r})"
        expected = "one of the operators + - * / // % ** @ & | ^ ~ or a comparison"
        raise ArgumentError(explain(call, expected, f"{sign} of an expression", _REMEDY[sign]))

    return refuse, lambda self, other: refuse(other, self)
