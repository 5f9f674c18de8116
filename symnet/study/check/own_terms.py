"""The terms of what somebody wrote, beside those of the true derivative: which of his is wrong?

In: both formulas and their values.  Out: a sentence about a term that he wrote, or one that he left out.  Terms that
are equal on every instance are right, whatever they look like, and are never blamed; only what is left over is.
Not handled: two wrong terms, except where both are wrong by one factor.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.arrays import Array
from symnet.errors import SymnetError
from symnet.expr.nodes.elementwise import divide, is_op
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import simplify
from symnet.study.check.case import Case, factor, same
from symnet.study.check.terms import terms

_LONGEST = 20  # characters of a factor that is named

Valued = tuple[Node, list[Array]]


def own_terms(case: Case) -> str | None:
    """What is wrong with the terms of the formula, as they were typed."""
    typed, truth = _typed(case.written), _typed(case.truth)
    return _compared(case, typed, [truth, terms(case.truth)] if len(typed) > 1 else [truth])


def expanded_terms(case: Case) -> str | None:
    """What is wrong with its terms, multiplied out."""
    return _compared(case, terms(case.written), [_typed(case.truth), terms(case.truth)])


def _compared(case: Case, typed: Sequence[Node], truths: Sequence[Sequence[Node]]) -> str | None:
    """What is wrong with some terms, after those that are right are taken away from both sides."""
    given = _valued(case, typed, case.given)
    for true in truths:
        mine, missing = _left_over(given, _valued(case, true, case.right))
        found = _said(case, mine, missing, len(given)) if len(mine) < len(given) else None
        if found:
            return found
    return None


def _typed(node: Node) -> list[Node]:
    """The terms of a sum, those of sums in it too, and no product multiplied out."""
    if node.kind == "named":
        return _typed(node.operands[0])
    if not is_op(node, "add"):
        return [node]
    return [part for o in node.operands for part in _typed(broadcast_to(o, node.shape) if o.rank < node.rank else o)]


def _valued(case: Case, nodes: Sequence[Node], whole: Sequence[Array]) -> list[Valued]:
    shapes = [x.shape for x in whole]
    return [
        (
            node,
            [np.broadcast_to(v, s) if v.ndim <= len(s) else v for v, s in zip(case.values(node), shapes, strict=True)],
        )
        for node in nodes
    ]


def _left_over(mine: list[Valued], true: list[Valued]) -> tuple[list[Valued], list[Valued]]:
    """What of both has no equal on the other side."""
    rest, wrong = list(true), []
    for part in mine:
        if not any(map(np.any, part[1])):  # 0*x, which changes nothing
            continue
        twin = next((other for other in rest if same(part[1], other[1])), None)
        if twin is None:
            wrong.append(part)
        else:
            rest.remove(twin)
    return wrong, rest


def _said(case: Case, mine: list[Valued], true: list[Valued], count: int) -> str | None:
    if len(mine) == 1 and not true and count > 1:
        return f"the term {_unrepeated(mine[0][0])} is too many"
    if not mine and len(true) == 1:
        return f"the term {_short(true[0][0])} is missing"
    if not mine and len(true) == 2:
        return f"the terms {_short(true[0][0])} and {_short(true[1][0])} are missing"
    if len(mine) == 1 and count > 1:
        return _one_wrong(case, mine[0], true)
    return _all_alike(case, mine, true) if len(mine) in (2, 3) and len(mine) < count and true else None


def _all_alike(case: Case, mine: list[Valued], true: list[Valued]) -> str | None:
    """Several terms are wrong in one way: their signs, or a factor of theirs."""
    c = factor(_summed(mine), _summed(true), case)
    names = " and ".join(str(_unrepeated(part)) for part, _ in mine)
    if not c or c.text == "1":
        return None
    if c.text == "-1":
        return f"the signs of the terms {names} are wrong"
    return f"the terms {names} are {c} times what they should be: a factor {c.inverse} is lost"


def _summed(parts: list[Valued]) -> list[Array]:
    return [np.sum(values, axis=0) for values in zip(*(v for _, v in parts), strict=True)]


def _one_wrong(case: Case, mine: Valued, true: list[Valued]) -> str | None:
    """One term of several is wrong: its sign, a factor of it, or all of it."""
    term, values = _unrepeated(mine[0]), mine[1]
    c = factor(values, _summed(true), case) if true else None
    if c and c.text == "-1":
        return f"the sign of the term {term} is wrong"
    if c and c.text != "1" and not {leaf.name for leaf in case.leaves} & c.names:
        return f"the term {term} is {c} times what it should be: a factor {c.inverse} is lost"
    if len(true) != 1:
        return None
    meant = _short(true[0][0])
    return f"the term {term} should be {meant}{_lost(meant, term)}"


def _unrepeated(node: Node) -> Node:
    return node.operands[0] if node.kind == "expand" else node


def _short(node: Node) -> Node:
    (plain,) = simplify([node])
    return _unrepeated(plain)


def _lost(meant: Node, term: Node) -> str:
    """The factor between two terms, where it is a short one."""
    for over, under, said in ((meant, term, "is missing"), (term, meant, "is too many")):
        try:
            quotient = str(_short(divide(over, under))) if over.shape == under.shape else str(over)
        except SymnetError:
            return ""
        if len(quotient) <= min(_LONGEST, len(str(over)) - 1):
            return f": the factor {quotient} {said}"
    return ""
