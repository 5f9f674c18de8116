"""How indexing reads: slices as x[1:, ::2], rows taken by an integer array, one-hot rows.

In: a `Slice`, `Take` or `OneHot` node and a `View`.  Out: its `Form` (or the text of its ranges).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symnet.expr.nodes.extents import same_extent
from symnet.expr.nodes.node import Extent
from symnet.expr.printing.forms import Form, call, same
from symnet.expr.printing.view import View


def range_text(node: Any, drop: Sequence[bool]) -> tuple[str, ...]:
    """What stands between the brackets, one item for each axis; an axis to drop shows its position."""
    axes = zip(node.operands[0].shape, node.starts, node.shape, node.steps, drop, strict=True)
    items = [
        _position(extent, start) if gone else _range(extent, start, size, step)
        for extent, start, size, step, gone in axes
    ]
    while len(items) > 1 and items[-1] == ":":
        items.pop()
    return tuple(items)


def _position(extent: Extent, start: Extent) -> str:
    """An index; one that depends on a symbolic extent counts from the end."""
    back = sympy.expand(start - extent)
    return str(back) if back.is_Integer and not isinstance(start, int) else str(start)


def _range(extent: Extent, start: Extent, size: Extent, step: int) -> str:
    stop = sympy.expand(start + size * step)
    if size == 0:
        return f"{start}:{start}"
    first = "" if same_extent(start, 0 if step > 0 else extent - 1) else str(start)
    pace = "" if step == 1 else f":{step}"
    return f"{first}:{_stop(extent, stop, step)}{pace}"


def _stop(extent: Extent, stop: Any, step: int) -> str:
    beyond = sympy.expand(stop - extent)
    if (step > 0 and beyond.is_nonnegative) or (step < 0 and stop.is_negative):
        return ""
    return str(beyond) if beyond.is_Integer and beyond < 0 and not isinstance(extent, int) else str(stop)


def read_take(node: Any, view: View) -> Form:
    """x[t] along the first axis, x[:, t] along the second; x[j, k] where elements are taken one after another."""
    x, indices = node.operands
    if not indices.rank and x.kind == "take" and not x.operands[1].rank:
        return _of_elements(node, view)
    return Form("index", (view.ref(x), view.ref(indices)), (":",) * node.axis + ("{}",), node.rank)


def _of_elements(node: Any, view: View) -> Form:
    """x[j, :, k] for x[j][:, k]: takes of one element, from the outermost in."""
    taken: list[tuple[int, Any]] = []
    while node.kind == "take" and not node.operands[1].rank:
        taken.append((node.axis, node.operands[1]))
        node = node.operands[0]
    left = list(range(node.rank))
    found = {left.pop(axis): index for axis, index in reversed(taken)}
    axes = sorted(found)
    items = tuple("{}" if a in found else ":" for a in range(axes[-1] + 1))
    return Form("index", (view.ref(node), *(view.ref(found[a]) for a in axes)), items, node.rank - len(axes))


def read_one_hot(node: Any, view: View) -> Form:
    """Labels read as their name, unless that stands for the integers in the same formula; all others as a call."""
    indices = node.operands[0]
    if node in view.labels:
        return same(view.ref(indices))
    return call("one_hot", view.ref(indices), rank=node.rank, classes=node.classes)
