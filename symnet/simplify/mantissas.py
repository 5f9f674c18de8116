"""Values as m·exp(s): a mantissa, and an exponent known as a sum of terms.

In: a node, its operands already taken apart.  Out: the node taken apart.  A product adds the exponents of its factors,
a power multiplies them, a move moves them, and a sum takes the largest (`largest.py`):
Σ mᵢ·exp(sᵢ) = (Σ mᵢ·exp(sᵢ - N))·exp(N).  What all the sᵢ share is taken out before, so that what multiplies and what
divides cancel as terms, exactly.
Not handled: products of matrices that both hold exponentials (each is taken relative to its own largest).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import sympy
from sympy import Expr

from symnet.expr.assumptions import known
from symnet.expr.constants import number, number_of
from symnet.expr.contraction import Einsum, contract
from symnet.expr.elementwise import elementwise, is_op, where
from symnet.expr.expansion import Expand
from symnet.expr.graph import with_operands
from symnet.expr.movement import broadcast_to
from symnet.expr.node import Node
from symnet.expr.symbols import Sealed
from symnet.simplify.broadcast import Axes, trailing, without_repetition
from symnet.simplify.coefficients import ONE, negated, product, sum_of_all
from symnet.simplify.exponential_parts import as_one_operand, largest
from symnet.simplify.factors import split_power
from symnet.simplify.hyperbolic import exponential_difference
from symnet.simplify.largest import Largest, times
from symnet.simplify.shifted import distance_below
from symnet.simplify.terms import Terms

MANY = 6  # terms that are multiplied out
MOVES = ("expand", "reshape", "slice", "take", "place", "concat")


@dataclass(frozen=True)
class Scaled:
    """mantissa·exp(shift), the mantissa of the value's shape.

    terms: of a sum, perhaps multiplied, the same as the sum of these: each may be computed with an exponential that is
        there already, and then no largest is asked for.
    """

    mantissa: Node
    shift: Terms
    terms: tuple[Scaled, ...] = ()


@dataclass
class Apart:
    """The values that were taken apart so far, and the largest exponents that they are relative to."""

    scaled: dict[Node, Scaled] = field(default_factory=dict)
    largest: Largest = field(default_factory=Largest)

    def take(self, node: Node, plain: dict[Node, Node], exact: bool) -> None:
        """Take a value apart.

        Args:
            node: a product, sum, power, choice, move or contraction of exponentials, or one of those.
            plain: its operands as they are computed where they are not taken apart.
            exact: whether it matters where it vanishes: it divides, or its logarithm is asked for.
        """
        self.scaled[node] = self._apart(node, plain, exact)

    def value(self, node: Node) -> Node:
        """The value of what was taken apart."""
        whole = self.scaled[node]
        made = [self.largest.made(t.mantissa, t.shift) for t in whole.terms]
        if made and all(power is not None for power in made):
            terms = [times(t.mantissa, power) for t, power in zip(whole.terms, made, strict=True) if power is not None]
            return broadcast_to(elementwise("add", *terms), node.shape)
        return broadcast_to(times(whole.mantissa, self.largest.power(whole.mantissa, whole.shift)), node.shape)

    def logarithm(self, node: Node) -> Node:
        """The logarithm of what was taken apart."""
        shift, log = self.scaled[node].shift, elementwise("log", self.scaled[node].mantissa)
        return broadcast_to(elementwise("add", shift.build(), log), shift.shape) if shift.coefficients else log

    def _apart(self, node: Node, plain: dict[Node, Node], exact: bool) -> Scaled:
        if is_op(node, *FUNCTIONS):
            scaled: Scaled = FUNCTIONS[node.op](plain[node.operands[0]])  # type: ignore[attr-defined]
            if known(node, "unit"):
                self.largest.keep(scaled.shift, with_operands(node, [plain[node.operands[0]]]))
            return scaled
        operands = [self.scaled.get(o) or Scaled(plain[o], Terms(o.shape)) for o in node.operands]
        if node.kind == Sealed.kind:
            return operands[0]
        if isinstance(node, Einsum):
            return _of_contraction(node, operands, self.largest, exact)
        if isinstance(node, Expand):
            return _repeated(node, operands[0])
        if node.kind in MOVES:
            return _moved(node, operands)
        if is_op(node, "add"):
            return _of_sum(node, operands, self.largest, exact)
        return ELEMENTWISE[node.op](node, operands)  # type: ignore[attr-defined]


# --------------------------------------------------------------------------- elementwise


def _of_exponential(u: Node) -> Scaled:
    return Scaled(broadcast_to(number(1), u.shape), Terms.of(u))


def _of_logistic(u: Node) -> Scaled:
    """σ(u) = exp(-softplus(-u))."""
    return Scaled(
        broadcast_to(number(1), u.shape), Terms.of(elementwise("mul", -1, elementwise("softplus", negated(u))))
    )


def _of_hyperbolic_cosine(u: Node) -> Scaled:
    """cosh(u) = (1 + exp(-2·|u|))/2·exp(|u|)."""
    size = elementwise("abs", u)
    below = elementwise("exp", elementwise("mul", -2, size))
    return Scaled(elementwise("mul", number(sympy.S.Half), elementwise("add", 1, below)), Terms.of(size))


def _of_hyperbolic_sine(u: Node) -> Scaled:
    """sinh(u) = -sign(u)·expm1(-2·|u|)/2·exp(|u|)."""
    size = elementwise("abs", u)
    below = elementwise("expm1", elementwise("mul", -2, size))
    return Scaled(elementwise("mul", number(-sympy.S.Half), elementwise("sign", u), below), Terms.of(size))


def _of_product(node: Node, operands: list[Scaled]) -> Scaled:
    shift = Terms(node.shape)
    for each in operands:
        _add(shift, each.shift)
    mantissas = [o.mantissa for o in operands if number_of(without_repetition(o.mantissa)) != 1]
    sums = [o for o in operands if o.terms]
    terms = [
        _of_product(node, [t if o is sums[0] else replace(o, terms=()) for o in operands])
        for t in (sums[0].terms if len(sums) == 1 else ())
    ]
    return Scaled(broadcast_to(product(ONE, tuple(mantissas)), node.shape), shift, tuple(terms))


def _of_power(node: Node, operands: list[Scaled]) -> Scaled:
    _, exponent = split_power(node)
    assert isinstance(exponent, Expr)
    base = operands[0]
    mantissa = (
        base.mantissa
        if number_of(without_repetition(base.mantissa)) == 1
        else with_operands(node, [base.mantissa, node.operands[1]])
    )
    return Scaled(broadcast_to(mantissa, node.shape), _add(Terms(node.shape), base.shift, exponent))


def _of_sum(node: Node, operands: list[Scaled], tops: Largest, exact: bool) -> Scaled:
    shifts = [_add(Terms(node.shape), o.shift) for o in operands]
    shared, rests = _without_shared(shifts)
    mantissas = [o.mantissa for o in operands]
    if not any(r.coefficients for r in rests):
        return Scaled(with_operands(node, mantissas), shared)
    if exponential_difference(node) is not None:
        exponents = [r.build() for r in rests]
        return Scaled(_difference(operands, exponents), _with(shared, largest(exponents)))
    terms, top = tops.among(mantissas, rests, exact)
    apart = [Scaled(broadcast_to(m, node.shape), s) for m, s in zip(mantissas, shifts, strict=True)]
    multiplied_out = () if exact or len(apart) > MANY else tuple(apart)
    return Scaled(broadcast_to(sum_of_all(terms), node.shape), _with(shared, top), multiplied_out)


def _difference(operands: list[Scaled], exponents: list[Node]) -> Node:
    """exp(a) - exp(b) below the larger: sign(a - b)·(1 - exp(-|a - b|))."""
    a, b = exponents if number_of(without_repetition(operands[0].mantissa)) == 1 else exponents[::-1]
    away = distance_below(a, b)
    below = elementwise("expm1", elementwise("mul", -1, elementwise("abs", away)))
    return elementwise("mul", -1, elementwise("sign", away), below)


def _of_choice(node: Node, operands: list[Scaled]) -> Scaled:
    condition, *branches = operands
    mantissa = with_operands(node, [condition.mantissa, *(b.mantissa for b in branches)])
    if branches[0].mantissa is branches[1].mantissa:
        mantissa = broadcast_to(branches[0].mantissa, node.shape)
    shifts = [_add(Terms(node.shape), b.shift) for b in branches]
    chosen = [
        number(0) if number_of(without_repetition(b.mantissa)) == 0 else s.build()
        for b, s in zip(branches, shifts, strict=True)
    ]
    if shifts[0].coefficients == shifts[1].coefficients:
        return Scaled(mantissa, shifts[0])
    return Scaled(mantissa, _with(Terms(node.shape), where(condition.mantissa, *chosen)))


def _repeated(node: Expand, operand: Scaled) -> Scaled:
    shift = Terms(node.shape)
    for (factors, axes), c in operand.shift.coefficients.items():
        shift.plus(product(ONE, factors), tuple(node.axes[a] for a in axes), c)
    terms = tuple(_repeated(node, t) for t in operand.terms)
    return Scaled(with_operands(node, [operand.mantissa]), shift, terms)


def _moved(node: Node, operands: list[Scaled]) -> Scaled:
    shapes = [o.shape for o in node.operands]
    mantissa = with_operands(node, [o.mantissa for o in operands])
    if not any(o.shift.coefficients for o in operands):
        return Scaled(mantissa, Terms(node.shape))
    if node.kind == "concat":
        moved = with_operands(node, [broadcast_to(o.shift.build(), s) for o, s in zip(operands, shapes, strict=True)])
    else:
        moved = with_operands(node, [broadcast_to(operands[0].shift.build(), shapes[0]), *node.operands[1:]])
    return Scaled(mantissa, _with(Terms(node.shape), moved))


# --------------------------------------------------------------------------- contractions


def _of_contraction(node: Einsum, operands: list[Scaled], tops: Largest, exact: bool) -> Scaled:
    """Σ over indices: what varies along none of them stands outside, the rest is taken below its largest."""
    everything = tuple(dict.fromkeys((*node.output, *node.contracted)))
    shift = Terms(tuple(node.extents[i] for i in everything))
    for each, indices in zip(operands, node.inputs, strict=True):
        _place(shift, each.shift, tuple(everything.index(i) for i in indices))
    outside, varying = Terms(node.shape), Terms(shift.shape)
    for (factors, axes), c in shift.coefficients.items():
        target = outside if all(a < node.rank for a in axes) else varying
        target.plus(product(ONE, factors), axes, c)
    mantissas = [o.mantissa for o in operands]
    if not varying.coefficients:
        return Scaled(with_operands(node, mantissas), outside)
    whole = as_one_operand(contract(node.inputs, node.output, *mantissas)) if len(mantissas) > 1 else mantissas[0]
    if whole is None:
        return _by_own_largest(node, operands, tops, exact)
    indices = max(node.inputs, key=len)
    own = _restricted(varying, [everything.index(i) for i in indices])
    taken, top, count = tops.below(whole, own, tuple(a for a, i in enumerate(indices) if i in node.contracted), exact)
    kept = tuple(i for i in indices if i in node.output)
    turned = contract([kept], node.output, top) if kept != node.output else top
    return Scaled(contract([indices], node.output, taken), _with(outside, turned, count))


def _by_own_largest(node: Einsum, operands: list[Scaled], tops: Largest, exact: bool) -> Scaled:
    """Each operand below its own largest; one whose indices another has gives that its exponent."""
    outside, taken = Terms(node.shape), list[Node]()
    for each, indices in zip(_joined(node, operands), node.inputs, strict=True):
        if not each.shift.coefficients:
            taken.append(each.mantissa)
            continue
        new, top, count = tops.below(
            each.mantissa, each.shift, tuple(a for a, i in enumerate(indices) if i in node.contracted), exact
        )
        taken.append(new)
        kept = [i for i in indices if i in node.output]
        _place(outside, _with(Terms(top.shape), top, count), tuple(node.output.index(i) for i in kept))
    return Scaled(with_operands(node, taken), outside)


def _joined(node: Einsum, operands: list[Scaled]) -> list[Scaled]:
    """The operands, a term of an exponent given to the operand that has one of more indices, these among them: there
    they cancel, Σ over i of exp(s[i, j])·x[i, k]·exp(-N[i]) being Σ over i of exp(s[i, j] - N[i])·x[i, k].
    """
    met = [
        (k, key, frozenset(indices[a] for a in key[1]), c)
        for k, (each, indices) in enumerate(zip(operands, node.inputs, strict=True))
        for key, c in each.shift.coefficients.items()
    ]
    shifts = [Terms(o.shift.shape) for o in operands]
    for k, (factors, axes), own, c in met:
        into = min((-len(other), n) for n, _, other, _ in met if own <= other)[1]
        _turned(shifts[into], product(ONE, factors), tuple(node.inputs[into].index(node.inputs[k][a]) for a in axes), c)
    return [replace(o, shift=s, terms=()) for o, s in zip(operands, shifts, strict=True)]


def _restricted(shift: Terms, places: list[int]) -> Terms:
    """The shift, over the axes at `places` alone, in their order."""
    new = Terms(tuple(shift.shape[p] for p in places))
    for (factors, axes), c in shift.coefficients.items():
        _turned(new, product(ONE, factors), tuple(places.index(a) for a in axes), c)
    return new


# --------------------------------------------------------------------------- shifts


def _add(total: Terms, shift: Terms, coefficient: Expr = ONE) -> Terms:
    """The total with a multiple of a shift whose shape broadcasts to its own."""
    lead = len(total.shape) - len(shift.shape)
    for (factors, axes), c in shift.coefficients.items():
        total.plus(product(ONE, factors), tuple(a + lead for a in axes), c * coefficient)
    return total


def _place(total: Terms, shift: Terms, places: Axes) -> None:
    """Add a shift whose axes stand at `places` of the total."""
    for (factors, axes), c in shift.coefficients.items():
        _turned(total, product(ONE, factors), tuple(places[a] for a in axes), c)


def _turned(total: Terms, core: Node, axes: Axes, coefficient: Expr) -> None:
    """Add a term whose axes may stand in another order in the total."""
    ordered = tuple(sorted(axes))
    if ordered != axes:
        core = contract([axes], ordered, broadcast_to(core, tuple(total.shape[a] for a in axes)))
    total.plus(core, ordered, coefficient)


def _with(shift: Terms, node: Node, count: Expr = ONE) -> Terms:
    """The shift and a multiple of one term more."""
    new = Terms(shift.shape)
    new.coefficients = dict(shift.coefficients)
    return new.plus(node, trailing(node.rank, len(shift.shape)), count)


def _without_shared(shifts: list[Terms]) -> tuple[Terms, list[Terms]]:
    """The terms that all shifts have, and what is left of each."""
    shared = Terms(shifts[0].shape)
    first = shifts[0].coefficients
    shared.coefficients = {k: c for k, c in first.items() if all(s.coefficients.get(k) == c for s in shifts)}
    rests = []
    for each in shifts:
        rest = Terms(each.shape)
        rest.coefficients = {k: c for k, c in each.coefficients.items() if k not in shared.coefficients}
        rests.append(rest)
    return shared, rests


FUNCTIONS: dict[str, Callable[[Node], Scaled]] = {
    "exp": _of_exponential,
    "sigmoid": _of_logistic,
    "cosh": _of_hyperbolic_cosine,
    "sinh": _of_hyperbolic_sine,
}
ELEMENTWISE: dict[str, Callable[[Node, list[Scaled]], Scaled]] = {
    "mul": _of_product,
    "pow": _of_power,
    "where": _of_choice,
}
