"""What an operation counts: the one definition, for programs, for formulas and for the tape of `compare`.

In: an operation by its name in the loop language, and the dtype that it computes in.  Out: its `Operations`.

Counted is arithmetic of reals, that of float32 and of float64 alike:

- a sum, a difference, a product, a quotient, a square root, a maximum, a minimum, a comparison, a choice (`select`), a
  sign, a rounding to a whole number and a remainder one each; a fused multiply-add two, a reciprocal square root two;
- a function (`op_types.MATH`: exp, log, tanh, sigmoid, digamma, a general power, …) one call each, counted apart, as
  what it takes differs from machine to machine and from library to library.

Nothing counts what computes no number or decides nothing: loads, stores and copies, changes of dtype, a negation and an
absolute value, which set one bit.  Nor do whole numbers and truth values, of which indices are made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symnet.dtypes import REAL
from symnet.loops.ir import ARITHMETIC, COMPARISON, LOGICAL, Op
from symnet.loops.op_types import MATH

_UNCOUNTED = ("neg", "abs", "cast")


@dataclass(frozen=True, slots=True)
class Operations:
    """Numbers of operations, or polynomials in the extents.

    Attributes:
        arithmetic: sums, products, quotients, roots, comparisons and choices.
        transcendental: calls of functions, each of which counts one.
        multiply_adds: products that are added to a sum at once, each of which is two of the arithmetic: of a program
            all that are so, of a formula and of the tape those in contractions.  They take no part in comparisons.
    """

    arithmetic: Any = 0
    transcendental: Any = 0
    multiply_adds: Any = field(default=0, compare=False, repr=False)

    @property
    def total(self) -> Any:
        """Both together."""
        return self.arithmetic + self.transcendental

    def __add__(self, other: Operations) -> Operations:
        return Operations(
            self.arithmetic + other.arithmetic,
            self.transcendental + other.transcendental,
            self.multiply_adds + other.multiply_adds,
        )

    @property
    def kinds(self) -> tuple[Any, Any, Any]:
        """The three numbers, in order."""
        return self.arithmetic, self.transcendental, self.multiply_adds

    def __mul__(self, times: Any) -> Operations:
        return Operations(*(kind * times for kind in self.kinds))


NOTHING, ONE, CALL, MULTIPLY_ADD = Operations(), Operations(1, 0), Operations(0, 1), Operations(2, 0, 1)

WEIGHTS: dict[str, Operations] = {
    **dict.fromkeys((*ARITHMETIC, *COMPARISON, "select"), ONE),
    "fma": MULTIPLY_ADD,
    "rsqrt": ONE * 2,
    **dict.fromkeys((*_UNCOUNTED, *LOGICAL), NOTHING),
    **dict.fromkeys(MATH, CALL),
}


def weight(name: str, dtype: str) -> Operations:
    """What an operation on numbers of a dtype counts.

    Example:
        >>> weight("fma", "float32")
        Operations(arithmetic=2, transcendental=0)
        >>> weight("exp", "float64").transcendental, weight("add", "int64").total
        (1, 0)
    """
    return WEIGHTS[name] if dtype in REAL else NOTHING


def weight_of(op: Op) -> Operations:
    """What an operation of a program counts, without its operands."""
    return weight(op.name, op.args[-1].dtype)
