"""Counts as polynomials: in loop variables and extents, in the lengths and numbers of the blocks they are cut into.

In: integers and conditions of the loop language.  Out: `CountTerms`, which are added, multiplied, put into each other.

`CountTerms` are sums of rational multiples of monomials; a monomial is a product of powers of *atoms*: a variable, a
minimum, a floored quotient, a condition (1 where it holds, else 0), or a sum that has no closed form
(`extent_sums.py`).  Variables and extents are never below 0.
Not handled: integers that are read from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from symnet.loops import ir

AtomProduct: TypeAlias = frozenset[tuple["CountAtom", int]]  # atoms and their powers
CountTerms: TypeAlias = dict[AtomProduct, Fraction]
Frozen: TypeAlias = frozenset[tuple[AtomProduct, Fraction]]

_UNIT: AtomProduct = frozenset()


@dataclass(frozen=True, slots=True)
class Variable:
    """A loop variable or an extent."""

    name: str


@dataclass(frozen=True, slots=True)
class Min:
    """The smaller of two integers."""

    sides: frozenset[Frozen]


@dataclass(frozen=True, slots=True)
class Floor:
    """An integer divided by a positive constant, rounded down."""

    value: Frozen
    divisor: int


@dataclass(frozen=True, slots=True)
class Positive:
    """1 where an integer is above 0, else 0."""

    value: Frozen


@dataclass(frozen=True, slots=True)
class Zero:
    """1 where an integer is 0, else 0."""

    value: Frozen


@dataclass(frozen=True, slots=True)
class LoopSum:
    """A sum over var = 0 … extent - 1 that has no closed form here."""

    var: str
    extent: Frozen
    value: Frozen


CountAtom: TypeAlias = Variable | Min | Floor | Positive | Zero | LoopSum


# --------------------------------------------------------------------------- arithmetic


def constant(number: int | Fraction) -> CountTerms:
    """The polynomial that is a number."""
    return {_UNIT: Fraction(number)} if number else {}


def alone(atom: CountAtom) -> CountTerms:
    """The polynomial that is an atom."""
    return {frozenset({(atom, 1)}): Fraction(1)}


def plus(left: CountTerms, right: CountTerms, factor: int | Fraction = 1) -> CountTerms:
    """left + factor·right."""
    total = dict(left)
    for monomial, number in right.items():
        total[monomial] = total.get(monomial, Fraction(0)) + factor * number
        if not total[monomial]:
            del total[monomial]
    return total


def times(left: CountTerms, right: CountTerms) -> CountTerms:
    """The product of two polynomials."""
    total: CountTerms = {}
    for a, x in left.items():
        if not a:
            total = plus(total, right, x)
            continue
        for b, y in right.items():  # conditions are their own squares, so that several products may be one
            total = plus(total, {_joined(a, b): x * y})
    return total


def _joined(left: AtomProduct, right: AtomProduct) -> AtomProduct:
    if not right:
        return left
    powers = dict(left)
    for atom, power in right:
        powers[atom] = 1 if isinstance(atom, (Positive, Zero)) else powers.get(atom, 0) + power
    return frozenset((atom, power) for atom, power in powers.items() if _needed(atom, powers))


def _needed(atom: CountAtom, beside: Mapping[CountAtom, int]) -> bool:
    """Whether an atom is more than the condition x·y > 0 beside the factors x and y, which are extents, x > 0 beside
    x > 3, or x > 0 beside ⌈x/d⌉.
    """
    if not isinstance(atom, Positive):
        return True
    if any(isinstance(other, Positive) and _is_more(atom, other) for other in beside):
        return False
    if len(atom.value) != 1:
        return True
    ((monomial, number),) = atom.value
    return number < 0 or not all(
        isinstance(each, Variable) and (each in beside or any(_vanishes_with(other, each) for other in beside))
        for each, _ in monomial
    )


def _vanishes_with(other: CountAtom, extent: CountAtom) -> bool:
    """Whether it is ⌊(x + c)/d⌋ with a c below d, which is 0 where the extent x is."""
    if not isinstance(other, Floor):
        return False
    rest = {monomial: number for monomial, number in other.value if monomial}
    beside = next((number for monomial, number in other.value if not monomial), Fraction(0))
    return 0 <= beside < other.divisor and all(any(each == extent for each, _ in monomial) for monomial in rest)


def _is_more(one: Positive, other: Positive) -> bool:
    """Whether what is above 0 by one condition is larger, by a number, than that of another."""
    apart = number_in(plus(dict(one.value), dict(other.value), -1)) if one != other else None
    return apart is not None and apart > 0


def number_in(terms: CountTerms) -> Fraction | None:
    """The constant that a polynomial is; None where it is none."""
    return Fraction(0) if not terms else terms[_UNIT] if terms.keys() == {_UNIT} else None


def frozen(terms: CountTerms) -> Frozen:
    """The polynomial as it stands in an atom."""
    return frozenset(terms.items())


# --------------------------------------------------------------------------- integers


def minimum(left: CountTerms, right: CountTerms) -> CountTerms:
    """The smaller of two integers, folded where the difference is a number, or that of what both are quotients of."""
    difference, x, y = number_in(plus(left, right, -1)), _quotient(left), _quotient(right)
    if x is not None and y is not None and x[1] == y[1]:
        difference = number_in(plus(x[0], y[0], -1))
    if difference is not None:
        return left if difference <= 0 else right
    for one, other in ((left, right), (right, left)):
        if number_in(one) == 1 and _never_negative(other):
            return positive(other)
    return alone(Min(frozenset({frozen(left), frozen(right)})))


def floor(value: CountTerms, divisor: int) -> CountTerms:
    """⌊value / divisor⌋: multiples of the divisor leave it, and one floor inside another becomes one."""
    whole = {monomial: number / divisor for monomial, number in value.items() if number % divisor == 0}
    rest = {monomial: number for monomial, number in value.items() if number % divisor}
    if rest.keys() <= {_UNIT}:
        return plus(whole, constant((rest.get(_UNIT, Fraction(0)) / divisor).__floor__()))
    inner = _quotient(rest)
    if inner is not None:
        return plus(whole, floor(inner[0], inner[1] * divisor))
    return plus(whole, alone(Floor(frozen(rest), divisor)))


def _sole(terms: CountTerms) -> tuple[CountAtom, Fraction] | None:
    """The atom A and the number c of A + c; None for anything else."""
    others = [(monomial, number) for monomial, number in terms.items() if monomial]
    if len(others) != 1 or others[0][1] != 1 or len(others[0][0]) != 1:
        return None
    ((atom, power),) = others[0][0]
    return (atom, terms.get(_UNIT, Fraction(0))) if power == 1 else None


def _quotient(terms: CountTerms) -> tuple[CountTerms, int] | None:
    """The x and the d of a ⌊x/d⌋, a number beside it put in; None for anything else."""
    atom, beside = _sole(terms) or (None, 0)
    if not isinstance(atom, Floor):
        return None
    return plus(dict(atom.value), constant(beside * atom.divisor)), atom.divisor


def positive(value: CountTerms) -> CountTerms:
    """1 where an integer is above 0, else 0: of a minimum where both sides are, of ⌊x/d⌋ where x is d or more."""
    number, quotient, sides = number_in(value), _quotient(value), _both_sides(value)
    if number is not None:
        return constant(int(number > 0))
    if quotient is not None:
        return positive(plus(quotient[0], constant(1 - quotient[1])))
    if sides is not None:
        return times(*map(positive, sides))
    sole = _sole(value)
    if sole is not None and isinstance(sole[0], (Positive, Zero)) and not sole[1]:
        return value
    return constant(1) if _never_negative(plus(value, constant(-1))) else alone(Positive(frozen(value)))


def _both_sides(terms: CountTerms) -> list[CountTerms] | None:
    """The a + c and b + c of a min(a, b) + c; None for anything else."""
    atom, beside = _sole(terms) or (None, 0)
    return [plus(dict(side), constant(beside)) for side in atom.sides] if isinstance(atom, Min) else None


def zero(value: CountTerms) -> CountTerms:
    """1 where an integer is 0, else 0: of one that is never below 0, where it is not above."""
    number = number_in(value)
    if number is None and _never_negative(value):
        return plus(constant(1), positive(value), -1)
    return alone(Zero(frozen(value))) if number is None else constant(int(number == 0))


def _never_negative(terms: CountTerms) -> bool:
    """Whether a sum of nonnegative multiples of what is never negative, as extents are."""
    return all(n >= 0 and all(map(_is_never_negative, (atom for atom, _ in m))) for m, n in terms.items())


def _is_never_negative(atom: CountAtom) -> bool:
    if isinstance(atom, Floor):
        return _never_negative(dict(atom.value))
    if isinstance(atom, Min):
        return all(_never_negative(dict(side)) for side in atom.sides)
    return not isinstance(atom, LoopSum)


_INTEGER: dict[type, Callable[..., CountTerms]] = {
    ir.IntConst: lambda e: constant(e.value),
    ir.IntVar: lambda e: alone(Variable(e.name)),
    ir.IntAdd: lambda e: plus(integer(e.left), integer(e.right)),
    ir.IntMul: lambda e: times(integer(e.left), integer(e.right)),
    ir.IntMin: lambda e: minimum(integer(e.left), integer(e.right)),
    ir.IntFloorDiv: lambda e: floor(integer(e.value), e.divisor),
    ir.IntMod: lambda e: plus(integer(e.value), floor(integer(e.value), e.divisor), -e.divisor),
}


def integer(expr: ir.IntExpr) -> CountTerms:
    """An integer of a program that does not depend on data."""
    return _INTEGER[type(expr)](expr)


_CONDITION: dict[str, Callable[[CountTerms], CountTerms]] = {  # of left - right
    "gt": lambda d: positive(d),
    "ge": lambda d: positive(plus(d, constant(1))),
    "lt": lambda d: positive(plus({}, d, -1)),
    "le": lambda d: positive(plus(constant(1), d, -1)),
    "eq": lambda d: zero(d),
    "ne": lambda d: plus(constant(1), zero(d), -1),
}


def condition(test: ir.IntCondition) -> CountTerms:
    """1 where a condition holds, else 0."""
    return _CONDITION[test.op](plus(integer(test.left), integer(test.right), -1))


def where(holds: CountTerms, value: CountTerms) -> CountTerms:
    """The value where a condition holds, else 0.

    That x > 0 need not be asked for where x is a remainder, which is never below 0, and a factor of the value.
    """
    x = _asked(holds)
    leading = None if x is None else _leading(x)
    if x is None or leading is None:
        return times(holds, value)
    atom, number = leading
    at_zero = plus(alone(atom), x, -1 / number)
    beyond: CountTerms = {}  # the value where x is 0
    for monomial, factor in value.items():
        powers = dict(monomial)
        term: CountTerms = {frozenset((a, p) for a, p in monomial if a != atom): factor}
        for _ in range(powers.get(atom, 0)):
            term = times(term, at_zero)
        beyond = plus(beyond, term)
    return plus(plus(times(holds, beyond), value), beyond, -1)


def _asked(holds: CountTerms) -> CountTerms | None:
    """The x of a condition x > 0; None for another one."""
    atoms = [atom for m in holds for atom, _ in m]
    return (
        dict(atoms[0].value)
        if len(atoms) == 1 and isinstance(atoms[0], Positive) and holds == alone(atoms[0])
        else None
    )


def _leading(x: CountTerms) -> tuple[CountAtom, Fraction] | None:
    """An atom of a remainder y - d·⌊y/d⌋, and its factor there; None for what is no remainder."""
    for monomial in x:
        ((floored, power),) = monomial if len(monomial) == 1 else ((None, 0),)
        if isinstance(floored, Floor) and power == 1 and x[monomial] == -floored.divisor:
            rest = {m: n for m, n in x.items() if m != monomial}
            alone = ((m, n) for m, n in rest.items() if len(m) == 1 and all(p == 1 for _, p in m))
            found = next(alone, None) if rest == dict(floored.value) else None
            return None if found is None else (next(iter(found[0]))[0], found[1])
    return None


# --------------------------------------------------------------------------- substitution


def put(terms: CountTerms, values: Mapping[CountAtom, CountTerms]) -> CountTerms:
    """The polynomial with other integers in the place of atoms, inside atoms too."""
    total: CountTerms = {}
    for monomial, number in terms.items():
        if not any(_mentions_any(atom, values) for atom, _ in monomial):
            total = plus(total, {monomial: number})
            continue
        product = constant(number)
        for atom, power in monomial:
            factor = _put_atom(atom, values)
            for _ in range(power):
                product = times(product, factor)
        total = plus(total, product)
    return total


def _mentions_any(atom: CountAtom, values: Mapping[CountAtom, CountTerms]) -> bool:
    return any(each in values for each in parts(atom))


@lru_cache(maxsize=4096)
def parts(atom: CountAtom) -> frozenset[CountAtom]:
    """An atom, and all inside it."""
    inner = (each for side in _sides(atom) for monomial, _ in side for each, _ in monomial)
    return frozenset({atom}).union(*map(parts, inner))


def _sides(atom: CountAtom) -> tuple[Frozen, ...]:
    if isinstance(atom, Variable):
        return ()
    if isinstance(atom, Min):
        return tuple(atom.sides)
    return (atom.extent, atom.value) if isinstance(atom, LoopSum) else (atom.value,)


def _put_atom(atom: CountAtom, values: Mapping[CountAtom, CountTerms]) -> CountTerms:
    if atom in values:
        return values[atom]
    return _REBUILT[type(atom)](atom, *(put(dict(side), values) for side in _sides(atom)))


_REBUILT: dict[type, Callable[..., CountTerms]] = {
    Variable: lambda atom: alone(atom),
    Min: lambda atom, left, right: minimum(left, right),
    Floor: lambda atom, value: floor(value, atom.divisor),
    Positive: lambda atom, value: positive(value),
    Zero: lambda atom, value: zero(value),
    LoopSum: lambda atom, extent, value: alone(LoopSum(atom.var, frozen(extent), frozen(value))),
}
