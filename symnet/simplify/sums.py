"""Rewrites of sums.

In: an `add` node in which every operand is in normal form.  Out: a shorter or canonical sum.
"""

from __future__ import annotations

from sympy import Expr

from symnet.expr.constants import number
from symnet.expr.contraction import Einsum
from symnet.expr.elementwise import elementwise, is_op
from symnet.expr.extents import same_shape
from symnet.expr.graph import with_operands
from symnet.expr.movement import broadcast_to
from symnet.expr.node import Node
from symnet.simplify.broadcast import trailing
from symnet.simplify.coefficients import product, split_coefficient
from symnet.simplify.engine import Rewrite
from symnet.simplify.factors import Base, Factors
from symnet.simplify.polynomial import expanded
from symnet.simplify.signs import is_positive
from symnet.simplify.terms import Terms


def factor_common_factors(node: Node) -> Node | None:
    """a·x + b·x → (a + b)·x.  Condition: a or b is no number; one product instead of several."""
    parts = [_factors(o, node) for o in node.operands]
    shared = _shared_powers(parts)
    if not shared or sum(part.powers.keys() != shared.keys() for part in parts) == 0:
        return None
    parts = [part.copy() for part in parts]
    outside = Factors(node.shape)
    outside.powers = dict(shared)
    rest = []
    for part in parts:
        for base, exponent in shared.items():
            part.times(*base, -exponent)
        rest.append(part.build())
    return elementwise("mul", outside.build(), elementwise("add", *rest))


def _factors(term: Node, whole: Node) -> Factors:
    """The factors of a term, placed in the whole; only to look at."""
    if term.shape == whole.shape:
        return Factors.view(term)
    return Factors(whole.shape).times(term, trailing(term.rank, whole.rank))


def _shared_powers(parts: list[Factors]) -> dict[Base, int]:
    """The powers that every part has: the smallest exponent of one sign."""
    shared = {base: e for base, e in parts[0].powers.items() if not isinstance(e, Node)}
    for part in parts[1:]:
        if not shared:
            break
        narrowed = {}
        for base, e in shared.items():
            other = part.powers.get(base)
            if other is None or isinstance(other, Node) or is_positive(e) != is_positive(other):
                continue
            narrowed[base] = min(e, other) if is_positive(e) else max(e, other)
        shared = narrowed
    return shared


def collect_like_terms(node: Node) -> Node | None:
    """x + y + x → 2·x + y; nested sums opened, numbers added, operands ordered.  Always."""
    return Terms.of(node).build()


def expand_to_cancel(node: Node) -> Node | None:
    """y·(1 - d) - d·(1 - y) → y - d: products of sums multiplied out where terms then cancel.

    Condition: fewer operations afterwards (the measure that makes this end).
    """
    return expanded(node) if any(_has_sum_factor(o) for o in node.operands) else None


def _has_sum_factor(node: Node) -> bool:
    if is_op(node, "mul"):
        return any(is_op(o, "add") or (o.kind == "expand" and is_op(o.operands[0], "add")) for o in node.operands)
    return is_op(node, "add")


def contract_sum_of_operands(node: Node) -> Node | None:
    """A @ x + B @ x → (A + B) @ x, Σ a - Σ b → Σ (a - b).

    Condition: contractions over the same indices that differ in one operand, with equal factors up to sign.
    """
    seen: dict[tuple[object, ...], list[tuple[int, Expr, tuple[Node, ...]]]] = {}
    for n, term in enumerate(node.operands):
        coefficient, factors = split_coefficient(term)
        if not factors or not isinstance(factors[-1], Einsum):
            continue
        alike = seen.setdefault((abs(coefficient), factors[:-1], *factors[-1].args[:2]), [])
        for m, first, others in alike:
            merged = _merged(others[-1], factors[-1], coefficient / first)
            if merged is not None:
                rest = [o for k, o in enumerate(node.operands) if k not in (m, n)]
                joined = product(first, (*factors[:-1], merged))
                return broadcast_to(elementwise("add", joined, *rest) if rest else joined, node.shape)
        alike.append((n, coefficient, factors))
    return None


def _merged(a: Node, b: Node, sign: Expr) -> Node | None:
    """The contraction of the sum of the operands in which two contractions differ."""
    if not (isinstance(a, Einsum) and isinstance(b, Einsum)) or a.args[:2] != b.args[:2] or not a.contracted:
        return None
    differing = [k for k, (x, y) in enumerate(zip(a.operands, b.operands, strict=True)) if x is not y]
    if len(differing) != 1 or a.rank == 0 or not _same_extents(a, b, differing[0]):
        return None
    k = differing[0]
    total = elementwise("add", a.operands[k], elementwise("mul", number(sign), b.operands[k]))
    return with_operands(a, [*a.operands[:k], total, *a.operands[k + 1 :]])


def _same_extents(a: Einsum, b: Einsum, k: int) -> bool:
    """Whether the sum of two operands broadcasts neither: one of extent 1 would be counted once for every row."""
    return same_shape(a.operands[k].shape, b.operands[k].shape)


SUMS = (
    Rewrite(factor_common_factors, ("add",)),
    Rewrite(collect_like_terms, ("add",)),
    Rewrite(contract_sum_of_operands, ("add",)),
    Rewrite(expand_to_cancel, ("add",)),
)
