"""Sums over a loop: what a body counts, added up over the values of its variable.

In: a `CountTerms` (`extent_terms.py`), a variable, the loop's extent.  Out: a `CountTerms` without the variable.

A loop is taken to run no negative number of times wherever it is reached, as the extents of arrays are none.
How a sum is closed:

- of powers of the variable, by Bernoulli's formula;
- of min(c, M - c·v) over ⌈M/c⌉ values, which are the lengths of the blocks that M is cut into, it is M; of the numbers
  of pieces of t in each block, it is the number of pieces in M, if t divides c;
- of anything else in such a block: the whole blocks, then the last one;
- a condition on the variable shortens the loop, or holds at every q-th value;
- over a number of values known now, where there is no other way, one after the other.

Not handled: other sums, which stay what they are, as an atom.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from math import comb
from typing import TypeAlias

from symnet.loops.extent_terms import (
    AtomProduct,
    CountAtom,
    CountTerms,
    Floor,
    Frozen,
    LoopSum,
    Min,
    Positive,
    Variable,
    Zero,
    alone,
    constant,
    floor,
    frozen,
    minimum,
    number_in,
    parts,
    plus,
    positive,
    put,
    times,
)

MOST_LISTED = 1 << 12  # values of a variable that are gone through one by one


def sum_over(var: str, extent: CountTerms, value: CountTerms) -> CountTerms:
    """Σ value over var = 0 … extent - 1."""
    v, many = Variable(var), number_in(extent)
    if many is not None and many <= 0:
        return {}
    free = {m: n for m, n in value.items() if not any(v in parts(atom) for atom, _ in m)}
    total = times(extent, free) if free else {}
    bound = plus(value, free, -1)
    for monomial, number in bound.items():
        total = plus(total, _sum_of_monomial(v, extent, monomial), number)
    return total


def _sum_of_monomial(v: Variable, extent: CountTerms, monomial: AtomProduct) -> CountTerms:
    bound = {atom: power for atom, power in monomial if v in parts(atom)}
    free: CountTerms = {frozenset((a, p) for a, p in monomial if a not in bound): Fraction(1)}
    for rule in (_once, _powers, _at_one_value, _in_turn, _shortened, _lengths, _blocks, _listed):
        found = rule(v, extent, bound)
        if found is not None:
            return times(free, found)
    return times(free, alone(LoopSum(v.name, frozen(extent), frozen(_product(bound)))))


Bound: TypeAlias = dict[CountAtom, int]  # the atoms of a monomial that depend on the variable, and their powers


def _listed(v: Variable, extent: CountTerms, bound: Bound) -> CountTerms | None:
    """One value after the other, where they are known and not many."""
    many = number_in(extent)
    if many is None or many > MOST_LISTED:
        return None
    total: CountTerms = {}
    for each in range(int(many)):
        total = plus(total, put(_product(bound), {v: constant(each)}))
    return total


def _product(bound: Bound) -> CountTerms:
    return {frozenset(bound.items()): Fraction(1)}


def _powers(v: Variable, extent: CountTerms, bound: Bound) -> CountTerms | None:
    """Σ v^p = Σ_k B_k·C(p + 1, k)·n^(p + 1 - k)/(p + 1), with B_1 = -1/2."""
    if bound.keys() != {v}:
        return None
    p, total = bound[v], constant(0)
    power = extent
    for k in reversed(range(p + 1)):
        total = plus(total, power, _bernoulli(k) * comb(p + 1, k) / (p + 1))
        power = times(power, extent)
    return total


@cache
def _bernoulli(k: int) -> Fraction:
    return Fraction(1) if k == 0 else -sum((comb(k + 1, j) * _bernoulli(j) for j in range(k)), Fraction(0)) / (k + 1)


def _linear(value: Frozen, v: Variable) -> tuple[int, CountTerms] | None:
    """The a and the b of a·v + b, b free of v; None for what is not of that form."""
    rest = dict(value)
    factor = rest.pop(frozenset({(v, 1)}), Fraction(0))
    return None if any(v in parts(atom) for m in rest for atom, _ in m) or not factor else (int(factor), rest)


def _at_one_value(v: Variable, extent: CountTerms, bound: Bound) -> CountTerms | None:
    """A condition v = e leaves one value, if that is among those of the loop."""
    for atom in bound:
        line = _linear(atom.value, v) if isinstance(atom, Zero) else None
        if line is not None and abs(line[0]) == 1:
            e = plus({}, line[1], -line[0])
            inside = times(positive(plus(e, constant(1))), positive(plus(extent, e, -1)))
            return times(inside, put(_product({a: p for a, p in bound.items() if a != atom}), {v: e}))
    return None


def _once(v: Variable, extent: CountTerms, bound: Bound) -> CountTerms | None:
    """What runs once or not at all, on a condition."""
    conditions = [atom for m in extent for atom, _ in m if isinstance(atom, Positive)]
    if len(conditions) != 1 or extent != alone(conditions[0]):
        return None
    return times(extent, put(_product(bound), {v: constant(0)}))


def _in_turn(v: Variable, extent: CountTerms, bound: Bound) -> CountTerms | None:
    """A condition v mod q = 0, which every q-th value fulfils, from the first on."""
    (atom, *more) = bound
    if more or not isinstance(atom, Zero):
        return None
    for each in parts(atom):
        q = each.divisor if isinstance(each, Floor) else 1
        if q > 1 and atom.value == frozen(plus(alone(v), floor(alone(v), q), -q)):
            return floor(plus(extent, constant(q - 1)), q)
    return None


def _shortened(v: Variable, extent: CountTerms, bound: Bound) -> CountTerms | None:
    """A condition v < e ends the loop earlier; v >= e holds where v < e does not."""
    for atom in bound:
        line = _linear(atom.value, v) if isinstance(atom, Positive) else None
        if line is None or not isinstance(atom, Positive):
            continue
        rest = _product({a: p for a, p in bound.items() if a != atom})
        factor, beside = line
        if factor > 0:
            fails = positive(plus(constant(1), dict(atom.value), -1))
            return plus(sum_over(v.name, extent, rest), sum_over(v.name, extent, times(rest, fails)), -1)
        end = minimum(extent, floor(plus(beside, constant(-factor - 1)), -factor))
        return times(positive(end), sum_over(v.name, end, rest))
    return None


def _cut(v: Variable, extent: CountTerms, atom: CountAtom) -> tuple[int, CountTerms] | None:
    """The c and the M of an atom min(c, M - c·v), where v takes ⌈M/c⌉ values.

    Where it takes min(k, ⌈M/c⌉), M is min(k·c, M).
    """
    if not isinstance(atom, Min):
        return None
    for c, other in _with_number(atom):
        line = _linear(frozen(other), v)
        if line is not None and line[0] == -c:
            pieces = floor(plus(line[1], constant(c - 1)), c)
            most = _at_most(extent, pieces)
            return (c, line[1]) if pieces == extent else (c, minimum(constant(most * c), line[1])) if most else None
    return None


def _with_number(atom: Min) -> Iterator[tuple[int, CountTerms]]:
    """A number that a minimum is of, and the other side."""
    for side in atom.sides:
        (other,) = atom.sides - {side}
        number = number_in(dict(side))
        if number is not None:
            yield int(number), dict(other)


def _at_most(extent: CountTerms, pieces: CountTerms) -> int | None:
    """The k of an extent min(k, pieces); None for another one."""
    atoms = [atom for m in extent for atom, _ in m]
    if len(atoms) != 1 or not isinstance(atoms[0], Min) or extent != alone(atoms[0]):
        return None
    return next((k for k, other in _with_number(atoms[0]) if other == pieces), None)


def _lengths(v: Variable, extent: CountTerms, bound: Bound) -> CountTerms | None:
    """The lengths of all blocks together, or the pieces in all of them."""
    if len(bound) != 1 or next(iter(bound.values())) != 1:
        return None
    (atom,) = bound
    cut = _cut(v, extent, atom)
    if cut is not None:
        return cut[1]
    if not isinstance(atom, Floor):
        return None
    inside = [each for m, _ in atom.value for each, _ in m]
    cut = _cut(v, extent, inside[0]) if len(inside) == 1 else None
    if cut is None or cut[0] % atom.divisor:
        return None
    rest = plus(dict(atom.value), alone(inside[0]), -1)
    beside = number_in(rest)
    return floor(plus(cut[1], rest), atom.divisor) if beside is not None and 0 <= beside < atom.divisor else None


def _blocks(v: Variable, extent: CountTerms, bound: Bound) -> CountTerms | None:
    """The whole blocks, and the last one where it is shorter."""
    cuts = [(each, cut) for atom in bound for each in parts(atom) if (cut := _cut(v, extent, each)) is not None]
    if not cuts:
        return None
    atom, (c, whole) = cuts[0]
    full = floor(whole, c)
    product = _product(bound)
    in_full = put(product, {atom: constant(c)})
    if any(isinstance(each, Min) and _cut(v, extent, each) for m in in_full for a, _ in m for each in parts(a)):
        return None
    last = put(product, {atom: plus(whole, full, -c), v: full})
    return plus(sum_over(v.name, full, in_full), times(plus(extent, full, -1), last))
