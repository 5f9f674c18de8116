"""How constant arrays read: a small one in full, as NumPy reads it; a larger one by a name, c1, c2, ….

In: a `ConstantArray` node and a `View`.  Out: its `Form`; `named_constants`, the larger ones of a formula with their
names, which the text explains at its end: `X @ c1  # c1: float64 (100, 100)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from symnet.arrays import Contents
from symnet.expr.nodes.node import Node
from symnet.expr.printing.forms import Form
from symnet.expr.printing.view import View

MOST_ELEMENTS = 36  # of an array that is written in full
MOST_CHARACTERS = 160
_UNSAID = ("bool", "int64", "float64")  # what NumPy makes of such a list by itself


def read_array(node: Any, view: View) -> Form:
    """A small array in full, a larger one by its name."""
    if node in view.constants:
        return Form("name", (), (view.constants[node], ""), node.rank)
    return Form("array", (), (node.contents,), node.rank)


def named_constants(nodes: Iterable[Node]) -> dict[Node, str]:
    """Names for the arrays that are too large to be written, in the order of a formula."""
    nodes = list(nodes)
    large = [n for n in nodes if n.kind == "array" and not is_short(n.contents)]
    taken = {n.name for n in nodes if n.kind in ("tensor", "named")} if large else ()
    stem = next(s for s in ("c", "const", "constant_") if not any(_numbered(name, s) for name in taken))
    return {node: f"{stem}{k}" for k, node in enumerate(large, 1)}


def _numbered(name: str, stem: str) -> bool:
    return name.startswith(stem) and name[len(stem) :].isdigit()


def is_short(of: Contents) -> bool:
    """Whether an array is written in full."""
    told = 0 not in of.shape[:-1]  # of nested lists that are empty NumPy cannot tell the shape
    return told and of.array.size <= MOST_ELEMENTS and len(array_text(of)) <= MOST_CHARACTERS


@lru_cache(maxsize=1024)
def array_text(of: Contents) -> str:
    """A small array as Python's text."""
    said = of.dtype in _UNSAID and (of.array.size or of.dtype == "float64")
    return f"array({of.array.tolist()!r}" + ("" if said else f', dtype="{of.dtype}"') + ")"


def described(name: str, of: Contents) -> str:
    """A name and what it stands for, as a formula's last words say it."""
    return f"{name}: {of.dtype} {of.shape}"
