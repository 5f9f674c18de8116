"""Rewrites of elementwise functions, and of broadcasting in any elementwise node.

In: an elementwise node other than a sum or product, its operands in normal form.  Out: a shorter or canonical node.
The tables say which functions are odd or even, fold numbers, and act as the identity under an assumption.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import Number, number, number_of
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import functions
from symnet.expr.nodes.result_dtypes import CASTS, COUNTED
from symnet.simplify.forms.broadcast import align, cover, restrict, spread
from symnet.simplify.forms.coefficients import complement, is_beyond_float64, opposite_argument
from symnet.simplify.forms.order import product_key
from symnet.simplify.rewrite import Rewrite

ODD = tuple(p.name for p in functions() if p.parity == "odd")
EVEN = tuple(p.name for p in functions() if p.parity == "even")
_SPELLED_OUT = ("log1p", "expm1")  # by exponentials.py

_EXACT: dict[str, Callable[..., Expr]] = {
    **{p.name: p.sympy for p in functions() if p.sympy and p.name not in _SPELLED_OUT},
    "atan2": sympy.atan2, "maximum": sympy.Max, "minimum": sympy.Min, **dict.fromkeys(CASTS, lambda x: x),
}  # fmt: skip


_SHORT = ("maximum", "minimum", *CASTS, *(p.name for p in functions() if p.short))
_FACTORIALS = ("gamma", "loggamma", "digamma")
LARGEST_FACTORIAL = 24  # 23! has 23 digits: about as many as are worth reading


def evaluate_at_number(node: Node) -> Node | None:
    """exp(0) → 1: exact, by SymPy.  Condition: the operands are numbers, and the value is real, finite and not long.

    Γ(10⁷) has 65 million digits, and ψ(10⁷) is a fraction of as many: beyond `LARGEST_FACTORIAL` they are computed.
    exp(exp(1000)) has more digits than can be written, and so has what any function but a slow one makes of exp(1000).
    """
    values = [v for v in map(number_of, node.operands) if v is not None]
    if node.op not in _EXACT or len(values) < len(node.operands):
        return None
    if node.op not in _SHORT and any(v.is_finite and is_beyond_float64(v) for v in values):
        return None
    if node.op in _FACTORIALS and not abs(values[0]) <= LARGEST_FACTORIAL:
        return None
    value = _EXACT[node.op](*values)
    return number(value) if value.is_real and value.is_finite else None


def repeat_after_computing(node: Node) -> Node | None:
    """f(expand(x), expand(y)) → expand(f(x, y)), and an implied repetition is dropped.  Always: fewer elements."""
    if not any(o.kind == "expand" or o.kind == "elementwise" or 1 in o.shape for o in node.operands):
        return None
    cores = [align(o, node.shape) for o in node.operands]
    live = tuple(sorted(set().union(*(axes for _, axes in cores))))
    shape = tuple(node.shape[a] for a in live)
    inner = [spread(core, restrict(axes, live), shape) for core, axes in cores]
    if len(live) == node.rank:
        return with_operands(node, inner)
    return cover(broadcast_to(with_operands(node, inner), shape), live, node.shape)


# --------------------------------------------------------------------------- parity and assumptions


def take_sign_out_of_odd_function(node: Node) -> Node | None:
    """tanh(-x) → -tanh(x).  Condition: the function is odd; x is real (minus the smallest integer is itself)."""
    flipped = None if node.dtype in COUNTED else opposite_argument(node.operands[0])
    return None if flipped is None else elementwise("mul", -1, with_operands(node, [flipped]))


def drop_sign_in_even_function(node: Node) -> Node | None:
    """|-x| → |x|.  Condition: the function is even."""
    flipped = opposite_argument(node.operands[0])
    return None if flipped is None else with_operands(node, [flipped])


def complement_sigmoid_of_negative(node: Node) -> Node | None:
    """σ(-x) → 1 - σ(x): what people read.  Always (the numeric form goes back)."""
    flipped = opposite_argument(node.operands[0])
    return None if flipped is None else complement(elementwise("sigmoid", flipped))


def drop_abs_of_nonnegative(node: Node) -> Node | None:
    """|x| → x.  Condition: x is not negative."""
    return node.operands[0] if known(node.operands[0], "nonnegative") else None


def sign_of_positive_is_one(node: Node) -> Node | None:
    """sign(x) → 1.  Condition: x is positive."""
    return cover(number(1), (), node.shape) if known(node.operands[0], "positive") else None


def floor_of_integer_is_itself(node: Node) -> Node | None:
    """floor(x) → x.  Condition: x holds whole numbers."""
    return node.operands[0] if known(node.operands[0], "integer") else None


def drop_clipping_at_zero(node: Node) -> Node | None:
    """max(x, 0) → x.  Condition: x is not negative."""
    x, bound = node.operands
    if number_of(x) == 0:
        x, bound = bound, x
    return broadcast_to(x, node.shape) if number_of(bound) == 0 and known(x, "nonnegative") else None


def cube_of_cube_root(node: Node) -> Node | None:
    """cbrt(x)³ → x.  Always."""
    base, exponent = node.operands
    return base.operands[0] if is_op(base, "cbrt") and number_of(exponent) == 3 else None


# --------------------------------------------------------------------------- comparisons

_MIRROR = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}


def compare_with_number_on_the_right(node: Node) -> Node | None:
    """0 < x → x > 0; y > x → x < y by the order of operands.  Always."""
    a, b = node.operands
    numbers = isinstance(a, Number), isinstance(b, Number)
    swap = numbers[0] if any(numbers) else product_key(b) < product_key(a)
    return elementwise(_MIRROR[node.op], b, a) if swap and numbers != (True, True) else None


def drop_double_negation(node: Node) -> Node | None:
    """not(not c) → c.  Always."""
    inner = node.operands[0]
    return inner.operands[0] if is_op(inner, "not") else None


_INVERSES = {
    "atanh": "tanh", "tanh": "atanh", "asinh": "sinh", "sinh": "asinh", "cosh": "acosh",
    "sin": "asin", "cos": "acos", "tan": "atan",
}  # fmt: skip


def function_of_its_inverse(node: Node) -> Node | None:
    """atanh(tanh(x)) → x, sinh(asinh(x)) → x, sin(asin(x)) → x, and so on; acosh(cosh(x)) → |x|.

    Always (extends the domain of tanh(atanh(x)) to x > 1): tanh(20) is 1 when it is rounded.
    """
    (inner,) = node.operands
    if is_op(node, "acosh") and is_op(inner, "cosh"):
        return elementwise("abs", *inner.operands)
    return inner.operands[0] if is_op(inner, _INVERSES.get(str(node.args[0]), "")) else None


FUNCTION_REWRITES = (
    Rewrite(repeat_after_computing, (
            *(p.name for p in functions()), "function", "atan2", "maximum", "minimum", "xlogy", "where", "indicator",
            "lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "mod", "floor_divide", *CASTS,
        ), domain="equal", role="spelling"),
    Rewrite(evaluate_at_number, tuple(_EXACT), domain="equal", role="shorter"),
    Rewrite(take_sign_out_of_odd_function, ODD, domain="equal", role="spelling"),
    Rewrite(drop_sign_in_even_function, EVEN, domain="equal", role="shorter"),
    Rewrite(complement_sigmoid_of_negative, ("sigmoid",), domain="equal", role="exposing"),
    Rewrite(drop_abs_of_nonnegative, ("abs",), needs=("nonnegative",), domain="equal", role="shorter"),
    Rewrite(sign_of_positive_is_one, ("sign",), needs=("positive", "finite"), domain="extends", role="shorter"),
    Rewrite(floor_of_integer_is_itself, ("floor",), needs=("integer",), domain="equal", role="shorter"),
    Rewrite(cube_of_cube_root, ("pow",), domain="equal", role="shorter"),
    Rewrite(function_of_its_inverse, ("acosh", *_INVERSES), domain="extends", role="shorter"),
    Rewrite(drop_clipping_at_zero, ("maximum",), needs=("nonnegative",), domain="equal", role="shorter"),
    Rewrite(compare_with_number_on_the_right, tuple(_MIRROR), domain="equal", role="spelling"),
    Rewrite(drop_double_negation, ("not",), domain="equal", role="shorter"),
)  # fmt: skip
