"""Running sums of exponentials: log of a cumulative sum, and what its derivatives divide by one.

In: logarithms, products and quotients of `cumsum(exp(x))`.  Out: scans that are taken relative to what is largest so
far, c[k] = log Σ over j ≤ k of exp(x[j]), so that no term overflows and no sum vanishes: exp(x[j] - c[k]) ≤ 1.
These are nodes of their own (`expr/nodes/running.py`), each one pass (`lower/running.py`).
Not handled: exponentials with weights under the logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.cumulative import CumulativeSum
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Concat, Slice, broadcast_to
from symnet.expr.nodes.node import Axes, Node
from symnet.expr.nodes.running import running_logsumexp, scaled_sum
from symnet.simplify.algebra.exposing import DEEPEST, expose
from symnet.simplify.algebra.hoisting import leaves_axis_alone
from symnet.simplify.algebra.movement import moved
from symnet.simplify.forms.broadcast import trailing
from symnet.simplify.forms.coefficients import ONE, product, split_coefficient
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.signs import is_negative, is_positive, is_whole
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite


@dataclass(frozen=True)
class _RunningSum:
    """cumsum(exp(x)) or, where `rows` is a slice of it along other axes, that slice."""

    whole: CumulativeSum
    rows: Slice | None

    @property
    def exponent(self) -> Node:
        """x, of those rows."""
        return self._cut(self.whole.operands[0].operands[0])

    @property
    def logarithm(self) -> Node:
        """The running log-sum-exp of those rows, cut from that of all, which the value asks for."""
        every = self.whole.operands[0].operands[0]
        return self._cut(running_logsumexp(every, self.whole.axis, self.whole.reverse))

    def _cut(self, x: Node) -> Node:
        return x if self.rows is None else moved(with_operands(self.rows, [x]), x)


def _running_sum(total: Node) -> _RunningSum | None:
    """The running sum of exponentials that a node is, or has the rows of; None for others."""
    rows = total if isinstance(total, Slice) else None
    whole = total if rows is None else rows.operands[0]
    if not isinstance(whole, CumulativeSum) or not is_op(whole.operands[0], "exp"):
        return None
    return _RunningSum(whole, rows) if rows is None or leaves_axis_alone(rows, whole.axis) else None


def log_of_running_sum_of_exponentials(node: Node) -> Node | None:
    """log(c·cumsum(exp x)) → log c + the running log-sum-exp of x.  Condition: c is positive."""
    coefficient, factors = split_coefficient(node.operands[0])
    total = _running_sum(factors[0]) if len(factors) == 1 and is_positive(coefficient) else None
    if total is None:
        return None
    log = total.logarithm
    return log if coefficient == 1 else elementwise("add", number(sympy.log(coefficient)), log)


def running_mean_by_scan(node: Node) -> Node | None:
    """cumsum(exp(x)·v)/cumsum(exp x) → Σ over j ≤ k of v[j]·exp(x[j] - c[k]), by a scan.  Always."""
    factors = Factors.view(node)
    for base, total in _divisors(factors):
        for above, e in factors.powers.items():
            weight = _weight(above, base, total) if is_whole(e) and is_positive(e) else None
            if weight is not None:
                x, c = total.exponent, total.logarithm
                mean = scaled_sum(x, broadcast_to(weight, x.shape), c, total.whole.axis, total.whole.reverse)
                return factors.copy().times(*above, -1).times(*base).times(mean, base[1]).build()
    return None


def _divisors(factors: Factors) -> list[tuple[Base, _RunningSum]]:
    """The running sums of exponentials that a product divides by, and where they stand."""
    below = (base for base, e in factors.powers.items() if is_whole(e) and is_negative(e))
    return [(base, total) for base in below if (total := _running_sum(base[0])) is not None]


def _weight(above: Base, below: Base, total: _RunningSum) -> Node | None:
    """v of cumsum(exp(x)·v) that runs as cumsum(exp(x)) does."""
    core = above[0]
    if not isinstance(core, CumulativeSum) or above[1] != below[1] or core.args[:2] != total.whole.args[:2]:
        return None
    inside = Factors.of(core.operands[0])
    full = trailing(core.rank, core.rank)
    power = elementwise("exp", total.exponent)
    if inside.powers.get((power, full)) != 1:
        return None
    return inside.times(power, full, sympy.S.NegativeOne).build()


def exponential_times_reverse_sum_by_scan(node: Node) -> Node | None:
    """exp(x)·Σ over k ≥ j of w[k]/cumsum(exp x)[k] → Σ over k ≥ j of w[k]·exp(x[j] - c[k]), by a scan.

    Condition: the sum runs against the one it divides by, or against that of which rows are taken there.
    """
    factors = Factors.view(node)
    for above, e in factors.powers.items():
        core, axes = above
        if not isinstance(core, CumulativeSum) or not is_whole(e) or not is_positive(e):
            continue
        inside = Factors.view(expose(core.operands[0], DEEPEST))
        for (divisor, places), total in _divisors(inside):
            opposite = total.whole.axis == core.axis and total.whole.reverse != core.reverse
            found = _exponential_with(factors, total.exponent, axes, e) if opposite else None
            if found is None or places != trailing(core.rank, core.rank):
                continue
            weights = broadcast_to(inside.copy().times(divisor, places).build(), core.shape)
            below, above_it = (elementwise("mul", -1, x) for x in (total.logarithm, total.exponent))
            scan = scaled_sum(below, weights, above_it, core.axis, core.reverse)
            whole = factors.copy().times(*above, -e).times(*found[0], -factors.powers[found[0]])
            return whole.times(scan, axes, e).times(found[1], axes).build()
    return None


def exponential_of_piece_meets_its_reverse_sum(node: Node) -> Node | None:
    """exp(x)·S[the part of x] → (exp(z)·S)[the part of x], z joined from x and y, S a sum of w/cumsum(exp z).

    Condition: they are joined along another axis than the sum runs.
    """
    for part in node.operands:
        total = part.operands[0] if isinstance(part, Slice) and same_shape(part.shape, node.shape) else None
        if not isinstance(total, CumulativeSum):
            continue
        for _, divisor in _divisors(Factors.view(total.operands[0])):
            z = divisor.exponent
            if not isinstance(z, Concat) or z.axis == total.axis:
                continue
            for piece, offset in zip(z.operands, z.offsets, strict=True):
                place = [offset if a == z.axis else 0 for a in range(z.rank)]
                met = [o for o in node.operands if is_op(o, "exp") and o.operands[0] is piece]
                if (
                    met
                    and list(part.starts) == place
                    and set(part.steps) == {1}
                    and same_shape(part.shape, piece.shape)
                ):
                    whole = with_operands(part, [elementwise("mul", elementwise("exp", z), total)])
                    return product(ONE, (*(o for o in node.operands if o not in (part, met[0])), whole))
    return None


def _exponential_with(factors: Factors, x: Node, axes: Axes, count: Expr) -> tuple[Base, Node] | None:
    """An exponential of the product whose exponent holds count·x, and the exponential of the rest."""
    for base, k in factors.powers.items():
        if is_op(base[0], "exp") and base[1] == axes and is_whole(k) and is_positive(k):
            full = trailing(base[0].rank, base[0].rank)
            before = Terms(base[0].shape).plus(base[0].operands[0], full, k)
            rest = Terms(base[0].shape).plus(base[0].operands[0], full, k).plus(x, full, -count)
            if _size(rest) < _size(before):
                return base, elementwise("exp", rest.build()) if rest.coefficients else number(1)
    return None


def _size(terms: Terms) -> Expr:
    return sum(map(abs, terms.coefficients.values()), sympy.S.Zero)


RUNNING_SUMS = (
    Rewrite(log_of_running_sum_of_exponentials, ("log",), domain="equal", role="stable"),
    Rewrite(running_mean_by_scan, ("mul",), below=("exp", "cumsum"), domain="equal", role="stable"),
    Rewrite(
        exponential_of_piece_meets_its_reverse_sum, ("mul",), below=("exp", "cumsum"), domain="equal", role="stable"
    ),
    Rewrite(exponential_times_reverse_sum_by_scan, ("mul",), below=("exp", "cumsum"), domain="equal", role="stable"),
)
