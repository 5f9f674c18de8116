"""From a graph to the forms that make up its text: what is inlined, and what is named once and shared.

In: a root node.  Out: `Layout`: forms in the order in which they can be written, and the parts bound to names.
A graph that is small as a tree is written as a tree.  In a larger one a value used twice, or one that nests too deep,
is bound: `t1 + t1 where t1 = y + y`.  Linear in the number of nodes, and nothing recurses by depth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from symnet.arrays import Contents
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Named
from symnet.expr.printing.abstract import read_abstract
from symnet.expr.printing.broadcast import repeat_inside
from symnet.expr.printing.constants import named_constants, read_array
from symnet.expr.printing.contraction import read_einsum
from symnet.expr.printing.cumulative import read_cumsum
from symnet.expr.printing.elementwise import read_elementwise
from symnet.expr.printing.entrywise import Entrywise, entrywise
from symnet.expr.printing.forms import Form, FormPart, Ref
from symnet.expr.printing.indexing import read_one_hot, read_take
from symnet.expr.printing.linalg import read_determinant, read_solve
from symnet.expr.printing.logarithms import logarithms
from symnet.expr.printing.movement import read_concat, read_expand, read_place, read_reshape, read_slice, stretch
from symnet.expr.printing.own_names import in_full, with_names
from symnet.expr.printing.paper import on_paper
from symnet.expr.printing.recurrence import read_recurrence
from symnet.expr.printing.reduction import read_reduce
from symnet.expr.printing.running import read_scan
from symnet.expr.printing.signs import signs_inside
from symnet.expr.printing.symbols import read_barrier, read_delta, read_iota, read_name, read_number
from symnet.expr.printing.units import unit_vectors
from symnet.expr.printing.view import FormReader, View, visible
from symnet.expr.printing.weights import covariances
from symnet.expr.sympy.whole import all_written_out

READERS: dict[str, FormReader] = {
    "tensor": read_name,
    "named": read_name,
    "barrier": read_barrier,
    "sealed": read_barrier,
    "number": read_number,
    "size": read_number,
    "array": read_array,
    "delta": read_delta,
    "iota": read_iota,
    "elementwise": read_elementwise,
    "einsum": read_einsum,
    "reduce": read_reduce,
    "expand": read_expand,
    "reshape": read_reshape,
    "slice": read_slice,
    "place": read_place,
    "concat": read_concat,
    "take": read_take,
    "one_hot": read_one_hot,
    "cumsum": read_cumsum,
    "cumprod": read_recurrence,
    "linear_recurrence": read_recurrence,
    "running_logsumexp": read_scan,
    "scaled_sum": read_scan,
    "solve": read_solve,
    "determinant": read_determinant,
    "abstract": read_abstract,
}

TREE_LIMIT = 200  # forms written as a tree up to this size
DEPTH_LIMIT = 40  # and to this nesting
_SHARED_SIZE = 3  # a shared form smaller than this is repeated rather than bound
_SHOWN_LINES = 40  # definitions written before the middle is left out

Written = TypeVar("Written")


@dataclass(frozen=True)
class Layout:
    """The forms of a formula, and those that are bound to names.

    Attributes:
        root: the whole value.
        forms: every form that is written, operands before users.
        bound: the parts that have a name, in the same order.
        constants: what stands for the constant arrays that are shown by a name.
        where: the values that a page names by itself, and how each is written; on paper only.
        degree: of the root, by which a value under a name of the page stands in sums.
    """

    root: Ref
    forms: dict[Ref, Form]
    bound: dict[Ref, str]
    constants: dict[str, Contents]
    where: dict[Named, Layout]
    degree: float

    @property
    def defines(self) -> bool:
        """Whether there are names in the formula that are defined below it."""
        return bool(self.bound or self.where)


def lay_out(root: Node, paper: bool = False) -> Layout:
    """Read a graph: its forms, and which of them are bound to names.  A name at the root is looked through.

    Args:
        root: any expression.
        paper: with broadcasting written out, as notations need that do not follow NumPy's rules.
    """
    while root.kind == "named":
        root = root.operands[0]
    root = unit_vectors(logarithms(all_written_out(root), paper), paper)
    if not paper:
        return _laid_out(root, {}, False)
    spelled, given = with_names(covariances(root))
    where = dict[Named, Layout]()
    for value in given:
        where[value] = _laid_out(value.operands[0], where, True)
    if any(layout.bound for layout in where.values()):
        with in_full():
            return lay_out(root, True)
    return replace(_laid_out(spelled, where, True), where=where)


def _laid_out(root: Node, where: Mapping[Named, Layout], paper: bool) -> Layout:
    """The layout of one formula; `where`: how the values are written that the page names."""
    found = entrywise(root) if paper else Entrywise(root)
    root = _arranged(found.root)
    found.forms = {leaf: (_arranged(piece), form) for leaf, (piece, form) in found.forms.items()}
    pieces = [*(_arranged(piece) for piece in found.pieces), root]
    order = list(dict.fromkeys(node for piece in pieces for node in visible(piece)))
    degrees = {value: layout.degree for value, layout in where.items()}
    view = View(order, READERS, named_constants, degrees, found.reading)
    top = view.ref(root)
    forms = _read_all(top, view)
    if paper:
        forms = _needed(top, on_paper(forms, view.shown))
    size, depth = _measure(forms, {})
    fits = size[top] <= TREE_LIMIT and depth[top] <= DEPTH_LIMIT
    constants = {name: node.contents for node, name in view.constants.items()}
    return Layout(top, forms, {} if fits else _bind(top, forms, _taken_names(forms)), constants, {}, view.degree[root])


def _arranged(root: Node) -> Node:
    """A graph with signs and repetitions where they read best."""
    return signs_inside(repeat_inside(root))


def reads_by_entries(node: Node) -> bool:
    """Whether a formula is a vector or a matrix that is written entry by entry."""
    layout = lay_out(node)
    return layout.forms[layout.root].kind == "rows"


def _read_all(top: Ref, view: View) -> dict[Ref, Form]:
    """Every form that the root's form needs, operands before users."""
    read: dict[Ref, Form] = {}
    forms: dict[Ref, Form] = {}
    stack: list[tuple[Ref, bool]] = [(top, False)]
    while stack:
        ref, done = stack.pop()
        if done:
            forms[ref] = read[ref]
        elif ref not in read:
            read[ref] = _full(ref, view)
            stack.append((ref, True))
            stack.extend((r, False) for r in reversed(list(refs_in(read[ref]))) if r not in read)
    return forms


def _full(ref: Ref, view: View) -> Form:
    form, shown = view.read(ref.node), view.shown[ref.node]
    if ref.loose or shown is ref.node.shape or same_shape(shown, ref.node.shape):
        return form
    return stretch(_resolved(form), shown, ref.node.shape)


def _resolved(form: Form) -> Form:
    """A form that only refers to a number is that number (for fills)."""
    part = form.parts[0] if form.kind == "same" else None
    if isinstance(part, Ref) and part.node.kind == "number":
        return Form("number", (), (part.node.args[0],))
    return form


def _needed(top: Ref, forms: dict[Ref, Form]) -> dict[Ref, Form]:
    """The forms that the root's form is written with, in the same order."""
    stack, needed = [top], {top}
    while stack:
        below = [ref for ref in refs_in(forms[stack.pop()]) if ref not in needed]
        needed.update(below)
        stack.extend(below)
    return {ref: form for ref, form in forms.items() if ref in needed}


def refs_in(form: Form) -> Iterator[Ref]:
    """The nodes that a form refers to, left to right, one for each use."""
    for part in form.parts:
        if isinstance(part, Ref):
            yield part
        else:
            yield from refs_in(part)


def _measure(forms: dict[Ref, Form], bound: dict[Ref, str]) -> tuple[dict[Ref, int], dict[Ref, int]]:
    """(size, depth) of every form as a tree, capped; a bound part counts as one."""
    size: dict[Ref, int] = {}
    depth: dict[Ref, int] = {}
    for ref, form in forms.items():
        below = [r for r in refs_in(form) if r not in bound]
        size[ref] = min(1 + len(list(refs_in(form))) + sum(size[r] - 1 for r in below), 10 * TREE_LIMIT)
        depth[ref] = 1 + max((depth[r] for r in below), default=0)
    return size, depth


def _bind(top: Ref, forms: dict[Ref, Form], taken: set[str]) -> dict[Ref, str]:
    """Choose the parts to name: shared ones, and those at which a definition would grow too large."""
    uses = Counter(r for form in forms.values() for r in refs_in(form))
    prefix = _free_prefix(taken)
    bound: dict[Ref, str] = {}
    size: dict[Ref, int] = {}
    depth: dict[Ref, int] = {}
    for ref, form in forms.items():
        below = list(refs_in(form))
        size[ref] = 1 + sum(1 if r in bound else size[r] for r in below)
        depth[ref] = 1 + max((0 if r in bound else depth[r] for r in below), default=0)
        shared = uses[ref] > 1 and size[ref] >= _SHARED_SIZE
        if ref is not top and (shared or size[ref] > TREE_LIMIT // 2 or depth[ref] >= DEPTH_LIMIT):
            bound[ref] = f"{prefix}{len(bound) + 1}"
    return bound


def _taken_names(forms: dict[Ref, Form]) -> set[str]:
    return {form.data[0] for form in forms.values() if form.kind == "name"}


def _free_prefix(taken: set[str]) -> str:
    """t, unless a leaf is called t1 or the like."""
    for prefix in ("t", "s", "u", "v", "value_"):
        if not any(name.startswith(prefix) and name[len(prefix) :].isdigit() for name in taken):
            return prefix
    return "shared_"


# --------------------------------------------------------------------------- writing

Show = Callable[[FormPart], Any]
FormWriter = Callable[[Form, Show], Any]


def write(layout: Layout, table: dict[str, FormWriter]) -> tuple[Any, list[tuple[Form, Any]]]:
    """Write every form with a table of writers, one per kind.

    Returns:
        the root as written, and (name, definition) of every bound part.
    """
    done: dict[Ref, Any] = {}
    definitions: list[tuple[Form, Any]] = []

    def show(part: FormPart) -> Any:
        return done[part] if isinstance(part, Ref) else table[part.kind](part, show)

    for ref, form in layout.forms.items():
        written = show(form)
        if ref in layout.bound:
            name = Form("name", (), (layout.bound[ref], ""), ref.rank)
            definitions.append((name, written))
            written = show(name)
        done[ref] = written
    for value, inside in layout.where.items():
        definitions.append((Form("name", (), (value.name, ""), value.rank), write(inside, table)[0]))
    return done[layout.root], definitions


def abridge(lines: list[Written], left_out: Callable[[int], Written], full: bool) -> list[Written]:
    """The lines, their middle replaced by one line that counts what is missing."""
    if full or len(lines) <= _SHOWN_LINES:
        return lines
    half = _SHOWN_LINES // 2
    return [*lines[:half], left_out(len(lines) - 2 * half), *lines[-half:]]
