"""How a derivative is wrong: transposed, a factor off, a sign, a term, a factor forgotten.

In: the values of both formulas, and of their parts, on several instances.  Out: a sentence, or None where a suspicion
is not confirmed.  A suspicion is confirmed only where it holds on every instance, each with other sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any, NamedTuple

import numpy as np

from symnet.calculus.instance import Array
from symnet.calculus.terms import terms, without_factors
from symnet.expr.node import Node
from symnet.reference import evaluate

CLOSE = 1e-8  # of the largest element: how near two values are that count as equal
LARGEST_DENOMINATOR = 24


@dataclass(frozen=True)
class Case:
    """Two formulas and the instances they are compared on.

    Attributes:
        mine, truth: the formulas, in algebra form.
        data: the arrays of each instance; `sizes`: its numbers by name: extents and scalars.
        given, right: the values of `mine` and `truth` on each instance.
    """

    mine: Node
    truth: Node
    data: Sequence[Mapping[str, Array]]
    sizes: Sequence[Mapping[str, float]]
    leaves: Sequence[Any]
    given: list[Array] = field(default_factory=list)
    right: list[Array] = field(default_factory=list)

    def values(self, node: Node) -> list[Array]:
        with np.errstate(all="ignore"):
            return [evaluate(node, data, leaves=self.leaves) for data in self.data]


def same(a: Sequence[Array], b: Sequence[Array]) -> bool:
    """Whether two values agree on every instance."""
    return all(x.shape == y.shape and _near(x, y) for x, y in zip(a, b, strict=True))


def _near(x: Array, y: Array) -> bool:
    scale = max(float(np.max(np.abs(y), initial=0.0)), 1e-300)
    return bool(np.all(np.abs(x - y) <= CLOSE * scale) and np.all(np.isfinite(x)))


# --------------------------------------------------------------------------- factors


class Multiple(NamedTuple):
    """A number c with a = c·b, and 1/c, as text."""

    text: str
    inverse: str

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
        if ratio == 0.0 or not _near(x, ratio * y):
            return None
        ratios.append(ratio)
    for above, below in _monomials(case.sizes[0]):
        rest = [r * _product(below, s) / _product(above, s) for r, s in zip(ratios, case.sizes, strict=True)]
        if max(rest) - min(rest) <= CLOSE * abs(rest[0]):
            nice = Fraction(rest[0]).limit_denominator(LARGEST_DENOMINATOR)
            if abs(float(nice) - rest[0]) <= CLOSE * abs(rest[0]):
                return Multiple(_text(nice, above, below), _text(1 / nice, below, above))
    constant = max(ratios) - min(ratios) <= CLOSE * abs(ratios[0])
    return Multiple(f"{ratios[0]:.6g}", f"{1 / ratios[0]:.6g}") if constant else None


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


def _off(c: Multiple) -> str:
    """What is said of mine = c · truth."""
    if c.text == "-1":
        return "the sign is wrong: it is minus the gradient"
    sign = "the sign is wrong, and it is " if c.text.startswith("-") else ""
    return f"{sign}{c.text.removeprefix('-')} times the gradient; a factor {c.inverse.removeprefix('-')} is lost"


# --------------------------------------------------------------------------- suspicions, in order


def _wrong_shape(case: Case) -> str | None:
    mine, truth = case.mine.shape, case.truth.shape
    if mine == truth or all(x.shape == y.shape for x, y in zip(case.given, case.right, strict=True)):
        return None
    said = f"of shape {mine}, where the variable has shape {truth}"
    flat = [x.reshape(-1) for x in case.given], [y.reshape(-1) for y in case.right]
    if mine == truth[::-1]:
        turned = [x.T for x in case.given]
        if same(turned, case.right):
            return f"transposed: {said}"
        c = factor(turned, case.right, case)
        if c:
            return f"transposed ({said}), and {_off(c)}"
    if tuple(n for n in mine if n != 1) == tuple(n for n in truth if n != 1):
        row = " as a row, the derivative in numerator layout" if mine[:1] == (1,) else ""
        if same(*flat):
            return f"the right values{row}, but {said}"
    summed = _not_summed(case)
    return summed or f"the wrong shape: {said}"


def _not_summed(case: Case) -> str | None:
    for axis in range(case.mine.rank):
        for reduce, word in ((np.sum, "sum"), (np.mean, "mean")):
            if same([reduce(x, axis=axis) for x in case.given], case.right):
                extent = case.mine.shape[axis]
                return f"one gradient for each of {extent} samples: the {word} over axis {axis} is missing"
    return None


def _factor_off(case: Case) -> str | None:
    c = factor(case.given, case.right, case)
    return _off(c) if c else None


def _transposed(case: Case) -> str | None:
    turned = [np.swapaxes(x, -1, -2) for x in case.given] if case.mine.rank == 2 else []
    if not turned:
        return None
    if same(turned, case.right):
        return "transposed: it is the transpose of the gradient"
    c = factor(turned, case.right, case)
    return f"transposed, and {_off(c)}" if c else None


def _one_term(case: Case) -> str | None:
    """A term missing, with the wrong sign or factor."""
    parts = terms(case.truth)
    if len(parts) < 2:
        return None
    difference = [x - y for x, y in zip(case.given, case.right, strict=True)]
    for part in parts:
        values = case.values(part)
        c = factor([d + v for d, v in zip(difference, values, strict=True)], values, case)
        if same(difference, [-v for v in values]):
            return f"the term {part} is missing"
        if c and c.text == "-1":
            return f"the sign of the term {part} is wrong"
        if c and c.text != "1":
            return f"the term {part} is {c} times what it should be"
    return _two_terms(case, parts, difference)


def _two_terms(case: Case, parts: Sequence[Node], difference: Sequence[Array]) -> str | None:
    """Two terms missing, or one that stands twice in the place of another."""
    values = {part: case.values(part) for part in parts}
    for one, other in permutations(parts, 2):
        if same(difference, [b - a for a, b in zip(values[one], values[other], strict=True)]):
            return f"the term {other} stands twice, and {one} is missing"
        if len(parts) > 2 and same(difference, [-a - b for a, b in zip(values[one], values[other], strict=True)]):
            return f"the terms {one} and {other} are missing"
    return None


def _extra_term(case: Case) -> str | None:
    """A term too many, or one in the place of another."""
    difference = [x - y for x, y in zip(case.given, case.right, strict=True)]
    mine = [(part, case.values(part)) for part in terms(case.mine)]
    for part, values in mine:
        if len(mine) > 1 and same(values, difference):
            return f"the term {part} is too many"
    for wanted in terms(case.truth):
        right = case.values(wanted)
        for part, values in mine:
            if same([a - b for a, b in zip(values, right, strict=True)], difference) and len(mine) > 1:
                return f"the term {part} should be {wanted}"
    return None


def _forgotten_factor(case: Case) -> str | None:
    """The chain rule broken off: the gradient without one of its factors."""
    for lost, rest in without_factors(case.truth):
        values = case.values(rest)
        if same(case.given, values):
            return f"the factor {lost} is missing"
        c = factor(case.given, values, case)
        if c and lost.rank:
            return f"the factor {lost} is missing, and it is {c} times what is left"
    for extra, rest in without_factors(case.mine):
        if same(case.values(rest), case.right):
            return f"the factor {extra} is too many"
    return None


SUSPICIONS: tuple[Callable[[Case], str | None], ...] = (
    _wrong_shape,
    _factor_off,
    _transposed,
    _one_term,
    _extra_term,
    _forgotten_factor,
)


def how_wrong(case: Case) -> str:
    """The first suspicion that is confirmed."""
    for suspicion in SUSPICIONS:
        found = suspicion(case)
        if found:
            return found
    wrong = [~np.isclose(x, y, rtol=1e-7, atol=1e-12) for x, y in zip(case.given, case.right, strict=True)]
    count, total = int(wrong[0].sum()), wrong[0].size
    return f"another function: it differs in {count} of {total} elements" if total > 1 else "another function"
