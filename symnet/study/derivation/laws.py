"""The rules of differentiation that a derivation uses, as formulas: ∂log(u)/∂u = 1/u, C = A B passes Ā = C̄ Bᵀ.

In: a node at which a rule was applied.  Out: a `Law`: the same operation on u, v or A, B, and its derivatives.
They are computed by the differentiation rules themselves, so that a new primitive has its law without a line here.
Left out: laws whose formulas are long, and movement, whose name says it all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symnet.calculus.jacobian import jacobians
from symnet.diff.reverse import pullback
from symnet.expr.nodes.abstract import Application
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import elementwise, exp, is_op, power
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.graph import substitute, with_operands
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.reduction import logsumexp, softmax
from symnet.expr.nodes.symbols import Tensor, scalar, tensor
from symnet.simplify.algebra.table import simplify
from symnet.study.derivation.model import Law

_LONGEST = 60  # characters of a formula
_ARRAYS = {1: ("a", "b"), 2: ("A", "B")}  # names of operands by rank
_RESULTS = {0: "c", 1: "c", 2: "C"}


def law(name: str, node: Node, active: Sequence[int]) -> Law | None:
    """The law of a node by the operands at some positions; None where its name says enough."""
    if node.kind == "elementwise":
        truth = any(o.dtype == "bool" for o in node.operands)  # a condition: the name of the rule says it all
        return None if truth else _of_elements(name, node, active)
    if isinstance(node, Application):
        return _of_application(name, node, active)
    if isinstance(node, Einsum) and not node.is_sum and not node.is_transpose and len(node.operands) == 2:
        return _of_arrays(name, node)
    if node.kind == "reduce" and node.op == "logsumexp":
        u = tensor("u", dim("n"))
        return _slopes(name, logsumexp(u), [u])
    return None


def softmax_law(name: str) -> Law:
    """∂y/∂z = diag(y) - y yᵀ, for each row."""
    z, y = tensor("z", dim("n")), tensor("y", dim("n"), positive=True)
    formula = softmax(z)
    (found,) = jacobians(formula, [z])
    assert found is not None
    simple, own = simplify([found, formula])
    (shown,) = simplify(substitute([simple], {own: y}))
    return Law(name, y, formula, ((z, shown),), passes=False)


def softmax_by_elements() -> Law:
    """∂yᵢ/∂zⱼ = yᵢ (δᵢⱼ - yⱼ), as textbooks write it."""
    y_i, y_j, delta = scalar("y_i"), scalar("y_j"), scalar("delta_ij")
    formula = exp(scalar("z_i")) / total(exp(tensor("z", dim("n"))))
    return Law("softmax by elements", y_i, formula, ((scalar("z_j"), y_i * (delta - y_j)),), passes=False)


def _of_elements(name: str, node: Node, active: Sequence[int]) -> Law | None:
    """The law over scalars: u for the first operand that varies, v for the next; numbers stay, but for exponents."""
    if is_op(node, "add", "mul") and len(active) > 1:
        u, v = scalar("u"), scalar("v")
        quotient = is_op(node, "mul") and any(is_op(o, "pow") and number_of(o.operands[1]) == -1 for o in node.operands)
        return _slopes(name, u / v if quotient else elementwise(str(node.args[0]), u, v), [u, v])
    if is_op(node, "add", "mul"):
        c, u = scalar("c"), scalar("u")
        return _slopes(name, elementwise(str(node.args[0]), c, u), [u])
    exponent = number_of(node.operands[1]) if is_op(node, "pow") else None
    if exponent is not None and exponent not in (-1, 0.5):
        return _slopes(name, power(scalar("u"), scalar("p")), [scalar("u")])
    names = iter("uvwt")
    leaves = [scalar(next(names)) if number_of(o) is None else o for o in node.operands]
    return _slopes(name, with_operands(node, leaves), [leaves[k] for k in active])


def _of_application(name: str, node: Application, active: Sequence[int]) -> Law | None:
    """The law of an abstract function: its slopes over scalars u, v, …; of arrays what it passes back."""
    letters = "uvwt" if node.is_elementwise else "abcd"
    if node.orders or len(node.operands) > len(letters):
        return None
    leaves = [tensor(letters[k], *(() if node.is_elementwise else o.shape)) for k, o in enumerate(node.operands)]
    formula = with_operands(node, leaves)
    if node.is_elementwise or not node.rank:
        return _slopes(name, formula, [leaves[k] for k in active])
    bar = _bar("y", node.shape)
    passed = pullback(formula, bar, leaves)
    by = [(_bar(leaf.name, leaf.shape), passed[leaf]) for leaf in (leaves[k] for k in active)]
    return _short(Law(name, tensor("y", *node.shape), formula, _simple(by), passes=True))


def _of_arrays(name: str, node: Einsum) -> Law | None:
    """What a product of two arrays passes back to each."""
    if not {o.rank for o in node.operands} <= {1, 2} or node.rank not in _RESULTS:
        return None
    leaves = [tensor(_ARRAYS[o.rank][k], *o.shape) for k, o in enumerate(node.operands)]
    result = _RESULTS[node.rank]
    bar = _bar(result, node.shape)
    formula = with_operands(node, leaves)
    passed = pullback(formula, bar, leaves)
    by = [(_bar(leaf.name, leaf.shape), passed[leaf]) for leaf in leaves]
    return _short(Law(name, tensor(result, *node.shape), formula, _simple(by), passes=True))


def _bar(name: str, shape: Shape) -> Tensor:
    return tensor(f"{name}_bar", *shape, latex=rf"\bar{{{name}}}")


def _slopes(name: str, formula: Node, by: Sequence[Node]) -> Law | None:
    found = pullback(formula, number(1), by)
    return _short(Law(name, None, formula, _simple([(x, found[x]) for x in by]), passes=False))


def _simple(pairs: Sequence[tuple[Tensor | Node, Any]]) -> tuple[tuple[Node, Node], ...]:
    values = simplify([number(0) if value is None else value for _, value in pairs])
    return tuple((leaf, value) for (leaf, _), value in zip(pairs, values, strict=True))


def _short(found: Law) -> Law | None:
    texts = [str(found.formula), *(str(value) for _, value in found.by)]
    return found if max(map(len, texts)) <= _LONGEST else None
