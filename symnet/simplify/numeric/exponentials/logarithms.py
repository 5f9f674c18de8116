"""What the logarithm of a node is, where that is known: exponentials and logistic functions, wherever they stand.

In: nodes in the algebra form.  Out: u with x = exp(u), for x an exponential or a logistic function, a product, power,
choice, extreme or sum of these, or any of them moved: transposed, reshaped, sliced, taken, joined, repeated.
Not handled: zeros laid around (their logarithm is -∞), a graph deeper than `DEEPEST`.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.contraction import sum as sum_over
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.recurrence import CumulativeProduct
from symnet.expr.nodes.reduction import reduce
from symnet.simplify.algebra.exponentials import complemented_logistic
from symnet.simplify.algebra.hoisting import is_rearranged
from symnet.simplify.algebra.log_selections import sums_so_far
from symnet.simplify.forms.broadcast import without_repetition
from symnet.simplify.forms.coefficients import negated
from symnet.simplify.forms.exponential_numbers import log_of_number
from symnet.simplify.forms.factors import split_power

DEEPEST = 6
Log = Callable[[Node, int], "Node | None"]


def logarithm_of(x: Node, deepest: int = DEEPEST) -> Node | None:
    """u of x = exp(u), of x's shape."""
    if deepest <= 0:
        return None
    if is_rearranged(x):
        inner = logarithm_of(x.operands[0], deepest - 1)
        return None if inner is None else with_operands(x, [inner, *x.operands[1:]])
    if isinstance(x, Einsum):
        return _of_sum(x, deepest - 1)
    rule = _RULES.get(x.op if x.kind in ("elementwise", "reduce") else x.kind)
    return None if rule is None else rule(x, deepest - 1)


def _of_all(x: Node, operands: tuple[Node, ...], deepest: int) -> list[Node] | None:
    logs = []
    for each in operands:
        value = number_of(without_repetition(each))
        log = logarithm_of(each, deepest) if value is None else _of_number(value)
        if log is None:
            return None
        logs.append(log)
    return logs if any(number_of(without_repetition(o)) is None for o in operands) else None


def _of_number(value: sympy.Expr) -> Node | None:
    if value == 0:
        return number(-sympy.oo)
    return number(log_of_number(value)) if value.is_positive and value.is_finite else None


def _of_product(x: Node, deepest: int) -> Node | None:
    logs = _of_all(x, x.operands, deepest)
    return None if logs is None else broadcast_to(elementwise("add", *logs), x.shape)


def _of_power(x: Node, deepest: int) -> Node | None:
    base, exponent = split_power(x)
    log = None if isinstance(exponent, Node) else logarithm_of(base, deepest)
    return None if log is None else broadcast_to(elementwise("mul", number(exponent), log), x.shape)


def _of_each(x: Node, deepest: int) -> Node | None:
    logs = _of_all(x, x.operands, deepest)
    return (
        None
        if logs is None
        else with_operands(x, [broadcast_to(log, o.shape) for log, o in zip(logs, x.operands, strict=True)])
    )


def _of_choice(x: Node, deepest: int) -> Node | None:
    logs = _of_all(x, x.operands[1:], deepest)
    return None if logs is None else with_operands(x, [x.operands[0], *logs])


def _of_difference(x: Node, deepest: int) -> Node | None:
    logistic = complemented_logistic(x)
    return None if logistic is None else elementwise("mul", -1, elementwise("softplus", logistic.operands[0]))


def _of_reduction(x: Node, deepest: int) -> Node | None:
    if x.op not in ("max", "min", "prod"):
        return None
    log = logarithm_of(x.operands[0], deepest)
    if log is None:
        return None
    return sum_over(log, x.axes) if x.op == "prod" else with_operands(x, [log])


def _of_products_so_far(x: CumulativeProduct, deepest: int) -> Node | None:
    log = logarithm_of(x.operands[0], deepest)
    return None if log is None else sums_so_far(broadcast_to(log, x.shape), x)


def _of_sum(x: Einsum, deepest: int) -> Node | None:
    """log Σ exp(u): a log-sum-exp."""
    log = logarithm_of(x.operands[0], deepest) if x.is_sum else None
    return None if log is None else reduce("logsumexp", log, summed_axes(x))


def summed_axes(total: Einsum) -> tuple[int, ...]:
    """The axes that a sum adds up."""
    kept = set(total.output)
    return tuple(a for a, i in enumerate(total.inputs[0]) if i not in kept)


_RULES: dict[str, Log] = {
    "exp": lambda x, deepest: x.operands[0],
    "sigmoid": lambda x, deepest: elementwise("mul", -1, elementwise("softplus", negated(x.operands[0]))),
    "add": _of_difference,
    "mul": _of_product,
    "pow": _of_power,
    "maximum": _of_each,
    "minimum": _of_each,
    "where": _of_choice,
    "concat": _of_each,
    "max": _of_reduction,
    "min": _of_reduction,
    "prod": _of_reduction,
    "cumprod": _of_products_so_far,
}
