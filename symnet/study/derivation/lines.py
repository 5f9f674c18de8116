"""A step of a derivation as lines: `= formula`, and why, one rule at a time.

In: a `BackwardStep` or an `Ending`.  Out: `Line`s, each of which reads differently from the one before.  All
notations write these lines, each in its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from symnet.diff.contraction import add_up
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.graph import substitute
from symnet.expr.nodes.node import Node
from symnet.study.derivation.model import BackwardStep, Ending, Line, Rewriting
from symnet.study.derivation.rewrites import without_ones


def chain(root: str, step: BackwardStep) -> list[list[tuple[str, str]]]:
    """The chain rule in general: terms of slopes (of, by); nothing where the root alone stands above."""
    ways = [[(root, e.user), (e.user, e.operand)] if e.user != root else [(root, e.operand)] for e in step.edges]
    return ways if any(len(way) > 1 for way in ways) else []


def step_lines(step: BackwardStep) -> list[Line]:
    """The chain rule, what is known inserted, every rewrite, down to the cotangent as it is written."""
    return list(_distinct(_of_step(step)))


def ending_lines(ending: Ending) -> list[Line]:
    """The last cotangent, the definitions inserted one by one, down to the result."""
    return list(_distinct(_of_ending(ending)))


def _of_step(step: BackwardStep) -> Iterator[Line]:
    rules = "; ".join(dict.fromkeys(e.rule for e in step.edges))
    if step.before is None:
        yield Line(number(0), rules or "nothing arrives", None, "chain")
        return
    if not step.edges:
        yield Line(step.written, "the seed: a value by itself", None, "chain")
        return
    seeds = {leaf: formula for leaf, formula in step.known if number_of(formula) == 1}
    products = [e.passed if e.product is None else e.product for e in step.edges]
    if any(e.product is not None for e in step.edges):
        yield Line(_total(products, seeds), "multiply by the Jacobian", None, "chain")
    yield Line(_total([e.passed for e in step.edges], seeds), rules, None, "rule")
    inserted = [(leaf, formula) for leaf, formula in step.known if leaf not in seeds]
    if inserted:
        yield Line(step.inserted, "with", inserted[0] if len(inserted) == 1 else None, "insert")
    else:
        yield Line(step.inserted, "", None, "insert")
    yield from _rewrites(step.rewrites)
    yield Line(step.written, "", None, "end")


def _total(passed: Iterable[Node | None], seeds: Mapping[Node, Node]) -> Node:
    """What arrives, added up; the seed, which is 1, is left out."""
    total = add_up([p for p in passed if p is not None])
    assert total is not None
    return without_ones(substitute([total], seeds)[0])


def _of_ending(ending: Ending) -> Iterator[Line]:
    yield Line(ending.written, "", None, "chain")
    for insertion in ending.insertions:
        with_ = Line(insertion.raw, "with", (insertion.leaf, insertion.formula), "insert")
        yield with_ if insertion.rewrites else Line(insertion.after, with_.why, with_.change, "insert")
        yield from _rewrites(insertion.rewrites)
        last = insertion is ending.insertions[-1] and [str(r.whole) for r in insertion.rewrites[-1:]]
        if last != [str(ending.reached)]:  # what is inserted for good is not taken out once more
            yield Line(insertion.after, "with", (insertion.leaf, insertion.formula), "insert")
    yield Line(ending.reached, "the definitions inserted", None, "end")
    yield Line(ending.result, "simplified before it is differentiated", None, "end")


def _rewrites(rewrites: Iterable[Rewriting]) -> Iterator[Line]:
    for r in rewrites:
        whole = str(r.after) == str(r.whole)  # the line itself shows before and after
        yield Line(r.whole, r.name, None if whole else (r.before, r.after), "rewrite")


def _distinct(lines: Iterable[Line]) -> Iterator[Line]:
    last: Node | str = ""
    for line in lines:
        text = str(line.formula)
        if text != last:
            yield line
        last = text
