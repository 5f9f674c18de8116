"""A derivative in its compressed form: deltas, diagonals, Kronecker and outer products kept apart from their factors.

In: a formula of any shape.  Out: `Compressed`: terms (which axes a delta ties together, and factors over what is
left), and `dense()`, the whole array as a formula again.

The Hessian of ‖T - UVᵀ‖² by U is 2·δ[i,k]·(Vᵀ V)[j,l]: for U of (100, 5) that is 25 numbers, not 250 000.
One-hot rows are deltas, too: where rows i were taken from a table, δ[k,i[p]] says which row of it k is the one that row
p depends on, and what is held of them are the integers.
Where the factors would not be smaller than the array, the one term is the array itself.
`compile(H, compressed=True)` computes the factors (`runtime/compressed.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, final

import sympy

from symnet.calculus.diagonals import laid_along
from symnet.calculus.index_terms import IndexTerm, decompositions
from symnet.expr.nodes.constants import as_node, identity, number, number_of
from symnet.expr.nodes.contraction import IndexedOperand, contract
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.expansion import expand, fill
from symnet.expr.nodes.extents import as_extent, ints_arg, product, same_shape, shape_arg
from symnet.expr.nodes.movement import Place
from symnet.expr.nodes.names import attach, strip
from symnet.expr.nodes.node import Extent, Node, Shape
from symnet.expr.nodes.symbols import Named
from symnet.simplify.algebra.table import simplify

TYPICAL = 256  # what a symbolic extent counts for when sizes are compared
_LETTERS = "ijklpqrstuvwxyz"


@final
class Compressed:
    """A formula as a sum of terms, each a product of deltas and factors.

    Attributes:
        shape: of the array.
        terms: `IndexTerm`s: `scale`, `axes` (index and offset of each axis), `extents` of the indices, `factors`.
        factors: the distinct arrays that the terms are made of; of one-hot rows their integers.
    """

    def __init__(self, formula: Node, terms: Sequence[IndexTerm]) -> None:
        self.formula = formula
        self.shape: Shape = formula.shape
        self.terms = tuple(terms)

    @property
    def factors(self) -> tuple[Node, ...]:
        return tuple(dict.fromkeys(held(node) for term in self.terms for node, _ in term.factors))

    @cached_property
    def size(self) -> Extent:
        """How many numbers the factors hold."""
        return as_extent(sum(product(node.shape) for node in self.factors), "compressed(H).size")

    @property
    def is_dense(self) -> bool:
        """Whether there is no structure: one term, the array itself."""
        whole = ((self.formula, tuple(range(self.formula.rank))),)
        return len(self.terms) == 1 and self.terms[0].factors[:1] == whole and self.formula.kind != "one_hot"

    def dense(self) -> Node:
        """The whole array as a formula."""
        arrays = [_spread(term, self.shape) for term in self.terms]
        if not arrays:
            return fill(0, self.shape)
        plain, labels = strip(arrays)
        total = plain[0] if len(plain) == 1 else elementwise("add", *plain)
        return attach(simplify([total]), labels)[0]

    def __str__(self) -> str:
        head = f"{self.shape}, {self.size} numbers in place of {product(self.shape)}"
        return "\n".join([head, *(f"  {term_text(term, k == 0)}" for k, term in enumerate(self.terms))])

    __repr__ = __str__


def compressed(H: Any) -> Compressed:
    """The terms of a derivative: deltas, and the factors that are left.

    Args:
        H: any formula, such as a Hessian or a Jacobian.

    Returns:
        `Compressed`: print it, or read `terms`, `factors`, `shape`; `dense()` gives the formula of the whole array.

    Example:
        >>> import symnet as sn
        >>> T, U, V = sn.tensor("T", 100, 80), sn.tensor("U", 100, 5), sn.tensor("V", 80, 5)
        >>> sn.compressed(sn.hessian(((T - U @ V.T) ** 2).sum(), U))
        (100, 5, 100, 5), 25 numbers in place of 250000
          2·δ[i,k]·(V.T @ V)[j,l]
    """
    formula = as_node(H)
    plain, written = strip([formula])
    simple, *values = simplify([*plain, *written])
    labels = {**written, **dict(zip(values, written.values(), strict=True))}
    found = [_collected(_simplified(_merged(terms))) for terms in decompositions(simple)]
    terms = min([[_whole(simple)], *found], key=_cost)
    named_terms = []
    for term in terms:
        nodes = attach([node for node, _ in term.factors], labels)
        factors = tuple((node, indices) for node, (_, indices) in zip(nodes, term.factors, strict=True))
        named_terms.append(IndexTerm(term.scale, term.axes, term.extents, factors))
    return Compressed(attach([simple], labels)[0], named_terms)


def held(factor: Node) -> Node:
    """The array that is held of a factor: of one-hot rows their integers."""
    return factor.operands[0] if factor.kind == "one_hot" else factor


def _whole(node: Node) -> IndexTerm:
    """The array itself as a term."""
    axes = tuple(range(node.rank))
    return IndexTerm(sympy.S.One, tuple((a, 0) for a in axes), node.shape, ((node, axes),))


def _cost(terms: Sequence[IndexTerm]) -> int:
    """Four times the numbers held, and one time more for every term after the first: few terms are easier to use."""
    return _typical(terms) * (3 + max(len(terms), 1))


def _typical(terms: Sequence[IndexTerm]) -> int:
    return sum(_typical_size(node.shape) for node in {held(node) for term in terms for node, _ in term.factors})


def _typical_size(shape: Shape) -> int:
    """Elements, symbolic extents counted as TYPICAL."""
    counted = [n if isinstance(n, int) else n.subs(dict.fromkeys(n.free_symbols, TYPICAL)) for n in shape]
    return max(1, int(product(counted)))


# --------------------------------------------------------------------------- fewer terms


def _merged(terms: Sequence[IndexTerm]) -> list[IndexTerm]:
    """Terms on the same diagonal added up, where each is one array: diag(u) + 2·diag(v) → diag(u + 2v)."""
    groups: dict[Any, list[IndexTerm]] = {}
    for term in _collected(terms):
        single = len(term.factors) <= 1 and all(node.kind != "one_hot" for node, _ in term.factors)
        groups.setdefault((term.axes, term.extents) if single else term, []).append(term)
    return [_sum(same) if len(same) > 1 else same[0] for same in groups.values()]


def _collected(terms: Sequence[IndexTerm]) -> list[IndexTerm]:
    """Like terms as one: their numbers added up."""
    scales: dict[Any, sympy.Expr] = {}
    for term in terms:
        alike = (term.axes, term.extents, term.factors)
        scales[alike] = scales.get(alike, sympy.S.Zero) + term.scale
    return [IndexTerm(scale, *alike) for alike, scale in scales.items() if scale != 0]


def _sum(terms: Sequence[IndexTerm]) -> IndexTerm:
    """One term over all the indices that any of them has."""
    first = terms[0]
    indices = tuple(sorted({i for term in terms for _, inside in term.factors for i in inside}))
    shape = tuple(first.extents[i] for i in indices)
    parts = []
    for term in terms:
        node, inside = term.factors[0] if term.factors else (number(1), ())
        scaled = elementwise("mul", number(term.scale), node) if term.scale != 1 else node
        parts.append(laid_along(scaled, inside, indices, shape))
    return IndexTerm(sympy.S.One, first.axes, first.extents, ((elementwise("add", *parts), indices),))


def _simplified(terms: Sequence[IndexTerm]) -> list[IndexTerm]:
    """Every factor in the algebra form, all of them at once; numbers go into the scale."""
    nodes = iter(simplify([node for term in terms for node, _ in term.factors]))
    done = []
    for term in terms:
        scale, factors = term.scale, []
        for _, indices in term.factors:
            coefficient, node = _without_number(next(nodes))
            scale *= coefficient
            if node is not None:
                factors.append((node, indices))
        if scale != 0:
            done.append(IndexTerm(scale, term.axes, term.extents, tuple(factors)))
    return done


def _without_number(node: Node) -> tuple[sympy.Expr, Node | None]:
    """(the number in front, the rest); the rest is None for an array of one number."""
    core = node
    while core.kind == "expand":
        core = core.operands[0]
    value = number_of(core)
    if value is not None:
        return value, None
    if is_op(node, "mul") and number_of(node.operands[0]) is not None:
        rest = node.operands[1:]
        return number_of(node.operands[0]), rest[0] if len(rest) == 1 else elementwise("mul", *rest)
    return sympy.S.One, node


# --------------------------------------------------------------------------- back to an array


def _spread(term: IndexTerm, shape: Shape) -> Node:
    """A term as an array: factors multiplied, deltas put back, laid where they belong."""
    factors: list[IndexedOperand] = [*term.factors]
    first: dict[int, int] = {}
    names = []  # the einsum's index of each axis
    for axis, (index, _) in enumerate(term.axes):
        if index in first:
            names.append(len(term.extents) + axis)
            factors.append((identity(term.extents[index]), (index, names[-1])))
        else:
            first[index] = axis
            names.append(index)
    inside = {i for _, indices in factors for i in indices}
    kept = [a for a, i in enumerate(names) if i in inside]
    sizes = tuple(term.extents[index] for index, _ in term.axes)
    core: Node = number(1)
    if factors:
        core = contract([i for _, i in factors], [names[a] for a in kept], *(node for node, _ in factors))
    block = expand(core, sizes, tuple(kept))
    if term.scale != 1:
        block = elementwise("mul", number(term.scale), block)
    if same_shape(sizes, shape):
        return block
    starts = tuple(offset for _, offset in term.axes)
    return Place(block, shape_arg(shape), shape_arg(starts), ints_arg((1,) * len(shape)))


# --------------------------------------------------------------------------- as text


def term_text(term: IndexTerm, is_first: bool = True) -> str:
    """`2·δ[i,k]·(F.T @ F)[j,l]`."""
    names = [_LETTERS[axis] for axis in range(len(term.axes))] if len(term.axes) <= len(_LETTERS) else []
    names = names or [f"i{axis}" for axis in range(len(term.axes))]
    place: dict[int, str] = {}
    deltas = []
    for index, tied in enumerate(term.ties):
        (axis, start), *others = tied
        place[index] = _shifted(names[axis], -start)
        deltas += [f"δ[{names[axis]},{_shifted(names[other], start - c)}]" for other, c in others]
    parts = []
    for node, indices in term.factors:
        text = f"{_in_brackets(held(node))}{_subscript(indices[: held(node).rank], place)}"
        if node.kind == "one_hot":
            deltas.append(f"δ[{place[indices[-1]]},{text}]")
        else:
            parts.append(text)
    size, sign = abs(term.scale), "-" if term.scale.is_negative else ""
    number_part = [] if size == 1 and (deltas or parts) else [str(size)]
    glue = sign if is_first else f"{sign or '+'} "
    return glue + "·".join([*number_part, *deltas, *parts])


def _subscript(indices: Sequence[int], place: dict[int, str]) -> str:
    return f"[{','.join(place[i] for i in indices)}]" if indices else ""


def _shifted(name: str, by: int) -> str:
    return name if by == 0 else f"{name}{'+' if by > 0 else '-'}{abs(by)}"


def _in_brackets(node: Node) -> str:
    text = node.name if isinstance(node, Named) else str(node)
    bare = text.isidentifier() or (text.endswith(")") and text[: text.find("(")].isidentifier() and _is_call(text))
    return text if bare else f"({text})"


def _is_call(text: str) -> bool:
    """Whether the bracket that opens first closes last: f(a) but not f(a)*g(b)."""
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == ")" and depth == 0:
            return k == len(text) - 1
    return False
