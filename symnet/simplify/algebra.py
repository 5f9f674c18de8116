"""The algebra form: what people read, and what is differentiated.

In: roots.  Out: the same values in canonical form: like terms collected, reciprocals cancelled, assumptions used,
scalars outside, equal parts shared.  Shapes stay exactly as they were; the dtype may become weak (Σ of a
distribution is the number 1).  Rewrites never look through a `Barrier`; `Named` nodes are stripped.

Why it ends: every rewrite either lowers the operation count near the top of the graph (`cost.saves`, or one product,
sum or move fewer by construction), or brings a node to a canonical spelling that no later rewrite leaves.
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet.expr.graph import rebuild
from symnet.expr.node import Node
from symnet.simplify.contraction import CONTRACTIONS
from symnet.simplify.elementwise import FUNCTIONS
from symnet.simplify.engine import Normalizer, Rewrite, Step, Table
from symnet.simplify.exponentials import EXPONENTIALS
from symnet.simplify.movement import MOVEMENTS
from symnet.simplify.products import PRODUCTS
from symnet.simplify.reduction import REDUCTIONS
from symnet.simplify.summation import SUMMATIONS
from symnet.simplify.sums import SUMS

ALGEBRA: tuple[Rewrite, ...] = (
    *FUNCTIONS,
    *EXPONENTIALS,
    *SUMS,
    *PRODUCTS,
    *SUMMATIONS,
    *CONTRACTIONS,
    *MOVEMENTS,
    *REDUCTIONS,
)
_TABLE = Table(ALGEBRA)


def simplify(roots: Iterable[Node], trace: list[Step] | None = None) -> list[Node]:
    """The algebra form of the roots.

    Args:
        roots: any expressions; parts they share are simplified once.
        trace: a list to which (rewrite's name, before, after) is appended at every step.

    Returns:
        one node per root, of the same shape.
    """
    return Normalizer(_TABLE, trace)(without_names(roots))


def without_names(roots: Iterable[Node]) -> list[Node]:
    """The roots with every `Named` node replaced by what it names."""
    return rebuild(roots, lambda node: node.operands[0] if node.kind == "named" else node)
