"""What an index expression depends on, and how: integer expressions as polynomials.

In: `IntExpr`s.  Out: the names they mention, the integer buffers they read, their step per iteration of a
loop, and whether two of them are provably equal or a constant apart.

Not handled: reasoning inside min, floor division, remainders and integer loads, which count as opaque atoms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from symnet.loops import integers as ir

Monomial = tuple[ir.IntExpr, ...]  # sorted atoms; () is the constant term
Polynomial = dict[Monomial, int]


_OPERANDS: dict[type, Callable[..., tuple[ir.IntExpr, ...]]] = {
    ir.IntConst: lambda e: (),
    ir.IntVar: lambda e: (),
    ir.IntAdd: lambda e: (e.left, e.right),
    ir.IntMul: lambda e: (e.left, e.right),
    ir.IntMin: lambda e: (e.left, e.right),
    ir.IntFloorDiv: lambda e: (e.value,),
    ir.IntMod: lambda e: (e.value,),
    ir.IntLoad: lambda e: e.index,
}


def operands(expr: ir.IntExpr) -> tuple[ir.IntExpr, ...]:
    """The integer expressions directly inside one."""
    return _OPERANDS[type(expr)](expr)


def walk_int(expr: ir.IntExpr) -> Iterator[ir.IntExpr]:
    """The expression and everything inside it."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(operands(node))


@lru_cache(maxsize=4096)
def names(expr: ir.IntExpr) -> frozenset[str]:
    """The loop variables and extents an expression mentions, also inside integer loads."""
    return frozenset(node.name for node in walk_int(expr) if isinstance(node, ir.IntVar))


def direct_names(expr: ir.IntExpr) -> frozenset[str]:
    """The names an expression mentions outside integer loads."""
    if isinstance(expr, ir.IntLoad):
        return frozenset()
    found = {expr.name} if isinstance(expr, ir.IntVar) else set()
    return frozenset(found).union(*map(direct_names, operands(expr)))


def int_loads(expr: ir.IntExpr) -> tuple[ir.IntLoad, ...]:
    """The integer loads inside an expression, an outer one before those in its index."""
    return _LOADS[type(expr)](expr)


_NONE: tuple[ir.IntLoad, ...] = ()
_LOADS: dict[type, Callable[..., tuple[ir.IntLoad, ...]]] = {
    ir.IntConst: lambda e: _NONE,
    ir.IntVar: lambda e: _NONE,
    ir.IntAdd: lambda e: int_loads(e.left) + int_loads(e.right),
    ir.IntMul: lambda e: int_loads(e.left) + int_loads(e.right),
    ir.IntMin: lambda e: int_loads(e.left) + int_loads(e.right),
    ir.IntFloorDiv: lambda e: int_loads(e.value),
    ir.IntMod: lambda e: int_loads(e.value),
    ir.IntLoad: lambda e: sum(map(int_loads, e.index), (e,)),
}


def polynomial(expr: ir.IntExpr) -> Polynomial:
    """The expression as a sum of integer multiples of products of atoms, zero terms left out."""
    return dict(_polynomial(expr))


@lru_cache(maxsize=4096)
def _polynomial(expr: ir.IntExpr) -> Polynomial:
    """`polynomial`, not to be changed."""
    if isinstance(expr, ir.IntConst):
        return {(): expr.value} if expr.value else {}
    if isinstance(expr, ir.IntAdd):
        return _sum(_polynomial(expr.left), _polynomial(expr.right))
    if isinstance(expr, ir.IntMul):
        return _product(_polynomial(expr.left), _polynomial(expr.right))
    return {(expr,): 1}


def _sum(left: Polynomial, right: Polynomial) -> Polynomial:
    total = dict(left)
    for monomial, factor in right.items():
        total[monomial] = total.get(monomial, 0) + factor
    return {monomial: factor for monomial, factor in total.items() if factor}


def _product(left: Polynomial, right: Polynomial) -> Polynomial:
    total: Polynomial = {}
    for a, x in left.items():
        total = _sum(total, {tuple(sorted(a + b, key=repr)): x * y for b, y in right.items()})
    return total


def step(expr: ir.IntExpr, var: str) -> int | None:
    """The c where `expr` = c·var + (something free of var); None where it is not of that form."""
    terms = polynomial(expr)
    factor = terms.pop((ir.IntVar(var),), 0)
    rest_is_free = not any(var in names(atom) for monomial in terms for atom in monomial)
    return factor if rest_is_free else None


def constant_difference(left: ir.IntExpr, right: ir.IntExpr) -> int | None:
    """The difference left − right where that is provably a constant."""
    if left == right:
        return 0
    terms = _sum(_polynomial(left), {monomial: -factor for monomial, factor in _polynomial(right).items()})
    return terms.get((), 0) if set(terms) <= {()} else None


def element_count(shape: tuple[ir.IntExpr, ...]) -> Polynomial:
    """The number of elements of a shape."""
    count: Polynomial = {(): 1}
    for extent in shape:
        count = _product(count, polynomial(extent))
    return count


def is_plain(terms: Polynomial) -> bool:
    """True where a polynomial has no opaque atoms, so that unequal polynomials are unequal numbers."""
    return all(isinstance(atom, ir.IntVar) for monomial in terms for atom in monomial)


def extreme(expr: ir.IntExpr, extents: dict[str, ir.IntExpr], highest: bool) -> ir.IntExpr | None:
    """The highest (lowest) value of an index over loops; None where it is not affine in a loop variable."""
    for var in extents.keys() & names(expr):  # no extent mentions another loop's variable
        extent = extents[var]
        factor = step(expr, var)
        if factor is None:
            return None
        at = extent - 1 if (factor > 0) == highest else ir.IntConst(0)
        expr = expr + (at - ir.IntVar(var)) * factor
    return expr
