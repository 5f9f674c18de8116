"""Scalar primitives: what every floor must know of one, in a record.

In: nothing.  Out: `PRIMITIVES`, by name.  Those that are no plain function of one variable stand here; the others are
entered where users find them, by `unary` in `elementwise.py`: the floors above read their traits, so that what is said
of a new function is said once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symnet.expr.nodes.node import static_name
from symnet.expr.nodes.result_dtypes import CASTS


@dataclass(frozen=True)
class Primitive:
    """A scalar function.

    Attributes:
        name: the same on every floor.
        arity: how many operands; None for `fewest` or more.
        result: the dtype of its result: a rule of `RESULT` of `result_dtypes.py`.
        condition: the first operand must be bool.
        numpy: NumPy's name of the same function; "" where NumPy has none.
        sympy: the same function of SymPy's numbers and scalars, by which it is evaluated exactly and leaves for SymPy.
        read: SymPy's class that comes in as this primitive; by default `sympy`, where that is a class.
        parity: "odd" where f(-x) = -f(x), "even" where f(-x) = f(x).
        facts: what holds of every value (`expr/facts/assumptions.py`).
        keeps_sign: whether f(x) has the sign of x.
        steep: whether a value or a slope may be infinite where x is finite (`diff/clipping.py`).
        bounded: whether every value is finite, also at ±∞.
        short: whether the value at a number never has more digits than the number, however large that is.
    """

    name: str
    arity: int | None
    result: str
    condition: bool = False
    fewest: int = 2
    numpy: str = ""
    sympy: Callable[..., Any] | None = None
    read: type | None = None
    parity: str = ""
    facts: tuple[str, ...] = ()
    keeps_sign: bool = False
    steep: bool = False
    bounded: bool = False
    short: bool = False


PRIMITIVES: dict[str, Primitive] = {}
NAMES: dict[str, Any] = {}  # the names as arguments of nodes


def enter(primitive: Primitive) -> Primitive:
    """Put a primitive into the table."""
    PRIMITIVES[primitive.name] = primitive
    if primitive.name != "function":  # which has the function itself in the name's place
        NAMES[primitive.name] = static_name(primitive.name)
    return primitive


def functions() -> list[Primitive]:
    """The plain functions of one variable."""
    return [p for p in PRIMITIVES.values() if p.arity == 1 and p.sympy is not None]


for _primitive in (
    Primitive("add", None, "arithmetic"),
    Primitive("mul", None, "arithmetic"),
    Primitive("pow", 2, "power"),
    Primitive("maximum", 2, "same"),
    Primitive("minimum", 2, "same"),
    Primitive("mod", 2, "arithmetic"),
    Primitive("floor_divide", 2, "arithmetic"),
    Primitive("xlogy", 2, "real"),
    Primitive("atan2", 2, "real"),
    Primitive("function", None, "real", fewest=1),  # any other function of SymPy's: expr/sympy/functions.py
    *(Primitive(_name, 2, "bool") for _name in ("lt", "le", "gt", "ge", "eq", "ne")),
    Primitive("and", 2, "bool", condition=True),
    Primitive("or", 2, "bool", condition=True),
    Primitive("not", 1, "bool", condition=True),
    Primitive("where", 3, "branch", condition=True),
    Primitive("indicator", 1, "weak", condition=True),
    *(Primitive(_name, 1, _name) for _name in CASTS),  # put in where integers meet another dtype, and never printed
):
    enter(_primitive)
