"""Values that a page names: h, σ and s, defined below the formula, "where σ = …, s = softmax(A x + b)".

In: a root.  Out: a graph of the same value in which such a value stands under its name, and these values, operands
first.  Named are standardised vectors and their deviations (`standardised.py`), and a softmax of an expression that
stands in several places.
Only on paper: a text that is read back as Python has no names but those of its leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from sympy import Expr

from symnet.expr.facts.softmax import read_softmax
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import rebuild, topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Named, named
from symnet.expr.printing.standardised import standardised
from symnet.expr.printing.view import visible

_NOTHING: frozenset[str] = frozenset()
_TAKEN: ContextVar[frozenset[str] | None] = ContextVar("names that stand on the page", default=_NOTHING)
_LETTERS = {"σ": "sigma", "τ": "tau", "ρ": "rho"}
_WRITTEN_BY = {"sigma": "sigmoid"}  # letters that stand for functions where these are written


def in_full() -> AbstractContextManager[None]:
    """While formulas are written that name nothing by themselves, as in the lines of a derivation."""
    return _with_taken(None)


def beside(labels: Iterable[str]) -> AbstractContextManager[None]:
    """While a formula is written that may name what stands in it several times, by none of the names of its page."""
    return _with_taken(frozenset(labels))


@contextmanager
def _with_taken(names: frozenset[str] | None) -> Iterator[None]:
    token = _TAKEN.set(names)
    try:
        yield
    finally:
        _TAKEN.reset(token)


def with_names(root: Node) -> tuple[Node, list[Named]]:
    """A root with names in it, and the values that these stand for."""
    taken = _TAKEN.get()
    if taken is None:
        return root, []
    names = _PageNames(root, taken)
    spelled = names.softmaxes(standardised(root, names.give))
    used = set(topological(spelled))
    return spelled, [value for value in names.given if value in used]


class _PageNames:
    """The names that are given in one formula."""

    def __init__(self, root: Node, taken: frozenset[str]) -> None:
        order = visible(root)
        self.taken = set(taken) | {str(getattr(node, "name", "")) for node in order}
        self.taken |= {str(s) for node in order for n in node.shape if isinstance(n, Expr) for s in n.free_symbols}
        self.taken |= {letter for letter, op in _WRITTEN_BY.items() if any(is_op(node, op) for node in order)}
        self.taken |= {_LETTERS[name] for name in self.taken if name in _LETTERS}
        self.given: list[Named] = []

    def give(self, value: Node, letters: Sequence[str]) -> Node | None:
        """A value under the first of these names that is free."""
        free = next((name for name in letters if name not in self.taken), None)
        if free is None:
            return None
        found = named(value, free)
        assert isinstance(found, Named)
        self.taken.add(free)
        self.given.append(found)
        return found

    def softmaxes(self, root: Node) -> Node:
        """The root with names for softmaxes that are written more than once."""
        order = visible(root)
        of = ((node, read_softmax(node)) for node in order if 0 < node.rank < 3)
        found = [node for node, total in of if total is not None and total.operands[0].kind not in ("tensor", "named")]
        if not found:
            return root
        times = _occurrences(order)
        for node in found:
            if times[node] < 2:
                continue
            name = self.give(node, ("s", "p", "q") if node.rank == 1 else ("S", "P", "R"))
            if name is not None:
                (root,) = _replaced(root, node, name)
        return root


def _replaced(root: Node, value: Node, name: Node) -> list[Node]:
    return rebuild([root], lambda node: name if node is value else node)


def _occurrences(order: Sequence[Node]) -> Counter[Node]:
    """How often each node is written where the formula is written as a tree, few at most."""
    times: Counter[Node] = Counter({order[-1]: 1})
    for node in reversed(order):
        for operand in () if node.kind == "named" else node.operands:
            times[operand] = min(times[operand] + times[node], 9)
    return times
