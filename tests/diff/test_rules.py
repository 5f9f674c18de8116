"""What single rules give: conventions at kinks, safe forms, compact forms, and linear work."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symnet.diff import basis, batch, pullback, pushforward
from symnet.diff.contraction import unbroadcast
from symnet.expr.nodes.activations import relu
from symnet.expr.nodes.constants import Delta, number
from symnet.expr.nodes.contraction import einsum
from symnet.expr.nodes.elementwise import (
    absolute,
    elementwise,
    exp,
    log,
    maximum,
    minimum,
    sigmoid,
    sin,
    sqrt,
    tanh,
    where,
)
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import max as largest
from symnet.expr.nodes.reduction import min as smallest
from symnet.expr.nodes.symbols import Barrier, tensor
from symnet.reference import evaluate

m = dim("m")
x, y = tensor("x", 3), tensor("y", 3)


def slope(node: Node, **data) -> list:
    """∂(Σ node)/∂x as a list."""
    bar = pullback(node.sum(), number(1), [x])[x]
    return evaluate(bar, {k: np.asarray(v, dtype=float) for k, v in data.items()}, leaves=[x]).tolist()


def test_relu_has_slope_one_at_zero_and_abs_slope_zero():
    assert slope(relu(x), x=[-1, 0, 1]) == [0, 1, 1]
    assert slope(absolute(x), x=[-1, 0, 1]) == [-1, 0, 1]


def test_a_tie_goes_to_the_first_operand():
    for function in (maximum, minimum):
        assert slope(function(x, y), x=[1, 1, 1], y=[1, 1, 1]) == [1, 1, 1]
        assert slope(function(y, x), x=[1, 1, 1], y=[1, 1, 1]) == [0, 0, 0]


def test_the_first_extreme_element_takes_everything():
    assert slope(largest(x), x=[2, 5, 5]) == [0, 1, 0]
    assert slope(smallest(x), x=[5, 2, 2]) == [0, 1, 0]


def test_the_branch_not_taken_leaks_no_nan():
    assert slope(where(x > 0, log(x), 0), x=[-1, 0, 2]) == [0, 0, 0.5]
    assert slope(where(x > 0, sqrt(x), x), x=[-1, 0, 4]) == [1, 1, 0.25]
    nested = where(x > 0, where(x > 1, log(x - 1), log(x)), where(x < -1, log(-x), 3))
    assert slope(nested, x=[-2, 0, 0.5]) == [-0.5, 0, 2]


def test_a_power_is_safe_at_zero():
    two = tensor("two")
    assert slope(x**2, x=[0, 1, 2]) == [0, 2, 4]
    assert slope(x**1, x=[0, 1, 2]) == [1, 1, 1] and pullback((x**0).sum(), number(1), [x])[x] is None
    bar = pullback((x**two).sum(), number(1), [two])[two]
    assert evaluate(bar, {"x": np.zeros(3), "two": 2.0}) == 0


def test_slopes_reuse_the_output():
    for function in (sigmoid, tanh, exp):
        output = function(x)
        assert output in topological(pullback(output.sum(), number(1), [x])[x])


def test_a_repeated_index_comes_back_through_a_delta():
    Q = tensor("Q", 3, 3)
    bar = pullback(einsum("ii", Q), number(1), [Q])[Q]
    assert any(isinstance(node, Delta) for node in topological(bar))
    assert np.array_equal(evaluate(bar, {"Q": np.ones((3, 3))}, leaves=[Q]), np.eye(3))


def test_contributions_to_a_shared_value_are_added_once():
    shared = exp(x)
    bar = pullback(elementwise("add", *(shared * k for k in range(2, 7))).sum(), number(1), [x])[x]
    additions = [n for n in topological(bar) if n.kind == "elementwise" and n.op == "add"]
    assert len(additions) == 1 and len(additions[0].operands) == 5


def test_several_targets_come_from_one_pass_and_intermediate_ones_see_all_routes():
    a, b = tensor("a"), tensor("b")
    c = Barrier(a + b)
    found = pullback(a * c, number(1), [a, b, c])
    values = evaluate(list(found.values()), {"a": np.array(4.0), "b": np.array(3.0)})
    assert [float(v) for v in values] == [11, 4, 4]


def test_a_target_that_is_not_reached_is_zero():
    assert pullback(x.sum(), number(1), [x, y])[y] is None
    assert pushforward([x.sum(), y.sum()], {x: x})[1] is None


def test_no_zeros_are_built_for_what_does_not_depend_on_the_target():
    bar = pullback((x * 2 + sin(y)).sum(), number(1), [x])[x]
    assert y not in topological(bar) and number(0) not in topological(bar)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_work_is_linear_on_a_graph_with_exponentially_many_routes(mode):
    sizes = []
    for depth in (30, 60):
        value = x
        for _ in range(depth):
            value = value + value
        if mode == "reverse":
            result = pullback(value.sum(), number(1), [x])[x]
        else:
            (result,) = pushforward([value.sum()], {x: y})
        sizes.append(len(topological(result)))
    assert sizes[1] <= 2 * sizes[0]


def test_a_chain_of_ten_thousand_nodes_is_differentiated_without_recursion():
    value = x
    for _ in range(10_000):
        value = sin(value)
    bar = pullback(value.sum(), number(1), [x])[x]
    (dot,) = pushforward([value], {x: y})
    assert len(topological(bar)) > 20_000 and dot.shape == (3,)


# --------------------------------------------------------------------------- shapes

extents = st.sampled_from([0, 1, 2, 3, m])


@given(st.lists(extents, max_size=3), st.data())
def test_unbroadcast_gives_back_any_shape_that_broadcasts(shape, data):
    """broadcast_to and unbroadcast are adjoint: ⟨broadcast(u), v⟩ = ⟨u, unbroadcast(v)⟩."""
    smaller = [data.draw(st.sampled_from([n, 1])) for n in shape][data.draw(st.integers(0, len(shape))) :]
    u, v = tensor("u", *smaller), tensor("v", *shape)
    back = unbroadcast(v, u.shape)
    assert back.shape == u.shape
    rng = np.random.default_rng(0)
    size = [4 if n is m else n for n in shape]
    arrays = {"v": rng.normal(size=size), "u": rng.normal(size=[4 if n is m else n for n in smaller])}
    spread = evaluate(broadcast_to(u, v.shape), arrays, leaves=[u, v])
    assert np.vdot(spread, arrays["v"]) == pytest.approx(np.vdot(arrays["u"], evaluate(back, arrays, leaves=[u, v])))


@given(st.lists(extents, max_size=3), st.lists(extents, max_size=2))
def test_batching_a_product_with_the_basis_gives_its_diagonal_jacobian(left, right):
    """y = a ⊙ u is linear in u: with the basis for u, the extra axes hold ∂y/∂u."""
    a, u = tensor("a", *left, *right), tensor("u", *right)
    (rows,) = batch([a * u], {u: basis(u.shape)}, u.shape)
    assert rows.shape == (*u.shape, *a.shape)
    size = {n: 4 if n is m else n for n in (*left, *right)}
    arrays = {"a": np.ones([size[n] for n in a.shape]), "u": np.zeros([size[n] for n in u.shape])}
    value = evaluate(rows, arrays, leaves=[a, u])
    assert value.sum() == arrays["a"].size
