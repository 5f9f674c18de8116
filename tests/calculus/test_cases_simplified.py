"""Over the shared case list: what the calculus gives, simplified, has the right values."""

import numpy as np
import pytest

from symnet.calculus.grad import grad
from symnet.calculus.jacobian import jacobian
from symnet.calculus.products import hvp, jvp, vjp
from symnet.calculus.simplify import simplify
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves, tensor
from symnet.reference import evaluate
from tests.cases import CASES, Case
from tests.diff.checking import STEP, central_difference, directions, weighted

SMOOTH = [case for case in CASES if case.wrt]
# The Hessian of a chain of products has a term for every pair of links.
FIRST_ORDER_ONLY = {"a long chain"}


def inner(arrays, u, data) -> float:
    """Σ ⟨arrayₖ, uₖ⟩."""
    return sum(float(np.vdot(a, data[leaf.name])) for a, leaf in zip(arrays, u, strict=True))


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_simplified_roots_keep_their_values(case: Case, rng):
    data = case.data(rng)
    after = evaluate(simplify(case.roots), data, leaves=case.leaves)
    for a, b in zip(evaluate(case.roots, data), after, strict=True):
        defined = np.isfinite(a)  # rewrites may extend the domain, never shrink it
        assert a.shape == b.shape and np.allclose(a[defined], b[defined], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", SMOOTH, ids=repr)
def test_grad_and_jvp_agree_with_central_differences(case: Case, rng):
    u, v, data = directions(case, rng)
    scalar = weighted(case, v)
    gradients = evaluate(grad(scalar, case.targets), data, leaves=case.leaves)
    assert [g.shape for g in gradients] == [data[leaf.name].shape for leaf in case.targets]
    slope = inner(gradients, u, data)
    assert slope == pytest.approx(central_difference(case, scalar, data), rel=2e-6, abs=2e-6)
    forward = evaluate(jvp(scalar, dict(zip(case.targets, u, strict=True))), data)
    assert forward == pytest.approx(slope, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("case", [c for c in SMOOTH if c.name not in FIRST_ORDER_ONLY], ids=repr)
def test_hvp_agrees_with_central_differences_of_the_gradient(case: Case, rng):
    u, v, data = directions(case, rng)
    scalar = weighted(case, v)
    gradients = grad(scalar, case.targets)
    sides = []
    for sign in (1, -1):
        moved = {
            leaf.name: data[leaf.name] + sign * STEP * data[a.name] for leaf, a in zip(case.targets, u, strict=True)
        }
        sides.append(inner(evaluate(gradients, {**data, **moved}, leaves=case.leaves), u, data))
    numeric = (sides[0] - sides[1]) / (2 * STEP)
    second = inner(evaluate(hvp(scalar, case.targets, u), data, leaves=case.leaves), u, data)
    assert second == pytest.approx(numeric, rel=5e-6, abs=5e-6)


def first_jacobian(case: Case) -> tuple[Node, list]:
    """The first root, and the targets it contains."""
    root = case.roots[0]
    return root, [leaf for leaf in case.targets if leaf in leaves(root)]


@pytest.mark.parametrize("case", [c for c in SMOOTH if first_jacobian(c)[1]], ids=repr)
def test_a_jacobian_contracted_with_a_vector_is_the_vector_jacobian_product(case: Case, rng):
    _, _, data = directions(case, rng)
    root, targets = first_jacobian(case)
    v = data["v0"]
    products = evaluate(vjp(root, targets, tensor("v0", *root.shape)), data, leaves=case.leaves)
    for J, product, leaf in zip(
        evaluate(jacobian(root, targets), data, leaves=case.leaves), products, targets, strict=True
    ):
        assert J.shape == v.shape + data[leaf.name].shape
        assert np.tensordot(v, J, axes=v.ndim) == pytest.approx(product, rel=1e-8, abs=1e-9)
