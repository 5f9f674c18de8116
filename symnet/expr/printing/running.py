"""How scans read: running_logsumexp(x, axis=1), scaled_sum(p, b, q, axis=0, reverse=True).

In: a node of `expr/nodes/running.py` and a `View`.  Out: its `Form`.
"""

from __future__ import annotations

from typing import Any

from symnet.expr.printing.forms import Form, call
from symnet.expr.printing.view import View


def read_scan(node: Any, view: View) -> Form:
    keywords = {"axis": node.axis} if node.rank > 1 else {}
    if node.reverse:
        keywords["reverse"] = True
    return call(node.kind, *map(view.ref, node.operands), rank=node.rank, **keywords)
