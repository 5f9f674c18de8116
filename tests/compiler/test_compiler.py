"""The whole compiler as users meet it: `compile` and `value_and_grad`, what they return, show and refuse."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.elf import is_possible
from symnet.backends.llvm.targets import target_for
from symnet.errors import CompileError
from symnet.loops.ir import Program
from symnet.loops.printer import to_text
from symnet.request import Request, cache_key

m = sn.dim("m")


def digits() -> tuple[Any, list[Any], Any]:
    X, D = sn.tensor("X", m, 64), sn.tensor("D", m, 10, one_hot=True)
    W1, b1, W2, b2 = sn.tensor("W1", 64, 128), sn.tensor("b1", 128), sn.tensor("W2", 128, 10), sn.tensor("b2", 10)
    Y = sn.softmax(sn.tanh(X @ W1 + b1) @ W2 + b2).named("Y")
    return sn.mean(sn.cross_entropy(Y, D)), [W1, b1, W2, b2], Y


def data_for(rows: int, rng: np.random.Generator, dtype: str = "float32") -> dict[str, np.ndarray]:
    shapes = {"X": (rows, 64), "W1": (64, 128), "b1": (128,), "W2": (128, 10), "b2": (10,)}
    data = {name: (rng.normal(size=shape) / 8).astype(dtype) for name, shape in shapes.items()}
    return data | {"D": np.eye(10, dtype=dtype)[rng.integers(0, 10, rows)]}


def by_hand(d: dict[str, np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The digits gradient in float64 NumPy."""
    X, D, W1, b1, W2, b2 = (d[k].astype("f8") for k in ("X", "D", "W1", "b1", "W2", "b2"))
    H = np.tanh(X @ W1 + b1)
    Z = H @ W2 + b2
    Z -= Z.max(1, keepdims=True)
    Y = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
    G = (Y - D) / len(X)
    back = (G @ W2.T) * (1 - H * H)
    return -(D * np.log(Y)).sum() / len(X), [X.T @ back, back.sum(0), H.T @ G, G.sum(0)]


@pytest.fixture(scope="module")
def gradient() -> Any:
    loss, params, _ = digits()
    return sn.value_and_grad(loss, params, dtype="float32")


@pytest.mark.parametrize("rows", [1, 7, 32, 256, 257, 1000])
def test_the_digits_gradient_is_that_of_numpy(gradient: Any, rows: int, rng: np.random.Generator) -> None:
    data = data_for(rows, rng)
    value, gradients = gradient(**data)
    wanted, wanted_gradients = by_hand(data)
    assert value.dtype == np.float32
    np.testing.assert_allclose(value, wanted, rtol=1e-5)
    for got, want in zip(gradients, wanted_gradients, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=2e-6)


def test_workspace_does_not_grow_with_the_batch(gradient: Any) -> None:
    assert gradient.workspace_bytes(m=1000) == gradient.workspace_bytes(m=1_000_000)


MILLION = """
import resource, numpy as np, symnet as sn
from tests.compiler.test_compiler import digits
loss, params, _ = digits()
f = sn.value_and_grad(loss, params, dtype="float32")
rng = np.random.default_rng(0)
rows = 1_000_000
data = dict(X=np.ones((rows, 64), "f4"), D=np.zeros((rows, 10), "f4"), W1=rng.normal(size=(64, 128)).astype("f4"),
            b1=np.zeros(128, "f4"), W2=rng.normal(size=(128, 10)).astype("f4"), b2=np.zeros(10, "f4"))
data["D"][:, 3] = 1
small = {k: v[:1000].copy() if k in "XD" else v for k, v in data.items()}
f(**small)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
value, gradients = f(**data)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
outputs = sum(g.nbytes for g in gradients) / 1024
assert np.isfinite(value)
print((grown - outputs) / 1024)
"""


def test_a_million_rows_need_little_memory_beyond_inputs_and_outputs() -> None:
    done = subprocess.run([sys.executable, "-c", MILLION], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 32.0  # MB


@pytest.mark.parametrize("rows", [5, 64, 300])
def test_one_thread_and_two_give_the_same_bits(gradient: Any, rows: int, rng: np.random.Generator) -> None:
    loss, params, _ = digits()
    two = sn.value_and_grad(loss, params, dtype="float32", threads=2)
    data = data_for(rows, rng)
    (a, ga), (b, gb) = gradient(**data), two(**data)
    assert a == b
    for one, other in zip(ga, gb, strict=True):
        np.testing.assert_array_equal(one, other)


def test_gradients_come_in_the_structure_of_the_parameters(rng: np.random.Generator) -> None:
    x, y = sn.tensor("x", 3), sn.tensor("y", 3)
    loss = sn.sum(x * x * y)
    data = {"x": rng.normal(size=3), "y": rng.normal(size=3)}
    _, by_name = sn.value_and_grad(loss, {"first": x, "second": y})(**data)
    np.testing.assert_allclose(by_name["first"], 2 * data["x"] * data["y"])
    _, single = sn.value_and_grad(loss, y)(**data)
    np.testing.assert_allclose(single, data["x"] ** 2)


def test_an_expression_gives_an_array_a_list_a_tuple_and_rank_zero_a_scalar() -> None:
    x = sn.tensor("x", 2)
    two = np.array([3.0, 4.0])
    np.testing.assert_array_equal(sn.compile(x * 2)(x=two), [6.0, 8.0])
    answer = sn.compile([x + 1, sn.sum(x)])(x=two)
    assert isinstance(answer, tuple) and isinstance(answer[1], np.float64) and answer[1] == 7.0


def test_inputs_are_the_leaves_as_written_and_unused_ones_stay() -> None:
    x, y, z = sn.tensor("x", 2), sn.tensor("y", 2), sn.tensor("z", 2)
    f = sn.compile(y * 1 + (x - x) + z)
    assert f.inputs == ("y", "x", "z")
    assert f.signature.unused == {"x"}
    np.testing.assert_array_equal(f(x=np.ones(2), y=np.ones(2), z=np.ones(2)), [2.0, 2.0])


def test_positional_calls_need_an_order() -> None:
    x, y = sn.tensor("x", 2), sn.tensor("y", 2)
    f = sn.compile(x - y, inputs=[y, x])
    np.testing.assert_array_equal(f(np.ones(2), np.zeros(2)), [-1.0, -1.0])


@pytest.mark.parametrize("stage", ["simplify", "numeric", "loops", "schedule", "llvm"])
def test_one_can_stop_at_any_floor_and_look(stage: str) -> None:
    loss, params, _ = digits()
    found = sn.value_and_grad(loss, params, stop_after=stage)
    text = to_text(found) if isinstance(found, Program) else str(found)
    assert {"simplify": "tanh", "numeric": "tanh", "loops": "for ", "schedule": "(vector of ", "llvm": "define"}[
        stage
    ] in text


def test_a_wrong_stage_is_refused() -> None:
    with pytest.raises(
        sn.ArgumentError, match=r"stop_after='machine'.*expected one of simplify, numeric.*got 'machine'"
    ):
        sn.compile(sn.scalar("a") * 2, stop_after="machine")


def test_an_integer_dtype_is_refused() -> None:
    with pytest.raises(sn.ArgumentError, match="expected float32 or float64; got int64"):
        sn.compile(sn.scalar("a") * 2, dtype="int64")


def test_two_leaves_of_one_name_are_refused() -> None:
    with pytest.raises(
        sn.ArgumentError, match=r"one tensor called 'x'; got two: float64\[2\] and float64\[2\] positive"
    ):
        sn.compile(sn.tensor("x", 2) + sn.tensor("x", 2, positive=True))


def test_a_function_shows_every_floor(gradient: Any) -> None:
    assert "tanh" in str(gradient.formula)
    assert "(vector of " in gradient.loops
    assert "define" in gradient.llvm_ir
    assert "symnet_gradient" in gradient.assembly
    assert gradient.flops.subs({m: 10}) < gradient.flops.subs({m: 20})
    assert "whatever m" in gradient.report()


def test_no_rows_are_legal_where_nothing_is_averaged() -> None:
    X, W = sn.tensor("X", m, 3), sn.tensor("W", 3, 2)
    f = sn.value_and_grad(sn.sum(sn.tanh(X @ W)), W)
    value, slope = f(X=np.zeros((0, 3)), W=np.ones((3, 2)))
    assert value == 0
    np.testing.assert_array_equal(slope, np.zeros((3, 2)))


def test_the_mean_of_nothing_is_refused(gradient: Any, rng: np.random.Generator) -> None:
    with pytest.raises(sn.ValueDomainError, match="m = 0"):
        gradient(**data_for(0, rng))


def test_labels_give_the_gradient_of_one_hot_rows(gradient: Any, rng: np.random.Generator) -> None:
    X, D = sn.tensor("X", m, 64), sn.labels("t", m, classes=10)
    params = [sn.tensor("W1", 64, 128), sn.tensor("b1", 128), sn.tensor("W2", 128, 10), sn.tensor("b2", 10)]
    W1, b1, W2, b2 = params
    loss = sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W1 + b1) @ W2 + b2), D))
    by_label = sn.value_and_grad(loss, params, dtype="float32")
    data = data_for(20, rng)
    wanted, wanted_gradients = gradient(**data)
    target = data.pop("D").argmax(1)
    value, gradients = by_label(t=target, **data)
    np.testing.assert_allclose(value, wanted, rtol=1e-6)
    for got, want in zip(gradients, wanted_gradients, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-7)
    target[3] = 10
    with pytest.raises(sn.ValueDomainError, match="10"):
        by_label(t=target, **data)


def test_compiled_and_interpreted_chains_of_ten_thousand_nodes_are_lowered() -> None:
    value = x = sn.tensor("x", 4)
    for _ in range(5000):
        value = sn.sin(value) * x
    program = sn.compile(value, stop_after="loops")
    assert isinstance(program, Program)


def test_a_value_added_to_itself_sixty_times_is_compiled() -> None:
    value = x = sn.tensor("x", 4)
    for _ in range(60):
        value = value + value
    np.testing.assert_array_equal(sn.compile(value)(x=np.ones(4)), np.full(4, 2.0**60))
    value = x
    for _ in range(60):
        value = sn.sin(value) + value
    assert np.all(np.isfinite(sn.compile(value)(x=np.ones(4))))


def test_a_warm_start_takes_the_code_from_disk_and_does_no_algebra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setenv("SYMNET_CACHE", "1")
    monkeypatch.setenv("SYMNET_CACHE_DIR", str(tmp_path))
    loss, params, _ = digits()
    cold = sn.value_and_grad(loss, params, dtype="float32")
    monkeypatch.setattr("symnet.stages.grad", None)  # a call would fail
    warm = sn.value_and_grad(loss, params, dtype="float32")
    assert not cold.from_cache and warm.from_cache
    data = data_for(9, rng)
    (a, ga), (b, gb) = cold(**data), warm(**data)
    assert a == b and all(np.array_equal(x, y) for x, y in zip(ga, gb, strict=True))
    monkeypatch.undo()
    assert "from the cache" in warm.report()


WARM = """
import sys
import numpy as np
import symnet as sn
x = sn.tensor("x", sn.dim("n"))
f = sn.value_and_grad(sn.sum(sn.tanh(x) ** 2), [x])
f(x=np.ones(3)), f.bind(x=np.ones(3))()
stages = "calculus.grad diff simplify lower loops.ir backends.llvm.codegen stages".split()
print(f.from_cache, [name for name in stages if f"symnet.{name}" in sys.modules], end=" ")
print("llvmlite" in sys.modules)
"""


def test_a_warm_start_loads_no_stage_before_one_is_asked_for(tmp_path: Path) -> None:
    environment = os.environ | {"SYMNET_CACHE": "1", "SYMNET_CACHE_DIR": str(tmp_path)}

    def run(more: str) -> str:
        done = subprocess.run([sys.executable, "-c", WARM + more], env=environment, capture_output=True, text=True)
        assert not done.returncode, done.stderr
        return done.stdout

    assert run("").startswith("False [")
    assert run("") == f"True [] {not is_possible()}\n"
    assert "tanh" in run("print(f.formula)")


def test_the_key_of_the_cache_tells_options_and_expressions_apart() -> None:
    loss, params, _ = digits()
    requests = [
        Request("compile", (loss,), wrt, ("value",), 0, dtype, name, None)
        for wrt, dtype, name in [
            ((), "float32", "f"),
            ((), "float64", "f"),
            ((), "float32", "g"),
            (tuple(params), "float32", "f"),
        ]
    ]
    assert len({cache_key(r) for r in requests}) == len(requests)


def test_a_function_for_another_machine_is_exported_not_called() -> None:
    x = sn.tensor("x", 3)
    f = sn.compile(sn.exp(x), target=target_for("aarch64-unknown-linux-gnu"))
    for call in (lambda: f(x=np.ones(3)), lambda: f.bind(x=np.ones(3)), lambda: f.workspace_bytes()):
        with pytest.raises(
            CompileError, match=r"expected code for this machine; got code for aarch64-unknown-linux-gnu"
        ):
            call()
    assert "aarch64" in f.report()


def test_a_dict_of_expressions_gives_a_dict_of_arrays() -> None:
    x = sn.tensor("x", 2)
    found = sn.compile({"double": x * 2, "sum": sn.sum(x)})(x=np.array([1.0, 2.0]))
    np.testing.assert_array_equal(found["double"], [2.0, 4.0])
    assert found["sum"] == 3.0


def test_the_logarithm_of_a_sum_over_no_rows_is_minus_infinity() -> None:
    X = sn.tensor("X", m, 3)
    np.testing.assert_array_equal(sn.compile(sn.logsumexp(X, axis=0))(X=np.zeros((0, 3))), np.full(3, -np.inf))


def test_names_are_no_leaves_for_positions() -> None:
    with pytest.raises(sn.ArgumentError, match=r"inputs=\[…\]\): expected leaves, such as sn.tensor gives; got 'x'"):
        sn.compile(sn.tensor("x", 2) * 2, inputs=["x"])


def test_a_leaf_that_the_outputs_lack_may_be_listed_and_is_left_unread() -> None:
    x = sn.tensor("x", 2)
    H = sn.hessian(x @ x, x)
    listed = sn.compile(H, inputs=[x])
    assert np.array_equal(listed(x=np.ones(2)), 2 * np.eye(2)) and np.array_equal(listed(np.ones(2)), 2 * np.eye(2))
    with pytest.raises(
        sn.ArgumentError, match=r"inputs \(none\); got 'x'\. Drop 'x', or list it in compile\(…, inputs=\[x"
    ):
        sn.compile(H)(x=np.ones(2))


IRRATIONAL = """
import sys
import symnet as sn
m = sn.dim("m")
X, W, V = sn.tensor("X", m, 6, 8), sn.tensor("W", 8, 8), sn.tensor("V", 8)
h = sn.gelu((X - sn.mean(X, axis=2, keepdims=True)) / sn.sqrt(sn.mean(X**2, axis=2, keepdims=True) + 1e-5) @ W)
L = sn.mean(sn.softmax(h[:, 1:, :] @ V / sn.sqrt(8)) * h[:, :5, 0])
sn.value_and_grad(L, [W, V], dtype="float32", absent="zero", stop_after="llvm")
print("sympy.tensor.tensor" in sys.modules)
"""


def test_roots_and_slices_do_not_make_sympy_load_its_tensors() -> None:
    """Its first sum of other than whole numbers does, for nothing that is needed here."""
    done = subprocess.run([sys.executable, "-c", IRRATIONAL], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr
