"""Second to fourth pass of the numeric form: softmax, log-softmax, then logarithms and exponentials.

In: nodes in the algebra form.  Out: forms that neither overflow nor lose digits.
"""

from __future__ import annotations

from collections import Counter

from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.movement import Concat, broadcast_to
from symnet.expr.nodes.node import Axes, Node
from symnet.expr.nodes.reduction import Reduce
from symnet.simplify.algebra.exponentials import complemented_logistic
from symnet.simplify.algebra.hoisting import is_logsumexp, moved_again, moves_of
from symnet.simplify.forms.broadcast import align, cover
from symnet.simplify.forms.coefficients import ONE, beside_one, negated, product, split_coefficient, terms_of
from symnet.simplify.forms.shifted import Shifted, distance_below, softmax_argument
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite


def softmax_by_shifted_exponentials(node: Node) -> Node | None:
    """exp(x - logsumexp(x)) → e/Σe, e = exp(x - max x).  Always: the e of the log-sum-exp is used again."""
    axes = softmax_axes(node)
    return Shifted(softmax_argument(node), axes[0]).softmax if axes else None


def log_softmax_by_shifted_exponentials(node: Node) -> Node | None:
    """x - logsumexp(x) → (x - max x) - log1p(t), Σ exp(x - max x) = 1 + t; also among other terms, with a factor.

    Always: max x + log(1 + t) would round t away where max x is large.
    """
    terms = Terms.of(node)
    for (factors, axes), coefficient in terms.coefficients.items():
        total = factors[0] if len(factors) == 1 else None
        if not isinstance(total, Reduce) or total.op != "logsumexp" or total.operands[0].shape != node.shape:
            continue
        x = total.operands[0]
        inside = Terms.of(x).coefficients
        kept = tuple(a for a in range(node.rank) if a not in total.axes)
        if axes == kept and all(terms.coefficients.get(key) == -coefficient * c for key, c in inside.items()):
            rest = Terms(node.shape)
            gone = {(factors, axes), *inside}
            rest.coefficients = {key: c for key, c in terms.coefficients.items() if key not in gone}
            log = product(-coefficient, (_log_softmax(x, total.axes),))
            return elementwise("add", log, rest.build()) if rest.coefficients else broadcast_to(log, node.shape)
    return None


def difference_from_logsumexp(node: Node) -> Node | None:
    """x[:, ::-1] - logsumexp(x) → (x[:, ::-1] - max x) - log1p(t), Σ exp(x - max x) = 1 + t.

    Condition: the log-sum-exp, moved or not, is of the same terms, moved otherwise, or of what they are joined with.
    As above: max x + log1p(t) would be rounded to an ulp of max x before x takes max x away again.
    """
    totals = [(o, *split_coefficient(o)) for o in node.operands]
    found = [(o, c, f[0]) for o, c, f in totals if len(f) == 1 and is_logsumexp(moves_of(f[0])[1])]
    if len(found) != 1:
        return None
    term, coefficient, moved = found[0]
    moves, total = moves_of(moved)
    parts = Shifted(total.operands[0], total.axes)
    rest = [o for o in node.operands if o is not term]
    y = rest[0] if len(rest) == 1 else elementwise("add", *rest)
    x = total.operands[0]
    pieces = x.operands if isinstance(x, Concat) else (x,)
    if _terms_before_moves(y, -1 / coefficient) not in map(_terms_before_moves, pieces):
        return None
    y = broadcast_to(y if coefficient == -1 else elementwise("mul", number(-1 / coefficient), y), node.shape)
    away = distance_below(y, broadcast_to(moved_again(moves, parts.maximum), node.shape))
    log = product(coefficient, (moved_again(moves, parts.log_total),))
    return elementwise("add", product(-coefficient, (away,)), log)


def difference_of_logsumexps(node: Node) -> Node | None:
    """logsumexp(x) - logsumexp(y) → (max x - max y) + (log1p(s) - log1p(t)).

    Always: each would be rounded to an ulp of its maximum before the maxima meet.
    """
    found = []
    for term in node.operands:
        coefficient, factors = split_coefficient(align(term, node.shape)[0])
        if len(factors) == 1 and is_logsumexp(factors[0]):
            found.append((term, coefficient, factors[0]))
    if len(found) != 2 or found[0][1] != -found[1][1]:
        return None
    tops, logs = [], []
    for term, coefficient, total in found:
        parts = Shifted(total.operands[0], total.axes)
        axes = align(term, node.shape)[1]
        tops.append(product(coefficient, (cover(parts.maximum, axes, node.shape),)))
        logs.append(product(coefficient, (cover(parts.log_total, axes, node.shape),)))
    rest = [o for o in node.operands if o not in (found[0][0], found[1][0])]
    return elementwise("add", elementwise("add", *tops), elementwise("add", *logs), *rest)


def _terms_before_moves(x: Node, scale: Expr = ONE) -> Counter[tuple[Expr, tuple[Node, ...]]]:
    """The terms of x, times a number, without the moves of their factors."""
    terms = terms_of(x) if is_op(x, "add") else (split_coefficient(x),)
    return Counter((scale * c, tuple(map(_origin, factors))) for c, factors in terms)


def _origin(x: Node) -> Node:
    return moves_of(x)[1]


def _log_softmax(x: Node, axes: Axes) -> Node:
    parts = Shifted(x, axes)
    return elementwise("add", parts.distance, elementwise("mul", -1, parts.repeated(parts.log_total)))


def logsumexp_by_shifted_exponentials(node: Reduce) -> Node | None:
    """logsumexp(x) → max x + log1p(t), Σ exp(x - max x) = 1 + t.  Always: nothing overflows."""
    if node.op != "logsumexp":
        return None
    parts = Shifted(node.operands[0], node.axes)
    return elementwise("add", parts.maximum, parts.log_total)


# --------------------------------------------------------------------------- logarithms


def log_of_logistic(node: Node) -> Node | None:
    """log σ(x) → -softplus(-x), log(1 - σ(x)) → -softplus(x).  Always: σ(x) may round to 0 or 1."""
    inner = node.operands[0]
    if is_op(inner, "sigmoid"):
        return elementwise("mul", -1, elementwise("softplus", negated(inner.operands[0])))
    logistic = complemented_logistic(inner)
    return None if logistic is None else elementwise("mul", -1, elementwise("softplus", logistic.operands[0]))


def log_of_one_plus_is_log1p(node: Node) -> Node | None:
    """log(1 + x) → log1p(x).  Always: 1 + x rounds a small x away."""
    rest = beside_one(node.operands[0])
    return None if rest is None else elementwise("log1p", broadcast_to(rest, node.shape))


def exponential_minus_one_is_expm1(node: Node) -> Node | None:
    """exp(x) - 1 → expm1(x), and c·exp(x) - c → c·expm1(x), c a number or a product.  Always: 1 cancels the digits."""
    terms = terms_of(node)
    for place, (coefficient, factors) in enumerate(terms):
        for power in (f for f in factors if is_op(f, "exp")):
            rest = tuple(f for f in factors if f is not power)
            beside = next((k for k, t in enumerate(terms) if t == (-coefficient, rest)), None)
            if beside is None:
                continue
            new = product(coefficient, (*rest, elementwise("expm1", power.operands[0])))
            others = [o for k, o in enumerate(node.operands) if k not in (place, beside)]
            return broadcast_to(elementwise("add", new, *others) if others else new, node.shape)
    return None


def factor_times_log_is_xlogy(node: Node) -> Node | None:
    """d·log(y) → xlogy(d, y), which is 0 at d = 0 whatever y is.

    Condition: d may be 0, is no number, and the logarithm is the only one.
    """
    logs = [o for o in node.operands if is_op(align(o, node.shape)[0], "log")]
    if len(logs) != 1:
        return None
    rest = [o for o in node.operands if o is not logs[0]]
    scalars = (
        [o for o in rest if not o.rank and node.rank] if node.rank else [o for o in rest if number_of(o) is not None]
    )
    arrays = [o for o in rest if o not in scalars]
    if not arrays or all(known(a, "nonzero") for a in arrays):
        return None
    log, axes = align(logs[0], node.shape)
    weight = arrays[0] if len(arrays) == 1 else elementwise("mul", *arrays)
    product = elementwise("xlogy", weight, cover(log.operands[0], axes, node.shape))
    return elementwise("mul", *scalars, product) if scalars else product


SOFTMAXES = (Rewrite(softmax_by_shifted_exponentials, ("exp",), domain="equal", role="stable"),)
LOG_SOFTMAXES = (
    Rewrite(log_softmax_by_shifted_exponentials, ("add",), below=("reduce",), domain="equal", role="stable"),
    Rewrite(difference_from_logsumexp, ("add",), below=("reduce",), domain="equal", role="stable"),
    Rewrite(difference_of_logsumexps, ("add",), below=("reduce",), domain="equal", role="stable"),
)
LOGARITHMS = (
    Rewrite(logsumexp_by_shifted_exponentials, ("reduce",), domain="equal", role="stable"),
    Rewrite(log_of_logistic, ("log",), domain="equal", role="stable"),
    Rewrite(log_of_one_plus_is_log1p, ("log",), domain="equal", role="stable"),
    Rewrite(exponential_minus_one_is_expm1, ("add",), below=("exp",), domain="equal", role="stable"),
    Rewrite(factor_times_log_is_xlogy, ("mul",), below=("log",), domain="extends", role="stable"),
)
