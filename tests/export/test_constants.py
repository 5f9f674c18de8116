"""Weights that become part of an export's code: the numbers are those of the call with these arrays."""

import json
import shutil
import subprocess

import numpy as np
import pytest

import symnet as sn
from symnet.cli.main import main
from symnet.errors import ArgumentError, DTypeError, ShapeError, ValueDomainError

CC = shutil.which("cc")
pytestmark = pytest.mark.skipif(CC is None, reason="no C compiler")

m = sn.dim("m")
X, t = sn.tensor("X", m, 8), sn.labels("t", m, classes=4)
W1, b1, W2 = sn.tensor("W1", 8, 200), sn.tensor("b1", 200), sn.tensor("W2", 200, 4)
s, k = sn.scalar("s"), sn.labels("k", 3, classes=5)
Z = sn.tanh(X @ W1 + b1) @ W2 * s
L = sn.mean(sn.cross_entropy(sn.softmax(Z), t))


@pytest.fixture
def weights(rng):
    def normal(*shape):
        return rng.normal(size=shape).astype("f4")

    return {"W1": normal(8, 200), "b1": normal(200), "W2": normal(200, 4), "s": np.float32(0.5)}


@pytest.fixture
def data(rng):
    return {"X": rng.normal(size=(13, 8)).astype("f4"), "t": rng.integers(0, 4, 13)}


def numbers(found):
    return np.concatenate([numbers(f) if isinstance(f, (tuple, list)) else np.ravel(f) for f in found])


@pytest.mark.parametrize(
    ("made", "names", "target"),
    [
        ("values", ("W1", "b1", "W2", "s"), None),
        ("values", ("W1", "b1", "W2", "s"), "native"),
        ("values", ("W1", "W2"), "native"),
        ("values", ("s",), "native"),
        ("gradients", ("W1", "b1", "W2", "s"), "native"),
        ("gradients", ("b1",), "native"),
    ],
)
def test_the_numbers_are_those_of_the_call_with_the_arrays(weights, data, names, made, target, tmp_path):
    if made == "values":
        f, given = sn.compile([Z, sn.argmax(Z, 1)], dtype="float32", name="net", inputs=[X, W1]), {"X": data["X"]}
    else:
        f, given = sn.value_and_grad(L, [W1, b1, W2, s], dtype="float32", name="net"), data
    files = f.export(tmp_path / "net", constants={name: weights[name] for name in names}, target=target, files="all")
    g = sn.load(tmp_path / "net")
    assert set(g.inputs) == set(f.inputs) - set(names)
    rest = {name: array for name, array in weights.items() if name not in names}
    got, expected = numbers(g(**given, **rest)), numbers(f(**given, **weights))
    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=1e-6 if target is None else 1e-7)
    for linked in ("net.o", "libnet.a", "net.c", "net.s"):
        command = [CC, "-O1", "net_test.c", linked, "-lm", "-o", "t"]
        subprocess.run(command, cwd=tmp_path, check=True)
        assert subprocess.run([tmp_path / "t"], capture_output=True).returncode == 0
    assert [each["name"] for each in json.loads(files.files["json"].read_text())["constants"]] == [
        name for name in f.inputs if name in names
    ]
    assert all(f"`{name}` [" in files.files["readme"].read_text() for name in names)


@pytest.mark.skipif(shutil.which("nm") is None, reason="no nm")
def test_the_weights_are_read_only_data(weights, data, tmp_path):
    f = sn.compile(Z, dtype="float32", name="net", target="native")
    files = f.export(tmp_path / "net", constants=weights)
    content = files.object.read_bytes()
    assert weights["W1"].tobytes() in content and weights["W2"].tobytes() in content
    symbols = subprocess.run(["nm", files.object], capture_output=True, text=True, check=True).stdout
    kinds = {line.split()[1] for line in symbols.splitlines() if "net.constant" in line}
    assert kinds == {"r"}


def test_a_function_of_constants_alone_takes_nothing(weights, tmp_path):
    f = sn.compile(sn.sum(W1), dtype="float32", name="net")
    f.export(tmp_path / "net", constants={"W1": weights["W1"]})
    assert sn.load(tmp_path / "net")() == f(W1=weights["W1"])


def test_other_constants_make_another_export(weights, tmp_path):
    f = sn.compile(Z, dtype="float32", name="net")
    digests = []
    for scale in (1, 2):
        found = f.export(tmp_path / "net", constants={"W1": weights["W1"] * scale}, files="o,h,test,json")
        digests.append(json.loads(found.files["json"].read_text())["digest"])
    assert digests[0] != digests[1]


def test_the_function_in_process_keeps_its_inputs_and_the_cache_tells_them_apart(weights, data, tmp_path, monkeypatch):
    monkeypatch.setenv("SYMNET_CACHE", str(tmp_path / "cache"))
    f = sn.compile(sn.sum(Z), dtype="float32", name="net", target="native")
    before = f(X=data["X"], **weights)
    for scale in (1, 2, 1):
        given = {**weights, "W2": weights["W2"] * np.float32(scale)}
        f.export(tmp_path / "net", constants=given)
        found = sn.load(tmp_path / "net")(X=data["X"])
        np.testing.assert_allclose(found, f(X=data["X"], **given), rtol=1e-5)
    assert f.inputs == ("X", "W1", "b1", "W2", "s") and f(X=data["X"], **weights) == before


WRONG = [
    (
        {"W9": np.ones(3)},
        ArgumentError,
        r"constants=…\): expected inputs among X, W1, b1, W2, s; got 'W9'\. Name an in",
    ),
    ({"b1": np.ones(200)}, DTypeError, r"expected dtype float32; got float64\[200\]\. Convert it once"),
    ({"b1": np.ones(199, "f4")}, ShapeError, r"expected b1 of shape \(200,\); got shape \(199,\)\. Pass an array"),
    ({"b1": np.ones((200, 1), "f4")}, ShapeError, r"expected rank 1, shape \(200,\); got rank 2"),
    ({"X": np.ones((3, 8), "f4")}, ShapeError, r"expected X with known extents, .* got the shape \(m, 8\)\. Declare X"),
    ([("b1", 3)], ArgumentError, r"expected a dict of arrays by name; got list\. Write constants="),
    ({"b1": "text"}, DTypeError, r"expected a NumPy array \(200,\) float32; got 'text'"),
]


@pytest.mark.parametrize(("constants", "kind", "message"), WRONG)
def test_what_a_call_would_refuse_is_refused(constants, kind, message, tmp_path):
    f = sn.compile(Z, dtype="float32", name="net")
    if isinstance(constants, dict) and "b1" in constants and getattr(constants["b1"], "dtype", None) == np.float64:
        constants = {"b1": constants["b1"] * 0.1}  # which float32 does not hold
    with pytest.raises(kind, match=message):
        f.export(tmp_path / "net", constants=constants)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("said", ["compile", "export", "train_step"])
def test_a_constant_for_a_donated_input_is_refused(said, tmp_path):
    w, x = sn.tensor("w", 3), sn.tensor("x", 3)
    moved, given = {"new": 2 * w + x}, {"constants": {"w": np.ones(3)}}
    if said == "train_step":
        f = sn.train_step(sn.sum((w - x) ** 2), [w], sn.Adam(), name="st")
    else:
        f = sn.compile(moved, name="st", donate={w: "new"} if said == "compile" else None)
        given |= {"donate": {w: "new"}} if said == "export" else {}
    with pytest.raises(
        ArgumentError, match=r"constants=…\): expected w.* as inputs.*; got a constant for w\. Leave 'w'"
    ):
        f.export(tmp_path / "st", **given)
    assert list(tmp_path.iterdir()) == []
    f.export(tmp_path / "st", **given | {"donate": {}})  # each output in an array of its own
    assert "w" not in sn.load(tmp_path / "st").inputs


def test_labels_out_of_range_are_refused(tmp_path):
    f = sn.compile(2 * k, name="net")
    f.export(tmp_path / "net", constants={"k": np.array([0, 4, 2])})
    np.testing.assert_array_equal(sn.load(tmp_path / "net")(), 2 * np.eye(5)[[0, 4, 2]])
    with pytest.raises(ValueDomainError, match="got 5 at k"):
        f.export(tmp_path / "net", constants={"k": np.array([0, 5, 2])})


def test_the_command_line_takes_an_archive(tmp_path, capsys):
    np.savez(tmp_path / "w.npz", w=np.array([1.0, 2.0, 3.0]))
    command = ["export", "sum(w*x)", str(tmp_path / "dot"), "--shapes", "w:3", "x:3", "--constants"]
    assert main([*command, str(tmp_path / "w.npz")]) == 0
    assert sn.load(tmp_path / "dot")(x=np.ones(3)) == 6
    assert main([*command, str(tmp_path / "none.npz")]) == 2
    assert "--constants" in capsys.readouterr().err
