"""How recurrences read: cumprod(x, axis=1, exclusive=True), linear_recurrence(a, b, reverse=True).

In: a node of `expr/nodes/recurrence.py` and a `View`.  Out: its `Form`.
"""

from __future__ import annotations

from typing import Any

from symnet.expr.printing.forms import Form, call
from symnet.expr.printing.view import View


def read_recurrence(node: Any, view: View) -> Form:
    keywords = {"axis": node.axis} if node.rank > 1 else {}
    keywords |= {name: True for name in ("reverse", "exclusive") if getattr(node, name)}
    return call(node.kind, *map(view.ref, node.operands), rank=node.rank, **keywords)
