"""Pickles and copies of everything that users hold, here and in other processes."""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.backends.llvm.targets import target_for
from symnet.errors import ArgumentError
from symnet.export.load import load
from tests.runtime.programs import native

ROOT = Path(__file__).parents[2]
WAYS = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "old pickle": lambda value: pickle.loads(pickle.dumps(value, protocol=2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "cloudpickle": lambda value: pickle.loads(pytest.importorskip("cloudpickle").dumps(value)),
}
m = sn.dim("m")
X, x, w = sn.tensor("X", m, 3), sn.tensor("x", 3), sn.tensor("w", 3)
t = sn.labels("t", m, classes=3)
a, b = sympy.symbols("a b")
data = np.linspace(0.1, 1, 12).reshape(4, 3)
EXPRESSIONS = {
    "leaf": X,
    "labels": t,
    "loss": sn.mean(sn.cross_entropy(sn.softmax(X), t)),
    "named": (X + 1).named("Y"),
    "constant": X + np.arange(3.0),
    "extent": sn.sum(X) * sn.arange(m),
    "dim": m,
    "deep": __import__("functools").reduce(lambda y, _: sn.sin(y), range(2000), x),
    "shared": __import__("functools").reduce(lambda y, _: y + y, range(60), x),
}
FUNCTIONS = {
    "compile": (lambda: sn.compile(X * 2), {"X": data}),
    "list": (lambda: sn.compile([X * 2, sn.sum(X)], threads=2), {"X": data}),
    "dict of nodes": (lambda: sn.compile({x: x * 2, ("k", 1): x + 1}), {"x": data[0]}),
    "value_and_grad": (lambda: sn.value_and_grad(sn.sum(sn.tanh(X @ w)), {"w": w}), {"X": data, "w": data[0]}),
    "float32": (lambda: sn.compile(x * 2, dtype=np.float32, inputs=[x]), {"x": data[0].astype("f4")}),
    "labels": (lambda: sn.compile(EXPRESSIONS["loss"]), {"X": data, "t": np.array([0, 2, 1, 1])}),
    "no inputs": (lambda: sn.compile(sn.arange(m) * 1.0), {"m": 4}),
    "name": (lambda: sn.compile(x, name="again", check_finite=True), {"x": data[0]}),
}
LAMBDIFIED = {
    "scalars": lambda: sn.lambdify((a, b), sympy.exp(a) * b),
    "text": lambda: sn.lambdify("a, b", a * b),
    "nested": lambda: sn.lambdify([a, b], [a * b, {"k": (a, sympy.S(2))}]),
    "matrix": lambda: sn.lambdify([a, b], sympy.Matrix([[a, 1], [b, 0]])),
    "set": lambda: sn.lambdify([a, sympy.Dummy("b")], a + 1),
}


def same(left, right):
    """Equal, arrays bit for bit, through tuples, lists and dicts."""
    assert type(left) is type(right)
    if isinstance(left, dict):
        assert list(left) == list(right)
        left, right = list(left.values()), list(right.values())
    if isinstance(left, (list, tuple)):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            same(one, other)
    else:
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_are_the_same_object_again(name, way):
    assert WAYS[way](EXPRESSIONS[name]) is EXPRESSIONS[name] or WAYS[way](EXPRESSIONS[name]) == EXPRESSIONS[name]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_functions_compute_the_same(name, way):
    make, arguments = FUNCTIONS[name]
    f = make()
    g = WAYS[way](f)
    same(g(**arguments), f(**arguments))
    assert (g.name, g.inputs, g.outputs, g.positional, g.threads) == (
        f.name,
        f.inputs,
        f.outputs,
        f.positional,
        f.threads,
    )
    assert g.check_finite is f.check_finite and str(g.formula) == str(f.formula)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_bound_steps_come_with_their_arrays(name, way):
    make, arguments = FUNCTIONS[name]
    step = make().bind(**copy.deepcopy(arguments))
    expected = copy.deepcopy(step())
    again = WAYS[way](step)
    same(again(), expected)
    for key, array in step.inputs.items():
        assert (again.inputs[key] is array) is (way == "copy")
        array[...] = 1  # arrays of its own
    if way != "copy":
        same(again(), expected)


def test_a_step_copied_beside_its_arrays_stays_bound_to_them():
    array = data[0].copy()
    step = sn.compile(x * 2).bind(x=array)
    for copied, again in (copy.deepcopy((array, step)), pickle.loads(pickle.dumps((array, step)))):
        copied[:] = 5
        assert again().tolist() == [10, 10, 10]
    assert step().tolist() == (2 * data[0]).tolist()


def test_a_step_whose_arrays_come_read_only_gets_its_own():
    step = sn.compile(x * 2).bind(x=data[0].copy())
    buffers = []
    stream = pickle.dumps(step, protocol=5, buffer_callback=buffers.append)
    again = pickle.loads(stream, buffers=[bytes(buffer) for buffer in buffers])
    assert again().tolist() == step().tolist()
    again.inputs["x"][:] = 1
    assert again().tolist() == [2, 2, 2]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", LAMBDIFIED)
def test_lambdified_functions_compute_the_same(name, way):
    f = LAMBDIFIED[name]()
    g = WAYS[way](f)
    same(g(0.5, 2.0), f(0.5, 2.0))
    same(g(np.linspace(0, 1, 5), 2.0), f(np.linspace(0, 1, 5), 2.0))
    assert g.__doc__ == f.__doc__


@pytest.mark.parametrize("way", WAYS)
def test_a_run_is_data_and_makes_its_step_when_asked(way):
    loss = sn.mean((X @ w - 1) ** 2)
    run = sn.fit(loss, {w: np.zeros(3)}, {X: data}, epochs=3, optimizer=sn.Adam(0.1))
    again = WAYS[way](run)
    assert repr(again) == repr(run) and again.history == run.history
    np.testing.assert_array_equal(again.params["w"], run.params["w"])
    assert "step" not in vars(again)
    assert again.step.signature == run.step.signature
    same(WAYS[way](again).params, run.params)
    with pytest.raises(AttributeError, match="'Run' object has no attribute 'stepp'"):
        again.stepp


def schedule(step):
    return 0.1 / (1 + step)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "optimizer", [sn.SGD(0.1), sn.SGD(schedule), sn.Momentum(0.1, nesterov=True), sn.Adam(), sn.SignDescent()]
)
def test_optimisers_and_schedules(optimizer, way):
    again = WAYS[way](optimizer)
    assert again == optimizer or way == "cloudpickle"
    assert again.at(3) == optimizer.at(3) and again.formulas() == optimizer.formulas()
    assert WAYS[way](sn.Stop(loss_change=0.1)) == sn.Stop(loss_change=0.1)


@pytest.mark.parametrize("way", WAYS)
def test_compressed_arrays_and_derivations(way):
    H = sn.compile(sn.hessian(sn.sum(x**3), x), compressed=True)
    np.testing.assert_array_equal(WAYS[way](H(x=data[0])).dense(), H(x=data[0]).dense())
    np.testing.assert_array_equal(WAYS[way](H)(x=data[0]).dense(), H(x=data[0]).dense())
    derivation = sn.derive(sn.sum(x * x), [x])
    assert WAYS[way](derivation).text() == derivation.text()


@pytest.mark.parametrize("way", WAYS)
def test_symnet_itself_is_a_module_as_others(way):
    assert WAYS[way](sn) is sn


def test_functions_for_other_machines(tmp_path):
    f = sn.compile(x * 2, target=target_for("aarch64-unknown-linux-gnu"))
    assert WAYS["pickle"](f).object_code == f.object_code


def test_a_loaded_function_is_loaded_again(tmp_path, monkeypatch):
    sn.compile(x * 2, name="twice").export(tmp_path / "twice")
    monkeypatch.chdir(tmp_path)
    f = load("twice", threads=2)
    monkeypatch.chdir("/")
    assert WAYS["pickle"](f)(x=np.ones(3)).tolist() == [2, 2, 2]
    assert copy.deepcopy(f) is f


def test_a_function_of_bare_machine_code_says_why_not():
    with pytest.raises(
        ArgumentError, match=r"pickle\.dumps\(affine\): expected a function that knows how it was made; got"
    ):
        pickle.dumps(native("affine"))


# ----- other processes

WORKERS = """
import multiprocessing, sys, warnings
import numpy as np
import symnet as sn
warnings.simplefilter("ignore")
x = sn.tensor("x", 3)
def call(pair):
    f, value = pair
    return float(f(x=np.full(3, value)))
if __name__ == "__main__":
    f = sn.compile(sn.sum(x * x), threads=2)
    f(x=np.ones(3))
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(pool.map(call, [(f, k) for k in range(4)]))
"""


@pytest.mark.parametrize("method", [m for m in ("spawn", "forkserver", "fork") if m == "spawn" or hasattr(os, "fork")])
def test_worker_processes_take_compiled_functions(method, tmp_path):
    (tmp_path / "work.py").write_text(WORKERS)
    done = run([tmp_path / "work.py", method])
    assert (done.returncode, done.stdout) == (0, "[0.0, 3.0, 12.0, 27.0]\n"), done.stderr


NOTEBOOK = """
import sys
import numpy as np
import symnet as sn
from joblib import Parallel, delayed
x = sn.tensor("x", 3)
f = sn.compile(sn.sum(x * x))
step = f.bind(x=np.ones(3))
def inside(k):                      # of __main__: goes to the workers by value, with all that it uses
    g = sn.compile(sn.sum(x * k), inputs=[x])
    step.inputs["x"][...] = k
    return float(g(np.ones(3)) + f(x=np.ones(3)) + step()), sn.grad(sn.sum(x * x), x)
out = Parallel(n_jobs=2, backend="loky")(delayed(inside)(k) for k in range(3))
print([value for value, _ in out], all(g is sn.grad(sn.sum(x * x), x) for _, g in out))
"""


def test_joblib_runs_functions_of_a_notebook(tmp_path):
    pytest.importorskip("joblib")
    pytest.importorskip("cloudpickle")
    (tmp_path / "notebook.py").write_text(NOTEBOOK)
    done = run([tmp_path / "notebook.py"])
    assert (done.returncode, done.stdout) == (0, "[3.0, 9.0, 21.0] True\n"), done.stderr


def run(arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "SYMNET_CACHE": "0"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
