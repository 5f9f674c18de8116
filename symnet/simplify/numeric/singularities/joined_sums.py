"""Sums over an axis as one sum: Σf(aᵢ)·w + c → Σ(f(aᵢ)·w + c/n), and products multiplied out to their last term.

In: a sum or product of arrays, among its factors sums over an axis.  Out: the array under the one sum that it is, so
that what cancels inside the terms of the sum meets what stands outside: (Σxᵃ - n)/a is Σ(xᵃ - 1)/a.
Not handled: contractions in which no operand has every index, such as matrix products, for they would become arrays
larger than any that is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.expr.nodes.constants import Size, number, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, equal, is_op, operands_of, where
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.forms.broadcast import cover, trailing
from symnet.simplify.forms.coefficients import ONE, sum_of_all
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.polynomial import monomials

MOST_TERMS = 32
MOST_OF_ONE_LEVEL = 16
HOPELESS = 1024  # terms, of which some are equal
DEEPEST = 256  # sums within sums; every one of them has a term of its own


def opened_terms(
    node: Node, deep: bool = True, needed: Callable[[Node], bool] | None = None, most: int = MOST_TERMS
) -> list[Factors] | None:
    """The terms of a sum or product multiplied out; None where they are many.

    Args:
        node: the sum or product.
        deep: the sums inside its terms too.
        needed: of these the sums that are opened; all of them where this is left out.
        most: how many terms are not too many.
    """
    most = most if deep else MOST_OF_ONE_LEVEL
    operands = operands_of("add", node)
    if deep and _count(node, needed or (lambda total: True), {}) > (most if needed else HOPELESS):
        return None
    if needed is None:
        terms = [f for o in operands for f in monomials(o, node)]
    else:
        terms = [Factors(node.shape).times(o, trailing(o.rank, node.rank)) for o in operands]
    done: list[Factors] = []
    while terms and len(terms) + len(done) <= most:
        each = terms.pop(0)
        opened = _opened(each, node, needed) if deep else [each]
        if len(opened) > 1:
            terms = opened + terms
        else:
            done.append(each)
    return None if terms else done


def _count(total: Node, needed: Callable[[Node], bool], known: dict[Node, int], levels: int = DEEPEST) -> int:
    """How many terms a sum or product has, all needed sums in it multiplied out; too many where it is too deep."""
    if not levels:
        return HOPELESS + 1
    if total not in known:
        known[total] = 0
        for term in operands_of("add", total):
            count = 1
            for (core, _), e in Factors.view(term).powers.items():
                if is_op(core, "add") and e in (1, 2) and needed(core):
                    count *= _count(core, needed, known, levels - 1) ** int(e)
            known[total] += count
    return known[total]


def _opened(term: Factors, node: Node, needed: Callable[[Node], bool] | None) -> list[Factors]:
    """A term as a sum of terms, where one of its factors is a sum, or the weight of a logarithm is."""
    for base, e in term.powers.items():
        if is_op(base[0], "add") and e in (1, 2) and (e == 1 or needed is not None):
            if needed is None:
                return monomials(term.build(), node)
            if needed(base[0]):
                return _distributed(term, base)
        if e == 1 and is_op(base[0], "xlogy") and is_op(base[0].operands[0], "add"):
            weight, x = base[0].operands
            return [_with(term, base, elementwise("xlogy", w, x)) for w in weight.operands]
        if e == 1 and (guarded := _guarded_sum(base[0], needed)):
            return [_with(term, base, each) for each in guarded]
    return [term]


def _distributed(term: Factors, base: Base) -> list[Factors]:
    """The terms of a product with a sum, or the square of one, among its factors."""
    core, axes = base
    rest = term.copy()
    rest.powers[base] -= 1
    if rest.powers[base] == 0:
        del rest.powers[base]
    return [rest.copy().times(o, axes[len(axes) - o.rank :]) for o in core.operands]


def _guarded_sum(core: Node, needed: Callable[[Node], bool] | None) -> list[Node]:
    """where(a + b = 0, 0, (a + b)·x) as its terms, where(a = 0, 0, a·x) and the other; nothing for other nodes."""
    if not is_op(core, "where") or not is_op(core.operands[0], "eq") or number_of(core.operands[1]) != 0:
        return []
    weight, zero = core.operands[0].operands
    above, whole = Factors.view(weight), Factors.view(core.operands[2])
    both = [b for b, e in above.powers.items() if e == 1 and whole.powers.get(b) == 1]
    sums = [b for b in both if is_op(b[0], "add") and (needed is None or needed(b[0]))]
    if number_of(zero) != 0 or weight.rank != core.rank or not sums:
        return []
    parts = zip(_distributed(above.copy(), sums[0]), _distributed(whole.copy(), sums[0]), strict=True)
    return [where(equal(d.build(), 0), 0, each.build()) for d, each in parts]


def _with(term: Factors, base: Base, other: Node) -> Factors:
    changed = term.copy()
    del changed.powers[base]
    return changed.times(other, base[1])


def multiplied_out(
    node: Node, deep: bool = True, needed: Callable[[Node], bool] | None = None, most: int = MOST_TERMS
) -> Node | None:
    """The sum of all terms of a sum or product multiplied out; None where nothing is opened, or the terms are many."""
    terms = opened_terms(node, deep, needed, most)
    if terms is None or len(terms) <= (len(node.operands) if is_op(node, "add") else 1):
        return None
    return sum_of_all([f.build() for f in collected(terms)])


def collected(terms: list[Factors]) -> list[Factors]:
    """Terms of equal factors as one; all of them where nothing would be left."""
    found: dict[frozenset[tuple[Base, object]], Factors] = {}
    for term in terms:
        key = frozenset(term.powers.items())
        if key in found:
            found[key].coefficient += term.coefficient
        else:
            found[key] = term.copy()
    return [f for f in found.values() if f.coefficient != 0] or terms


@dataclass(frozen=True)
class Joined:
    """An array whose sum over some of its axes, the first ones or the last, is the node."""

    array: Node
    axes: Axes

    def total(self, array: Node) -> Node:
        """The sum of an array of this shape over these axes."""
        kept = [a for a in range(array.rank) if a not in self.axes]
        return contract([tuple(range(array.rank))], kept, array)


def under_one_sum(node: Node) -> Joined | None:
    """The array whose sum the node is; None where its terms are sums over axes of other extents."""
    terms = opened_terms(node)
    if terms is None:
        return None
    found = [_sums_in(f) for f in terms]
    extents = {tuple(core.extents[i] for i in core.contracted) for sums in found for core, _ in sums}
    if len(extents) != 1 or any(len(sums) > 1 for sums in found):
        return None
    (lengths,) = extents
    leads = next(_sums_first(core) for sums in found for core, _ in sums)
    first, shift = (0, len(lengths)) if leads else (node.rank, 0)
    axes = tuple(range(first, first + len(lengths)))
    shape = (*lengths, *node.shape) if leads else (*node.shape, *lengths)
    inside = [
        _inside(f, sums[0] if sums else None, Factors(shape, f.coefficient), axes, shift)
        for f, sums in zip(terms, found, strict=True)
    ]
    joined = sum_of_all([f.build() for f in inside])
    opened = multiplied_out(joined)
    return Joined(joined if opened is None else opened, axes)


def _sums_in(factors: Factors) -> list[Base]:
    return [base for base, e in factors.powers.items() if e == 1 and _is_sum(base[0])]


def _is_sum(core: Node) -> bool:
    """Whether a core is a sum over axes of a product in which one operand has every index, each once."""
    if not isinstance(core, Einsum) or not core.contracted:
        return False
    once = all(len(set(indices)) == len(indices) for indices in core.inputs)
    return once and any(len(indices) == len(core.extents) for indices in core.inputs)


def _sums_first(core: Einsum) -> bool:
    """Whether the axes summed over stand before the others in what is summed."""
    whole = next(indices for indices in core.inputs if len(indices) == len(core.extents))
    return set(whole[: len(core.contracted)]) == set(core.contracted)


def _inside(factors: Factors, base: Base | None, inner: Factors, summed: Axes, shift: int) -> Factors:
    """A term under the sum: the operands of its own sum, or a part of what the sum only repeats."""
    for (core, axes), exponent in factors.powers.items():
        if (core, axes) != base:
            if isinstance(exponent, Node) and exponent.rank:  # it varies along the axes of the node, wherever these are
                kept = tuple(a + shift for a in range(len(factors.shape)))
                exponent = cover(broadcast_to(exponent, factors.shape), kept, inner.shape)
            inner.times(core, tuple(a + shift for a in axes), exponent)
    if base is None:
        for extent in (inner.shape[a] for a in summed):
            inner.times(number(extent) if isinstance(extent, int) else Size(extent), (), -ONE)
        return inner
    core, axes = base
    assert isinstance(core, Einsum)
    place = dict(zip(core.output, (a + shift for a in axes), strict=True))
    place |= dict(zip(core.contracted, summed, strict=True))
    for operand, indices in zip(core.operands, core.inputs, strict=True):
        at = [place[i] for i in indices]
        inner.times(operand if at == sorted(at) else contract([at], sorted(at), operand), tuple(sorted(at)))
    return inner
