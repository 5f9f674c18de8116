"""What is taken out of an array along its diagonal, as a product with a mask.

before: K - δ·K,  K - diag(diag(K))
after:  K·(1 - δ)

In: sums.  Out: products, exactly 0 on the diagonal (`symnet/simplify/forms/masks.py` says why they stay).
"""

from __future__ import annotations

from collections import Counter

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.coefficients import product, split_coefficient
from symnet.simplify.rewrite import Rewrite

MOST_TERMS = 16  # of a sum in which pairs are looked for


def gather_into_mask(node: Node) -> Node | None:
    """c·x - c·x·δ → c·x·(1 - δ), among other terms.  Condition: x is no number alone, and has the rows of δ."""
    if node.rank < 2 or len(node.operands) > MOST_TERMS:
        return None
    split = [split_coefficient(o) for o in node.operands]
    for k, (value, as_written) in enumerate(split):
        factors = [part for f in as_written for part in _parts(f)]
        deltas = [f for f in factors if f.kind == "delta"]
        if len(deltas) != 1 or len(factors) < 2:
            continue
        left = Counter(factors) - Counter(deltas)
        for n, (other, whole) in enumerate(split):
            if other == -value and Counter(whole) == left and node.operands[n].shape == node.shape:
                mask = elementwise("add", number(1), elementwise("mul", number(-1), deltas[0]))
                masked = elementwise("mul", product(other, whole), mask)
                rest = [o for i, o in enumerate(node.operands) if i not in (k, n)]
                return elementwise("add", masked, *rest) if rest else masked
    return None


def _parts(factor: Node) -> tuple[Node, ...]:
    """X and δ of diag(diag(X)), X[i, i]·δ[i, j], which is X·δ; any other factor itself."""
    if isinstance(factor, Einsum) and not factor.contracted and factor.output == (0, 1) and len(factor.operands) == 2:
        by_kind = sorted(zip(factor.operands, factor.inputs, strict=True), key=lambda pair: pair[0].kind == "delta")
        (whole, twice), (delta, pair) = by_kind
        if delta.kind == "delta" and set(pair) == {0, 1} and twice in ((0, 0), (1, 1)):
            return whole, delta
    return (factor,)


MASKS = (Rewrite(gather_into_mask, ("add",), below=("delta",), domain="extends", role="shorter"),)
