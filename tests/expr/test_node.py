"""The node: identity, digests, pickling, the weak table, threads, operators, and what is refused."""

from __future__ import annotations

import copy
import gc
import operator
import os
import pickle
import re
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from sympy.core.sorting import default_sort_key

from symnet.errors import ArgumentError, DTypeError
from symnet.expr.nodes import node as node_module
from symnet.expr.nodes.constants import as_node, exact, number
from symnet.expr.nodes.elementwise import exp, indicator, tanh
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import _TABLE, BUILDERS, Node
from symnet.expr.nodes.symbols import leaves, scalar, tensor
from tests.cases import CASES
from tests.expr.examples import EXAMPLES, A, X, a, chain, doubled, m, v

ROOT = Path(__file__).resolve().parents[2]
every_example = pytest.mark.parametrize("node", EXAMPLES.values(), ids=EXAMPLES)


def kinds_of_nodes() -> set[type[Node]]:
    found: set[type[Node]] = set()
    waiting: list[type[Node]] = [Node]
    while waiting:
        waiting += waiting.pop().__subclasses__()
        found |= {cls for cls in waiting if cls.__module__.startswith("symnet.")}
    return found


# --------------------------------------------------------------------------- identity


def test_there_is_an_example_of_every_kind():
    assert {type(node) for node in EXAMPLES.values()} >= kinds_of_nodes()


def test_equal_content_is_one_object():
    assert tensor("q", m, 3) is tensor("q", m, 3)
    assert tensor("q", 3) + 1 is tensor("q", 3) + 1
    assert tanh(X @ v) is tanh(X @ v)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (tensor("q", 3), tensor("q", 4)),
        (tensor("q", 3), tensor("q", 3, dtype="float32")),
        (tensor("q", 3), tensor("q", 3, positive=True)),
        (tensor("q", 3), tensor("q", 3, latex="Q")),
        (tensor("q", 3), tensor("r", 3)),
        (a + v, v + a),  # constructors are inert: nothing is reordered
        (a + 0, as_node(a)),
        (number(1), number(1.1)),
        (number(sympy.Float("0.1", 17)), number(sympy.Float("0.1", 30))),
        (exp(v).named("y"), exp(v).named("z")),
        (exp(v).named("y"), exp(v).named("y", latex="Y")),
        (exp(v).named("y"), exp(v)),
        (v[1:], v[:3]),
    ],
)
def test_different_content_is_different_objects(one: Node, other: Node):
    assert one is not other
    assert one != other
    assert one.digest != other.digest


@every_example
def test_a_node_is_rebuilt_from_its_args(node: Node):
    assert node.func(*node.args) is node
    assert all(isinstance(arg, sympy.Basic) for arg in node.args)
    assert node.operands == tuple(arg for arg in node.args if isinstance(arg, Node))


def test_equality_is_identity_and_gives_a_truth_value():
    assert (v == v) is True
    assert (v == exp(v)) is False
    assert (v != exp(v)) is True
    assert (v == 1) is False
    assert {v: 1}[tensor("v", 4)] == 1
    assert exp(v) in {exp(v), exp(A)}


@every_example
def test_copies_are_the_node_itself(node: Node):
    assert copy.copy(node) is node
    assert copy.deepcopy([node])[0] is node


@every_example
def test_nodes_are_immutable_and_carry_nothing_else(node: Node):
    with pytest.raises(AttributeError):
        node.note = "metadata"  # type: ignore[attr-defined]


@every_example
def test_sympy_may_ask_a_node_what_it_asks_any_basic(node: Node):
    assert node.is_zero is None
    assert node.is_commutative is True
    assert sympy.sympify(node) is node
    assert hash(sympy.Tuple(node, 1)) == hash(sympy.Tuple(node, 1))


def test_sorting_by_sympy_is_by_digest_and_linear():
    nodes = [*EXAMPLES.values(), doubled(200)]
    by_key = sorted(nodes, key=default_sort_key)
    assert by_key == sorted(nodes, key=lambda node: (type(node).__name__, node.digest.hex()))
    assert doubled(200).compare(doubled(200)) == 0
    assert doubled(200).compare(doubled(199)) == -doubled(199).compare(doubled(200)) != 0


# --------------------------------------------------------------------------- digests and pickles


def in_another_process(program: str, *arguments: str, hash_seed: str = "0") -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, cwd=ROOT).stdout


PRINT_DIGESTS = """
from tests.expr.examples import EXAMPLES, doubled
print(*(node.digest.hex() for node in (*EXAMPLES.values(), doubled(60))))
"""


def test_digests_are_the_same_in_every_process():
    here = [node.digest.hex() for node in (*EXAMPLES.values(), doubled(60))]
    assert in_another_process(PRINT_DIGESTS, hash_seed="1").split() == here
    assert in_another_process(PRINT_DIGESTS, hash_seed="2").split() == here


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_gives_back_the_same_object(protocol: int):
    for node in EXAMPLES.values():
        assert pickle.loads(pickle.dumps(node, protocol)) is node


def test_every_case_survives_a_pickle():
    roots = [root for case in CASES for root in case.roots]
    again = pickle.loads(pickle.dumps(roots))
    assert all(one is other for one, other in zip(again, roots, strict=True))


def test_pickles_of_deep_and_shared_graphs_are_linear():
    for node, entries in ((chain(10_000), 10_001), (doubled(60), 61)):
        data = pickle.dumps(node)
        assert pickle.loads(data) is node
        assert len(data) < 200 * entries


LOAD_PICKLE = """
import pickle, sys
for node in pickle.load(open(sys.argv[1], "rb")):
    print(node.digest.hex(), node.shape, node.dtype)
"""


def test_a_pickle_can_be_read_in_another_process(tmp_path: Path):
    nodes = [*EXAMPLES.values(), chain(10_000), doubled(60)]
    path = tmp_path / "nodes.pickle"
    path.write_bytes(pickle.dumps(nodes))
    lines = in_another_process(LOAD_PICKLE, str(path), hash_seed="3").splitlines()
    assert lines == [f"{node.digest.hex()} {node.shape} {node.dtype}" for node in nodes]


# --------------------------------------------------------------------------- the table


def test_nodes_that_nobody_holds_are_freed():
    gc.collect()
    before = len(_TABLE)
    root = tanh(tensor("freed", m, 4) @ v + 17) * 2
    known = [weakref.ref(node) for node in topological(root) if node is not v]
    assert len(_TABLE) > before
    del root
    gc.collect()
    assert [ref() for ref in known if ref() is not None and not known_elsewhere(ref())] == []
    assert tensor("freed", m, 4).shape == (m, 4)


def known_elsewhere(node: Any) -> bool:
    """Numbers may be held by other graphs."""
    return node.kind == "number"


def test_printing_and_pickling_hold_no_node():
    node = tanh(tensor("freed_too", 4) + 1)
    held = weakref.ref(node)
    assert repr(node) == "tanh(freed_too + 1)"
    assert pickle.loads(pickle.dumps(node)).free_symbols
    assert sympy.latex(node) and sympy.pretty(node)
    del node
    gc.collect()
    assert held() is None


def test_a_chain_of_a_hundred_thousand_nodes_is_built_and_freed_without_recursion():
    start = scalar("only_in_this_test")
    root = chain(100_000, start=start)
    half = weakref.ref(chain(50_000, start=start))
    assert half() is not None
    del root
    gc.collect()
    assert half() is None


def test_threads_that_build_the_same_nodes_get_the_same_objects():
    built: dict[int, list[Node]] = {}
    ready = threading.Barrier(8)

    def build(worker: int) -> None:
        ready.wait()
        x = tensor("shared_between_threads", m, 3)
        nodes = [x]
        for step in range(200):
            nodes.append(tanh(nodes[-1] * step) + x)
        built[worker] = nodes

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        workers = [threading.Thread(target=build, args=(worker,)) for worker in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(switch)
    assert len(built) == 8
    for nodes in built.values():
        assert all(one is other for one, other in zip(nodes, built[0], strict=True))


# --------------------------------------------------------------------------- scalars on either side

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
MIRRORED = {operator.lt: operator.gt, operator.le: operator.ge, operator.gt: operator.lt, operator.ge: operator.le}
SCALARS: list[Any] = [
    2,
    -1,
    0.5,
    True,
    Fraction(1, 3),
    np.float64(0.25),
    np.float32(0.1),
    np.int64(3),
    np.int32(-2),
    np.uint8(7),
    np.array(1.5),
    sympy.Integer(2),
    sympy.Integer(1),
    sympy.Integer(0),
    sympy.Rational(-2, 7),
    sympy.Float("0.3"),
    sympy.pi,
    sympy.E,
    sympy.sqrt(2),
    sympy.pi / 3 + 1,
    sympy.oo,
    sympy.Symbol("s"),
    sympy.Symbol("s") ** 2 + 1,
    sympy.sin(sympy.Symbol("s")),
    m,
    m + 1,
]
every_scalar = pytest.mark.parametrize("value", SCALARS, ids=lambda s: f"{type(s).__name__}-{s}")


@every_scalar
@pytest.mark.parametrize("op", OPERATORS)
def test_a_scalar_may_stand_on_either_side_of_every_operator(op: str, value: Any):
    act = OPERATORS[op]
    assert act(X, value) is act(X, as_node(value))
    by_python = op == "**" and isinstance(value, Fraction)  # Fraction.__pow__ goes through float
    reciprocal = op == "/" and isinstance(value, (int, float)) and value == 1
    if not by_python and not reciprocal:
        assert act(value, X) is act(as_node(value), X)
    assert act(value, X).shape == act(X, value).shape == X.shape


@every_scalar
@pytest.mark.parametrize("compare", MIRRORED)
def test_a_scalar_may_stand_on_either_side_of_every_comparison(compare: Callable[[Any, Any], Any], value: Any):
    assert compare(X, value) is compare(X, as_node(value))
    assert compare(value, X) is MIRRORED[compare](X, as_node(value))
    assert compare(X, value).dtype == "bool"


@every_scalar
def test_a_scalar_beside_a_matrix_product_is_told_to_multiply(value: Any):
    with pytest.raises(
        ValueError, match=r"X @ [bs]: expected operands of rank 1 or more; got shapes .*Multiply by a scalar with \*"
    ):
        X @ value
    with pytest.raises(ValueError, match="operands of rank 1 or more"):
        value @ X


def test_one_over_x_is_the_reciprocal():
    assert 1 / X is X**-1
    assert 1.0 / X is X**-1


def test_numbers_are_exact_where_they_were_given_exactly():
    assert exact(0.5) == sympy.Rational(1, 2)
    assert exact(Fraction(1, 3)) == sympy.Rational(1, 3)
    assert exact(np.int64(7)) == 7 and exact(np.int64(7)).is_Integer
    assert exact(True) == 1
    assert float(exact(0.1)) == 0.1
    assert float(exact(np.float32(0.1))) == float(np.float32(0.1))
    assert exact(float("inf")) is sympy.oo
    assert exact(float("nan")) is sympy.nan
    assert float(exact(1e300)) == 1e300


def test_unary_operators_and_methods_stand_for_functions():
    from symnet.expr.nodes import contraction, elementwise, movement, reduction

    assert -v is elementwise.elementwise("mul", -1, v)
    assert +v is v
    assert abs(v) is elementwise.absolute(v)
    assert A.T is contraction.transpose(A) is A.transpose() is A.transpose(1, 0) is A.transpose((-1, 0))
    assert A.sum(1) is contraction.sum(A, axis=1)
    assert A.mean(0, keepdims=True) is contraction.mean(A, axis=0, keepdims=True)
    assert (A.max(1), A.min(), A.prod(0)) == (reduction.max(A, 1), reduction.min(A), reduction.prod(A, 0))
    assert A.reshape(2, 6) is A.reshape((2, 6)) is movement.reshape(A, 2, 6)
    assert A.ndim == A.rank == 2
    assert len(A) == 3 and [row.shape for row in A] == [(4,)] * 3


def test_conditions_combine_as_numpy_masks_do():
    low, high = v > 0, v < 1
    both = low & high
    assert (both.dtype, (low | high).dtype, (~low).dtype) == ("bool", "bool", "bool")
    assert repr(indicator(both | ~low)) == "1[logical_or(logical_and(v > 0, v < 1), logical_not(v > 0))]"


# --------------------------------------------------------------------------- what is refused


def test_an_expression_has_no_truth_value():
    with pytest.raises(TypeError) as caught:
        if v > 0:
            pass
    assert str(caught.value) == (
        "bool(v > 0): expected a concrete value; got an expression, which is neither true nor false. "
        "Use sn.where(condition, a, b) to choose between values, and `is` to compare expressions."
    )
    with pytest.raises(ArgumentError, match=r"bool\(v > 0\)"):
        0 < v < 1  # noqa: B015  (a chained comparison asks for a truth value)


@pytest.mark.parametrize(("node", "name", "shape"), [(X, "X", "(m, 4)"), (a, "a", "()")])
def test_a_length_must_be_concrete(node: Node, name: str, shape: str):
    with pytest.raises(TypeError) as caught:
        len(node)
    assert str(caught.value) == (
        f"len({name}): expected a concrete first extent; got shape {shape}. Use .shape[0] instead."
    )
    with pytest.raises(TypeError, match="a concrete first extent"):
        list(node)


@pytest.mark.parametrize(
    "act", [*OPERATORS.values(), operator.matmul, operator.lt, operator.ge], ids=lambda f: f.__name__
)
def test_objects_are_refused_on_either_side_and_the_message_says_what_to_do(act: Callable[[Any, Any], Any]):
    message = r"constant\(array\): expected .*; got dtype object of shape \(4, 2\)\. Convert it: array\.astype"
    for pair in ((X, np.ones((4, 2), object)), (np.ones((4, 2), object), X)):
        with pytest.raises(DTypeError, match=message):
            act(*pair)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "NoneType"),
        ("a", "str"),
        (1j, "complex"),
        ([1, 2], "list"),
        (Decimal("0.1"), "Decimal"),
        (sympy.Matrix([1, 2]), r"MutableDenseMatrix of shape \(2, 1\)"),
    ],
)
def test_what_is_no_scalar_is_refused_with_its_type(value: Any, got: str):
    for act in (operator.add, operator.mul):
        with pytest.raises(TypeError, match=f"expected an expression, a number, a SymPy scalar or an array; got {got}"):
            act(v, value)
    with pytest.raises(TypeError, match=f"got {got}"):
        v**value


def test_a_matrix_symbol_of_sympy_is_refused_on_either_side():
    symbol = sympy.MatrixSymbol("M", 4, 4)
    for act in (operator.add, operator.mul):
        with pytest.raises(
            ArgumentError,
            match=r"from_sympy\(M\): expected SymPy functions of scalars, and arithmetic; got M \(MatrixSymbol\)",
        ):
            act(symbol, v)
        with pytest.raises(ArgumentError, match=r"got M \(MatrixSymbol\)"):
            act(v, symbol)


def test_the_diff_of_sympy_is_refused():
    for attempt in (lambda: (v + a).diff("a"), lambda: sympy.diff(v, sympy.Symbol("a"))):
        with pytest.raises(TypeError, match=r"diff\(…\): expected sn\.grad or sn\.derivative; got SymPy's diff"):
            attempt()


def test_an_abstract_node_cannot_be_built():
    with pytest.raises(NotImplementedError, match="Node is abstract"):
        Node()


def test_the_leaves_are_in_the_order_of_writing():
    assert [leaf.name for leaf in leaves(tanh(X @ v + a) * tensor("b", m))] == ["X", "v", "a", "b"]


# --------------------------------------------------------------------------- what operators and methods call


def test_every_function_that_nodes_look_up_is_in_the_table():
    source = Path(node_module.__file__).read_text()
    names = set(re.findall(r"(?:BUILDERS\[|_operator\()[\"'](\w+)", source))
    assert {"add", "cumsum", "text", "array_ufunc"} < names
    assert names == {name for name in {*BUILDERS, *BUILDERS.later} if name != "from_scalar"}
    assert all(set(load()) >= {name} for name, load in BUILDERS.later.items())


@pytest.mark.parametrize(
    "call",
    ["x.cumsum()", "str(x)", "sympy.latex(x)", "sympy.pretty(x)", "np.exp(x)", "np.sum(x)", "x + sympy.Symbol('s')"],
)
def test_what_is_loaded_late_is_there_at_the_first_call(call: str):
    code = f"import numpy as np, sympy, symnet as sn; x = sn.tensor('x', 3); {call}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
