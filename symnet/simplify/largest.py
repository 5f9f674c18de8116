"""The largest exponents that sums of exponentials are taken relative to, remembered, and so their exponentials.

In: the mantissas and exponents of a sum's terms.  Out: the terms relative to the largest exponent.  A sum above a
divisor, of exponentials that the divisor adds up too, is taken relative to the divisor's largest: it neither overflows
nor matters where it vanishes, and uses the divisor's exponentials.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy
from sympy import Expr

from symnet.expr.assumptions import known
from symnet.expr.constants import number, number_of
from symnet.expr.elementwise import elementwise, where
from symnet.expr.movement import broadcast_to
from symnet.expr.node import Node, Shape
from symnet.expr.reduction import along, reduce
from symnet.simplify.broadcast import Axes, core_of, cover, trailing, without_repetition
from symnet.simplify.coefficients import ONE, quotient, sum_of_all
from symnet.simplify.exponential_parts import largest
from symnet.simplify.factors import Factors, power_of
from symnet.simplify.shifted import distance_below
from symnet.simplify.signs import is_positive
from symnet.simplify.terms import Monomial, Terms

Key = tuple[frozenset[tuple[Monomial, Expr]], Shape]


COUNTS = (sympy.S.One, sympy.Integer(2), sympy.Integer(3))  # powers of exp(s - N) that are made of it


@dataclass(frozen=True)
class Relative:
    """exp(s - N), N the largest s; 0 where the weight is, s may lie above N.

    axes: those of s along which N varies.
    """

    exponent: Terms
    top: Node
    axes: Axes
    power: Node
    weight: Node

    def serves(self, mantissa: Node, places: Axes) -> bool:
        """Whether a product that stands at `places` is 0 wherever the weight is."""
        if counts(self.weight):
            return True
        product = Factors.view(mantissa).powers
        bases = Factors.view(cover(self.weight, places, mantissa.shape)).powers
        return all(is_positive(e) and is_positive(product.get(base)) for base, e in bases.items())


@dataclass
class Largest:
    """All that were made so far."""

    _along: dict[tuple[Key, Axes], list[Relative]] = field(default_factory=dict)
    _among: list[dict[Key, Relative]] = field(default_factory=list)
    _kept: dict[Key, Node] = field(default_factory=dict)
    _by_top: dict[Node, list[Relative]] = field(default_factory=dict)

    def below(self, mantissa: Node, shift: Terms, axes: Axes, exact: bool) -> tuple[Node, Node, Expr]:
        """m·exp(s - c·N), N and c, c·N being the largest s along axes.

        exact: whether it matters where all the terms vanish.
        """
        s = broadcast_to(shift.build(), mantissa.shape)
        if not axes:
            return mantissa, s, ONE
        full = trailing(mantissa.rank, mantissa.rank)
        for count in () if exact else COUNTS:
            for each in self._along.get((_key(shift.divided(count)), axes), ()):
                if each.serves(mantissa, full):
                    return times(mantissa, power_of(each.power, count)), each.top, count
        top = reduce("max", broadcast_to(if_it_counts(mantissa, s), mantissa.shape), axes)
        kept = tuple(a for a in full if a not in axes)
        power = _relative_power(mantissa, s, along(mantissa, top, axes))
        self._along.setdefault((_key(shift), axes), []).append(
            self._remember(Relative(shift, top, kept, power, mantissa))
        )
        return times(mantissa, power), top, ONE

    def among(self, mantissas: list[Node], shifts: list[Terms], exact: bool) -> tuple[list[Node], Node]:
        """mᵢ·exp(sᵢ - N) and N, the largest of the s."""
        mantissas, shifts = _collected(mantissas, shifts)
        keys = [_key(s) for s in shifts]
        full = trailing(len(shifts[0].shape), len(shifts[0].shape))
        group = None
        for each in () if exact else self._among:
            if all(k in each for k in keys):
                wholes = [broadcast_to(m, s.shape) for m, s in zip(mantissas, shifts, strict=True)]
                if all(each[k].serves(m, full) for k, m in zip(keys, wholes, strict=True)):
                    group = each
                    break
        if group is None:
            group = self._new_group(mantissas, shifts, keys)
        terms = [times(m, group[k].power) for m, k in zip(mantissas, keys, strict=True)]
        return terms, group[keys[0]].top

    def _new_group(self, mantissas: list[Node], shifts: list[Terms], keys: list[Key]) -> dict[Key, Relative]:
        exponents = [s.build() for s in shifts]
        top = largest([if_it_counts(m, s) for m, s in zip(mantissas, exponents, strict=True)])
        shape = shifts[0].shape
        axes = core_of(top, trailing(top.rank, len(shape)), shape)[1]
        group: dict[Key, Relative] = {}
        for m, s, exponent, key in zip(mantissas, shifts, exponents, keys, strict=True):
            power = _relative_power(m, exponent, top)
            group[key] = self._remember(Relative(s, top, axes, power, broadcast_to(m, shape)))
        self._among.append(group)
        return group

    def _remember(self, new: Relative) -> Relative:
        self._by_top.setdefault(core_of(new.top, trailing(new.top.rank, new.top.rank), new.top.shape)[0], []).append(
            new
        )
        return new

    def keep(self, exponent: Terms, power: Node) -> None:
        """Remember exp(s) that lies in [0, 1]."""
        self._kept[_key(exponent)] = power

    def power(self, mantissa: Node, shift: Terms) -> Node:
        """exp(s), where m counts: one that was made before, if there is one."""
        made = self.made(mantissa, shift)
        return elementwise("exp", where_it_counts(mantissa, shift.build())) if made is None else made

    def made(self, mantissa: Node, shift: Terms) -> Node | None:
        """exp(s), where m counts, if it was made before."""
        if not shift.coefficients:
            return cover(number(1), (), shift.shape)
        kept = self._kept.get(_key(shift))
        if kept is not None:
            return kept
        whole = broadcast_to(mantissa, shift.shape)
        for monomial, c in shift.coefficients.items():
            for each in self._by_top.get(monomial[0][0], ()) if len(monomial[0]) == 1 and -c in COUNTS else ():
                rest = {k: quotient(v, -c) for k, v in shift.coefficients.items() if k != monomial}
                live = tuple(sorted({a for _, axes in rest for a in axes} | set(monomial[1])))
                if _is_same(each, rest, monomial[1], live) and each.serves(whole, live):
                    return cover(power_of(each.power, -c), live, shift.shape)
        return None


def _is_same(made: Relative, rest: dict[Monomial, Expr], places: Axes, live: Axes) -> bool:
    if len(live) != len(made.exponent.shape):
        return False
    number_of_axis = {a: k for k, a in enumerate(live)}
    if tuple(number_of_axis[a] for a in places) != made.axes:
        return False
    moved = {(factors, tuple(number_of_axis[a] for a in axes)): c for (factors, axes), c in rest.items()}
    return moved == made.exponent.coefficients


def _collected(mantissas: list[Node], shifts: list[Terms]) -> tuple[list[Node], list[Terms]]:
    """Terms with one exponent as one."""
    found: dict[Key, tuple[list[Node], Terms]] = {}
    for m, s in zip(mantissas, shifts, strict=True):
        found.setdefault(_key(s), ([], s))[0].append(m)
    sums = [sum_of_all(each) for each, _ in found.values()]
    return sums, [s for _, s in found.values()]


def _key(shift: Terms) -> Key:
    return frozenset(shift.coefficients.items()), shift.shape


def _relative_power(mantissa: Node, exponent: Node, top: Node) -> Node:
    return elementwise("exp", where_it_counts(mantissa, distance_below(exponent, top)))


def times(mantissa: Node, power: Node) -> Node:
    """m·exp(s), nothing multiplied by 1."""
    return power if number_of(without_repetition(mantissa)) == 1 else elementwise("mul", mantissa, power)


def if_it_counts(mantissa: Node, shift: Node) -> Node:
    """The shift, -∞ where the mantissa is 0."""
    return shift if counts(mantissa) else where(elementwise("ne", mantissa, 0), shift, number(-sympy.oo))


def where_it_counts(mantissa: Node, shift: Node) -> Node:
    """The shift, 0 where the mantissa is 0: 0·∞ is met nowhere."""
    return shift if counts(mantissa) else where(elementwise("ne", mantissa, 0), shift, 0)


def counts(mantissa: Node) -> bool:
    """Whether a mantissa is known not to be 0."""
    return known(mantissa, "nonzero")
