"""Powers of 1 + x whose exponent is divided by what vanishes with x: a pass of the numeric form.

In: powers (1 + a·x)^(-1/a), (1 + a·x)^(-1 - 1/a), as of the generalized Pareto and extreme value distributions.
Out: near 1 the exponential of the exponent times log1p: the digits of a·x, which 1 + a·x has not, are kept, and the
limit exp(-x) is found at a = 0 (`removable.py`), where 1^∞ is 1 as it is written.  Numbers in the exponent are powers
of their own: all of a derivative has one exponential.
Not handled: divisors that are no factor of x.
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of, where
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.coefficients import beside_one, sum_of_all
from symnet.simplify.forms.factors import Factors, split_power
from symnet.simplify.forms.signs import is_negative, is_positive
from symnet.simplify.rewrite import FINITE, GraphRewrite
from symnet.simplify.trace import Step

NEAR_ONE = 0.5  # beyond, 1 + x keeps all digits but one of x


def powers_by_log1p_near_one(roots: Iterable[Node], trace: list[Step] | None = None) -> list[Node]:
    """(1 + a·x)^(c - 1/a) → (1 + a·x)^c·where(|a·x| < 1/2, exp(-log1p(a·x)/a), (1 + a·x)^(-1/a))."""
    roots = list(roots)
    new: dict[Node, Node] = {}
    for node in topological(*roots):
        same = with_operands(node, [new[o] for o in node.operands])
        power = _by_log1p(same) if is_op(same, "pow") else None
        if power is not None and trace is not None:
            trace.append(Step(POWERS_NEAR_ONE, same, power, same, power))
        new[node] = same if power is None else power
    return [new[root] for root in roots]


def _by_log1p(power: Node) -> Node | None:
    base, exponent = split_power(power)
    rest = beside_one(base)
    if rest is None or not isinstance(exponent, Node):
        return None
    factors = {core for (core, _), e in Factors.view(rest).powers.items() if not isinstance(e, Node) and is_positive(e)}
    terms = operands_of("add", exponent)
    divided = [t for t in terms if number_of(t) is None]
    if not any(is_negative(e) and core in factors for t in divided for (core, _), e in Factors.view(t).powers.items()):
        return None
    x = broadcast_to(rest, base.shape)
    large = broadcast_to(sum_of_all(divided), exponent.shape)
    near = elementwise("exp", elementwise("mul", large, elementwise("log1p", x)))
    close = elementwise("lt", elementwise("abs", x), number(NEAR_ONE))
    chosen = where(close, near, elementwise("pow", base, large))
    numbers = [elementwise("pow", base, t) for t in terms if number_of(t) is not None]
    return broadcast_to(elementwise("mul", *numbers, chosen) if numbers else chosen, power.shape)


POWERS_NEAR_ONE = GraphRewrite(powers_by_log1p_near_one, needs=(FINITE,), domain="equal", role="stable")
