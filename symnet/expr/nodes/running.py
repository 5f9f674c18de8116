"""Scans of the numeric form: the running log-sum-exp, and the recurrence of first order.

In: arrays and an axis.  Out: nodes of their shape; `reverse` runs from the end.  No user writes them: the numeric form
makes them of running sums of exponentials (`simplify/numeric/exponentials/running_sums.py`), after all derivatives are
taken.  So they have a value and loops, and no derivative.
"""

from __future__ import annotations

import sympy
from sympy import Integer

from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.node import Node, Shape


class RunningLogsumexp(Node):
    """y[…, k, …] = log Σ over j ≤ k (over j ≥ k in reverse) of exp(x[…, j, …]): args are (axis, reverse, x)."""

    __slots__ = ()
    kind = "running_logsumexp"

    @classmethod
    def _derive(cls, axis: Integer, reverse: Integer, x: Node) -> tuple[Shape, str | None]:
        assert 0 <= int(axis) < x.rank and int(reverse) in (0, 1), (axis, reverse, x.shape)
        return x.shape, x.dtype

    @property
    def axis(self) -> int:
        return int(self.args[0])

    @property
    def reverse(self) -> bool:
        return bool(self.args[1])


class Recurrence(Node):
    """y[…, k, …] = a[…, k, …]·y[…, k - 1, …] + b[…, k, …], before the first 0: args are (axis, reverse, a, b).

    In reverse y[k + 1] stands in the place of y[k - 1].
    """

    __slots__ = ()
    kind = "recurrence"

    @classmethod
    def _derive(cls, axis: Integer, reverse: Integer, a: Node, b: Node) -> tuple[Shape, str | None]:
        assert 0 <= int(axis) < b.rank and int(reverse) in (0, 1) and same_shape(a.shape, b.shape), (a.shape, b.shape)
        return b.shape, b.dtype or a.dtype

    @property
    def axis(self) -> int:
        return int(self.args[0])

    @property
    def reverse(self) -> bool:
        return bool(self.args[1])


def running_logsumexp(x: Node, axis: int, reverse: bool = False) -> RunningLogsumexp:
    """The logarithms of the sums of exp(x) along an axis, from its end where `reverse`."""
    return RunningLogsumexp(sympy.Integer(axis), sympy.Integer(int(reverse)), x)


def recurrence(a: Node, b: Node, axis: int, reverse: bool = False) -> Recurrence:
    """y[k] = a[k]·y[k - 1] + b[k] along an axis, from its end where `reverse`."""
    return Recurrence(sympy.Integer(axis), sympy.Integer(int(reverse)), a, b)
