"""Source text for other libraries: it runs there, agrees with the reference, and reads as a person would write it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError, MissingRuleError
from symnet.expr.nodes.symbols import leaves
from symnet.source.module import source
from tests.cases import Case
from tests.export.libraries import CHOSEN, agree

m, d, k = sn.dim("m"), sn.dim("d"), sn.dim("k")
X, W, b = sn.tensor("X", m, d), sn.tensor("W", d, k), sn.tensor("b", k)
D = sn.tensor("D", m, k, one_hot=True)
Y = sn.softmax(X @ W + b).named("Y")
LOSS = sn.mean(sn.cross_entropy(Y, D))


def run(text: str, name: str, data: dict[str, Any]) -> Any:
    """Executes the module and calls its function, in NumPy."""
    module: dict[str, Any] = {}
    exec(text, module)
    return module[name](**data)


@pytest.mark.parametrize("case", CHOSEN, ids=repr)
def test_every_case_and_its_gradient_runs_in_numpy(case: Case) -> None:
    agree(case, "numpy", np.asarray)


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_the_cases_and_their_gradients_run_in_the_library(library: str) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-m", "tests.export.libraries", library]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_gradient_of_a_regression_reads_as_a_person_would_write_it() -> None:
    f = sn.value_and_grad(LOSS, {"W": W, "b": b}, name="step")
    body = f.source("torch").split("def step")[1]
    assert body == (
        "(X, D, W, b):\n"
        '    """value, grad_W, grad_b.\n'
        "\n"
        "    value = mean(-sum(D*log(Y), axis=1))\n"
        "    grad_W = X.T @ (Y - D)/m\n"
        "    grad_b = mean(Y - D, axis=0)\n"
        "\n"
        "    X: (m, d)\n"
        "    D: (m, k)\n"
        "    W: (d, k)\n"
        "    b: (k,)\n"
        '    """\n'
        "    m = X.shape[0]\n"
        "    t1 = X @ W + b  # (m, k)\n"
        "    t2 = torch.log_softmax(t1, dim=1)  # (m, k)\n"
        "    Y = torch.exp(t2)  # (m, k)\n"
        "    t3 = Y - D  # (m, k)\n"
        "    value = -torch.sum(D*t2)/m\n"
        "    grad_W = X.T @ t3/m\n"
        "    grad_b = torch.mean(t3, dim=0)\n"
        "    return value, {'W': grad_W, 'b': grad_b}\n"
    )


def lines_of(root: Any) -> list[str]:
    """The lines of a function's body, behind its docstring."""
    text = sn.compile(root).source("numpy")
    return [line.strip() for line in text.rpartition('"""')[2].strip().splitlines()]


@pytest.mark.parametrize(
    ("root", "lines"),
    [
        (sn.sum(sn.tensor("x", 3) * sn.tensor("y", 3)), ["value = x @ y", "return value"]),
        (sn.sin(sn.tensor("P", m, 2)[:, 1]), ["value = np.sin(P[:, 1])", "return value"]),
        (sn.tensor("P", m, 3)[::-1, 0] * -2, ["value = -2*np.flip(P[:, 0:1], 0)[:, 0]", "return value"]),
        (sn.mean((X @ W) ** 2, axis=0), ["value = np.mean((X @ W)**2, axis=0)", "return value"]),
        (sn.softmax(X @ W) * 2, ["t1 = X @ W  # (m, k)", "value = 2*softmax(t1, axis=1)", "return value"]),
        (1 - sn.tensor("y", m), ["value = 1 - y", "return value"]),
        (sn.log(X @ W + b) / (X @ W + b), ["t1 = X @ W + b  # (m, k)", "value = np.log(t1)/t1", "return value"]),
    ],
    ids=str,
)
def test_source_says_things_the_short_way(root: Any, lines: list[str]) -> None:
    assert [line.replace("out0", "value") for line in lines_of(root)] == lines


@pytest.mark.parametrize("real", ["float32", "float64"])
def test_source_stays_in_its_dtype(real: str, rng: np.random.Generator) -> None:
    x, A = sn.tensor("x", 4), sn.tensor("A", 4, 4)
    roots = {
        "linear algebra": x @ sn.solve(A, x) + sn.logdet(A),
        "norms": sn.norm(x) + sn.norm(A),
        "choices": sn.sum(sn.where(x > 0, x, 2 * x)) + sn.max(x),
        "running sums": sn.sum(sn.cumsum(x) ** 2),
        "running products": sn.prod(x) + sn.sum(sn.cumprod(A, 0) * sn.linear_recurrence(x, A, 0, reverse=True)),
        "classes": sn.mean(sn.cross_entropy(sn.softmax(A), sn.labels("t", 4, classes=4))),
    }
    data = {"x": rng.normal(size=4), "A": rng.normal(size=(4, 4)) + 4 * np.eye(4), "t": np.array([0, 3, 1, 2])}
    for name, root in roots.items():
        targets = [leaf for leaf in leaves(root) if leaf.name in ("x", "A")]
        f = sn.value_and_grad(root, targets, dtype=real, name="f")
        given = {k: data[k].astype(real) if data[k].dtype.kind == "f" else data[k] for k in f.inputs}
        value, grads = run(f.source("numpy"), "f", given)
        expected, wanted = f(**given)
        assert np.asarray(value).dtype == real and all(g.dtype == real for g in grads), name
        for a, w in zip([value, *grads], [expected, *wanted], strict=True):
            np.testing.assert_allclose(a, w, rtol=2e-4 if real == "float32" else 1e-10, atol=1e-5, err_msg=name)


def test_source_computes_what_was_compiled(rng: np.random.Generator) -> None:
    f = sn.value_and_grad(LOSS, [W, b], dtype="float32")
    data = {
        "X": rng.normal(size=(5, 4)).astype("float32"),
        "W": rng.normal(size=(4, 3)).astype("float32"),
        "b": rng.normal(size=3).astype("float32"),
        "D": np.eye(3, dtype="float32")[rng.integers(0, 3, 5)],
    }
    value, grads = f(**data)
    again, others = run(f.source(), "symnet_gradient", data)
    assert again.dtype == np.float32 and all(g.dtype == np.float32 for g in others)
    np.testing.assert_allclose(again, value, rtol=1e-5)
    for g, h in zip(grads, others, strict=True):
        np.testing.assert_allclose(h, g, rtol=1e-4, atol=1e-6)


def test_one_result_stands_alone_and_helpers_come_along() -> None:
    x = sn.tensor("x", 3)
    text = sn.compile(sn.sum(sn.erf(x))).source("numpy")
    assert text.startswith("import math\n\nimport numpy as np\n") and "erf = np.vectorize" in text
    assert run(text, "symnet_function", {"x": np.zeros(3)}) == 0.0


def test_names_never_clash() -> None:
    t1, np_ = sn.tensor("t1", m), sn.tensor("m", m)
    root = [(sn.exp(t1) * np_).named("lambda"), sn.exp(t1) + m]
    text = source("f", "numpy", root, leaves(*root), ["t1", "value"], (0, 1), "float64")
    first, second = run(text, "f", {"t1": np.zeros(2), "m": np.ones(2)})
    assert first.tolist() == [1.0, 1.0] and second.tolist() == [3.0, 3.0]


def test_an_unknown_library_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"expected one of 'numpy', 'jax', 'torch', 'c'; got 'tensorflow'"):
        sn.compile(sn.scalar("x") + 1).source("tensorflow")


def test_an_extent_that_no_axis_tells_is_refused() -> None:
    with pytest.raises(ArgumentError, match="expected an input with the extent q; got none"):
        source("f", "numpy", [sn.scalar("x") * sn.dim("q")], [sn.scalar("x")], ["y"], 0, "float64")


def test_a_primitive_without_a_spelling_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from symnet.source.dialects import NUMPY

    monkeypatch.delitem(NUMPY.functions, "tanh")  # type: ignore[arg-type]
    with pytest.raises(MissingRuleError, match=r"the primitive tanh.*symnet/source/dialects\.py"):
        sn.compile(sn.tanh(sn.scalar("x"))).source("numpy")


def test_a_kind_without_a_writer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from symnet.source.module import WRITERS

    monkeypatch.delitem(WRITERS, "einsum")  # type: ignore[arg-type]
    with pytest.raises(MissingRuleError, match=r"a writer for einsum nodes; got Einsum\. Add it to WRITERS"):
        sn.compile(sn.sum(sn.tensor("x", 3))).source("numpy")
