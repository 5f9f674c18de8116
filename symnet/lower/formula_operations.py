"""What formulas take: the operations of each value, as they stand.

In: roots.  Out: their `Operations`, value by value, as polynomials in the extents; what an operation counts,
`loops/weights.py` says.

This is the arithmetic of the formula, not of a program that computes it (`loops/operations.py` counts that): a value
that many need counts once, a sum of n elements n, with nothing for the blocks that it is added up in.

A contraction of k operands takes k per element of its index space, k - 1 products and a sum; where nothing is summed
the products alone.  A negative term of a sum makes a difference, a reciprocal factor a quotient.  Powers by numbers
that are known are products, square roots and quotients, as lowering writes them; all others are calls.
Solving takes 2·n² for every right-hand side, and each matrix that is eliminated 2/3·n³, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sympy
from sympy import Expr

from symnet.dtypes import is_real
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import Elementwise, is_op
from symnet.expr.nodes.extents import product
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.linalg import Determinant
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.reduction import Reduce
from symnet.expr.nodes.result_dtypes import CASTS, common_dtype
from symnet.loops.ir import COMPARISON
from symnet.loops.weights import CALL, MULTIPLY_ADD, NOTHING, ONE, Operations, weight
from symnet.lower.elementwise import MOST_MULTIPLIED, MOST_UNDER_ROOT
from symnet.simplify.cost import elimination, is_reciprocal, space

_REAL = "float64"  # real dtypes count alike


def operations(roots: Iterable[Node]) -> dict[Node, Operations]:
    """The operations of each distinct node that has any, operands first; a matrix is eliminated for its first user."""
    nodes = topological(*roots)
    quotients = _quotients(nodes)
    found: dict[Node, Operations] = {}
    eliminated: set[Node] = set()
    for node in nodes:
        if node in quotients or not is_real(_computed_in(node)):
            continue
        count = _COUNTS.get(node.kind, _nothing)(node)
        if node.kind in ("solve", "determinant") and node.operands[0] not in eliminated:
            eliminated.add(node.operands[0])
            count += ONE * elimination(node.operands[0])
        if count != NOTHING:
            found[node] = Operations(*map(sympy.expand, count.kinds))
    return found


def _computed_in(node: Node) -> str | None:
    """The dtype of a node's operation: of a comparison, and of the place of an extreme, the operands'."""
    compares = isinstance(node, Reduce) or is_op(node, *COMPARISON)
    return common_dtype(*node.operands) if compares else node.dtype


def _quotients(nodes: Iterable[Node]) -> set[Node]:
    """Reciprocals that only products take: the product divides."""
    users: dict[Node, set[bool]] = {}
    for node in nodes:
        for operand in node.operands:
            users.setdefault(operand, set()).add(is_op(node, "mul"))
    return {node for node, are_products in users.items() if are_products == {True} and is_reciprocal(node)}


def _over(shape: Shape, once: Operations) -> Operations:
    return once * sympy.sympify(product(shape))


def _nothing(node: Node) -> Operations:
    return NOTHING


# --------------------------------------------------------------------------- elementwise


def _elementwise(node: Elementwise) -> Operations:
    once = _BY_NAME.get(node.op)
    return _over(node.shape, weight(node.op, _REAL) if once is None else once(node))


def _sum(node: Elementwise) -> Operations:
    return ONE * (len(node.operands) - 1)


def _product(node: Elementwise) -> Operations:
    """Products and quotients; the factor -1 is a sign, and where all others are reciprocals 1 is divided."""
    factors = [o for o in node.operands if number_of(o) != -1]
    return ONE * (max(len(factors) - 1, 0) + (bool(factors) and all(map(is_reciprocal, factors))))


def _power(node: Elementwise) -> Operations:
    twice = _doubled(number_of(node.operands[1]))
    if twice is None:
        return CALL
    whole, is_root = divmod(abs(twice), 2)
    if abs(twice) > MOST_UNDER_ROOT if is_root else whole > MOST_MULTIPLIED:
        return CALL
    root = 1 + (whole > 0) if is_root else 0
    return ONE * (root + _products_of_power(whole) + (twice < 0))


def _doubled(exponent: Expr | None) -> int | None:
    """Twice an exponent, where that is a whole number; of what is rounded, where the exponent itself is one."""
    if exponent is None or exponent.is_Float:
        return 2 * int(exponent) if exponent is not None and float(exponent).is_integer() else None
    return int(2 * exponent) if (2 * exponent).is_Integer else None


def _products_of_power(exponent: int) -> int:
    """Products in a whole power by repeated squaring."""
    return max(exponent.bit_count() + exponent.bit_length() - 2, 0)


_BY_NAME: dict[str, Callable[[Elementwise], Operations]] = {
    "add": _sum,
    "mul": _product,
    "pow": _power,
    "where": lambda node: weight("select", _REAL),
    "indicator": lambda node: weight("select", _REAL),
    "function": lambda node: CALL,
    **dict.fromkeys(CASTS, _nothing),
}


# --------------------------------------------------------------------------- other kinds


def _contraction(node: Einsum) -> Operations:
    many = len(node.operands) - (not node.contracted) - (node.by_index is not None and len(node.operands) > 1)
    pairs = int(bool(node.contracted) and len(node.operands) > 1)
    return _over(space(node), ONE * (many - 2 * pairs) + MULTIPLY_ADD * pairs)


def _reduction(node: Reduce) -> Operations:
    if node.op != "logsumexp":
        return _over(space(node), ONE)
    return _over(space(node), ONE * 3 + CALL) + _over(node.shape, ONE + CALL)


def _determinant(node: Determinant) -> Operations:
    """The product of the n pivots, or the sum of their logarithms."""
    once = ONE if node.op == "det" else ONE + CALL
    return _over(node.operands[0].shape[:-1], once)


_COUNTS: dict[str, Callable[..., Operations]] = {
    "elementwise": _elementwise,
    "einsum": _contraction,
    "reduce": _reduction,
    "determinant": _determinant,
    "solve": lambda node: _over(space(node), ONE * 2),
    "cumsum": lambda node: _over(node.shape, ONE),
    "cumprod": lambda node: _over(node.shape, ONE),
    "linear_recurrence": lambda node: _over(node.shape, ONE * 2),
    "running_logsumexp": lambda node: _over(node.shape, ONE * 3 + CALL * 2),
    "scaled_sum": lambda node: _over(node.shape, ONE * 4 + CALL * 2),
}


def total(counts: Iterable[Operations]) -> Operations:
    """All of them together, expanded."""
    kinds = zip(*(count.kinds for count in (NOTHING, *counts)), strict=True)
    return Operations(*(sympy.expand(sympy.Add(*kind)) for kind in kinds))
