"""NumPy's arrays in expressions: every operator, either side, every dtype and layout, against NumPy."""

from __future__ import annotations

import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.arrays import Contents
from symnet.backends.llvm.targets import target_for
from symnet.errors import ArgumentError, SymnetError, ValueDomainError
from symnet.reference import evaluate

x, A = sn.tensor("x", 4), sn.tensor("A", 3, 4)
DATA = {"x": np.array([0.5, 2.0, 1.5, 3.0]), "A": np.linspace(0.25, 3, 12).reshape(3, 4)}
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name)
    for name in ("add", "sub", "mul", "truediv", "pow", "lt", "le", "gt", "ge")
} | {"maximum": np.maximum, "minimum": np.minimum, "equal": np.equal, "arctan2": np.arctan2}  # fmt: skip
DTYPES = ("float64", "int64", "int32", "int8", "uint8", "uint16", "uint32", "bool")
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda a: a,
    "Fortran": np.asfortranarray,
    "reversed": lambda a: a[::-1],
    "strided": lambda a: np.repeat(a, 2, -1)[..., ::2],
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "read-only": lambda a: np.broadcast_to(a, a.shape),
}


def array(dtype: str, shape: tuple[int, ...] = (3, 4)) -> Any:
    numbers = np.arange(np.prod(shape)).reshape(shape) % 5 + 1
    return (numbers % 2 == 0) if dtype == "bool" else numbers.astype(dtype) / (2 if dtype == "float64" else 1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_takes_an_array_on_either_side(name: str, dtype: str) -> None:
    act, c = OPERATORS[name], array(dtype)
    c = c.astype(dtype)
    if dtype == "bool":
        c = c.astype("int64") + (name == "truediv") if name in ("sub", "truediv") else c
    for node, leaf in ((x, DATA["x"]), (A, DATA["A"])):
        for build, wanted in ((act(node, c), act(leaf, c)), (act(c, node), act(c, leaf))):
            assert build.shape == wanted.shape
            assert build.dtype == wanted.dtype
            np.testing.assert_allclose(evaluate(build, DATA), wanted, rtol=1e-14)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_the_array_itself(layout: str) -> None:
    for dtype in ("float64", "int64", "bool"):
        c = array(dtype)
        c = LAYOUTS[layout](c)
        assert sn.constant(c) is sn.constant(np.array(c.tolist()))
        np.testing.assert_array_equal(sn.compile(sn.where(A > 0, c, c))(A=DATA["A"]), c)


FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "matmul": (lambda m, c: m @ c.T, lambda m, c: m @ c.T),
    "array first": (lambda m, c: c.T @ m, lambda m, c: c.T @ m),
    "einsum": (lambda m, c: sn.einsum("ij,ij->j", m, c), lambda m, c: np.einsum("ij,ij->j", m, c)),
    "concat": (lambda m, c: sn.concat([m, c]), lambda m, c: np.concatenate([m, c])),
    "stack": (lambda m, c: sn.stack([c, m]), lambda m, c: np.stack([c, m])),
    "where": (lambda m, c: sn.where(c > 1, m, c), lambda m, c: np.where(c > 1, m, c)),
    "solve": (
        lambda m, c: sn.solve(c @ c.T + 9 * np.eye(3), m), lambda m, c: np.linalg.solve(c @ c.T + 9 * np.eye(3), m)
    ),
    "outer": (lambda m, c: sn.outer(m[0], c[0]), lambda m, c: np.outer(m[0], c[0])),
    "kron": (lambda m, c: sn.kron(m, c), np.kron),
    "take": (lambda m, c: sn.take(c, [2, -1]) + m[[0, 1]], lambda m, c: c[[2, -1]] + m[[0, 1]]),
    "sum": (lambda m, c: sn.sum(c, axis=0) * m, lambda m, c: c.sum(0) * m),
    "exp": (lambda m, c: sn.exp(c) * m, lambda m, c: np.exp(c) * m),
    "l2": (lambda m, c: sn.l2(m, c), lambda m, c: ((m - c) ** 2).sum(-1) / 2),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "int64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_arrays_in_reference_and_native_code(name: str, dtype: str) -> None:
    ours, theirs = FUNCTIONS[name]
    c = array(dtype).astype(dtype)
    node, wanted = ours(A, c), theirs(DATA["A"], c)
    np.testing.assert_allclose(evaluate(node, DATA), wanted, rtol=1e-12)
    np.testing.assert_allclose(sn.compile(node)(A=DATA["A"]), wanted, rtol=1e-12)
    _, (slope,) = sn.value_and_grad(sn.sum(sn.sin(node)), [A])(A=DATA["A"])
    step = np.zeros_like(DATA["A"])
    step[1, 2] = 1e-6
    ends = [np.sin(theirs(DATA["A"] + s * step, c)).sum() for s in (1, -1)]
    assert slope[1, 2] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("size", [1, 4, 400, 3000, 200_000])
def test_arrays_of_any_size_are_in_the_object_code_and_keep_texts_short(size: int) -> None:
    c = np.random.default_rng(size).normal(size=size)
    v = sn.tensor("v", size)
    f = sn.compile(sn.sum(v * c))
    data = np.cos(np.arange(size))
    assert f(v=data) == pytest.approx(float(data @ c), rel=1e-9, abs=1e-9)
    assert len(str(v * c)) < 300
    assert len(f.llvm_ir) < 60_000
    assert c.tobytes() in f.object_code


def test_contents_are_copied_and_compared_bit_for_bit() -> None:
    c = np.array([1.0, 2.0])
    node = sn.constant(c)
    c[0] = 7
    np.testing.assert_array_equal(evaluate(node, {}), [1, 2])
    assert node is sn.constant([1.0, 2.0])
    assert sn.constant([0.0, 1]) is not sn.constant([-0.0, 1])
    assert sn.constant([1.0, 2.0]) is not sn.constant([1, 2])
    assert sn.constant(np.zeros((0, 3))) is not sn.constant(np.zeros((3, 0)))
    assert sn.constant([np.nan]) is sn.constant([np.nan])
    assert pickle.loads(pickle.dumps(node * x[:2])) is node * x[:2]
    with pytest.raises(ValueError, match="read-only"):
        node.contents.array[0] = 1


def test_minus_zero_and_nan_survive_the_algebra() -> None:
    for c in ([-0.0, -0.0], [np.nan, np.nan], [np.inf, -np.inf]):
        got = sn.compile(sn.tensor("z", 2) * np.array(c))(z=np.ones(2))
        assert got.tobytes() == np.array(c).tobytes()


def test_real_constants_take_the_dtype_of_the_compilation_rounded_once() -> None:
    f = sn.compile(x * np.full(4, 0.1), dtype="float32")
    np.testing.assert_array_equal(f(x=np.ones(4, "float32")), np.full(4, 0.1, "float32"))


def test_an_export_holds_its_constants(tmp_path: Any) -> None:
    for size in (4, 5000):
        c = np.sin(np.arange(size))
        sn.compile(sn.tensor("v", size) * c, name=f"scaled{size}").export(tmp_path / f"scaled{size}")
        loaded = sn.load(tmp_path / f"scaled{size}")
        np.testing.assert_array_equal(loaded(v=np.ones(size)), c)


REFUSED = {
    "objects": (np.array([1, "a"], object), "got dtype object"),
    "complex": (np.ones(4, complex), "got dtype complex128"),
    "strings": (np.array(list("abcd")), "got dtype <U1"),
    "half": (np.ones(4, "float16"), r'Convert it: array\.astype\("float64"\)'),
    "dates": (np.zeros(4, "datetime64[s]"), "got dtype datetime64"),
    "records": (np.zeros(4, [("a", float)]), "Give one field"),
    "masked": (np.ma.masked_array(np.ones(4), [0, 1, 0, 0]), "mask"),
    "beyond int64": (np.array([2**63], "uint64"), "integers below 2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_array_of_numbers_is_refused(name: str) -> None:
    value, message = REFUSED[name]
    for act in (lambda: x * value, lambda: x + value, lambda: sn.where(x > 0, value, x), lambda: sn.constant(value)):
        with pytest.raises(SymnetError, match=message):
            act()


def test_arrays_cannot_hold_expressions() -> None:
    c = np.ones(4)
    with pytest.raises(ArgumentError, match="An array cannot hold an expression"):
        c += x
    with pytest.raises(ArgumentError, match="a node to differentiate by"):
        sn.grad(sn.sum(x * c), c)
    with pytest.raises(ValueDomainError, match="integers below"):
        sn.constant(np.array([2**64 - 1], "uint64"))
    assert Contents(c) == Contents(c.copy())


C, c = np.array([[1.0, 2.5, -3.0], [4.0, 0.5, 6.0]]), np.array([1.0, -2.0, 0.25])
V, X = sn.tensor("v", 3), sn.tensor("X", 2, 3)
AROUND: dict[str, sn.Node] = {
    "a sum": V + c,
    "a product": C * V,
    "a product of matrices": C @ V,
    "from the right": X @ C.T,
    "in a function": sn.sum(sn.tanh(X * C)),
    "a choice": sn.where(C > 0, X, 0),
    "whole numbers": X * np.arange(6).reshape(2, 3),
    "truth values": sn.where(np.array([True, False, True]), V, 1.0),
    "a gradient": sn.grad(sn.sum((C @ V - np.ones(2)) ** 2), V),
    "a table": sn.take(sn.constant(c), sn.constant(np.array([2, 0, 2]))) * V,
    "many numbers": V + np.linspace(-1, 1, 3) / 3,
    "what is no number": V + np.array([np.nan, np.inf, -0.0]),
}


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize("real", ["float64", "float32"])
def test_the_source_of_a_function_holds_its_constant_arrays(name: str, real: str, rng: np.random.Generator) -> None:
    f = sn.compile(AROUND[name], name="f", dtype=real)
    data = {n: rng.normal(size=(3,) if n == "v" else (2, 3)).astype(real) for n in f.inputs}
    space: dict[str, Any] = {}
    exec(f.source("numpy"), space)
    found, expected = space["f"](**data), f(**data)
    assert np.asarray(found).dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-12 if real == "float64" else 1e-5, atol=1e-6)
    for library in ("jax", "torch"):
        compile(f.source(library), library, "exec")


@pytest.mark.parametrize("name", sorted(AROUND.keys() - {"a table", "what is no number"}))
def test_sympy_gets_the_elements_of_constant_arrays(name: str, rng: np.random.Generator) -> None:
    node = AROUND[name]
    data = {"v": rng.normal(size=3), "X": rng.normal(size=(2, 3))}
    numbers = {f"{n}_{'_'.join(map(str, at))}": x for n, a in data.items() for at, x in np.ndenumerate(a)}
    given = np.array(sn.to_sympy(node), dtype=object)
    rules = [{s: sympy.Float(numbers[s.name], 17) for s in e.free_symbols} for e in given.flat]
    elements = np.array([float(e.xreplace(rule)) for e, rule in zip(given.flat, rules, strict=True)])
    np.testing.assert_allclose(elements.reshape(evaluate(node, data).shape), evaluate(node, data), rtol=1e-12)


@pytest.mark.parametrize(
    ("triple", "dtype"),
    [
        ("aarch64-unknown-linux-gnu", "float64"), ("armv7-unknown-linux-gnueabihf", "int64"),
        ("powerpc64-linux-gnu", "float32"), ("wasm32-unknown-unknown", "bool"),
    ],
)  # fmt: skip
def test_large_constants_are_in_the_objects_for_other_machines(triple: str, dtype: str) -> None:
    """Each once, element for element, in the order of bytes of the machine."""
    values = (np.random.default_rng(3).normal(size=5000) * 100).astype(dtype)
    v = sn.tensor("v", 5000, dtype="float32" if dtype == "float32" else "float64")
    f = sn.compile(sn.where(values, v, 0) if dtype == "bool" else v * values, target=target_for(triple))
    wanted = values.astype("float64") if dtype == "int64" else values  # whole numbers among reals become reals
    stored = wanted.astype(wanted.dtype.newbyteorder(">")) if triple.startswith("powerpc64-") else wanted
    assert f.object_code.count(stored.tobytes()) == 1
