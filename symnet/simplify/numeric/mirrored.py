"""Elements of a matrix less their mirror images, T[2, 1] - T[1, 2], where T is in part symmetric.

In: sums in the algebra form, such as the slopes of a matrix that was put together of a vector, [[0, -z, y], …].  Out:
the same of T without what is symmetric in it: x·yᵀ with x = y + d leaves d·yᵀ, whose digits would be lost beside y·yᵀ.
Not handled: symmetric parts that only show when products are opened further.
"""

from __future__ import annotations

from collections import Counter

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op, operands_of
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Slice, broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.coefficients import sum_of_all
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.rewrite import Rewrite

MirroredAxes = tuple[int, int]  # axes that change places


def leave_out_what_is_symmetric(node: Node) -> Node | None:
    """(x·yᵀ)[2, 1] - (x·yᵀ)[1, 2] → (d·yᵀ)[2, 1] - (d·yᵀ)[1, 2].

    Condition: x = y + d.  What is left out, y[2]·y[1] - y[1]·y[2], is 0 for finite elements.
    """
    elements = {o: found for o in node.operands if (found := _element(o)) is not None}
    for one, (part, other) in elements.items():
        for two, (twin, negated) in elements.items():
            axes = _mirrored(part, twin) if negated and not other else None
            rest = None if axes is None else _less_symmetric(part.operands[0], axes)
            if rest is not None:
                others = [o for o in node.operands if o is not one and o is not two]
                new = [_of(o, s, rest) for o, s in ((one, part), (two, twin))]
                return broadcast_to(sum_of_all([*new, *others]), node.shape)
    return None


def _element(term: Node) -> tuple[Slice, bool] | None:
    """The part of an array that a term is, without its axes of extent 1, and whether it is subtracted."""
    negated = is_op(term, "mul") and len(term.operands) == 2 and term.operands[0] is number(-1)
    inner = term.operands[1] if negated else term
    part = inner.operands[0] if inner.kind == "einsum" and len(inner.operands) == 1 else inner
    return (part, negated) if isinstance(part, Slice) else None


def _of(term: Node, part: Slice, rest: Node) -> Node:
    """The term with another array in the place of that of which it takes a part."""
    if term is part:
        return with_operands(part, [rest])
    return with_operands(term, [_of(o, part, rest) if o.operands else o for o in term.operands])


def _mirrored(a: Slice, b: Slice) -> MirroredAxes | None:
    """The two axes that change places between two elements of one array."""
    if a.operands[0] is not b.operands[0] or a.shape != b.shape or a.steps != b.steps:
        return None
    apart = [k for k, (s, t) in enumerate(zip(a.starts, b.starts, strict=True)) if s != t]
    if len(apart) != 2 or any(a.shape[k] != 1 for k in apart):
        return None
    i, j = apart
    return (i, j) if (a.starts[i], a.starts[j]) == (b.starts[j], b.starts[i]) else None


def _less_symmetric(x: Node, axes: MirroredAxes) -> Node | None:
    """An array without a part that is symmetric in two axes; None where none is seen."""
    if is_op(x, "add"):
        parts = [_less_symmetric(broadcast_to(o, x.shape), axes) for o in x.operands]
        if all(part is None for part in parts):
            return None
        new = [o if part is None else part for o, part in zip(x.operands, parts, strict=True)]
        return broadcast_to(sum_of_all(new), x.shape)
    is_outer = isinstance(x, Einsum) and len(x.operands) > 1 and not x.contracted
    if not is_outer and not is_op(x, "mul"):
        return None
    factors = Factors.view(x)
    return None if any(core is x for core, _ in factors.powers) else _of_product(factors, axes)


def _of_product(factors: Factors, axes: MirroredAxes) -> Node | None:
    """f·T, or f·x[i]·y[j], with f that does not vary along the two axes."""
    vary = [base for base in factors.powers if not set(axes).isdisjoint(base[1])]
    if any(factors.powers[base] != 1 for base in vary):
        return None
    if len(vary) == 2:
        return _of_vectors(factors, axes, *vary)
    if len(vary) != 1 or not set(axes) <= set(vary[0][1]):
        return None
    core, places = vary[0]
    inner = _less_symmetric(core, (places.index(axes[0]), places.index(axes[1])))
    return None if inner is None else _with(factors, vary[0], inner)


def _of_vectors(factors: Factors, axes: MirroredAxes, one: Base, two: Base) -> Node | None:
    """f·x[i]·y[j] with x = y + d, or y = x + d."""
    swapped = tuple({axes[0]: axes[1], axes[1]: axes[0]}.get(a, a) for a in one[1])
    if swapped != two[1] or set(axes) <= set(one[1]):
        return None
    shorter, longer = sorted((one, two), key=lambda base: len(_terms(base[0])))
    left = Counter(_terms(longer[0]))
    left.subtract(_terms(shorter[0]))
    if min(left.values()) < 0:
        return None
    difference = sum_of_all(list(left.elements())) if any(left.values()) else number(0)
    return _with(factors, longer, broadcast_to(difference, longer[0].shape))


def _terms(x: Node) -> list[Node]:
    """The terms of a sum, those of the sums among them: what is used elsewhere too stands in it as one."""
    return [term for o in operands_of("add", x) for term in operands_of("add", o)]


def _with(factors: Factors, base: Base, other: Node) -> Node:
    """The product with another array in the place of one of its factors."""
    rest = factors.copy()
    del rest.powers[base]
    return rest.times(other, base[1]).build()


MIRRORED: tuple[Rewrite, ...] = (
    Rewrite(leave_out_what_is_symmetric, ("add",), below=("slice",), domain="extends", role="stable"),
)
