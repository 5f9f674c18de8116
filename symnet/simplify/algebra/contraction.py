"""Rewrites of contractions.

In: an `einsum` node whose operands are in normal form.  Out: a shorter or canonical one.
Canonical: operands are no transpositions, repetitions or scaled arrays; no operand is free of summed indices; an
index that one operand alone sums over is summed there first; operands stand in the order of the output's axes.
A product of matrices inside another is left as the user associated it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import combinations

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number, size
from symnet.expr.nodes.contraction import Einsum, IndexedOperand, Indices, contract
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.forms.broadcast import trailing
from symnet.simplify.forms.coefficients import product as scaled
from symnet.simplify.forms.coefficients import sum_of_all, terms_of, unsigned
from symnet.simplify.forms.factors import Factors
from symnet.simplify.forms.order import product_key
from symnet.simplify.rewrite import Rewrite


def indexed_operands(node: Einsum) -> list[IndexedOperand]:
    return list(zip(node.operands, node.inputs, strict=True))


def build(
    node: Einsum, parts: Sequence[IndexedOperand], scalars: Sequence[Node] = (), settled: Collection[int] = ()
) -> Node:
    """The contraction `node` over other operands.  An index that none of them has any more was an extent n times a
    value, where it was summed, or a repetition of the result.

    settled: summed indices that are accounted for already.
    """
    extents = node.extents
    present = {i for _, indices in parts for i in indices}
    counts = [size(extents[i]) for i in node.contracted if i not in present and i not in settled]
    output = tuple(i for i in node.output if i in present)
    heads = [*scalars, *counts]
    body: list[Node] = [contract([i for _, i in parts], output, *(o for o, _ in parts))] if parts else []
    whole = [*heads, *body] or [number(1)]
    inner = whole[0] if len(whole) == 1 else elementwise("mul", *whole)
    places = tuple(k for k, i in enumerate(node.output) if i in present)
    return expand(inner, node.shape, places) if inner.rank < node.rank or not parts else inner


# --------------------------------------------------------------------------- operands seen through


def drop_idle_contraction(node: Einsum) -> Node | None:
    """einsum("ij->ij", x) → x.  Always."""
    return node.operands[0] if node.is_transpose and node.inputs[0] == node.output else None


def contract_repeated_operand_once(node: Einsum) -> Node | None:
    """Σ over j of expand(x) along j → n·x: repetition never enters a contraction.  Always."""
    return _see_through(
        node, lambda o: isinstance(o, Expand), lambda o, i: [(o.operands[0], tuple(i[a] for a in o.axes))]
    )


def contract_through_transposition(node: Einsum) -> Node | None:
    """xᵀ @ y → one contraction; outer products and diagonals likewise.  Condition: the operand sums nothing."""
    return _see_through(node, lambda o: isinstance(o, Einsum) and not o.contracted, _relabelled)


def contract_through_reordered_sum(node: Einsum) -> Node | None:
    """einsum("jki->ij", x) @ y → einsum("jki->ji", x).T @ y, in which the transposition is the contraction's.

    Condition: the operand is a sum whose axes stand in another order than those of what is summed.
    """
    return _see_through(node, lambda o: isinstance(o, Einsum) and _is_reordered_sum(o), _in_order)


def _is_reordered_sum(x: Einsum) -> bool:
    (indices, *others) = x.inputs
    kept = tuple(i for i in indices if i in x.output)
    return not others and bool(x.contracted) and len(set(indices)) == len(indices) and kept != x.output


def _in_order(operand: Einsum, indices: Indices) -> list[IndexedOperand]:
    outer = dict(zip(operand.output, indices, strict=True))
    kept = [i for i in operand.inputs[0] if i in outer]
    return [(contract(operand.inputs, kept, *operand.operands), tuple(outer[i] for i in kept))]


def _relabelled(operand: Einsum, indices: Indices) -> list[IndexedOperand]:
    outer = dict(zip(operand.output, indices, strict=True))
    return [(o, tuple(outer[i] for i in inner)) for o, inner in indexed_operands(operand)]


def _see_through(
    node: Einsum, wanted: Callable[[Node], bool], inside: Callable[..., list[IndexedOperand]]
) -> Node | None:
    if not any(wanted(o) for o in node.operands):
        return None
    parts: list[IndexedOperand] = []
    for operand, indices in indexed_operands(node):
        parts += inside(operand, indices) if wanted(operand) else [(operand, indices)]
    return build(node, parts)


def sum_a_sum_at_once(node: Einsum) -> Node | None:
    """Σᵢ Σⱼ x → Σᵢⱼ x; a transposed product of matrices → the product in the other order.

    Condition: the outer contraction has that one operand.
    """
    inner = node.operands[0]
    if len(node.operands) > 1 or not isinstance(inner, Einsum):
        return None
    outer = dict(zip(inner.output, node.inputs[0], strict=True))
    names = {i: (0, outer[i]) if i in outer else (1, i) for indices in inner.inputs for i in indices}
    numbers = {name: n for n, name in enumerate(dict.fromkeys(names.values()))}
    inputs = [[numbers[names[i]] for i in indices] for indices in inner.inputs]
    return contract(inputs, [numbers[(0, i)] for i in node.output], *inner.operands)


def turn_each_outer_product_of_sum(node: Einsum) -> Node | None:
    """(2·x yᵀ - z xᵀ)ᵀ → 2·y xᵀ - x zᵀ, of any number of axes.

    Condition: every term is a number of times an outer product, which has its result in any order.
    """
    total = node.operands[0]
    if not node.is_transpose or node.inputs[0] == node.output or not is_op(total, "add"):
        return None
    terms = terms_of(total)
    if not all(factors and _is_outer_product(factors[-1]) for _, factors in terms):
        return None
    if any(f.rank != (total.rank if f is factors[-1] else 0) for _, factors in terms for f in factors):
        return None
    return sum_of_all([scaled(c, (*f[:-1], contract(node.inputs, node.output, f[-1]))) for c, f in terms])


def _is_outer_product(x: Node) -> bool:
    return isinstance(x, Einsum) and not x.contracted and len(x.operands) > 1


def take_scalars_out_of_contraction(node: Einsum) -> Node | None:
    """(s·x) @ y → s·(x @ y).  Condition: s is of rank 0."""
    scalars: list[Node] = []
    parts: list[IndexedOperand] = []
    for operand, indices in indexed_operands(node):
        if not operand.rank:
            scalars.append(operand)
        elif is_op(operand, "mul") and not operand.operands[0].rank:
            scalars += [o for o in operand.operands if not o.rank]
            arrays = [o for o in operand.operands if o.rank]
            parts.append((arrays[0] if len(arrays) == 1 else elementwise("mul", *arrays), indices))
        else:
            parts.append((operand, indices))
    return build(node, parts, scalars) if scalars else None


def take_sign_out_of_contraction(node: Einsum) -> Node | None:
    """(b - a) @ x → -((a - b) @ x).  Condition: the sum's leading term is negative: of the two, a - b is left."""
    for place, operand in enumerate(node.operands):
        flipped = unsigned(operand)
        if flipped is not None:
            positive = with_operands(node, [*node.operands[:place], flipped, *node.operands[place + 1 :]])
            return elementwise("mul", -1, positive)
    return None


# --------------------------------------------------------------------------- factors and single indices


def take_unsummed_factors_out_of_contraction(node: Einsum) -> Node | None:
    """Σⱼ s[i]·x[i, j] → s[i]·Σⱼ x[i, j].  Condition: the factor has no summed index."""
    if not node.contracted:
        return None
    inside: list[IndexedOperand] = []
    outside: list[IndexedOperand] = []
    for operand, indices in indexed_operands(node):
        for factor, where in factors_with_indices(operand, indices):
            (inside if set(where) & set(node.contracted) else outside).append((factor, where))
    if not outside or any(len(set(w)) < len(w) for _, w in outside):
        return None
    parts = _reassembled(node, inside)
    whole = Factors(node.shape).times(*_core(build(node, parts), node))
    for factor, where in outside:
        whole.times(*_placed(factor, where, node))
    return whole.build()


def factors_with_indices(operand: Node, indices: Indices) -> list[IndexedOperand]:
    """The factors of an operand that is a product, each with its own indices."""
    if not is_op(operand, "mul"):
        return [(operand, indices)]
    parts: list[IndexedOperand] = []
    for factor in operand.operands:
        where = indices[len(indices) - factor.rank :]
        if isinstance(factor, Expand):
            factor, where = factor.operands[0], tuple(where[a] for a in factor.axes)
        parts.append((factor, where))
    return parts


def _reassembled(node: Einsum, inside: list[IndexedOperand]) -> list[IndexedOperand]:
    """The operands of `node` over those of their factors that stay inside."""
    kept = list(inside)
    parts: list[IndexedOperand] = []
    for operand, indices in indexed_operands(node):
        mine = [p for p in factors_with_indices(operand, indices) if p in kept]
        if len(mine) == len(factors_with_indices(operand, indices)):
            parts.append((operand, indices))
        elif mine:
            parts.append(multiplied(mine, indices, operand))
    return parts


def multiplied(factors: list[IndexedOperand], indices: Indices, operand: Node) -> IndexedOperand:
    """The product of factors as one operand, over those of `indices` that they have; of an index met twice the
    diagonal.
    """
    have = tuple(dict.fromkeys(i for i in indices if any(i in where for _, where in factors)))
    shape = tuple(operand.shape[indices.index(i)] for i in have)
    product = Factors(shape)
    for factor, where in factors:
        ordered = sorted(set(where), key=have.index)
        turned = factor if list(where) == ordered else contract([where], ordered, factor)
        product.times(turned, tuple(have.index(i) for i in ordered))
    return product.build(), have


def _core(x: Node, node: Einsum) -> tuple[Node, Axes]:
    return x, trailing(x.rank, node.rank)


def _placed(factor: Node, where: Indices, node: Einsum) -> tuple[Node, Axes]:
    """A factor with its axes in the order of the output."""
    ordered = sorted(where, key=node.output.index)
    turned = factor if list(where) == ordered else contract([where], ordered, factor)
    return turned, tuple(node.output.index(i) for i in ordered)


def sum_lonely_axes_first(node: Einsum) -> Node | None:
    """1ᵀ(A B) → (1ᵀA) B: an index that one operand alone sums over is summed there.

    Condition: two operands or more; fewer operations.
    """
    if len(node.operands) < 2 or not any(_stands_once(node, i) for i in node.contracted):
        return None
    parts = indexed_operands(node)
    for n, (operand, indices) in enumerate(parts):
        others = {i for m, (_, theirs) in enumerate(parts) if m != n for i in theirs} | set(node.output)
        kept = tuple(dict.fromkeys(i for i in indices if i in others))
        if len(kept) < len(set(indices)):
            parts[n] = (contract([indices], kept, operand), kept)
            return build(node, parts, settled=set(indices) - set(kept))
    return None


def _stands_once(node: Einsum, index: int) -> bool:
    """Whether one operand alone has an index."""
    return sum(index in indices for indices in node.inputs) == 1


def multiply_operands_of_equal_indices(node: Einsum) -> Node | None:
    """Σᵢⱼ a[i, j]·b[i, j] → Σ a*b: operands over the same indices become one elementwise product.

    Condition: an index is summed (an outer product stays).
    """
    if len(node.operands) < 2:
        return None
    if len(set(map(frozenset, node.inputs))) == len(node.inputs):
        return None
    groups: dict[frozenset[int], list[IndexedOperand]] = {}
    for operand, indices in sorted(indexed_operands(node), key=lambda part: product_key(part[0])):
        key = frozenset(indices) if len(set(indices)) == len(indices) else frozenset({-1 - len(groups)})
        groups.setdefault(key, []).append((operand, indices))
    if all(len(g) == 1 for g in groups.values()):
        return None
    return build(node, [_elementwise_product(g) for g in groups.values()])


def _elementwise_product(group: list[IndexedOperand]) -> IndexedOperand:
    first, indices = group[0]
    if len(group) == 1:
        return first, indices
    turned = [o if i == indices else contract([i], indices, o) for o, i in group]
    return elementwise("mul", *turned), indices


def product_instead_of_idle_contraction(node: Einsum) -> Node | None:
    """einsum("i,ij->ij", s, x) → s*x.  Condition: nothing is summed, and an operand has every index of the result."""
    if node.contracted or len(node.operands) < 2 or not any(set(i) == set(node.output) for i in node.inputs):
        return None
    if any(len(set(i)) < len(i) for i in node.inputs):
        return None
    whole = Factors(node.shape)
    for operand, indices in indexed_operands(node):
        whole.times(*_placed(operand, indices, node))
    return whole.build()


def order_indices_of_symmetric_operand(node: Einsum) -> Node | None:
    """Sᵀ @ x → S @ x.  Condition: the operand equals its transpose (last two axes)."""
    parts = indexed_operands(node)
    everywhere = [i for _, indices in parts for i in indices]
    for n, (operand, indices) in enumerate(parts):
        if operand.rank < 2 or not known(operand, "symmetric"):
            continue
        *lead, i, j = indices
        if _after_in_product(n, i, node, everywhere) > _after_in_product(n, j, node, everywhere):
            parts[n] = (operand, (*lead, j, i))
            return build(node, parts)
    return None


def _after_in_product(place: int, index: int, node: Einsum, everywhere: list[int]) -> tuple[bool, int]:
    """How far right an index of a matrix stands in a written product: x @ S @ y, result indices at the ends."""
    kept = index in node.output
    return kept == (place > 0), node.output.index(index) if kept else everywhere.index(index)


def order_operands_by_output(node: Einsum) -> Node | None:
    """einsum("jk,ij->ik", B, A) → A @ B: operands in the order of the result's axes.  Always."""
    if len(node.operands) == 1:
        return None
    place = {i: k for k, i in enumerate(node.output)}

    def key(part: IndexedOperand) -> tuple[object, ...]:
        operand, indices = part
        return tuple(sorted(place[i] for i in indices if i in place)) or (len(place),), product_key(operand), indices

    parts = indexed_operands(node)
    ordered = sorted(parts, key=key)
    met = dict.fromkeys(i for indices in node.inputs for i in indices)
    if ordered == parts and list(met) == [*range(len(met))]:
        return None
    return contract([i for _, i in ordered], node.output, *(o for o, _ in ordered))


def order_equal_operands(node: Einsum) -> Node | None:
    """x @ Aᵀ @ x → x @ A @ x: of an operand that stands twice, the first has the index that the others have first.

    Condition: the indices that differ are summed, and the numbering by first appearance becomes the smaller one.
    """
    parts = indexed_operands(node)
    for (k, (x, here)), (n, (y, there)) in combinations(enumerate(parts), 2):
        if len(parts) > 2 and x is y and _alike_outside(here, there, node):
            swapped = [(o, there if m == k else here if m == n else i) for m, (o, i) in enumerate(parts)]
            new = contract([i for _, i in swapped], node.output, *(o for o, _ in swapped))
            if new.inputs < node.inputs:
                return new
    return None


def _alike_outside(here: Indices, there: Indices, node: Einsum) -> bool:
    """Whether two places of one operand differ in indices that are summed alone."""
    kept = set(node.output)
    return all(i == j or kept.isdisjoint((i, j)) for i, j in zip(here, there, strict=True))


CONTRACTIONS = (
    Rewrite(drop_idle_contraction, ("einsum",), domain="equal", role="spelling"),
    Rewrite(take_scalars_out_of_contraction, ("einsum",), domain="extends", role="spelling"),
    Rewrite(take_sign_out_of_contraction, ("einsum",), below=("add",), domain="equal", role="spelling"),
    Rewrite(contract_repeated_operand_once, ("einsum",), below=("expand",), domain="equal", role="spelling"),
    Rewrite(contract_through_transposition, ("einsum",), domain="equal", role="spelling"),
    Rewrite(contract_through_reordered_sum, ("einsum",), domain="equal", role="spelling"),
    Rewrite(sum_a_sum_at_once, ("einsum",), domain="equal", role="spelling"),
    Rewrite(turn_each_outer_product_of_sum, ("einsum",), domain="equal", role="spelling"),
    Rewrite(order_indices_of_symmetric_operand, ("einsum",), needs=("symmetric",), domain="equal", role="spelling"),
    Rewrite(take_unsummed_factors_out_of_contraction, ("einsum",), domain="extends", role="spelling"),
    Rewrite(sum_lonely_axes_first, ("einsum",), domain="extends", role="spelling"),
    Rewrite(product_instead_of_idle_contraction, ("einsum",), domain="extends", role="spelling"),
    Rewrite(multiply_operands_of_equal_indices, ("einsum",), domain="equal", role="spelling"),
    Rewrite(order_operands_by_output, ("einsum",), domain="equal", role="spelling"),
    Rewrite(order_equal_operands, ("einsum",), domain="equal", role="spelling"),
)
