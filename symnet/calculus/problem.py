"""A derivation from door to door: what every function of the calculus does before and after differentiating.

In: expressions and what to differentiate by.  Out: a `Problem`: the same in the algebra form, ready for `diff`; and
results finished for the reader.

    strip names → check → Barrier around intermediate targets → simplify → (diff) → simplify → strip barriers → names

A barrier keeps rewrites from looking through the variable of a derivative: with c = a + b, nothing that holds of
c as a sum may be used in ∂d/∂c.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from symnet import dtypes
from symnet.calculus.elements import element
from symnet.calculus.entries import by_entries
from symnet.calculus.parts import VariablePart, is_read, is_read_alone, part_of
from symnet.calculus.simplify import simplify as readable
from symnet.diff.closing import DEEP, FAR, depth
from symnet.errors import ArgumentError, AssumptionError, explain, one_of
from symnet.expr.nodes.contraction import transpose
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import topological, unwrapped, wrapped
from symnet.expr.nodes.names import attach, strip
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.symbols import EQUALITIES, Barrier, Named, Tensor, check_leaves
from symnet.simplify.algebra.table import simplify
from symnet.simplify.cost import saves
from symnet.simplify.numeric.singularities.whole_functions import whole_functions
from symnet.simplify.sealing import OPEN, in_pairs, sealed, unsealed

_MOST_OPENED = 24  # intermediate variables, each of whose derivatives is simplified as if it were the only one
ABSENT = ("error", "zero")  # what a derivative by a variable is that the expression does not contain


@dataclass
class Problem:
    """Expressions ready to be differentiated.

    Attributes:
        roots: the expressions, simplified, with barriers.
        targets: what to differentiate by, as it stands in the roots: a leaf or a `Barrier`.
        extra: further expressions that enter the result (tangents, cotangents), simplified.
        labels: value → its name.
        far: how many values, counted from the roots, are opened where they stand in derivatives; None: all of them
            (`diff/closing.py`).
        parts: for each target the part of it that is wanted, None for all of it.
    """

    roots: list[Node]
    targets: list[Node]
    extra: list[Node]
    labels: dict[Node, Named] = field(default_factory=dict)
    far: int | None = None
    parts: list[VariablePart | None] = field(default_factory=list)

    def parted(self, results: Sequence[Node | None], leading: int = 0) -> list[Node | None]:
        """Of each derivative by a target the part that is wanted.

        Args:
            results: one for each target, None for zero.
            leading: how many axes stand before those of the target.
        """
        pairs = zip(results, self.parts, strict=True)
        return [r if r is None or part is None else part.of(r, leading) for r, part in pairs]

    def finish(
        self, results: Sequence[Node | None], shapes: Sequence[Shape], by: Sequence[Node] | None = None
    ) -> list[Node]:
        """Results for the reader: zeros filled in, simplified, barriers off, names on.

        Args:
            results: nodes, None for zero.
            shapes: the shape each must have.
            by: the target that each is a derivative by, where it is one.
        """
        nodes = [fill(0, shape) if r is None else r for r, shape in zip(results, shapes, strict=True)]
        values = list(self.labels)
        simple = simplify([*nodes, *values])
        labels = dict(self.labels)
        for old, new in zip(values, simple[len(nodes) :], strict=True):
            labels.setdefault(new, self.labels[old])
        plain = strip_barriers([*simple[: len(nodes)], *labels])
        keys, done = plain[len(nodes) :], plain[: len(nodes)]
        known = dict(zip(keys, labels.values(), strict=True))
        if by is not None:
            done = self._seen_through(nodes, done, by, known)
        for node, shape in zip(done, shapes, strict=True):
            assert same_shape(node.shape, shape), (node.shape, shape)
        done = attach(done, known)
        if any(part is not None for part in self.parts):
            done = readable([element(node) for node in done])
        return by_entries(done)

    def _seen_through(
        self, raw: Sequence[Node], done: list[Node], by: Sequence[Node], labels: dict[Node, Named]
    ) -> list[Node]:
        """Each derivative simplified without the barriers of the other variables, where that makes it shorter.

        Those stand there for the sake of another derivative, from whose pass this one comes.
        """
        barriers = {target for target in self.targets if isinstance(target, Barrier)}
        best = list(done)
        if not barriers or len(barriers) > _MOST_OPENED:
            return best
        below = _below(raw, barriers)
        for target in (None, *barriers):
            places = [k for k, own in enumerate(by) if (own if own in barriers else None) is target]
            places = [k for k in places if below[raw[k]] - {target}]
            if not places:
                continue
            names = strip_barriers(list(self.labels), target)
            simple = strip_barriers(simplify([*strip_barriers([raw[k] for k in places], target), *names]))
            for value, name in zip(simple[len(places) :], self.labels.values(), strict=True):
                labels.setdefault(value, name)
            for k, new in zip(places, simple, strict=False):
                best[k] = new if _reads_better(new, done[k], labels) else done[k]
        return best


def _below(roots: Sequence[Node], barriers: Set[Node]) -> dict[Node, frozenset[Node]]:
    """For every node the barriers that it is computed from, itself among them."""
    found: dict[Node, frozenset[Node]] = {}
    for node in topological(*roots):
        own = frozenset({node}) if node in barriers else frozenset()
        found[node] = own.union(*(found[o] for o in node.operands))
    return found


def _reads_better(new: Node, old: Node, names: Mapping[Node, Named]) -> bool:
    """Whether a normal form is shorter than what barriers left, or as long and no name is lost."""
    return saves(new, old) or not (saves(old, new) or any(node in names for node in topological(old)))


def open_problem(
    call: str,
    roots: Sequence[Node],
    targets: Sequence[Node],
    extra: Sequence[Node] = (),
    as_written: bool = False,
    absent: str = "error",
    far: int = FAR,
) -> Problem:
    """Strip, check, put barriers, simplify (unless `as_written`: then an element that nothing else reads is a value).

    Where less than is usual is opened (`far`), products are taken in pairs too.

    Raises:
        ArgumentError: a target that stands in none of the roots, unless `absent` is "zero".
        AssumptionError: a target that is one-hot, a simplex, or made of integers.
    """
    mend = 'Leave it out for an error; "zero" gives zeros.'
    one_of(f"{call}, absent={absent!r}", absent, ABSENT, '"error" or "zero"', mend)
    check_leaves(call, [*roots, *extra, *(targets if absent == "zero" else ())])
    plain, written = strip(unsealed([*roots, *targets, *extra]))
    n, t = len(roots), len(targets)
    plain_roots, plain_targets, plain_extra = plain[:n], plain[n : n + t], plain[n + t :]
    inside = set(topological(*plain_roots))
    pairs = list(zip(targets, plain_targets, strict=True))
    parts = [None if isinstance(given, Named) else part_of(target, inside) for given, target in pairs]
    if as_written:
        parts = [None if part is None or is_read_alone(part, plain_roots) else part for part in parts]
    plain_targets = [
        _as_it_stands(target, inside) if part is None else part.whole
        for target, part in zip(plain_targets, parts, strict=True)
    ]
    for given, target, part in zip(targets, plain_targets, parts, strict=True):
        if absent == "error" and not _is_reached(target, part, plain_roots, inside):
            raise _absent(call, plain_roots, given)
        _check_target(call, target, given)
    values = list(written)
    barred = put_barriers([*plain_roots, *plain_targets, *values], plain_targets)
    barred = whole_functions(barred)
    barred = sealed(barred, barred[:n], OPEN if far == FAR else 0)
    simple = [*barred, *plain_extra] if as_written else simplify([*barred, *plain_extra])
    simple = in_pairs(simple) if far < FAR else simple
    is_deep = not as_written and depth(plain_roots, plain_targets) >= DEEP
    labels: dict[Node, Named] = {}
    for value, old, new in zip(values, barred[n + t :], simple[n + t :], strict=False):
        for key in (value, old, new):
            labels.setdefault(key, written[value])
    return Problem(simple[:n], simple[n : n + t], simple[len(barred) :], labels, far if is_deep else None, parts)


def contains(root: Node, target: Node) -> bool:
    """Whether an expression has a target in it: the node itself, or any element of a part of a variable."""
    (plain_root, plain), _ = strip([root, target])
    inside = set(topological(plain_root))
    part = None if isinstance(target, Named) else part_of(plain, inside)
    return _is_reached(_as_it_stands(plain, inside) if part is None else part.whole, part, [plain_root], inside)


def _is_reached(target: Node, part: VariablePart | None, roots: Sequence[Node], inside: set[Node]) -> bool:
    return target in inside and (part is None or is_read(part, roots))


def put_barriers(roots: Sequence[Node], targets: Iterable[Node]) -> list[Node]:
    """`Barrier` around every target that is no leaf, wherever it stands."""
    return wrapped(roots, {target for target in targets if target.operands}, Barrier)


def strip_barriers(roots: Sequence[Node], but: Node | None = None) -> list[Node]:
    """The roots without `Barrier` nodes; one of them may stay."""
    bare = unwrapped(roots, Barrier.kind)
    return bare if but is None else put_barriers(bare, unwrapped([but], Barrier.kind))


def _as_it_stands(target: Node, inside: set[Node]) -> Node:
    """The target, or its algebra form where only that stands in the expression, itself a derivative perhaps."""
    if target in inside or not target.operands:
        return target
    (simple,) = simplify([target])
    return simple if simple in inside and simple.operands else target


def _absent(call: str, roots: Sequence[Node], given: Node) -> ArgumentError:
    leaves = ", ".join(leaf.name for leaf in check_leaves(call, roots)) or "no tensors"
    return ArgumentError(
        explain(
            call,
            f"an expression that contains {given}",
            f"one of {leaves}",
            "Check the variable: is it the node that was used?  Of a derivative that no longer contains "
            'it, the next one is zero: absent="zero" says so, and sn.hessian gives zeros.',
        )
    )


def _check_target(call: str, target: Node, given: Node) -> None:
    held = target.assumptions if isinstance(target, Tensor) else frozenset()
    equality = ["labels"] if target.kind == "one_hot" else sorted(held & EQUALITIES)
    if equality:
        way_out = f"Drop {equality[0]}=True to" if held else "Put a real tensor in their place to"
        raise AssumptionError(
            explain(
                call,
                "a variable whose elements are free",
                f"{given}, which is {equality[0]}",
                f"{way_out} differentiate by it, or differentiate by what it is computed from.",
            )
        )
    if not dtypes.is_real(target.dtype) or "integer" in held:
        raise AssumptionError(
            explain(
                call,
                "a real variable",
                f"{given} of {target.dtype if target.dtype not in dtypes.REAL else 'integers'}",
                'Declare it with dtype="float64".',
            )
        )


def project(result: Node | None, target: Node) -> Node | None:
    """(G + Gᵀ)/2 over the last two axes where the variable is symmetric: its two halves are one variable."""
    if result is None or not (isinstance(target, Tensor) and "symmetric" in target.assumptions):
        return result
    rank = result.rank
    mirrored = transpose(result, *range(rank - 2), rank - 1, rank - 2)
    return elementwise("mul", 0.5, elementwise("add", result, mirrored))
