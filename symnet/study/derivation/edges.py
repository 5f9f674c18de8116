"""The edges of a derivation: local derivatives, what is passed backward, and the rule's name.

In: the formula of one station over tags, and the tag of an operand.  Out: an `Edge`.
A scalar has a gradient, an elementwise function its slope, a vector function of a vector its Jacobian; between whole
arrays only what is passed backward is short (W X passes W̄ Xᵀ).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symnet.calculus.jacobian import jacobians
from symnet.diff.elementwise import times
from symnet.diff.reverse import pullback
from symnet.expr.nodes.abstract import Application
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, matmul
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import depends_on, substitute, topological
from symnet.expr.nodes.node import Node
from symnet.expr.sympy.functions import function_of
from symnet.simplify.algebra.table import simplify
from symnet.study.derivation.laws import law, softmax_by_elements, softmax_law
from symnet.study.derivation.model import Edge, Law
from symnet.study.derivation.parts import parts
from symnet.study.derivation.stations import CURVED, LINEAR, SUM, TOTAL, is_element, softmax_parts, step_of

# What the rule of a kind (or of a primitive) is called in a derivation.
RULE_NAMES = {
    "add": "sum rule",
    "mul": "product rule",
    "pow": "power rule",
    "where": "each branch where it was taken",
    "maximum": "the larger one passes",
    "minimum": "the smaller one passes",
    "expand": "what is repeated collects a sum",
    "reshape": "the same elements in their old shape",
    "slice": "zero where nothing was read",
    "place": "the part that was laid in",
    "concat": "each its own part",
    "take": "every row collects what read it",
    "logsumexp": "derivative of logsumexp: softmax",
    "max": "the first largest element passes",
    "min": "the first smallest element passes",
    "prod": "the product of the others",
    "barrier": "the variable itself",
    "sealed": "the value itself",
    "cumsum": "the sums from the other end",
    "cumprod": "the recurrence from the other end",
    "linear_recurrence": "the recurrence from the other end",
    "solve": "derivative of the inverse",
    "determinant": "derivative of the determinant: cofactors",
}

_LONGEST_PRODUCT = 60  # characters of a cotangent times a Jacobian that is written out


def edge(
    labels: tuple[str, str], formula: Node, user: tuple[Node, Node], operand: Node, varying: Sequence[Node]
) -> Edge:
    """The edge from a value to one of its operands.

    Args:
        labels: of the user and of the operand.
        formula: the user over tags.
        user: its tag and its bar.
        operand: the tag of the operand.
        varying: the tags of all operands that depend on a variable.
    """
    tag, bar = user
    kind = _kind(formula, operand)
    local = _local(kind, formula, tag, operand)
    product = None
    if kind in ("jacobian", "column", "map"):
        passed = pullback(formula, bar, [operand])[operand]
        passed = None if passed is None else _tidy([passed], formula, tag)[0]
    else:
        passed = None if local is None else times(bar, local)
    if kind == "jacobian" and local is not None and local.kind != "tensor" and passed is not None:
        product = matmul(bar, local)
        text = str(product)
        product = None if len(text) > _LONGEST_PRODUCT or "einsum" in text or text == str(passed) else product
    rules = _rules(formula, operand, varying)
    found = parts(formula, operand, _name_of) if kind in ("scalar", "elementwise", "gradient") else ()
    name = rule_name(formula, operand, varying)
    return Edge(*labels, kind, local, passed, name, product, found, tuple(_laws(name, formula, rules)))


def _kind(formula: Node, operand: Node) -> str:
    if not formula.rank:
        return "gradient" if operand.rank else "scalar"
    between = depends_on([formula], [operand]) - {operand}
    if all(_is_of_elements(n) and same_shape(n.shape, operand.shape) for n in between):
        return "elementwise"
    if not operand.rank:
        return "column"
    return "jacobian" if formula.rank == operand.rank == 1 else "map"


def _is_of_elements(node: Node) -> bool:
    return node.kind in ("elementwise", "barrier", "sealed") or (isinstance(node, Application) and node.is_elementwise)


def _local(kind: str, formula: Node, tag: Node, operand: Node) -> Node | None:
    if kind == "map":
        return None
    if kind in ("jacobian", "column"):
        (found,) = jacobians(formula, [operand])
    else:
        seed = number(1) if not formula.rank else fill(1, formula.shape)
        found = pullback(formula, seed, [operand])[operand]
    if found is None:
        return None
    local = _tidy([found], formula, tag)[0]
    scalar = local.operands[0] if local.kind == "expand" and not local.operands[0].rank else local
    return scalar if kind == "elementwise" else local  # slopes broadcast: 1, not an array of ones


def _tidy(nodes: list[Node], formula: Node, tag: Node) -> list[Node]:
    """The nodes simplified, over the value of the formula itself where that occurs: y(1-y), not σ(z)(1-σ(z))."""
    *simple, own = simplify([*substitute(nodes, {formula: tag}), formula])
    return simplify(substitute(simple, {own: tag})) if own.operands else simple


Rules = list[tuple[str, Node, list[int]]]  # the kind of step, the node, the positions of what varies


def _rules(formula: Node, operand: Node, varying: Sequence[Node]) -> Rules:
    """What is applied between a value and one of its operands, operands first."""
    between = depends_on([formula], [operand])
    active = depends_on([formula], varying)
    found = [n for n in topological(formula) if n in between and n is not operand]
    places = [[k for k, o in enumerate(n.operands) if o in active] for n in found]
    return [(step_of(n, [n.operands[k] for k in ks]), n, ks) for n, ks in zip(found, places, strict=True)]


def _laws(name: str, formula: Node, rules: Rules) -> Iterator[Law]:
    """The rules in general, outermost first."""
    if softmax_parts(formula):
        yield softmax_law(name)
        yield softmax_by_elements()
        return
    for step, node, active in reversed(rules):
        found = law(_name_of(node), node, active) if step in (CURVED, LINEAR, SUM) else None
        if found is not None:
            yield found


def rule_name(formula: Node, operand: Node, varying: Sequence[Node]) -> str:
    """What the rules between a value and one of its operands are called."""
    if softmax_parts(formula):
        return "derivative of softmax"
    if is_element(formula):
        return "an element goes to its place"
    steps = [(step, n) for step, n, _ in _rules(formula, operand, varying)]
    telling = [n for step, n in steps if step in (CURVED, LINEAR)]
    if len(telling) == 2 and _is_reciprocal(telling[0]) and is_op(telling[1], "mul"):
        return "quotient rule"
    if telling:
        return ", ".join(dict.fromkeys(map(_name_of, telling)))
    if not steps or any(step == SUM for step, _ in steps):
        products = [n for _, n in steps if isinstance(n, Einsum) and len(n.operands) > 1]  # by what does not vary
        return ", ".join(dict.fromkeys(map(_name_of, products))) or "sum rule"
    if any(step == TOTAL for step, _ in steps):
        return "a sum passes to every term"
    return ", ".join(dict.fromkeys(_plain_name(n) for _, n in steps))


def _is_reciprocal(node: Node) -> bool:
    return is_op(node, "pow") and number_of(node.operands[1]) == -1


def _name_of(node: Node) -> str:
    if isinstance(node, Einsum):
        return _name_of_contraction(node)
    key = node.op if node.kind == "reduce" else node.topic
    if key == "mul" and any(map(_is_reciprocal, node.operands)):
        return "quotient rule"
    function = node if isinstance(node, Application) else function_of(node)
    return RULE_NAMES.get(key, f"derivative of {key if function is None else function.title}")


def _name_of_contraction(node: Einsum) -> str:
    ranks = [o.rank for o in node.operands]
    if len(ranks) == 1:
        (indices,) = node.inputs
        if len(set(indices)) == len(indices):
            return "transpose" if not node.contracted else "sum rule"
        return "diagonal" if set(node.output) & set(indices) else "trace"
    return "inner product" if ranks == [1, 1] and not node.rank else "matrix product" if 2 in ranks else "contraction"


def _plain_name(node: Node) -> str:
    """What a step with one varying operand is called: a term added, a factor, a move."""
    if isinstance(node, Einsum):
        return _name_of_contraction(node)
    key = node.topic
    return {"add": "sum rule", "mul": "constant factor"}.get(key) or RULE_NAMES.get(key, key)
