"""Contractions of values m·exp(s): what varies along no summed index stands outside, the rest is taken below its
largest.

In: a contraction, its operands taken apart.  Out: the same taken apart.  Where a mantissa is known not to vanish,
exponentials are made for the indices alone along which exponents vary: Σ over i of exp(a[i])·P[i, j] has one for each.
Not handled: products of matrices that both hold exponentials (each is taken relative to its own largest).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.forms.coefficients import ONE, product
from symnet.simplify.forms.terms import Terms
from symnet.simplify.numeric.exponentials.exponential_parts import as_one_operand
from symnet.simplify.numeric.exponentials.largest import Largest, counts
from symnet.simplify.numeric.exponentials.shifts import (
    Placed,
    Scaled,
    is_repeated_one,
    joined,
    live_axes,
    over_places,
    placed,
    placed_product,
    plus_in_order,
)


def of_contraction(node: Einsum, operands: list[Scaled], tops: Largest, exact: bool) -> Scaled:
    """The contraction taken apart; where it must not vanish, exactly."""
    outside, operands = _split(node, operands)
    values = [(o.mantissa, indices) for o, indices in zip(operands, node.inputs, strict=True)]
    if not any(o.shift.coefficients for o in operands):
        return Scaled(contraction_of(values, node.output), outside)
    whole = as_one_operand(contract(node.inputs, node.output, *(o.mantissa for o in operands)))
    if len(operands) == 1 or whole is None:
        shifts = [o.shift for o in _met(node, operands)]
        return _below(node, [(v, i, s) for (v, i), s in zip(values, shifts, strict=True)], outside, tops, exact)
    indices = max(node.inputs, key=len)
    shift = Terms(tuple(node.extents[i] for i in indices))
    for each, own in zip(operands, node.inputs, strict=True):
        placed(shift, each.shift, tuple(indices.index(i) for i in own))
    if counts(whole):
        ones = broadcast_to(number(1), shift.shape)
        rest = [(v, i, Terms(v.shape)) for v, i in values]
        return _below(node, [*rest, (ones, indices, shift)], outside, tops, exact)
    return _below(node, [(whole, indices, shift)], outside, tops, exact)


def _split(node: Einsum, operands: list[Scaled]) -> tuple[Terms, list[Scaled]]:
    """What of the exponents varies along none of the summed indices, and the operands without it."""
    outside, rests = Terms(node.shape), list[Scaled]()
    for each, indices in zip(operands, node.inputs, strict=True):
        rest = Terms(each.shift.shape)
        for (factors, axes), c in each.shift.coefficients.items():
            own = [indices[a] for a in axes]
            if all(i in node.output for i in own):
                plus_in_order(outside, product(ONE, factors), tuple(node.output.index(i) for i in own), c)
            else:
                rest.coefficients[factors, axes] = c
        rests.append(replace(each, shift=rest))
    return outside, rests


def _met(node: Einsum, operands: list[Scaled]) -> list[Scaled]:
    """The operands, a term of an exponent given to the operand that has one of more indices, these among them: there
    they cancel, Σ over i of exp(s[i, j])·x[i, k]·exp(-N[i]) being Σ over i of exp(s[i, j] - N[i])·x[i, k].
    """
    met = [
        (k, key, frozenset(indices[a] for a in key[1]), c)
        for k, (each, indices) in enumerate(zip(operands, node.inputs, strict=True))
        for key, c in each.shift.coefficients.items()
    ]
    shifts = [Terms(o.shift.shape) for o in operands]
    for k, (factors, axes), own, c in met:
        into = min((-len(other), n) for n, _, other, _ in met if own <= other)[1]
        plus_in_order(
            shifts[into], product(ONE, factors), tuple(node.inputs[into].index(node.inputs[k][a]) for a in axes), c
        )
    return [replace(o, shift=s) for o, s in zip(operands, shifts, strict=True)]


def _below(
    node: Einsum, operands: Sequence[tuple[Node, Axes, Terms]], outside: Terms, tops: Largest, exact: bool
) -> Scaled:
    """The contraction taken apart, each operand relative to its own largest."""
    values, powers = list[Placed](), list[Placed]()
    for mantissa, indices, shift in operands:
        if not shift.coefficients:
            values.append((mantissa, indices))
            continue
        if counts(mantissa):
            live = live_axes(shift)
            values.append((mantissa, indices))
            indices, shift = tuple(indices[a] for a in live), over_places(shift, live)
            mantissa = broadcast_to(number(1), shift.shape)
        summed = tuple(a for a, i in enumerate(indices) if i in node.contracted)
        taken, top, count = tops.below(mantissa, shift, summed, exact)
        powers.append((taken, indices))
        kept = tuple(node.output.index(i) for i in indices if i in node.output)
        placed(outside, joined(Terms(top.shape), top, count), kept)
    return Scaled(contraction_of(attached(values, powers), node.output), outside)


# --------------------------------------------------------------------------- operands


def attached(values: Sequence[Placed], powers: Sequence[Placed]) -> list[Placed]:
    """The operands of a contraction, each power multiplied into the smallest that has its indices, if there is one."""
    new = list(values)
    for power, indices in powers:
        fitting = [k for k, (_, own) in enumerate(new) if set(indices) <= set(own)]
        if not fitting:
            new.append((power, indices))
            continue
        k = min(fitting, key=lambda n: (len(new[n][1]), not is_repeated_one(new[n][0])))
        value, own = new[k]
        new[k] = (placed_product([(value, own), (power, indices)], own, value.shape), own)
    return new


def contraction_of(values: Sequence[Placed], output: Axes) -> Node:
    """The contraction of operands, without repetition where another operand has the indices."""
    left = list(values)
    for k in range(len(left)):
        value, own = left[k]
        others = {i for n, (_, each) in enumerate(left) if n != k for i in each}
        if isinstance(value, Expand) and {own[a] for a in value.new_axes} <= others:
            left[k] = value.operands[0], tuple(own[a] for a in value.axes)
    scalars = [(v, i) for v, i in left if number_of(v) == 1]
    left = [each for each in left if each not in scalars] or scalars[:1]
    if len(left) == 1 and left[0][1] == output:
        return left[0][0]
    return contract([own for _, own in left], output, *(value for value, _ in left))
