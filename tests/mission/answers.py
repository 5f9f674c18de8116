"""How a row of the mission is checked: as a formula, read and compared as a node, and as numbers.

In: an `Answer`: symnet's result, the formula that the row gives, its value by NumPy.  Out: assertions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.graph import rebuild, topological
from symnet.expr.nodes.names import strip
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.reference import evaluate
from tests.expr.reading import names_of, read_back

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Answer:
    """One answer of the mission.

    Attributes:
        name: the row, and what of it.
        ours: symnet's result.
        text: the formula of the row, as symnet prints it.
        value: by NumPy.
        names: what further names in the text stand for: intermediate values.
    """

    name: str
    ours: Callable[[], Node]
    text: str
    value: Callable[[Arrays], Any]
    names: Callable[[], dict[str, Node]] = dict

    def __repr__(self) -> str:
        return self.name


def check_formula(answer: Answer, leaves: Sequence[Tensor]) -> None:
    """It prints as the row has it, and is, as a node, what those words say."""
    found = answer.ours()
    assert str(found) == answer.text
    known: dict[str, Any] = {}
    for leaf in leaves:
        known |= names_of(leaf)
    for node in topological(found):
        known |= {node.name: node} if node.kind == "named" else {}  # type: ignore[attr-defined]
    said = sn.simplify(read_back(answer.text, known | answer.names()))
    assert opened(plain(said)) is opened(plain(sn.simplify(found)))


def opened(node: Node) -> Node:
    """With every product inside a product opened: (A B) C and A (B C) are one formula."""

    def open_one(each: Node) -> Node:
        inside = next((k for k, o in enumerate(each.operands) if each.kind == o.kind == "einsum"), None)
        if inside is None:
            return each
        inner = each.operands[inside]
        assert isinstance(each, Einsum) and isinstance(inner, Einsum)
        outer = dict(zip(inner.output, each.inputs[inside], strict=True))
        own = {i: outer.get(i, 1000 + i) for i in inner.extents}
        inputs = [[own[i] for i in indices] for indices in inner.inputs]
        merged = contract(
            [*each.inputs[:inside], *inputs, *each.inputs[inside + 1 :]],
            each.output,
            *each.operands[:inside],
            *inner.operands,
            *each.operands[inside + 1 :],
        )
        return open_one(merged)

    (found,) = rebuild([node], open_one)
    return sn.simplify(found)


def plain(node: Node) -> Node:
    """Without names."""
    return strip([node])[0][0]


def check_numbers(answer: Answer, data: Arrays, leaves: Sequence[Tensor]) -> None:
    """`reference` and native code both give the value of the row."""
    wanted = np.asarray(answer.value(data))
    node = answer.ours()
    found = evaluate(node, data, leaves=leaves)
    assert found.shape == wanted.shape and found == pytest.approx(wanted, rel=1e-12, abs=1e-13)
    function = sn.compile(node)
    extents = (
        {"m": 5} if "m" in function.signature.dims and not any("m" in str(n.shape) for n in node_leaves(node)) else {}
    )
    native = function(**{name: data[name] for name in function.inputs}, **extents)
    assert native == pytest.approx(wanted, rel=1e-11, abs=1e-12)


def node_leaves(node: Node) -> list[Tensor]:
    return [each for each in topological(node) if isinstance(each, Tensor)]
