"""Terms of a sum that together are a factor of another term, taken into that: (a + b)·x + a + b → (a + b)·(x + 1).

In: a sum in normal form.  Out: the same sum, in which they stand as one factor: a cotangent p + q that came apart where
it met nothing else, and what it is multiplied by where it did, as in 2·(p + q)·σ(2·x) - p - q.
The factor may stand in a choice beyond which it is 0, and it and the terms may be laid among zeros in turns.
Not handled: terms that are moved elsewhere before they are multiplied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Place, broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.choices import vanishes_beyond
from symnet.simplify.algebra.merging import contract_sum_of_operands, laid_at_once
from symnet.simplify.forms.coefficients import (
    ONE,
    ZERO,
    ScaledFactors,
    product,
    split_coefficient,
    sum_of_all,
    terms_of,
)
from symnet.simplify.rewrite import Rewrite

FactorsOfTerm = tuple[Node, ...]


class _Gathering(NamedTuple):
    """A factor of a term, mostly a sum, and what the term is with r times that factor added."""

    total: Node
    plus: Callable[[Expr], Node]


def gather_terms_into_their_sum(node: Node) -> Node | None:
    """(a + b)·x + a + b → (a + b)·(x + 1), and where(c, (a + b)·x, 0) + a + b → where(c, (a + b)·(x + 1), 0).

    Condition: the terms of a sum that is a factor of one term all stand beside it, in one proportion; where c does not
    hold that sum is 0.  In a choice it may be one term, too: where(n > 0, n·x, 0) - n, n a count of what is chosen.
    """
    coefficients = {factors: value for value, factors in terms_of(node)}
    for place, term in enumerate(node.operands):
        for total, plus in _sums_in(term, node):
            ratio = _proportion(total, coefficients) if total.shape == node.shape else None
            if ratio is not None:
                inside = {f for _, f in _terms(total)}
                rest = _others(node, place, inside)
                return broadcast_to(sum_of_all([plus(ratio), *rest]), node.shape)
    return None


def gather_terms_among_zeros(node: Node) -> Node | None:
    """pad((a + pad(b))·x + a) + pad(b) → pad((a + pad(b))·(x + 1)).

    Condition: as there, where some of the terms stand in what is laid among zeros, others are laid there by themselves.
    """
    beside = {factors: value for value, factors in terms_of(node)}
    for place, operand in enumerate(node.operands):
        coefficient, factors = split_coefficient(operand)
        placed = factors[0] if len(factors) == 1 else operand
        if not isinstance(placed, Place) or placed.shape != node.shape:
            continue
        found = _gathered_in(placed, {f: v / coefficient for f, v in beside.items() if f != factors})
        if found is not None:
            inner, gone = found
            whole = product(coefficient, (with_operands(placed, [inner]),))
            return broadcast_to(sum_of_all([whole, *_others(node, place, gone)]), node.shape)
    return None


def contract_beside_choice(node: Node) -> Node | None:
    """T - where(T > 0, A @ y, 0) → where(T > 0, A @ (x - y), 0), T = A @ x.

    Condition: where the choice is 0, so is T, a count of what is chosen; the contractions differ in one operand.
    """
    for place, term in enumerate(node.operands):
        for n, other in enumerate(node.operands):
            met = _met_in_choice(term, other, node) if n != place else None
            if met is not None:
                rest = [o for m, o in enumerate(node.operands) if m not in (n, place)]
                return broadcast_to(sum_of_all([met, *rest]), node.shape)
    return None


def _met_in_choice(term: Node, other: Node, whole: Node) -> Node | None:
    """The sum of a choice and a term that is 0 beyond it, where it is one contraction."""
    coefficient, factors = split_coefficient(term)
    choice = factors[0] if len(factors) == 1 else term
    if not is_op(choice, "where") or not choice.shape == other.shape == whole.shape:
        return None
    condition, *branches = choice.operands
    for k in (0, 1):
        if number_of(branches[1 - k]) == 0 and vanishes_beyond(other, condition, holds=k == 0):
            met = contract_sum_of_operands(elementwise("add", product(coefficient, (branches[k],)), other))
            if met is not None:
                return _or_nothing(condition, met, holds=k == 0)
    return None


def _gathered_in(placed: Place, beside: dict[FactorsOfTerm, Expr]) -> tuple[Node, set[FactorsOfTerm]] | None:
    """What is laid among zeros with terms gathered in it, and which of those beside it are then gone."""
    body = placed.operands[0]
    parts = body.operands if is_op(body, "add") else (body,)
    within = {factors: value for value, factors in map(split_coefficient, parts)}
    for place, part in enumerate(parts):
        for total, plus in _sums_in(part, body):
            laid = {f: _laid(placed, f) for _, f in _terms(total)} if total.shape == body.shape else {}
            gone = {key for f, key in laid.items() if f not in within and key in beside}
            ratio = _proportion(total, within | {f: beside[key] for f, key in laid.items() if key in gone})
            if gone and ratio is not None:
                rest = [o for n, o in enumerate(parts) if n != place and split_coefficient(o)[1] not in laid]
                return broadcast_to(sum_of_all([plus(ratio), *rest]), body.shape), gone
    return None


def _laid(placed: Place, factors: FactorsOfTerm) -> FactorsOfTerm:
    """The factors of a term that is laid among zeros as another node is, at once where it was laid there in turns."""
    term = with_operands(placed, [broadcast_to(product(ONE, factors), placed.operands[0].shape)])
    at_once = [split_coefficient(part) for part in laid_at_once(term)]
    return at_once[0][1] if [value for value, _ in at_once] == [ONE] else (term,)


def _sums_in(term: Node, whole: Node) -> Iterator[_Gathering]:
    """The sums that are factors of a term, and the factors in a choice beyond which they are 0.

    Beside a delta there are none, for a sum with a delta is multiplied out.
    """
    value, factors = split_coefficient(term)
    if any(f.kind == "delta" for f in factors):
        return
    for total in factors if len(factors) > 1 else ():
        if is_op(total, "add"):
            yield _Gathering(total, _beside(total, value, factors))
    (choice,) = factors if len(factors) == 1 else (term,)
    if is_op(choice, "where") and choice.shape == whole.shape:
        yield from _sums_in_choice(choice, value)


def _beside(total: Node, value: Expr, factors: FactorsOfTerm) -> Callable[[Expr], Node]:
    rest = product(value, tuple(f for f in factors if f is not total))
    return lambda ratio: elementwise("mul", total, elementwise("add", rest, number(ratio)))


def _sums_in_choice(choice: Node, value: Expr) -> Iterator[_Gathering]:
    condition, *branches = choice.operands
    for place, other in ((0, 1), (1, 0)):
        if number_of(branches[other]) != 0:
            continue
        within, factors = split_coefficient(branches[place])
        for total in factors if len(factors) > 1 else ():
            if total.rank and vanishes_beyond(total, condition, holds=place == 0):
                yield _Gathering(total, _chosen(choice, place, _beside(total, value * within, factors)))


def _chosen(choice: Node, place: int, plus: Callable[[Expr], Node]) -> Callable[[Expr], Node]:
    return lambda ratio: _or_nothing(choice.operands[0], plus(ratio), holds=place == 0)


def _or_nothing(condition: Node, x: Node, *, holds: bool) -> Node:
    """x where a condition holds, or where it does not, and 0 elsewhere."""
    return elementwise("where", condition, *((x, number(0)) if holds else (number(0), x)))


def _others(node: Node, place: int, gone: set[FactorsOfTerm]) -> list[Node]:
    """The terms of a sum but that at one place and those that are gone."""
    return [o for n, o in enumerate(node.operands) if n != place and split_coefficient(o)[1] not in gone]


def _proportion(total: Node, coefficients: dict[FactorsOfTerm, Expr]) -> Expr | None:
    """r when every term of `total` stands among the coefficients, r times as large."""
    ratios = {coefficients.get(factors, ZERO) / value for value, factors in _terms(total)}
    ratio = ratios.pop()
    return None if ratios or ratio == 0 else ratio


def _terms(total: Node) -> tuple[ScaledFactors, ...]:
    """The terms of a sum, each with its number; another node is the only term."""
    return terms_of(total) if is_op(total, "add") else (split_coefficient(total),)


GATHERINGS = (
    Rewrite(gather_terms_into_their_sum, ("add",), needs=("nonnegative",), domain="extends", role="shorter"),
    Rewrite(
        gather_terms_among_zeros, ("add",), below=("place",), needs=("nonnegative",), domain="extends", role="shorter"
    ),
    Rewrite(
        contract_beside_choice, ("add",), below=("where",), needs=("nonnegative",), domain="equal", role="exposing"
    ),
)
