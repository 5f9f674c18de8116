"""Sums of exponentials inside sums of exponentials: each value as m·exp(s), s known as a sum of terms.

In: roots in the algebra form.  Out: the same values, where products of exponentials meet sums that divide by
exponentials, and logarithms sums of sums: shares of mixtures, adjoints of log-sum-exps, the forward-backward algorithm.
Such values are taken apart (`mantissas.py`) as far down as exponentials reach, and one exponential is left where the
result is used, of the terms that do not cancel.
Where no exponential is larger than 1, a sum that is at least as large as a positive term without exponentials neither
overflows nor vanishes, and is left alone: √(…) + ε.
Not handled: running sums; differences of exponentials and log-sum-exps by themselves, which have rewrites of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import sympy

from symnet.expr.facts.assumptions import known
from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Sealed
from symnet.simplify.algebra.hyperbolic import exponential_difference
from symnet.simplify.forms.coefficients import negated, split_coefficient
from symnet.simplify.forms.factors import split_power
from symnet.simplify.forms.signs import is_negative, is_whole
from symnet.simplify.numeric.exponentials.exponential_parts import exponential_parts_of, is_relative
from symnet.simplify.numeric.exponentials.mantissas import ELEMENTWISE, MOVES, TAKEN_APART, Apart, unmoved
from symnet.simplify.numeric.exponentials.reused import Reused
from symnet.simplify.rewrite import GraphRewrite
from symnet.simplify.trace import Step

LOGARITHM, QUOTIENT, REUSE = "logarithm", "quotient", "reuse"  # reuse: where what was made before suffices
LOPSIDED = 8  # more sums multiplied in one term of a polynomial than in another, from which on it is left as it stands
DEEP_IN_LOGARITHMS = 2  # sums within sums, from which on the operand of a logarithm is taken apart


@dataclass(frozen=True)
class Depth:
    """How many sums lie within a product or sum of exponentials, and whether one of them divides.

    Attributes:
        small: no exponential in it is larger than 1.
        most: how many sums are multiplied in a term, at most.
        least: the same, at least.
        weighted: whether terms have weights or signs, so that the largest exponent may belong to the least term.
    """

    sums: int
    divides: bool
    small: bool = False
    most: int = 0
    least: int = 0
    weighted: bool = False

    @property
    def is_lopsided(self) -> bool:
        """Whether the largest exponent of a polynomial says little of its size, its term being small for its weight."""
        return self.weighted and self.most - self.least > LOPSIDED


def take_apart_nested_sums_of_exponentials(roots: Iterable[Node], trace: list[Step] | None = None) -> list[Node]:
    """Σ w·exp(u)/Σ v·exp(z) → p/q·exp(M - N), where Σ w·exp(u) = p·exp(M) and Σ v·exp(z) = q·exp(N).

    The logarithm of the first is log p + M.  Condition: the sums lie within one another; the passes see to others.
    """
    roots = list(roots)
    nodes = topological(*roots)
    depths = _depths(nodes, _divided_by(nodes))
    divisors = {split_power(n)[0] for n in nodes if is_op(n, "pow") and is_negative(split_power(n)[1])}
    targets = {n: kind for n in nodes if (kind := _target(n, depths, divisors)) is not None}
    if not targets:
        return roots
    inside = _below(nodes, set(targets), depths)
    exact = _below(nodes, {n for n in nodes if _is_exact(n, inside, set(targets))}, depths)
    first = set(topological(*(n for n in nodes if n in exact)))
    used = _used(nodes, roots, inside, targets)
    plain: dict[Node, Node] = {}
    apart = Apart()
    sums = {n for n in inside if depths[n].sums or depths[n].divides}
    stands = partial(_stands_apart, depths=depths, within=_within_exponents(inside))
    reused = Reused(apart.scaled, plain, apart.largest, sums, exact, stands)
    for node in (*(n for n in nodes if n in first), *(n for n in nodes if n not in first)):
        if node in inside:
            apart.take(node, plain, node in exact)
        plain[node] = _computed(node, targets.get(node) if node in used else None, apart, reused)
    if trace is not None:
        trace.extend(Step(NESTED_SUMS, n, plain[n], n, plain[n]) for n in nodes if n in targets)
    return [plain[root] for root in roots]


def _used(nodes: list[Node], roots: list[Node], inside: set[Node], targets: dict[Node, str]) -> set[Node]:
    """The values that are computed as they are, not only what they are made of."""
    used = set(roots)
    for node in reversed(nodes):
        whole = node in used and targets.get(node) in (None, REUSE)
        function = node in inside and is_op(node, *TAKEN_APART)
        used |= {o for o in node.operands if whole or function or o not in inside}
    return used


def _computed(node: Node, target: str | None, apart: Apart, reused: Reused) -> Node:
    if target == LOGARITHM:
        return apart.logarithm(node.operands[0])
    made = None if target is None else reused.value(node)
    if made is None and target == QUOTIENT:
        return apart.value(node)
    return with_operands(node, [reused.plain[o] for o in node.operands]) if made is None else made


# --------------------------------------------------------------------------- where


def _divided_by(nodes: list[Node]) -> set[Node]:
    """The probabilities, softmax or logistic, that something divides by, or sums of them and of exponentials alone:
    where they vanish, so does the sum.
    """
    vanish: set[Node] = set()  # values that are 0 where probabilities and exponentials are
    for node in nodes:
        every = all if is_op(node, "add") else any
        if (
            _is_probability(node)
            or _is_exponential(node)
            or (_is_seen_through(node) and every(o in vanish for o in node.operands))
        ):
            vanish.add(node)
    found: set[Node] = set()
    for node in reversed(nodes):
        divides = is_op(node, "pow") and is_negative(split_power(node)[1])
        if node in found or divides:
            found |= {o for o in node.operands if o in vanish}
    return {n for n in found if _is_probability(n)}


def _is_probability(node: Node) -> bool:
    return bool(softmax_axes(node)) or is_op(node, "sigmoid")


def _depths(nodes: list[Node], vanishing: set[Node]) -> dict[Node, Depth]:
    """The depth of every value that exponentials are factors or terms of."""
    found: dict[Node, Depth] = {}
    for node in nodes:
        depth = _depth(node, found)
        if node in vanishing or _is_exponential(node) or exponential_difference(node) is not None:
            depth = Depth(
                0, False, _is_small(node)
            )  # differences have rewrites of their own, beside exponentials alone
        if depth is not None and not depth.is_lopsided:
            found[node] = depth
    return found


def _is_exponential(node: Node) -> bool:
    if not is_op(node, "exp", "cosh", "sinh") or softmax_axes(node):
        return False
    return not is_relative(node.operands[0]) and bool(node.operands[0].free_symbols)


def _depth(node: Node, found: dict[Node, Depth]) -> Depth | None:
    inner = [found[o] for o in node.operands if o in found]
    if not inner or not _is_seen_through(node):
        return None
    sums = max(d.sums for d in inner)
    divides = any(d.divides for d in inner)
    small = all(d.small for d in inner)
    weighted = any(d.weighted for d in inner)
    most, least = sum(d.most for d in inner), sum(d.least for d in inner)
    if is_op(node, "pow"):
        base, exponent = split_power(node)
        if isinstance(exponent, Node) or base not in found:
            return None
        divides |= is_negative(exponent) and exponential_difference(base) is None
        times = int(exponent) if is_whole(exponent) and not is_negative(exponent) else 0
        return Depth(sums, divides, small and not is_negative(exponent), times * most, times * least, weighted)
    if is_op(node, "add"):
        if small and _stays_away_from_zero(node, found):
            return None
        sums = max(d.sums + (not _is_multiple_of_sum(o)) for o in node.operands if (d := found.get(o)))
        most = max([1, *(d.most for d in inner)])
        least = min(found[o].least if o in found else 0 for o in node.operands)
        weighted |= any(o not in found or split_coefficient(o)[0] != 1 for o in node.operands)
        return Depth(sums, divides, small, most, least, weighted)
    if not (is_op(node, "mul") or isinstance(node, Einsum)):
        most, least = max(d.most for d in inner), min(d.least for d in inner)
    weighted |= any(o not in found and number_of(o) != 1 for o in node.operands) and is_op(node, "mul")
    summed = isinstance(node, Einsum) and bool(node.contracted)
    return Depth(sums + summed, divides, small, max(most, int(summed)), max(least, int(summed)), weighted)


def _is_small(node: Node) -> bool:
    """Whether an exponential, a probability or a difference of exponentials is 1 at most."""
    if _is_probability(node):
        return True
    return is_op(node, "exp") and known(negated(node.operands[0]), "nonnegative")


def _stays_away_from_zero(node: Node, found: dict[Node, Depth]) -> bool:
    """Whether a sum is at least as large as one of its terms that is positive and has no exponentials, as √v + ε."""
    apart = [o for o in node.operands if o not in found]
    return any(known(o, "positive") for o in apart) and all(map(_is_never_negative, node.operands))


def _is_never_negative(term: Node) -> bool:
    """Whether a number is at least 0 wherever it is one: so is every even root."""
    exponent = split_power(term)[1]
    return known(term, "nonnegative") or (isinstance(exponent, sympy.Rational) and exponent.q % 2 == 0)


def _is_seen_through(node: Node) -> bool:
    if isinstance(node, Einsum):
        return all(len(set(i)) == len(i) for i in node.inputs)
    return is_op(node, "add", *ELEMENTWISE) or node.kind in MOVES or node.kind == Sealed.kind


def _is_multiple_of_sum(term: Node) -> bool:
    """Whether a term of a sum is a sum over an axis, repeated perhaps: both are one sum."""
    factors = split_coefficient(term)[1]
    core = factors[0] if len(factors) == 1 else term
    while core.kind in ("expand", "reshape"):
        core = core.operands[0]
    return isinstance(core, Einsum) and bool(core.contracted)


def _target(node: Node, depths: dict[Node, Depth], divisors: set[Node]) -> str | None:
    """Whether a value is taken apart: a logarithm of a sum, or a product that has a deep factor and divides."""
    if is_op(node, "log"):
        depth = depths.get(node.operands[0])
        deep = depth is not None and (
            depth.sums >= DEEP_IN_LOGARITHMS or (depth.sums > 0 and _is_of_products(node, divisors))
        )
        return LOGARITHM if deep else None
    depth = depths.get(node)
    if depth is not None and _meets_moved_exponentials(node, depths):
        return QUOTIENT
    if depth is None or not depth.divides or not depth.sums:
        return None
    if is_op(node, "pow"):
        return QUOTIENT if depth.sums > 1 else None
    if not (is_op(node, "mul") or isinstance(node, Einsum)) or sum(o in depths for o in node.operands) < 2:
        return None
    return REUSE if is_op(node, "mul") and not _meets_its_divisor(node, depths) else QUOTIENT


def _meets_moved_exponentials(node: Node, depths: dict[Node, Depth]) -> bool:
    """Whether exponentials are multiplied by some that are joined or cut out, (exp(a) + exp(b))·exp(-c)[1:]: each may
    leave the range, and those of one product are not one exponential yet.
    """
    factors = [o for o in node.operands if o in depths] if is_op(node, "mul") else []
    return (
        len(factors) > 1
        and any(o.kind in ("concat", "slice") for o in factors)
        and not all(depths[o].small for o in factors)
    )


def _meets_its_divisor(node: Node, depths: dict[Node, Depth]) -> bool:
    """Whether what multiplies may be what keeps a divisor finite.

    It is not where only contractions divide, and none of the exponents beside stands in them: exp(-s)·Σ over all rows
    of exp(u)/(exp(u) + exp(v)), a sum that must not wait for the largest exponent of all rows.
    """
    dividing = _dividing(node, depths)
    if not all(_is_multiple_of_sum(o) for o in dividing):
        return True
    beside = _exponents([o for o in node.operands if o in depths and o not in dividing], depths)
    return len(dividing) > 1 or bool(beside & _exponents(dividing, depths))


def _stands_apart(node: Node, factor: Node, depths: dict[Node, Depth], within: set[Node]) -> bool:
    """Whether a factor of a product is computed as it is: a sum that stands in an exponent too, or where contractions
    divide, an exponential that stands in none of them, or stands in exponents.
    """
    if not is_op(factor, *TAKEN_APART) and depths[factor].sums:
        return factor in within
    dividing = _dividing(node, depths)
    if not is_op(node, "mul") or not dividing or factor in dividing:
        return False
    if not all(_is_multiple_of_sum(o) for o in dividing):
        return False
    inside = _exponents(dividing, depths, probabilities=True)
    return factor in within or not _exponents([factor], depths, probabilities=True) & inside


def _within_exponents(inside: set[Node]) -> set[Node]:
    """The values that stand inside exponents, as terms or factors of these."""
    exponents = [n.operands[0] for n in inside if is_op(n, *TAKEN_APART)]
    return set(topological(*exponents, opens=lambda n: _is_seen_through(n) and not is_op(n, *TAKEN_APART)))


def _dividing(node: Node, depths: dict[Node, Depth]) -> list[Node]:
    return [o for o in node.operands if o in depths and depths[o].divides and depths[o].sums]


def _exponents(values: list[Node], depths: dict[Node, Depth], probabilities: bool = False) -> set[Node]:
    """The terms of the exponents in these values, without moves."""
    found: set[Node] = set()
    for node in topological(*values, opens=lambda n: n in depths and not is_op(n, *TAKEN_APART)):
        if node in depths and is_op(node, *TAKEN_APART) and (probabilities or not _is_probability(node)):
            terms = node.operands[0].operands if is_op(node.operands[0], "add") else node.operands
            found |= {unmoved(f) for term in terms for f in split_coefficient(unmoved(term))[1]}
    return found


def _is_of_products(log: Node, divisors: set[Node]) -> bool:
    """Whether a logarithm is of a sum of exponentials with weights, of a product of matrices that each hold some, or of
    any product of matrices that something is divided by too, and so taken apart.
    """
    total = split_coefficient(log.operands[0])[1][0]
    parts = exponential_parts_of(total)
    if (
        isinstance(total, Einsum)
        and total.contracted
        and (parts is None or (total in divisors and len(total.operands) > 1))
    ):
        return True
    return parts is not None and any(p.weight is not None for p in parts)


def _is_exact(node: Node, inside: set[Node], targets: set[Node]) -> bool:
    """Whether it matters where its operand vanishes: a logarithm, or a power that divides."""
    return (node in targets and is_op(node, "log")) or (
        node in inside and is_op(node, "pow") and is_negative(split_power(node)[1])
    )


def _below(nodes: list[Node], values: set[Node], depths: dict[Node, Depth]) -> set[Node]:
    """All nodes that these values are made of, as far down as exponentials reach."""
    inside: set[Node] = set()
    for node in reversed(nodes):
        if node in values or node in inside:
            inside |= {o for o in node.operands if o in depths}
    return inside | {n for n in values if n in depths}


NESTED_SUMS = GraphRewrite(take_apart_nested_sums_of_exponentials, domain="extends", role="stable")
