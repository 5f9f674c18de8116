"""What a formula costs, and where: `flops` as a polynomial in the extents, `cost` as a table for people.

In: expressions as they stand (nothing is simplified).  Out: the operations of the arithmetic that would run for them:
equal parts once, contractions in their cheapest order, scalars where they meet the fewest elements.  What an operation
counts is said in `loops/weights.py`, what a value takes in `formula_operations.py`.
Not handled: memory traffic; the size of intermediates counts every value of an operation, also those that the loops
keep in registers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr

from symnet.dtypes import DEFAULT_REAL
from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.abstract import refuse_abstract
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.extents import TYPICAL, product
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Named, Tensor, tensor
from symnet.loops.weights import Operations
from symnet.lower.formula_operations import operations as by_node
from symnet.lower.formula_operations import total
from symnet.simplify.algebra.table import without_names
from symnet.simplify.machine.arrangement import arrange
from symnet.simplify.sharing import share

At = Mapping[str, int] | None


def flops(*forms: Any) -> Expr:
    """Operations of the forms together, as they stand: a SymPy polynomial in the extents.

    Args:
        forms: expressions, or lists, tuples and dicts of them; a part that several of them share counts once.

    Example:
        >>> import symnet as sn
        >>> m, n = sn.dim("m"), sn.dim("n")
        >>> X, v = sn.tensor("X", m, n), sn.tensor("v", n)
        >>> sn.flops(X.T @ (X @ v))
        4*m*n
        >>> sn.flops((X.T @ X) @ v)     # counted in the cheapest order, which is the same
        4*m*n
    """
    return operations(*forms).total


def operations(*forms: Any) -> Operations:
    """Operations of the forms together, arithmetic and calls of functions apart.

    Args:
        forms: as of `flops`, which is the sum of the two.

    Example:
        >>> import symnet as sn
        >>> v = sn.tensor("v", sn.dim("n"))
        >>> sn.operations(sn.sum(sn.exp(v) * v))
        Operations(arithmetic=2*n, transcendental=n)
    """
    return total(by_node(_arranged(_listed(forms))).values())


def cost(*forms: Any, at: At = None) -> Cost:
    """What the forms cost together, value by value, as they stand.

    Args:
        forms: expressions, or lists, tuples and dicts of them; a part that several of them share counts once.
        at: extents by name, to count in numbers.

    Returns:
        a `Cost`; printed, it is a table.

    Raises:
        ArgumentError: `at` names no extent of the forms.

    Example:
        >>> import symnet as sn
        >>> m, n = sn.dim("m"), sn.dim("n")
        >>> X, w, y = sn.tensor("X", m, n), sn.tensor("w", n), sn.tensor("y", m)
        >>> sn.cost(sn.grad(((X @ w - y) ** 2).sum() / 2, w))
        operations  elements  value
             2*m*n         m  t1 = X @ w
                 m         m  t2 = t1 - y
             2*m*n         n  t3 = X.T @ t2
        4*m*n + m operations; the largest intermediate value has m elements
    """
    given = _listed(forms)
    roots = _arranged(given)
    counts = by_node(roots)
    values = _numbers(at, _extents(roots))
    labels = _labels(given, roots, counts)
    steps = tuple(
        CostLine(
            labels[node],
            _written(node, labels),
            sympy.sympify(product(node.shape)).subs(values),
            count.total.subs(values),
            count.transcendental.subs(values),
        )
        for node, count in counts.items()
    )
    all_of_them = total(counts.values())
    largest = _largest(roots, counts).subs(values)
    return Cost(steps, all_of_them.total.subs(values), largest, all_of_them.transcendental.subs(values))


@dataclass(frozen=True)
class CostLine:
    """One value that is computed: `name = formula`, the number of its elements, the operations it takes, and how many
    of these are calls of functions.
    """

    name: str
    formula: str
    elements: Expr
    operations: Expr
    transcendental: Expr


@dataclass(frozen=True)
class Cost:
    """What forms cost.

    Attributes:
        steps: the values computed, operands first.
        operations: of all of them.
        largest: elements of the largest value that is neither given nor asked for; 0 where there is none.
        transcendental: those of the operations that are calls of functions.
    """

    steps: tuple[CostLine, ...]
    operations: Expr
    largest: Expr
    transcendental: Expr

    def __repr__(self) -> str:
        rows = [("operations", "elements", "value")]
        rows += [(str(s.operations), str(s.elements), f"{s.name} = {s.formula}") for s in self.steps]
        wide = [max(len(row[k]) for row in rows) for k in (0, 1)]
        lines = [f"{a.rjust(wide[0])}  {b.rjust(wide[1])}  {c}" for a, b, c in rows]
        largest = f"the largest intermediate value has {self.largest} elements"
        end = largest if self.largest != 0 else "no intermediate value"
        calls = f", {self.transcendental} of them calls of functions" if self.transcendental != 0 else ""
        return "\n".join([*lines, f"{self.operations} operations{calls}; {end}"])


def _listed(forms: Iterable[Any]) -> list[Any]:
    """The expressions, out of the lists, tuples and dicts that they stand in."""
    found: list[Any] = []
    for form in forms:
        inside = list(form.values()) if isinstance(form, Mapping) else form
        found += _listed(inside) if isinstance(inside, (list, tuple)) else [form]
    return found


def _arranged(forms: Iterable[Any]) -> list[Node]:
    roots = [as_node(form) for form in forms]
    refuse_abstract("flops(…)", roots)
    return arrange(share(without_names(roots)))


def _extents(roots: Iterable[Node]) -> set[Expr]:
    """The symbols in the shapes of the leaves."""
    leaves = (node for node in topological(*roots) if not node.operands)
    return set().union(*(sympy.sympify(n).free_symbols for leaf in leaves for n in leaf.shape))


def _numbers(at: At, extents: set[Expr]) -> dict[Expr, int]:
    names = {str(symbol): symbol for symbol in extents}
    unknown = sorted(set(at or {}) - set(names))
    if unknown:
        known = ", ".join(sorted(names)) or "none: every extent is a number"
        raise ArgumentError(
            explain(f"cost(…, at={dict(at or {})!r})", f"extents of the forms ({known})", unknown[0], "Leave it out.")
        )
    return {names[name]: value for name, value in (at or {}).items()}


def _labels(forms: Iterable[Any], roots: list[Node], counts: Collection[Node]) -> dict[Node, str]:
    """The user's names where a value has one, else t1, t2, …"""
    mine = [node for node in topological(*(as_node(form) for form in forms)) if isinstance(node, Named)]
    stripped = share(without_names(mine)) if mine else []
    labels = {node: each.name for node, each in zip(stripped, mine, strict=True) if node in counts}
    taken = {node.name for node in topological(*roots) if isinstance(node, Tensor)} | set(labels.values())
    fresh = (name for k in range(1, len(counts) + len(taken) + 1) if (name := f"t{k}") not in taken)
    return labels | {node: next(fresh) for node in counts if node not in labels}


def _written(node: Node, labels: Mapping[Node, str]) -> str:
    """The formula of one value over the names of those before it; what moves and costs nothing is written out."""
    shown: dict[Node, Node] = {}
    stack = [*node.operands]
    while stack:
        each = stack[-1]
        waiting = [] if each in labels else [o for o in each.operands if o not in shown]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        if each in labels:
            shown[each] = tensor(labels[each], *each.shape, dtype=each.dtype or DEFAULT_REAL)  # nothing stands below it
        else:
            shown[each] = with_operands(each, (shown[o] for o in each.operands))
    return str(with_operands(node, (shown[o] for o in node.operands)))


def _largest(roots: list[Node], counts: Collection[Node]) -> Expr:
    """Elements of the largest value between leaves and roots, a symbolic extent taken as typical."""
    sizes = [sympy.sympify(product(node.shape)) for node in counts if node not in roots]
    return max(sizes, key=lambda size: size.subs(dict.fromkeys(size.free_symbols, TYPICAL)), default=sympy.S.Zero)
