"""Derivatives of SymPy functions that are no primitive: what their `fdiff` says.

In: a node that applies such a function, and the position of an operand.  Out: ∂y/∂xₖ as a node.
Where `fdiff` answers through the function itself, as self·(1 - self), the node is used again, not computed twice.
Not handled: a class without `fdiff` for the argument and without a body: an error, never zero.
"""

from __future__ import annotations

from typing import Any

from symnet.diff.rules import Maybe
from symnet.errors import ArgumentError, MissingRuleError, explain
from symnet.expr.nodes.elementwise import Elementwise
from symnet.expr.sympy.functions import derivative_of, function_of
from symnet.expr.sympy.scalars import from_scalar, is_evaluated
from symnet.expr.sympy.whole import formula_of, slope_of_whole


def function_slope(node: Elementwise, k: int) -> Maybe:
    """∂y/∂xₖ from SymPy's derivative; None when that is zero.

    Raises:
        MissingRuleError: SymPy has none, or one that has no meaning here.
    """
    function = function_of(node)
    assert function is not None, node
    if formula_of(node) is not None:
        return slope_of_whole(node)
    found = derivative_of(function.application, function.variables[k])
    given: dict[Any, Any] = {} if function.body is None else {function.application.func: function.body}
    places = dict(zip(function.variables, node.operands, strict=True))
    if not is_evaluated(found):
        raise _missing(function, k, f"{found}")
    others = sorted(map(str, found.free_symbols - set(function.variables)))
    if others:
        raise _missing(function, k, f"{found}, where {', '.join(others)} is no argument")
    if found.is_zero:
        return None
    try:
        return from_scalar(found, {**given, **places, function.application: node})
    except ArgumentError as error:
        raise _missing(function, k, str(error)) from error


def _missing(function: Any, k: int, got: str) -> MissingRuleError:
    argument = function.application.args.index(function.variables[k]) + 1
    expected = f"{function.title}.fdiff({argument}), its derivative by argument {argument}"
    mend = "Define fdiff(self, argindex=1) in the class, or give a sympy.Lambda in its place."
    return MissingRuleError(explain(f"differentiating {function.shown}", expected, got, mend))
