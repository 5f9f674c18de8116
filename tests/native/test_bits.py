"""Whole programs have machine code's bits in the interpreter: operations, all cases, networks and their gradients.

What is compared is one program, interpreted with the functions of `elementary/` on NumPy's lanes, and run: an error of
its own neither of them shows (`tests/test_chain.py` does), but one of a back end, of LLVM's passes or of the order in
which the interpreter does things.  Of a NaN, only that it is one is compared.

Data are those of a case, and the same with zeros of both signs, infinities, NaN and the ends of the range among them.
In `tests/test_chain.py` all cases do the same on this machine, here on one that rounds products for themselves.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

import symnet as sn
from symnet import dtypes
from symnet.backends.llvm.targets import host_target, target_for
from symnet.calculus.grad import grad
from symnet.elementary import exponential
from symnet.errors import SingularMatrixError
from symnet.loops import interpreter, ir, reductions
from symnet.loops.arithmetic import of_machine
from symnet.loops.neutral import neutral
from symnet.schedule.target import Target
from tests.c99.test_operations import EDGES, operations
from tests.c99.test_operations import program as all_operations
from tests.cases import CASES, Case
from tests.llvm.native import Native, arithmetic_of, differing, meant, native
from tests.loops.programs import buffer, load, loop, program, store
from tests.test_chain import loss_of

HOST = host_target()
BASELINE = target_for(HOST.triple)
TARGETS = {"this machine": HOST, "every machine of its kind": BASELINE}  # of x86-64, without fma
Data = dict[str, np.ndarray]


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> Target:
    return TARGETS[request.param]


def same_bits(code: Native, data: Data, dims: dict[str, int], target: Target) -> None:
    """Interpreter and machine code agree, also that a matrix is singular."""
    call = code.call(data, dims)
    status = call.run()
    try:
        wanted = meant(code.program, data, dims, target)
    except SingularMatrixError:
        assert status
        return
    assert status == 0
    for name, want in wanted.items():
        got = call.outputs[name]
        wrong = differing(got, want)
        assert not wrong.any(), f"{name}: {got[wrong][:3]}, interpreted {want[wrong][:3]}; {wrong.sum()} of {got.size}"


def scheduled(roots: list[sn.Node], real: str, target: Target) -> Native:
    """Machine code for a target, and its program."""
    return native(sn.compile(roots, dtype=real, target=target, stop_after="schedule"), target)


# --------------------------------------------------------------------------- cases


def edged(data: Data, share: float, rng: np.random.Generator) -> Data:
    """The data, a share of their reals exchanged for edges."""
    return {name: _edged(given, share, rng) if given.dtype.kind == "f" else given for name, given in data.items()}


def _edged(given: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    edges = rng.choice(np.array(EDGES[given.dtype.name], given.dtype), given.shape)
    return np.where(rng.random(given.shape) < share, edges, given)


@pytest.mark.parametrize("number", range(len(CASES)), ids=map(repr, CASES))
def test_a_case_and_its_gradient_have_the_bits_of_machine_code(number: int, rng: np.random.Generator) -> None:
    """On every machine of this kind; the real dtypes take turns."""
    case: Case = CASES[number]
    real = dtypes.REAL[number % 2]
    roots = [*case.roots, *(grad(loss_of(case.roots), case.targets) if case.wrt else ())]
    code = scheduled(roots, real, BASELINE)
    given = case.data(rng)
    data = {b.name: np.asarray(given[b.name]).astype(b.dtype) for b in code.program.inputs}
    for each in (data, edged(data, 0.4, rng)):
        same_bits(code, each, case.dims, BASELINE)


# --------------------------------------------------------------------------- networks

m = sn.dim("m")
X, V, W, b = sn.tensor("X", m, 11), sn.tensor("V", 11, 9), sn.tensor("W", 9, 5), sn.tensor("b", 9)
T, D, labels = sn.tensor("T", m, 5), sn.tensor("D", m, 5, one_hot=True), sn.labels("t", m, classes=5)


def network(activation: Callable[[sn.Node], sn.Node]) -> sn.Node:
    return activation(X @ V + b) @ W


def attention() -> sn.Node:
    weights = sn.softmax(X @ X[:7].T / math.sqrt(11))
    return sn.mean((weights @ (X[:7] @ V[:, :5]) - T) ** 2)


LOSSES = {
    "classes": lambda: sn.mean(sn.cross_entropy(sn.softmax(network(sn.tanh)), D)),
    "labels": lambda: sn.mean(sn.cross_entropy(sn.softmax(network(sn.gelu)), labels)),
    "probabilities": lambda: sn.mean(sn.binary_cross_entropy(sn.sigmoid(network(sn.softplus)), D)),
    "squares of rows of norm 1": lambda: sn.sum((network(lambda x: x / sn.norm(x, axis=1)[:, None]) - T) ** 2),
    "counts": lambda: sn.mean(sn.exp(network(sn.relu) / 9) - sn.sigmoid(T) * network(sn.relu)),
    "mixture": lambda: -sn.sum(sn.logsumexp(-((network(sn.sin) - T) ** 2) / 2 - sn.log(1 + T**2), axis=1)),
    "attention": attention,
    "distances": lambda: sn.sum(sn.sqrt(1 + network(sn.erf) ** 4) % 3 + sn.abs(T) ** 1.5 / (2 + sn.cos(T))),
    "covariance": lambda: sn.logdet(V @ V.T + X.T @ X / 9 + sn.eye(11)) + sn.sum(sn.inv(W.T @ W + sn.eye(5)) ** 3),
}


@pytest.mark.parametrize("number", range(len(LOSSES)), ids=list(LOSSES))
def test_a_loss_and_its_gradients_have_the_bits_of_machine_code(
    number: int, target: Target, rng: np.random.Generator
) -> None:
    """Of fewer rows than a block has, and of more; the real dtypes take turns."""
    loss, real = list(LOSSES.values())[number](), dtypes.REAL[(number + (target is HOST)) % 2]
    code = scheduled([loss, *grad(loss, [V, W, b], absent="zero")], real, target)
    for rows in (7, 300):
        classes = rng.integers(0, 5, rows)
        given = {"D": np.eye(5)[classes], "t": classes}
        for buf in code.program.inputs:
            shape = [rows if isinstance(extent, ir.IntVar) else extent.value for extent in buf.shape]
            given[buf.name] = given.get(buf.name, rng.standard_normal(shape)).astype(buf.dtype)
        same_bits(code, {buf.name: given[buf.name] for buf in code.program.inputs}, {"m": rows}, target)


@pytest.mark.parametrize("real", dtypes.REAL)
def test_equations_by_panels_have_the_bits_of_machine_code(target: Target, real: str, rng: np.random.Generator) -> None:
    A, B = sn.tensor("A", 37, 37), sn.tensor("B", 37, 3)
    solution = sn.solve(A, B)
    code = scheduled([solution, sn.det(A), sn.inv(A), sn.grad(sn.sum(solution**2), A)], real, target)
    data = {"A": rng.standard_normal((37, 37)).astype(real), "B": rng.standard_normal((37, 3)).astype(real)}
    same_bits(code, data, {}, target)


# --------------------------------------------------------------------------- operations


@pytest.mark.parametrize("dtype", dtypes.ALL)
def test_every_operation_has_the_bits_of_machine_code_at_the_edges(target: Target, dtype: str) -> None:
    """Of all pairs of edges, in lanes; and with a number in the last place, NaN among them."""
    made, data = all_operations(dtype, "edges")
    assert {store.value.name for store in made.groups[0].phases[0].body[0].body} == {n for n, _ in operations(dtype)}
    same_bits(native(made, target), data, {}, target)


@pytest.mark.parametrize("real", dtypes.REAL)
@pytest.mark.parametrize("name", ["maximum", "minimum", "pow", "mod"])
def test_an_operation_with_nan_in_the_program_is_that_of_machine_code(name: str, target: Target, real: str) -> None:
    x, y = (buffer(letter, len(EDGES[real]), dtype=real, space=s) for letter, s in (("x", "input"), ("y", "output")))
    for number in (math.nan, -math.inf):
        for args in itertools.permutations((load(x, "i"), ir.Const(number, real))):
            body = loop("i", len(EDGES[real]), store(y, ("i",), ir.Op(name, args, real)), kind="vector")
            same_bits(native(program([x], [y], body), target), {"x": np.array(EDGES[real], real)}, {}, target)


@pytest.mark.parametrize("dtype", [*dtypes.REAL, *dtypes.INTEGER])
@pytest.mark.parametrize("how", [how for how in ir.COMBINES if how])
def test_what_combines_edges_has_the_bits_of_machine_code(
    how: str, dtype: str, target: Target, rng: np.random.Generator
) -> None:
    """Row after row, in lanes that share an element and one by one."""
    for extent, kind in itertools.product((2, 5, 37), ("vector", "serial")):
        x, y = buffer("x", 40, extent, dtype=dtype, space="input"), buffer("y", 40, dtype=dtype, space="output")
        start = store(y, ("i",), ir.Const(neutral(how, dtype), dtype))
        rows = loop("i", 40, start, loop("j", extent, store(y, ("i",), load(x, "i", "j"), how), kind=kind))
        code = native(program([x], [y], rows), target)
        for edges in (EDGES[dtype], EDGES[dtype][:2]):
            same_bits(code, {"x": rng.choice(np.array(edges, dtype), (40, extent))}, {}, target)


# --------------------------------------------------------------------------- the testers


@pytest.fixture
def softmax() -> tuple[Native, Data]:
    """Compiled before anything is changed."""
    x = sn.tensor("x", 40, 33)
    code = scheduled([sn.softmax(x), sn.sum(x * x)], "float64", HOST)
    data = {"x": np.random.default_rng(5).standard_normal((40, 33))}
    same_bits(code, data, {}, HOST)
    return code, data


def changed(softmax: tuple[Native, Data]) -> None:
    with pytest.raises(AssertionError, match="interpreted"):
        same_bits(*softmax, {}, HOST)


def test_a_coefficient_that_is_one_bit_wrong_is_seen(
    softmax: tuple[Native, Data], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = exponential.EXP["double"]
    monkeypatch.setitem(exponential.EXP, "double", (*right[:2], math.nextafter(right[2], 1.0), *right[3:]))
    changed(softmax)


def test_a_tree_of_sums_in_another_order_is_seen(softmax: tuple[Native, Data], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reductions, "tree", lambda parts, add: parts[0] if len(parts) == 1 else add(*parts[::-1][:2]))
    changed(softmax)


def test_lanes_added_neighbour_by_neighbour_are_seen(
    softmax: tuple[Native, Data], monkeypatch: pytest.MonkeyPatch
) -> None:
    def neighbours(self: reductions.Combination, lanes: np.ndarray) -> np.ndarray:
        while lanes.shape[-1] > 1:
            lanes = self.pair(lanes[..., ::2], lanes[..., 1::2])
        return lanes[..., 0]

    monkeypatch.setattr(reductions.Combination, "halves", neighbours)
    changed(softmax)


@pytest.mark.parametrize("given", ["the other rounding", "the reference's functions"])
def test_another_arithmetic_is_seen(softmax: tuple[Native, Data], given: str) -> None:
    code, data = softmax
    own = arithmetic_of(HOST)
    other = of_machine(not own.fused) if given == "the other rounding" else interpreter.REFERENCE
    wanted, found = (interpreter.run(code.program, data, arithmetic=a)["out0"] for a in (own, other))
    assert differing(wanted, found).any()


@pytest.mark.skipif(HOST.architecture != "x86_64", reason="every machine of its kind has fma")
def test_one_of_the_machines_rounds_twice() -> None:
    assert not BASELINE.fma
