"""How a cumulative sum reads: cumsum(x, axis=1); from the end as NumPy writes it, cumsum(x[::-1])[::-1].

In: a `CumulativeSum` node and a `View`.  Out: its `Form`.
"""

from __future__ import annotations

from typing import Any

from symnet.expr.printing.forms import Form, FormPart, call
from symnet.expr.printing.view import View


def read_cumsum(node: Any, view: View) -> Form:
    x: FormPart = view.ref(node.operands[0])
    keywords = {"axis": node.axis} if node.rank > 1 else {}
    if not node.reverse:
        return call("cumsum", x, rank=node.rank, **keywords)
    items = (":",) * node.axis + ("::-1",)
    turned = Form("index", (x,), items, node.rank)
    return Form("index", (call("cumsum", turned, rank=node.rank, **keywords),), items, node.rank)
