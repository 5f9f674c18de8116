"""What a library has a name for: softmax, log-softmax, relu, the mean.

In: a writer and a node.  Out: a `SourcePiece`, or None where the node is none of these, or where a part of it has a
name already, so that writing the idiom would compute that part again.
"""

from __future__ import annotations

from typing import NamedTuple

from symnet import dtypes
from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.extents import product, same_extent
from symnet.expr.nodes.node import Node
from symnet.source.text import SourcePiece
from symnet.source.writer import FunctionWriter


class Mean(NamedTuple):
    """A mean among the factors of a product: the factors it takes the place of."""

    operands: tuple[Node, Node]
    text: SourcePiece


def find(w: FunctionWriter, node: Node) -> SourcePiece | None:
    """The library's softmax, log-softmax or relu, where the node is one."""
    if is_op(node, "exp") and not w.has_name(node.operands[0]):
        return _softmax(w, "softmax", node.operands[0])
    if is_op(node, "add"):
        return _softmax(w, "log_softmax", node)
    if is_op(node, "maximum") and "relu" in w.dialect.functions:
        varying = [o for o in node.operands if number_of(_inner(o)) != 0]
        if len(varying) == 1 and varying[0].rank == node.rank:
            return SourcePiece(w.dialect.functions["relu"].format(w.strict(varying[0]).text))
    return None


def _softmax(w: FunctionWriter, name: str, argument: Node) -> SourcePiece | None:
    """The library's softmax or log-softmax, for the argument x - logsumexp(x)."""
    axes = softmax_axes(elementwise("exp", argument)) if is_op(argument, "add") else []
    if not axes or len(axes[0]) != 1 or name not in w.dialect.functions:
        return None
    totals = [_inner(o.operands[-1]) for o in argument.operands if is_op(o, "mul")]
    total = next(t for t in totals if t.kind == "reduce")
    (x,) = total.operands
    if w.has_name(total) or x.shape != argument.shape:
        return None
    if name in w.dialect.helpers:
        w.helpers.setdefault(name, w.dialect.helpers[name])
    return SourcePiece(w.dialect.functions[name].format(w.strict(x).text, axes[0][0]))


def _inner(node: Node) -> Node:
    return node.operands[0] if node.kind == "expand" else node


def mean(w: FunctionWriter, node: Node) -> Mean | None:
    """A sum over axes among the factors, and one over their extent."""
    for total in node.operands:
        if not isinstance(total, Einsum) or not total.is_sum or w.has_name(total):
            continue
        (x,), (indices,) = total.operands, total.inputs
        gone = tuple(a for a, i in enumerate(indices) if i not in total.output)
        kept = tuple(i for i in indices if i in total.output)
        if kept != total.output or "sum" not in w.texts[total].text or x.dtype not in (*dtypes.REAL, None):
            continue
        for share in node.operands:
            if _is_share(share, product([x.shape[a] for a in gone])):
                whole = SourcePiece(f"{w.dialect.prefix}.mean({w.strict(x).text})")
                text = w.call("mean", w.strict(x).text, gone[0] if len(gone) == 1 else gone) if kept else whole
                return Mean((total, share), text)
    return None


def _is_share(node: Node, extent: object) -> bool:
    """Whether a factor is 1/m for an extent m."""
    value = number_of(node)
    if value is not None:
        return bool(value.is_Rational and value.p == 1 and value.q == extent)
    is_reciprocal = is_op(node, "pow") and number_of(node.operands[1]) == -1 and node.operands[0].kind == "size"
    return is_reciprocal and same_extent(node.operands[0].args[0], extent)
