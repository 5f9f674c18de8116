"""Movement: shapes and values agree with NumPy, nothing is folded, and misfits are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symnet.errors import DTypeError, ShapeError
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.expansion import Expand, expand, fill, keep_axes
from symnet.expr.nodes.extents import ints_arg, shape_arg
from symnet.expr.nodes.movement import Concat, Place, Reshape, broadcast_to, concat, pad, reshape, stack
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import tensor
from symnet.reference import evaluate
from tests.expr.examples import A, X, a, m, n, v


def same_value(node: Node, wanted: Any, **arrays: Any) -> None:
    assert node.shape == np.shape(wanted)
    np.testing.assert_array_equal(evaluate(node, arrays), wanted)


shapes = st.lists(st.sampled_from([0, 1, 2, 3]), max_size=3).map(tuple)


@given(shapes, shapes)
def test_broadcast_to_is_numpys(source: tuple[int, ...], target: tuple[int, ...]):
    x = np.arange(1.0, 1 + np.prod(source)).reshape(source)
    try:
        wanted = np.broadcast_to(x, target)
    except ValueError:
        with pytest.raises(ShapeError, match="broadcast_to"):
            broadcast_to(tensor("x", source), target)
    else:
        same_value(broadcast_to(tensor("x", source), target), wanted, x=x)


@given(
    st.sampled_from([(12,), (3, 4), (2, 3, 2), (0, 3), (1,), ()]),
    st.lists(st.sampled_from([-1, 0, 1, 2, 3, 4, 6, 12]), max_size=3).map(tuple),
)
def test_reshape_is_numpys(source: tuple[int, ...], target: tuple[int, ...]):
    x = np.arange(np.prod(source), dtype=float).reshape(source)
    try:
        wanted = x.reshape(target)
    except ValueError:
        with pytest.raises(ShapeError, match="reshape"):
            reshape(tensor("x", source), target)
    else:
        same_value(reshape(tensor("x", source), target), wanted, x=x)


def test_reshape_divides_symbolic_extents():
    assert reshape(X, -1, 2).shape == (2 * m, 2)
    assert reshape(X, 2, -1).shape == (2, 2 * m)
    assert reshape(X, m * 4).shape == reshape(X, -1).shape == (4 * m,)
    assert reshape(tensor("P", m, n), n, m).shape == (n, m)
    assert reshape(X, (m, 4)) is X
    assert reshape(A, 4, 3).func is Reshape


WIDTH = st.integers(0, 2)
PAIRS = st.tuples(WIDTH, WIDTH)


@given(
    st.one_of(
        WIDTH,
        PAIRS,
        st.tuples(WIDTH),
        st.tuples(PAIRS),
        st.tuples(PAIRS, PAIRS),
        st.lists(st.tuples(WIDTH), min_size=2, max_size=2),
    )
)
def test_pad_is_numpys(widths: Any):
    x = np.arange(1.0, 7.0).reshape(2, 3)
    same_value(pad(tensor("x", 2, 3), widths), np.pad(x, widths), x=x)


@given(st.lists(st.sampled_from([0, 1, 3]), min_size=1, max_size=3), st.integers(-2, 1))
def test_concat_is_numpys(extents: list[int], axis: int):
    built = {
        f"x{k}": np.full((2, extent) if axis % 2 else (extent, 2), float(k + 1)) for k, extent in enumerate(extents)
    }
    leaves = [tensor(name, array.shape) for name, array in built.items()]
    same_value(concat(leaves, axis), np.concatenate(list(built.values()), axis), **built)


@given(st.integers(1, 3), st.integers(-3, 2))
def test_stack_is_numpys(count: int, axis: int):
    built = {f"x{k}": np.full((2, 3), float(k)) for k in range(count)}
    leaves = [tensor(name, 2, 3) for name in built]
    same_value(stack(leaves, axis), np.stack(list(built.values()), axis), **built)


def test_concat_adds_symbolic_extents_and_knows_where_operands_start():
    node = concat([X, tensor("P", n, 4), X])
    assert isinstance(node, Concat)
    assert node.shape == (2 * m + n, 4)
    assert node.offsets == (0, m, m + n)
    assert concat([X]) is X


def test_place_lays_elements_apart():
    node = Place(v, shape_arg((9,)), shape_arg((1,)), ints_arg((2,)))
    same_value(node, [0, 1, 0, 2, 0, 3, 0, 4, 0], v=np.arange(1.0, 5.0))
    assert (node.starts, node.steps) == ((1,), (2,))


def test_expand_says_which_axes_repeat():
    node = expand(v, (m, 4, 2), (1,))
    assert isinstance(node, Expand)
    assert (node.axes, node.new_axes, node.shape) == ((1,), (0, 2), (m, 4, 2))
    assert expand(v, (4,), (0,)) is v
    assert fill(0, (m, 2)).operands == (number(0),)
    assert fill(a, (2,)).shape == (2,)
    assert keep_axes(v, (0, 2)).shape == (1, 4, 1)
    assert keep_axes(v, ()) is v


def test_constructors_are_inert():
    twice = reshape(reshape(A, 12), 3, 4)
    assert twice is not A and twice.operands == (reshape(A, 12),)
    assert expand(expand(a, (3,), ()), (2, 3), (1,)).operands == (expand(a, (3,), ()),)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: reshape(A, 3, 7),
            ShapeError,
            "reshape(3, 7): expected 12 elements; got a target of 21. The array has shape (3, 4); make the",
        ),
        (lambda: reshape(A, -1, -1), ShapeError, "reshape(-1, -1): expected 12 elements"),
        (lambda: reshape(A, 5, -1), ShapeError, "reshape(5, -1): expected 12 elements; got a target of 5."),
        (lambda: reshape(A, -2, 6), ShapeError, "reshape(-2, 6): expected extents of at least 0; got -2."),
        (lambda: reshape(A, "m"), ShapeError, "reshape(m): expected an int or a dim for each extent; got 'm'."),
        (lambda: reshape(X, m), ShapeError, "reshape(m): expected 4*m elements; got a target of m."),
        (lambda: broadcast_to(A, (3, 5)), ShapeError, "broadcast_to((3, 5)): expected shapes that broadcast"),
        (
            lambda: broadcast_to(A, (4,)),
            ShapeError,
            "broadcast_to((4,)): expected a shape that x broadcasts to; got x of shape (3, 4).",
        ),
        (
            lambda: concat([]),
            ShapeError,
            "concat(…, axis=0): expected at least one array, and an axis it has; got 0 arrays of rank 0.",
        ),
        (
            lambda: concat([A, A], 2),
            ShapeError,
            "concat(…, axis=2): expected at least one array, and an axis it has; "
            "got 2 arrays of rank 2. Use stack for a new axis.",
        ),
        (
            lambda: concat([A, X], 1),
            ShapeError,
            "concat(…, axis=1): expected shapes equal but for that axis; got (3, 4) and (m, 4). "
            "Correct a shape or the axis.",
        ),
        (lambda: concat([A, v]), ShapeError, "expected shapes equal but for that axis; got (3, 4) and (4,)."),
        (
            lambda: concat([A, tensor("f", 3, 4, dtype="float32")]),
            DTypeError,
            "concat(…, axis=0): expected real operands of one dtype; got float32 and float64.",
        ),
        (lambda: stack([A, v]), ShapeError, "stack(…): expected arrays of one shape; got (3, 4) and (4,)."),
        (lambda: stack([]), ShapeError, "stack(…): expected arrays of one shape; got none."),
        (
            lambda: stack([v, v], 2),
            ShapeError,
            "stack(…, axis=2): expected an axis from -2 to 1; got 2. Check the rank.",
        ),
        (
            lambda: pad(A, [(1, 1)] * 3),
            ShapeError,
            "pad(x, widths): expected 2 pairs (before, after); got [(1, 1), (1, 1), (1, 1)]. Give one pair per axis,",
        ),
        (lambda: pad(A, [1, 2, 3]), ShapeError, "pad(x, widths): expected 2 pairs (before, after); got [1, 2, 3]."),
        (lambda: pad(A, [(1, 2), (3,)]), ShapeError, "expected 2 pairs (before, after); got [(1, 2), (3,)]."),
        (lambda: pad(v, 0.5), ShapeError, "pad: expected an int or a dim for each extent; got 0.5."),
        (lambda: pad(v, [(-1, 0)]), ShapeError, "pad: expected extents of at least 0; got -1."),
    ],
)
def test_what_does_not_fit_is_refused_with_its_values(build: Any, error: type[Exception], message: str):
    with pytest.raises(error) as caught:
        build()
    assert message in str(caught.value)
