"""Sums of contractions that are alike, as one contraction; sums of what is laid among zeros alike, as one.

In: an `add` node in which every operand is in normal form.  Out: the same sum with two of its terms in one.
"""

from __future__ import annotations

from sympy import Expr

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.contraction import Einsum, Indices, contract
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Place, broadcast_to
from symnet.expr.nodes.node import Node, kept_on_node
from symnet.simplify.forms.coefficients import product, split_coefficient
from symnet.simplify.forms.signs import magnitude
from symnet.simplify.rewrite import Rewrite

Part = tuple[Node, Indices]


def add_before_placing(node: Node) -> Node | None:
    """2·pad(a) - pad(b) → pad(2·a - b).  Condition: they are laid at the same window, with numbers in front."""
    seen: dict[tuple[object, ...], int] = {}
    for n, term in enumerate(node.operands):
        _, factors = split_coefficient(term)
        placed = factors[-1] if len(factors) == 1 else term
        if not isinstance(placed, Place) or not same_shape(placed.shape, node.shape):
            continue
        m = seen.setdefault((placed.starts, placed.steps, placed.operands[0].shape), n)
        if m != n:
            parts = [(c, f[-1].operands[0]) for k in (m, n) for c, f in [split_coefficient(node.operands[k])]]
            body = elementwise("add", *(product(c, (x,)) for c, x in parts))
            joined = with_operands(placed, [broadcast_to(body, placed.operands[0].shape)])
            rest = [o for k, o in enumerate(node.operands) if k not in (m, n)]
            return elementwise("add", joined, *rest) if rest else joined
    return None


def contract_sum_of_operands(node: Node) -> Node | None:
    """A @ x + B @ x → (A + B) @ x, Σ a - Σ b → Σ (a - b).

    Condition: contractions over the same indices that differ in one operand, with equal factors up to sign.
    """
    seen: dict[tuple[object, ...], tuple[int, Expr, Einsum, int]] = {}
    for n, term in enumerate(node.operands):
        coefficient, factors = split_coefficient(term)
        total = factors[-1] if factors else term
        if not isinstance(total, Einsum) or not total.contracted or not total.rank:
            continue
        for place, apart in enumerate(_each_apart(total)):
            key = (magnitude(coefficient), factors[:-1], total.shape, apart)
            m, first, other, theirs = seen.setdefault(key, (n, coefficient, total, place))
            if m != n:
                joined = product(first, (*factors[:-1], _merged(other, theirs, total, place, coefficient / first)))
                rest = [o for k, o in enumerate(node.operands) if k not in (m, n)]
                return broadcast_to(elementwise("add", joined, *rest) if rest else joined, node.shape)
    return None


@kept_on_node
def _each_apart(total: Einsum) -> tuple[tuple[object, ...], ...]:
    return tuple(_apart_from(total, place) for place in range(len(total.operands)))


def _apart_from(total: Einsum, place: int) -> tuple[object, ...]:
    """A contraction without one operand: what stays, with indices that do not depend on that operand's."""
    names = _names(total, place)
    rest = [(o, tuple(names[i] for i in indices)) for k, (o, indices) in enumerate(_parts_of(total)) if k != place]
    operand, indices = _parts_of(total)[place]
    kept = frozenset(names.get(i, i) for i in indices)
    extents = frozenset((names.get(i, i), n) for i, n in zip(indices, operand.shape, strict=True))
    return (*rest, kept, extents) if len(kept) == len(indices) else (total.digest, place)


def _names(total: Einsum, place: int) -> dict[int, object]:
    """Indices by where they stand in the result, else in the operands that stay, else on their own."""
    names: dict[int, object] = {i: ("out", k) for k, i in enumerate(total.output)}
    for k, (_, indices) in enumerate(_parts_of(total)):
        if k != place:
            for axis, i in enumerate(indices):
                names.setdefault(i, ("operand", k - (k > place), axis))
    for axis, i in enumerate(total.inputs[place]):
        names.setdefault(i, ("own", axis))
    return names


def _parts_of(total: Einsum) -> list[Part]:
    return list(zip(total.operands, total.inputs, strict=True))


def _merged(a: Einsum, place: int, b: Einsum, theirs: int, sign: Expr) -> Node:
    """The contraction of the sum of the operands in which two contractions differ."""
    ours, other = _names(a, place), _names(b, theirs)
    where = {name: i for i, name in ours.items()}
    renamed = [where[other[i]] for i in b.inputs[theirs]]
    turned = b.operands[theirs]
    if renamed != list(a.inputs[place]):
        turned = contract([renamed], a.inputs[place], turned)
    total = elementwise("add", a.operands[place], elementwise("mul", number(sign), turned))
    return with_operands(a, [*a.operands[:place], total, *a.operands[place + 1 :]])


MERGES = (
    Rewrite(contract_sum_of_operands, ("add",), domain="extends", role="exposing"),
    Rewrite(add_before_placing, ("add",), domain="equal", role="shorter"),
)
