"""Counting arrays: every ufunc, choice and product is seen, movement is free, values are those of NumPy.

What they count of a function is what its formula counts, and the compiled function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.compare.counting import Count, as_call, counted
from symnet.compare.tape import TapeProgram
from symnet.compare.tape.movement import _placed
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.primitives import functions
from symnet.expr.nodes.symbols import leaves as leaves_of

# name → (a program of arrays of 2×3 and 3×4, its arithmetic, its calls of functions)
COUNTS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "an addition": (lambda a, b: a + a, 6, 0),
    "a chain": (lambda a, b: np.exp(a) * a - 1, 12, 6),
    "a sign": (lambda a, b: np.abs(-a), 0, 0),
    "in place": (lambda a, b: np.add(a, a, out=np.empty((2, 3))), 6, 0),
    "a sum": (lambda a, b: a.sum(), 6, 0),
    "a sum along an axis": (lambda a, b: np.sum(a, 0), 6, 0),
    "a maximum": (lambda a, b: a.max(1), 6, 0),
    "the place of a maximum": (lambda a, b: np.argmax(a, 1) * 2, 6, 0),
    "a product of matrices": (lambda a, b: a @ b, 2 * 2 * 3 * 4, 0),
    "a tensor product": (lambda a, b: np.tensordot(a, b, ([1], [0])), 2 * 2 * 3 * 4, 0),
    "an outer product": (lambda a, b: np.tensordot(a, b, 0), 72, 0),
    "an einsum": (lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [0, 2]), 2 * 24, 0),
    "an outer product by einsum": (lambda a, b: np.einsum(a, [0, 1], b, [2, 3], [0, 1, 2, 3]), 72, 0),
    "a diagonal product": (lambda a, b: np.einsum(a, [0, 1], a, [0, 1], [0]), 12, 0),
    "a transposition by einsum": (lambda a, b: np.einsum(a, [0, 1], [1, 0]), 0, 0),
    "movement": (lambda a, b: np.concatenate([a.T.reshape(6), a[0, ::-1]]), 0, 0),
    "a choice": (lambda a, b: np.where(a > 0, a, 0) * 2, 18, 0),
    "broadcasting": (lambda a, b: np.broadcast_to(a[0], (5, 3)) * 2, 15, 0),
    "a cumulative product": (lambda a, b: np.cumprod(a, -1), 6, 0),
    "a scatter": (lambda a, b: np.add.at(a, [0, 0], np.ones((2, 3))), 6, 0),
    "shared memory": (lambda a, b: np.square(np.take(a, [0, 1, 1], axis=0)), 9, 0),
    "an index": (lambda a, b: np.take(a, (a[0] > 9).astype(int) % 2 + 0, axis=0), 3, 0),
    "a determinant": (lambda a, b: np.linalg.det(a[:, :2] + [[1, 0], [0, 9]]), 4 + 2 * 8 // 3 + 2, 0),
    "a logarithm of a determinant": (
        lambda a, b: np.linalg.slogdet(a[:, :2] + [[1, 0], [0, 9]])[1],
        4 + 2 * 8 // 3 + 2,
        2,
    ),
    "a part laid into zeros": (lambda a, b: _placed(a, (2, 5), (slice(2), slice(3))) + 1, 10, 0),
    "a function made of others": (lambda a, b: as_call(lambda x: np.exp(x) / 2 + x)(a), 0, 6),
}


@pytest.mark.parametrize("name", COUNTS)
def test_operations_are_counted_and_values_unchanged(name: str) -> None:
    function, arithmetic, functions = COUNTS[name]
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    count = Count()
    found = function(counted(a.copy(), count), counted(b, count))
    assert (count.arithmetic, count.transcendental) == (arithmetic, functions)
    plain = function(a.copy(), b)
    assert plain is None or np.array_equal(np.asarray(found), plain)


X, P, S = sn.tensor("x", 5), sn.tensor("p", 5, positive=True), sn.tensor("s", 5)
ALIKE = {
    **{p.name: (lambda p=p: elementwise(p.name, X if p.name == "sign" else P)) for p in functions()},
    "sum and difference": lambda: X + P - S,
    "product": lambda: X * S,
    "quotient": lambda: 1 / P,
    "square": lambda: X**2,
    "root": lambda: P**0.5,
    "power": lambda: P**X,
    "maximum": lambda: sn.maximum(X, S),
    "choice": lambda: sn.where(X > S, P, S),
    "remainder": lambda: X % P,
    "angle": lambda: sn.atan2(X, P),
    "xlogy": lambda: sn.xlogy(X, P),
    "sum": lambda: sn.sum(X),
    "outer": lambda: sn.outer(X, P),
    "product of a matrix": lambda: sn.tensor("A", 4, 5) @ X,
    "largest": lambda: sn.max(X),
    "running": lambda: sn.cumsum(X),
    "products so far": lambda: sn.cumprod(X, reverse=True),
    "part": lambda: X[1:3] + 1,
    "taken": lambda: sn.take(X, sn.tensor("i", 3, dtype="int64")),
}


MULTIPLY_ADDS = {
    "a product of matrices": 24,
    "a tensor product": 24,
    "an outer product": 0,
    "an einsum": 24,
    "a chain": 0,
}


@pytest.mark.parametrize("name", MULTIPLY_ADDS)
def test_products_that_are_added_are_counted_apart(name: str) -> None:
    count = Count()
    COUNTS[name][0](counted(np.arange(6.0).reshape(2, 3), count), counted(np.arange(12.0).reshape(3, 4), count))
    assert count.seen.multiply_adds == MULTIPLY_ADDS[name] and (count.multiply_adds or not name.startswith("a product"))


@pytest.mark.parametrize("name", ALIKE)
def test_a_formula_its_program_and_the_tape_count_alike(name: str) -> None:
    """Each by itself: the arithmetic around a function is what differs between the ways to a derivative."""
    form = ALIKE[name]()
    data = {leaf.name: np.ones(leaf.shape, leaf.dtype) for leaf in leaves_of(form)}
    count = Count()
    program = TapeProgram(form, [], {}, "float64")
    program.value({n: counted(a, count) for n, a in data.items()})
    assert count.seen == sn.operations(form) == sn.compile(form).operations
    if name in ("outer", "product of a matrix", "sum", "root"):
        pairs = 20 if name == "product of a matrix" else 0
        found = (count.seen, sn.operations(form), sn.compile(form).operations)
        assert [each.multiply_adds for each in found] == [pairs] * 3
