"""Linear recurrences and cumulative products as source text.

In: a writer and a node.  Out: a `SourcePiece`; from the end by turning the axis around, the values before every step by
a first one in front.
"""

from __future__ import annotations

from typing import Any

from symnet.source.text import ATOM, SourcePiece
from symnet.source.writer import FunctionWriter


def cumprod(w: FunctionWriter, node: Any) -> SourcePiece:
    return _scan(w, node, 1)


def linear_recurrence(w: FunctionWriter, node: Any) -> SourcePiece:
    w.helpers.setdefault("linear_recurrence", w.dialect.helpers["linear_recurrence"])
    return _scan(w, node, 0)


def _scan(w: FunctionWriter, node: Any, start: int) -> SourcePiece:
    operands = [w.in_dtype(w.strict(o), o, node.dtype).text for o in node.operands]
    if node.reverse:
        operands = [w.call("flip", text, node.axis).text for text in operands]
    found = w.call(node.kind, *operands, node.axis)
    if node.exclusive:
        first = tuple(1 if a == node.axis else n for a, n in enumerate(node.shape))
        begin = w.call("full", start, w.shape(first), w.dtype(node.dtype))
        joined = w.call("concat", f"{begin.text}, {found.text}", node.axis)
        window = ", ".join([":"] * node.axis + [f":{w.extent(node.shape[node.axis])}"])
        found = SourcePiece(f"{joined.within(ATOM)}[{window}]")
    return w.call("flip", found.text, node.axis) if node.reverse else found
