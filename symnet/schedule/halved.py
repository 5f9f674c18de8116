"""Sums that two axes can change places in, as XᵀX: computed on one side of the diagonal, and mirrored.

before: for j in n: for k in n: s = Σ over i of x[i, j]*x[i, k];  out[j, k] = f(s)
after:  for j in n: for k in n: s = Σ over i of x[i, j]*x[i, k];  half[j, k] = s, tiles with j > k left out
        for block in n/16:
          for k in 16*block: for j in 16:   s = half[k, j + 16*block];  out[j + 16*block, k] = f(s)
          for j in 16: for k in n - 16*block: …                         as computed, of j > k the mirror image

In: nests, a target.  Out: nests, and the buffers of the halves.
The result is symmetric to the bit, however its factors are taken together.
Not handled: axes along a batch, which other loops run over; axes of an extent that is known at run time only, where
masked loads are not cheap; epilogues that are long, call functions, or read matrices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from symnet.expr.nodes.extents import TYPICAL
from symnet.loops.ir import (
    Body,
    Buffer,
    For,
    FromInt,
    IntConst,
    IntExpr,
    IntVar,
    Let,
    Load,
    Op,
    Store,
    Value,
    Var,
    ceil_div,
    int_min,
)  # fmt: skip
from symnet.loops.limits import int_max
from symnet.loops.substitute import Substitution, int_variables
from symnet.lower.elementwise import functions_in
from symnet.lower.nest import Accumulator, Axis, Nest
from symnet.schedule.access import outer_loads, stores
from symnet.schedule.fuse import is_map
from symnet.schedule.partials import is_rounded
from symnet.schedule.target import Target

VECTORS, LEAST = 4, 32  # of an axis that is long enough, the least it holds: vectors, elements
MOST = 12  # statements of an epilogue, and of a map that is seen through
COMMUTATIVE = ("add", "mul")


def all_halved(nests: Iterable[Nest], target: Target) -> tuple[list[Nest], list[Buffer]]:
    """Nests in order, each symmetric sum as its half and the nest that mirrors it."""
    result: list[Nest] = []
    halves: list[Buffer] = []
    known = _Formulas()
    for nest in nests:
        known.add(nest)
        if not _is_symmetric(nest, target, known):
            result.append(nest)
            continue
        acc = nest.accumulator
        assert acc is not None
        half = Buffer(f"{acc.name}_half", acc.dtype, tuple(a.extent for a in nest.parallel), "workspace")
        index = tuple(IntVar(a.var) for a in nest.parallel)
        store = Store(half, index, Var(acc.name, acc.dtype))
        twins = tuple(a.var for a in nest.parallel)
        result += [replace(nest, name=f"{nest.name}_half", outer=(store,), halved=twins), _mirrored(nest, half, target)]
        halves.append(half)
    return result, halves


def _is_symmetric(nest: Nest, target: Target, known: _Formulas) -> bool:
    acc = nest.accumulator
    if acc is None or not is_rounded(nest) or len(nest.parallel) != 2 or nest.when or nest.instead:
        return False
    one, other = nest.parallel
    if one.extent != other.extent or one.batch or other.batch or _reads_at_both(nest):
        return False
    if one.constant is None and not target.masks:  # squares are mirrored in registers up to an edge known in the call
        return False
    if one.constant is not None and one.constant < max(VECTORS * target.lanes(acc.dtype), LEAST):
        return False
    if len(nest.outer) > MOST or functions_in(nest.outer) or not all(isinstance(s, Let | Store) for s in nest.outer):
        return False
    swapped = Substitution({one.var: IntVar(other.var), other.var: IntVar(one.var)})
    return known.text(nest, Substitution({})) == known.text(nest, swapped)


def _reads_at_both(nest: Nest) -> bool:
    """Whether the epilogue reads elements by both axes, as an update does: loops in their order read them where they
    are stored, so that the result may be computed in the place of what it reads.
    """
    both = {a.var for a in nest.parallel}
    return any(both <= set().union(*map(int_variables, load.index)) for load in outer_loads(nest) if load.index)


@dataclass(frozen=True)
class _Formula:
    """A value over axes, with the lets that it stands on."""

    axes: tuple[str, ...]
    lets: Mapping[str, Value]
    value: Value


class _Formulas:
    """Values as text in which factors and terms stand in one order, however they are taken together; what maps have
    stored is seen through.
    """

    def __init__(self) -> None:
        self.stored: dict[str, _Formula] = {}

    def add(self, nest: Nest) -> None:
        """Remember what a short map stores."""
        if not is_map(nest) or len(nest.outer) > MOST:
            return
        lets = {s.name: s.value for s in nest.outer if isinstance(s, Let)}
        for store in stores(nest):
            axes = tuple(i.name for i in store.index if isinstance(i, IntVar))
            if len(axes) == len(set(axes)) == len(store.index):
                self.stored[store.buffer.name] = _Formula(axes, lets, store.value)

    def text(self, nest: Nest, rule: Substitution) -> str:
        """What a nest adds up, other variables in the place of its own."""
        assert nest.accumulator is not None
        lets = {let.name: let.value for let in nest.inner}
        return self._text(_Formula((), lets, nest.accumulator.value), nest.accumulator.value, rule)

    def _seen(self, of: _Formula, value: Value, rule: Substitution) -> tuple[_Formula, Value, Substitution]:
        """What a name or an element of a stored map stands for, where that is known; the value of anything else."""
        if isinstance(value, Var) and value.name in of.lets:
            return self._seen(of, of.lets[value.name], rule)
        if isinstance(value, Load) and value.buffer.name in self.stored:
            inner = self.stored[value.buffer.name]
            index = map(rule.integer, value.index)
            return self._seen(inner, inner.value, Substitution(dict(zip(inner.axes, index, strict=True))))
        return of, value, rule

    def _text(self, of: _Formula, value: Value, rule: Substitution) -> str:
        of, value, rule = self._seen(of, value, rule)
        if isinstance(value, Var):
            return value.name
        if not isinstance(value, Op):
            return repr(rule.value(value))
        if value.name in COMMUTATIVE:
            args = sorted(self._parts(of, value, value.name, rule))
        else:
            args = [self._text(of, arg, rule) for arg in value.args]
        return f"{value.name}:{value.dtype}({', '.join(args)})"

    def _parts(self, of: _Formula, value: Value, name: str, rule: Substitution) -> list[str]:
        """The factors of a product, or the terms of a sum, those of its products or sums among them."""
        of, value, rule = self._seen(of, value, rule)
        if isinstance(value, Op) and value.name == name:
            return [part for arg in value.args for part in self._parts(of, arg, name, rule)]
        return [self._text(of, value, rule)]


def _mirrored(nest: Nest, half: Buffer, target: Target) -> Nest:
    """The nest that computes every result from the half of the sums, block by block of rows: what lies left of the
    block on the diagonal, that block, and what lies right of it.
    """
    acc = nest.accumulator
    assert acc is not None
    row, column = nest.parallel
    width = target.lanes(acc.dtype)
    block = Axis(f"{row.var}_block", ceil_div(row.extent, width))
    start = IntVar(block.var) * width
    even = row.constant is not None and row.constant % width == 0
    rows = IntConst(width) if even else int_min(width, row.extent - start)
    j, k = IntVar(row.var) + start, IntVar(column.var)

    def of(sums: Body, columns: IntExpr) -> Body:
        return (*sums, *Substitution({row.var: j, column.var: columns}).body(nest.outer))

    def loaded(at: tuple[IntExpr, IntExpr]) -> Body:
        return (Let(acc.name, Load(half, at)),)

    mirrored = For(row.var, rows, of(loaded((k, j)), k), "unroll", bound=width)
    diagonal = For(column.var, rows, of(_on_diagonal(acc, half, j, k + start), k + start), "vector", bound=width)
    right = start + width
    above = For(column.var, int_max(column.extent - right, 0), of(loaded((j, k + right)), k + right), "vector")
    body: Body = (For(column.var, start, (mirrored,), "vector"), For(row.var, rows, (diagonal, above)))
    return Nest(nest.name, (block,), body, kernel=width * (row.constant or TYPICAL))


def _on_diagonal(acc: Accumulator, half: Buffer, j: IntExpr, k: IntExpr) -> Body:
    """The sum at (j, k) or at (k, j): whichever is above the diagonal."""
    here, there, above = (f"{acc.name}_{what}" for what in ("here", "there", "above"))
    chosen = Op("select", (Var(above, "bool"), Var(here, acc.dtype), Var(there, acc.dtype)), acc.dtype)
    return (
        Let(here, Load(half, (j, k))),
        Let(there, Load(half, (k, j))),
        Let(above, Op("le", (FromInt(j, "int64"), FromInt(k, "int64")), "bool")),
        Let(acc.name, chosen),
    )
