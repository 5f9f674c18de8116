"""A formula as a sum of products over indices: which axes a delta ties together, and which factors are left.

In: a node of any rank.  Out: `IndexTerm`s whose sum it is: every axis of the result is an index plus an offset, and
every factor is a node with an index for each of its axes.  δ(i, k)·G[j, l] is a term with three indices; a
superdiagonal δ(i, k - 1)·u[i] has two axes on one index.

Method: axes that are tied in the whole of a node (`calculus/ties.py`) are one index of what is left of it along them.
That is opened from the root down as long as it sets a delta, an outer product or a repeated axis free: sums are
distributed, einsums and movements rename indices, each branch of a `where` becomes a term whose factors are chosen by
the condition.  Every tie and slice is an equation i = k + c between indices; they are solved by merging classes of
indices that differ by a constant.  What is summed over is one factor.
Not handled (kept whole, as a factor): diagonals beside the main one inside reshapes, steps other than one, symbolic
offsets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import sympy

from symnet.calculus.diagonals import distinct, laid_along, read_along
from symnet.calculus.ties import Ties, first_places, is_tied, ties_of
from symnet.expr.nodes.constants import number_of, size
from symnet.expr.nodes.contraction import Einsum, IndexedOperand, Indices, contract
from symnet.expr.nodes.elementwise import elementwise, is_op, where
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.extents import as_extent, ints_arg, same_shape, shape_arg, typical
from symnet.expr.nodes.indexing import Take, taken_rows
from symnet.expr.nodes.movement import Concat, Place, Slice, drop_axes
from symnet.expr.nodes.node import Extent, Node

SEVERAL, MOST = 12, 32  # terms of a formula that is opened as far as it goes; where only its longest axes are set apart


@dataclass(frozen=True)
class IndexTerm:
    """scale · Π factor[its indices], at every place where the axes follow the indices; zero elsewhere.

    Attributes:
        scale: a number.
        axes: for each axis of the array its index and an offset: the axis is at index + offset.
        extents: of the indices.
        factors: nodes, each with the indices of its axes.  Along an index that no factor has, the term is constant.
    """

    scale: sympy.Expr
    axes: tuple[tuple[int, int], ...]
    extents: tuple[Extent, ...]
    factors: tuple[IndexedOperand, ...]

    @property
    def ties(self) -> list[list[tuple[int, int]]]:
        """For each index its axes as (axis, offset): two or more are a delta."""
        return [[(a, c) for a, (index, c) in enumerate(self.axes) if index == g] for g in range(len(self.extents))]


def decompositions(node: Node) -> Iterator[list[IndexTerm]]:
    """The formula in several ways: opened as far as it goes; where that makes several terms, or too many, opened where
    it has two of the longest axes alone (u[i, j]·v[k, l] is, its factors are not); as one term, of its ties.
    """
    longest = max(map(typical, node.shape), default=1)
    terms = _terms(node, lambda inner: True, SEVERAL)
    if terms is not None:
        yield terms
    if terms is None or len(terms) > 1:
        coarse = _terms(node, lambda inner: sum(typical(n) >= longest for n in inner.shape) > 1, MOST)
        if coarse is not None:
            yield coarse
        yield [_tied_term(node)]


def _tied_term(node: Node) -> IndexTerm:
    """The formula as one term: its axes that are tied, and all else in one factor."""
    known: dict[Node, Ties] = {}
    ties = ties_of(node, known)
    rest = read_along(node, ties, known)
    return IndexTerm(sympy.S.One, tuple((t, 0) for t in ties), rest.shape, ((rest, tuple(range(rest.rank))),))


def _terms(node: Node, opens: Callable[[Node], bool], most: int) -> list[IndexTerm] | None:
    """The terms of a formula, where nodes that `opens` names are opened; None where more than `most` would be."""
    variables = dict(enumerate(node.shape))
    waiting = [_Open(sympy.S.One, variables, (), ((node, tuple(range(node.rank))),), ())]
    closed: list[IndexTerm] = []
    known: dict[Node, Ties] = {}
    while waiting:
        term = waiting.pop()
        if term.factors:
            waiting += reversed(list(_opened(term, known, opens)))
        else:
            solved = _solved(term, node.rank)
            if solved is None:
                return None
            closed += solved
        if len(closed) + len(waiting) > most:
            return None
    return closed


# --------------------------------------------------------------------------- opening


@dataclass(frozen=True)
class _Open:
    """A term that is being opened: `factors` wait, `done` are kept; index i = index k + c for each equation.

    The term is 0 where a condition does not hold.
    """

    scale: sympy.Expr
    variables: dict[int, Extent]
    equations: tuple[tuple[int, int, int], ...]
    factors: tuple[IndexedOperand, ...]
    done: tuple[IndexedOperand, ...]
    conditions: tuple[IndexedOperand, ...] = ()

    def fresh(self, extents: Sequence[Extent]) -> tuple[Indices, dict[int, Extent]]:
        """New indices, and all indices with them."""
        first = len(self.variables)
        new = dict(enumerate(extents, start=first))
        return tuple(new), {**self.variables, **new}


def _opened(term: _Open, known: dict[Node, Ties], opens: Callable[[Node], bool]) -> Iterator[_Open]:
    """The term with its last factor opened or set aside: one term, one for each of a sum, none where it is zero."""
    (node, indices), rest = term.factors[-1], term.factors[:-1]
    term = replace(term, factors=rest)
    value = number_of(node)
    if value is not None:
        yield from [replace(term, scale=term.scale * value)] if value != 0 else []
        return
    ties = ties_of(node, known)
    if is_tied(ties):
        yield _untied(term, node, indices, ties, known)
        return
    rule = _RULES.get(node.kind) if opens(node) and _is_structured(node) else None
    parts = None if rule is None else rule(term, node, indices)
    yield from [replace(term, done=(*term.done, (node, indices)))] if parts is None else parts


def _untied(term: _Open, node: Node, indices: Indices, ties: Ties, known: dict[Node, Ties]) -> _Open:
    """The term with what is left of a node along its tied axes, and their equations."""
    equations = tuple((indices[a], indices[b], 0) for a, b in first_places(ties) if a != b)
    rest = read_along(node, ties, known), tuple(indices[ties.index(t)] for t in distinct(ties))
    return replace(term, equations=(*term.equations, *equations), factors=(*term.factors, rest))


def _is_structured(node: Node, depth: int = 8) -> bool:
    """Whether opening the node sets a delta, an outer product or a repeated axis free."""
    if node.kind in ("delta", "named", "expand"):
        return True
    if node.rank < 2:  # a scaled vector: what is no array goes apart
        return is_op(node, "mul") and any(not o.rank or isinstance(o, Expand) for o in node.operands)
    if isinstance(node, Einsum) and _is_outer(node):
        return True
    opens = node.kind in _RULES and (node.kind != "elementwise" or is_op(node, "add", "mul", "where"))
    return opens and depth > 0 and any(_is_structured(o, depth - 1) for o in node.operands if o.rank >= 2)


def _is_outer(node: Einsum) -> bool:
    """Whether a node is a product of smaller arrays, such as x yᵀ or diag(x), or a transposed array."""
    everything = set(node.output)
    separate = not node.contracted and len(node.operands) > 1 and any(set(i) != everything for i in node.inputs)
    return separate or node.is_transpose


def _open_elementwise(term: _Open, node: Node, indices: Indices) -> list[_Open] | None:
    if is_op(node, "mul"):
        for operand in node.operands:
            term = _with_operand(term, operand, node, indices)
        return [term]
    if is_op(node, "add"):
        return [_with_operand(term, operand, node, indices) for operand in node.operands]
    if is_op(node, "where"):
        condition, *branches = node.operands
        sides = (condition, elementwise("not", condition))
        guarded = [_under(term, side, node, indices) for side in sides]
        return [_with_operand(each, branch, node, indices) for each, branch in zip(guarded, branches, strict=True)]
    return None


def _under(term: _Open, condition: Node, node: Node, indices: Indices) -> _Open:
    """The term under a condition, without the axes along which that is repeated."""
    last = indices[node.rank - condition.rank :]
    stretched = {a for a, (n, i) in enumerate(zip(condition.shape, last, strict=True)) if n == 1 != term.variables[i]}
    here = tuple(i for a, i in enumerate(last) if a not in stretched)
    return replace(term, conditions=(*term.conditions, (drop_axes(condition, stretched), here)))


def _with_operand(term: _Open, operand: Node, node: Node, indices: Indices) -> _Open:
    """An operand that broadcasts: an axis of extent 1 that is stretched has an index of its own."""
    last = indices[node.rank - operand.rank :]
    stretched = [n == 1 and term.variables[i] != 1 for n, i in zip(operand.shape, last, strict=True)]
    own, variables = term.fresh([1 for s in stretched if s])
    names = iter(own)
    here = tuple(next(names) if s else i for s, i in zip(stretched, last, strict=True))
    return replace(term, variables=variables, factors=(*term.factors, (operand, here)))


def _open_einsum(term: _Open, node: Node, indices: Indices) -> list[_Open]:
    assert isinstance(node, Einsum)
    own, variables = term.fresh([node.extents[i] for i in node.contracted])
    names = dict(zip((*node.output, *node.contracted), (*indices, *own), strict=True))
    factors = [(o, tuple(names[i] for i in inside)) for o, inside in zip(node.operands, node.inputs, strict=True)]
    return [replace(term, variables=variables, factors=(*term.factors, *factors))]


def _open_named(term: _Open, node: Node, indices: Indices) -> list[_Open]:
    return [replace(term, factors=(*term.factors, (node.operands[0], indices)))]


def _open_expand(term: _Open, node: Node, indices: Indices) -> list[_Open]:
    assert isinstance(node, Expand)
    return [replace(term, factors=(*term.factors, (node.operands[0], tuple(indices[a] for a in node.axes))))]


def _open_slice(term: _Open, node: Node, indices: Indices) -> list[_Open] | None:
    """out[i] = x[i + start]: the inner index is the outer one plus the start."""
    assert isinstance(node, Slice)
    return _moved(term, node.operands[0], indices, node.starts, node.steps, sign=1)


def _open_place(term: _Open, node: Node, indices: Indices) -> list[_Open] | None:
    """out[i + start] = x[i]: the inner index is the outer one less the start."""
    assert isinstance(node, Place)
    return _moved(term, node.operands[0], indices, node.starts, node.steps, sign=-1)


def _open_concat(term: _Open, node: Node, indices: Indices) -> list[_Open] | None:
    assert isinstance(node, Concat)
    parts = []
    for operand, offset in zip(node.operands, node.offsets, strict=True):
        starts = [offset if a == node.axis else 0 for a in range(node.rank)]
        part = _moved(term, operand, indices, starts, [1] * node.rank, sign=-1)
        if part is None:
            return None
        parts += part
    return parts


def _open_take(term: _Open, node: Node, indices: Indices) -> list[_Open]:
    """out[p] = x[k] where the one-hot rows of the integers have their 1."""
    assert isinstance(node, Take)
    x, places = node.operands
    (k,), variables = term.fresh([x.shape[node.axis]])
    first, last = node.axis, node.axis + places.rank
    inner = x, (*indices[:first], k, *indices[last:])
    rows = taken_rows(places, x.shape[node.axis]), (*indices[first:last], k)
    return [replace(term, variables=variables, factors=(*term.factors, inner, rows))]


def _moved(
    term: _Open, inner: Node, indices: Indices, starts: Sequence[Extent], steps: Sequence[int], sign: int
) -> list[_Open] | None:
    """The inner node under new indices, each the old one plus or minus a start."""
    if any(step != 1 for step in steps) or not all(isinstance(start, int) for start in starts):
        return None
    own, variables = term.fresh(inner.shape)
    shifts = [sign * int(start) for start in starts]
    equations = [(new, old, c) for new, old, c in zip(own, indices, shifts, strict=True)]
    return [
        replace(
            term,
            variables=variables,
            equations=(*term.equations, *equations),
            factors=(*term.factors, (inner, own)),
        )
    ]


_RULES = {
    "elementwise": _open_elementwise,
    "einsum": _open_einsum,
    "named": _open_named,
    "expand": _open_expand,
    "slice": _open_slice,
    "place": _open_place,
    "concat": _open_concat,
    "take": _open_take,
}


# --------------------------------------------------------------------------- solving the equations


def _solved(term: _Open, rank: int) -> list[IndexTerm] | None:
    """Equal indices made one: a term, or none where it is zero everywhere; None where extents cannot be compared."""
    home = _classes(term)
    if home is None:
        return []
    members: dict[int, list[int]] = {}
    for i in term.variables:
        members.setdefault(home[i][0], []).append(i)
    low: dict[int, int] = {}
    extents: dict[int, Extent] = {}
    for root, inside in members.items():
        low[root] = max(-home[i][1] for i in inside)
        high = _least([sympy.sympify(term.variables[i]) - home[i][1] for i in inside])
        if high is None:
            return None
        extents[root] = as_extent(sympy.Max(high - low[root], 0) if high.is_number else high - low[root], "a delta")
    place = {i: (home[i][0], low[home[i][0]] + home[i][1]) for i in term.variables}
    kept = list(dict.fromkeys(place[axis][0] for axis in range(rank)))
    if any(extents[root] == 0 for root in kept):
        return []
    factors = [_cut(node, indices, place, extents) for node, indices in term.done]
    for node, indices in term.conditions:
        factors = _chosen(_diagonal(_cut(node, indices, place, extents)), factors)
    factors += [(size(n), ()) for root, n in extents.items() if root not in kept and _unused(root, factors)]
    scale, simple = _absorbed([_diagonal(f) for f in _summed(factors, kept)])
    names = {root: g for g, root in enumerate(kept)}
    axes = tuple((names[place[a][0]], place[a][1]) for a in range(rank))
    named = tuple((node, tuple(names[r] for r in roots)) for node, roots in simple)
    return [IndexTerm(term.scale * scale, axes, tuple(extents[r] for r in kept), named)]


def _classes(term: _Open) -> dict[int, tuple[int, int]] | None:
    """Index → (root, c) with index = root + c; None where the equations contradict one another."""
    home = {i: (i, 0) for i in term.variables}
    for i, k, c in term.equations:
        (a, p), (b, q) = home[i], home[k]
        if a == b and p != q + c:
            return None
        for j, (root, r) in home.items():
            if root == a != b:  # i = k + c: a + p = b + q + c
                home[j] = (b, r - p + q + c)
    return home


def _least(values: Sequence[sympy.Expr]) -> sympy.Expr | None:
    """The least of some extents, or None where they cannot be compared."""
    best = values[0]
    for value in values[1:]:
        difference = sympy.expand(value - best)
        if not difference.is_number:
            return None
        best = value if difference.is_negative else best
    return sympy.expand(best)


def _cut(node: Node, indices: Indices, place: dict[int, tuple[int, int]], extents: dict[int, Extent]) -> IndexedOperand:
    """The part of a factor that its indices reach: x[2:7] for an index of extent 5 at offset 2."""
    starts = tuple(place[i][1] for i in indices)
    sizes = tuple(extents[place[i][0]] for i in indices)
    if not same_shape(sizes, node.shape):
        node = Slice(node, shape_arg(starts), shape_arg(sizes), ints_arg((1,) * node.rank))
    return node, tuple(place[i][0] for i in indices)


def _chosen(condition: IndexedOperand, factors: list[IndexedOperand]) -> list[IndexedOperand]:
    """The factors, 0 where the condition does not hold; one more where none has all of its indices."""
    holds, roots = condition
    inside = [set(roots) <= set(indices) for _, indices in factors]
    chosen = [_where(condition, _diagonal(f)) if has else f for f, has in zip(factors, inside, strict=True)]
    return chosen if any(inside) else [*chosen, (where(holds, 1, 0), roots)]


def _where(condition: IndexedOperand, factor: IndexedOperand) -> IndexedOperand:
    (holds, roots), (node, onto) = condition, factor
    return where(laid_along(holds, roots, onto, node.shape), node, 0), onto


def _unused(root: int, factors: Sequence[IndexedOperand]) -> bool:
    return not any(root in roots for _, roots in factors)


def _summed(factors: list[IndexedOperand], kept: Sequence[int]) -> list[IndexedOperand]:
    """Factors that share an index which is summed over, as one contraction."""
    done: list[IndexedOperand] = []
    for factor in factors:
        apart = [f for f in done if not _meet(f, factor, kept)]
        joined = [f for f in done if _meet(f, factor, kept)]
        done = [*apart, _product([*joined, factor]) if joined else factor]
    return [_total(f, kept) for f in done]


def _meet(a: IndexedOperand, b: IndexedOperand, kept: Sequence[int]) -> bool:
    return bool((set(a[1]) & set(b[1])) - set(kept))


def _product(factors: Sequence[IndexedOperand]) -> IndexedOperand:
    """All factors side by side, nothing summed; an operand that is such a product already is opened."""
    flat: list[IndexedOperand] = []
    for node, roots in factors:
        if isinstance(node, Einsum) and not node.contracted and len(node.operands) > 1:
            names = dict(zip(node.output, roots, strict=True))
            flat += [(o, tuple(names[i] for i in inside)) for o, inside in zip(node.operands, node.inputs, strict=True)]
        else:
            flat.append((node, roots))
    output = tuple(dict.fromkeys(r for _, roots in flat for r in roots))
    return contract([roots for _, roots in flat], output, *(node for node, _ in flat)), output


def _total(factor: IndexedOperand, kept: Sequence[int]) -> IndexedOperand:
    """A factor with the indices that are not kept summed over: A[i, j] becomes Σⱼ A[i, j] where i is kept."""
    node, roots = factor
    output = tuple(r for r in dict.fromkeys(roots) if r in kept)
    if set(roots) == set(output):
        return factor
    if isinstance(node, Einsum) and not node.contracted:
        names = dict(zip(node.output, roots, strict=True))
        return contract([[names[i] for i in inside] for inside in node.inputs], output, *node.operands), output
    return contract([roots], output, node), output


def _diagonal(factor: IndexedOperand) -> IndexedOperand:
    """A factor whose indices are all different: A[i, i] becomes its diagonal d[i]."""
    node, roots = factor
    return read_along(node, roots, {}), distinct(roots)


def _absorbed(factors: list[IndexedOperand]) -> tuple[sympy.Expr, list[IndexedOperand]]:
    """(the product of all numbers, the factors): one whose indices another has too is multiplied into it, u[i]·A[i, j]
    → B[i, j], so that there are fewer factors and none is larger.  One-hot rows stay apart.
    """
    numbers = [value for node, _ in factors if (value := number_of(node)) is not None]
    left = sorted((f for f in factors if number_of(f[0]) is None), key=lambda f: len(f[1]))
    done: list[IndexedOperand] = []
    while left:
        node, roots = left.pop(0)
        apart = node.kind == "one_hot"
        at = next(
            (k for k, (f, onto) in enumerate(left) if not apart and f.kind != "one_hot" and set(roots) <= set(onto)),
            None,
        )
        if at is None:
            done.append((node, roots))
        else:
            wide, onto = left[at]
            left[at] = (elementwise("mul", laid_along(node, roots, onto, wide.shape), wide), onto)
    return sympy.Mul(*numbers), sorted(done, key=lambda f: f[1])
