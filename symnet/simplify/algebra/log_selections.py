"""Logarithms of what is selected among exponentials: the largest, one of two, the product, some probabilities.

In: a `log` node over an operand in normal form.  Out: the selection of logarithms, or log-sum-exps: a probability may
vanish where its logarithm is a number.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.contraction import sum as sum_over
from symnet.expr.nodes.cumulative import cumulate
from symnet.expr.nodes.elementwise import elementwise, equal, is_op, operands_of, where
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.extents import ints_arg, shape_arg
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Slice, broadcast_to
from symnet.expr.nodes.node import Axes, Node
from symnet.expr.nodes.recurrence import CumulativeProduct, recur
from symnet.expr.nodes.reduction import Reduce, along, reduce, top_along
from symnet.simplify.algebra.hoisting import is_hot, is_move, is_rearranged
from symnet.simplify.forms.coefficients import ONE, ScaledFactors, complement, negated, product, split_coefficient
from symnet.simplify.forms.shifted import softmax_argument
from symnet.simplify.forms.signs import is_negative, is_positive
from symnet.simplify.rewrite import Rewrite


def log_of_reduction(node: Node) -> Node | None:
    """log(max x) → max(log x), log(min x) → min(log x), log(Π x) → Σ log x.

    Condition: x is positive and holds an exponential or one of its kind.
    """
    inner = node.operands[0]
    if not isinstance(inner, Reduce) or inner.op not in ("max", "min", "prod"):
        return None
    x = inner.operands[0]
    if not known(x, "positive") or not is_hot(x):
        return None
    log = elementwise("log", x)
    return sum_over(log, inner.axes) if inner.op == "prod" else with_operands(inner, [log])


def log_of_products_so_far(node: Node) -> Node | None:
    """log(cumprod x) → cumsum(log x), of an exclusive one the exclusive sums.

    Condition: x is positive and holds an exponential or one of its kind.
    """
    inner = node.operands[0]
    if not isinstance(inner, CumulativeProduct):
        return None
    x = inner.operands[0]
    return sums_so_far(elementwise("log", x), inner) if known(x, "positive") and is_hot(x) else None


def sums_so_far(x: Node, like: CumulativeProduct) -> Node:
    """The sums of x along the axis, and from the end, of products so far."""
    if like.exclusive:
        return recur(fill(1, x.shape), x, like.axis, like.reverse, exclusive=True)
    return cumulate(x, like.axis, like.reverse)


def log_of_choice(node: Node) -> Node | None:
    """log(where(c, a, b)) → where(c, log a, log b), and so for maximum and minimum.

    Condition: a or b holds an exponential or one of its kind; of maximum and minimum both are positive.
    """
    inner = node.operands[0]
    if not is_op(inner, "where", "maximum", "minimum"):
        return None
    chosen = inner.operands[-2:]
    if not any(is_hot(x) for x in chosen) or not (is_op(inner, "where") or all(known(x, "positive") for x in chosen)):
        return None
    return with_operands(inner, [*inner.operands[:-2], *(_log(x) for x in chosen)])


def _log(x: Node) -> Node:
    return number(-sympy.oo) if number_of(x) == 0 else elementwise("log", x)


def log_of_difference_of_logistics(node: Node) -> Node | None:
    """log(σ(a) - σ(b)) → log σ(a) + log(1 - σ(b)) + log(1 - exp(b - a)), with a positive number in front.

    Also of tanh a = 2·σ(2·a) - 1, and of σ(a) + σ(-b) - 1.  Always: σ(a) - σ(b) has no digits left where both are close
    to 1, and is 0 where both vanish.
    """
    front, factors = split_coefficient(node.operands[0])
    found = _difference_of_logistics(factors[0]) if len(factors) == 1 and is_positive(front) else None
    if found is None:
        return None
    count, a, b = found
    away = elementwise("add", b, elementwise("mul", -1, a))
    logs = [
        elementwise("log", elementwise("sigmoid", a)),
        elementwise("log", complement(elementwise("sigmoid", b))),
        elementwise("log", complement(elementwise("exp", away))),
    ]
    scale = [] if front * count == 1 else [elementwise("log", number(front * count))]
    return broadcast_to(elementwise("add", *logs, *scale), node.shape)


def _difference_of_logistics(total: Node) -> tuple[Expr, Node, Node] | None:
    """c, a and b of c·(σ(a) - σ(b)), c positive."""
    terms = [split_coefficient(o) for o in total.operands] if is_op(total, "add") else []
    constant = sum((c for c, f in terms if not f), sympy.S.Zero)
    functions = [(c, f[0]) for c, f in terms if f]
    if len(functions) != 2 or any(len(f) > 1 or not is_op(f[0], "sigmoid", "tanh") for _, f in terms if f):
        return None
    (c, upper), (d, lower) = sorted(functions, key=lambda term: is_negative(term[0]))
    if upper.op != lower.op or not is_positive(c):
        return None
    twice = upper.op == "tanh"
    a, b = upper.operands[0], lower.operands[0]
    if c == d and constant == (0 if twice else -c):  # tanh(a) + tanh(-b)
        b = negated(b)
    elif c + d != 0 or constant != 0:
        return None
    return (2 * c, elementwise("mul", 2, a), elementwise("mul", 2, b)) if twice else (c, a, b)


# --------------------------------------------------------------------------- some probabilities of a softmax


@dataclass(frozen=True)
class SoftmaxPart:
    """coefficient × Σ over `axis` of weight·softmax, or of a window of it."""

    coefficient: Expr
    softmax: Node
    axis: int
    window: tuple[int, int] | None = None  # start and stop
    weight: Node | None = None


def log_of_some_probabilities(node: Node) -> Node | None:
    """log(p[0] + p[1]) → log(exp(z[0]) + exp(z[1])) - logsumexp(z), p = softmax(z); log(1 - p[0]) likewise of the rest.

    Also log(1 - Σ w·p) → log Σ (1 - w)·exp(z) - logsumexp(z).  Condition: p over one axis, of known extent where the
    rest is meant; the classes are different ones.
    """
    total = node.operands[0]
    terms = [term for o in operands_of("add", total) for term in _apart(o)]
    numbers = [value for value, factors in terms if not factors]
    shares = [_share(value, factors) for value, factors in terms if factors]
    if not shares or any(s is None for s in shares) or len({(s.softmax, s.axis) for s in shares if s}) != 1:
        return None
    given = [s for s in shares if s is not None]
    exponentials = _selected(given) if not numbers else _rest(numbers[0], given)
    if not exponentials:
        return None
    softmax, axis = given[0].softmax, given[0].axis
    log = elementwise("log", exponentials[0] if len(exponentials) == 1 else elementwise("add", *exponentials))
    whole = reduce("logsumexp", softmax_argument(softmax), axis)
    return broadcast_to(elementwise("add", log, elementwise("mul", -1, whole)), node.shape)


def _apart(term: Node) -> list[ScaledFactors]:
    """The terms of a sum, Σ (a + b) counting as two: Σ a and Σ b."""
    coefficient, factors = split_coefficient(term)
    total = factors[0] if len(factors) == 1 else term
    inner = total.operands[0] if isinstance(total, Einsum) and len(total.operands) == 1 else total
    if not isinstance(total, Einsum) or not is_op(inner, "add") or any(o.shape != inner.shape for o in inner.operands):
        return [(coefficient, factors)]
    apart = [split_coefficient(o) for o in inner.operands]
    return [(coefficient * c, (with_operands(total, [product(ONE, f)]),)) for c, f in apart if f]


def _share(coefficient: Expr, factors: tuple[Node, ...]) -> SoftmaxPart | None:
    if len(factors) != 1 or not isinstance(factors[0], Einsum):
        return None
    total = factors[0]
    indices = total.inputs[0]
    gone = [a for a, i in enumerate(indices) if i not in total.output]
    in_order = tuple(i for i in indices if i in total.output) == total.output
    if len(total.operands) != 1 or len(gone) != 1 or not in_order:
        return None
    (axis,) = gone
    inner, window = total.operands[0], None
    if isinstance(inner, Slice):
        window = _window(inner, axis)
        inner = inner.operands[0]
        if window is None:
            return None
    if softmax_axes(inner) == [(axis,)]:
        return SoftmaxPart(coefficient, inner, axis, window)
    terms: tuple[Node, ...] = inner.operands if is_op(inner, "mul") and not window else ()
    found = [o for o in terms if softmax_axes(o) == [(axis,)]]
    if len(found) != 1 or found[0].shape != inner.shape:
        return None
    rest = [o for o in inner.operands if o is not found[0]]
    return SoftmaxPart(coefficient, found[0], axis, None, rest[0] if len(rest) == 1 else elementwise("mul", *rest))


def _window(part: Slice, axis: int) -> tuple[int, int] | None:
    """The classes that a slice of the others' whole extents selects."""
    whole = part.operands[0].shape
    for a, (start, step) in enumerate(zip(part.starts, part.steps, strict=True)):
        if a != axis and (start != 0 or step != 1 or part.shape[a] != whole[a]):
            return None
    start, count = part.starts[axis], part.shape[axis]
    if part.steps[axis] != 1 or not isinstance(start, int) or not isinstance(count, int):
        return None
    return start, start + count


def _selected(shares: list[SoftmaxPart]) -> list[Node]:
    """For each selected class c·Σ exp(z) over its window, c the number in front; nothing where a number is not
    positive.
    """
    if any(not is_positive(s.coefficient) or s.window is None for s in shares):
        return []
    return [_scaled(s.coefficient, _exponentials(s.softmax, s.axis, s.window)) for s in shares if s.window]


def _rest(one: Expr, shares: list[SoftmaxPart]) -> list[Node]:
    """As `_selected`, for the classes that are left when some are taken from the number, which is the sum over all of
    them.
    """
    if is_negative(one) or any(s.coefficient != -one for s in shares):
        return []
    softmax, axis = shares[0].softmax, shares[0].axis
    weights = [s.weight for s in shares if s.weight is not None]
    if weights:
        if len(shares) > 1:
            return []
        left = elementwise("add", 1, elementwise("mul", -1, weights[0]))
        power = elementwise("exp", softmax_argument(softmax))
        return [_scaled(one, sum_over(elementwise("mul", left, power), (axis,)))]
    extent = softmax.shape[axis]
    windows = sorted(s.window for s in shares if s.window)
    if not isinstance(extent, int) or len(windows) < len(shares):
        return []
    left_over, place = [], 0
    for start, stop in [*windows, (extent, extent)]:
        if start < place:
            return []
        left_over += [(place, start)] if start > place else []
        place = stop
    return [_scaled(one, _exponentials(softmax, axis, window)) for window in left_over]


def _scaled(coefficient: Expr, x: Node) -> Node:
    return x if coefficient == 1 else elementwise("mul", number(coefficient), x)


def _exponentials(softmax: Node, axis: int, window: tuple[int, int]) -> Node:
    """Σ exp(z) over the classes of a window."""
    z = softmax_argument(softmax)
    start, stop = window
    starts = shape_arg(tuple(start if a == axis else 0 for a in range(z.rank)))
    sizes = shape_arg(tuple(stop - start if a == axis else n for a, n in enumerate(z.shape)))
    part: Node = Slice(z, starts, sizes, ints_arg((1,) * z.rank))
    if stop - start == 1:
        return elementwise("exp", contract([range(z.rank)], [a for a in range(z.rank) if a != axis], part))
    return sum_over(elementwise("exp", part), (axis,))


# --------------------------------------------------------------------------- the complement of every class


def log_of_complements_of_classes(node: Node) -> Node | None:
    """log(1 - softmax(z)) → at the largest z: log of Σ exp(z) over the others - logsumexp(z); as it is elsewhere.

    Also of what is moved: log(1 - p[i]).  Always: 1 - p vanishes where one class holds all, and so do its slopes; of
    all other classes p is at most 1/2.
    """
    log = _log_of_complement(node.operands[-1], DEEPEST)
    if log is None:
        return None
    return log if is_op(node, "log") else elementwise("mul", node.operands[0], broadcast_to(log, node.shape))


DEEPEST = 4  # moves
MORE_THAN_HALF = number(sympy.Rational(3, 4))  # no class has it but one that is alone at the top


def _log_of_complement(total: Node, deepest: int) -> Node | None:
    """log(1 - x) of a softmax, moved perhaps before or after it is taken from 1."""
    if deepest and is_move(total):
        inner = _log_of_complement(total.operands[0], deepest - 1)
        return None if inner is None else with_operands(total, [inner, *total.operands[1:]])
    if not is_op(total, "add") or len(total.operands) != 2 or number_of(total.operands[0]) != 1:
        return None
    coefficient, factors = split_coefficient(total.operands[1])
    return _log_of_rest(factors[0], deepest) if coefficient == -1 and len(factors) == 1 else None


def _log_of_rest(x: Node, deepest: int) -> Node | None:
    """log(1 - x) of a softmax, moved perhaps."""
    if softmax_axes(x):
        return _log_of_complements(x, softmax_axes(x)[0])
    if not deepest or not is_rearranged(x):
        return None
    inner = _log_of_rest(x.operands[0], deepest - 1)
    return None if inner is None else with_operands(x, [inner, *x.operands[1:]])


def _log_of_complements(softmax: Node, axes: Axes) -> Node:
    z = softmax_argument(softmax)
    is_top = equal(z, along(z, top_along(z, axes), axes))
    count = along(z, sum_over(elementwise("indicator", is_top), axes), axes)
    alone = elementwise("and", is_top, equal(count, 1))
    others = reduce("logsumexp", where(is_top, number(-sympy.oo), z), axes)
    at_top = elementwise("add", others, elementwise("mul", -1, reduce("logsumexp", z, axes)))
    shared = elementwise("log", complement(elementwise("minimum", softmax, MORE_THAN_HALF)))
    return where(alone, along(z, at_top, axes), shared)


LOG_SELECTIONS = (
    Rewrite(log_of_reduction, ("log",), needs=("positive",), domain="equal", role="exposing"),
    Rewrite(log_of_products_so_far, ("log",), needs=("positive",), domain="equal", role="exposing"),
    Rewrite(log_of_choice, ("log",), needs=("positive",), domain="equal", role="exposing"),
    Rewrite(log_of_difference_of_logistics, ("log",), needs=("finite",), domain="equal", role="exposing"),
    Rewrite(log_of_some_probabilities, ("log",), needs=("finite",), domain="extends", role="shorter"),
    Rewrite(log_of_complements_of_classes, ("log", "xlogy"), domain="extends", role="exposing"),
)
