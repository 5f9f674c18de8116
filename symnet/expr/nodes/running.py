"""Scans of the numeric form: the running log-sum-exp, and running sums relative to one.

In: arrays and an axis.  Out: nodes of their shape; `reverse` runs from the end.  No user writes them: the numeric form
makes them of running sums of exponentials (`simplify/numeric/exponentials/running_sums.py`), after all derivatives are
taken.  So they have a value and loops, and no derivative.
"""

from __future__ import annotations

import sympy
from sympy import Integer

from symnet.expr.nodes.cumulative import axis_of, reverse_of
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.node import Node, Shape


class RunningLogsumexp(Node):
    """y[…, k, …] = log Σ over j ≤ k (over j ≥ k in reverse) of exp(x[…, j, …]): args are (axis, reverse, x)."""

    __slots__ = ()
    kind = "running_logsumexp"
    axis = property(axis_of)
    reverse = property(reverse_of)

    @classmethod
    def _derive(cls, axis: Integer, reverse: Integer, x: Node) -> tuple[Shape, str | None]:
        assert 0 <= int(axis) < x.rank and int(reverse) in (0, 1), (axis, reverse, x.shape)
        return x.shape, x.dtype


class ScaledSum(Node):
    """y[…, k, …] = Σ over j ≤ k (over j ≥ k in reverse) of b[j]·exp(p[j] - q[k]): args are (axis, reverse, p, b, q).

    No sum leaves the range where p[j] ≤ q[k] for all j that are added.
    """

    __slots__ = ()
    kind = "scaled_sum"
    axis = property(axis_of)
    reverse = property(reverse_of)

    @classmethod
    def _derive(cls, axis: Integer, reverse: Integer, p: Node, b: Node, q: Node) -> tuple[Shape, str | None]:
        assert 0 <= int(axis) < b.rank and int(reverse) in (0, 1), (axis, reverse, b.shape)
        assert same_shape(p.shape, b.shape) and same_shape(q.shape, b.shape), (p.shape, b.shape, q.shape)
        return b.shape, next((x.dtype for x in (b, p, q) if x.dtype is not None), None)


def running_logsumexp(x: Node, axis: int, reverse: bool = False) -> RunningLogsumexp:
    """The logarithms of the sums of exp(x) along an axis, from its end where `reverse`."""
    return RunningLogsumexp(sympy.Integer(axis), sympy.Integer(int(reverse)), x)


def scaled_sum(p: Node, b: Node, q: Node, axis: int, reverse: bool = False) -> ScaledSum:
    """Σ over j ≤ k of b[j]·exp(p[j] - q[k]) along an axis, over j ≥ k where `reverse`."""
    return ScaledSum(sympy.Integer(axis), sympy.Integer(int(reverse)), p, b, q)
