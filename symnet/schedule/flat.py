"""Views in which two axes are one, and what must hold so that loops over both may be one loop.

    x (m, 11, 48)   →   x.flat (11*m, 48)          x[i + 3, j, k]   =   x.flat[i_flat + 33, k],   i_flat = 11*i + j

In: two loop variables, outer and inner, and the extent of the inner one.  Out: accesses to views; whether all that was
met lies so, or does not move with either loop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from symnet.loops.accesses import Access
from symnet.loops.ir import Buffer, IntConst, IntExpr, IntVar, int_mul
from symnet.loops.substitute import Substitution, int_variables
from symnet.schedule.access import base_name, coefficient


def flat(buffer: Buffer, axis: int) -> Buffer:
    """A view of an array in which an axis and the one behind it are one."""
    shape, name = buffer.shape, f"{buffer.name}.flat"
    if axis + 2 != len(shape):
        name += f"{axis}"
    view = replace(buffer, name=name, shape=_joined(shape, axis), view_of=base_name(buffer))
    if buffer.batch_axis is None or buffer.batch_axis <= axis:
        return view
    behind = buffer.batch_axis > axis + 1
    return replace(view, batch_axis=buffer.batch_axis - 1 if behind else None, batch=buffer.batch if behind else 0)


def _joined(shape: tuple[IntExpr, ...], axis: int) -> tuple[IntExpr, ...]:
    return (*shape[:axis], int_mul(shape[axis], shape[axis + 1]), *shape[axis + 2 :])


def views_made(touched: Iterable[Buffer], declared: Collection[str]) -> tuple[Buffer, ...]:
    """The views that statements name and nobody has declared."""
    return tuple({b.name: b for b in touched if b.view_of is not None and b.name not in declared}.values())


class FlatAccesses(Substitution):
    """Moves accesses into views over which one loop runs in the place of two.

    Attributes:
        var: the variable of that loop.
        holds: whether everything that was met may be moved, or stays as it is.
        last: whether the inner loop ran along the last axis of all that was moved.
    """

    def __init__(self, outer: str, inner: str, extent: IntExpr) -> None:
        super().__init__({}, self._moved)
        self.var, self.holds, self.last = f"{outer}_flat", True, True
        self._loops, self._extent = (outer, inner), extent

    def _moved(self, access: Access) -> Access:
        buffer, index = access
        outer, inner = self._loops
        moving = [k for k, expr in enumerate(index) if not int_variables(expr).isdisjoint(self._loops)]
        if not moving:
            return access
        axis = moving[0]
        lies = moving == [axis, axis + 1] and buffer.space != "register" and buffer.shape[axis + 1] == self._extent
        if not lies or index[axis + 1] != IntVar(inner) or coefficient(index[axis], outer) != 1:
            self.holds = False
            return access
        self.last &= axis + 2 == len(index)
        begin = Substitution({outer: IntConst(0)}).integer(index[axis])
        place = IntVar(self.var) + begin * self._extent
        return flat(buffer, axis), (*index[:axis], place, *index[axis + 2 :])
