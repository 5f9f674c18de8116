"""The arithmetic that runs: products arranged so that they take the fewest operations.

In: numeric-form roots.  Out: the same values up to rounding: scalars and signs where they meet the fewest elements
(`scale.py`, `placement.py`), contractions as products of two in the cheapest order (`contraction.py`).
`lower` starts from this, and `sn.flops` counts it.
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet.expr.nodes.node import Node
from symnet.simplify.machine.contraction import binarize
from symnet.simplify.machine.placement import place_factors
from symnet.simplify.machine.scale import push_scales
from symnet.simplify.rewrite import GraphRewrite

ARRANGEMENTS = (
    GraphRewrite(push_scales, domain="equal", role="shorter"),
    GraphRewrite(place_factors, domain="equal", role="shorter"),
    GraphRewrite(binarize, needs=("finite",), domain="extends", role="shorter"),
)


def arrange(roots: Iterable[Node]) -> list[Node]:
    """The roots as they are computed."""
    for rewrite in ARRANGEMENTS:
        roots = rewrite.apply(roots)
    return list(roots)
