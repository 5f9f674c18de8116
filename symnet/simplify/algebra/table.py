"""The algebra form: what people read, and what is differentiated.

In: roots.  Out: the same values in canonical form: like terms collected, reciprocals cancelled, assumptions used,
scalars outside, equal parts shared.  Shapes stay exactly as they were; the dtype may become weak (Σ of a
distribution is the number 1).  Rewrites never look through a `Barrier` or a `Sealed` value; `Named` nodes are stripped.

Why it ends: every rewrite either lowers the operation count near the top of the graph (`cost.saves`, or one product,
sum or move fewer by construction), or brings a node to a canonical spelling that no later rewrite leaves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.graph import unwrapped
from symnet.expr.nodes.indexing import with_plain_labels
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.absolutes import ABSOLUTES
from symnet.simplify.algebra.choices import CHOICES
from symnet.simplify.algebra.conditions import CONDITIONS
from symnet.simplify.algebra.constants import CONSTANTS
from symnet.simplify.algebra.contraction import CONTRACTIONS
from symnet.simplify.algebra.corrections import CANCELLED_PRODUCTS, CORRECTIONS
from symnet.simplify.algebra.cumulative import CUMULATIVE
from symnet.simplify.algebra.elementwise import FUNCTION_REWRITES
from symnet.simplify.algebra.exponentials import EXPONENTIALS
from symnet.simplify.algebra.exposing import EXPOSINGS
from symnet.simplify.algebra.hoisting import HOISTS
from symnet.simplify.algebra.hyperbolic import HYPERBOLICS
from symnet.simplify.algebra.linalg import INVERSES
from symnet.simplify.algebra.log_selections import LOG_SELECTIONS
from symnet.simplify.algebra.masks import MASKS
from symnet.simplify.algebra.movement import MOVEMENTS
from symnet.simplify.algebra.one_denominator import ONE_DENOMINATOR
from symnet.simplify.algebra.products import PRODUCTS
from symnet.simplify.algebra.recurrence import RECURRENCES
from symnet.simplify.algebra.reduction import REDUCTIONS
from symnet.simplify.algebra.soft_extremes import SOFT_EXTREMES
from symnet.simplify.algebra.summation import SUMMATIONS
from symnet.simplify.algebra.sums import SUMS
from symnet.simplify.algebra.turning_back import TURNINGS
from symnet.simplify.algebra.unit_vectors import UNIT_VECTORS
from symnet.simplify.engine import Normalizer, Table
from symnet.simplify.forms import factors, terms
from symnet.simplify.forms.coefficients import ONE, is_finite, may_join
from symnet.simplify.rewrite import Rewrite
from symnet.simplify.sealing import SEALS
from symnet.simplify.settle import settle
from symnet.simplify.trace import Step


def open_nested_sums_and_products(node: Node) -> Node | None:
    """(a + b) + c → a + b + c, a - (b + c) → a - b - c, and so for products: before anything in them is rewritten,
    so that the result does not depend on how the user bracketed.

    Condition: the nested node has the same shape; at most `MANY` operands in all; the numbers of both products multiply
    to one that is no power of the floating range (x may be what brings 1e200·(1e200·x) back).
    """
    if not is_op(node, "add", "mul"):
        return None
    op, flat, opened = str(node.args[0]), list(node.operands), False
    place, most = 0, terms.MANY if op == "add" else factors.MANY
    while place < len(flat):
        inner = _nested(flat[place], op, node)
        if inner is None or len(flat) + len(inner) > most + 1 or not (op == "add" or _numbers_join(flat, inner)):
            place += 1
        else:
            flat[place : place + 1] = inner
            opened = True
    return elementwise(op, *flat) if opened else None


def _numbers_join(flat: list[Node], inner: list[Node]) -> bool:
    """Whether the numbers of a product and of one inside it may be multiplied."""
    sizes = [[v for o in each if (v := number_of(o)) is not None and is_finite(v)] for each in (flat, inner)]
    return not all(sizes) or may_join(*(math.prod(s, start=ONE) for s in sizes))


def _nested(operand: Node, op: str, whole: Node) -> list[Node] | None:
    """What stands inside an operand that is such a node, or minus one."""
    if operand.shape != whole.shape:
        return None
    if is_op(operand, op):
        return list(operand.operands)
    if op == "add" and is_op(operand, "mul") and len(operand.operands) == 2:
        sign, inner = operand.operands
        if number_of(sign) == -1 and is_op(inner, "add") and inner.shape == whole.shape:
            return [elementwise("mul", sign, o) for o in inner.operands]
    return None


ALGEBRA: tuple[Rewrite, ...] = (
    *SEALS,
    *CONSTANTS,
    *FUNCTION_REWRITES,
    *CONDITIONS,
    *CHOICES,
    *LOG_SELECTIONS,
    *HOISTS,
    *EXPONENTIALS,
    *HYPERBOLICS,
    *SOFT_EXTREMES,
    *MASKS,
    *SUMS,
    *CORRECTIONS,
    *PRODUCTS,
    *ONE_DENOMINATOR,
    *ABSOLUTES,
    *SUMMATIONS,
    *UNIT_VECTORS,
    *INVERSES,
    *CONTRACTIONS,
    *CANCELLED_PRODUCTS,
    *MOVEMENTS,
    *TURNINGS,
    *REDUCTIONS,
    *CUMULATIVE,
    *RECURRENCES,
    *EXPOSINGS,
)
OPENING = Rewrite(open_nested_sums_and_products, ("add", "mul"), domain="equal", role="spelling")
TABLE = Table(ALGEBRA, OPENING, lasting=True)


def simplify(roots: Iterable[Node], trace: list[Step] | None = None) -> list[Node]:
    """The algebra form of the roots.

    Args:
        roots: any expressions; parts they share are simplified once.
        trace: a list to which every step is appended.

    Returns:
        one node per root, of the same shape.
    """
    return Normalizer(TABLE, trace)(settle(with_plain_labels(list(roots))))


def without_names(roots: Iterable[Node]) -> list[Node]:
    """The roots with every `Named` node replaced by what it names."""
    return unwrapped(roots, "named")
