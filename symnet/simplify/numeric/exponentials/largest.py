"""The largest exponents that sums of exponentials are taken relative to, remembered, and so their exponentials.

In: the mantissas and exponents of a sum's terms.  Out: the terms relative to the largest exponent.  A sum above a
divisor, of exponentials that the divisor adds up too, is taken relative to the divisor's largest: it neither overflows
nor matters where it vanishes, and uses the divisor's exponentials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import elementwise, where
from symnet.expr.nodes.extents import same_extent
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Axes, Node, Shape
from symnet.expr.nodes.reduction import along, top_along
from symnet.simplify.forms.broadcast import cover, trailing, without_repetition
from symnet.simplify.forms.coefficients import ONE, quotient, sum_of_all
from symnet.simplify.forms.factors import Base, Factors, power_of
from symnet.simplify.forms.shifted import distance_below
from symnet.simplify.forms.signs import is_positive
from symnet.simplify.forms.terms import CoresAlongAxes, Terms
from symnet.simplify.numeric.exponentials.exponential_parts import largest
from symnet.simplify.numeric.exponentials.shifts import Placed, copied, joined, placed, placed_product

ScaleKey = tuple[frozenset[tuple[CoresAlongAxes, Expr]], Shape]
Made = tuple[list[Placed], Terms]  # powers, where their axes stand, and the exponent that is left


COUNTS = (sympy.S.One, sympy.Integer(2), sympy.Integer(3))  # powers of exp(s - N) that are made of it


@dataclass(frozen=True)
class Relative:
    """exp(s - N), N the largest s; 0 where the weight is, s may lie above N.

    distance: s - N as terms.
    """

    distance: Terms
    top: Node
    power: Node
    weight: Node

    def serves(self, product: Factors, places: Axes) -> bool:
        """Whether a product, where this stands at `places`, is 0 wherever the weight is."""
        if counts(self.weight):
            return True
        if places != tuple(sorted(places)):
            return False
        bases = Factors.view(cover(self.weight, places, product.shape)).powers
        return all(is_positive(e) and is_positive(product.powers.get(base)) for base, e in bases.items())

    def placement(self, places: dict[int, int], total: Terms, count: Expr) -> Axes | None:
        """Where the axes stand in a total that has all terms of s - N, where those of one term stand given."""
        for (factors, axes), c in sorted(self.distance.coefficients.items(), key=lambda term: -len(term[0][1])):
            if all(a in places for a in axes):
                continue
            for (others, stand), d in total.coefficients.items():
                if others == factors and d == c * count:
                    new = {**dict(zip(axes, stand, strict=True)), **places}
                    if all(new[a] == p for a, p in zip(axes, stand, strict=True)) and len(set(new.values())) == len(
                        new
                    ):
                        places = new
                        break
        if len(places) < len(self.distance.shape):
            return None
        whole = tuple(places[a] for a in range(len(places)))
        same = all(same_extent(n, total.shape[p]) for n, p in zip(self.distance.shape, whole, strict=True))
        return whole if same else None


@dataclass
class Largest:
    """All largest exponents that were made so far, with their exponentials."""

    _along: dict[tuple[ScaleKey, Axes], list[Relative]] = field(default_factory=dict)
    _among: list[dict[ScaleKey, Relative]] = field(default_factory=list)
    _weights: set[Node] = field(default_factory=set)
    _by_term: dict[tuple[Node, ...], list[tuple[Relative, Axes, Expr]]] = field(default_factory=dict)

    def below(self, mantissa: Node, shift: Terms, axes: Axes, exact: bool) -> tuple[Node, Node, Expr]:
        """m·exp(s - c·N), N and c, c·N being the largest s along axes.

        exact: whether it matters where all the terms vanish.
        """
        s = broadcast_to(shift.build(), mantissa.shape)
        if not axes:
            return mantissa, s, ONE
        full = trailing(mantissa.rank, mantissa.rank)
        for count in () if exact else COUNTS:
            for each in self._along.get((key_of(shift.divided(count)), axes), ()):
                if each.serves(Factors.view(mantissa), full):
                    return times_power(mantissa, power_of(each.power, count)), each.top, count
        top = top_along(broadcast_to(if_it_counts(mantissa, s), mantissa.shape), axes)
        kept = tuple(a for a in full if a not in axes)
        power = _relative_power(mantissa, s, along(mantissa, top, axes))
        distance = placed(copied(shift), joined(Terms(top.shape), top), kept, -ONE)
        self._along.setdefault((key_of(shift), axes), []).append(
            self._remember(Relative(distance, top, power, mantissa))
        )
        return times_power(mantissa, power), top, ONE

    def among(self, mantissas: list[Node], shifts: list[Terms], exact: bool) -> tuple[list[Node], Node]:
        """mᵢ·exp(sᵢ - N) and N, the largest of the s."""
        mantissas, shifts = _collected(mantissas, shifts)
        keys = [key_of(s) for s in shifts]
        full = trailing(len(shifts[0].shape), len(shifts[0].shape))
        group = None
        for each in () if exact else self._among:
            if all(k in each for k in keys):
                wholes = [broadcast_to(m, s.shape) for m, s in zip(mantissas, shifts, strict=True)]
                if all(each[k].serves(Factors.view(m), full) for k, m in zip(keys, wholes, strict=True)):
                    group = each
                    break
        if group is None:
            bounded = self._bounded(mantissas, shifts)
            if bounded is not None:
                return bounded, number(0)
            group = self._new_group(mantissas, shifts, keys)
        terms = [times_power(m, group[k].power) for m, k in zip(mantissas, keys, strict=True)]
        return terms, group[keys[0]].top

    def _bounded(self, mantissas: list[Node], shifts: list[Terms]) -> list[Node] | None:
        """The terms of a sum, one of them without exponent and the others by what was made: no largest is asked for."""
        if not any(not s.coefficients and counts(m) for m, s in zip(mantissas, shifts, strict=True)):
            return None
        terms = []
        for m, s in zip(mantissas, shifts, strict=True):
            whole = broadcast_to(m, s.shape)
            made = self.made_of(s, Factors.view(whole))
            if made is None:
                return None
            full = trailing(whole.rank, whole.rank)
            terms.append(placed_product([(whole, full), *made], full, s.shape))
        return terms

    def _new_group(self, mantissas: list[Node], shifts: list[Terms], keys: list[ScaleKey]) -> dict[ScaleKey, Relative]:
        exponents = [s.build() for s in shifts]
        top = largest([if_it_counts(m, s) for m, s in zip(mantissas, exponents, strict=True)])
        shape = shifts[0].shape
        group: dict[ScaleKey, Relative] = {}
        for m, s, exponent, key in zip(mantissas, shifts, exponents, keys, strict=True):
            power = _relative_power(m, exponent, top)
            group[key] = self._remember(Relative(joined(s, top, -ONE), top, power, broadcast_to(m, shape)))
        self._among.append(group)
        return group

    def _remember(self, new: Relative) -> Relative:
        for (factors, axes), c in new.distance.coefficients.items():
            self._by_term.setdefault(factors, []).append((new, axes, c))
        if not counts(new.weight):
            self._weights.update(core for core, _ in Factors.view(new.weight).powers)
        return new

    def guards(self, product: Factors, live: set[int]) -> list[Base]:
        """The factors that vary along `live` axes alone and are weights: a product is 0 where one of them is."""
        return [
            (core, axes)
            for (core, axes), e in product.powers.items()
            if core in self._weights and is_positive(e) and live.issuperset(axes) and axes == tuple(sorted(axes))
        ]

    def keep(self, exponent: Terms, power: Node) -> None:
        """Remember a power exp(s), known to lie in [0, 1], for exponents that are made of it later."""
        self._remember(Relative(exponent, number(0), power, number(1)))

    # ---- sums of what was made

    def made_of(self, total: Terms, product: Factors) -> list[Placed] | None:
        """Powers that were made whose exponents add up to the total, where their axes stand, for a product with these
        factors; None where there are none.
        """
        found = next(self.ways(total, product, lambda term: False), None)
        return None if found is None else found[0]

    def ways(self, total: Terms, product: Factors, waits: Callable[[CoresAlongAxes], bool]) -> Iterator[Made]:
        """Powers that were made, and terms left which all wait, whose exponents add up to the total.

        Args:
            total: the exponent.
            product: what the powers will be multiplied by, or a factor of that.
            waits: whether a term need not be among the powers'.
        """
        needed = [k for k in total.coefficients if not waits(k)]
        if not needed:
            yield [], total
            return
        pivot = max(needed, key=lambda k: (k[0] in self._by_term, len(k[1])))
        for each, places, count in self._candidates(pivot, total):
            left = placed(copied(total), each.distance, places, -count)
            fewer = sum(not waits(k) for k in left.coefficients) < len(needed)
            if fewer and each.serves(product, places):
                for powers, rest in self.ways(left, product, waits):
                    yield [(power_of(each.power, count), places), *powers], rest

    def _candidates(self, pivot: CoresAlongAxes, total: Terms) -> Iterator[tuple[Relative, Axes, Expr]]:
        factors, axes = pivot
        for each, own, c in self._by_term.get(factors, ()):
            count = quotient(total.coefficients[pivot], c)
            if count in COUNTS:
                places = each.placement(dict(zip(own, axes, strict=True)), total, count)
                if places is not None:
                    yield each, places, count


def _collected(mantissas: list[Node], shifts: list[Terms]) -> tuple[list[Node], list[Terms]]:
    """The terms, those with equal exponents as one: a·exp(s) + b·exp(s) is (a + b)·exp(s)."""
    found: dict[ScaleKey, tuple[list[Node], Terms]] = {}
    for m, s in zip(mantissas, shifts, strict=True):
        found.setdefault(key_of(s), ([], s))[0].append(m)
    sums = [sum_of_all(each) for each, _ in found.values()]
    return sums, [s for _, s in found.values()]


def key_of(shift: Terms) -> ScaleKey:
    return frozenset(shift.coefficients.items()), shift.shape


def _relative_power(mantissa: Node, exponent: Node, top: Node) -> Node:
    return elementwise("exp", where_it_counts(mantissa, distance_below(exponent, top)))


def times_power(mantissa: Node, power: Node) -> Node:
    """m·exp(s), nothing multiplied by 1."""
    return power if number_of(without_repetition(mantissa)) == 1 else elementwise("mul", mantissa, power)


def if_it_counts(mantissa: Node, shift: Node) -> Node:
    """The shift, or -∞ where the mantissa is 0, so that no largest is taken from there."""
    return shift if counts(mantissa) else where(elementwise("ne", mantissa, 0), shift, number(-sympy.oo))


def where_it_counts(mantissa: Node, shift: Node) -> Node:
    """The shift, or 0 where the mantissa is 0, so that 0·∞ is met nowhere."""
    return shift if counts(mantissa) else where(elementwise("ne", mantissa, 0), shift, 0)


def counts(mantissa: Node) -> bool:
    """Whether a mantissa is known not to be 0."""
    return known(mantissa, "nonzero")
