"""Random graphs: both modes and central differences agree, whatever the shapes and however values are shared."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.elementwise import elementwise, sigmoid, sin, tanh
from symnet.expr.nodes.expansion import keep_axes
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.movement import concat, reshape
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import logsumexp, softmax
from symnet.expr.nodes.symbols import tensor
from tests.cases import Case
from tests.diff.checking import check

m = dim("m")
LEAVES = [tensor("x", m, 3), tensor("y", 3), tensor("z", m, 1), tensor("s"), tensor("W", 3, 3)]

UNARY = [sin, tanh, sigmoid, lambda v: v * 0.5 + 1, lambda v: v * v]
SHAPED = [  # each takes and gives an array of rank 1 or more
    softmax,
    lambda v: v - keep_axes(logsumexp(v, -1), (v.rank - 1,)),
    lambda v: contract([range(v.rank)], list(reversed(range(v.rank))), v),
    lambda v: concat([v, v * v], axis=v.rank - 1),
    lambda v: v[..., ::-1] * v,
    lambda v: v.sum(-1, keepdims=True) * v,
    lambda v: reshape(v, (*v.shape, 1)),
]


def fits(a: Node, b: Node) -> bool:
    """Whether two shapes broadcast."""
    return all(p in (q, 1) or q == 1 for p, q in zip(reversed(a.shape), reversed(b.shape), strict=False))


@st.composite
def graphs(draw) -> list[Node]:
    """A few roots over a pool of values, every one of which may be used again."""
    pool: list[Node] = list(LEAVES)
    for _ in range(draw(st.integers(2, 8))):
        a = draw(st.sampled_from(pool))
        kind = draw(st.sampled_from(["unary", "shaped", "add", "mul", "matmul"]))
        if kind == "unary":
            pool.append(draw(st.sampled_from(UNARY))(a))
        elif kind == "shaped" and 1 <= a.rank <= 3:
            pool.append(draw(st.sampled_from(SHAPED))(a))
        elif kind == "matmul" and a.rank and a.shape[-1] == 3:
            pool.append(a @ LEAVES[-1])
        elif kind in ("add", "mul"):
            b = draw(st.sampled_from([v for v in pool if fits(a, v)]))
            pool.append(elementwise(kind, a, b))
    return pool[-2:]


@settings(max_examples=40)
@given(graphs(), st.sampled_from([1, 4]))
def test_both_modes_agree_on_random_graphs(roots, rows):
    used = Case("", lambda: roots).leaves
    case = Case("random graph", lambda: roots, tuple(leaf.name for leaf in used), {"m": rows})
    if used:
        check(case, np.random.default_rng(0))
