"""What a derivative is called on the left of its equation: ∂L/∂x, ∂²L/∂x∂y.

In: the name of what is differentiated, and the one or two variables.  Out: text, or LaTeX.
"""

from __future__ import annotations

from typing import Any

from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Named, Tensor
from symnet.expr.printing.latex import latex
from symnet.study.derivation.labels import ROOT_NAMES, free_name, label_latex


def label(node: Any) -> str:
    """A variable as a reader writes it: its name, or a part of it such as x[2]."""
    return str(getattr(node, "name", node))


def name_of_root(root: Node) -> str:
    """Its own name; else L, or where something in the formula has that name another."""
    if isinstance(root, Named):
        return root.name
    taken = {node.name for node in topological(root) if isinstance(node, Named | Tensor) and node is not root}
    return free_name(ROOT_NAMES, taken) or "value"


def derivative_text(name: str, *by: Any) -> str:
    """∂L/∂x by one variable, ∂²L/∂x² or ∂²L/∂x∂y by two."""
    if len(by) == 1:
        return f"∂{name}/∂{label(by[0])}"
    first, second = by
    return f"∂²{name}/∂{label(first)}²" if first is second else f"∂²{name}/∂{label(first)}∂{label(second)}"


def derivative_latex(name: str, *by: Any) -> str:
    """The same as a fraction of LaTeX."""
    if len(by) == 1:
        return rf"\frac{{\partial {label_latex(name)}}}{{\partial {_latex(by[0])}}}"
    first, second = by
    below = rf"\partial {_latex(first)}^{{2}}"
    if first is not second:
        below = rf"\partial {_latex(first)} \, \partial {_latex(second)}"
    return rf"\frac{{\partial^{{2}} {label_latex(name)}}}{{{below}}}"


def _latex(node: Any) -> str:
    return getattr(node, "latex", "") or (node.name if isinstance(node, Named) else latex(node))
