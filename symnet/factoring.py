"""Which factors native code computes for compressed outputs, and the patterns by which they are handed back.

In: expressions with names and a template of positions (`compile(…, compressed=True)`).  Out: `Outputs`: the distinct
factors of each expression, their names, and the template with a `Pattern` at every position.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from symnet.calculus.compressed import Compressed, compressed, held, term_text
from symnet.calculus.index_terms import IndexTerm
from symnet.expr.nodes.node import Node
from symnet.lower.extents import lower_shape
from symnet.runtime.compressed import Pattern, TermPattern
from symnet.runtime.template import Template


class Outputs(NamedTuple):
    """Roots, their names, and how they are handed back."""

    roots: list[Node]
    names: tuple[str, ...]
    template: Template


def factored(written: Sequence[Node], names: Sequence[str], template: Template, real: str) -> Outputs:
    """The factors of expressions as outputs; `real` is the dtype of one that has no factors."""
    roots: list[Node] = []
    labels: list[str] = []
    patterns = []
    for root, name in zip(written, names, strict=True):
        found = compressed(root)
        places = {node: len(roots) + k for k, node in enumerate(found.factors)}
        roots += places
        labels += [name] if len(places) == 1 else [f"{name}_{k}" for k in range(1, len(places) + 1)]
        patterns.append(_pattern(found, places, root.dtype or real))
    return Outputs(roots, tuple(labels), _filled(template, patterns))


def _pattern(found: Compressed, places: dict[Node, int], dtype: str) -> Pattern:
    terms = tuple(_term(term, places, k == 0) for k, term in enumerate(found.terms))
    return Pattern(lower_shape(found.shape), dtype, terms, tuple(places.values()))


def _term(term: IndexTerm, places: dict[Node, int], is_first: bool) -> TermPattern:
    text = term_text(term, is_first)
    arrays = [(places[node], indices) for node, indices in term.factors if held(node) is node]
    chosen = [(places[held(node)], indices) for node, indices in term.factors if held(node) is not node]
    return TermPattern(float(term.scale), term.axes, lower_shape(term.extents), tuple(arrays), tuple(chosen), text)


def _filled(template: Template, patterns: Sequence[Pattern]) -> Template:
    """The template of a `compile`, a position or a tuple or dict of them, with a pattern in the place of each."""
    if isinstance(template, int):
        return patterns[template]
    if isinstance(template, dict):
        return {key: patterns[k] for key, k in template.items()}
    return tuple(patterns[k] for k in template)
