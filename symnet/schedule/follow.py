"""What becomes of a sum over rows, computed where the sum has just been completed.

before: sums:   G[j, k] += …                     for each superblock
        once:   W'[j, k] = W[j, k] - lr·G[j, k]
after:  sums:   G[j, k] += …;  in the last superblock W'[j, k] = W[j, k] - lr·G[j, k], for the j of the unit

So the sum is read while it is in a cache, and no pass over all sums follows.

In: sweeps in order.  Out: the *followers* of each reduction, taken out of what runs once before the next sweep: maps
over the points of the reduction's result, which read this at their own point alone, and beside it what is there before
the sweep ends.
Not handled: what reads two sums of one sweep; reductions that are seldom needed (`program.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symnet.loops.accesses import reads
from symnet.loops.ir import IntVar
from symnet.lower.nest import Nest
from symnet.schedule.access import base_name, read_names, stores, written_names
from symnet.schedule.fuse import is_map, renamed
from symnet.schedule.stream import Sweep

Followers = dict[str, list[Nest]]  # by the name of a reduction


def take_followers(sweeps: Sequence[Sweep]) -> list[Followers]:
    """The followers of every sweep's reductions; the sweeps lose them."""
    found: list[Followers] = []
    for sweep, after in zip(sweeps, [*sweeps[1:], None], strict=True):
        found.append(_taken(sweep, after) if after is not None and sweep.reduces else {})
    return found


def _taken(sweep: Sweep, after: Sweep) -> Followers:
    made_by = {name: nest for nest in sweep.reduces for name in written_names(nest)}
    busy = _names([*sweep.rows, *sweep.reduces])
    left: list[Nest] = []
    taken: Followers = {}
    home: dict[str, Nest] = {}  # of what followers store: the reduction that they follow
    for nest in after.once:
        reduction = _followed(nest, made_by, home, _written(left))
        if reduction is None or written_names(nest) & (busy | _names(left)):
            left.append(nest)
            continue
        taken.setdefault(reduction.name, []).append(renamed(nest, reduction))
        home |= dict.fromkeys(written_names(nest), reduction)
    after.once = left
    return taken


def _names(nests: Iterable[Nest]) -> frozenset[str]:
    return frozenset().union(*(read_names(nest) | written_names(nest) for nest in nests))


def _written(nests: Iterable[Nest]) -> frozenset[str]:
    return frozenset().union(*map(written_names, nests))


def _followed(nest: Nest, made_by: dict[str, Nest], home: dict[str, Nest], later: frozenset[str]) -> Nest | None:
    """The one reduction that a nest follows."""
    read = read_names(nest)
    sources = {id(r): r for name in read for r in [made_by.get(name) or home.get(name)] if r is not None}
    if len(sources) != 1 or read & later or not is_map(nest):
        return None
    (reduction,) = sources.values()
    if [a.extent for a in nest.parallel] != [a.extent for a in reduction.parallel] or not _is_placed(reduction):
        return None
    own = tuple(IntVar(axis.var) for axis in nest.parallel)
    met = [index for buffer, index in reads(nest.outer) if base_name(buffer) in made_by or base_name(buffer) in home]
    stored = [store.index for store in stores(nest)]
    return reduction if all(index == own for index in (*met, *stored)) else None


def _is_placed(reduction: Nest) -> bool:
    """Whether a reduction stores its results at their points."""
    points = tuple(IntVar(axis.var) for axis in reduction.parallel)
    return reduction.kernel is None and not reduction.when and all(s.index == points for s in stores(reduction))
