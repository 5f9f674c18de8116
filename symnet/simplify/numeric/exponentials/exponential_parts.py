"""Sums of exponentials as data: the parts of Σ w·exp(u), seen relative to the largest u.

In: a sum.  Out: its `ExponentialPart`s.  A number c among the terms is exp(log c); what is no exponential is a weight
of exp(0); a logistic function σ(u) is exp(-softplus(-u)); an exponential may be moved (`logarithms.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce as reduced

import sympy

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.contraction import sum as sum_over
from symnet.expr.nodes.elementwise import elementwise, equal, is_op, operands_of, where
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Axes, Node, Shape, kept_on_node
from symnet.expr.nodes.reduction import along, reduce, top_along
from symnet.simplify.algebra.hoisting import is_move
from symnet.simplify.forms.broadcast import without_repetition
from symnet.simplify.forms.coefficients import ONE, may_join, product, split_coefficient, sum_of_all
from symnet.simplify.forms.exponential_numbers import log_of_number, split_number
from symnet.simplify.forms.factors import split_power
from symnet.simplify.forms.shifted import distance_below
from symnet.simplify.forms.signs import is_positive
from symnet.simplify.numeric.exponentials.logarithms import logarithm_of


def is_relative(x: Node) -> bool:
    """Whether x is a distance below the largest, made here, repeated perhaps."""
    x = without_repetition(x)
    if not is_op(x, "where"):
        return False
    condition, a, b = x.operands
    if is_op(condition, "ne"):
        return number_of(b) == 0 and is_relative(a)
    return is_op(condition, "eq") and number_of(a) == 0 and x is distance_below(*condition.operands)


@dataclass(frozen=True)
class ExponentialPart:
    """scale·Σ w·exp(u) over `axes` (none: w·exp(u) alone); w is None where it is 1, and may have any sign.

    in_unit: whether exp(u) is known to lie in [0, 1].
    scale: a positive number; u + log(scale) would be rounded to an ulp of u.
    """

    argument: Node
    axes: Axes = ()
    weight: Node | None = None
    in_unit: bool = False
    scale: sympy.Expr = ONE

    @property
    def always_counts(self) -> bool:
        """Whether the weight is known not to be 0."""
        return self.weight is None or known(self.weight, "nonzero")

    @property
    def highest(self) -> Node:
        """The largest u along the summed axes, elements whose weight is 0 left out."""
        counted = self.argument
        if not self.always_counts:
            counted = where(elementwise("ne", self.weight, 0), self.argument, number(-sympy.oo))
        return top_along(counted, self.axes) if self.axes else counted

    def times(self, coefficient: sympy.Expr) -> ExponentialPart:
        """The part multiplied by a number."""
        if coefficient == 1:
            return self
        coefficient, exponent = split_number(coefficient)
        if exponent != 0:
            return replace(self, argument=_plus(self.argument, exponent)).times(coefficient)
        if not is_positive(coefficient) or self.weight is not None:
            weight = number(coefficient) if self.weight is None else elementwise("mul", coefficient, self.weight)
            whole = broadcast_to(weight, self.argument.shape) if self.axes else weight
            return replace(self, weight=whole)
        return replace(self, scale=self.scale * coefficient)

    def folded(self) -> ExponentialPart:
        """The part with its scale in the exponent, as logarithms are added up."""
        if self.scale == 1:
            return self
        return replace(self, argument=_plus(self.argument, log_of_number(self.scale)), scale=ONE)

    @property
    def is_bounded(self) -> bool:
        """Whether exp(u) cannot overflow: it is a number up to 1, in [0, 1], or was taken relative to the largest."""
        fixed = number_of(self.argument)
        return self.in_unit or is_relative(self.argument) if fixed is None else not is_positive(fixed)

    @property
    def is_number(self) -> bool:
        """Whether exp(u) is the same whatever the data."""
        return number_of(self.argument) is not None

    @property
    def stands_firm(self) -> bool:
        """Whether the part is known not to be 0."""
        return (number_of(self.argument) == 0 and self.weight is None) or is_relative(self.argument)

    def distance(self, shift: Node) -> Node:
        """u - shift, 0 where there is no weight (there u may stand above the shift)."""
        away = distance_below(self.argument, self.beside(shift))
        return away if self.always_counts else where(elementwise("ne", self.weight, 0), away, 0)

    def beside(self, shift: Node) -> Node:
        """The shift, one number for each sum, repeated along the summed axes, as u is."""
        return along(self.argument, shift, self.axes) if self.axes else shift

    def weighted_sum(self, power: Node) -> Node:
        """Σ w·power."""
        whole = power if self.weight is None else elementwise("mul", self.weight, power)
        total = sum_over(whole, self.axes) if self.axes else whole
        return total if self.scale == 1 else elementwise("mul", number(self.scale), total)

    def relative(self, shift: Node) -> Node:
        """Σ w·exp(u - shift)."""
        return self.weighted_sum(elementwise("exp", self.distance(shift)))

    def below_top(self, shift: Node) -> tuple[Node, Node]:
        """Σ exp(u - shift) over the u below the shift, and how many stand at it."""
        top = equal(self.argument, self.beside(shift))
        rest = where(top, 0, elementwise("exp", self.distance(shift)))
        return self.weighted_sum(rest), self.weighted_sum(elementwise("indicator", top))


def exponential_parts_of(total: Node) -> list[ExponentialPart] | None:
    """The parts of a sum in which exponentials stand, or None where there is none.  All terms without exponentials are
    one part, a weight of exp(0).
    """
    terms = operands_of("add", total)
    parts = [(term, _part(term, total.shape)) for term in terms]
    found = [part for _, part in parts if part is not None]
    if all(part.is_number for part in found):
        return None
    rest = [term for term, part in parts if part is None]
    if not rest:
        return found
    numbers = [term for term in terms if number_of(term) is not None and term not in rest]
    found = [part for term, part in parts if part is not None and term not in numbers]
    return [*found, ExponentialPart(number(0), (), sum_of_all([*rest, *numbers]))]


def _part(term: Node, shape: Shape) -> ExponentialPart | None:
    """The part that a term of a sum of `shape` is; None where it is no multiple of an exponential."""
    coefficient, factors = split_coefficient(term)
    if not factors:
        return ExponentialPart(number(0)).times(coefficient) if is_positive(coefficient) else None
    if len(factors) == 1 and isinstance(factors[0], Einsum) and not is_move(factors[0]):
        part = _summed_part(factors[0])
        if part is not None and term.shape != shape:
            part = _as_one_exponential(part)
        return None if part is None else part.times(coefficient)
    part = _multiple(factors)
    return None if part is None else part.times(coefficient)


def _multiple(factors: tuple[Node, ...]) -> ExponentialPart | None:
    """w·exp(u) of a product, the logarithms of its factors added up as far as they are known."""
    if len(factors) == 1 and is_op(factors[0], "where") and logarithm_of(factors[0]) is None:
        return _chosen_part(*factors[0].operands)
    coefficient, factors = _apart(factors)
    logs = [None if _is_settled(f) else logarithm_of(f) for f in factors]
    if all(log is None for log in logs):
        return None
    logs = [_log_of_sum(f) if log is None else log for f, log in zip(factors, logs, strict=True)]
    known_logs = [log for log in logs if log is not None]
    rest = tuple(f for f, log in zip(factors, logs, strict=True) if log is None)
    in_unit = all(known(f, "unit") for f, log in zip(factors, logs, strict=True) if log is not None)
    return ExponentialPart(sum_of_all(known_logs), (), product(ONE, rest) if rest else None, in_unit).times(coefficient)


def _apart(factors: Sequence[Node]) -> tuple[sympy.Expr, tuple[Node, ...]]:
    """A product's number and its other factors: the logarithm of the number would be rounded to an ulp of u."""
    coefficient, rest = ONE, list[Node]()
    for factor in _opened(factors):
        c, inner = split_coefficient(factor)
        if c.is_finite and c != 0 and may_join(coefficient, c):
            coefficient *= c
            rest += _opened(inner)
        else:
            rest.append(factor)
    return coefficient, tuple(rest)


def _log_of_sum(factor: Node) -> Node | None:
    """log(exp(a) + exp(b)) of the factor in (exp(a) + exp(b))·exp(c), which may leave the range where that does not."""
    return elementwise("log", factor) if is_op(factor, "add") and _is_positive_sum_out_of_range(factor) else None


@kept_on_node
def _is_positive_sum_out_of_range(total: Node) -> bool:
    parts = exponential_parts_of(total)
    return parts is not None and all(p.weight is None for p in parts) and needs_shift(parts)


def _chosen_part(condition: Node, term: Node, other: Node) -> ExponentialPart | None:
    """The part of where(c, w·exp(u), 0)."""
    part = _multiple(operands_of("mul", term)) if number_of(without_repetition(other)) == 0 else None
    if part is None or part.weight is None:
        return None
    weight = where(condition, part.weight, 0)
    return replace(part, argument=where(condition, part.argument, number(-sympy.oo)), weight=weight)


def _is_settled(factor: Node) -> bool:
    """Whether a factor is a power of a sum taken relative to its largest, which neither overflows nor vanishes."""
    base = without_repetition(split_power(factor)[0])
    if not isinstance(base, Einsum) or not base.is_sum or not is_op(base.operands[0], "exp"):
        return False
    return is_relative(base.operands[0].operands[0])


def _opened(factors: Sequence[Node]) -> Iterator[Node]:
    """The factors, products among them opened: what is shared stands in brackets, (w·exp(u))·x."""
    stack = list(reversed(factors))
    while stack:
        factor = stack.pop()
        if is_op(factor, "mul") and logarithm_of(factor) is None:
            stack.extend(reversed(factor.operands))
        else:
            yield factor


def _summed_part(total: Einsum) -> ExponentialPart | None:
    """Σ w·exp(u); of several operands, where one of them has every index."""
    inside = total.operands[0] if total.is_sum else as_one_operand(total)
    if inside is None:
        return None
    part = _multiple(operands_of("mul", inside))
    if part is None:
        return None
    indices = max(total.inputs, key=len)
    axes = tuple(a for a, i in enumerate(indices) if i not in total.output)
    weight = None if part.weight is None else broadcast_to(part.weight, inside.shape)
    return ExponentialPart(broadcast_to(part.argument, inside.shape), axes, weight, part.in_unit)


def _as_one_exponential(part: ExponentialPart) -> ExponentialPart:
    """Σ exp(u) as exp(logsumexp(u)), Σ w·exp(u) as x·exp(N), N the largest u: what repeats along axes of a sum of more
    axes has no axes of its own there, and another shift for each of its repetitions.
    """
    if part.weight is None:
        return replace(part, argument=reduce("logsumexp", part.argument, part.axes), axes=())
    top = finite(part.highest)
    return ExponentialPart(top, (), replace(part, scale=ONE).relative(top), False, part.scale)


def _plus(argument: Node, exponent: sympy.Expr) -> Node:
    fixed = number_of(argument)
    return elementwise("add", argument, number(exponent)) if fixed is None else number(fixed + exponent)


def finite(shift: Node) -> Node:
    """A shift with 0 in the place of ±∞."""
    return where(elementwise("lt", elementwise("abs", shift), number(sympy.oo)), shift, 0)


def as_one_operand(total: Einsum) -> Node | None:
    """The product that a contraction sums, its operands repeated to the indices of the largest."""
    whole = max(total.inputs, key=len)
    every = {i for indices in total.inputs for i in indices}
    kept = tuple(i for i in whole if i in total.output)
    if len(set(whole)) != len(whole) or set(whole) != every or kept != total.output or kept == whole:
        return None
    if any(len(set(indices)) != len(indices) for indices in total.inputs):
        return None
    shape = total.operands[total.inputs.index(whole)].shape
    spread = []
    for operand, indices in zip(total.operands, total.inputs, strict=True):
        ordered = tuple(i for i in whole if i in indices)
        turned = operand if ordered == tuple(indices) else contract([indices], ordered, operand)
        spread.append(expand(turned, shape, tuple(whole.index(i) for i in ordered)))
    factors = [f for o in spread for f in (o.operands if is_op(o, "mul") and o.shape == shape else (o,))]
    return factors[0] if len(factors) == 1 else elementwise("mul", *factors)


def needs_shift(parts: list[ExponentialPart]) -> bool:
    """Whether a term may overflow, or all of them vanish."""
    if len(parts) == 1 and parts[0].weight is None and not parts[0].axes:
        return False
    return not all(p.is_bounded for p in parts) or not any(p.stands_firm for p in parts)


def highest(parts: list[ExponentialPart]) -> Node:
    """The largest exponent of all parts."""
    return largest([part.highest for part in parts])


def largest(nodes: Iterable[Node]) -> Node:
    """The largest of some nodes, compared in one order, so that the same nodes always make the same maximum."""
    first, *others = sorted(dict.fromkeys(nodes), key=lambda n: n.digest)
    return reduced(lambda top, each: elementwise("maximum", top, each), others, first)
