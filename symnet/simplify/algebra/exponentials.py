"""Rewrites of exponentials and logarithms, softmax and logistic among them.

In: a node over operands in normal form.  Out: a shorter or canonical node.
`exp(x - expand(logsumexp x))` is the canonical softmax, however it was spelled.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Axes, Node
from symnet.expr.nodes.reduction import along, reduce
from symnet.simplify.algebra.hoisting import is_move
from symnet.simplify.algebra.turning_back import read_operand_in_its_own_order
from symnet.simplify.forms.broadcast import align, cover, trailing
from symnet.simplify.forms.coefficients import ONE, complement, negated, split_coefficient
from symnet.simplify.forms.factors import Base, Factors, split_power
from symnet.simplify.forms.signs import is_negative, is_positive, is_whole
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite

# --------------------------------------------------------------------------- logarithms


def log_of_exponential(node: Node) -> Node | None:
    """log(exp x) → x.  Always."""
    inner = node.operands[0]
    return inner.operands[0] if is_op(inner, "exp") else None


def exponential_of_log(node: Node) -> Node | None:
    """exp(x + n·log y) → y^n·exp(x).

    Condition: n is a number (extends the domain to y <= 0); it is no softmax; y is no sum of exponentials that n and x
    may bring back into the range, as in exp(log(exp(a) + exp(b)) + x), a step of the forward algorithm.
    """
    argument = node.operands[0]
    terms = operands_of("add", argument)
    logs = [(t, n, x) for t in terms for n, x in [_multiple_of_log(t)] if x is not None]
    if softmax_axes(node):
        return None
    if len(terms) > 1:
        logs = [(t, n, x) for t, n, x in logs if is_negative(n) or not _sums_exponentials(x)]
    if not logs:
        return None
    taken = {t for t, _, _ in logs}
    rest = [t for t in terms if t not in taken]
    powers = [elementwise("pow", x, number(n)) for _, n, x in logs]
    if not rest:
        return broadcast_to(powers[0] if len(powers) == 1 else elementwise("mul", *powers), node.shape)
    whole = rest[0] if len(rest) == 1 else elementwise("add", *rest)
    return broadcast_to(elementwise("mul", *powers, elementwise("exp", whole)), node.shape)


def _sums_exponentials(x: Node) -> bool:
    """Whether x is a sum of products with exponentials, or of one and other things."""
    if is_op(x, "add"):
        return any(is_op(f, "exp") for o in x.operands for f in split_coefficient(o)[1])
    return isinstance(x, Einsum) and not is_move(x) and any(_holds_exponential(o) for o in x.operands)


def _holds_exponential(x: Node) -> bool:
    return any(is_op(f, "exp") for f in operands_of("mul", x))


def _multiple_of_log(term: Node) -> tuple[Expr, Node | None]:
    """n and y of a term n·log(y), y seen through a repetition."""
    core, axes = align(term, term.shape)
    coefficient, factors = split_coefficient(core)
    if len(factors) != 1 or not is_op(factors[0], "log"):
        return ONE, None
    return coefficient, cover(factors[0].operands[0], axes, term.shape)


def log_of_product(node: Node) -> Node | None:
    """log(a·exp(b)·c²) → log(a) + b + 2·log(c).

    Condition: a factor whose logarithm is simple stands in it, and all factors but one are known positive; that one
    has an odd power (where the product is positive, so is it).  Beside a function that may vanish, of which σ is one,
    the factors that are not known positive stay together: log(σ(x)·a·b) → log σ(x) + log(a·b).
    """
    inner = node.operands[0]
    if not is_op(inner, "mul", "pow"):
        return None
    factors = Factors.view(inner)
    if not any(_log_is_simple(base[0], e) for base, e in factors.powers.items()):
        return None
    doubtful = [b for b, e in factors.powers.items() if not known(b[0], "positive")]
    together = len(doubtful) > 1 or not is_positive(factors.coefficient)
    together = together or not all(_is_odd(factors.powers[b]) for b in doubtful)
    if together and not any(_may_vanish(b[0]) for b in factors.powers if b not in doubtful):
        return None
    rest = Factors(factors.shape, factors.coefficient)
    terms = []
    for base, e in factors.powers.items():
        if together and base in doubtful:
            rest.powers[base] = e
        else:
            terms.append(cover(_scaled_log(base[0], e), base[1], node.shape))
    if rest.powers or rest.coefficient != 1:
        terms.append(elementwise("log", rest.build() if rest.powers else number(rest.coefficient)))
    return broadcast_to(terms[0] if len(terms) == 1 else elementwise("add", *terms), node.shape)


def _may_vanish(core: Node) -> bool:
    """Whether a factor is an exponential or a logistic function, moved perhaps: positive, and 0 where it rounds."""
    while core.kind in ("slice", "reshape", "take") or (isinstance(core, Einsum) and core.is_transpose):
        core = core.operands[0]
    return is_op(core, "exp", "sigmoid") or complemented_logistic(core) is not None


def _is_odd(exponent: Expr | Node) -> bool:
    return is_whole(exponent) and bool(exponent % 2)


def _log_is_simple(core: Node, exponent: object) -> bool:
    return _may_vanish(core) or exponent != 1 or log_of_sum_of_exponentials(elementwise("log", core)) is not None


def _scaled_log(core: Node, exponent: object) -> Node:
    log = elementwise("log", core)
    if exponent == 1:
        return log
    return elementwise("mul", exponent if isinstance(exponent, Node) else number(exponent), log)


def log_of_sum_of_exponentials(node: Node) -> Node | None:
    """log Σ exp(x) → logsumexp(x).  Always."""
    total = node.operands[0]
    if not isinstance(total, Einsum) or not total.is_sum or not is_op(total.operands[0], "exp"):
        return None
    return reduce("logsumexp", total.operands[0].operands[0], _summed_axes(total))


def log_of_chosen_element(node: Node) -> Node | None:
    """log Σ d·x → Σ d·log x.  Condition: d is one-hot along the last axis, the summed one, and x is positive."""
    total = node.operands[0]
    if not isinstance(total, Einsum) or not total.is_sum or not is_op(total.operands[0], "mul"):
        return None
    inside = total.operands[0]
    chosen = [o for o in inside.operands if known(o, "one_hot") and o.shape == inside.shape]
    rest = [o for o in inside.operands if o not in chosen]
    if len(chosen) != 1 or _summed_axes(total) != (inside.rank - 1,) or not all(known(o, "positive") for o in rest):
        return None
    log = elementwise("log", rest[0] if len(rest) == 1 else elementwise("mul", *rest))
    return with_operands(total, [elementwise("mul", chosen[0], log)])


def _summed_axes(total: Einsum) -> Axes:
    kept = set(total.output)
    return tuple(a for a, i in enumerate(total.inputs[0]) if i not in kept)


def log_of_one_plus_exponential(node: Node) -> Node | None:
    """log(1 + exp x) → softplus(x).  Always."""
    return _one_plus_exponential(node.operands[0], "softplus")


def _one_plus_exponential(total: Node, op: str, sign: int = 1) -> Node | None:
    if not is_op(total, "add") or len(total.operands) != 2 or number_of(total.operands[0]) != 1:
        return None
    inner = _exponent_of(total.operands[1])
    if inner is None:
        return None
    return elementwise(op, inner if sign == 1 else elementwise("mul", -1, inner))


def _exponent_of(x: Node) -> Node | None:
    """u of exp(u) or exp(v)⁻¹ = exp(-v)."""
    if is_op(x, "exp"):
        return x.operands[0]
    base, exponent = split_power(x)
    return elementwise("mul", -1, base.operands[0]) if is_op(base, "exp") and exponent == -1 else None


def spell_log1p_as_log(node: Node) -> Node | None:
    """log1p(x) → log(1 + x).  Always: the algebra has one spelling, and the numeric form goes back."""
    return elementwise("log", 1 + node.operands[0])


def spell_expm1_as_exp(node: Node) -> Node | None:
    """expm1(x) → exp(x) - 1.  Always: the algebra has one spelling, and the numeric form goes back."""
    return elementwise("add", elementwise("exp", node.operands[0]), -1)


# --------------------------------------------------------------------------- x·log y


def xlogy_of_zero_or_one(node: Node) -> Node | None:
    """xlogy(d, d) → 0, xlogy(x, 1) → 0, xlogy(0, y) → 0.

    Condition: in the first, every element of d is 0 or 1.
    """
    x, y = node.operands
    zero = number_of(x) == 0 or number_of(y) == 1 or (x is y and known(x, "unit", "integer"))
    return cover(number(0), (), node.shape) if zero else None


def zero_one_times_its_log(node: Node) -> Node | None:
    """d·log(d) → 0.  Condition: every element of d is 0 or 1 (extends the domain to d = 0)."""
    for each in node.operands:
        if is_op(each, "log") and each.operands[0] in node.operands and known(each.operands[0], "unit", "integer"):
            return cover(number(0), (), node.shape)
    return None


def take_scalars_out_of_xlogy(node: Node) -> Node | None:
    """xlogy(2·x, y) → 2·xlogy(x, y).  Condition: the factor is a number other than 0."""
    x, y = node.operands
    coefficient, factors = split_coefficient(x)
    if coefficient == 1 or not factors:
        return None
    inner = factors[0] if len(factors) == 1 else elementwise("mul", *factors)
    return elementwise("mul", number(coefficient), elementwise("xlogy", inner, y))


def split_xlogy_of_positive(node: Node) -> Node | None:
    """xlogy(x, y) → x·log(y).  Condition: y is positive."""
    x, y = node.operands
    return elementwise("mul", x, elementwise("log", y)) if known(y, "positive") else None


# --------------------------------------------------------------------------- products of exponentials


def _exponentials(factors: Factors) -> list[Base]:
    return [base for base, e in factors.powers.items() if is_op(base[0], "exp") and not isinstance(e, Node)]


def merge_exponentials_of_one_argument(node: Node) -> Node | None:
    """exp(x)·exp(-2·x) → exp(-x).  Condition: the arguments are multiples of one another."""
    if len(_exponentials(Factors.view(node))) < 2:
        return None
    factors = Factors.of(node)
    groups: dict[tuple[tuple[Node, ...], Axes], list[Base]] = {}
    for base in _exponentials(factors):
        groups.setdefault((split_coefficient(base[0].operands[0])[1], base[1]), []).append(base)
    crowded = [(key, bases) for key, bases in groups.items() if len(bases) > 1]
    if not crowded:
        return None
    for (argument, axes), bases in crowded:
        total = sum((factors.powers.pop(b) * split_coefficient(b[0].operands[0])[0] for b in bases), sympy.S.Zero)
        factors.times(elementwise("exp", elementwise("mul", number(total), *argument)), axes)
    return factors.build()


def merge_exponentials_that_cancel(node: Node) -> Node | None:
    """exp(x - c)·exp(c) → exp(x).  Condition: a term of one argument cancels one of the other."""
    factors = Factors.view(node)
    bases = _exponentials(factors)
    for n, first in enumerate(bases):
        for second in bases[n + 1 :]:
            merged = _merged(factors, first, second)
            if merged is not None:
                return merged
    return None


def _merged(factors: Factors, first: Base, second: Base) -> Node | None:
    e1, e2 = factors.powers[first], factors.powers[second]
    if abs(e1) != 1 or abs(e2) != 1:
        return None
    total = Terms(factors.shape).plus(first[0].operands[0], first[1], e1).plus(second[0].operands[0], second[1], e2)
    parts = [Terms.of(base[0].operands[0]) for base in (first, second)]
    if total.count() > parts[0].count() + parts[1].count() - 2:
        return None
    rest = factors.copy()
    del rest.powers[first], rest.powers[second]
    argument = total.build()
    return rest.times(elementwise("exp", argument), trailing(argument.rank, len(factors.shape))).build()


def logistic_of_reciprocal(node: Node) -> Node | None:
    """1/(1 + exp(-x)) → σ(x).  Always."""
    base, exponent = split_power(node)
    if not (is_whole(exponent) and is_negative(exponent)):
        return None
    logistic = _one_plus_exponential(base, "sigmoid", sign=-1)
    return None if logistic is None else elementwise("pow", logistic, number(-exponent))


def exponential_times_logistic(node: Node) -> Node | None:
    """exp(-x)·σ(x) → 1 - σ(x), and exp(x)·(1 - σ(x)) → σ(x).  Always."""
    factors = Factors.view(node)
    for core, axes in _exponentials(factors):
        for (other, places), e in factors.powers.items():
            if places != axes or not is_positive(e):
                continue
            new, sign = _logistic_partner(core.operands[0], other)
            if new is not None and factors.powers[(core, axes)] * sign == 1:
                return factors.copy().times(core, axes, -sign).times(other, axes, -ONE).times(new, axes).build()
    return None


def _logistic_partner(argument: Node, other: Node) -> tuple[Node | None, int]:
    """(what exp(sign·argument)·other is, sign) for other = σ(∓argument) or 1 - σ(±argument)."""
    if is_op(other, "sigmoid"):
        inner = other.operands[0]
        if inner is argument:
            return complement(other), -1
        if _opposites(inner, argument):
            return complement(other), 1
    logistic = complemented_logistic(other)
    if logistic is not None:
        inner = logistic.operands[0]
        if inner is argument:
            return logistic, 1
        if _opposites(inner, argument):
            return logistic, -1
    return None, 0


def _opposites(a: Node, b: Node) -> bool:
    return negated(a) is b


def complemented_logistic(x: Node) -> Node | None:
    """σ(u) for the node 1 - σ(u); None for others."""
    if not is_op(x, "add") or len(x.operands) != 2 or number_of(x.operands[0]) != 1:
        return None
    coefficient, factors = split_coefficient(x.operands[1])
    return factors[0] if coefficient == -1 and len(factors) == 1 and is_op(factors[0], "sigmoid") else None


# --------------------------------------------------------------------------- softmax


def exponential_over_its_sum_is_softmax(node: Node) -> Node | None:
    """exp(x) / Σ exp(x) → exp(x - logsumexp(x)), the sum read in another order of the axes perhaps.  Always."""
    factors = Factors.view(node)
    for total, places, exponent in _totals(factors):
        for (core, axes), e in factors.powers.items():
            kept = _kept(axes, places)
            if is_op(core, "exp") and is_positive(e) and kept is not None and _is_sum_of(total, core, kept):
                count = min(e, -exponent)
                softmax = softmax_of(core.operands[0], _without(core, kept))
                quotient = factors.copy().times(core, axes, -count).times(total, places, count)
                return quotient.times(softmax, axes, count).build()
    return None


def weighted_sum_of_exponentials_over_their_sum(node: Node) -> Node | None:
    """Σ w·exp(x) / Σ exp(x) → Σ w·softmax(x): also inside a product of matrices.  Always."""
    factors = Factors.view(node)
    for total, places, _ in _totals(factors):
        for (core, axes), e in factors.powers.items():
            if not isinstance(core, Einsum) or core is total or e != 1:
                continue
            new = _normalised_operand(core, axes, total, places)
            if new is not None:
                return factors.copy().times(core, axes, -ONE).times(total, places).times(new, axes).build()
    return None


def _normalised_operand(core: Einsum, axes: Axes, total: Einsum, places: Axes) -> Node | None:
    where = dict(zip(core.output, axes, strict=True))
    for n, (operand, indices) in enumerate(zip(core.operands, core.inputs, strict=True)):
        kept = _kept([where.get(i) for i in indices], places)
        if kept is None or any(indices[k] in where for k in _without(operand, kept)):
            continue
        full = trailing(operand.rank, operand.rank)
        inside = Factors.of(operand)
        for (whole, spot), e in inside.powers.items():
            if is_op(whole, "exp") and spot == full and e == 1 and _is_sum_of(total, whole, kept):
                softmax = softmax_of(whole.operands[0], _without(whole, kept))
                new = inside.times(whole, full, -ONE).times(softmax, full).build()
                return with_operands(core, [*core.operands[:n], new, *core.operands[n + 1 :]])
    return None


def _kept(axes: Sequence[int | None], places: Axes) -> Axes | None:
    """Which of an array's axes stand at `places`, where all of these are among its own."""
    return tuple(axes.index(p) for p in places) if set(places) <= set(axes) else None


def _without(x: Node, kept: Axes) -> Axes:
    return tuple(k for k in range(x.rank) if k not in kept)


def _is_sum_of(total: Einsum, x: Node, kept: Axes) -> bool:
    """Whether a sum is that of x over all axes but those kept; the sum of f(xᵀ) is read from f(x)."""
    if (
        len(kept) == x.rank
        or x.rank != total.operands[0].rank
        or not same_shape(total.shape, [x.shape[k] for k in kept])
    ):
        return False
    summed = contract([range(x.rank)], kept, x)
    return summed is total or (isinstance(summed, Einsum) and read_operand_in_its_own_order(summed) is total)


def softmax_of(x: Node, axes: Axes) -> Node:
    """The canonical softmax of x over axes."""
    total = along(x, reduce("logsumexp", x, axes), axes)
    return elementwise("exp", elementwise("add", x, elementwise("mul", -1, total)))


def _totals(factors: Factors) -> list[tuple[Einsum, Axes, Expr]]:
    """Sums of exponentials that the product divides by, with their places and exponents."""
    return [
        (core, axes, e)
        for (core, axes), e in factors.powers.items()
        if isinstance(core, Einsum) and core.is_sum and is_op(core.operands[0], "exp")
        and is_whole(e) and is_negative(e)
    ]  # fmt: skip


EXPONENTIALS = (
    Rewrite(log_of_exponential, ("log",), domain="equal", role="shorter"),
    Rewrite(exponential_of_log, ("exp",), domain="extends", role="shorter"),
    Rewrite(log_of_product, ("log",), needs=("positive", "finite"), domain="equal", role="exposing"),
    Rewrite(log_of_sum_of_exponentials, ("log",), domain="equal", role="exposing"),
    Rewrite(log_of_chosen_element, ("log",), needs=("one_hot", "positive", "finite"), domain="equal", role="exposing"),
    Rewrite(log_of_one_plus_exponential, ("log",), domain="equal", role="shorter"),
    Rewrite(spell_log1p_as_log, ("log1p",), domain="equal", role="spelling"),
    Rewrite(spell_expm1_as_exp, ("expm1",), domain="equal", role="spelling"),
    Rewrite(xlogy_of_zero_or_one, ("xlogy",), needs=("unit", "integer"), domain="extends", role="shorter"),
    Rewrite(take_scalars_out_of_xlogy, ("xlogy",), domain="equal", role="spelling"),
    Rewrite(split_xlogy_of_positive, ("xlogy",), needs=("positive",), domain="equal", role="exposing"),
    Rewrite(
        zero_one_times_its_log, ("mul",), below=("log",), needs=("unit", "integer"), domain="extends", role="shorter"
    ),
    Rewrite(logistic_of_reciprocal, ("pow",), domain="equal", role="shorter"),
    Rewrite(merge_exponentials_of_one_argument, ("mul",), below=("exp",), domain="extends", role="shorter"),
    Rewrite(merge_exponentials_that_cancel, ("mul",), below=("exp",), domain="extends", role="shorter"),
    Rewrite(exponential_times_logistic, ("mul",), below=("exp", "sigmoid"), domain="extends", role="shorter"),
    Rewrite(exponential_over_its_sum_is_softmax, ("mul",), below=("exp",), domain="equal", role="exposing"),
    Rewrite(weighted_sum_of_exponentials_over_their_sum, ("mul",), below=("exp",), domain="equal", role="exposing"),
)
