"""Sums that remember what they rounded away.

In: where a sum and its rounding errors stand, and what is added.  Out: the statements of one addition, and of the last.

Source: Knuth, "The Art of Computer Programming", volume 2, 4.2.2, theorems B and C (the error of an addition).
"""

from __future__ import annotations

from collections.abc import Callable

from symnet.loops.ir import Body, Buffer, Const, IntExpr, Let, Load, Op, Store, Value, Var


def two_sum(
    high: Buffer, high_at: tuple[IntExpr, ...], low: Buffer, low_at: tuple[IntExpr, ...], addend: Value
) -> Body:
    """high, low = the rounded sum of high and (low + addend), and exactly what that rounded away (Knuth).

    Where the sum is not finite nothing is carried, so that an infinity stays one.
    """
    return _added(high, high_at, low, low_at, lambda lost: Op("add", (lost, addend), high.dtype))


def renewed_sum(high: Buffer, high_at: tuple[IntExpr, ...], low: Buffer, low_at: tuple[IntExpr, ...]) -> Body:
    """high, low = the rounded sum of both, and exactly what that rounded away; `two_sum` after low += addend."""
    return _added(high, high_at, low, low_at, lambda lost: lost)


def _added(
    high: Buffer,
    high_at: tuple[IntExpr, ...],
    low: Buffer,
    low_at: tuple[IntExpr, ...],
    more: Callable[[Value], Value],
) -> Body:
    names = iter(f"{low.name}_{k}" for k in range(8))
    lets: list[Let] = []

    def let(value: Value) -> Value:
        lets.append(Let(next(names), value))
        return Var(lets[-1].name, value.dtype)

    old, new = let(Load(high, high_at)), let(more(Load(low, low_at)))
    total, carried = sum_and_lost(let, old, new)
    return (*lets, Store(high, high_at, total), Store(low, low_at, carried))


def sum_and_lost(let: Callable[[Value], Value], old: Value, new: Value) -> tuple[Value, Value]:
    """The rounded sum of two values, and what that rounded away, 0 where it is not finite.

    let: binds a value to a name.
    """

    def add(a: Value, b: Value) -> Value:
        return Op("add", (a, b), old.dtype)

    def sub(a: Value, b: Value) -> Value:
        return Op("sub", (a, b), old.dtype)

    total = let(add(old, new))
    added = let(sub(total, old))
    kept = let(sub(total, added))
    lost = let(add(sub(old, kept), sub(new, added)))
    known = let(Op("eq", (lost, lost), "bool"))
    return total, Op("select", (known, lost, Const(0.0, old.dtype)), old.dtype)


def with_low_added(high: Buffer, high_at: tuple[IntExpr, ...], low: Buffer, low_at: tuple[IntExpr, ...]) -> Body:
    """high = high + low."""
    return (Store(high, high_at, Load(low, low_at), "add"),)
