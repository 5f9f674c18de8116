"""The value of SymPy functions that are no primitive: SymPy's own, one element after the other.

In: the function, arrays that broadcast.  Out: the array; NaN where SymPy's value is not real.
Order: the body that was given, a numeric implementation (`implemented_function`), SymPy's `evalf`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from symnet.arrays import Array
from symnet.errors import MissingRuleError, explain
from symnet.expr.sympy.functions import ScalarFunction

DIGITS = 20  # of evalf, which is more than float64 holds


def function_value(function: ScalarFunction, *xs: Array) -> Array:
    """The function of every element."""
    broadcast = np.broadcast_arrays(*xs)
    return np.asarray(np.frompyfunc(_element(function), len(xs), 1)(*broadcast)).astype(broadcast[0].dtype)


def _spherical_by_parity(n: Any, x: Any) -> Any:
    """jₙ(-x) = (-1)ⁿ·jₙ(x): SymPy's evalf forgets the sign."""
    return sympy.sign(x) ** n * sympy.jn(n, sympy.Abs(x))


def _element(function: ScalarFunction) -> Any:
    application = function.application
    expr = application if function.body is None else function.body(*application.args)
    expr = expr.replace(sympy.jn, _spherical_by_parity)
    implementation = getattr(application, "_imp_", None) if function.body is None else None

    def value(*xs: Any) -> float:
        if not all(np.isfinite(xs)):
            return float("nan")
        place = dict(zip(function.variables, (sympy.Float(float(x), DIGITS) for x in xs), strict=True))
        if implementation is not None:
            return float(implementation(*(float(place.get(a, a)) for a in application.args)))
        try:
            found = expr.xreplace(place).evalf(DIGITS)
        except ValueError:  # SymPy refuses arguments outside the domain
            return float("nan")
        if found.is_Number:
            return float(found)
        if found.has(sympy.I, sympy.zoo, sympy.nan):
            return float("nan")
        mend = "Give a body, sn.apply(f, x, body=lambda x: …), or define _eval_evalf in the class."
        got = f"{found}, which SymPy does not evaluate"
        raise MissingRuleError(explain(f"evaluating {function.shown}", "a number", got, mend))

    return value
