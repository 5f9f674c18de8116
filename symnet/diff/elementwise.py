"""Derivative rules of the elementwise primitives.

`PARTIALS` holds ∂y/∂xₖ of each primitive as a function (y, *xs) -> node; where it is natural it reuses the output y:
σ(1-σ), 1-t², eˣ.  Addition, multiplication and `where` have rules of their own.
Conventions: maximum and minimum send a tie to the first operand; abs′(0) = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symnet import dtypes
from symnet.diff.clipping import clipped, kept
from symnet.diff.contraction import add_up, contract_and_expand, unbroadcast
from symnet.diff.rules import ZERO, Declared, GuardedRule, JvpRule, Maybe, find
from symnet.diff.support import Where, carried, chosen, inside, within
from symnet.diff.sympy_functions import function_slope
from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import (
    Elementwise,
    add,
    cos,
    cosh,
    digamma,
    divide,
    elementwise,
    equal,
    exp,
    floor_divide,
    greater,
    greater_equal,
    indicator,
    is_op,
    less,
    less_equal,
    log,
    negative,
    power,
    reciprocal,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    subtract,
    where,
    xlogy,
)
from symnet.expr.nodes.expansion import keep_axes
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.result_dtypes import CASTS, COUNTED
from symnet.expr.sympy.table import polygamma


def as_real_by_value(y: Node, x: Node) -> Maybe:
    """1, or nothing where the operand is an integer: no one differentiates by a count."""
    return None if x.dtype in COUNTED else number(1)


Partial = Callable[..., Maybe] | Declared
FILE = "symnet/diff/elementwise.py"


def pow_by_base(y: Node, base: Node, exponent: Node) -> Maybe:
    """∂(a^b)/∂a = b·a^(b-1); for a constant b it is written without log and without branches."""
    n = number_of(exponent)
    if n is None:
        return elementwise("mul", exponent, power(base, exponent + number(-1)))
    if n == 0:
        return None
    if n == 1:
        return number(1)
    return elementwise("mul", exponent, base if n == 2 else power(base, number(n - 1)))


def pow_by_exponent(y: Node, base: Node, exponent: Node) -> Maybe:
    """a^b·log a, and 0 where a^b = 0."""
    return elementwise("mul", y, log(base)) if known(base, "positive") else xlogy(y, base)


def xlogy_by_second(a: Node, b: Node) -> Node:
    """a/b, and 0 where a = 0, as the value is; b^(n-1) for a = b^n."""
    if is_op(a, "pow") and a.operands[0] is b:
        return power(b, a.operands[1] + number(-1))
    if known(b, "positive") or known(a, "nonzero") or a is b:
        return divide(a, b)
    return where(equal(a, 0), 0, divide(a, b))


def _bell(x: Node, factor: int) -> Node:
    """factor·e^(-x²)/√π."""
    return number(factor / sympy.sqrt(sympy.pi)) * exp(negative(power(x, 2)))


def _square_sum(a: Node, b: Node) -> Node:
    return power(a, 2) + power(b, 2)


def _slope_of_arcsine(x: Node) -> Node:
    return reciprocal(sqrt(1 - power(x, 2)))


PARTIALS: dict[str, tuple[Partial, ...]] = {
    "exp": (lambda y, x: y,),
    "log": (lambda y, x: reciprocal(x),),
    "log1p": (lambda y, x: reciprocal(1 + x),),
    "expm1": (lambda y, x: exp(x),),
    "tanh": (lambda y, x: subtract(1, power(y, 2)),),
    "sigmoid": (lambda y, x: y * (1 - y),),
    "softplus": (lambda y, x: sigmoid(x),),
    "sin": (lambda y, x: cos(x),),
    "cos": (lambda y, x: negative(sin(x)),),
    "tan": (lambda y, x: add(1, power(y, 2)),),
    "asin": (lambda y, x: _slope_of_arcsine(x),),
    "acos": (lambda y, x: negative(_slope_of_arcsine(x)),),
    "atan": (lambda y, x: reciprocal(1 + power(x, 2)),),
    "sinh": (lambda y, x: cosh(x),),
    "cosh": (lambda y, x: sinh(x),),
    "asinh": (lambda y, x: reciprocal(sqrt(1 + power(x, 2))),),
    "acosh": (lambda y, x: reciprocal(sqrt(power(x, 2) - 1)),),
    "atanh": (lambda y, x: reciprocal(1 - power(x, 2)),),
    "atan2": (lambda y, a, b: divide(b, _square_sum(a, b)), lambda y, a, b: negative(divide(a, _square_sum(a, b)))),
    "cbrt": (lambda y, x: reciprocal(3 * power(y, 2)),),
    "erf": (lambda y, x: _bell(x, 2),),
    "erfc": (lambda y, x: _bell(x, -2),),
    "gamma": (lambda y, x: y * digamma(x),),
    "loggamma": (lambda y, x: digamma(x),),
    "digamma": (lambda y, x: polygamma(number(1), x),),
    "abs": (lambda y, x: sign(x),),
    "sign": (ZERO,),
    "floor": (ZERO,),
    "floor_divide": (ZERO, ZERO),
    "maximum": (lambda y, a, b: indicator(greater_equal(a, b)), lambda y, a, b: indicator(less(a, b))),
    "minimum": (lambda y, a, b: indicator(less_equal(a, b)), lambda y, a, b: indicator(greater(a, b))),
    "pow": (pow_by_base, pow_by_exponent),
    "mod": (lambda y, a, b: number(1), lambda y, a, b: negative(floor_divide(a, b))),
    "xlogy": (lambda y, a, b: log(b), lambda y, a, b: xlogy_by_second(a, b)),
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne", "and", "or"), (ZERO,) * 2),
    "not": (ZERO,),
    **{name: (ZERO,) if dtype in dtypes.INTEGER else (as_real_by_value,) for name, dtype in CASTS.items()},
    "indicator": (ZERO,),
}


def times(*factors: Node) -> Node:
    """The product, without factors that are exactly the number 1."""
    kept = [f for f in factors if number_of(f) != 1] or [number(1)]
    return kept[0] if len(kept) == 1 else elementwise("mul", *kept)


def scale(y_bar: Node, support: Where, *factors: Node) -> Node:
    """y_bar times local derivatives, which may be infinite or NaN where y_bar is 0: where(c, g, 0)·f is
    where(c, g·f, 0).
    """
    return chosen(support, times(inside(support, y_bar), *factors))


def partial(node: Elementwise, k: int) -> Maybe:
    """∂y/∂xₖ as a node that broadcasts to y; None when zero."""
    if node.op == "function":
        return function_slope(node, k)
    entry = find(PARTIALS, node.op, node, "PARTIALS", FILE)[k]
    return None if entry is ZERO else entry(node, *node.operands)


# --------------------------------------------------------------------------- reverse


def partial_vjp(node: Elementwise, y_bar: Node, support: Where, k: int) -> Maybe:
    """x_bar = y_bar · ∂y/∂x."""
    slope = partial(node, k)
    return None if slope is None else scale(y_bar, support, slope)


def add_vjp(node: Elementwise, y_bar: Node, support: Where, k: int) -> Maybe:
    return y_bar


def mul_vjp(node: Elementwise, y_bar: Node, support: Where, k: int) -> Maybe:
    """y_bar times the other factors (n factors give n products of n: linear for the usual two or three)."""
    return scale(y_bar, support, *(x for j, x in enumerate(node.operands) if j != k))


def where_vjp(node: Elementwise, y_bar: Node, support: Where, k: int) -> Maybe:
    """y_bar in the branch taken, 0 in the other: a product with 0 would let NaN through."""
    if k == 0:
        return None
    return chosen(within(support, node.operands[0], node.shape, k == 1), inside(support, y_bar))


VJP: dict[str, GuardedRule] = {"add": add_vjp, "mul": mul_vjp, "where": where_vjp, "function": partial_vjp}


def slope(node: Elementwise, k: int) -> Maybe:
    """The local derivative ∂y/∂xₖ of any primitive, as a node that broadcasts to y; None when zero."""
    return VJP.get(node.op, partial_vjp)(node, number(1), None, k)


def elementwise_vjp(node: Elementwise, y_bar: Node, k: int) -> Maybe:
    """`elementwise_guarded` of a cotangent that may be anything anywhere."""
    return elementwise_guarded(node, y_bar, None, k)


def elementwise_guarded(node: Elementwise, y_bar: Node, support: Where, k: int) -> Maybe:
    """The primitive's rule, then the sum over the axes along which the operand was broadcast."""
    x_bar = VJP.get(node.op, partial_vjp)(node, y_bar, support, k)
    return None if x_bar is None else unbroadcast(x_bar, node.operands[k].shape)


def elementwise_support(node: Elementwise, support: Where, k: int) -> Where:
    """The support of the result, for one operand: of a branch of `where` the part in which it is taken.  An element
    that was repeated counts where any of its copies does.
    """
    if node.op == "where":
        support = within(support, node.operands[0], node.shape, k == 1)
    shape = node.operands[k].shape
    first = node.rank - len(shape)
    kept = (a for a, n in enumerate(shape) if n != 1 or node.shape[first + a] == 1)
    return carried(support, {first + a: a for a in kept}, shape)


# --------------------------------------------------------------------------- forward


def partial_jvp(node: Elementwise, x_dots: Sequence[Maybe]) -> Maybe:
    """Σₖ ∂y/∂xₖ · x_dotₖ."""
    terms = []
    for k, x_dot in enumerate(x_dots):
        slope = None if x_dot is None else partial(node, k)
        if x_dot is not None and slope is not None:
            terms.append(clipped(kept(node, k), x_dot, times(slope, x_dot)))
    return add_up(terms)


def add_jvp(node: Elementwise, x_dots: Sequence[Maybe]) -> Maybe:
    return add_up([x_dot for x_dot in x_dots if x_dot is not None])


def mul_jvp(node: Elementwise, x_dots: Sequence[Maybe]) -> Maybe:
    """The product rule: Σₖ of the product with x_dotₖ in the place of xₖ."""
    xs = node.operands
    moving = [(k, d) for k, d in enumerate(x_dots) if d is not None]
    return add_up([clipped(kept(node, k), d, elementwise("mul", *xs[:k], d, *xs[k + 1 :])) for k, d in moving])


def where_jvp(node: Elementwise, x_dots: Sequence[Maybe]) -> Maybe:
    _, a_dot, b_dot = x_dots
    if a_dot is None and b_dot is None:
        return None
    zero = number(0)
    return where(node.operands[0], zero if a_dot is None else a_dot, zero if b_dot is None else b_dot)


JVP: dict[str, JvpRule] = {"add": add_jvp, "mul": mul_jvp, "where": where_jvp, "function": partial_jvp}


def elementwise_jvp(node: Elementwise, x_dots: Sequence[Maybe]) -> Maybe:
    """The primitive's rule, broadcast to the result's shape."""
    y_dot = JVP.get(node.op, partial_jvp)(node, x_dots)
    return None if y_dot is None else broadcast_to(y_dot, node.shape)


# --------------------------------------------------------------------------- extra axes


def elementwise_batch(node: Elementwise, batched: Sequence[Maybe], batch: Shape) -> Node:
    """Operands aligned so that the extra axes come first; a product becomes a contraction, which stays compact."""
    if node.op == "mul":
        return mul_batch(node, batched, batch)
    aligned: list[Any] = list(node.operands)
    for k, x in enumerate(batched):
        if x is not None:
            missing = len(batch) + node.rank - x.rank
            aligned[k] = keep_axes(x, tuple(range(len(batch), len(batch) + missing)))
    return broadcast_to(node.func(node.args[0], *aligned), (*batch, *node.shape))


def mul_batch(node: Elementwise, batched: Sequence[Maybe], batch: Shape) -> Node:
    """The elementwise product as an einsum: out[batch, axes] = Π x[its axes]; scalars stay in front."""
    front = len(batch)
    output = range(front + node.rank)
    fresh = len(output)
    inputs: list[list[int]] = []
    factors: list[Node] = []
    scalars: list[Node] = []
    for x, b in zip(node.operands, batched, strict=True):
        if b is None and not x.rank:
            scalars.append(x)
            continue
        indices = [] if b is None else list(range(front))
        for axis, extent in enumerate(x.shape, start=front + node.rank - x.rank):
            stretched = extent == 1 and node.shape[axis - front] != 1
            indices.append(fresh if stretched else axis)
            fresh += stretched
        inputs.append(indices)
        factors.append(x if b is None else b)
    product = contract_and_expand(inputs, output, (*batch, *node.shape), factors)
    return elementwise("mul", *scalars, product) if scalars else product
