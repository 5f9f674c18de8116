"""Sums in partial sums, so that their error does not grow with what is added up.

before: s += x[i]                                     for i in n
after:  chain += x[i]                                 for CHAIN elements, from zero
        block += chain                                for CHAINS chains, from zero
        high, low = two_sum(high, low + block)        for every block: the rounded sum, and what that rounded away
        s = high + low

In: a nest whose reduced axes are to be added up, the cells of its accumulators, and how to write one chain.  Out: the
loops.  How an extent is cut depends on the extents and the lanes alone, never on threads.  The error is that of CHAIN +
CHAINS additions, however many blocks follow.  A reduction over a streamed batch goes on
from block to block with `high` and `low` in memory (`Carry`), or each superblock leaves its sum (`spread.py`).

A level that its extents do not need is left out.  Not handled: products, whose relative error no order changes;
maxima, minima and integers, which are exact in any order (all these go on one by one).

Source: Knuth, "The Art of Computer Programming", volume 2, 4.2.2, exercise 19 (Kahan's sum, whose error does not grow
with its terms).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from symnet.loops.ir import (
    Alloc,
    Body,
    Buffer,
    Const,
    If,
    IntCondition,
    IntConst,
    IntExpr,
    IntVar,
    Load,
    Store,
    ceil_div,
    int_min,
)  # fmt: skip
from symnet.loops.limits import limit
from symnet.loops.substitute import Substitution, int_variables
from symnet.loops.sums import renewed_sum, two_sum, with_low_added
from symnet.lower.nest import Axis, Nest, around
from symnet.schedule.access import stores, substituted

CHAIN = 32  # additions one after the other
CHAINS = 8  # chains added one after the other
PANEL_CHAIN, PANEL_CHAINS = 128, 16  # the same for the inner axis of a matrix product, where it is short


@dataclass(frozen=True)
class SumCut:
    """How a sum is cut into chains, and these into blocks.

    Args:
        chain: additions one after the other.
        chains: chains added one after the other.
        lanes: elements of the innermost reduced axis that are added at once, each to a sum of its own.
        is_short: one chain is all, however much its extents could hold.
    """

    chain: int = CHAIN
    chains: int = CHAINS
    lanes: int = 1
    is_short: bool = False


PANEL_CUT = SumCut(PANEL_CHAIN, PANEL_CHAINS)

Over = Callable[[Body], Body]  # puts loops around statements: those over all cells of a sum
Chain = Callable[[Nest, Buffer], Body]  # adds what the nest's reduced axes hold to the cells of a buffer


@dataclass(frozen=True)
class Carry:
    """How a sum goes on from the superblocks before.

    Args:
        first: this superblock is the first.
        more: there is more than one.
        low: what the additions to the stored sum rounded away; None where additions are exact or of no other order.
    """

    first: IntCondition
    more: IntCondition
    low: Buffer | None


@dataclass(frozen=True)
class Cells:
    """Accumulators: one register buffer per level, each addressed as `at` inside the loops that `over` puts around."""

    buffer: Buffer
    at: tuple[IntExpr, ...]
    over: Over

    def level(self, name: str) -> Buffer:
        return replace(self.buffer, name=f"{self.buffer.name}_{name}")


def is_rounded(nest: Nest) -> bool:
    """Whether a nest adds up numbers whose sums are rounded."""
    acc = nest.accumulator
    return acc is not None and acc.combine == "add" and acc.dtype.startswith("float")


def accumulated(nest: Nest, cells: Cells, chain: Chain, carry: Carry | None, sizes: SumCut) -> Body:
    """The loops that leave the result in `cells`; with a carry, in the buffer that the nest stores to or `carry.low`,
    and `renewed` adds the two.

    Args:
        nest: what to add up; its innermost reduced axis may be that of the lanes.
        cells: its accumulators.
        chain: writes one chain.
        carry: for a reduction continued over superblocks; its nest stores its bare accumulator.
        sizes: how the sum is cut.
    """
    if not is_rounded(nest):
        return _one_by_one(nest, cells, chain, carry)
    levels = cut(nest, sizes)
    if not levels.blocks:
        block = (Alloc(cells.buffer), *_block(levels, cells, cells.buffer, chain))
        return block if carry is None else (*block, *_carried(nest, cells, carry))
    return _compensated(levels, cells, chain, carry)


def _one_by_one(nest: Nest, cells: Cells, chain: Chain, carry: Carry | None) -> Body:
    acc = nest.accumulator
    assert acc is not None
    start = cells.over((Store(cells.buffer, cells.at, Const(acc.initial, acc.dtype)),))
    body = chain(nest, cells.buffer)
    if carry is None:
        return (Alloc(cells.buffer), *start, *body)
    (target,) = stores(nest)
    again = cells.over((Store(cells.buffer, cells.at, Load(target.buffer, target.index)),))
    result = cells.over((Store(target.buffer, target.index, Load(cells.buffer, cells.at)),))
    return (Alloc(cells.buffer), If(carry.first, start, again), *body, *result)


# --------------------------------------------------------------------------- short sums


def short_first(nest: Nest, most: int, sizes: SumCut, body: Callable[[SumCut], Body]) -> Body:
    """The loops of a sum, and where its extent is known at run time only, other loops for a few terms: those over
    chains and blocks would take longer than such a sum.  Which of the two runs depends on the extent alone.

    Args:
        nest: what to add up.
        most: how many terms are few, at most those of one chain.
        sizes: how the sum is cut.
        body: writes the loops.
    """
    if len(nest.reduced) != 1 or not nest.parallel or nest.is_empty:
        return body(sizes)
    extent = nest.reduced[0].extent
    if limit(extent) is not None or {a.var for a in nest.parallel} & int_variables(extent):
        return body(sizes)
    return (If(IntCondition("le", extent, IntConst(most)), body(replace(sizes, is_short=True)), body(sizes)),)


# --------------------------------------------------------------------------- levels


@dataclass(frozen=True)
class Levels:
    """The nest of one chain, and the loops over the chains of a block and over blocks."""

    nest: Nest
    chains: tuple[Axis, ...]
    blocks: tuple[Axis, ...]


def cut(nest: Nest, sizes: SumCut = SumCut()) -> Levels:
    """The reduced axes, innermost first: so many of their elements in a chain, so many chains in a block."""
    if sizes.is_short:
        return Levels(nest, (), ())
    nest, chains = chained(nest, sizes)
    outer, blocks = _cut(replace(nest, reduced=(*chains, *nest.reduced)), chains, sizes.chains, 1)
    inside = len(nest.reduced)
    return Levels(
        replace(outer, reduced=outer.reduced[len(outer.reduced) - inside :]),
        outer.reduced[: len(outer.reduced) - inside],
        blocks,
    )


def chained(nest: Nest, sizes: SumCut) -> tuple[Nest, tuple[Axis, ...]]:
    """(the nest of one chain, the axes of chains)."""
    return _cut(nest, nest.reduced, sizes.chain, sizes.lanes)


def _cut(nest: Nest, axes: tuple[Axis, ...], most: int, lanes: int) -> tuple[Nest, tuple[Axis, ...]]:
    """(the nest over `most` points of the innermost of `axes`, and over whatever lies inside them; the loops around).

    An axis of more points is cut: `i` becomes `i + size*i_chain`.
    """
    inside = nest.reduced[len(axes) :]
    left, room = list(axes), most
    taken: list[Axis] = []
    while left:
        axis, width = left[-1], lanes if not taken else 1
        bound = limit(axis.extent)
        count = None if bound is None else max(-(-bound // width), 1)
        if count is not None and count <= room:
            taken.insert(0, left.pop())
            room = room if width > 1 and 2 * count <= room else room // count  # lanes are folded before the next
            continue
        size = room * width
        if size > 1:
            piece, part, start = _divided(axis, size)
            nest = substituted(nest, Substitution({axis.var: IntVar(axis.var) + start}))
            inside = tuple(_moved(a, axis.var, start) for a in inside)
            taken = [piece, *(_moved(a, axis.var, start) for a in taken)]
            left[-1] = part
        break
    return replace(nest, reduced=(*taken, *inside)), tuple(left)


def _divided(axis: Axis, size: int) -> tuple[Axis, Axis, IntExpr]:
    """(an axis within its piece, the axis of pieces, where the piece starts)."""
    part = f"{axis.var}_part"
    start = IntVar(part) * size
    whole = axis.constant is not None and axis.constant % size == 0
    extent = IntConst(size) if whole else int_min(size, axis.extent - start)
    return replace(axis, extent=extent), Axis(part, ceil_div(axis.extent, size)), start


def _moved(axis: Axis, var: str, start: IntExpr) -> Axis:
    return replace(axis, extent=Substitution({var: IntVar(var) + start}).integer(axis.extent))


# --------------------------------------------------------------------------- loops


def _zero(cells: Cells, buffer: Buffer) -> Body:
    return cells.over((Store(buffer, cells.at, Const(0.0, buffer.dtype)),))


def _block(levels: Levels, cells: Cells, into: Buffer, chain: Chain) -> Body:
    """The loops that add up one block, from zero."""
    if not levels.chains:
        return (*_zero(cells, into), *chain(levels.nest, into))
    part = cells.level("chain")
    added = cells.over((Store(into, cells.at, Load(part, cells.at), "add"),))
    body = (Alloc(part), *_zero(cells, part), *chain(levels.nest, part), *added)
    return (*_zero(cells, into), *around(levels.chains, body))


def _compensated(levels: Levels, cells: Cells, chain: Chain, carry: Carry | None) -> Body:
    """The loops over several blocks, whose sum, and what it rounded away, stay in registers."""
    high, low, block = cells.buffer, cells.level("low"), cells.level("block")
    at, over = cells.at, cells.over
    start: Body = (*_zero(cells, high), *_zero(cells, low))
    merged = over(two_sum(high, at, low, at, Load(block, at)))
    inside = (Alloc(block), *_block(levels, cells, block, chain), *merged)
    blocks = around(levels.blocks, inside)
    if carry is None:
        end = over(with_low_added(high, at, low, at))
    else:
        assert carry.low is not None
        (target,) = stores(levels.nest)
        again = (Store(high, at, Load(target.buffer, target.index)), Store(low, at, Load(carry.low, target.index)))
        nothing_lost = over((Store(carry.low, target.index, Const(0.0, low.dtype)),))
        start = (If(carry.first, (*start, *nothing_lost), over(again)),)
        result = (Store(target.buffer, target.index, Load(high, at)), Store(carry.low, target.index, Load(low, at)))
        end = over(result)
    return (Alloc(high), Alloc(low), *start, *blocks, *end)


def _carried(nest: Nest, cells: Cells, carry: Carry) -> Body:
    """The statements that add the sum of a superblock to the one that is stored."""
    assert carry.low is not None
    (target,) = stores(nest)
    where, block = target.index, Load(cells.buffer, cells.at)
    kept = cells.over((Store(target.buffer, where, block),))
    added = cells.over((Store(carry.low, where, block, "add"),))
    return (If(carry.first, kept, added),)


def renewed(nest: Nest, carry: Carry | None, sizes: SumCut, over: Over) -> Body:
    """The statements after those of `accumulated`: a superblock's sum, which `carry.low` has, joins what is stored.
    They touch memory alone, so they stand once, and not in every register tile.

    Args:
        nest: what is added up.
        carry: how it goes on.
        sizes: how the sum is cut.
        over: puts loops around statements: those over all that the nest stores.
    """
    if carry is None or carry.low is None or not is_rounded(nest) or cut(nest, sizes).blocks:
        return ()
    (target,) = stores(nest)
    nothing_lost = over((Store(carry.low, target.index, Const(0.0, carry.low.dtype)),))
    merged = over(renewed_sum(target.buffer, target.index, carry.low, target.index))
    return (If(carry.first, (If(carry.more, nothing_lost),), merged),)


def settled(nest: Nest, low: Buffer | None) -> list[Nest]:
    """The nest that adds what the additions of superblocks rounded away, if they are rounded."""
    if low is None:
        return []
    (store,) = stores(nest)
    body = with_low_added(store.buffer, store.index, low, store.index)
    return [Nest(f"{nest.name}_total", nest.parallel, body)]
