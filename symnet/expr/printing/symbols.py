"""How leaves and constants read: names, numbers, extents, identity matrices; names and barriers over a value.

In: a `Tensor`, `Named`, `Barrier`, `Sealed`, `Number`, `Size`, `Delta` or `Iota` node and a `View`.  Out: its `Form`.
"""

from __future__ import annotations

from typing import Any

from symnet.expr.nodes.node import Node
from symnet.expr.printing.forms import Form, numeral, same
from symnet.expr.printing.view import View


def read_name(node: Any, view: View) -> Form:
    return Form("name", (), (node.name, node.latex), node.rank)


def read_barrier(node: Node, view: View) -> Form:
    return same(view.ref(node.operands[0]))


def read_number(node: Any, view: View) -> Form:
    return numeral(node.args[0])


def read_delta(node: Any, view: View) -> Form:
    return Form("identity", (), (node.extent,), 2)


def read_iota(node: Any, view: View) -> Form:
    return Form("ramp", (), (node.shape[0],), 1)
