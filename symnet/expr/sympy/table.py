"""Which SymPy classes are primitives, or formulas of primitives: `BUILD`.

In: the nodes of a part's arguments.  Out: its node.
Conventions are SymPy's: acot x = atan(1/x), Mod takes the sign of the divisor, Heaviside(x, h) is h at 0.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import sympy
from sympy.codegen import cfunctions
from sympy.logic import boolalg

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import Number, number
from symnet.expr.nodes.elementwise import elementwise, equal, indicator, negative, power, reciprocal, sqrt, where
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import functions
from symnet.expr.sympy.functions import applied, function_node

# SymPy class → primitive, for functions with the same meaning.
_SAME = {p.read: p.name for p in functions() if p.read is not None}
_PAIRS = {sympy.atan2: "atan2", sympy.Mod: "mod"}
_RELATIONS = {
    sympy.StrictLessThan: "lt", sympy.LessThan: "le", sympy.StrictGreaterThan: "gt", sympy.GreaterThan: "ge",
    sympy.Equality: "eq", sympy.Unequality: "ne",
}  # fmt: skip
_RECIPROCALS = {
    sympy.sec: "cos", sympy.csc: "sin", sympy.cot: "tan", sympy.sech: "cosh", sympy.csch: "sinh", sympy.coth: "tanh",
}  # fmt: skip
_OF_RECIPROCALS = {
    sympy.asec: "acos", sympy.acsc: "asin", sympy.asech: "acosh", sympy.acsch: "asinh", sympy.acoth: "atanh",
}  # fmt: skip


def _fold(op: str) -> Callable[..., Node]:
    def build(*args: Node) -> Node:
        args = tuple(sorted(args, key=_is_number))  # Max(x, 0), which SymPy sorts, is relu x
        result = args[0]
        for arg in args[1:]:
            result = elementwise(op, result, arg)
        return result

    return build


def _is_number(x: Node) -> bool:
    return isinstance(x, Number)


def _many(op: str) -> Callable[..., Node]:
    return lambda *args: elementwise(op, *args) if len(args) > 1 else args[0]


def _piecewise(*pairs: Any) -> Node:
    result: Node = number(sympy.nan)
    for value, condition in reversed(pairs):
        result = value if condition is True else where(condition, value, result)
    return result


def _not(a: Node) -> Node:
    return elementwise("not", a)


def _exclusive(a: Node, b: Node) -> Node:
    """Where one of two conditions holds, and not both."""
    return elementwise("and", elementwise("or", a, b), _not(elementwise("and", a, b)))


def _odd(*conditions: Node) -> Node:
    """SymPy's Xor: where an odd number of the conditions holds."""
    return functools.reduce(_exclusive, conditions)


def _all_alike(first: Node, *others: Node) -> Node:
    """SymPy's Equivalent: where all of the conditions hold, or none."""
    alike = [_not(_exclusive(first, other)) for other in others]
    return functools.reduce(_fold("and"), alike)


def _choice(condition: Node, a: Node, b: Node) -> Node:
    """SymPy's ITE: a where the condition holds, b elsewhere, of conditions."""
    return elementwise("or", elementwise("and", condition, a), elementwise("and", _not(condition), b))


def _heaviside(x: Node, at_zero: Node) -> Node:
    """0, then `at_zero`, then 1; its derivative is zero wherever it has one."""
    if at_zero in (number(0), number(1)):
        return indicator(elementwise("ge" if at_zero == number(1) else "gt", x, 0))
    return indicator(elementwise("gt", x, 0)) + at_zero * indicator(equal(x, 0))


def _floor_of(x: Node) -> Node:
    return elementwise("floor", x)


def _arc_cotangent(x: Node) -> Node:
    """atan(1/x), π/2 at 0, with its derivative there: the angle of (|x|, 1), of x's sign."""
    side = where(elementwise("ge", x, 0), 1, -1)
    return elementwise("atan2", side, side * x)


def _sign_of_gamma(x: Node) -> Node:
    """Γ is positive for x > 0, and changes its sign at 0, -1, -2, …"""
    if known(x, "positive"):
        return number(1)
    return where(elementwise("gt", x, 0), 1, 1 - 2 * elementwise("mod", _floor_of(x), number(2)))


def _beta(a: Node, b: Node) -> Node:
    """Γ(a)·Γ(b)/Γ(a + b), by logarithms: the parts overflow where the whole does not."""
    signs = [s for s in map(_sign_of_gamma, (a, b, a + b)) if not isinstance(s, Number)]
    size = elementwise("exp", _log_gamma(a) + _log_gamma(b) - _log_gamma(a + b))
    return elementwise("mul", *signs, size) if signs else size


def _log_gamma(x: Node) -> Node:
    return elementwise("loggamma", x)


def _binomial(n: Node, k: Node) -> Node:
    """Γ(n + 1)/(Γ(k + 1)·Γ(n - k + 1)) = 1/((n + 1)·B(n - k + 1, k + 1))."""
    return reciprocal((n + 1) * _beta(n - k + 1, k + 1))


def polygamma(n: Node, x: Node) -> Node:
    """ψ⁽ⁿ⁾(x), which is a function of its own for every n; ψ itself is a primitive."""
    if n is number(0):
        return elementwise("digamma", x)
    application, kept = applied(sympy.polygamma, [n, x])
    return function_node(application, None, kept)


BUILD: dict[type, Callable[..., Any]] = {
    sympy.Add: _many("add"),
    sympy.Mul: _many("mul"),
    sympy.Pow: lambda base, exponent: elementwise("pow", base, exponent),
    sympy.Max: _fold("maximum"),
    sympy.Min: _fold("minimum"),
    sympy.And: _fold("and"),
    sympy.Or: _fold("or"),
    sympy.Not: _not,
    sympy.Xor: _odd,
    sympy.Nand: lambda *args: _not(_fold("and")(*args)),
    sympy.Nor: lambda *args: _not(_fold("or")(*args)),
    boolalg.Xnor: lambda *args: _not(_odd(*args)),
    sympy.Implies: lambda a, b: elementwise("or", _not(a), b),
    sympy.Equivalent: _all_alike,
    sympy.ITE: _choice,
    sympy.Heaviside: _heaviside,
    sympy.functions.elementary.piecewise.ExprCondPair: lambda value, condition: (value, condition),
    sympy.Piecewise: _piecewise,
    **{cls: (lambda x, op=op: elementwise(op, x)) for cls, op in _SAME.items()},
    **{cls: (lambda a, b, op=op: elementwise(op, a, b)) for cls, op in (_RELATIONS | _PAIRS).items()},
    **{cls: (lambda x, op=op: reciprocal(elementwise(op, x))) for cls, op in _RECIPROCALS.items()},
    **{cls: (lambda x, op=op: elementwise(op, reciprocal(x))) for cls, op in _OF_RECIPROCALS.items()},
    sympy.acot: _arc_cotangent,
    sympy.ceiling: lambda x: negative(_floor_of(negative(x))),
    sympy.frac: lambda x: x - _floor_of(x),
    sympy.erf2: lambda a, b: elementwise("erf", b) - elementwise("erf", a),
    sympy.factorial: lambda x: elementwise("gamma", x + 1),
    sympy.beta: _beta,
    sympy.binomial: _binomial,
    sympy.polygamma: polygamma,
    sympy.re: lambda x: x,
    sympy.conjugate: lambda x: x,
    cfunctions.exp2: lambda x: power(2, x),
    cfunctions.log2: lambda x: elementwise("log", x) * number(1 / sympy.log(2)),
    cfunctions.log10: lambda x: elementwise("log", x) * number(1 / sympy.log(10)),
    cfunctions.Sqrt: sqrt,
    cfunctions.hypot: lambda a, b: sqrt(power(a, 2) + power(b, 2)),
    cfunctions.fma: lambda a, b, c: a * b + c,
}


def remedy(part: Any) -> str:
    """What to write in the place of a part that has no meaning here."""
    if isinstance(part, sympy.Contains):
        return "Write membership as relations, as in S.as_relational(x)."
    if isinstance(part, boolalg.Boolean):
        return "Conditions are relations, x > 0, and And, Or, Not, Xor, Nand, Nor, Implies, Equivalent, ITE of them."
    return "Rewrite that part, as in expr.rewrite(sympy.exp), or evaluate it with .doit()."
