"""First pass of the numeric form: differences in which digits would cancel.

In: sums in the algebra form, whose softmax and logistic terms are still whole.  Out: the same sums, rearranged.
They are rules about softmax and logistic *values*: the derivative of any loss may contain them.
"""

from __future__ import annotations

from collections.abc import Callable

from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.hoisting import moved_again, moves_of
from symnet.simplify.forms.broadcast import align, cover
from symnet.simplify.forms.coefficients import complement, negated, product, split_coefficient, sum_of_all
from symnet.simplify.forms.factors import Factors
from symnet.simplify.forms.shifted import Shifted, softmax_argument
from symnet.simplify.rewrite import Rewrite


def complement_of_logistic(node: Node) -> Node | None:
    """1 - σ(x) → σ(-x), and a·b - a·b·σ(x) + c → a·b·σ(-x) + c.

    Always: 1 - σ(x) has no digits left where σ(x) is close to 1.
    """
    terms = [(term, *split_coefficient(term)) for term in node.operands]
    whole = {(c, frozenset(f)): term for term, c, f in terms if len(set(f)) == len(f)}
    for term, c, factors in terms:
        for logistic in factors:
            if not is_op(logistic, "sigmoid"):
                continue
            rest = tuple(f for f in factors if f is not logistic)
            other = whole.get((-c, frozenset(rest)))
            if other is None or len(rest) != len(factors) - 1:
                continue
            new = product(-c, (*rest, elementwise("sigmoid", negated(logistic.operands[0]))))
            left = [o for o in node.operands if o is not term and o is not other]
            return broadcast_to(elementwise("add", new, *left) if left else new, node.shape)
    return None


def logistic_minus_target(node: Node) -> Node | None:
    """σ(x) - d → (1 - d)·σ(x) - d·σ(-x).  Always: exact at d = 1, where σ(x) - 1 has no digits left."""
    found = _difference(node, lambda term: is_op(term, "sigmoid"))
    if found is None:
        return None
    logistic, target, sign = found
    complement = elementwise("sigmoid", negated(logistic.operands[0]))
    one_less = elementwise("add", 1, elementwise("mul", -1, target))
    above, below = ([], [number(-1)]) if sign == 1 else ([number(-1)], [])
    return elementwise(
        "add",
        elementwise("mul", *above, one_less, logistic),
        elementwise("mul", *below, target, complement),
    )


def softmax_minus_target(node: Node) -> Node | None:
    """softmax(x) - d → (e - d - d·t)/(1 + t), e = exp(x - max x), Σ e = 1 + t; also r·softmax(x) - d, and some classes
    of a softmax, or all of them elsewhere: 1 - softmax(x)[:, k].

    Condition: r does not vary along the classes.  At d = 1 it is -t/(1 + t), where softmax(x) - 1 has no digits left.
    """
    found = _difference(node, lambda term: _softmax_factor(term) is not None)
    if found is None:
        return None
    term, target, sign = found
    factor = _softmax_factor(term)
    if factor is None or factor.shape != node.shape:
        return None
    moves, softmax = moves_of(factor)
    (axes,) = softmax_axes(softmax)
    rest = [o for o in term.operands if o is not factor] if is_op(term, "mul") else []
    if any(r.rank if moves else set(align(r, node.shape)[1]) & set(axes) for r in rest):
        return None
    parts = Shifted(softmax_argument(softmax), axes)
    exponential = moved_again(moves, parts.exponential)
    weighted = elementwise("mul", *rest, exponential) if rest else exponential
    minus = elementwise("mul", -1, target)
    excess = elementwise("mul", -1, target, moved_again(moves, parts.repeated(parts.excess)))
    difference = elementwise("add", elementwise("add", weighted, minus), excess)
    signed = [number(-1)] if sign == -1 else []
    return elementwise("mul", *signed, difference, moved_again(moves, parts.reciprocal_total))


def one_less_squares_of_softmax(node: Node) -> Node | None:
    """1 - Σ softmax(x)² → Σ softmax(x)·(1 - softmax(x)), over the classes, and
    softmax(x) - Σ softmax(x)² → Σ softmax(x)·(1 - softmax(x)) - (1 - softmax(x)).

    Always: where one class holds all, the sum of squares has no digits left beside 1.
    """
    terms = [(term, *split_coefficient(term)) for term in node.operands]
    for term, d, factors in terms:
        total, axes = align(factors[0], node.shape) if len(factors) == 1 else (term, ())
        softmax = _squared_softmax(total) if isinstance(total, Einsum) else None
        if softmax is None:
            continue
        for other, c, rest in terms:
            if c + d != 0 or not (rest == () or rest == (softmax,)):
                continue
            indices = max(total.inputs, key=len)
            kept = contract([indices], total.output, elementwise("mul", softmax, complement(softmax)))
            new = [product(c, (cover(kept, axes, node.shape),))]
            new += [product(d, (complement(softmax),))] if rest else []
            new += [o for o in node.operands if o is not term and o is not other]
            return broadcast_to(sum_of_all(new), node.shape)
    return None


def _squared_softmax(total: Einsum) -> Node | None:
    """The softmax whose squares are summed over its classes."""
    if total.is_sum and is_op(total.operands[0], "mul", "pow"):
        squared = Factors.view(total.operands[0])
        ((core, _), power), *others = squared.powers.items()
        squares = not others and power == 2 and squared.coefficient == 1 and core.shape == total.operands[0].shape
    else:
        core, squares = total.operands[0], len(total.operands) == 2 and total.operands[0] is total.operands[1]
        squares = squares and total.inputs[0] == total.inputs[1]
    summed = tuple(a for a, i in enumerate(total.inputs[0]) if i not in total.output)
    return core if squares and softmax_axes(core) == [summed] else None


def _softmax_factor(term: Node) -> Node | None:
    """The softmax among the factors of a term, moved or not."""
    factors = operands_of("mul", term)
    found = [f for f in factors if softmax_axes(moves_of(f)[1])]
    return found[0] if len(found) == 1 else None


def _difference(node: Node, wanted: Callable[[Node], bool]) -> tuple[Node, Node, int] | None:
    """(value, target, sign) of sign·(value - target), where `wanted(value)`."""
    if len(node.operands) != 2:
        return None
    (a, left), (b, right) = map(split_coefficient, node.operands)
    if {a, b} != {1, -1}:
        return None
    terms = [(_joined(left), int(a)), (_joined(right), int(b))]
    for (value, sign), (target, _) in (terms, terms[::-1]):
        if wanted(value):
            return value, target, sign
    return None


def _joined(factors: tuple[Node, ...]) -> Node:
    if not factors:
        return number(1)
    return factors[0] if len(factors) == 1 else elementwise("mul", *factors)


DIFFERENCES = (
    Rewrite(complement_of_logistic, ("add",), below=("sigmoid",), domain="extends", role="stable"),
    Rewrite(logistic_minus_target, ("add",), below=("sigmoid",), needs=("finite",), domain="equal", role="stable"),
    Rewrite(one_less_squares_of_softmax, ("add",), below=("exp",), domain="equal", role="stable"),
    Rewrite(softmax_minus_target, ("add",), below=("exp",), needs=("finite",), domain="equal", role="stable"),
)
