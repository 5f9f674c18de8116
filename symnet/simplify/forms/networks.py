"""Sums, products and contractions multiplied out: numbers of networks of operands over common indices.

In: operands with their indices, and those of the result.  Out: `Network`s, of which their contraction is the sum:
Aᵀ(A w - t) is AᵀA w and -Aᵀt.  Sums, products and contractions inside are opened, and δ renames an index.  Equal ones
share a key.
Not handled: what would become more than `MOST` networks, or more than `MOST_OPERANDS` operands in one, stays closed;
so does a sum with a term that is repeated along an index.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sympy import Expr

from symnet.expr.facts.networks import NetworkKey, network_key
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum, IndexedOperand, Indices, contract
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import align
from symnet.simplify.forms.coefficients import ONE, product

MOST, MOST_OPERANDS = 12, 8


OpenedTerms = list[tuple[Expr, list[IndexedOperand]]]


@dataclass(frozen=True)
class Network:
    """value × Σ of the product of the operands over all indices that are not in the output."""

    value: Expr
    parts: tuple[IndexedOperand, ...]
    output: Indices

    def key(self, symmetric: Callable[[Node], bool]) -> NetworkKey | None:
        """What equal networks share, whatever their numbers; None where there is none."""
        return network_key(self._contraction(), symmetric) if self.parts and self._is_whole() else None

    def build(self) -> Node:
        """The node over the indices of the output."""
        return product(self.value, (self._contraction(),))

    def _is_whole(self) -> bool:
        return {i for _, indices in self.parts for i in indices} >= set(self.output)

    def _contraction(self) -> Einsum:
        return contract([i for _, i in self.parts], self.output, *(o for o, _ in self.parts))


def multiplied_out(parts: Sequence[IndexedOperand], output: Indices, fresh: Iterator[int]) -> list[Network]:
    """The networks of which a contraction of operands is the sum.

    fresh: numbers for the indices of what is opened.
    """
    waiting: list[tuple[Expr, list[IndexedOperand], list[IndexedOperand]]] = [(ONE, list(parts), [])]
    done: list[Network] = []
    while waiting:
        value, left, found = waiting.pop()
        if not left:
            done.append(_without_deltas(Network(value, tuple(found), output)))
            continue
        (operand, indices), *left = left
        terms = _opened(operand, indices, fresh)
        widest = max((len(more) for _, more in terms), default=0)
        few = len(done) + len(waiting) + len(terms) <= MOST and len(left) + len(found) + widest <= MOST_OPERANDS
        if terms and few:
            waiting += [(value * scale, [*more, *left], found) for scale, more in reversed(terms)]
        else:
            waiting.append((value, left, [*found, (operand, indices)]))
    return done


def _opened(x: Node, indices: Indices, fresh: Iterator[int]) -> OpenedTerms:
    """What an operand is a sum of, each as a number and operands with all its indices; nothing where it is closed."""
    value = number_of(x)
    if value is not None and not indices:
        return [(value, [])]
    if isinstance(x, Einsum):
        names = dict(zip(x.output, indices, strict=True))
        for i in itertools.chain(*x.inputs):
            if i not in names:
                names[i] = next(fresh)
        return [(ONE, [(o, tuple(names[i] for i in mine)) for o, mine in zip(x.operands, x.inputs, strict=True)])]
    terms: OpenedTerms = []
    if is_op(x, "add"):
        terms = [(ONE, [_placed(o, x, indices)]) for o in x.operands]
    elif is_op(x, "mul"):
        terms = [(ONE, [_placed(o, x, indices) for o in x.operands])]
    whole = set(indices)
    return terms if all({i for _, mine in more for i in mine} == whole for _, more in terms) else []


def _placed(operand: Node, whole: Node, indices: Indices) -> IndexedOperand:
    core, axes = align(operand, whole.shape)
    return core, tuple(indices[a] for a in axes)


def _without_deltas(network: Network) -> Network:
    """δ[i, j] x[j] → x[i]: a summed index renamed to the other, where another operand has it."""
    for place, (operand, indices) in enumerate(network.parts):
        if operand.kind != "delta" or len(set(indices)) < 2:
            continue
        rest = [p for k, p in enumerate(network.parts) if k != place]
        for gone, kept in (indices, indices[::-1]):
            if gone not in network.output and any(gone in mine for _, mine in rest):
                renamed = tuple((o, tuple(kept if i == gone else i for i in mine)) for o, mine in rest)
                return _without_deltas(Network(network.value, renamed, network.output))
    return network
