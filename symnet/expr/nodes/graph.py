"""Walking graphs without recursion: every function here is linear in the number of distinct nodes.

In: one root or several.  Out: topological order, leaves, rebuilt graphs, flat lists for pickling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy
from sympy import Basic

from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.constants import as_node, size
from symnet.expr.nodes.data import Data
from symnet.expr.nodes.extents import Dim, as_extent
from symnet.expr.nodes.node import Node, by_identity


def topological(*roots: Node, opens: Callable[[Node], bool] | None = None) -> list[Node]:
    """Every node once, operands before users, depth-first from left to right.

    Everything walks graphs by this, whole ones a hundred times for one function: it is written to be fast.

    opens: whether to go on to a node's operands; by default always.
    """
    order: list[Node] = []
    seen: set[int] = set()  # by identity, which is equality here: the roots keep all of them
    stack: list[Any] = [*reversed(roots)]
    pop = stack.pop
    while stack:
        node = pop()
        if node is None:  # all operands of the node below are done
            order.append(pop())
            continue
        mark = id(node)
        if mark in seen:
            continue
        seen.add(mark)
        operands = node.operands
        if operands and (opens is None or opens(node)):
            stack += node, None
            stack += operands[::-1]
        else:
            order.append(node)
    return order


def with_operands(node: Node, operands: Iterable[Node]) -> Node:
    """The node of the same kind and static arguments over other operands."""
    fresh = tuple(operands)
    if fresh == node.operands:
        return node
    args = node.args
    static = len(args) - len(fresh)
    if args[static:] == node.operands:  # of most kinds they stand last
        return node.func(*args[:static], *fresh)
    supply = iter(fresh)
    return node.func(*[next(supply) if isinstance(arg, Node) else arg for arg in args])


def rebuild(roots: Iterable[Node], change: Callable[[Node], Node]) -> list[Node]:
    """Map every node, operands first: `change` sees each node with its operands already changed."""
    roots = list(roots)
    new: dict[Node, Node] = {}
    for node in topological(*roots):
        new[node] = change(with_operands(node, (new[o] for o in node.operands)))
    return [new[root] for root in roots]


def substitute(roots: Iterable[Node], rule: Mapping[Node, Node]) -> list[Node]:
    """Replace nodes.  A replacement is taken as it stands: it is not searched again."""
    roots = list(roots)
    new: dict[Node, Node] = {}
    for node in topological(*roots):
        found = rule.get(node)
        new[node] = found if found is not None else with_operands(node, (new[o] for o in node.operands))
    return [new[root] for root in roots]


def wrapped(roots: Iterable[Node], chosen: set[Node], wrap: Callable[[Node], Node]) -> list[Node]:
    """The roots with `wrap` around every chosen node, wherever it stands."""
    roots = list(roots)
    if not chosen:
        return roots
    new: dict[Node, Node] = {}
    for node in topological(*roots):
        fresh = with_operands(node, (new[o] for o in node.operands))
        new[node] = wrap(fresh) if node in chosen else fresh
    return [new[root] for root in roots]


def unwrapped(roots: Iterable[Node], kind: str) -> list[Node]:
    """The roots with every node of a transparent kind ("named", "barrier", "sealed") replaced by what it holds."""
    roots = list(roots)
    if not any(node.kind == kind for node in topological(*roots)):
        return roots
    return rebuild(roots, lambda node: node.operands[0] if node.kind == kind else node)


def consumers(*roots: Node) -> dict[Node, list[Node]]:
    """The users of every node: the nodes that take it as an operand, one entry for each use."""
    users: dict[Node, list[Node]] = {}
    for node in topological(*roots):
        users.setdefault(node, [])
        for operand in node.operands:
            users[operand].append(node)
    return users


def depends_on(roots: Iterable[Node], targets: Iterable[Node]) -> set[Node]:
    """The nodes under `roots` from which one of `targets` can be reached (targets included)."""
    wanted = set(targets)
    found: set[Node] = set()
    for node in topological(*roots):
        if node in wanted or any(operand in found for operand in node.operands):
            found.add(node)
    return found


def xreplace(node: Node, rule: Mapping[Any, Any]) -> Node:
    """Replace nodes, dims (by extents) and the scalars of SymPy symbols (by name)."""
    if not isinstance(rule, Mapping):
        mend = "Write {x: 2*y}: what is replaced, and by what."
        raise ArgumentError(explain("xreplace(rule)", "a dict", type(rule).__name__, mend))
    rule = {sympy.Symbol(key) if isinstance(key, str) else key: value for key, value in rule.items()}
    nodes = {key: as_node(value) for key, value in rule.items() if isinstance(key, Node)}
    dims = {
        key: sympy.sympify(as_extent(value, f"subs({key}, {value})"))
        for key, value in rule.items()
        if isinstance(key, Dim)
    }
    scalars = {key.name: as_node(value) for key, value in rule.items() if isinstance(key, sympy.Symbol)}
    new: dict[Node, Node] = {}
    for each in topological(node):
        if each in nodes:
            new[each] = nodes[each]
        elif each.kind == "tensor" and not each.shape and each.name in scalars:
            new[each] = scalars[each.name]
        elif each.kind == "size" and dims:
            new[each] = size(each.args[0].xreplace(dims))
        else:
            args = iter(new[o] for o in each.operands)
            static = (next(args) if isinstance(a, Node) else a.xreplace(dims) if dims else a for a in each.args)
            new[each] = each.func(*static)
    return new[node]


@by_identity
def _symbols_in(static: Basic) -> frozenset[Basic]:
    return frozenset(static.free_symbols)


def _static_symbols(node: Node) -> list[frozenset[Basic]]:
    """The symbols of each static argument that has any."""
    each = [_symbols_in(arg) for arg in node.args if not isinstance(arg, (Node, Data))]
    return [symbols for symbols in each if symbols]


def dims_of(*roots: Node) -> set[Any]:
    """The dims in the shapes and static arguments of every node under the roots."""
    found = {symbol for node in topological(*roots) for symbols in _static_symbols(node) for symbol in symbols}
    return {symbol for symbol in found if isinstance(symbol, Dim)}


def free_symbols(node: Node) -> set[Basic]:
    """Dims of every shape, and the leaves (a leaf of rank 0 also as its SymPy symbol)."""
    found: set[Basic] = set()
    for each in topological(node):
        found = found.union(*_static_symbols(each))
        if each.kind == "tensor":
            found.add(each)
            found |= set() if each.shape else {each.symbol}
    return found


def has(node: Node, *patterns: Any) -> bool:
    classes = tuple(p for p in patterns if isinstance(p, type))
    others = {p for p in patterns if not isinstance(p, type)}
    return any(
        isinstance(each, classes) or each in others or any(a in others for a in each.args) for each in topological(node)
    )


def flatten(node: Node) -> list[tuple[Any, ...]]:
    """A flat topological list: (class, arguments), an operand given as its position."""
    order = topological(node)
    position = {each: number for number, each in enumerate(order)}
    return [(each.func, *((position[a] if isinstance(a, Node) else a) for a in each.args)) for each in order]


def unflatten(entries: list[tuple[Any, ...]]) -> Node:
    """The inverse of `flatten`: builds (and interns) from the leaves up."""
    built: list[Node] = []
    for cls, *args in entries:
        built.append(cls(*(built[a] if type(a) is int else a for a in args)))
    return built[-1]
