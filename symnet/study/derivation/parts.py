"""A local derivative taken apart: one rule at a time, each with its factor.

In: the formula of one station over tags, and the tag of an operand.  Out: `SlopePart`s: the factors of one part
multiply, and the parts of a sum add.
Not taken apart: vectors by vectors and whole arrays by arrays, whose factors do not multiply element by element.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from symnet.calculus.problem import strip_barriers
from symnet.diff.reverse import pullback
from symnet.expr.nodes.constants import as_node, number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.extents import shape_arg
from symnet.expr.nodes.graph import depends_on, substitute, with_operands
from symnet.expr.nodes.node import Node, static_name
from symnet.expr.nodes.symbols import Tensor
from symnet.simplify.algebra.table import simplify
from symnet.study.derivation.model import RuleFactor, SlopePart

NameOf = Callable[[Node], str]
_SILENT = RuleFactor("", None)  # a step that changes nothing: a constant term, repetition


def parts(formula: Node, operand: Node, name: NameOf) -> tuple[SlopePart, ...]:
    """The parts of ∂formula/∂operand; none where there is but one rule, or where factors do not multiply.

    Args:
        formula: a station over tags.
        operand: the tag of one of its operands, of the same shape unless the formula is a scalar.
        name: what the rule of a node is called.
    """
    between = depends_on([formula], [operand])
    outer, stop = _peeled(formula, operand, between, name)
    if outer is None:
        return ()
    if stop is operand:
        return (SlopePart(None, outer, None),) if sum(f.node is not None for f in outer) > 1 else ()
    terms = [term for term in stop.operands if term in between]
    found = [_term(term, operand, between, name) for term in terms] if is_op(stop, "add") else [None]
    live = tuple(part for part in found if part is not None)
    first = (SlopePart(None, outer, None),) if outer else ()
    return (*first, *live) if len(live) == len(found) else ()


def _term(term: Node, operand: Node, between: set[Node], name: NameOf) -> SlopePart | None:
    factors, stop = _peeled(term, operand, between, name)
    if factors is None:
        return None
    if stop is not operand:
        factors = (*factors, RuleFactor(name(stop), slope(stop, operand)))
    return SlopePart(term, factors, slope(term, operand))


def _peeled(node: Node, operand: Node, between: set[Node], name: NameOf) -> tuple[tuple[RuleFactor, ...] | None, Node]:
    """The factors from a node down to where its ways part, and that place; None where they do not multiply."""
    factors: list[RuleFactor] = []
    while node is not operand:
        active = [k for k, o in enumerate(node.operands) if o in between]
        if len(active) != 1:
            break
        below = node.operands[active[0]]
        factor = _factor(node, active[0], name)
        if factor is None or (factor.node is not None and factor.node.rank and factor.node.rank != operand.rank):
            return None, node
        if _is_mean(factor.node, below):
            factor, below = RuleFactor("mean", factor.node), below.operands[0]
        factors.append(factor)
        node = below
    return tuple(f for f in factors if f.rule), node


def _factor(node: Node, k: int, name: NameOf) -> RuleFactor | None:
    """The slope of one node by one operand; None where that is no factor."""
    x = node.operands[k]
    if node.kind in ("barrier", "sealed", "expand") or is_op(node, "add"):
        return _SILENT
    if isinstance(node, Einsum) and node.is_sum:
        return RuleFactor("sum", None)
    if node.kind != "elementwise" and (node.rank or node.kind not in ("einsum", "reduce")):
        return None
    leaf = (static_name("the operand"), shape_arg(x.shape), static_name(x.dtype or "float64"))
    tag = Tensor(*leaf, shape_arg(()), static_name(""))
    found = slope(with_operands(node, [*node.operands[:k], tag, *node.operands[k + 1 :]]), tag)
    (found,) = substitute([number(0) if found is None else found], {tag: x})
    (found,) = simplify([found])
    rule = "sign" if number_of(found) == -1 else "constant factor" if is_op(node, "mul") else name(node)
    return RuleFactor(rule, found)


def slope(formula: Node, operand: Node) -> Node | None:
    """∂formula/∂operand, element by element."""
    seed = fill(1, formula.shape) if formula.rank else number(1)
    found = pullback(formula, seed, [operand])[operand]
    if found is None:
        return None
    (plain,) = strip_barriers(simplify([found]))
    return plain.operands[0] if plain.kind == "expand" and not plain.operands[0].rank else plain


def _is_mean(factor: Node | None, below: Node) -> bool:
    """Whether a factor is 1/m beside a sum over m."""
    if factor is None or not isinstance(below, Einsum) or not below.is_sum:
        return False
    (indices,), (operand,) = below.inputs, below.operands
    gone = [n for i, n in zip(indices, operand.shape, strict=True) if i not in below.output]
    return len(gone) > 0 and simplify([factor * as_node(prod(gone))])[0] is number(1)
