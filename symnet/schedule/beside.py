"""Kernels for neighbours side by side, one in each lane: the last axis in groups of as many as a kernel takes at once.

before: for s in n: kernel of s
after:  for s_group in n//8: kernel of 8*s_group … 8*s_group + 7
        kernel of the n % 8 that are left: the other lanes repeat the last of them, and store nothing

In: a kernel nest with a `SideBySide`.  Out: loops.
"""

from __future__ import annotations

from symnet.loops.ir import Body, For, If, IntCondition, IntConst, IntExpr, IntVar, int_floordiv, int_min, int_mod
from symnet.loops.substitute import substitute
from symnet.lower.nest import Nest, SideBySide, around, naive_body


def rows_beside(nest: Nest) -> int:
    """How many rows of the batch a nest takes at once."""
    return nest.beside.most if nest.beside is not None and nest.axes[-1].batch else 0


def side_by_side(nest: Nest) -> Body:
    """The loops of a kernel for several points at once; for each by itself, where these are too large."""
    beside, axis = nest.beside, nest.axes[-1]
    assert beside is not None
    group = IntVar(f"{axis.var}_group")
    whole, rest = int_floordiv(axis.extent, beside.most), int_mod(axis.extent, beside.most)
    body: Body = ()
    if whole != IntConst(0):
        body = (For(group.name, whole, _group(beside, axis.var, group * beside.most, IntConst(beside.most))),)
    if rest != IntConst(0):
        left = _group(beside, axis.var, whole * beside.most, rest)
        some = IntCondition("gt", rest, IntConst(0))
        body = (*body, *(left if isinstance(rest, IntConst) else (If(some, left),)))
    body = around(nest.axes[:-1], body)
    return body if beside.fits is None else (If(beside.fits, body, naive_body(nest)),)


def _group(beside: SideBySide, var: str, begin: IntExpr, count: IntExpr) -> Body:
    """The kernel of so many neighbours, the first of which is `begin`."""
    lane = IntVar(beside.lane)
    place = lane if count == IntConst(beside.most) else int_min(lane, count - 1)
    return substitute(beside.body, {var: begin + place, beside.count: count})
