"""Where terms cancel at 0, or 0 is divided by 0: a pass of the numeric form.

In: sums, products and logarithms of analytic functions of one variable, such as cos(x)/x - sin(x)/x², 1/x - 1/sin(x),
(1 - cos x)/x², log(sinh(x)/x), exp(x) - 1 - x.  Out: the same beyond a distance from 0, and the polynomial that it is
within: no digit is lost there, and at 0 stands the limit.  Where no digit is lost but at 0 something is infinite,
x/tanh(x), the limit alone is chosen there.
The largest expression of that kind is taken, so that 1/x meets what vanishes beside it.  The polynomial is that of
Taylor, in x² where it is even, of at most `MOST` terms, on the largest interval on which it is right to the last bit.
Not handled: functions of two variables that cancel on a line, 1/x outside a sum over an axis, poles that stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import sympy

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import Elementwise, elementwise, is_op, where
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.algebra.moved_axes import is_laid_out
from symnet.simplify.forms.broadcast import spread
from symnet.simplify.forms.coefficients import sum_of_all
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.signs import is_negative
from symnet.simplify.numeric.singularities.expansions import (
    BasePowers,
    Expander,
    Expansion,
    is_function,
    order_on,
    zeros_of,
)
from symnet.simplify.numeric.singularities.function_parts import FunctionPart, function_parts_of
from symnet.simplify.numeric.singularities.joined_sums import MOST_TERMS, Joined, under_one_sum
from symnet.simplify.numeric.singularities.near_zero import (
    evaluated,
    line_near_zero,
    polynomial_of_part,
    where_limit_holds,
)
from symnet.simplify.numeric.singularities.opened_contractions import hides_divisor
from symnet.simplify.numeric.singularities.power_series import LENGTH
from symnet.simplify.numeric.singularities.spellings import spellings, without_seals
from symnet.simplify.numeric.singularities.variables import (
    NEAR,
    close_powers,
    has_divisors,
    may_be_zero,
    may_divide_by_zero,
    possible_variables,
)
from symnet.simplify.rewrite import GraphRewrite
from symnet.simplify.trace import Step

FIRST_LOOK = 16  # coefficients that show whether terms cancel
CANDIDATES = 4  # variables that are tried
DEEPEST = 12  # levels of an expression that are copied
MOST_OF_ONE, ROOM = 256, 1024  # terms of one expression, and of all, before long ones stay as they are


# --------------------------------------------------------------------------- which expressions


_THROUGH = ("add", "mul", "pow", "where")


@dataclass
class Suspects:
    """Sums, products and logarithms in which a function stands close by a quotient or another term.

    Attributes:
        known: the nodes that were looked at.
        found: those of them that are suspected.
    """

    known: set[Node] = field(default_factory=set)
    found: set[Node] = field(default_factory=set)
    _functions: set[Node] = field(default_factory=set)
    _quotients: set[Node] = field(default_factory=set)

    def look_at(self, *roots: Node) -> Suspects:
        """Look at the roots, and at all below them that were not looked at before."""
        for node in topological(*roots, opens=lambda n: n not in self.known):
            if node not in self.known:
                self.known.add(node)
                self._look_at(node)
        return self

    def _look_at(self, node: Node) -> None:
        functions, quotients = self._functions, self._quotients
        if node.kind in ("einsum", "sealed") or is_laid_out(node) or is_op(node, *_THROUGH):
            functions |= {node} if not functions.isdisjoint(node.operands) else set()
            quotients |= {node} if not quotients.isdisjoint(node.operands) else set()
        if is_op(node, "pow") and is_negative(number_of(node.operands[1])) and may_be_zero(node.operands[0]):
            quotients.add(node)
        if is_function(node):
            functions.add(node)
        divided = node in quotients or (is_op(node, "log") and node.operands[0] in quotients)
        if node in functions and (is_op(node, "add") or (is_op(node, "mul", "log") and divided)):
            self.found.add(node)


@dataclass(frozen=True)
class RemovableParts:
    """Parts of a sum, or a product, in which digits cancel or which are 0/0 at 0, with their expansions."""

    parts: list[tuple[FunctionPart, Expansion]]
    others: list[Node]
    distributed: bool
    joined: Joined | None = None  # where the parts are those of an array whose sum the node is

    @cached_property
    def boundary(self) -> dict[Node, None]:
        """The nodes that no part looks into; the other terms, or where these were made here, their factors."""
        beside = [each for o in self.others for each in _looked_into(o)] if self.distributed else self.others
        return dict.fromkeys((*beside, *(node for part, _ in self.parts for node in part.boundary)))

    def is_infinite(self, u: BasePowers) -> bool:
        """Whether something of it is still infinite at 0."""
        beside = {core for part, _ in self.parts for core, _ in part.rest.powers}
        return (
            any(_has_pole(o, u) for o in self.others)
            or any(e.series.start < 0 for _, e in self.parts)
            or any(hides_divisor(core, zeros_of(u)) for core in beside)
        )


def _looked_into(term: Node) -> list[Node]:
    """A term that was made here, where it may be 0/0 by another variable; otherwise its factors."""
    if may_divide_by_zero(term) and possible_variables(term):
        return [term]
    return [core for core, _ in Factors.view(term).powers]


HeldConditions = frozenset[tuple[Node, bool]]  # conditions, and whether they hold wherever a node counts


def _conditions(roots: list[Node]) -> dict[Node, HeldConditions]:
    """What is known where a node counts: the conditions of its shape that choose it, on every way from the roots."""
    known: dict[Node, HeldConditions] = {root: frozenset() for root in roots}
    for node in reversed(topological(*roots)):
        here = known[node] if isinstance(node, Elementwise) else frozenset()
        for place, operand in enumerate(node.operands):
            facts = here | {(node.operands[0], place == 1)} if is_op(node, "where") and place else here
            facts = frozenset(f for f in facts if f[0].shape == operand.shape)
            known[operand] = facts if operand not in known else known[operand] & facts
    return known


@dataclass
class Search:
    """The expansions made so far: of few coefficients, which show whether terms cancel, and of all of them; and how
    many terms more may be made of long expressions.
    """

    look: Expander
    whole: Expander
    room: int = ROOM

    @property
    def most(self) -> int:
        """How many terms an expression may be multiplied out to."""
        return MOST_OF_ONE if self.room > 0 else MOST_TERMS


def _is_rough(roots: list[Node]) -> bool:
    """Whether a number in the graph was rounded to the floating format."""
    return any((value := number_of(n)) is not None and value.has(sympy.Float) for n in topological(*roots))


def _found(node: Node, facts: HeldConditions, search: Search) -> RemovableParts | None:
    """The first spelling by which nothing is left that is infinite at 0, or else the first by which any digits are."""
    first = None
    for found, u in _every_found(node, search):
        if _is_elsewhere(found, u, facts, search.look):
            continue
        if not found.is_infinite(u):
            return found
        first = first or found
    return first


def _every_found(node: Node, search: Search) -> Iterator[tuple[RemovableParts, BasePowers]]:
    yield from _found_by_spellings(node, node, search)
    plain = without_seals(node, NEAR, {}) if may_divide_by_zero(node) else node
    if plain is not node:
        yield from _found_by_spellings(plain, node, search)
    if _has_sums_beside_poles(node):
        yield from _found_under_a_sum(node, search)


def _found_by_spellings(node: Node, written: Node, search: Search) -> Iterator[tuple[RemovableParts, BasePowers]]:
    for u in possible_variables(node)[:CANDIDATES]:
        if is_op(node, "mul") and not _divides_by_zero(node, u, search.look):
            continue
        for spelling in spellings(node, u, search.most, partial(_vanishes, u=u, look=search.look)):
            found = _found_by(spelling, u, spelling is not written, search)
            if found is not None:
                yield found, u


def _found_under_a_sum(node: Node, search: Search) -> Iterator[tuple[RemovableParts, BasePowers]]:
    """(Σxᵃ - n)/a → Σ(xᵃ - 1)/a: what is found of the terms of a sum over axes."""
    joined = under_one_sum(node)
    if joined is None:
        return
    for u in possible_variables(joined.array)[:CANDIDATES]:
        found = _found_by(joined.array, u, True, search)
        if found is not None and not any(_has_pole(o, u) for o in found.others):
            yield replace(found, joined=joined), u


def _has_pole(term: Node, u: BasePowers) -> bool:
    bases = zeros_of(u)
    return any(is_negative(e) and core in bases for (core, _), e in Factors.view(term).powers.items())


def _has_sums_beside_poles(node: Node) -> bool:
    """Whether sums over an axis stand among terms and factors that are divided by what may be 0."""
    if not may_divide_by_zero(node):
        return False
    return any(isinstance(core, Einsum) and core.contracted for (core, _), _ in close_powers(node))


def _divides_by_zero(product: Node, u: BasePowers, look: Expander) -> bool:
    """Whether a divisor of a product, or of a term of a sum in it, vanishes with u."""
    waiting = list(Factors.view(product).powers.items())
    seen: set[Base] = set()
    while waiting:
        (core, axes), e = waiting.pop()
        if is_negative(e) and _vanishes((core, axes), u, look):
            return True
        if (core, axes) in seen:
            continue
        seen.add((core, axes))
        for term in core.operands if e in (1, 2) and has_divisors(core) else ():
            places = axes[len(axes) - term.rank :]
            inside = Factors.view(term).powers.items()
            waiting += [((c, tuple(places[a] for a in at)), power) for (c, at), power in inside]
    return False


def _vanishes(base: Base, u: BasePowers, look: Expander) -> bool:
    """Whether a base is 0 where u is."""
    if base in u:
        return base[0] in zeros_of(u)
    found = look.of_core(*base, u)
    return found is not None and found.series.start > 0


def _is_elsewhere(found: RemovableParts, u: BasePowers, facts: HeldConditions, look: Expander) -> bool:
    """Whether a node counts only where its polynomial does not: that of |x| < 1/2 where |x| >= 1."""
    for condition, holds in facts:
        settled, within = look.settled_around_zero(condition, tuple(range(condition.rank)), u)
        if settled is (not holds) and all(_reach(*part) <= within for part in found.parts):
            return True
    return False


def _reach(part: FunctionPart, expansion: Expansion) -> float:
    polynomial = polynomial_of_part(part, expansion) if expansion.cancels else None
    return polynomial.radius if polynomial is not None else 0.0


def _found_by(node: Node, u: BasePowers, distributed: bool, search: Search) -> RemovableParts | None:
    """What is found of a node by one variable; a term of a sum that stands in the graph is looked at by itself."""
    parts = [(part, _worth_it(part, distributed, search)) for part in function_parts_of(node, u, search.look)]
    good = [(part, expansion) for part, expansion in parts if expansion is not None]
    others = [term for part, expansion in parts if expansion is None for term in part.terms]
    return RemovableParts(good, others, distributed) if good else None


def _worth_it(part: FunctionPart, distributed: bool, search: Search) -> Expansion | None:
    """The expansion of a part in which digits cancel, or whose value at 0 is none."""
    in_sum = is_op(part.node, "add") and not distributed
    if (in_sum and len(part.terms) < 2) or not any(_has_function(piece, part.u) for piece, _ in part.pieces):
        return None
    first = part.expansion(search.look)
    if first is None:
        return None
    if first.cancels:
        whole = part.expansion(search.whole)
        return whole if whole is not None and polynomial_of_part(part, whole) is not None else None
    return first if first.pole < 0 <= first.series.start and not in_sum else None


def _has_function(piece: Factors, u: BasePowers) -> bool:
    return any(
        isinstance(e, Node) or (number_of(core) is None and order_on(core, axes, u) is None)
        for (core, axes), e in piece.powers.items()
    )


def limits_of_removable_singularities(roots: Iterable[Node], trace: list[Step] | None = None) -> list[Node]:
    """cos(x)/x - sin(x)/x² → where(|x| < r, -x/3 + x³/30 - …, cos(x)/x - sin(x)/x²), x/tanh(x) → where(x = 0, 1, …)."""
    roots = list(roots)
    found = _largest(roots)
    if not found:
        return roots
    new: dict[Node, Node] = {}
    for node in _boundaries_first(roots, found):
        new[node] = with_operands(node, [new[o] for o in node.operands])
        if node in found:
            whole = _chosen(found[node], node, new)
            if trace is not None:
                trace.append(Step(REMOVABLE_SINGULARITIES, new[node], whole, new[node], whole))
            new[node] = whole
    return [new[root] for root in roots]


def _boundaries_first(roots: list[Node], found: dict[Node, RemovableParts]) -> Iterator[Node]:
    """Every node after its operands and, where it was spelled otherwise, after the nodes of that spelling."""
    done: set[Node] = set()
    waiting: set[Node] = set()
    stack = list(reversed(roots))
    while stack:
        node = stack[-1]
        before = (*node.operands, *(found[node].boundary if node in found else ()))
        missing = [] if node in waiting else [o for o in before if o not in done]
        waiting.add(node)
        if missing:
            stack += reversed(missing)
        else:
            stack.pop()
            if node not in done:
                done.add(node)
                yield node


def _largest(roots: list[Node]) -> dict[Node, RemovableParts]:
    """What is found from the roots on; inside it only what it does not look into."""
    suspects = Suspects().look_at(*roots)
    beyond = _conditions(roots) if suspects.found else {}
    search = Search(Expander(FIRST_LOOK, _is_rough(roots)), Expander(LENGTH, _is_rough(roots)))
    found: dict[Node, RemovableParts] = {}
    seen: set[Node] = set()
    stack = list(roots) if suspects.found else []
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        suspects.look_at(node)  # it may be of a spelling made here
        here = _found(node, beyond.get(node, frozenset()), search) if node in suspects.found else None
        if here is None:
            stack.extend(node.operands)
        else:
            found[node] = here
            search.room -= len(here.others) + sum(len(part.terms) for part, _ in here.parts)
            stack.extend(here.boundary)
    return found


def _chosen(found: RemovableParts, node: Node, new: dict[Node, Node]) -> Node:
    """The polynomials near 0 and the parts elsewhere, beside the other terms."""
    terms = [_chosen_part(*each, new) for each in found.parts]
    terms += [_copied(o, found.boundary, new, DEEPEST) for o in found.others]
    if found.joined is not None:
        return found.joined.total(broadcast_to(sum_of_all(terms), found.joined.array.shape))
    return broadcast_to(sum_of_all(terms), node.shape)


def _chosen_part(part: FunctionPart, expansion: Expansion, new: dict[Node, Node]) -> Node:
    live = tuple(sorted({a for _, axes in part.u for a in axes}))
    value, condition = _near(part, expansion, live, new)
    if part.apart is None:
        terms = [_copied(o, part.boundary, new, DEEPEST) for o in part.terms]
    else:
        pieces = [_copied_piece(part, *piece, new) for piece in part.pieces]
        terms = [elementwise("mul", sum_of_all(pieces), new[part.apart])]
    return where(spread(condition, live, part.node.shape) if live else condition, value, sum_of_all(terms))


def _copied_piece(part: FunctionPart, piece: Factors, order: int, new: dict[Node, Node]) -> Node:
    """A function of u times a power of u, over the new nodes."""
    factors = Factors(part.node.shape, piece.coefficient)
    for (core, axes), exponent in piece.powers.items():
        factors.times(_copied(core, part.boundary, new, DEEPEST), axes, exponent)
    for (core, axes), exponent in part.u.items() if order else ():
        factors.times(new.get(core, core), axes, order * exponent)
    return factors.build()


def _near(part: FunctionPart, expansion: Expansion, live: Axes, new: dict[Node, Node]) -> tuple[Node, Node]:
    """(the value of a part near 0, the condition under which it is that): a polynomial within a radius, or the limit at
    0 alone.
    """
    series = expansion.series
    if not expansion.cancels and expansion.pole == -1:
        at_zero = number(0 if series.start else series.number(0))
        w = _power_of_variable(part.u, 1, live, part.node, new)
        return _scaled(part, 0, at_zero, live, new), where_limit_holds(w, series, str(part.node.dtype))
    polynomial = polynomial_of_part(part, expansion) if expansion.cancels else line_near_zero(series)
    assert polynomial is not None
    w = _power_of_variable(part.u, polynomial.step, live, part.node, new)
    distance = w if polynomial.step == 2 else elementwise("abs", w)
    condition = elementwise("lt", distance, number(polynomial.radius**polynomial.step))
    return _scaled(part, series.start, evaluated(polynomial, w), live, new), condition


def _power_of_variable(u: BasePowers, k: int, live: Axes, node: Node, new: dict[Node, Node]) -> Node:
    """u^k, of the axes along which u varies."""
    factors = Factors(tuple(node.shape[a] for a in live))
    for (core, axes), exponent in u.items():
        factors.times(new.get(core, core), tuple(live.index(a) for a in axes), k * exponent)
    return factors.build()


def _scaled(part: FunctionPart, k: int, value: Node, live: Axes, new: dict[Node, Node]) -> Node:
    """rest·u^k·value."""
    factors = Factors(part.node.shape)
    if part.apart is not None:
        factors.times(new[part.apart], tuple(range(part.node.rank)))
    for (core, axes), exponent in part.rest.powers.items() if part.apart is None else ():
        factors.times(
            new.get(core, core), axes, new.get(exponent, exponent) if isinstance(exponent, Node) else exponent
        )
    for (core, axes), exponent in part.u.items() if k else ():
        factors.times(new.get(core, core), axes, k * exponent)
    if number_of(value) is not None:
        return factors.times(value, ()).build()
    return (
        factors.times(value, live).build()
        if not factors.powers and factors.coefficient == 1
        else (elementwise("mul", factors.build(), spread(value, live, part.node.shape) if value.rank else value))
    )


def _copied(x: Node, boundary: Collection[Node], new: dict[Node, Node], deepest: int) -> Node:
    """The node, rebuilt over the new nodes that stand at the boundary."""
    if x in boundary or not deepest or not (isinstance(x, (Elementwise, Expand)) or _is_outer(x)):
        return new.get(x, x)
    return with_operands(x, [_copied(o, boundary, new, deepest - 1) for o in x.operands])


def _is_outer(x: Node) -> bool:
    return isinstance(x, Einsum) and len(x.operands) > 1 and not x.contracted


REMOVABLE_SINGULARITIES = GraphRewrite(limits_of_removable_singularities, domain="extends", role="stable")
