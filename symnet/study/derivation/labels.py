"""Labels: how the values of a derivation are called, and the leaves that print as them.

In: stations, and the user's names.  Out: `Labels`: station → label, station → leaf (a tag), station → the leaf of its
cotangent (a bar).  A tag carries what is known of its value (positive, rows sum to one, …), so that the simplifier can
cancel over labels as it does over formulas.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sympy import Tuple

from symnet import dtypes
from symnet.expr.facts.assumptions import facts
from symnet.expr.nodes.extents import shape_arg
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node, Shape, static_name
from symnet.expr.nodes.symbols import LEAF_ASSUMPTIONS, Barrier, Named, Tensor
from symnet.expr.printing.latex import latex as formula_latex
from symnet.expr.printing.latex import name_latex
from symnet.study.derivation.stations import is_element, is_one_element

_CARRIED = frozenset(LEAF_ASSUMPTIONS)


ROOT_NAMES = "LJfF"  # of a scalar that is differentiated, the first that nothing else has


def free_name(names: Iterable[str], taken: Collection[str]) -> str | None:
    """The first of these names that is not taken."""
    return next((name for name in names if name not in taken), None)


class Labels:
    """The labels of a derivation: the user's names, leaves' names, or v1, v2, … in order; the root has L, J or y, …"""

    def __init__(self, nodes: Iterable[Node], leaves: Iterable[Tensor], names: Mapping[Node, Named], root: Node):
        nodes = list(nodes)
        self.front = root.shape
        self.names = dict(names)
        self._dtype = root.dtype or dtypes.DEFAULT_REAL
        self._taken = {leaf.name for leaf in leaves} | {n.name for n in names.values()}
        fresh = (f"v{k}" for k in range(1, 10 * len(nodes) + 10) if f"v{k}" not in self._taken)
        self.of: dict[Node, str] = {}
        used: set[str] = set()
        for node in nodes:
            name = self._given(node)
            if name is None or name in used:
                own = free_name("yfF" if root.rank else ROOT_NAMES, self._taken)
                name = own if node is root and own is not None else next(fresh)
            self.of[node] = name
            used.add(name)
        self._bar = "_bar" if not any(f"{name}_bar" in self._taken for name in used) else "_adjoint"

    def _given(self, node: Node) -> str | None:
        if isinstance(node, Tensor):
            return node.name
        element = self._element(node)
        if element is not None:
            return str(element)
        found = self._name(node)
        return None if found is None else found.name

    def _element(self, node: Node) -> Node | None:
        """One element of a leaf or of a value with a name, over that name; None for other nodes."""
        inner = _inner(node)
        if is_element(inner) or not is_one_element(inner):
            return inner if is_element(inner) else None
        (window,) = inner.operands
        name = self._name(window.operands[0])
        if name is None:
            return None
        return with_operands(inner, [with_operands(window, [self._leaf(name.name, window.operands[0], name.latex)])])

    def _name(self, node: Node) -> Named | None:
        return self.names.get(node, self.names.get(_inner(node)))

    def tag(self, node: Node) -> Node:
        """The leaf that prints as the value's label; a leaf is its own."""
        if isinstance(node, Tensor):
            return node
        named = self._name(node)
        latex = named.latex if named is not None and named.name == self.of[node] else ""
        element = self._element(node)
        if element is not None and str(element) == self.of[node]:
            latex = str(formula_latex(element))
        return self._leaf(self.of[node], node, latex, sorted(facts(node) & _CARRIED))

    def bar(self, node: Node, front: bool = True) -> Node:
        """The leaf that prints as the cotangent of a value: the derivative of the root by it, with the root's axes in
        front; without these what a rule is stated for.
        """
        label, tag = self.of[node], self.tag(node)
        given = tag.latex if isinstance(tag, Tensor) else ""
        over = "overline" if "[" in given else "bar"
        latex = rf"\{over}{{{given}}}" if given else bar_latex(label)
        real = node.dtype if node.dtype in dtypes.REAL else dtypes.DEFAULT_REAL
        shape = (*self.front, *node.shape) if front else node.shape
        return self._leaf(label + self._bar, node, latex, dtype=real, shape=shape)

    def _leaf(
        self,
        name: str,
        like: Node,
        latex: str,
        assumptions: Iterable[str] = (),
        dtype: str | None = None,
        shape: Shape | None = None,
    ) -> Node:
        kind = static_name((like.dtype if dtype is None else dtype) or self._dtype)
        held = Tuple(*map(static_name, assumptions))
        extents = like.shape if shape is None else shape
        return Tensor(static_name(name), shape_arg(extents), kind, held, static_name(latex))


def _inner(node: Node) -> Node:
    """The node under a barrier."""
    return node.operands[0] if isinstance(node, Barrier) else node


def bar_latex(label: str) -> str:
    r"""The cotangent of a label in LaTeX: the bar over the letter, subscripts outside."""
    letter, underscore, below = label_latex(label).partition("_{")
    return rf"\bar{{{letter}}}{underscore}{below}"


def label_latex(label: str) -> str:
    """A label in LaTeX."""
    return name_latex(label)
