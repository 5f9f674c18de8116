"""Sums that remember what they rounded away.

In: where a sum and its rounding errors stand, and what is added.  Out: the statements of one addition, and of the last.

Source: Knuth, "The Art of Computer Programming", volume 2, 4.2.2, theorems B and C (the error of an addition).
"""

from __future__ import annotations

from symnet.loops.ir import Body, Buffer, Const, IntExpr, Let, Load, Op, Store, Value, Var


def two_sum(
    high: Buffer, high_at: tuple[IntExpr, ...], low: Buffer, low_at: tuple[IntExpr, ...], addend: Value
) -> Body:
    """high, low = the rounded sum of high and (low + addend), and exactly what that rounded away (Knuth).

    Where the sum is not finite nothing is carried, so that an infinity stays one.
    """
    dtype = high.dtype
    names = iter(f"{low.name}_{k}" for k in range(8))
    lets: list[Let] = []

    def let(value: Value) -> Var:
        lets.append(Let(next(names), value))
        return Var(lets[-1].name, value.dtype)

    def add(a: Value, b: Value) -> Value:
        return Op("add", (a, b), dtype)

    def sub(a: Value, b: Value) -> Value:
        return Op("sub", (a, b), dtype)

    old, new = let(Load(high, high_at)), let(add(Load(low, low_at), addend))
    total = let(add(old, new))
    added = let(sub(total, old))
    kept = let(sub(total, added))
    lost = let(add(sub(old, kept), sub(new, added)))
    known = let(Op("eq", (lost, lost), "bool"))
    carried = Op("select", (known, lost, Const(0.0, dtype)), dtype)
    return (*lets, Store(high, high_at, total), Store(low, low_at, carried))


def with_low_added(high: Buffer, high_at: tuple[IntExpr, ...], low: Buffer, low_at: tuple[IntExpr, ...]) -> Body:
    """high = high + low."""
    return (Store(high, high_at, Load(low, low_at), "add"),)
