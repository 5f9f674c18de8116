"""Arrays of three axes and more on paper, where they are written entry by entry: [δᵢₖ (sₖ - ...) xⱼ]ᵢⱼₖ.

In: a root.  Out: a root in which such values, and what is made of them element by element, are leaves that stand for
them; for each leaf a graph of one entry, over leaves that are single elements, Xᵢⱼ, δᵢₖ, [softmax(W x)]ₖ; sums run
over further indices.  A factor that all terms of a sum have in an entry stands before it.
Not taken apart: matrix products of matrices, softmaxes, and movement (slices, joins), whose elements are taken; and
formulas too large to be read.
Only on paper: what is computed stays as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce as folded
from itertools import count, islice
from typing import Any

from sympy import Expr, Tuple

from symnet.expr.facts.softmax import read_softmax
from symnet.expr.nodes.constants import number, number_of, size
from symnet.expr.nodes.contraction import Einsum, letter
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.extents import is_one, same_extent, shape_arg
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node, Shape, static_name
from symnet.expr.nodes.reduction import softmax
from symnet.expr.nodes.symbols import Tensor
from symnet.expr.printing.elementwise import MOST_FACTORS, flat_operands
from symnet.expr.printing.forms import Form, FormPart
from symnet.expr.printing.view import View, visible

Letters = tuple[str, ...]
_LEAVES = ("tensor", "named", "number", "size", "array", "iota", "delta")
_ALONG = ("max", "min", "logsumexp")  # reductions that are written over an index
_DEEPEST = 24  # operations that an entry is taken through
_LARGEST = 400  # nodes of a formula that is read entry by entry


@dataclass
class Entrywise:
    """A root with leaves for what is written entry by entry.

    Attributes:
        pieces: the graphs that these leaves, and the elements in them, are read from; inner ones first.
        forms: how each leaf reads, given what the graph it stands for reads as.
    """

    root: Node
    pieces: list[Node] = field(default_factory=list)
    forms: dict[Node, tuple[Node, Callable[[FormPart], Form]]] = field(default_factory=dict)

    def reading(self, node: Node, view: View) -> Form | None:
        """The form of one of the leaves; None for other nodes."""
        found = self.forms.get(node)
        return None if found is None else found[1](view.ref(found[0]))


def entrywise(root: Node) -> Entrywise:
    """The root of a formula on paper, read entry by entry where it has more axes than paper has a notation for."""
    order = visible(root)
    if len(order) > _LARGEST or all(node.rank < 3 for node in order):
        return Entrywise(root)
    return _EntryWriter(order).found


class _EntryWriter:
    """The leaves made so far."""

    def __init__(self, order: Sequence[Node]) -> None:
        taken = {str(getattr(node, "name", "")) for node in order}
        taken |= {str(s) for node in order for n in node.shape if isinstance(n, Expr) for s in n.free_symbols}
        self.letters = [name for name in map(letter, range(26)) if name not in taken]
        self.high: set[Node] = set()
        self.ends: set[Node] = set()  # nodes at which entries end, and other ones begin
        self.outside: dict[Node, Node] = {}
        self.entries: dict[tuple[Node, Letters, Letters], Node] = {}
        self.found = Entrywise(order[-1])
        for node in order:
            if _is_written_by_entries(node, self.high):
                self.high.add(node)
        self.indices: dict[Node, Letters] = {}
        self.free: dict[Node, set[str]] = {}
        self.mixed: set[Node] = set()  # entries in which numbers stand beside elements, not before them
        heights: dict[Node, int] = {}
        for node in order:  # operands first, so that nothing goes deeper than from one end to the next
            below = () if node.kind == "named" or node.kind not in _ENTRY else node.operands
            heights[node] = 1 + max((heights[o] for o in below if o not in self.ends), default=0)
            if heights[node] >= _DEEPEST:
                self.ends.add(node)
            if node not in self.high:
                self.outside[node] = self._unchanged(node)
            elif node in self.ends:
                self._outside(node)
        self.found.root = self._outside(order[-1])
        self.found.pieces = self._reached()

    def _reached(self) -> list[Node]:
        """What the leaves stand for that are met from the root, inner ones first."""
        pieces: list[Node] = []
        seen: set[Node] = set()
        stack: list[tuple[Node, bool]] = [(self.found.root, False)]
        while stack:
            piece, done = stack.pop()
            if done:
                pieces.append(piece)
                continue
            stack.append((piece, True))
            leaves = [leaf for leaf in visible(piece) if leaf in self.found.forms and leaf not in seen]
            seen.update(leaves)
            stack.extend((self.found.forms[leaf][0], False) for leaf in leaves)
        return pieces[:-1]

    def _outside(self, node: Node) -> Node:
        """A node where it is no part of an entry: a leaf, if it is written entry by entry."""
        if node not in self.outside:
            mine = self._free(node.rank, ())
            entry = self._entry(node, mine, mine, whole=True)
            elements = [self.indices[leaf] for leaf in visible(entry) if leaf in self.indices]
            spread = not self.mixed.isdisjoint(visible(entry))
            if mine and not spread and all(at == mine for at in elements):  # nothing is repeated, summed or turned
                self.outside[node] = with_operands(node, [self._outside(o) for o in node.operands])
            else:
                made = self._leaf(node.shape, node.dtype, entry, "entries", mine)
                self.found.forms[made] = entry, lambda part: _array(part, mine)
                self.outside[node] = made
        return self.outside[node]

    def _unchanged(self, node: Node) -> Node:
        """A node that is not written by entries, over operands that may be."""
        below = () if node.kind == "named" else node.operands
        total = read_softmax(node)
        if total is None:
            return with_operands(node, [self._outside(o) for o in below]) if below else node
        (x,) = total.operands
        return node if self._outside(x) is x or len(total.axes) > 1 else softmax(self._outside(x), total.axes[0])

    def _free(self, n: int, scope: Letters) -> Letters:
        fresh = (name for name in self._all_letters() if name not in scope)
        return tuple(islice(fresh, n))

    def _all_letters(self) -> Iterator[str]:
        yield from self.letters
        yield from (f"i{k}" for k in count(26))

    def _leaf(self, shape: Shape, dtype: str | None, of: Node, *key: Any) -> Tensor:
        """A leaf that stands for a value; leaves of different keys are different."""
        names = (n.name for n in visible(of) if isinstance(n, Tensor))
        letters = "".join(key[-1])  # in their order factors stand, deltas first
        name = f" {letters}" if of.kind == "delta" else f"{letters} {next(names, '')}"
        told = static_name(f"{key} {of.digest!r}")
        return Tensor(static_name(name), shape_arg(shape), static_name(dtype or "float64"), Tuple(), told)

    # ----------------------------------------------------------------------- one entry

    def _entry(self, node: Node, at: Letters, scope: Letters, whole: bool = False) -> Node:
        """The entry of a node at some indices, one for each axis.

        Args:
            node: any value.
            at: these indices.
            scope: the indices that mean something where the entry stands.
            whole: for the node itself, not for a part of another entry, which goes down to some depth only.
        """
        key = (node, at, scope)
        if key not in self.entries:
            rule = _ENTRY.get(node.kind) if whole or node not in self.ends else None
            entry = rule(self, node, at, scope) if rule else None
            self.entries[key] = self._element(node, at) if entry is None else entry
        return self.entries[key]

    def _element(self, node: Node, at: Letters) -> Node:
        """An element of an array that is not taken apart, the first along an axis of one element; a scalar itself."""
        whole = self._outside(node)
        if not at:
            return whole
        at = tuple(i for i in at if i != "1") or at[:1]
        leaf = self._leaf((), node.dtype, whole, "element", at)
        self.indices[leaf] = at
        self.free[leaf] = set(at)
        self.found.forms[leaf] = whole, lambda part: Form("element", (part,), at, 0)
        return leaf

    def _total(self, op: str, term: Node, over: Letters) -> Node:
        leaf = self._leaf((), term.dtype, term, op, over)
        self.indices[leaf] = ()
        self.free[leaf] = self._letters_of(term) - set(over)
        self.found.forms[leaf] = term, lambda part: Form("total", (part,), (op, over), 0)
        return leaf

    def _of_elementwise(self, node: Any, at: Letters, scope: Letters) -> Node | None:
        if read_softmax(node) is not None:
            return None
        entries = [self._entry(o, _place(o, node, at), scope) for o in node.operands]
        found = _common_factors_first(with_operands(node, entries))
        beside = [e for e in entries if is_op(node, "add") or number_of(e) is None]
        if not is_op(node, "mul", "pow") and not all(map(self._letters_of, beside)):
            self.mixed.add(found)
        return found

    def _letters_of(self, entry: Node) -> set[str]:
        """The indices that an entry depends on."""
        return set[str]().union(*(self.free[leaf] for leaf in visible(entry) if leaf in self.free))

    def _of_expand(self, node: Any, at: Letters, scope: Letters) -> Node:
        return self._entry(node.operands[0], tuple(at[a] for a in node.axes), scope)

    def _of_einsum(self, node: Any, at: Letters, scope: Letters) -> Node | None:
        extents = node.extents
        summed = [k for k in node.contracted if not is_one(extents[k])]
        if summed and node not in self.high:
            return None
        over = self._free(len(summed), scope)
        names = {**dict.fromkeys(node.contracted, "1"), **dict(zip((*node.output, *summed), (*at, *over), strict=True))}
        factors = [
            self._entry(o, tuple(names[i] for i in indices), (*scope, *over))
            for indices, o in zip(node.inputs, node.operands, strict=True)
        ]
        met = [i for i in over if any(i in self._letters_of(f) for f in factors)]
        factors += [size(extents[k]) for k, i in zip(summed, over, strict=True) if i not in met]
        product = _product(factors)
        return self._total("sum", product, tuple(met)) if met else product

    def _of_reduce(self, node: Any, at: Letters, scope: Letters) -> Node | None:
        if node.op not in _ALONG or node not in self.high:
            return None
        over, left = iter(found := self._free(len(node.axes), scope)), iter(at)
        inner = tuple(next(over) if a in node.axes else next(left) for a in range(node.operands[0].rank))
        entry = self._entry(node.operands[0], inner, (*scope, *found))
        if node.op != "logsumexp":  # the largest of equal elements is each of them
            found = tuple(i for i in found if i in self._letters_of(entry))
        return self._total(node.op, entry, found) if found else entry

    def _of_barrier(self, node: Any, at: Letters, scope: Letters) -> Node:
        return self._entry(node.operands[0], at, scope)


_ENTRY: Mapping[str, Callable[[_EntryWriter, Any, Letters, Letters], Node | None]] = {
    "elementwise": _EntryWriter._of_elementwise,
    "expand": _EntryWriter._of_expand,
    "einsum": _EntryWriter._of_einsum,
    "reduce": _EntryWriter._of_reduce,
    "barrier": _EntryWriter._of_barrier,
    "sealed": _EntryWriter._of_barrier,
}


def _array(entry: FormPart, at: Letters) -> Form:
    """An array by its entries; a scalar as it is."""
    return Form("indexed", (entry,), at, len(at)) if at else Form("same", (entry,), (), 0)


def _is_written_by_entries(node: Node, high: set[Node]) -> bool:
    """Whether a value is written entry by entry, given which of its operands are."""
    if node.kind in _LEAVES or read_softmax(node) is not None or node.kind not in _ENTRY:
        return False
    below = any(o in high for o in node.operands)
    if isinstance(node, Einsum) or (node.kind == "reduce" and node.args[0].name in _ALONG):
        return below or any(o.rank > 2 for o in (node, *node.operands))
    return node.kind != "reduce" and node.rank > 0 and (below or node.rank > 2)


def _place(x: Node, node: Node, at: Letters) -> Letters:
    """Where the entry of an operand stands that broadcasting repeats: along an axis of one element at the first."""
    axes = range(node.rank - x.rank, node.rank)
    return tuple(at[a] if same_extent(n, node.shape[a]) else "1" for a, n in zip(axes, x.shape, strict=True))


def _common_factors_first(node: Node) -> Node:
    """a*b + a*c as a*(b + c); any other node itself."""
    if not is_op(node, "add"):
        return node
    terms = [Counter(_factors(t)) for t in node.operands]
    common = folded(lambda a, b: a & b, terms)
    common = Counter({f: n for f, n in common.items() if number_of(f) is None})
    if not common:
        return node
    left = [_product(list((term - common).elements())) for term in terms]
    return _product([*common.elements(), elementwise("add", *left)])


def _factors(term: Node) -> list[Node]:
    return flat_operands(term, "mul", MOST_FACTORS) if is_op(term, "mul") else [term]


def _product(factors: Sequence[Node]) -> Node:
    if not factors:
        return number(1)
    return factors[0] if len(factors) == 1 else elementwise("mul", *factors)
