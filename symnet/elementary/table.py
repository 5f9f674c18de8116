"""The table of elementary functions, by the primitive's name.

In: nothing.  Out: `FUNCTIONS`, of real lanes, from the tuples at the end of this folder's files; `INTEGER_FUNCTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable

from symnet.elementary import (
    algebraic,
    complementary_error,
    cube_root,
    digamma_function,
    error_function,
    exponential,
    gamma_function,
    hyperbolic,
    inverse_hyperbolic,
    inverse_trigonometric,
    logarithm,
    power,
    remainder,
    trigonometric,
)
from symnet.elementary.integer_power import integer_power
from symnet.elementary.lanes import Value

_FILES = (
    algebraic, complementary_error, cube_root, digamma_function, error_function, exponential, gamma_function,
    hyperbolic, inverse_hyperbolic, inverse_trigonometric, logarithm, power, remainder, trigonometric,
)  # fmt: skip

FUNCTIONS: dict[str, Callable[..., Value]] = {
    function.__name__: function for file in _FILES for function in file.FUNCTIONS
}

INTEGER_FUNCTIONS: dict[str, Callable[..., Value]] = {"pow": integer_power}
"""The same of integers."""
