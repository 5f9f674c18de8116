"""How reductions read: max(x, axis=0), logsumexp(Z, axis=1).

In: a `Reduce` node and a `View`.  Out: its `Form`.
"""

from __future__ import annotations

from typing import Any

from symnet.expr.printing.forms import Form
from symnet.expr.printing.view import View


def read_reduce(node: Any, view: View) -> Form:
    x = node.operands[0]
    axes = None if len(node.axes) == x.rank else node.axes
    return Form("reduce", (view.ref(x),), (node.op, axes, None), node.rank)
