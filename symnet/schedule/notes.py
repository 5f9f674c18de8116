"""What a program keeps that grows with an extent, and why.

In: the nests, the plan of sweeps, and the workspace of a program.  Out: sentences for `.notes` and `.report()`.
Arrays that another one takes the memory of later are named all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symnet.loops.affine import direct_names, int_loads
from symnet.loops.integer_text import buffer_text
from symnet.loops.ir import Buffer, IntExpr, IntVar
from symnet.loops.limits import limit
from symnet.lower.nest import Nest
from symnet.schedule.access import accesses, base_name
from symnet.schedule.stream import MIXED, StreamPlan, batch_of, classify, is_of

MOST_NAMED = 4  # arrays of one reason that are named


def notes(
    nests: Iterable[Nest], plan: StreamPlan, workspace: Iterable[Buffer], kinds: Mapping[str, str]
) -> tuple[str, ...]:
    """A sentence for each reason, with the arrays that it holds for.

    Args:
        nests: of the program, before any are joined.
        plan: the sweeps.
        workspace: the arrays.
        kinds: of an array whose rows are read across, the kind of value that reads them.
    """
    growing = [b for b in workspace if b.view_of is None and _grows(b, plan)]
    across = {name: f"stored whole, as {kind} reads across its rows" for name, kind in kinds.items()}
    across |= _read_across(nests, plan.shifts) if growing else {}
    found: dict[str, list[str]] = {}
    for buffer in growing:
        found.setdefault(_why(buffer, plan, across), []).append(buffer_text(buffer))
    return tuple(f"{reason}: {_named(arrays)}" for reason, arrays in found.items())


def _grows(buffer: Buffer, plan: StreamPlan) -> bool:
    """Whether a symbolic extent, or a known one that is streamed elsewhere, makes it longer."""
    rows = buffer.name in plan.whole and buffer.batch_axis is not None
    return rows or any(limit(extent) is None for extent in buffer.shape)


def _named(arrays: list[str]) -> str:
    more = len(arrays) - MOST_NAMED
    return ", ".join(arrays[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _why(buffer: Buffer, plan: StreamPlan, across: dict[str, str]) -> str:
    if buffer.batch_axis is None:
        return across.get(buffer.name, "not streamed, as it has no rows of a batch")
    if buffer.name in plan.whole:
        return across.get(buffer.name, "stored whole, as a reshape joins or parts its rows")
    return "streamed along one axis, with another symbolic one in each row"


def _read_across(nests: Iterable[Nest], shifts: bool) -> dict[str, str]:
    """How the first nest that touches an array across its rows does it, by the name of its memory."""
    found: dict[str, str] = {}
    for nest in nests:
        batch, mixed = batch_of(nest), classify(nest, shifts) == MIXED
        for buffer, index in accesses(nest):
            if buffer.space == "workspace" and (mixed or not is_of(buffer, batch)):
                how = _how(nest, buffer, index)
                if how is not None:
                    found.setdefault(base_name(buffer), how)
    return found


def _how(nest: Nest, buffer: Buffer, index: tuple[IntExpr, ...]) -> str | None:
    """What a nest does with rows of an array; None where it has none, or its own row alone."""
    axes = [axis for axis in nest.axes if axis.batch]
    if buffer.batch_axis is None:
        return "stored whole, as rows of the batch meet all rows" if len(axes) > 1 else None
    at = index[buffer.batch_axis]
    if int_loads(at):
        return "stored whole, as rows are read by an index"
    if nest.kernel is not None and not direct_names(at) & {axis.var for axis in axes}:
        return "stored whole, as a scan goes from row to row"
    if len(axes) > 1:
        return "stored whole, as rows of the batch meet all rows"
    if not is_of(buffer, batch_of(nest)):
        return "stored whole, as rows of another axis are streamed where they are used"
    if axes and at == IntVar(axes[0].var):
        return None
    return "stored whole, as rows are moved, or used at other rows"
