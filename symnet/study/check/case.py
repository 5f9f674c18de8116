"""Two formulas on several instances, and the numbers by which their values differ.

In: the values of two nodes.  Out: whether they are the same, or the number, made of extents and scalars, between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from symnet.arrays import Array
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate

CLOSE = 1e-8  # of the largest element: how near two values are that count as equal
LARGEST_DENOMINATOR = 128


@dataclass(frozen=True)
class Case:
    """Two formulas and the instances they are compared on.

    Attributes:
        mine, truth: the formulas, in algebra form.
        data: the arrays of each instance; `sizes`: its numbers by name: extents and scalars.
        given, right: the values of `mine` and `truth` on each instance.
        function: what was differentiated, and by which `variable`; None where it is not known.
        typed: the first formula as it was written; None where it is `mine`.
    """

    mine: Node
    truth: Node
    data: Sequence[Mapping[str, Array]]
    sizes: Sequence[Mapping[str, float]]
    leaves: Sequence[Any]
    given: list[Array] = field(default_factory=list)
    right: list[Array] = field(default_factory=list)
    function: Node | None = None
    variable: Node | None = None
    typed: Node | None = None

    @property
    def written(self) -> Node:
        """The first formula in the words of whoever wrote it."""
        return self.mine if self.typed is None else self.typed

    def values(self, node: Node) -> list[Array]:
        with np.errstate(all="ignore"):
            return [evaluate(node, data, leaves=self.leaves) for data in self.data]


def same(a: Sequence[Array], b: Sequence[Array]) -> bool:
    """Whether two values agree on every instance."""
    return all(x.shape == y.shape and near(x, y) for x, y in zip(a, b, strict=True))


def near(x: Array, y: Array) -> bool:
    scale = max(float(np.max(np.abs(y), initial=0.0)), 1e-300)
    with np.errstate(invalid="ignore", over="ignore"):  # infinities are not near anything
        return bool(np.all(np.abs(x - y) <= CLOSE * scale) and np.all(np.isfinite(x)))


# --------------------------------------------------------------------------- factors


class Multiple(NamedTuple):
    """A number c with a = c·b, and 1/c, as text, the names of extents and scalars in it, and whether it is rounded."""

    text: str
    inverse: str
    names: frozenset[str] = frozenset()
    rounded: bool = False

    def __str__(self) -> str:
        return self.text


def factor(a: Sequence[Array], b: Sequence[Array], case: Case) -> Multiple | None:
    """The number c with a = c·b on every instance: a rational, times extents or scalars."""
    ratios = []
    for x, y in zip(a, b, strict=True):
        norm = float(np.vdot(y, y)) if x.shape == y.shape else 0.0
        if norm == 0.0 or not np.isfinite(norm):
            return None
        ratio = float(np.vdot(y, x)) / norm
        if ratio == 0.0 or not near(x, ratio * y):
            return None
        ratios.append(ratio)
    for above, below in _monomials(case.sizes[0]):
        rest = [r * _product(below, s) / _product(above, s) for r, s in zip(ratios, case.sizes, strict=True)]
        if max(rest) - min(rest) <= CLOSE * abs(rest[0]):
            nice = Fraction(rest[0]).limit_denominator(LARGEST_DENOMINATOR)
            if abs(float(nice) - rest[0]) <= CLOSE * abs(rest[0]):
                return Multiple(_text(nice, above, below), _text(1 / nice, below, above), frozenset((*above, *below)))
    constant = max(ratios) - min(ratios) <= CLOSE * abs(ratios[0])
    return Multiple(f"{ratios[0]:.6g}", f"{1 / ratios[0]:.6g}", rounded=True) if constant else None


def _monomials(sizes: Mapping[str, float]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Products of at most two names above and below a fraction, simple ones first."""
    groups = [group for count in range(3) for group in combinations(sizes, count)]
    pairs = [(above, below) for above in groups for below in groups if not set(above) & set(below)]
    return iter(sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1])))


def _product(names: Sequence[str], sizes: Mapping[str, float]) -> float:
    return float(np.prod([sizes[name] for name in names]))


def _text(number: Fraction, above: Sequence[str], below: Sequence[str]) -> str:
    sign, number = ("-" if number < 0 else ""), abs(number)
    top = "*".join([*([str(number.numerator)] if number.numerator != 1 or not above else []), *above])
    bottom = [*([str(number.denominator)] if number.denominator != 1 else []), *below]
    return sign + top + (f"/{bottom[0]}" if len(bottom) == 1 else f"/({'*'.join(bottom)})" if bottom else "")
