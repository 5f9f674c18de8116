"""First pass of the numeric form, continued: sums and logarithms of one function in which digits would cancel.

In: nodes in the algebra form.  Out: the same values by a function that has the difference for its own value.
Not handled: 1 - tanh² x, the slope of tanh by its value: it is right to an ulp of 1, and costs no exponential.
"""

from __future__ import annotations

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import elementwise, equal, is_op, where
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import trailing
from symnet.simplify.forms.coefficients import ONE, beside_one, product, split_coefficient, sum_of_all
from symnet.simplify.forms.factors import Factors, split_power
from symnet.simplify.forms.signs import is_positive
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite

# --------------------------------------------------------------------------- a number and one function


def _number_and_function(node: Node, *ops: str) -> tuple[Expr, Expr, Node] | None:
    """a, b and f(u) of a + b·f(u)."""
    if len(node.operands) != 2:
        return None
    (a, left), (b, right) = sorted(map(split_coefficient, node.operands), key=lambda term: len(term[1]))
    if left or len(right) != 1 or not is_op(right[0], *ops):
        return None
    return a, b, right[0]


def one_and_tanh_is_logistic(node: Node) -> Node | None:
    """1 + tanh(x) → 2·σ(2·x), 1 - tanh(x) → 2·σ(-2·x).  Always."""
    found = _number_and_function(node, "tanh")
    if found is None or abs(found[0]) != abs(found[1]):
        return None
    a, b, function = found
    argument = elementwise("mul", number(2 * b / a), function.operands[0])
    return elementwise("mul", number(2 * a), elementwise("sigmoid", argument))


def logistic_about_its_middle_is_tanh(node: Node) -> Node | None:
    """2·σ(x) - 1 → tanh(x/2), and 2·a·b·σ(x) - a·b + c → a·b·tanh(x/2) + c.  Always."""
    whole = {term: o for o in node.operands if (term := _by_factors(o)) is not None}
    for term, operand in whole.items():
        value, factors = term
        for logistic in (f for f in factors if is_op(f, "sigmoid")):
            weight = whole.get((-value / 2, factors - {logistic}))
            if weight is not None:
                half = elementwise("mul", number(sympy.S.Half), logistic.operands[0])
                rest = tuple(f for f in split_coefficient(operand)[1] if f is not logistic)
                new = product(value / 2, (*rest, elementwise("tanh", half)))
                others = [o for o in node.operands if o is not operand and o is not weight]
                return broadcast_to(sum_of_all([new, *others]), node.shape)
    return None


def _by_factors(term: Node) -> tuple[Expr, frozenset[Node]] | None:
    """The number and the factors of a term; None where a factor stands in it twice."""
    value, factors = split_coefficient(term)
    return (value, frozenset(factors)) if len(set(factors)) == len(factors) else None


# f: {sign: g}: 1 + sign·f(x) = ±2·g(x/2)²
_HALF_ANGLES = {"cosh": {1: ("cosh", 1), -1: ("sinh", -1)}, "cos": {1: ("cos", 1), -1: ("sin", 1)}}


def one_and_cosine_by_half_angle(node: Node) -> Node | None:
    """1 + cosh(x) → 2·cosh(x/2)², cosh(x) - 1 → 2·sinh(x/2)², 1 - cos(x) → 2·sin(x/2)².  Always."""
    found = _number_and_function(node, "cosh", "cos")
    if found is None or abs(found[0]) != abs(found[1]):
        return None
    a, b, function = found
    name, sign = _HALF_ANGLES[str(function.args[0])][1 if a == b else -1]
    half = elementwise(name, elementwise("mul", number(sympy.S.Half), function.operands[0]))
    return product(2 * a * sign, (elementwise("pow", half, 2),))


# --------------------------------------------------------------------------- logarithms


def log_of_hyperbolic_cosine(node: Node) -> Node | None:
    """log(c·cosh x) → log c + log1p(2·sinh(x/2)²) near 0, log c + |x| + log1p(exp(-2·|x|)) - log 2 elsewhere.

    Condition: c is a positive number.  cosh overflows where its logarithm is small, and is 1 where that is smaller.
    """
    coefficient, factors = split_coefficient(node.operands[0])
    if len(factors) != 1 or not is_op(factors[0], "cosh") or not is_positive(coefficient):
        return None
    x = factors[0].operands[0]
    size = elementwise("abs", x)
    half = elementwise("sinh", elementwise("mul", number(sympy.S.Half), x))
    near = elementwise("log1p", elementwise("mul", 2, elementwise("pow", half, 2)))
    far = elementwise("add", size, elementwise("softplus", elementwise("mul", -2, size)))
    scale = sympy.log(coefficient)
    if coefficient == 2:  # log(exp(x) + exp(-x))
        return broadcast_to(far, node.shape)
    chosen = where(elementwise("lt", size, 1), near, elementwise("add", far, number(-sympy.log(2))))
    return broadcast_to(elementwise("add", number(scale), chosen) if scale != 0 else chosen, node.shape)


def log_of_quotient_near_one(node: Node) -> Node | None:
    """log(a/b) → log1p((a - b)/b) where that is small, log(a/b) elsewhere.

    Condition: a and b are sums, or one is, and a - b has fewer terms than both: (1 + x)/(1 - x).
    """
    inner = node.operands[0]
    coefficient, powers = Factors.view(inner).coefficient, Factors.view(inner).powers
    if coefficient != 1 or len(powers) != 2 or sorted(powers.values(), key=str) != [-1, 1]:
        return None
    (below, places), (above, axes) = sorted(powers, key=lambda base: powers[base] == 1)
    if axes != places or not is_op(above, "add") or not is_op(below, "add"):
        return None
    full = trailing(above.rank, above.rank)
    excess = Terms.of(above).plus(below, full, -ONE)
    if above.shape != node.shape or below.shape != node.shape or len(excess.coefficients) >= len(above.operands):
        return None
    small = elementwise("mul", excess.build(), elementwise("pow", below, -1))
    near = elementwise("lt", elementwise("abs", small), number(sympy.S.Half))
    return where(near, elementwise("log1p", small), elementwise("log", where(near, 1, inner)))


def log_of_reciprocal_less_one(node: Node) -> Node | None:
    """log(1/x - 1) → log((1 - x)/x).  Always: 1/x is rounded to an ulp of 1 where x is close to 1."""
    scale, inner = split_coefficient(node.operands[0])
    if len(inner) != 1 or not is_op(inner[0], "add") or len(inner[0].operands) != 2:
        return None
    (total,) = inner
    (a, left), (b, right) = sorted(map(split_coefficient, total.operands), key=lambda term: len(term[1]))
    base, exponent = split_power(right[0]) if len(right) == 1 else (total, ONE)
    if left or a + b != 0 or exponent != -1:
        return None
    less = elementwise("add", number(b * scale), elementwise("mul", number(a * scale), base))
    return elementwise("log", elementwise("mul", less, elementwise("pow", base, -1)))


def weighted_log_of_one_plus(node: Node) -> Node | None:
    """xlogy(d, 1 + y) → d·log1p(y), and 0 where d = 0; also d·log(1 + y), which stays log where y is an exponential.

    Condition: 1 + y may be 0 (it is not known positive), and so may d.
    """
    found = _weight_and_logarithm(node)
    if found is None:
        return None
    weight, inner = found
    rest = beside_one(inner)
    if rest is None or known(inner, "positive") or known(weight, "nonzero"):
        return None
    if any(is_op(f, "exp") for f in split_coefficient(rest)[1]):  # 1 - exp(u) has a rule of its own
        guarded = where(equal(weight, 0), 0, elementwise("log", inner))
        return broadcast_to(elementwise("mul", weight, guarded), node.shape)
    log = elementwise("log1p", broadcast_to(rest, inner.shape))
    return broadcast_to(where(equal(weight, 0), 0, elementwise("mul", weight, log)), node.shape)


def _weight_and_logarithm(node: Node) -> tuple[Node, Node] | None:
    """d and y of xlogy(d, y) or d·log(y) of equal shapes, d no number."""
    if is_op(node, "xlogy"):
        return node.operands[0], node.operands[1]
    logs = [o for o in node.operands if is_op(o, "log")]
    rest = [o for o in node.operands if not is_op(o, "log")]
    if len(logs) != 1 or logs[0].shape != node.shape or all(number_of(o) is not None for o in rest):
        return None
    return (rest[0] if len(rest) == 1 else elementwise("mul", *rest)), logs[0].operands[0]


CANCELLATIONS: tuple[Rewrite, ...] = (
    Rewrite(one_and_tanh_is_logistic, ("add",), below=("tanh",), domain="equal", role="stable"),
    Rewrite(logistic_about_its_middle_is_tanh, ("add",), below=("sigmoid",), domain="extends", role="stable"),
    Rewrite(one_and_cosine_by_half_angle, ("add",), below=("cos|cosh",), domain="equal", role="stable"),
    Rewrite(log_of_hyperbolic_cosine, ("log",), domain="equal", role="stable"),
    Rewrite(log_of_quotient_near_one, ("log",), domain="extends", role="stable"),
    Rewrite(log_of_reciprocal_less_one, ("log",), domain="equal", role="stable"),
    Rewrite(weighted_log_of_one_plus, ("mul", "xlogy"), below=("log|xlogy",), domain="extends", role="stable"),
)
