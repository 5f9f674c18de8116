"""Rewrites of sums.

In: an `add` node in which every operand is in normal form.  Out: a shorter or canonical sum.
"""

from __future__ import annotations

from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.brackets import BRACKETS
from symnet.simplify.algebra.gathering import GATHERINGS
from symnet.simplify.algebra.joined_choices import join_choices_by_one_condition
from symnet.simplify.algebra.merging import MERGES
from symnet.simplify.algebra.tiles import TILES
from symnet.simplify.cost import saves
from symnet.simplify.forms.common_factors import factored
from symnet.simplify.forms.polynomial import expanded
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite


def factor_common_factors(node: Node) -> Node | None:
    """a·x + b·x → (a + b)·x.  Condition: a or b is no number; one product instead of several."""
    common = factored(node)
    if common is None:
        return None
    outside, rest = common
    return elementwise("mul", outside.build(), elementwise("add", *rest))


def collect_like_terms(node: Node) -> Node | None:
    """x + y + x → 2·x + y; nested sums opened, numbers added, operands ordered.  Always."""
    return Terms.of(node).build()


def expand_to_cancel(node: Node) -> Node | None:
    """y·(1 - d) - d·(1 - y) → y - d: products of sums multiplied out where terms then cancel.

    Condition: fewer operations afterwards (the measure that makes this end).
    """
    if not any(_has_sum_factor(o) for o in node.operands):
        return None
    flat = expanded(node)
    if flat is None:
        return None
    factored = factor_common_factors(flat) if is_op(flat, "add") else None
    short = flat if factored is None else factored
    return short if saves(short, node) else None


def _has_sum_factor(node: Node) -> bool:
    if is_op(node, "mul"):
        return any(is_op(o, "add") or (o.kind == "expand" and is_op(o.operands[0], "add")) for o in node.operands)
    return is_op(node, "pow") and is_op(node.operands[0], "add")


COMMON_FACTORS = Rewrite(factor_common_factors, ("add",), domain="extends", role="exposing")
SUMS = (
    COMMON_FACTORS,
    Rewrite(collect_like_terms, ("add",), domain="extends", role="exposing"),
    *GATHERINGS,
    Rewrite(join_choices_by_one_condition, ("add",), below=("where|indicator",), domain="equal", role="shorter"),
    *TILES,
    *BRACKETS,
    *MERGES,
    Rewrite(expand_to_cancel, ("add",), domain="extends", role="shorter"),
)
