"""Rewrites of `where` and of what stands in its branches.

In: a `where` node, or a node over one, its operands in normal form.  Out: a shorter or canonical node.
A factor leaves a branch only when it is finite whatever the data (`take_common_scalar_out_of_where`): in the branch
that is not taken anything may be infinite or NaN.  Factors enter branches freely, and do where they cancel there.
"""

from __future__ import annotations

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import Elementwise, elementwise, is_op, operands_of
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Concat, Place, broadcast_to
from symnet.expr.nodes.node import Axes, Node, Shape
from symnet.simplify.algebra.hoisting import is_move
from symnet.simplify.algebra.joined_choices import choice_of_moved
from symnet.simplify.algebra.placing import is_zero
from symnet.simplify.forms.broadcast import align, spread, trailing
from symnet.simplify.forms.coefficients import is_finite_scalar, product, split_coefficient
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.signs import is_positive
from symnet.simplify.rewrite import Rewrite

_LEVELS = 4  # of a branch that are searched for choices by the same condition
Decisions = dict[tuple[Node, Axes], bool]  # a condition's core and the axes it varies along: whether it holds


# --------------------------------------------------------------------------- branches


def where_of_one_and_zero_is_indicator(node: Node) -> Node | None:
    """where(c, 1, 0) → [c], where(c, 0, 1) → [not c], where(c, -1, 0) → -[c].  Always."""
    condition, a, b = node.operands
    numbers = [number_of(x) for x in (a, b)]
    if set(numbers) not in ({0, 1}, {0, -1}):
        return None
    first = numbers[1] == 0
    held = elementwise("indicator", condition if first else elementwise("not", condition))
    return product(numbers[0 if first else 1], (held,))


def drop_choice_of_what_is_zero_beyond(node: Node) -> Node | None:
    """where(p or q, [p] + where(q, x, 0), 0) → [p] + where(q, x, 0), p and q laid among zeros or moved as they are too.

    Condition: every term is a choice of 0, or a number of times [p], where the condition does not hold; or one that is
    never below 0, where the condition is that it is above.
    """
    condition, a, b = node.operands
    if number_of(b) != 0 or a.shape != node.shape:
        return None
    return a if vanishes_beyond(a, condition, holds=True) else None


def vanishes_beyond(x: Node, condition: Node, *, holds: bool) -> bool:
    """Whether x is 0, whatever the data, but where a condition holds, or but where it does not hold."""
    return _vanishes(x, _alternatives(condition) if holds else _denials(condition), _LEVELS)


def _alternatives(condition: Node) -> list[Node]:
    """p, q and r of p or q or r."""
    if not is_op(condition, "or"):
        return [condition]
    return [part for o in condition.operands for part in _alternatives(o)]


def _denials(condition: Node) -> list[Node]:
    """not p, not q and not r of p and q and r."""
    if not is_op(condition, "and"):
        return [elementwise("not", condition)]
    return [part for o in condition.operands for part in _denials(o)]


def _vanishes(x: Node, conditions: list[Node], levels: int) -> bool:
    """Whether x is 0, whatever the data, where none of the conditions holds."""
    if not levels or not conditions:
        return False
    if is_op(x, "add"):
        return all(o.shape == x.shape and _vanishes(o, conditions, levels - 1) for o in x.operands)
    _, factors = split_coefficient(x)
    if len(factors) != 1:
        return False
    (inner,) = factors
    if any(_is_above_zero(c, inner) for c in conditions):
        return True
    if is_op(inner, "indicator") or (is_op(inner, "where") and number_of(inner.operands[2]) == 0):
        return any(_implies(inner.operands[0], c) for c in conditions)
    if is_move(inner) or inner.kind == "place":
        before = [c.operands[0] for c in conditions if _are_moved_alike(c, inner)]
        return _vanishes(inner.operands[0], before, levels - 1)
    return is_op(inner, "add") and _vanishes(inner, conditions, levels - 1)


def _are_moved_alike(x: Node, y: Node) -> bool:
    """Whether one move, or one laying among zeros, makes x and y of two arrays of one shape."""
    if x.kind != y.kind or not x.operands or x.operands[0].shape != y.operands[0].shape:
        return False
    return with_operands(y, [x.operands[0], *y.operands[1:]]) is x


def _is_above_zero(condition: Node, x: Node) -> bool:
    """Whether a condition is x > 0, for an x that is never below."""
    return (
        is_op(condition, "gt")
        and condition.operands[0] is x
        and number_of(condition.operands[1]) == 0
        and known(x, "nonnegative")
    )


def _implies(p: Node, q: Node) -> bool:
    """Whether q holds where p does: it is p, or one of the conditions that p joins by and."""
    return p is q or (is_op(p, "and") and any(_implies(o, q) for o in p.operands))


def drop_choice_between_equals(node: Node) -> Node | None:
    """max(x, x) → x; where(c, x, x) → x.  Always."""
    a, b = node.operands[-2:]
    return broadcast_to(a, node.shape) if a is b else None


def where_not_is_where_turned(node: Node) -> Node | None:
    """where(not c, x, y) → where(c, y, x).  Always."""
    condition, a, b = node.operands
    return elementwise("where", condition.operands[0], b, a) if is_op(condition, "not") else None


# --------------------------------------------------------------------------- what a condition settles in its branches


def settle_condition_in_its_own_branch(node: Node) -> Node | None:
    """where(c, f(where(c, x, y)), z) → where(c, f(x), z), where(x >= 0, y, f(min(x, 0))) → where(x >= 0, y, f(x)), and
    so for [c], repeated and moved ones too.

    Always: there c holds.
    """
    condition, a, b = node.operands
    core, axes = align(condition, node.shape)
    new = [_known(branch, core, axes, holds, node.shape) for branch, holds in ((a, True), (b, False))]
    if new[0] is a and new[1] is b:
        return None
    return broadcast_to(elementwise("where", condition, *new), node.shape)


def _known(branch: Node, core: Node, axes: Axes, holds: bool, shape: Shape) -> Node:
    """A branch in which a condition is known, and what follows from it."""
    facts: Decisions = {}
    _learn(core, axes, holds, facts, shape)
    return _settled_in(branch, facts, shape, _LEVELS)


def _learn(core: Node, axes: Axes, holds: bool, facts: Decisions, shape: Shape) -> None:
    facts[(core, axes)] = holds
    if is_op(core, "not"):
        _learn(core.operands[0], axes, not holds, facts, shape)
    if is_op(core, "and" if holds else "or"):
        for part in core.operands:
            _learn(*_placed(part, axes, shape), holds, facts, shape)


def _placed(part: Node, axes: Axes, shape: Shape) -> tuple[Node, Axes]:
    inner, places = align(part, tuple(shape[a] for a in axes))
    return inner, tuple(axes[a] for a in places)


def _settled_in(x: Node, facts: Decisions, shape: Shape, levels: int) -> Node:
    """x where the facts hold; x broadcasts to `shape`."""
    if not levels or x.dtype == "bool":
        return x
    if isinstance(x, Expand):
        return _settled_below(x, facts, shape, levels)
    if not isinstance(x, Elementwise):
        return _settled_before_moving(x, facts, shape, levels)
    if x.op in ("where", "indicator"):
        holds = _whether(x.operands[0], facts, shape)
        if holds is not None:
            branches = x.operands[1:] or (number(1), number(0))
            return _settled_in(broadcast_to(branches[0 if holds else 1], x.shape), facts, shape, levels - 1)
    if x.op in ("maximum", "minimum"):
        settled = _settled_extreme(x, facts, shape)
        return x if settled is None else _settled_in(broadcast_to(settled, x.shape), facts, shape, levels - 1)
    return with_operands(x, [_settled_in(o, facts, shape, levels - 1) for o in x.operands])


def _settled_extreme(x: Elementwise, facts: Decisions, shape: Shape) -> Node | None:
    """y of min(y, z) where y < z is known, or that y >= z does not hold: y may be NaN then, and a number is no y."""
    for k, is_smaller in ((0, True), (1, True), (0, False), (1, False)):
        y, z = x.operands[k], x.operands[1 - k]
        for op in ("lt", "le") if is_smaller else ("gt", "ge"):
            holds = facts.get(align(elementwise(op, y, z), shape))
            if holds is not None:
                found = y if (x.op == "minimum") is (is_smaller is holds) else z
                return found if holds or number_of(found) is None else None
    return None


def _whether(condition: Node, facts: Decisions, shape: Shape) -> bool | None:
    """Whether a condition is known to hold, itself or by the parts that it connects, moved or not."""
    core, axes = align(condition, shape)
    if (core, axes) in facts:
        return facts[(core, axes)]
    inner = core.operands[0] if is_move(core) else core
    if not is_op(inner, "not", "and", "or"):
        return None
    parts = [broadcast_to(o, inner.shape) for o in inner.operands]
    placed = [with_operands(core, [p, *core.operands[1:]]) for p in parts] if inner is not core else parts
    known = [_whether(spread(p, axes, shape), facts, shape) for p in placed]
    if is_op(inner, "not"):
        return None if known[0] is None else not known[0]
    decisive = is_op(inner, "or")  # one part that holds is enough, or one that does not
    return decisive if decisive in known else None if None in known else not decisive


def _settled_below(x: Expand, facts: Decisions, shape: Shape, levels: int) -> Node:
    """expand(where(c, y, z)) where c is known: the facts about axes that what is repeated has."""
    inner = x.operands[0]
    places = [len(shape) - x.rank + a for a in x.axes]
    below = {
        (core, tuple(places.index(a) for a in axes)): holds
        for (core, axes), holds in facts.items()
        if set(axes) <= set(places)
    }
    return with_operands(x, [_settled_in(inner, below, inner.shape, levels - 1)]) if below else x


def _settled_before_moving(x: Node, facts: Decisions, shape: Shape, levels: int) -> Node:
    """f(where(c, y, z))[k:] where c[k:] is known."""
    choice = choice_of_moved(x)
    if choice is not x:
        settled = _settled_in(choice, facts, shape, levels)
        return x if settled is choice else settled
    if isinstance(x, (Concat, Place)):
        pieces = [_settled_piece(x, k, facts, shape, levels) for k in range(len(x.operands))]
        return with_operands(x, pieces)
    inner = x.operands[0] if is_move(x) else x
    before = _facts_before(x, facts, shape) if isinstance(inner, Elementwise) else {}
    return with_operands(x, [_settled_in(inner, before, inner.shape, levels - 1), *x.operands[1:]]) if before else x


def _settled_piece(x: Node, k: int, facts: Decisions, shape: Shape, levels: int) -> Node:
    """A piece of what is joined, or what is laid among zeros, where conditions are known that are joined or laid so."""
    piece, whole = x.operands[k], trailing(x.rank, len(shape))
    here: Decisions = {}
    for (core, axes), holds in facts.items():
        if axes == whole and core.kind == x.kind and _is_cut_alike(core, x) and (holds or x.kind == "concat"):
            here[align(core.operands[k], piece.shape)] = holds
    return _settled_in(piece, here, piece.shape, levels - 1) if here else piece


def _is_cut_alike(x: Node, y: Node) -> bool:
    """Whether pieces of the same shapes are joined, or laid among zeros, to x and to y alike."""
    shapes = [o.shape for o in x.operands] == [o.shape for o in y.operands]
    return shapes and with_operands(y, x.operands) is x


def _facts_before(move: Node, facts: Decisions, shape: Shape) -> Decisions:
    """What is known of the elements that a move takes, from conditions that are moved alike."""
    whole = trailing(move.rank, len(shape))
    before: Decisions = {}
    for (core, axes), holds in facts.items():
        if axes == whole and _are_moved_alike(core, move):
            before[align(core.operands[0], move.operands[0].shape)] = holds
    return before


# A comparison of x and y, and whether it holds → the other comparisons of x and y that are then settled.  (Where x or y
# is NaN none of them holds, and the value is NaN's business.)
_SETTLED = {
    ("ge", True): {"ge": 1, "lt": 0},
    ("ge", False): {"lt": 1, "le": 1, "ne": 1, "ge": 0, "gt": 0, "eq": 0},
    ("gt", True): {"gt": 1, "ge": 1, "ne": 1, "lt": 0, "le": 0, "eq": 0},
    ("gt", False): {"le": 1, "gt": 0},
    ("le", True): {"le": 1, "gt": 0},
    ("le", False): {"gt": 1, "ge": 1, "ne": 1, "le": 0, "lt": 0, "eq": 0},
    ("lt", True): {"lt": 1, "le": 1, "ne": 1, "ge": 0, "gt": 0, "eq": 0},
    ("lt", False): {"ge": 1, "lt": 0},
    ("eq", True): {"eq": 1, "ge": 1, "le": 1, "ne": 0, "gt": 0, "lt": 0},
    ("ne", False): {"eq": 1, "ge": 1, "le": 1, "ne": 0, "gt": 0, "lt": 0},
}
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


def settle_comparison_in_its_own_branch(node: Node) -> Node | None:
    """where(x >= y, a, [x <= y]·b) → where(x >= y, a, b).

    Condition: a factor of a branch is the indicator of a comparison of the same values, which the condition settles.
    """
    condition, *branches = node.operands
    if not isinstance(condition, Elementwise) or condition.op not in COMPARISONS:
        return None
    new = [_settled(b, condition, holds) for b, holds in zip(branches, (True, False), strict=True)]
    if new == branches:
        return None
    return broadcast_to(elementwise("where", condition, *new), node.shape)


def _settled(branch: Node, condition: Elementwise, holds: bool) -> Node:
    """A branch without the indicators that are settled in it."""
    known_here = _SETTLED.get((condition.op, holds), {})
    factors = list(branch.operands) if is_op(branch, "mul") else [branch]
    kept: list[Node] = []
    for factor in factors:
        inner = factor.operands[0] if is_op(factor, "indicator") else None
        value = None
        if isinstance(inner, Elementwise) and inner.operands == condition.operands:
            value = known_here.get(inner.op)
        if value == 0:
            return number(0)
        kept += [factor] if value is None else []
    if len(kept) == len(factors):
        return branch
    return number(1) if not kept else kept[0] if len(kept) == 1 else elementwise("mul", *kept)


# --------------------------------------------------------------------------- zeros laid around


def choose_before_placing(node: Node) -> Node | None:
    """where(pad(c), s·pad(x), 0) → pad(where(c, s·x, 0)).  Condition: both are laid at the same window."""
    condition, a, b = node.operands
    coefficient, factors = split_coefficient(a)
    placed = [f for f in factors if f.rank]
    if not is_zero(b) or len(placed) != 1 or not isinstance(condition, Place) or not isinstance(placed[0], Place):
        return None
    (x,), c = placed[0].operands, condition.operands[0]
    if c.rank != x.rank or with_operands(placed[0], [c]) is not condition:
        return None
    inside = product(coefficient, (*(f for f in factors if not f.rank), x))
    return with_operands(placed[0], [broadcast_to(elementwise("where", c, inside, 0), x.shape)])


# --------------------------------------------------------------------------- factors


def take_common_scalar_out_of_where(node: Node) -> Node | None:
    """where(c, s·x, s·y) → s·where(c, x, y); y may be 0.

    Condition: s is a scalar; where y is 0, it is finite whatever the data.
    """
    condition, a, b = node.operands
    zero = number_of(a) == 0 or number_of(b) == 0
    shared = [s for s in (*_scalars(a), *_scalars(b)) if is_finite_scalar(s)] if zero else []
    shared = shared or [s for s in _scalars(a) if s in _scalars(b)]
    if not shared or not node.rank:
        return None
    return elementwise("mul", *shared, elementwise("where", condition, _divide(a, shared), _divide(b, shared)))


def _scalars(x: Node) -> list[Node]:
    return [o for o in x.operands if not o.rank] if is_op(x, "mul") and x.rank else []


def _divide(x: Node, shared: list[Node]) -> Node:
    if number_of(x) == 0:
        return x
    rest = [o for o in x.operands if o not in shared]
    return rest[0] if len(rest) == 1 else elementwise("mul", *rest)


def multiply_into_choice_to_cancel(node: Node) -> Node | None:
    """y·where(c, a/y, b) → where(c, a, y·b), 1/y·where(c, a·y, 0) → where(c, a, 0): 1/y may be infinite where y is 0.

    Condition: the factor's reciprocal is a factor of a branch, or that of a factor y is one of a term of it.
    """
    factors = Factors.view(node)
    whole = trailing(node.rank, node.rank)
    for base, exponent in factors.powers.items():
        core, axes = base
        if exponent != 1 or axes != whole or not is_op(core, "where"):
            continue
        wanted = {b for branch in core.operands[1:] for b in _reciprocals_in(branch, factors, base)}
        if wanted:
            inside, outside = Factors(node.shape), factors.copy()
            del outside.powers[base]
            for other in wanted:
                inside.powers[other] = outside.powers.pop(other)
            condition, *branches = core.operands
            factor = inside.build()
            chosen = elementwise("where", condition, *(elementwise("mul", factor, x) for x in branches))
            return outside.times(broadcast_to(chosen, node.shape), whole).build()
    return _moved_into_choice(node)


def _moved_into_choice(node: Node) -> Node | None:
    """y[k:]·where(c, (a/y)[k:], b) → where(c, y[k:]·(a/y)[k:], y[k:]·b)."""
    for choice in (o for o in node.operands if is_op(o, "where") and o.shape == node.shape):
        condition, *branches = choice.operands
        inner = [f for branch in branches for f in operands_of("mul", branch) if is_move(f)]
        for factor in node.operands:
            if is_move(factor) and factor.shape == node.shape and any(_cancels(factor, f) for f in inner):
                rest = [o for o in node.operands if o is not factor and o is not choice]
                whole = elementwise("where", condition, *(_times(factor, branch) for branch in branches))
                return elementwise("mul", *rest, whole) if rest else whole
    return None


def _cancels(factor: Node, other: Node) -> bool:
    """Whether two arrays are moved alike, and factors of one divide the other."""
    x, y = factor.operands[0], other.operands[0]
    if x.shape != y.shape or with_operands(factor, [y, *factor.operands[1:]]) is not other:
        return False
    one, two = Factors.view(x), Factors.view(y)
    return len(Factors.of(elementwise("mul", x, y)).powers) < max(len(one.powers), len(two.powers))


def _times(factor: Node, branch: Node) -> Node:
    return branch if number_of(branch) == 0 else elementwise("mul", factor, branch)


def _reciprocals_in(branch: Node, factors: Factors, chosen: Base) -> list[Base]:
    """The factors that divide a branch or a term of it, and the divisors that are factors of a branch."""
    terms = [t for f in operands_of("mul", branch) if is_op(f, "add") for t in f.operands]
    found = []
    for term in (branch, *terms):
        inner = Factors(factors.shape).times(term, trailing(term.rank, len(factors.shape)))
        for base, exponent in inner.powers.items():
            mine = factors.powers.get(base)
            if mine is None or base == chosen or isinstance(mine, Node) or isinstance(exponent, Node):
                continue
            divided = is_positive(mine) and not is_positive(exponent)
            divides = term is branch and is_positive(exponent) and not is_positive(mine)
            found += [base] if divided or divides else []
    return found


CHOICES = (
    Rewrite(drop_choice_between_equals, ("maximum", "minimum", "where", "and", "or"), domain="equal", role="shorter"),
    Rewrite(where_not_is_where_turned, ("where",), domain="equal", role="shorter"),
    Rewrite(where_of_one_and_zero_is_indicator, ("where",), domain="equal", role="shorter"),
    Rewrite(drop_choice_of_what_is_zero_beyond, ("where",), needs=("nonnegative",), domain="equal", role="shorter"),
    Rewrite(settle_condition_in_its_own_branch, ("where",), domain="equal", role="shorter"),
    Rewrite(choose_before_placing, ("where",), domain="equal", role="shorter"),
    Rewrite(take_common_scalar_out_of_where, ("where",), needs=("positive",), domain="equal", role="shorter"),
    Rewrite(settle_comparison_in_its_own_branch, ("where",), domain="extends", role="shorter"),
)
