"""Functions of √z that are analytic in z, kept whole: sin √z/√z, (1 - cos √z)/z, with derivatives that are such again.

In: a formula f(t), even in t and finite at t = 0, and the node of z = t².  Out: one node, a function of z, whose slope
f'(t)/(2t) is kept whole in the same way: what cancels at z = 0 in it never stands apart, whatever it is multiplied by.
It reads as the formula.  `simplify/numeric/singularities/whole_functions.py` says where they are made, and
`evaluated_wholes.py`, beside it, how they are computed.
Not handled: functions of two variables.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import mpmath
import sympy
from sympy import Expr, Lambda, Symbol

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.graph import rebuild, topological
from symnet.expr.nodes.node import Node
from symnet.expr.sympy.functions import function_node, function_of, variable
from symnet.expr.sympy.scalars import from_scalar

ROOT = Symbol("t", positive=True)  # √z in formulas
_SQUARE = Symbol("z", positive=True)
SPARE_BITS = 400  # for what cancels near 0


class Whole(sympy.Function):
    """f(√z) as a function of z; args are z and Lambda(t, f(t))."""

    nargs = 2

    @property
    def formula(self) -> Expr:
        """f(t)."""
        return self.args[1].expr

    @property
    def printed_name(self) -> str:
        return str(self.formula)

    def fdiff(self, argindex: int = 1) -> Expr:
        coefficient, formula = slope_of(self.formula)
        return coefficient * Whole(self.args[0], Lambda(ROOT, formula))

    def doit(self, **hints: Any) -> Expr:
        return self.formula.xreplace({ROOT: sympy.sqrt(self.args[0])})

    def _eval_evalf(self, prec: int) -> Expr | None:
        """The value, with as many digits more as cancel; that at 0 is the one beside it."""
        z = self.args[0]
        if not z.is_number:
            return None
        with mpmath.workprec(prec + SPARE_BITS):
            t = mpmath.sqrt(max(z._to_mpmath(prec + SPARE_BITS), mpmath.mpf(2) ** -(SPARE_BITS // 4)))
            digits = (prec + SPARE_BITS) * 3 // 10
            return self.formula.evalf(digits, subs={ROOT: sympy.Float(t, digits)}).n(prec * 3 // 10 + 1)


@lru_cache(maxsize=1024)
def slope_of(formula: Expr) -> tuple[Expr, Expr]:
    """The derivative of f(√z) by z, as a number times a formula in t."""
    slope = sympy.Add(*(term / (2 * ROOT) for term in sympy.Add.make_args(formula.diff(ROOT))))
    return slope.as_content_primitive() if slope.is_Add else slope.as_coeff_Mul()


def whole(formula: Expr, z: Node) -> Node:
    """f(√z) of a node z, kept whole."""
    return function_node(Whole(variable(0), Lambda(ROOT, formula)), None, [z])


def formula_of(node: Node) -> Expr | None:
    """f(t) of a node that is f(√z) kept whole; None for others."""
    function = function_of(node)
    return function.application.formula if function is not None and isinstance(function.application, Whole) else None


def slope_of_whole(node: Node) -> Node | None:
    """The derivative of a whole function by z; None where it is 0."""
    formula = formula_of(node)
    assert formula is not None, node
    coefficient, slope = slope_of(formula)
    if coefficient == 0:
        return None
    value = whole(slope, *node.operands) if slope.has(ROOT) else number(slope)
    return value if coefficient == 1 else elementwise("mul", number(coefficient), value)


def written_out(node: Node) -> Node:
    """A whole function as its formula; others as they are."""
    formula = formula_of(node)
    return node if formula is None else written_of(formula, *node.operands)


def written_of(formula: Expr, z: Node) -> Node:
    """f(√z) in primitives, powers of √z in front of what they divide."""
    return from_scalar(divisors_in_front(formula).xreplace({ROOT: sympy.sqrt(_SQUARE)}), {_SQUARE: z})


divisors_in_front = lru_cache(maxsize=1024)(sympy.factor_terms)


def all_written_out(root: Node) -> Node:
    """The graph with every whole function as its formula."""
    if all(formula_of(node) is None for node in topological(root)):
        return root
    return rebuild([root], written_out)[0]
