"""Where a cotangent may be other than 0: masks as facts that reverse mode carries beside every cotangent.

`where` takes one branch.  What it sends into the other is exactly 0, but 0 times a local derivative that is infinite
or NaN is NaN.  So below a `where` every rule that multiplies by a primal value is *guarded*: its product is chosen,
not computed, where the cotangent is 0 (`chosen`), and the operands of a contraction are set to 0 at the indices at
which every cotangent is 0 (`masked`).  Without a `where` there is no support, and no guard.

In: a cotangent's `Support` (None: anywhere), and how an operation connects the result's axes with an operand's.
Out: the operand's support, and guarded nodes.

A support is a disjunction of cubes, a cube a conjunction of literals: conditions that hold or do not hold, each over
the axes along which it varies.  So what two branches of one condition send adds up to "anywhere" again, and leaky
rectifiers are not guarded for nothing.
Not handled: supports of many cubes are joined into one condition (`MOST_CUBES`), in which nothing cancels any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import contract, transpose
from symnet.expr.nodes.elementwise import elementwise, greater, indicator, is_op, where
from symnet.expr.nodes.expansion import Expand, keep_axes
from symnet.expr.nodes.movement import broadcast_to, drop_axes
from symnet.expr.nodes.node import Axes, Node, Shape

MOST_CUBES = 6
ZERO = number(0)


@dataclass(frozen=True)
class Literal:
    """A condition over `axes` (increasing) of the cotangent, that holds or does not."""

    condition: Node
    axes: Axes
    holds: bool

    def negated(self) -> Literal:
        return Literal(self.condition, self.axes, not self.holds)

    def node(self) -> Node:
        """What is true where the literal is, over its axes."""
        return self.condition if self.holds else elementwise("not", self.condition)


Cube = frozenset[Literal]


@dataclass(frozen=True)
class Support:
    """The places of a cotangent of `shape` at which a cube holds; the others are 0."""

    shape: Shape
    cubes: tuple[Cube, ...]


Where = Support | None  # None: anywhere


# --------------------------------------------------------------------------- making


def literal_of(condition: Node, shape: Shape, holds: bool = True) -> Literal:
    """A condition that broadcasts to `shape`, as a literal: `and` and `or` stay closed, so that they are met again."""
    while is_op(condition, "not"):
        condition, holds = condition.operands[0], not holds
    core, axes = _core(condition, tuple(range(len(shape) - condition.rank, len(shape))), shape)
    return Literal(core, axes, holds)


def _core(condition: Node, axes: Axes, shape: Shape) -> tuple[Node, Axes]:
    """The condition without repetition, and the axes along which it varies."""
    while isinstance(condition, Expand):
        condition, axes = condition.operands[0], tuple(axes[a] for a in condition.axes)
    kept = [k for k, n in enumerate(condition.shape) if n != 1 or shape[axes[k]] == 1]
    if len(kept) < condition.rank:
        condition = drop_axes(condition, set(range(condition.rank)) - set(kept))
    return condition, tuple(axes[k] for k in kept)


def within(support: Where, condition: Node, shape: Shape, holds: bool = True) -> Where:
    """The part of a support in which a condition holds (or does not)."""
    new = frozenset({literal_of(condition, shape, holds)})
    return _support(shape, [new] if support is None else [cube | new for cube in support.cubes])


def union(supports: Iterable[Where]) -> Where:
    """The support of a sum of cotangents."""
    listed = list(supports)
    present = [s for s in listed if s is not None]
    if len(present) < len(listed) or not present:
        return None
    if all(s == present[0] for s in present):
        return present[0]
    return _support(present[0].shape, [cube for s in present for cube in s.cubes])


def _support(shape: Shape, cubes: Iterable[Cube]) -> Where:
    """Cubes made few: none that cannot hold, none inside another, c∧A ∨ ¬c∧B → A ∨ ¬c∧B for B in A."""
    found = [c for c in dict.fromkeys(cubes) if not any(literal.negated() in c for literal in c)]
    changed = True
    while changed:
        found = [c for k, c in enumerate(found) if not any(o < c or (o == c and n < k) for n, o in enumerate(found))]
        changed = _widen_one(found)
    if any(not cube for cube in found):
        return None
    if len(found) <= MOST_CUBES:
        return Support(shape, tuple(found))
    axes = tuple(sorted({a for cube in found for literal in cube for a in literal.axes}))
    return Support(shape, (frozenset({Literal(_condition(found, axes, shape), axes, True)}),))


def _widen_one(cubes: list[Cube]) -> bool:
    """Drop a literal from a cube where another cube covers the rest of it."""
    for k, cube in enumerate(cubes):
        for literal in cube:
            rest = cube - {literal}
            if any(literal.negated() in other and other - {literal.negated()} <= rest for other in cubes):
                cubes[k] = rest
                return True
    return False


# --------------------------------------------------------------------------- as nodes


def _condition(cubes: Iterable[Cube], axes: Axes, shape: Shape) -> Node:
    """The disjunction as a condition over `axes`: its rank is their number."""
    shape = tuple(shape[a] for a in axes)

    def placed(literal: Literal) -> Node:
        return broadcast_to(_aligned(literal.node(), tuple(axes.index(a) for a in literal.axes), len(axes)), shape)

    conjunctions = (reduce(_both, map(placed, sorted(cube, key=_order))) for cube in cubes)
    return reduce(lambda a, b: elementwise("or", a, b), conjunctions)


def _both(a: Node, b: Node) -> Node:
    return elementwise("and", a, b)


def _order(literal: Literal) -> tuple[Axes, bytes, bool]:
    return literal.axes, literal.condition.digest, literal.holds


def _aligned(core: Node, axes: Axes, rank: int) -> Node:
    """A core over some axes as a node that broadcasts to `rank` axes."""
    first = axes[0] if axes else rank
    return keep_axes(core, tuple(a - first for a in range(first, rank) if a not in axes))


def mask(support: Support) -> Node:
    """The support as one condition that broadcasts to its shape."""
    axes = tuple(sorted(varying(support)))
    if len(support.cubes) == 1 and len(support.cubes[0]) == 1:
        (literal,) = support.cubes[0]
        return _aligned(literal.node(), literal.axes, len(support.shape))
    return _aligned(_condition(support.cubes, axes, support.shape), axes, len(support.shape))


def chosen(support: Where, x: Node, other: Node = ZERO) -> Node:
    """x inside the support, exactly 0 (or another value) outside, whatever x is there."""
    if support is None or (other is ZERO and is_op(x, "where") and _is_zero_outside(support, x)):
        return x
    if not support.cubes:  # conditions that exclude each other: nowhere
        return broadcast_to(other, x.shape)
    condition = mask(support)
    if is_op(condition, "not"):
        return where(condition.operands[0], other, x)
    return where(condition, x, other)


def inside(support: Where, y_bar: Node) -> Node:
    """y_bar, or g where y_bar is where(c, g, 0) of its own support: what is to be chosen once more."""
    if support is not None and is_op(y_bar, "where") and _is_zero_outside(support, y_bar):
        _, a, b = y_bar.operands
        return a if number_of(b) == 0 else b
    return y_bar


def _is_zero_outside(support: Support, x: Node) -> bool:
    """Whether x is where(c, g, 0) or where(c, 0, g) of exactly this support."""
    condition, a, b = x.operands
    if not support.cubes:
        return number_of(x) == 0
    if number_of(a) != 0 and number_of(b) != 0:
        return False
    mine = mask(support)
    return mine is condition if number_of(b) == 0 else is_op(mine, "not") and mine.operands[0] is condition


# --------------------------------------------------------------------------- carried to operands


def varying(support: Support) -> set[int]:
    """The axes along which a support varies."""
    return {a for cube in support.cubes for literal in cube for a in literal.axes}


def carried(support: Where, places: Mapping[int, int], shape: Shape) -> Where:
    """The support of an operand of `shape` whose axis places[a] is the result's axis a; over the others, any.

    Each contribution to a place of the operand comes from the places of the result with these axes.
    """
    if support is None:
        return None
    gone = {a for a in range(len(support.shape)) if a not in places}
    return _support(shape, [_renamed(_any_over(cube, gone, support.shape), places) for cube in support.cubes])


def _any_over(cube: Cube, gone: Collection[int], shape: Shape) -> Cube:
    """∃ over axes of a conjunction: literals that do not vary along them stay what they are."""
    bound = [literal for literal in cube if not set(literal.axes).isdisjoint(gone)]
    if not bound:
        return cube
    axes = tuple(sorted({a for literal in bound for a in literal.axes}))
    kept = tuple(a for a in axes if a not in gone)
    rest = frozenset(cube - set(bound))
    if len(bound) == 1 and _is_met_on_the_diagonal(bound[0]) and len(kept) == 1:
        return rest
    condition = _condition([frozenset(bound)], axes, shape)
    count = contract([axes], kept, indicator(condition))
    return rest | {Literal(greater(count, 0), kept, True)}


def _is_met_on_the_diagonal(literal: Literal) -> bool:
    """Whether a condition of two axes holds wherever they are equal: i >= j, as in causal attention."""
    condition = literal.condition
    if not is_op(condition, *(("ge", "le", "eq") if literal.holds else ("gt", "lt", "ne"))):
        return False
    (a, along), (b, across) = (
        _core(o, tuple(range(condition.rank - o.rank, condition.rank)), condition.shape) for o in condition.operands
    )
    return a is b and a.kind == "iota" and along != across


def _renamed(cube: Cube, places: Mapping[int, int]) -> Cube:
    return frozenset(_renamed_literal(literal, places) for literal in cube)


def _renamed_literal(literal: Literal, places: Mapping[int, int]) -> Literal:
    """A literal over the operand's axes in the place of the result's; transposed where these stand in another order."""
    axes = [places[a] for a in literal.axes]
    order = sorted(range(len(axes)), key=axes.__getitem__)
    condition = literal.condition
    if len(set(axes)) < len(axes):
        condition = contract([axes], sorted(set(axes)), indicator(condition))
        return Literal(greater(condition if literal.holds else 1 - condition, 0), tuple(sorted(set(axes))), True)
    if order != list(range(len(order))):
        condition = transpose(condition, *order)
    return Literal(condition, tuple(axes[k] for k in order), literal.holds)


def moved_support(support: Where, move: Callable[[Node], Node], shape: Shape) -> Where:
    """The support after a rearrangement of elements, which acts on conditions as on cotangents."""
    if support is None:
        return None
    if not support.cubes:
        return Support(shape, ())
    condition = move(broadcast_to(mask(support), support.shape))
    return _support(shape, [frozenset({Literal(condition, tuple(range(len(shape))), True)})])


def summed_support(support: Where, add: Callable[[Node], Node], shape: Shape) -> Where:
    """The support after sums that `add` makes of cotangents: where any of the terms may be other than 0."""
    return moved_support(support, lambda condition: greater(add(indicator(condition)), 0), shape)


def masked(support: Where, x: Node, places: Mapping[int, int]) -> Node:
    """An operand beside a cotangent, set to 0 where every cotangent it meets is 0."""
    if x.kind in _HARMLESS or is_op(x, "indicator"):
        return x
    return chosen(carried(support, places, x.shape), x)


_HARMLESS = frozenset({"number", "size", "delta", "iota", "one_hot"})  # finite whatever the data
