"""Contractions of sums as sums of contractions: p·(f(u)·A + g(u)·B) → f(u)·(p·A) + g(u)·(p·B).

In: a sum or product, among its factors contractions, and the variable u.  Out: the same with functions of u in front
of the contractions, so that they meet what divides these: (p·((1 - cos u)·A + …))/u², as in rotations by exponentials.
What is left of a contraction is written in one way, p·A for Σ(p·A), so that equal ones are seen to be.
Not handled: functions of u that vary along an axis that is summed over; powers of contractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.contraction import Einsum, IndexedOperand, Indices, contract
from symnet.expr.nodes.elementwise import is_op, operands_of
from symnet.expr.nodes.movement import Slice
from symnet.expr.nodes.node import Axes, Node, Shape
from symnet.simplify.algebra.hoisting import moved_again
from symnet.simplify.algebra.moved_axes import MOVED, axes_after, is_laid_out
from symnet.simplify.algebra.table import simplify
from symnet.simplify.forms.broadcast import trailing
from symnet.simplify.forms.coefficients import sum_of_all
from symnet.simplify.forms.factors import Factors, power_of
from symnet.simplify.forms.signs import is_negative
from symnet.simplify.numeric.singularities.expansions import BasePowers, zeros_of
from symnet.simplify.numeric.singularities.joined_sums import collected
from symnet.simplify.numeric.singularities.variables import holds_functions_of

MOST_TERMS = 16  # of one contraction
MOST_TERMS_OF_ALL = 256
MOST_ROUNDS = 4  # a contraction comes out of another one
MOST_OPERANDS = 6  # of one, written flat


def with_contractions_opened(node: Node, u: BasePowers) -> Node | None:
    """A sum or product with functions of u in front of contractions and of what is laid into zeros; None where none
    holds any.
    """
    terms = [Factors(node.shape).times(o, trailing(o.rank, node.rank)) for o in operands_of("add", node)]
    bases = zeros_of(u)
    rounds = 0
    while rounds < MOST_ROUNDS and len(terms) < MOST_TERMS_OF_ALL and any(_holds(f, u, bases) for f in terms):
        terms = collected([each for f in terms for each in _opened(f, u)])
        rounds += 1
    return sum_of_all([each.build() for each in terms]) if rounds else None


def _holds(product: Factors, u: BasePowers, bases: set[Node]) -> bool:
    """Whether functions of u, or divisors by it, stand in a linear factor."""
    linear = [core for (core, _), e in product.powers.items() if _is_linear(core, e, bases)]
    return any(holds_functions_of(core, u) or hides_divisor(core, bases) for core in linear)


def hides_divisor(core: Node, bases: set[Node], levels: int = 4) -> bool:
    """Whether the variable divides what a core lays into zeros, alone or among operands of contractions and sums."""
    moves, inner = _moves_of(core)
    if any(m.kind == "place" for m in moves) and _is_divided(inner, bases):
        return True
    below = inner.operands if levels and (isinstance(inner, Einsum) or is_op(inner, "add", "mul")) else ()
    return any(hides_divisor(o, bases, levels - 1) for o in below)


def _is_divided(x: Node, bases: set[Node]) -> bool:
    return any(is_negative(e) and core in bases for (core, _), e in Factors.view(x).powers.items())


def _moves_of(core: Node) -> tuple[list[Node], Node]:
    """The nodes that rearrange or lay into zeros, outermost first, and what they do that with."""
    moves = []
    while is_laid_out(core):
        moves.append(core)
        core = core.operands[0]
    return moves, core


def _is_linear(core: Node, exponent: object, bases: set[Node]) -> bool:
    """Whether a factor is a contraction, a sum or product that is rearranged, or something laid into zeros."""
    moves, inner = _moves_of(core)
    if isinstance(inner, Einsum) and not inner.contracted:
        return exponent == 1 and hides_divisor(core, bases)
    return exponent == 1 and (
        isinstance(inner, Einsum)
        or (bool(moves) and is_op(inner, "add", "mul"))
        or any(m.kind == "place" for m in moves)
    )


def _opened(factors: Factors, u: BasePowers) -> list[Factors]:
    """A product as a sum of products: its linear factors opened, or written as opening leaves them."""
    sums, bases = [Factors(factors.shape, factors.coefficient)], zeros_of(u)
    for base, exponent in factors.powers.items():
        if not _is_linear(base[0], exponent, bases):
            for each in sums:
                each.powers[base] = exponent  # as it stands: the others have other bases
            continue
        terms = _terms_of(base[0], u)
        sums = [_times(each.copy(), *term, base[1]) for each in sums for term in terms]
    return sums


def _times(product: Factors, front: Factors, contraction: Node, axes: Axes) -> Factors:
    """A product times what stands in front of a contraction, and this, whose axes stand there."""
    product.coefficient *= front.coefficient
    for (core, places), exponent in front.powers.items():
        product.times(core, tuple(axes[a] for a in places), exponent)
    return product.times(contraction, axes)


def _terms_of(core: Node, u: BasePowers) -> list[tuple[Factors, Node]]:
    """The terms of a contraction, rearranged or not: what stands in front of each, and what is contracted."""
    moves, inner = _moves_of(core)
    if moves and isinstance(moves[-1], Slice) and isinstance(inner, Einsum):
        inner, moves = _slice_inside(moves[-1]), moves[:-1]
    found = []
    for term in _terms_of_contraction(inner, u):
        front = _front_after(term.front, moves, core.shape)
        if front is None:
            return [(Factors(core.shape), core)]
        x = term.contraction
        found.append((front, simplify([moved_again(moves, x)])[0] if moves else x))
    return found


def _front_after(front: Factors, moves: Sequence[Node], shape: Shape) -> Factors | None:
    """What stands in front of something that is rearranged; None where it varies along axes that are."""
    after = Factors(shape, front.coefficient)
    for (core, axes), exponent in front.powers.items():
        for move in reversed(moves):
            through = axes_after(move)
            axes = tuple(through[a] if a != MOVED else MOVED for a in axes)
        if MOVED in axes or list(axes) != sorted(axes) or isinstance(exponent, Node):
            return None
        after.powers[core, axes] = exponent
    return after


def _sliced(whole: Einsum, part: Slice) -> Einsum:
    """The contraction of which a part is taken, as one of parts of its operands."""
    taken = dict(zip(whole.output, zip(*part.args[1:4], strict=True), strict=True))
    operands = []
    for operand, at in zip(whole.operands, whole.inputs, strict=True):
        if taken.keys().isdisjoint(at):
            operands.append(operand)
        else:
            each = [taken.get(i, (0, n, 1)) for i, n in zip(at, operand.shape, strict=True)]
            small = Slice(operand, *(type(part.args[k])(*xs) for k, xs in enumerate(zip(*each, strict=True), start=1)))
            operands.append(_slice_inside(simplify([small])[0]))
    return contract(whole.inputs, whole.output, *operands)


def _is_contraction(x: Node) -> bool:
    """Whether a node is a contraction, or a part of one."""
    return isinstance(x.operands[0] if isinstance(x, Slice) else x, Einsum)


def _slice_inside(x: Node) -> Node:
    """Of a contraction of which a part is taken, the contraction of parts; other nodes as they are."""
    return _sliced(x.operands[0], x) if isinstance(x, Slice) and isinstance(x.operands[0], Einsum) else x


@dataclass(frozen=True)
class Term:
    """A term of an opened contraction: factors in front of it, over its axes, and what is contracted."""

    front: Factors
    operands: tuple[IndexedOperand, ...]
    output: Indices

    @property
    def contraction(self) -> Node:
        """What is contracted, in the algebra form of the one contraction that it is, however it was nested."""
        if not self.operands:
            return number(1)
        flat = self
        while (opened := flat._flatter()) is not None and len(opened.operands) <= MOST_OPERANDS:
            flat = opened
        return simplify([contract([at for _, at in flat.operands], flat.output, *(o for o, _ in flat.operands))])[0]

    def with_operand(self, place: int, front: Factors, inside: Sequence[IndexedOperand]) -> Term:
        """The term with others in the place of one of its operands."""
        return Term(front, (*self.operands[:place], *inside, *self.operands[place + 1 :]), self.output)

    def inside(self, place: int) -> list[IndexedOperand]:
        """The operands of a contraction that is an operand."""
        operand, at = _slice_inside(self.operands[place][0]), self.operands[place][1]
        assert isinstance(operand, Einsum)
        fresh = 1 + max((i for _, indices in self.operands for i in indices), default=-1)
        index = dict(zip(operand.output, at, strict=True))
        index |= {i: fresh + k for k, i in enumerate(operand.contracted)}
        return [(o, tuple(index[i] for i in n)) for o, n in zip(operand.operands, operand.inputs, strict=True)]

    def _flatter(self) -> Term | None:
        """The term with the factors of a product, or of a contraction, in its place; None where there is none."""
        for place, (operand, at) in enumerate(self.operands):
            if _is_contraction(operand):
                return self.with_operand(place, self.front, self.inside(place))
            factors = self.factors(place, Factors.view(operand)) if is_op(operand, "mul") else [(operand, at)]
            if len(factors) > 1:
                return self.with_operand(place, self.front, factors)
        return None

    def factors(self, place: int, product: Factors) -> list[IndexedOperand]:
        """The factors that a product has in the place of an operand, one by one where they have all of its indices."""
        at = self.operands[place][1]
        others = {i for k, (_, indices) in enumerate(self.operands) for i in indices if k != place}
        placed = [(*product.placed(base), e) for base, e in product.powers.items()]
        cores = [(power_of(core, e), places) for core, places, e in placed]
        whole = product.coefficient != 1 or not {at[a] for _, places in cores for a in places} | others >= set(at)
        return [(product.build(), at)] if whole else [(core, tuple(at[a] for a in places)) for core, places in cores]


def _terms_of_contraction(core: Node, u: BasePowers) -> list[Term]:
    """The terms of a contraction; itself alone where they are many."""
    axes = trailing(core.rank, core.rank)
    whole = Term(Factors(core.shape), ((core, axes),), axes)
    if not isinstance(core, Einsum):  # laid into zeros
        return [_taken_out(each, whole, 0, u) for each in operands_of("add", core)]
    done: list[Term] = []
    left = [whole]
    while left:
        term = left.pop(0)
        opened = _opened_once(term, u)
        if opened is None:
            done.append(term)
        left = [*(opened or ()), *left]
        if len(left) + len(done) > MOST_TERMS:
            return [whole]
    return done


def _opened_once(term: Term, u: BasePowers) -> list[Term] | None:
    """A term with one of its operands opened: a contraction, or a sum or product with functions of u; None: none is."""
    bases = zeros_of(u)
    for place, (operand, _) in enumerate(term.operands):
        if not (holds_functions_of(operand, u) or hides_divisor(operand, bases) or _is_divided(operand, bases)):
            continue
        if _is_contraction(operand):
            return [term.with_operand(place, term.front, term.inside(place))]
        opened = [_taken_out(each, term, place, u) for each in operands_of("add", operand)]
        if len(opened) > 1 or opened[0].operands != term.operands:
            return opened
    return None


def _taken_out(each: Node, term: Term, place: int, u: BasePowers) -> Term:
    """A term with one of a sum in the place of the sum, and its functions of u in front."""
    operand, at = term.operands[place]
    front, rest = term.front.copy(), Factors(operand.shape)
    factors = Factors(operand.shape).times(each, trailing(each.rank, operand.rank))
    front.coefficient *= factors.coefficient
    bases, varies = {core for core, _ in u}, len({a for _, axes in u for a in axes})
    for (core, places), exponent in factors.powers.items():
        axes = tuple(term.output.index(at[a]) for a in places if at[a] in term.output)
        outside = len(axes) == len(places) and list(axes) == sorted(set(axes)) and not isinstance(exponent, Node)
        if outside and len(axes) <= varies and (core in bases or holds_functions_of(core, u)):
            front.times(core, axes, exponent)
        else:
            rest.powers[core, places] = exponent
    return term.with_operand(place, front, term.factors(place, rest))
