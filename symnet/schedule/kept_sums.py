"""Sums of products over rows that wait where they are stored, while all tiles are worked on for the rows of one chain.

before: for each row tile:
          block = 0
          for each chain of 32 rows:  chain = 0;  chain += …;  block += chain
          total += block
after:  for each chain of 32 rows:
          for each row tile:  chain = 0;  chain += …;  total += chain

The registers hold a chain and nothing else, so that no sum is put aside for the next chain and fetched again; and the
rows of a chain, which every row tile reads, stay in the nearest cache.

In: a nest whose one reduced axis is that of the rows of a superblock, its `TileShape`, a target, how its sums go on.
Out: loops around those of the tiles of one chain, and what ends these.  Over superblocks a total is kept in two
numbers, of which the second takes up chains and what was rounded away; it joins the first after so many chains that the
error is that of CHAIN + KEPT_CHAINS additions (`partials.py`): once in several superblocks, where these are short.
Not handled: sums of one chain; tiles whose chains and sums all have a register; several reduced axes; sums that do not
go on over superblocks, as something is made of most of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from symnet.loops.ir import Body, Buffer, Const, If, IntCondition, IntConst, IntVar, Load, Store, int_mod
from symnet.loops.limits import limit
from symnet.loops.sums import renewed_sum
from symnet.lower.nest import Nest, around
from symnet.schedule.access import stores
from symnet.schedule.partials import CHAIN, Carry, Cells, Over, SumCut, cut
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import TileShape, tile_widths

KEPT_CHAINS = 24  # chains added one after the other
KEPT_CUT = SumCut(CHAIN, KEPT_CHAINS)


@dataclass(frozen=True)
class KeptSums:
    """How the sums of a nest are kept.

    Attributes:
        first, more: this superblock is the first; there is more than one.
        low: the second numbers.
        every: after how many superblocks what was rounded away joins the totals; 0 for after each block of one.
    """

    first: IntCondition
    more: IntCondition
    low: Buffer
    every: int

    def around(self, nest: Nest, over: Over, tiles: Body) -> Body:
        """The loops over the chains of some columns, around those over their tiles.

        Args:
            nest: the columns.
            over: puts loops around statements: those over all that the nest stores.
            tiles: the loops over the tiles, for one chain.
        """
        levels, (store,) = cut(nest, KEPT_CUT), stores(nest)
        chains = around(levels.chains, tiles)
        zero = Const(0.0, self.low.dtype)
        nothing_lost = Store(self.low, store.index, zero)
        joined = over(renewed_sum(store.buffer, store.index, self.low, store.index))
        if not self.every:
            begun = If(self.first, over((replace(store, value=zero), nothing_lost)))
            return (begun, *around(levels.blocks, (*chains, *joined)))
        turn = IntCondition("eq", int_mod(self.first.left, self.every), IntConst(0))
        in_turn = (If(turn, joined),) if self.every > 1 else joined
        return (*chains, If(self.first, (If(self.more, over((nothing_lost,))),), in_turn))

    def added(self, nest: Nest, cells: Cells) -> Body:
        """The statements that add a chain of a tile to what is kept; the very first one is stored."""
        levels, chain = cut(nest, KEPT_CUT), Load(cells.buffer, cells.at)
        (store,), (number,) = stores(levels.nest), levels.chains
        beside = cells.over((Store(self.low, store.index, chain, "add"),))
        if not self.every:
            return beside
        begun, added = (cells.over((replace(store, value=chain, combine=how),)) for how in (None, "add"))
        here = If(IntCondition("eq", IntVar(number.var), IntConst(0)), begun, added)
        return (If(self.first, (here,), beside),)


def kept_sums(nest: Nest, shape: TileShape, target: Target, carry: Carry | None) -> KeptSums | None:
    """How the sums of a nest are kept; None where they are not."""
    acc, lane = nest.accumulator, shape.lane
    if acc is None or lane is None or shape.row is None or carry is None or carry.low is None:
        return None
    terms = limit(nest.reduced[0].extent)
    if len(nest.reduced) != 1 or len(nest.parallel) != 2 or terms is None or terms <= CHAIN:
        return None
    widest = max(tile_widths(lane.constant, target, acc.dtype, shape.mr))
    if 2 * shape.mr * widest <= target.registers * target.lanes(acc.dtype):
        return None
    return KeptSums(carry.first, carry.more, carry.low, KEPT_CHAINS // -(-terms // CHAIN))


def one_chain(nest: Nest) -> Nest:
    """The nest of one chain."""
    return cut(nest, KEPT_CUT).nest
