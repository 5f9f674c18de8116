"""The cheap-gradient bound: derivatives take a few times the operations of the value, for every family, at any depth.

Operations of value and gradient, as they are executed, are at most 5 times those of the value as it is written, those
of a product with the Hessian at most 10 times, what guards them against overflow included.  What is executed is counted
as `sn.flops` counts the numeric form; formulas are counted as `simplify/cost.py` counts them, by which forms are
chosen: a call of a function one, a change of sign one too.  Every derivative that is counted is right: gradients are
those of the tape, products with the Hessian are differences of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

import symnet as sn
from symnet.calculus.cheapest import MOST_OF_GRADIENT, MOST_OF_PRODUCT
from symnet.compare.tape import TapeProgram
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import rebuild
from symnet.expr.nodes.node import Node
from symnet.lower.storage import is_exceptional
from symnet.reference import evaluate
from symnet.simplify.algebra.table import without_names
from symnet.simplify.cost import operation_count
from symnet.simplify.machine.arrangement import arrange
from symnet.simplify.sharing import share
from tests.growing_chains import FAMILIES, POOLS, Chain, mixed

Built = Callable[[int, str], Chain]
FEW, MANY = 4, 12
DEEP = (
    "Speelpenning", "prod", "scalar: logistic map", "scalar: exponential", "scalar: maximum", "scalar: relu",
    "scalar: square", "vector: times its sine", "vector: sine", "vector: cube of a sum", "vector: norm",
    "vector: halves", "vector: product of all", "vector: residual layer", "scalar: continued fraction",
    "scalar: quotient of itself", "scalar: Newton's", "vector: continued fraction", "vector: quotient of itself",
    "vector: norm times x", "vector: over its sum", "vector: layer norm", "vector: layer norm and residual",
)  # fmt: skip
# A product of two values that both change takes one operation, its tangent three, its two cotangents two, their
# tangents six, and each is added up where the factor has other users: chains of products alone take up to 14.
# (1 + u²)⁻² takes a power where the value divides; and what multiplies a contraction with itself is not far at depth 4.
DEARER = {
    "Speelpenning": 12, "prod": 12, "product of sines": 12, "scalar: product of two": 14, "vector: product of two": 14,
    "scalar: continued fraction": 11, "vector: continued fraction": 11, "vector: outer": 12,
}  # fmt: skip
# Beside each division by 1 + u², or by a sum of squares, stands a product with its scale, or two.
GUARDED = {
    "scalar: continued fraction": 14, "vector: continued fraction": 14, "scalar: Newton's": 11, "vector: norm": 11,
    "vector: over its sum": 12,
}  # fmt: skip
MIXED = {f"{kind} {seed}": mixed(kind, seed) for seed in range(3) for kind in POOLS}
_LABELS = (f"_{n}" for n in itertools.count())


@cache
def built(build: Built, depth: int) -> tuple[Chain, list[Node], list[Node], list[Node]]:
    """A chain over new leaves, its gradient, vectors, and the products of the Hessian with them."""
    chain = build(depth, next(_LABELS))
    vectors = [sn.tensor(f"v{leaf.name}", *leaf.shape) for leaf in chain.leaves]
    return chain, sn.grad(chain.value, chain.leaves), vectors, sn.hvp(chain.value, chain.leaves, vectors)


def count(*forms: Node) -> float:
    """Operations of the forms as they stand, each distinct part once."""
    return float(operation_count(arrange(share(without_names(list(forms))))))


def executed(roots: Sequence[Node]) -> float:
    """Operations of the numeric form; a sum that only an exceptional condition asks for is left out while it runs."""
    return float(sn.flops(*rebuild(sn.compile(list(roots), stop_after="numeric"), _usual)))


def _usual(node: Node) -> Node:
    """The usual branch of a choice between sums, one of which is for squares that leave the range."""
    rare = is_op(node, "where") and is_exceptional(node.operands[0]) and isinstance(node.operands[1], Einsum)
    return node.operands[2] if rare else node


def check(name: str, depth: int) -> None:
    """That value, gradient and product as executed are within the bounds."""
    (value, _), gradient, _, product = built(FAMILIES[name], depth)
    written = float(sn.flops(value))
    assert executed([value, *gradient]) <= MOST_OF_GRADIENT * written
    assert executed(product) <= (DEARER | GUARDED).get(name, MOST_OF_PRODUCT) * written


def check_formulas(build: Built, depth: int, most_of_product: int, rng: np.random.Generator) -> None:
    """That the formulas are within the bounds, and right."""
    (value, leaves), gradient, vectors, product = built(build, depth)
    written = count(value)
    assert count(value, *gradient) <= (MOST_OF_GRADIENT + 1) * written  # which is simplified in the gradient
    assert count(*product) <= most_of_product * written
    data = {leaf.name: rng.uniform(0.3, 0.9, leaf.shape) for leaf in leaves}
    data |= {leaf.name: rng.normal(size=leaf.shape) / 3 for leaf in leaves if leaf.rank == 2}
    along = {v.name: rng.normal(size=v.shape) for v in vectors}
    tape = TapeProgram(value, leaves, {}, "float64")

    def tapes(step: float) -> list[np.ndarray]:
        moved = {leaf.name: data[leaf.name] + step * along[f"v{leaf.name}"] for leaf in leaves}
        return list(map(np.array, tape.value_and_grad(moved)[1]))

    expected, step = tapes(0.0), 1e-5
    size = max(np.max(np.abs(each)) for each in expected)
    for found, wanted in zip(evaluate(gradient, data, leaves=leaves), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12 * size)
    slopes = [(a - b) / (2 * step) for a, b in zip(tapes(step), tapes(-step), strict=True)]
    size = max(np.max(np.abs(each)) for each in [*slopes, *expected])
    for found, wanted in zip(evaluate(product, data | along, leaves=[*leaves, *vectors]), slopes, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6 * size)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_derivatives_of_a_chain_take_a_few_times_its_operations_and_are_right(name: str, rng) -> None:
    check_formulas(FAMILIES[name], FEW, DEARER.get(name, MOST_OF_PRODUCT), rng)


@pytest.mark.parametrize("name", DEEP)
def test_what_is_executed_keeps_the_bound_in_deep_chains(name: str) -> None:
    check(name, MANY)


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in DEEP])
def test_what_is_executed_keeps_the_bound_in_chains_of_every_other_family(name: str) -> None:
    check(name, FEW)


@pytest.mark.parametrize("name", MIXED)
def test_mixed_steps_keep_the_bound_and_are_right(name: str, rng) -> None:
    check_formulas(MIXED[name], FEW - 1, MOST_OF_PRODUCT + 1, rng)


@pytest.mark.parametrize("size", [3, 4, 7, 33, 300])
@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_the_gradient_of_a_product_of_all_is_linear_and_right_at_zeros(size: int, zeros: int, rng) -> None:
    x, v = sn.tensor("x", size), sn.tensor("v", size)
    data = {"x": rng.uniform(0.5, 1.5, size), "v": rng.normal(size=size)}
    data["x"][:zeros] = 0

    def without(*places: int) -> float:
        return float(np.prod(np.delete(data["x"], places)))

    slopes, products = sn.grad(sn.prod(x), x), sn.hvp(sn.prod(x), x, v)
    assert count(sn.prod(x), slopes) <= MOST_OF_GRADIENT * size
    assert count(products) <= 14 * size
    found, product = evaluate([slopes, products], data, leaves=[x, v])
    assert found == pytest.approx([without(i) for i in range(size)], rel=1e-12)
    rows = [sum(without(i, j) * data["v"][j] for j in range(size) if j != i) for i in range(size)]
    assert product == pytest.approx(rows, rel=1e-10, abs=1e-12)
