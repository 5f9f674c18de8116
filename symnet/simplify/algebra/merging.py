"""Sums of contractions that are alike, as one contraction; sums of what is laid among zeros alike, as one.

In: an `add` node in which every operand is in normal form.  Out: the same sum with two of its terms in one.
"""

from __future__ import annotations

from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, IndexedOperand, contract
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.extents import ints_arg, same_shape, shape_arg
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Place, Reshape, broadcast_to
from symnet.expr.nodes.node import Axes, Node, Shape, kept_on_node
from symnet.simplify.algebra.placing import laid_after_repeating
from symnet.simplify.forms.broadcast import core_of, cover, trailing, without_repetition
from symnet.simplify.forms.coefficients import ONE, product, split_coefficient
from symnet.simplify.forms.signs import magnitude
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite


def add_before_placing(node: Node) -> Node | None:
    """2·pad(a) - pad(b) → pad(2·a - b), reshape(pad(a)) + reshape(pad(b)) → reshape(pad(a + b)).

    Condition: they are laid at the same window, with numbers in front; one may be laid there first and then repeated.
    """
    seen: dict[tuple[object, ...], int] = {}
    for n, term in enumerate(node.operands):
        _, factors = split_coefficient(term)
        whole = laid_after_repeating(factors[-1] if len(factors) == 1 else term)
        placed = _before_reshaping(whole)
        if not isinstance(placed, Place) or not same_shape(whole.shape, node.shape):
            continue
        m = seen.setdefault((placed.shape, placed.starts, placed.steps, placed.operands[0].shape), n)
        if m != n:
            terms = [split_coefficient(node.operands[k]) for k in (m, n)]
            laid = [(c, _before_reshaping(laid_after_repeating(f[-1]))) for c, f in terms]
            parts = (product(c, (each.operands[0],)) for c, each in laid)
            body = broadcast_to(elementwise("add", *parts), placed.operands[0].shape)
            joined = with_operands(placed, [body])
            joined = joined if whole is placed else with_operands(whole, [joined])
            rest = [o for k, o in enumerate(node.operands) if k not in (m, n)]
            return elementwise("add", joined, *rest) if rest else joined
    return None


def _before_reshaping(x: Node) -> Node:
    return x.operands[0] if isinstance(x, Reshape) else x


def meet_among_zeros(node: Node) -> Node | None:
    """pad(pad(a) + b) - pad(a) → pad(b): what is laid among zeros in several turns meets what is laid there at once.

    Condition: terms meet; numbers stand in front of them.
    """
    if not any(isinstance(f[-1], Place) and _lays_a_sum(f[-1]) for _, f in map(split_coefficient, node.operands) if f):
        return None
    total = Terms(node.shape)
    parts = [part for term in node.operands for part in laid_at_once(term)]
    for part in parts:
        total.plus(part, trailing(part.rank, node.rank))
    return total.build() if len(total.coefficients) < len(parts) else None


def _lays_a_sum(placed: Node) -> bool:
    return is_op(without_repetition(placed.operands[0]), "add")


def laid_at_once(term: Node) -> list[Node]:
    """The terms of a sum that is laid among zeros, with new axes perhaps, each laid there at once."""
    coefficient, factors = split_coefficient(term)
    placed = factors[0] if len(factors) == 1 else term
    if not isinstance(placed, Place):
        return [term]
    inner = placed.operands[0]
    core, axes = core_of(inner, trailing(inner.rank, inner.rank), inner.shape)
    parts = operands_of("add", core)
    found = []
    for part in parts:
        for each in laid_at_once(part):
            value, (body, *more) = split_coefficient(each) if number_of(each) is None else (ONE, (each,))
            whole = body if not more and body.shape == core.shape else None
            if whole is None:
                return [term]
            found.append(product(coefficient * value, (_laid(placed, whole, axes, inner.shape),)))
    return found


def _laid(placed: Place, x: Node, axes: Axes, window: Shape) -> Node:
    """x, whose axes are those of a window, laid as another node of the window is; zeros in x are zeros there."""
    if not isinstance(x, Place):
        return with_operands(placed, [cover(*core_of(x, axes, window), window)])
    at = {a: k for k, a in enumerate(axes)}
    laid, rank = x.operands[0], range(placed.rank)
    sizes = tuple(laid.shape[at[a]] if a in at else window[a] for a in rank)
    starts = tuple(
        s + placed.steps[a] * x.starts[at[a]] if a in at else s for a, s in zip(rank, placed.starts, strict=True)
    )
    steps = ints_arg(tuple(s * x.steps[at[a]] if a in at else s for a, s in zip(rank, placed.steps, strict=True)))
    return Place(cover(*core_of(laid, axes, sizes), sizes), shape_arg(placed.shape), shape_arg(starts), steps)


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
    """A name for every index: by its place in the result, else by where it stands in the operands that stay, else of
    its own.  Contractions that differ in one operand alone then have the same names.
    """
    names: dict[int, object] = {i: ("out", k) for k, i in enumerate(total.output)}
    for k, (_, indices) in enumerate(_parts_of(total)):
        if k != place:
            for axis, i in enumerate(indices):
                names.setdefault(i, ("operand", k - (k > place), axis))
    for axis, i in enumerate(total.inputs[place]):
        names.setdefault(i, ("own", axis))
    return names


def _parts_of(total: Einsum) -> list[IndexedOperand]:
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
    Rewrite(meet_among_zeros, ("add",), below=("place",), domain="extends", role="exposing"),
    Rewrite(add_before_placing, ("add",), below=("place",), domain="equal", role="shorter"),
)
