"""Every spelling of `tests/stability` in contexts that nobody wrote: moved, joined, selected, reduced, masked.

In: a seed.  Out: `Member`s (a spelling, how its leaf arrives, where inside it a movement stands, what guards it), and
for each what is wrong with its value, slope or second derivative, against the exact values of the spelling alone.
A movement is a function that works on nodes and on NumPy arrays alike: applied to positions it says where each sample
ends, so that the exact values need no second oracle.
Not handled: moves that mix axes inside a softmax or another reduction (rows are moved whole there); the gradient of
some elements of a row (it is demanded to be finite).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import symnet as sn
from symnet.errors import SymnetError
from symnet.expr.nodes.graph import depends_on, topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reading.formula import formula
from symnet.reference import evaluate
from tests.fuzz.arrangements import ARRIVALS, ELEMENTS, FIXED, FREE, INDICES, MOVES, ROWS, Array, Arrays, Nodes
from tests.stability import measuring
from tests.stability.exact import NAN, Exact, Oracle
from tests.stability.measuring import LEAVES, Family, Points, m, ulps
from tests.stability.spellings import FAMILIES

POINTS = 8  # samples of a family that one group of members is tried at
GUARDS = ("", "", "where, first", "where, second", "where, by a comparison", "times a mask", "weighted sum", "nested")
JUNK = (np.nan, np.inf, -np.inf)
SLACK = 2.0  # of the bounds of the spelling alone: another context may take another road to the same value
MORE = 3.0  # ulp


@dataclass(frozen=True)
class Member:
    """One spelling in one context.

    Attributes:
        family, spelling: of `tests/stability`.
        move, place: a key of the moves, and which node of the spelling (in topological order) it is applied to.
        arrival: a key of `ARRIVALS`.
        guard: one of `GUARDS`.
        rank0: the leaves are scalars, one call for each sample.
        known: whether extents are known when it is compiled.
    """

    family: str
    spelling: str
    move: str
    place: int
    arrival: str
    guard: str
    rank0: bool
    known: bool
    dtype: str
    native: bool

    def __str__(self) -> str:
        extents = "known" if self.known else "symbolic"
        how = "rank 0" if self.rank0 else f"{self.arrival}, {self.move} at node {self.place}, guard {self.guard!r}"
        way = "native" if self.native else "reference"
        return f"{self.spelling}  [{self.family}]: {how}, {extents} extents, {self.dtype}, {way}"


@dataclass
class Group:
    """A spelling at some points: the exact values, shared by all its members."""

    family: Family
    spelling: str
    dtype: str
    data: dict[str, Array]
    exact: list[Exact]
    units: list[Array] = field(default_factory=list)


def group(rng: np.random.Generator, family: Family, spelling: str, dtype: str) -> Group:
    """Some points of the family, extreme ones among them, and what the spelling is there."""
    whole = family.data(dtype)
    if isinstance(family.points, Points) and family.points.high == np.inf and not family.points.exp_finite:
        ends = {"real": [-np.inf, np.inf], "nonnegative": [np.inf], "positive": [np.inf]}.get(family.points.kind, [])
        whole = {k: np.concatenate([v, np.array(ends, v.dtype)]) for k, v in whole.items()}
    length = len(next(iter(whole.values())))
    chosen = rng.choice(length, POINTS, replace=length < POINTS)
    data = {k: np.ascontiguousarray(v[chosen]) for k, v in whole.items()}
    oracle, leaf = Oracle(data, m), LEAVES[family.by]
    meaning = measuring.written(family.meaning or spelling)
    orders = range(len(family.rows[spelling]))
    exact = [oracle(measuring._raw(meaning, leaf, k)) for k in orders]
    units = [measuring._unit(family.units[k], exact[k], data) for k in orders]
    return Group(family, spelling, dtype, data, exact, units)


# --------------------------------------------------------------------------- the member as an expression


@dataclass
class Built:
    """A member as an expression, with what its values must be.

    Attributes:
        value: the expression, of `leaf`, which it is differentiated by.
        elements: for each element of the value, which element of the spelling's value it is; -1 where a guard says 0.
        home: for each element of x, which element of the leaf it is.
        compares_value: whether the value is compared (a sum is not).
    """

    value: Node
    leaf: Node
    data: dict[str, Array]
    elements: Array
    home: Array
    compares_value: bool = True


def extents(arrival: str, shape: tuple[int, ...], samples: Any) -> tuple[Any, ...]:
    """The declared shape of a leaf that arrives so, of an x of that shape."""
    rest = shape[1:]
    return {
        "second of two": (2, samples, *rest),
        "transposed": (*rest[::-1], samples) if rest else (1, samples),
        "a slice": (samples + 3, *rest),
        "a column": (samples, *rest, 2),
    }.get(arrival, (samples, *rest))


def built(group: Group, member: Member, rng: np.random.Generator) -> Built:
    """The member as an expression."""
    declared, standing, data = {}, {}, {}
    arrive, read = ARRIVALS[member.arrival]
    by = group.family.by
    for name, values in group.data.items():
        samples = len(values) if member.known else m
        known = {"one_hot": True} if name == "D" else {"simplex": True} if name == "P" else {}
        shape = extents(member.arrival if name == by else "as it is", values.shape, samples)
        declared[name] = sn.scalar(name) if member.rank0 else sn.tensor(name, *shape, **known)
        standing[name] = read(declared[name]) if name == by and not member.rank0 else declared[name]
        data[name] = arrive(values).copy() if name == by and not member.rank0 else values
    root = formula(group.spelling, {**standing, "m": POINTS if member.known else m})
    leaf, x = declared[by], group.data[by]
    if member.rank0:
        return Built(root, leaf, data, np.zeros((), int), np.zeros((), int))
    home = read(np.arange(arrive(x).size).reshape(arrive(x).shape))
    place = _corresponding(measuring.written(group.spelling), root, standing, member.place)
    root = moved(root, place, lambda a: MOVES[member.move](Nodes, a))
    shape = group.exact[0].shape
    elements = np.asarray(MOVES[member.move](Arrays, np.arange(np.prod(shape, dtype=int)).reshape(shape)))
    assert root.rank == elements.ndim, (root.shape, elements.shape)
    data |= {name: indices(POINTS) for name, indices in INDICES.items()}
    return guarded(Built(root, leaf, data, elements, home), member.guard, group, rng)


def places(root: Node) -> list[Node]:
    """The nodes of a formula at which the samples may be moved."""
    return [n for n in topological(root) if n.rank and n.kind != "expand"]


def _corresponding(template: Node, root: Node, standing: dict[str, Any], place: int) -> Node:
    """The node of the formula that is node `place` of the same formula over plain leaves."""
    pairs: dict[Node, Node] = {LEAVES[name]: node for name, node in standing.items()}
    todo = [(template, root)]
    while todo:
        a, b = todo.pop()
        if a not in pairs:
            pairs[a] = b
            todo += zip(a.operands, b.operands, strict=True)
    return pairs[places(template)[place]]


def moved(root: Node, place: Node, move: Callable[[Any], Any]) -> Node:
    """The formula with a move at `place`, and at what meets it on the way up."""
    above = depends_on([root], [place])
    new: dict[Node, Node] = {place: move(place)}

    def beside(node: Node) -> Node:
        return move(node) if node.rank and node.shape[0] == place.shape[0] else node

    for node in topological(root):
        if node in above and node is not place:
            new[node] = with_operands(node, [new[o] if o in new else beside(o) for o in node.operands])
    return new[root]


def only_elementwise_above(root: Node, place: Node) -> bool:
    """Whether nothing but elementwise functions of arrays of one rank follows."""
    above = depends_on([root], [place]) - {place}
    return all(n.kind == "elementwise" and all(o.rank in (0, place.rank) for o in n.operands) for n in above)


def samples_stay_in_front(root: Node, place: Node) -> bool:
    """Whether what meets a node on the way up can be moved as it is: `stack` puts another axis before the samples."""
    above = depends_on([root], [place]) - {place}
    return all(not o.rank or o.shape[0] == m for n in above for o in n.operands)


def of_one_shape_above(root: Node, place: Node) -> bool:
    """Whether no operand on the way up is repeated along the columns: one column of one has no columns."""
    above = depends_on([root], [place]) - {place}
    return all(not o.rank or o.shape == place.shape for n in above for o in n.operands)


def guarded(b: Built, guard: str, group: Group, rng: np.random.Generator) -> Built:
    """The member with a guard around it, and junk in what is guarded."""
    root = b.value
    if guard == "weighted sum":
        b.data["g"] = np.ones(b.elements.shape)
        b.value, b.compares_value = sn.sum(sn.tensor("g", *root.shape) * root), False
        return b
    if not guard or not root.rank:
        return b
    keep = rng.random(b.elements.shape) < 0.6
    c, t = sn.tensor("c", *root.shape, dtype="bool"), sn.tensor("t", *root.shape)
    b.data |= {"c": keep, "t": np.where(keep, 1.0, -1.0)}
    b.value = {
        "where, first": lambda: sn.where(c, root, 0),
        "where, second": lambda: sn.where(sn.equal(t, -1), 0, root),
        "where, by a comparison": lambda: sn.where(t > 0, root, 0),
        "times a mask": lambda: sn.indicator(t > 0) * root,
        "nested": lambda: sn.where(t > 0, sn.where(c, root, 1), 0),
    }[guard]()
    if guard != "times a mask":
        width = int(np.prod(group.exact[0].shape[1:], dtype=int))
        hidden = np.setdiff1d(np.arange(len(group.exact[0])), b.elements[keep] // width)
        _spoil(b, hidden, group, rng)
    gone = np.full(b.elements.shape, -1)
    if guard == "times a mask":  # 0·∞ is NaN in NumPy too
        gone = np.where(_finite(group)[b.elements], -1, -2)
    b.elements = np.where(keep, b.elements, gone)
    return b


def _spoil(b: Built, hidden: Array, group: Group, rng: np.random.Generator) -> None:
    """NaN and infinities in the samples that a guard hides."""
    by = group.family.by
    flat = b.data[by].reshape(-1)  # a view of the member's own copy
    for sample in hidden:
        flat[b.home[sample]] = rng.choice(JUNK)


def _finite(group: Group) -> Array:
    """Whether the value and every derivative of each element is a finite number of the dtype."""
    largest = float(np.finfo(group.dtype).max)
    fine = [np.array([abs(v) <= largest for v in e.ravel()]).reshape(e.shape) for e in group.exact]
    rows = np.logical_and.reduce([f.reshape(len(f), -1).all(1) for f in fine])
    return np.repeat(rows, int(np.prod(group.exact[0].shape[1:], dtype=int)))


# --------------------------------------------------------------------------- drawing


def members(rng: np.random.Generator, family: Family, spelling: str, dtype: str, number: int) -> Iterator[Member]:
    """Contexts for a spelling."""
    root = measuring.written(spelling)
    every = places(root)
    movable = [k for k, n in enumerate(every) if n.shape[0] != m or samples_stay_in_front(root, n)]
    wide = LEAVES[family.by].rank > 1
    for _ in range(number):
        known = bool(rng.integers(2))
        place = int(rng.choice(movable))
        node = every[place]
        moves = ROWS if node.shape[0] == m else {"as it is": ROWS["as it is"]}
        if node.shape[0] == m and only_elementwise_above(root, node):
            columns = node.rank == 2 and of_one_shape_above(root, node)
            moves = ROWS | FREE | (FIXED if known else {}) | (ELEMENTS if columns else {})
        if node.dtype == "bool":  # sums and extremes of truth values are integers, which choose nothing
            moves = {name: move for name, move in moves.items() if name in FIXED or move(Nodes, node).dtype == "bool"}
        names = (str(rng.choice(list(table))) for table in (moves, ARRIVALS, GUARDS))
        rank0 = not wide and rng.random() < 0.15
        yield Member(family.name, spelling, next(names), place, next(names), next(names), rank0, known, dtype,
                     bool(rng.random() < 0.3))  # fmt: skip


# --------------------------------------------------------------------------- the check


def problems(group: Group, member: Member, rng: np.random.Generator) -> Iterator[str]:
    """What is wrong with a member, in words."""
    b = built(group, member, rng)
    nodes = [b.value]
    for _ in group.exact[1:]:
        nodes.append(sn.grad(nodes[-1] if not nodes[-1].rank else sn.sum(nodes[-1]), b.leaf))
    if member.rank0:
        yield from _rank0_problems(group, member, b, nodes)
        return
    values = computed(nodes, b.data, member)
    if b.compares_value:
        wanted, unit = _gathered(group, b.elements)
        yield from _compared(0, values[0], wanted, unit, group, member)
    counts = np.bincount(b.elements[b.elements >= 0].ravel(), minlength=group.exact[0].size)
    by_row = counts.reshape(len(group.exact[0]), -1)
    free = (b.elements == -2).any()
    for k in range(1, len(nodes)):
        wanted = np.full(b.data[group.family.by].size, 0, dtype=object)
        unit = np.zeros(wanted.size)
        each = by_row[:, 0].reshape(-1, *[1] * (group.exact[k].ndim - 1))
        wanted[b.home] = group.exact[k] * each
        for row in np.flatnonzero(by_row[:, 0] == 0):
            wanted[b.home[row]] = 0  # 0·NaN is no claim
        unit[b.home] = group.units[k] * np.maximum(each, 1)
        got = np.asarray(values[k])
        if (by_row != by_row[:, :1]).any() or free:
            continue
        yield from _compared(k, got, wanted.reshape(got.shape), unit.reshape(got.shape), group, member)


def _gathered(group: Group, elements: Array) -> tuple[Exact, Array]:
    """The exact values and units that stand at the elements; NaN, no claim, where none is made."""
    exact = np.concatenate([group.exact[0].ravel(), np.array([NAN, 0], dtype=object)])
    units = np.concatenate([np.broadcast_to(group.units[0], group.exact[0].shape).ravel(), [0, 0]])
    return np.asarray(exact[elements], dtype=object), np.asarray(units[elements])


def _rank0_problems(group: Group, member: Member, b: Built, nodes: list[Node]) -> Iterator[str]:
    for sample in range(POINTS):
        data = {name: v[sample] for name, v in b.data.items()}
        for k, value in enumerate(computed(nodes, data, member)):
            exact = np.asarray(group.exact[k][sample], dtype=object)
            yield from _compared(k, np.asarray(value), exact, np.asarray(group.units[k][sample]), group, member)


def computed(nodes: list[Node], data: dict[str, Array], member: Member) -> list[Array]:
    """Native values, or those of the reference on the numeric form, whose scales are those of the dtype."""
    used = leaves(*nodes)
    given = {x.name: np.asarray(data[x.name], member.dtype if x.dtype == "float64" else x.dtype) for x in used}
    if member.native:
        return list(sn.compile(nodes, dtype=member.dtype)(**given))
    with np.errstate(all="ignore"):
        forms = sn.compile(nodes, dtype=member.dtype, stop_after="numeric")
        return evaluate(forms, given, dtype=member.dtype, leaves=leaves(*forms))


def _compared(k: int, got: Any, wanted: Exact, unit: Array, group: Group, member: Member) -> Iterator[str]:
    bound = SLACK * group.family.rows[group.spelling][k] + MORE
    got = np.broadcast_to(np.asarray(got), wanted.shape)
    errors = ulps(got, wanted, np.broadcast_to(unit, wanted.shape), member.dtype)
    if errors.size and errors.max() > bound:
        at = np.unravel_index(np.argmax(errors), errors.shape)
        found = f"{got[at]!r} for {wanted[at]!s} at {tuple(map(int, at))}"
        yield f"derivative {k}: {found} ({errors.max():.3g} ulp, bound {bound:g}): {member}"


# --------------------------------------------------------------------------- a session


def session(seed: int, seconds: float, most: int = 0, each: int = 6) -> tuple[Counter[str], list[str]]:
    """Random members until the time is over.

    Args:
        seed: of the first group; the next group has the next seed.
        seconds: how long.
        most: groups at most; 0 for no bound.
        each: members of a group.

    Returns:
        how many members were tried in which contexts, and what was wrong, with the seed of its group.
    """
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    rows = [(family, text) for family in FAMILIES for text in family.rows]
    end = time.monotonic() + seconds
    order = np.random.default_rng(len(rows)).permutation(len(rows))  # a group is known by its own seed
    for group_seed in range(seed, seed + (most or 10**9)):
        if time.monotonic() > end:
            break
        family, text = rows[order[group_seed % len(rows)]]
        for problem in group_problems(group_seed, family, text, each, counts):
            wrong.append(f"seed {group_seed}: {problem}")
    return counts, wrong


def group_problems(seed: int, family: Family, spelling: str, each: int, counts: Counter[str]) -> Iterator[str]:
    """What is wrong with some members of a spelling."""
    rng = np.random.default_rng(seed)
    dtype = str(rng.choice(["float32", "float64"]))
    shared = group(rng, family, spelling, dtype)
    for member in members(rng, family, spelling, dtype, each):
        counts["members"] += 1
        for what in (member.move, member.arrival, member.guard) if not member.rank0 else ("rank 0",):
            counts[what] += 1
        try:
            yield from problems(shared, member, rng)
        except SymnetError as error:
            counts["refused: " + str(error)[:60]] += 1
        except Exception as error:
            yield f"{type(error).__name__}: {str(error)[:300]}: {member}"
