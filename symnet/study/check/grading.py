"""How a derivative is wrong: transposed, a factor off, a sign, a term, a factor forgotten.

In: the values of both formulas, and of their parts, on several instances.  Out: a sentence, or None where a suspicion
is not confirmed.  A suspicion is confirmed only where it holds on every instance, each with other sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any, NamedTuple

import numpy as np

from symnet import dtypes
from symnet.arrays import Array
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import substitute, topological
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate
from symnet.study.check.mistakes import matrix_operations, other_axes, slips
from symnet.study.check.terms import terms

CLOSE = 1e-8  # of the largest element: how near two values are that count as equal
LARGEST_DENOMINATOR = 24
_MOST_TURNED = 4  # matrices of which some should be transposed
_LONGEST = 40  # characters of a part that is named as the place of a slip


@dataclass(frozen=True)
class Case:
    """Two formulas and the instances they are compared on.

    Attributes:
        mine, truth: the formulas, in algebra form.
        data: the arrays of each instance; `sizes`: its numbers by name: extents and scalars.
        given, right: the values of `mine` and `truth` on each instance.
        function: what was differentiated; None where it is not known.
    """

    mine: Node
    truth: Node
    data: Sequence[Mapping[str, Array]]
    sizes: Sequence[Mapping[str, float]]
    leaves: Sequence[Any]
    given: list[Array] = field(default_factory=list)
    right: list[Array] = field(default_factory=list)
    function: Node | None = None

    def values(self, node: Node) -> list[Array]:
        with np.errstate(all="ignore"):
            return [evaluate(node, data, leaves=self.leaves) for data in self.data]


def same(a: Sequence[Array], b: Sequence[Array]) -> bool:
    """Whether two values agree on every instance."""
    return all(x.shape == y.shape and _near(x, y) for x, y in zip(a, b, strict=True))


def _near(x: Array, y: Array) -> bool:
    scale = max(float(np.max(np.abs(y), initial=0.0)), 1e-300)
    with np.errstate(invalid="ignore", over="ignore"):  # infinities are not near anything
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
    """What is said of mine = c · truth, c a number."""
    if c.text == "-1":
        return "the sign is wrong: it is minus the gradient"
    sign = "the sign is wrong, and it is " if c.text.startswith("-") else ""
    return f"{sign}{c.text.removeprefix('-')} times the gradient; a factor {c.inverse.removeprefix('-')} is lost"


def _also(c: Multiple | None) -> str:
    """What is said of a factor c beside another mistake."""
    if c is None:
        return ""
    return ", and the sign is wrong" if c.text == "-1" else f", and then it is off by a factor: {c} times the gradient"


# --------------------------------------------------------------------------- suspicions, in order


def _zero(case: Case) -> str | None:
    gone = all(not np.any(x) for x in case.given) and any(np.any(y) for y in case.right)
    return "it is zero, and the gradient is not" if gone else None


def _function_itself(case: Case) -> str | None:
    """The function, not differentiated."""
    whole = case.function is not None and case.function.rank == case.mine.rank == case.truth.rank
    itself = whole and case.function is not None and same(case.given, case.values(case.function))
    return "it is the function itself, not its derivative" if itself else None


def _turned_leaves(case: Case) -> str | None:
    """Right but for several square matrices that should be transposed wherever they stand."""
    square = [x for x in case.leaves if x.rank == 2 and same_shape(x.shape, x.shape[::-1])]
    inside = set(topological(case.mine))
    square = [x for x in square if x in inside and "symmetric" not in x.assumptions][:_MOST_TURNED]
    for count in range(2, len(square) + 1):
        for chosen in combinations(square, count):
            (whole,) = substitute([case.mine], {leaf: leaf.T for leaf in chosen})
            values = case.values(whole)
            names = " and ".join(leaf.name for leaf in chosen)
            if same(values, case.right):
                return f"{names} should be transposed"
            c = factor(values, case.right, case)
            if c:
                return f"{names} should be transposed{_also(c)}"
    return None


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
            return f"transposed ({said}){_also(c)}"
    if tuple(n for n in mine if n != 1) == tuple(n for n in truth if n != 1):
        row = " as a row, the derivative in numerator layout" if mine[:1] == (1,) else ""
        if same(*flat):
            return f"the right values{row}, but {said}"
        c = factor(*flat, case)
        if c:
            return f"laid out otherwise{row} ({said}){_also(c)}"
    for suspicion in (_samples_not_summed, _elementwise, _not_summed, _other_axis, _summed_too_far, _repeated):
        found = suspicion(case)
        if found:
            return f"{found}; it is {said}"
    return f"the wrong shape: {said}"


def _elementwise(case: Case) -> str | None:
    """* where @ was meant, 1/A where inv(A) was; what else is wrong then is said too."""
    for stands, meant, whole in matrix_operations(case.mine):
        values = case.values(whole)
        if any(x.shape != y.shape for x, y in zip(values, case.right, strict=True)):
            continue
        said = f"{stands} works element by element; {meant} is meant"
        if same(values, case.right):
            return said
        rest = _first(replace(case, mine=whole, given=values), _WITHIN)
        if rest:
            return f"{said}, and then: {rest}"
    return None


def _samples_not_summed(case: Case) -> str | None:
    """The sum over samples is missing: mine has an axis more than the variable, and summed over it is the gradient."""
    return _not_summed(case, [a for a, n in enumerate(case.mine.shape) if n not in case.truth.shape])


def _not_summed(case: Case, axes: Sequence[int] | None = None) -> str | None:
    for axis in range(case.mine.rank) if axes is None else axes:
        sums = [np.sum(x, axis=axis) for x in case.given]
        means = [np.mean(x, axis=axis) for x in case.given]
        found = next((word for word, v in (("sum", sums), ("mean", means)) if same(v, case.right)), None)
        c = None if found else factor(sums, case.right, case)
        if found or c:
            samples = f"one gradient for each of {case.mine.shape[axis]} samples"
            return f"{samples}: the {found or 'sum'} over axis {axis} is missing{_also(c)}"
    return None


def _other_axis(case: Case) -> str | None:
    for axis, other, whole in other_axes(case.mine):
        values = case.values(whole)
        if same(values, case.right) or factor(values, case.right, case):
            return f"the sum runs over axis {axis} where it should run over axis {other}"
    return None


def _summed_too_far(case: Case) -> str | None:
    """The gradient summed over an axis that belongs to the variable."""
    rank = case.truth.rank
    for count in range(1, rank + 1):
        for axes in combinations(range(rank), count):
            values = [np.sum(y, axis=axes) for y in case.right]
            if same(case.given, values) or factor(case.given, values, case):
                plural = "axes" if count > 1 else "axis"
                return f"summed over {plural} {' and '.join(map(str, axes))} of the gradient, which must stay"
    return None


def _repeated(case: Case) -> str | None:
    """A smaller shape that broadcasts to the right one: what the values lack then."""
    try:
        given = [np.broadcast_to(x, y.shape) for x, y in zip(case.given, case.right, strict=True)]
    except ValueError:
        return None
    return _one_slip(replace(case, given=given))


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
    return f"transposed: it is the transpose{_also(c)}" if c else None


def _one_term(case: Case) -> str | None:
    """A term missing, with the wrong sign or factor: a term as the gradient is written, then one multiplied out."""
    difference = [x - y for x, y in zip(case.given, case.right, strict=True)]
    written = [broadcast_to(o, case.truth.shape) for o in case.truth.operands] if is_op(case.truth, "add") else []
    parts = terms(case.truth)
    for part in [*written, *parts] if len(parts) > 1 else []:
        values = case.values(part)
        c = factor([d + v for d, v in zip(difference, values, strict=True)], values, case)
        if same(difference, [-v for v in values]):
            return f"the term {part} is missing"
        if c and c.text == "-1":
            return f"the sign of the term {part} is wrong"
        if c and c.text != "1":
            return f"the term {part} is {c} times what it should be: a factor {c.inverse} is lost"
    return None


def _one_slip(case: Case) -> str | None:
    """One place of the formula is wrong: a factor, a term, a sign, a power, a function, a transpose."""
    first = replace(case, data=case.data[:1], given=case.given[:1], right=case.right[:1])
    multiple: str | None = None
    for formula, target, said in ((case.truth, "given", _LACKS), (case.mine, "right", _HAS)):
        for slip in slips(formula):
            wanted: list[Array] = getattr(case, target)
            if slip.kind not in said or not _alike(first.values(slip.whole), wanted[:1]):
                continue
            values = case.values(slip.whole)
            place = "" if slip.place is formula or len(str(slip.place)) > _LONGEST else f" in {slip.place}"
            sentence = said[slip.kind].format(before=slip.before, after=slip.after, place=place)
            if same(wanted, values):
                return sentence
            pair = (case.given, values) if formula is case.truth else (values, case.right)
            c = factor(*pair, case) if multiple is None and slip.kind in ("factor", "number") else None
            multiple = f"{sentence}{_also(c)}" if c else multiple
    return multiple


def _alike(a: Sequence[Array], b: Sequence[Array]) -> bool:
    """Whether two values are equal but for a number, quickly."""
    for x, y in zip(a, b, strict=True):
        if x.shape != y.shape or not np.all(np.isfinite(x)):
            return False
        norm = float(np.vdot(x, x))
        if norm == 0.0 or not _near(y, float(np.vdot(x, y)) / norm * x):
            return False
    return True


# What is said of a slip: of the gradient, which mine lacks; of mine, which has it.
_LACKS = {
    "factor": "the factor {before} is missing",
    "number": "the factor {before} is missing{place}",
    "slope": "{after} stands where {before} should: differentiated once too often",
    "term": "the term {before} is missing{place}",
    "sign": "the sign of the term {before} is wrong{place}",
    "part": "{after} stands where {before} should",
}
_HAS = {
    "factor": "the factor {before} is too many",
    "number": "the factor {before} is too many{place}",
    "term": "the term {before} is too many{place}",
    "sign": "the sign of the term {before} is wrong{place}",
    "part": "{before} should be {after}",
    "slope": "{before} stands where its derivative, {after}, should",
}


def _two_terms(case: Case) -> str | None:
    """Two terms missing, or one that stands twice in the place of another."""
    difference = [x - y for x, y in zip(case.given, case.right, strict=True)]
    parts = terms(case.truth)
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


def _one_sign(case: Case) -> str | None:
    """Right, or right but for the sign, exactly where a variable is positive, or where it is negative."""
    for leaf in case.leaves:
        if leaf.dtype not in dtypes.REAL or (leaf.rank and leaf.shape != case.truth.shape):
            continue
        positive = [np.broadcast_to(d[leaf.name] > 0, r.shape) for d, r in zip(case.data, case.right, strict=True)]
        for sign, where in ((">", positive), ("<", [~p for p in positive])):
            other = [~w for w in where]
            if not (any(map(np.any, where)) and any(map(np.any, other))):
                continue
            if not same(_at(where, case.given), _at(where, case.right)):
                continue
            turned = same(_at(other, [-x for x in case.given]), _at(other, case.right))
            rest = f": elsewhere the sign is wrong (|{leaf.name}| is {leaf.name} or -{leaf.name})" if turned else ""
            return f"right only where {leaf.name} {sign} 0{rest}"
    return None


def _at(where: Sequence[Array], values: Sequence[Array]) -> list[Array]:
    return [v[w] for v, w in zip(values, where, strict=True)]


def _symmetric(case: Case) -> str | None:
    """Right for symmetric matrices: A stands where (A + A.T)/2 should, or a transpose is missing."""
    square = [x for x in case.leaves if x.rank == 2 and same_shape(x.shape, x.shape[::-1])]
    square = [x for x in square if x.dtype in dtypes.REAL and "symmetric" not in x.assumptions]
    for count in range(1, len(square) + 1):
        for chosen in combinations(square, count):
            names = {leaf.name for leaf in chosen}
            data = [{k: (a + a.T) / 2 if k in names else a for k, a in d.items()} for d in case.data]
            there = replace(case, data=data)
            given, right = there.values(case.mine), there.values(case.truth)
            said = f"right only where {' and '.join(sorted(names))} {'are' if count > 1 else 'is'} symmetric"
            if same(given, right):
                return said
            c = factor(given, right, case)
            if c and c.text != "-1":
                return f"{said}{_also(c)}"
    return None


# Those of one shape, which may be what is wrong besides.
_WITHIN: tuple[Callable[[Case], str | None], ...] = (_factor_off, _one_sign, _transposed, _one_slip, _one_term)
SUSPICIONS: tuple[Callable[[Case], str | None], ...] = (
    _zero,
    _function_itself,
    _wrong_shape,
    *_WITHIN,
    _extra_term,
    _two_terms,
    _turned_leaves,
    _symmetric,
    _elementwise,
)


def _first(case: Case, suspicions: Sequence[Callable[[Case], str | None]]) -> str | None:
    return next((found for suspicion in suspicions if (found := suspicion(case))), None)


def how_wrong(case: Case) -> str:
    """The first suspicion that is confirmed."""
    found = _first(case, SUSPICIONS)
    if found:
        return found
    wrong = [~np.isclose(x, y, rtol=1e-7, atol=1e-12) for x, y in zip(case.given, case.right, strict=True)]
    count, total = int(wrong[0].sum()), wrong[0].size
    return f"another function: it differs in {count} of {total} elements" if total > 1 else "another function"
