"""Which axes are streamed: families of programs, with symbolic and known extents, need memory that does not grow with
any of them; what does grow is said in the notes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.nodes.symbols import leaves
from symnet.loops import interpreter
from symnet.lower.axes import axis_classes
from symnet.lower.batches import WORTH, batches
from symnet.lower.storage import decide
from symnet.reference import evaluate
from symnet.schedule.reuse import reused
from symnet.simplify.machine.arrangement import arrange

KILO = 1 << 10


@dataclass(frozen=True)
class Family:
    """A loss of leaves whose extents are given, and the leaves that it is differentiated by."""

    build: Callable[..., tuple[Any, list[Any]]]
    bound: int  # bytes of workspace that value and gradient need at most, beside the outputs, for any extents


def t(name: str, *shape: Any, dtype: str | None = None) -> Any:
    return sn.tensor(name, *shape, dtype=dtype) if dtype else sn.tensor(name, *shape)


def layers(m: Any, n: Any) -> tuple[Any, list[Any]]:
    X, W, V = t("X", m, 12), t("W", 12, 20), t("V", 20, 4)
    return sn.mean(sn.logsumexp(sn.tanh(X @ W) @ V, axis=1)), [W, V]


def grid(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """No leaf is as long as the batch."""
    W, s = t("W", 2, 5), sn.arange(m) / m
    return sn.sum(sn.tanh(sn.concat([s[:, None], s[:, None] ** 2], 1) @ W)), [W]


def gathered(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """The first leaf is a table, and the batch has a layer of its own."""
    c, V, y = t("c", n, 3), t("V", 3, 8), t("y", m)
    k = t("k", m, dtype="int64")
    return sn.sum((sn.sum(sn.tanh(sn.take(c, k) @ V), 1) - y) ** 2), [V]


def factors(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """Two tables and a batch of pairs."""
    U, V, y, b = t("U", n, 6), t("V", n + 3, 6), t("y", m), t("b", 6)
    i, j = t("i", m, dtype="int64"), t("j", m, dtype="int64")
    return sn.mean((sn.sum(sn.tanh(sn.take(U, i) + b) * sn.take(V, j), 1) - y) ** 2), [b]


def two_batches(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """Losses of two sets of rows, by one network."""
    X, Z, W, v = t("X", m, 6), t("Z", n, 6), t("W", 6, 9), t("v", 9)
    return sn.mean(sn.tanh(sn.tanh(X @ W) @ v) ** 2) + sn.sum(sn.exp(-sn.tanh(Z @ W) @ v)), [W, v]


def twins(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """Two batches of one extent that meet nowhere."""
    X, Z, W, v = t("X", m, 6), t("Z", m, 6), t("W", 6, 9), t("v", 9)
    return sn.sum(sn.tanh(sn.tanh(X @ W) @ v) ** 2) + sn.sum(sn.tanh(sn.tanh(Z @ W) @ v)), [W, v]


def weights_first(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """The batch is not the leading axis of the first leaf."""
    A, X = t("A", 9, 7), t("X", 7, m)
    return sn.sum(sn.tanh(A @ sn.tanh(X)) ** 2), [A]


def windows(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """A convolution along the batch: all its rows are of leaves."""
    X, K = t("X", m + 2, 4), t("K", 3, 4, 6)
    return sn.sum(sn.tanh(sum(X[a : m + a] @ K[a] for a in range(3))) ** 2), [K]


def normalised(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """Several sweeps."""
    X, W = t("X", m, 6), t("W", 6, 8)
    H = sn.tanh(X @ W)
    C = H - sn.mean(H, axis=0)
    return sn.mean(sn.tanh(C / sn.sqrt(sn.mean(C * C, axis=0) + 1e-3)) ** 3), [W]


def recurrent(m: Any, n: Any) -> tuple[Any, list[Any]]:
    X, W, h = t("X", 5, m, 4), t("W", 12, 8), t("h", m, 8)
    for k in range(5):
        h = sn.tanh(sn.concat([X[k], h], axis=1) @ W)
    return sn.mean(h * h), [W]


def attention(m: Any, n: Any) -> tuple[Any, list[Any]]:
    X, Q, K = t("X", m, 5, 8), t("Q", 8, 8), t("K", 8, 8)
    weights = sn.softmax(sn.einsum("bic,bjc->bij", X @ Q, X @ K), axis=-1)
    return sn.sum(sn.tanh(sn.einsum("bij,bjc->bic", weights, X)) ** 2), [Q, K]


def differences(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """Rows beside one another, of a layer."""
    X, W = t("X", m + 1, 5), t("W", 5, 7)
    H = sn.tanh(X @ W)
    return sn.sum((H[1:] - H[:-1]) ** 2), [W]


def convolved(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """Two convolutions along the batch."""
    h, kernels = t("X", m + 4, 3), [t("K", 3, 3, 5), t("L", 3, 5, 2)]
    for K in kernels:
        h = sn.tanh(sum(h[a : h.shape[0] - 2 + a] @ K[a] for a in range(3)))
    return sn.mean(h * h), kernels


def heat(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """Three steps of a stencil in two dimensions, with edges that stay."""
    u, k = t("u", m + 2, 9), t("k")
    for _ in range(3):
        inner = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1]
        u = u + k * sn.pad(sn.sin(inner), [(1, 1), (1, 1)])
    return sn.sum(u**4), [k]


def normalised_rows(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """By the rows themselves, as well as by what leads with the other axis."""
    s, o, X = t("s", 24), t("o", 24), t("X", m, 24)
    centred = X - sn.mean(X, axis=1, keepdims=True)
    scaled = centred / sn.sqrt(sn.mean(centred * centred, axis=1, keepdims=True) + 1e-3)
    return sn.mean(sn.tanh(scaled * s + o) ** 2), [X, s, o]


def logits(m: Any, n: Any) -> tuple[Any, list[Any]]:
    """Trained rows, weighted by class."""
    c, Z, D = t("c", 16), t("Z", m, 16), t("D", m, 16)
    return sn.mean(sn.sum(sn.exp(c) * D * sn.log(sn.softmax(Z * c)), 1) ** 2), [Z, c]


FAMILIES = {
    "normalised rows": Family(normalised_rows, 280 * KILO),
    "logits": Family(logits, 280 * KILO),
    "layers": Family(layers, 280 * KILO),
    "grid": Family(grid, 40 * KILO),
    "gathered": Family(gathered, 80 * KILO),
    "factors": Family(factors, 80 * KILO),
    "two batches": Family(two_batches, 120 * KILO),
    "twins": Family(twins, 120 * KILO),
    "weights first": Family(weights_first, 120 * KILO),
    "windows": Family(windows, 80 * KILO),
    "normalised": Family(normalised, 200 * KILO),
    "recurrent": Family(recurrent, 400 * KILO),
    "differences": Family(differences, 120 * KILO),
    "convolved": Family(convolved, 160 * KILO),
    "heat": Family(heat, 520 * KILO),
    "attention": Family(attention, 900 * KILO),
}


def extents(kind: str, m: int, n: int) -> tuple[Any, Any]:
    return (sn.dim("m"), sn.dim("n")) if kind == "symbolic" else (m, n)


def roots_of(name: str, m: Any, n: Any) -> list[Any]:
    loss, params = FAMILIES[name].build(m, n)
    return [loss, *sn.grad(loss, params)]


def data_of(roots: list[Any], rng: np.random.Generator, m: int, n: int) -> dict[str, Any]:
    sizes, given = {sn.dim("m"): m, sn.dim("n"): n}, {}
    for x in leaves(*roots):
        shape = [int(sympy.sympify(extent).subs(sizes)) for extent in x.shape]
        given[x.name] = rng.integers(0, n, shape) if x.dtype == "int64" else rng.normal(size=shape) / 2
    return given


@pytest.mark.parametrize("kind", ["symbolic", "known"])
@pytest.mark.parametrize("name", FAMILIES)
def test_memory_does_not_grow_with_any_extent(name: str, kind: str) -> None:
    made: dict[tuple[Any, Any], Any] = {}
    for m, n in ((1, 5), (1000, 5), (100_000, 40), (40, 100_000)):
        known = extents(kind, m, n)  # symbolic ones are the same each time, and so is the function
        f = made[known] if known in made else made.setdefault(known, sn.compile(roots_of(name, *known)))
        dims = {d: {"m": m, "n": n}[d] for d in f.signature.dims}
        # what is known and small is stored whole
        assert f.workspace_bytes(**dims) <= FAMILIES[name].bound + (WORTH if kind == "known" else 0)


PREDICTIONS = {
    "probabilities": lambda X, W, b, V: sn.softmax(sn.tanh(X @ W + b) @ V),
    "a hidden layer too": lambda X, W, b, V: [sn.tanh(X @ W + b) @ V, sn.relu(X @ W) @ V],
    "labels": lambda X, W, b, V: sn.argmax(sn.sigmoid(X @ W + b) @ V, axis=1),
    "rows and what they sum to": lambda X, W, b, V: [sn.exp(-sn.tanh(X @ W) @ V), sn.mean(sn.tanh(X @ W + b), axis=0)],
    "gradients by rows": lambda X, W, b, V: sn.grad(sn.sum(sn.tanh(sn.tanh(X @ W + b) @ V)), X),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PREDICTIONS)
def test_memory_does_not_grow_where_rows_are_what_is_asked_for(name: str, dtype: str) -> None:
    """Parameters' axes are known and lead their leaves, and no output has them: none of these is the batch."""
    f = sn.compile(PREDICTIONS[name](t("X", sn.dim("m"), 24), t("W", 24, 40), t("b", 40), t("V", 40, 16)), dtype=dtype)
    sizes = [f.workspace_bytes(m=rows) for rows in (1000, 1_000_000)]
    assert sizes[0] == sizes[1] <= 500 * KILO


@pytest.mark.parametrize("name", FAMILIES)
def test_one_row_needs_little_more_than_where_its_extent_is_known(name: str) -> None:
    m, n = 1, 4  # known axes of one element are no axes: two rows are what is packed and streamed
    loose = sn.compile(roots_of(name, *extents("symbolic", m, n)))
    fixed = sn.compile(roots_of(name, *extents("known", 2, n)))
    dims = {d: {"m": m, "n": n}[d] for d in loose.signature.dims}
    assert loose.workspace_bytes(**dims) <= 4 * fixed.workspace_bytes() + 2 * KILO


@pytest.mark.parametrize("kind", ["symbolic", "known"])
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("m", [1, 7, 300])
def test_values_are_those_of_the_reference(name: str, kind: str, m: int, rng: np.random.Generator) -> None:
    """The interpreter, whose memory begins with poison, on the scheduled program with its memory shared."""
    roots = roots_of(name, *extents(kind, m, 11))
    data = data_of(roots, rng, m, 11)
    program = reused(sn.compile(roots, stop_after="schedule"))
    found = interpreter.run(program, data, dims={"m": m, "n": 11}, check=False)
    for output, want in zip(
        program.outputs, evaluate(roots, data | {"length": np.zeros(m)}, leaves=[t("length", sn.dim("m"))]), strict=True
    ):
        np.testing.assert_allclose(found[output.name], want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_known_and_long_has_the_same_values(name: str, rng: np.random.Generator) -> None:
    """Long enough to be streamed; the same bits on one thread and on two."""
    m, n = 9000, 40
    roots = roots_of(name, m, n)
    data = data_of(roots, rng, m, n)
    one, two = (sn.compile(roots, threads=k)(**data) for k in (1, 2))
    for a, b, want in zip(one, two, evaluate(roots, data), strict=True):
        assert np.array_equal(a, b)
        np.testing.assert_allclose(a, want, rtol=1e-8, atol=1e-9)


# --------------------------------------------------------------------------- which


def chosen(*roots: Any) -> list[Any]:
    """The extents that are streamed, in order."""
    arranged = arrange(list(roots))
    found = batches(axis_classes(arranged), decide(arranged), arranged, "float64").places
    return [node.shape[axis] for node, axis in found]


m, n = sn.dim("m"), sn.dim("n")


def test_the_batch_is_what_saves_most() -> None:
    c, k = t("c", n, 3), t("k", m, dtype="int64")
    assert chosen(sn.sum(sn.tanh(sn.take(c, k) @ t("V", 3, 8)) @ t("v", 8))) == [m]
    assert chosen(*roots_of("two batches", m, n)) == [m, n]
    assert chosen(*roots_of("twins", m, n)) == [m]
    for name in ("normalised rows", "logits"):
        assert chosen(*roots_of(name, m, n))[0] == m
        assert chosen(*roots_of(name, 100_000, n))[0] == 100_000


def test_of_axes_that_save_as_much_the_batch_has_no_place_in_the_gradient() -> None:
    W, X, v = t("W", n, 8), t("X", m, 8), t("v", n)
    loss = sn.sum(sn.tanh(sn.tanh(X @ W.T) @ v))
    assert chosen(loss, sn.grad(loss, W))[0] == m


def test_what_meets_itself_is_not_streamed_where_something_else_is() -> None:
    X = t("X", m, n)
    assert chosen(sn.sum(sn.tanh(sn.tanh(X) @ sn.tanh(X).T)))[0] == n


def test_a_known_extent_is_streamed_where_it_pays() -> None:
    rows = WORTH // (8 * 16)
    few, many = (sn.sum(sn.tanh(sn.tanh(t("X", k, 8) @ t("W", 8, 16)) @ t("v", 16))) for k in (rows // 2, 4 * rows))
    assert chosen(few) == [] and chosen(many) == [4 * rows]


# --------------------------------------------------------------------------- what is said

X, W = t("X", m, 4), t("W", 4, 6)
H = sn.tanh(X @ W)
A = t("A", m, n)
MEET = "stored whole, as rows of the batch meet all rows: "
SAID = {
    "rows against rows": (sn.sum(sn.tanh(X @ X.T)), f"{MEET}t1: float64[m, m]"),
    "all of them": (sn.sum(sn.tanh(H @ H.T)), f"{MEET}t1: float64[m, 6], t2: float64[m, m]"),
    "other rows": (
        sn.sum((H[::-1] - H) ** 2),
        "stored whole, as rows are moved, or used at other rows: t1: float64[m, 6]",
    ),
    "one after another": (
        sn.sum(sn.tanh(sn.cumsum(t("x", m)))),
        "stored whole, as a scan goes from row to row: t1: float64[m]",
    ),
    "by an index": (
        sn.take(H, t("k", n, dtype="int64")),
        "stored whole, as take reads across its rows: t1: float64[m, 6]",
    ),
    "two long axes": (
        sn.sum(sn.softmax(sn.tanh(A), axis=1) ** 2),
        "streamed along one axis, with another symbolic one in each row: t1: float64[min(",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_grows_is_said_with_its_reason(name: str) -> None:
    root, said = SAID[name]
    program = sn.compile(root, stop_after="schedule")
    assert any(note.startswith(said) for note in program.notes), program.notes
    assert f"note: {program.notes[0]}" in sn.compile(root).report()


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_is_said_where_nothing_grows(name: str) -> None:
    assert not sn.compile(roots_of(name, m, n), stop_after="schedule").notes


def test_only_some_of_many_arrays_are_named() -> None:
    h = t("X", m, 6)
    for _ in range(9):
        h = sn.tanh(sn.cumsum(h, axis=0))
    notes = sn.compile(sn.grad(sn.sum(h**2), t("X", m, 6)), stop_after="schedule").notes
    assert notes and all(note.count("float64") <= 4 for note in notes)
    assert any(" more" in note for note in notes)


FLAT = sn.reshape(sn.tanh(t("X", m, 5)) * t("Y", m, 5), -1)
PARTED = {
    "scans": sn.cumsum(FLAT) * sn.sin(sn.cumsum(2 * FLAT)),
    "a product's slopes": sn.cumprod(FLAT, exclusive=True) * sn.cumprod(FLAT, reverse=True, exclusive=True),
}


@pytest.mark.parametrize("name", PARTED)
@pytest.mark.parametrize("rows", [4, 300])
def test_a_flat_array_parted_into_rows_is_not_streamed_with_them(
    name: str, rows: int, rng: np.random.Generator
) -> None:
    """A view of 256 flat elements stood for 256 rows."""
    rooted = t("Y", m, 5) * sn.reshape(PARTED[name], (m, 5))
    data = {leaf.name: rng.uniform(-1.3, 1.3, (rows, 5)) for leaf in leaves(rooted)}
    (want,) = evaluate([rooted], data)
    np.testing.assert_allclose(sn.compile(rooted)(**data), want, rtol=1e-9, atol=1e-12)
