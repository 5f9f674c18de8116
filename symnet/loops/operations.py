"""How many operations a program executes, as a polynomial in its extents.

In: a `Program`.  Out: its `Operations`, as SymPy expressions.

What is counted is the program as it is scheduled (`CompiledFunction.loops` shows it), with the sums by blocks, the
parts of sums that rounding loses, and what is computed again in each block; of equal values in a body one
(`distinct.py`).  What one operation counts, `weights.py` says.

Not counted is what belongs to the machine: lanes that a vector has beyond the loop's end, the joining of its lanes at
the end of a sum, what long pieces of straight code that became functions compute again.  A condition that data decide
is taken not to hold: it guards what is rare, as a norm whose square is beyond the range of floats.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Expr

from symnet.expr.nodes.extents import Dim
from symnet.loops import ir
from symnet.loops.affine import int_loads
from symnet.loops.distinct import CountedBody, counted
from symnet.loops.extent_sums import sum_over
from symnet.loops.extent_terms import (
    CountAtom,
    CountTerms,
    Floor,
    Frozen,
    LoopSum,
    Min,
    Positive,
    Variable,
    Zero,
    condition,
    constant,
    frozen,
    integer,
    plus,
    put,
    where,
)
from symnet.loops.owners import owners
from symnet.loops.shares import shared
from symnet.loops.weights import Operations

AllKinds = tuple[CountTerms, ...]  # arithmetic, calls of functions, multiply-adds
_NONE: AllKinds = ({}, {}, {})


def operations(program: ir.Program) -> Operations:
    """The operations of one call, each kind a SymPy expression in the extents."""
    bodies = counted_phases(program)
    total = _NONE
    for group in program.groups:
        phases = _NONE
        for phase in group.phases:
            phases = _both(phases, _of_phase(phase, next(bodies)))
        total = _both(total, _repeated(group.var, group.repeat, phases))
    return Operations(*(_as_sympy(frozen(terms)) for terms in total))


def operations_of_phases(program: ir.Program) -> list[Operations]:
    """What all runs of each phase take, in the order of `Program.phases()`."""
    bodies = counted_phases(program)
    found = []
    for group, phase in program.phases():
        total = _repeated(group.var, group.repeat, _of_phase(phase, next(bodies)))
        found.append(Operations(*(_as_sympy(frozen(terms)) for terms in total)))
    return found


def _of_phase(phase: ir.Phase, body: CountedBody) -> AllKinds:
    """All units of a phase; of shares all tiles, as if the first unit had them."""
    share = shared(phase)
    if share is None or body.branches or body.own.total:
        return _repeated(phase.unit_var, phase.units, _of_body(body))
    loop, tiles = share
    ((_, inside),) = body.loops
    first: dict[CountAtom, CountTerms] = {Variable(phase.unit_var): constant(0)}
    return _repeated(loop.var, tiles, tuple(put(terms, first) for terms in _of_body(inside)))


def counted_phases(program: ir.Program) -> Iterator[CountedBody]:
    """What a unit of each phase takes, in the order of the phases."""
    owner = owners((*program.outputs, *program.workspace))
    for _, phase in program.phases():
        yield counted(phase.body, owner)


def _both(left: AllKinds, right: AllKinds) -> AllKinds:
    return tuple(map(plus, left, right))


def _repeated(var: str, extent: ir.IntExpr, once: AllKinds) -> AllKinds:
    if not any(once):
        return _NONE
    many = integer(extent)
    return tuple(sum_over(var, many, terms) for terms in once)


def _of_body(body: CountedBody) -> AllKinds:
    total: AllKinds = tuple(map(constant, body.own.kinds))
    for loop, inside in body.loops:
        total = _both(total, _repeated(loop.var, loop.extent, _of_body(inside)))
    for branch, *arms in body.branches:
        total = _both(total, _of_branch(branch.condition, *map(_of_body, arms)))
    return total


def _of_branch(test: ir.IntCondition, then: AllKinds, orelse: AllKinds) -> AllKinds:
    if int_loads(test.left) or int_loads(test.right) or not (any(then) or any(orelse)):
        return orelse
    holds = condition(test)
    fails = plus(constant(1), holds, -1)
    return _both(tuple(where(holds, terms) for terms in then), tuple(where(fails, terms) for terms in orelse))


# --------------------------------------------------------------------------- as SymPy


def filled(count: Expr) -> str:
    """A count as text, for extents of 1 or more, where the conditions that an extent is above 0 hold."""
    conditions = {
        c: 1 for c in count.atoms(sympy.Min) if len(c.args) == 2 and 1 in c.args and any(map(_is_extent, c.args))
    }
    return str(count.xreplace(conditions)) + (" (where no extent is 0)" if conditions else "")


def _is_extent(value: Expr) -> bool:
    return isinstance(value, Dim)


class Total(sympy.Function):
    """Total(f, v, n): the sum of f over v = 0 … n - 1, which is worked out once all else in it is a number.

    SymPy's `Sum` of floors is not: of the same sum it gives now this number, now that, from one process to the next.
    """

    nargs = 3

    @classmethod
    def eval(cls, value: Expr, var: Expr, extent: Expr) -> Expr | None:
        if not extent.is_Integer or not value.free_symbols <= {var}:
            return None
        return sympy.Add(*(value.subs(var, k) for k in range(int(extent))))

    @property
    def free_symbols(self) -> set[Expr]:
        value, var, extent = self.args
        return (value.free_symbols - {var}) | extent.free_symbols

    def _eval_subs(self, old: Expr, new: Expr) -> Expr | None:
        return self if old == self.args[1] else None


def _as_sympy(terms: Frozen) -> Expr:
    return sympy.Add(
        *(
            sympy.Rational(number.numerator, number.denominator)
            * sympy.Mul(*(_atom_as_sympy(atom) ** power for atom, power in monomial))
            for monomial, number in terms
        )
    )


def _atom_as_sympy(atom: object) -> Expr:
    if isinstance(atom, Variable):
        return Dim(atom.name)
    if isinstance(atom, Min):
        return sympy.Min(*map(_as_sympy, atom.sides), evaluate=False)
    if isinstance(atom, Floor):
        return _quotient(_as_sympy(atom.value), atom.divisor)
    if isinstance(atom, Positive):
        return _above_zero(_as_sympy(atom.value))
    if isinstance(atom, Zero):
        return sympy.KroneckerDelta(_as_sympy(atom.value), 0)
    assert isinstance(atom, LoopSum)
    return Total(_as_sympy(atom.value), Dim(atom.var), _as_sympy(atom.extent))


def _quotient(value: Expr, divisor: int) -> Expr:
    """⌊x/d⌋, written ⌈y/d⌉ where x = y + d - 1."""
    if value.as_coeff_Add()[0] == divisor - 1:
        return sympy.ceiling((value - divisor + 1) / divisor)
    return sympy.floor(value / divisor)


def _above_zero(value: Expr) -> Expr:
    """1 where a value is above 0, else 0; of y - k, which is of an extent y, in terms of y."""
    beyond, y = value.as_coeff_Add()
    if y.is_nonnegative and beyond <= 0:
        return sympy.Min(1, sympy.floor(y / (1 - beyond)), evaluate=False)
    return sympy.Min(1, sympy.Max(0, value, evaluate=False), evaluate=False)
