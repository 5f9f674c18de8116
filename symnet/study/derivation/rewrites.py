"""The rewrites that a reader needs, out of all that the simplifier fired, each with the whole formula it leaves.

In: the simplifier's trace and the formula it began with.  Out: `Rewriting`s: those that change what is written and do
more than spell it differently, each once, consecutive ones of one name joined.  Where sums were taken term by term, or
factors out of sums, to get there, that is a line before: the reason of a line is all that happened in it.
The whole formula after a rewrite is found by running the simplifier's engine again, with that many of its steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symnet.calculus.problem import strip_barriers
from symnet.diff.elementwise import times
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import is_op, negative
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import rebuild, topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.simplify.algebra.table import without_names
from symnet.simplify.engine import Normalizer, Table
from symnet.simplify.rewrite import Rewrite
from symnet.simplify.trace import Step
from symnet.study.derivation.model import Rewriting

_MOST = 8  # rewrites shown of one step
_TRIED = 24  # rewrites looked at, each by running the engine again
_LARGEST = 60  # nodes of a formula shown
_SAID = {"meet_through_movement": "bring like parts together"}
_PREPARED = {  # what a spelling does for the rewrites after it, where a reader would miss it
    "sum_terms_apart": "sum term by term",
    "take_unsummed_factors_out_of_contraction": "take factors out of sums",
}


def readable(start: Node, trace: Sequence[Step], end: Node) -> tuple[Rewriting, ...]:
    """The rewrites worth showing.

    Args:
        start: the formula that was simplified.
        trace: what the simplifier fired.
        end: what it became, as it is written.
    """
    spoken = [k for k, fired in enumerate(trace) if fired.rewrite.role != "spelling" and _speaks(fired.place)]
    spoken = _distinct(spoken, trace)[:_TRIED]
    if not spoken:
        return ()
    shown: list[Rewriting] = []
    last, done = str(start), 0
    for k, following in zip(spoken, [*spoken[1:], len(trace)], strict=True):
        fired = trace[k]
        old, new = (without_ones(each) for each in strip_barriers([fired.place, fired.result]))
        if str(old) == str(new):
            continue
        prepared = _prepared(trace[done:k])
        if prepared:
            before = without_ones(_replayed(start, trace[:k]))
            if str(before) != last:
                shown.append(Rewriting(prepared, before, before, before))
                last = str(before)
        stop = next((j for j in range(k + 1, following) if _prepared(trace[j : j + 1])), following)
        whole = end if stop == len(trace) else without_ones(_replayed(start, trace[:stop]))
        if str(whole) == last:
            continue
        sentence = _SAID.get(fired.name, fired.name.replace("_", " "))
        if shown and shown[-1].name == sentence and str(shown[-1].after) == str(old):
            old = shown.pop().before
        shown.append(Rewriting(sentence, old, new, whole))
        last, done = str(whole), stop
        if len(shown) >= _MOST:
            break
    return tuple(shown)


def _prepared(spellings: Sequence[Step]) -> str:
    """What was done for the next rewrite, in words."""
    said = (_PREPARED.get(fired.name) for fired in spellings)
    return "; ".join(dict.fromkeys(each for each in said if each))


def _distinct(places: Iterable[int], trace: Sequence[Step]) -> list[int]:
    """The places of rewrites, each that reads alike once."""
    found: dict[tuple[str, str], int] = {}
    for k in places:
        found.setdefault((str(trace[k].place), str(trace[k].result)), k)
    return list(found.values())


def _replayed(start: Node, fired: Sequence[Step]) -> Node:
    """The formula after some of the simplifier's steps, and nothing else."""
    known = {step.place: step.result for step in fired}
    (whole,) = strip_barriers(Normalizer(Table((), _replay(known)))(without_names([start])))
    return whole


def _replay(known: Mapping[Node, Node]) -> Rewrite:
    return Rewrite(known.get, domain="equal", role="spelling")


def _speaks(before: Node) -> bool:
    """Whether a formula is of a size to be shown, and more than numbers."""
    nodes = topological(before)
    return len(nodes) <= _LARGEST and any(isinstance(n, Tensor) for n in nodes)


def without_ones(node: Node) -> Node:
    """Factors that are exactly 1 left out, what a seed leaves behind; and minus minus x is x."""
    return rebuild([node], _shorter)[0]


def _shorter(node: Node) -> Node:
    if node.kind == "expand" and _is_minus(node.operands[0]):
        return negative(with_operands(node, [times(*node.operands[0].operands[1:])]))
    if not is_op(node, "mul"):
        return node
    inner = [
        o for f in node.operands for o in (f.operands if _is_minus(f) and same_shape(f.shape, node.shape) else [f])
    ]
    signs = [f for f in inner if number_of(f) == -1]
    kept = [f for f in inner if number_of(f) != -1]
    product = times(*([number(-1)] if len(signs) % 2 else []), *kept)
    return product if same_shape(product.shape, node.shape) else node


def _is_minus(node: Node) -> bool:
    return is_op(node, "mul") and number_of(node.operands[0]) == -1
