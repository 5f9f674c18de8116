"""SymPy scalars at the door: every supported function keeps its value; what has no meaning here is named."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy.logic import boolalg

import symnet as sn
from symnet.errors import ArgumentError
from symnet.expr.nodes.constants import number, size
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.symbols import leaves, scalar, tensor
from symnet.expr.sympy.scalars import apply, from_scalar
from symnet.reference import evaluate
from tests.expr.examples import m, n

x, y = sympy.symbols("x y", real=True)
DATA = {"x": np.asarray(0.3), "y": np.asarray(-0.7)}


@pytest.mark.parametrize(
    "expr",
    [
        x + y - 2 * x * y + 1,
        x**3 / (1 + y**2),
        x ** sympy.Rational(-1, 2),
        sympy.exp(x) * sympy.log(x),
        sympy.sqrt(x) + sympy.cbrt(x),
        *(f(x) for f in (sympy.sin, sympy.cos, sympy.tan, sympy.asin, sympy.acos, sympy.atan)),
        *(f(y) for f in (sympy.sinh, sympy.cosh, sympy.tanh, sympy.erf, sympy.Abs, sympy.sign, sympy.floor)),
        sympy.Max(x, y, 0),
        sympy.Min(x, y, sympy.Rational(1, 2)),
        sympy.Heaviside(y, 1) + sympy.Heaviside(x, 0),
        sympy.Piecewise((x, x > 1), (x**2, x > y), (y, True)),
        sympy.Piecewise((x, (x > 0) & (y > 0)), (y, sympy.Or(x <= y, sympy.Not(sympy.Ne(x, y)))), (7, True)),
        sympy.Piecewise((x, sympy.Eq(x, y)), (y, x >= y), (1, True)),
        sympy.pi * x + sympy.E - sympy.GoldenRatio,
        sympy.log(x, 2),
        sympy.Float("0.1") * y,
        sympy.Symbol("x") + 1,
    ],
    ids=str,
)
def test_the_value_is_sympys(expr: Any):
    values = {x: 0.3, y: -0.7, sympy.Symbol("x"): 0.3}
    np.testing.assert_allclose(evaluate(from_scalar(expr), DATA), float(expr.subs(values)), rtol=1e-12)


@given(
    st.recursive(
        st.sampled_from([x, y, sympy.Integer(2), sympy.Rational(1, 3)]),
        lambda e: st.one_of(
            st.builds(lambda p, q: p + q, e, e),
            st.builds(lambda p, q: p * q, e, e),
            e.map(sympy.sin),
            e.map(lambda p: p**2),
        ),
        max_leaves=8,
    )
)
def test_polynomials_and_sines_keep_their_value(expr: Any):
    wanted = float(expr.subs({x: 0.3, y: -0.7}))
    np.testing.assert_allclose(evaluate(from_scalar(expr), DATA), wanted, rtol=1e-9, atol=1e-12)


def test_shared_parts_of_a_sympy_expression_are_walked_once():
    expr = x
    for _ in range(200):
        expr = sympy.Pow(expr + 1, 2, evaluate=False)
    assert len(topological(from_scalar(expr))) == 2 * 200 + 3  # x, 1 and 2 besides
    shared = x
    for _ in range(60):
        shared = sympy.Add(sympy.sin(shared, evaluate=False), shared, evaluate=False)
    assert len(topological(from_scalar(shared))) == 1 + 2 * 60


def test_symbols_become_leaves_with_what_sympy_assumes_of_them():
    assert from_scalar(sympy.Symbol("a")) is scalar("a")
    assert from_scalar(sympy.Symbol("a", real=True)) is scalar("a")
    assert from_scalar(sympy.Symbol("a", positive=True)) is scalar("a", positive=True)
    assert from_scalar(sympy.Symbol("a", nonnegative=True)) is scalar("a", nonnegative=True)
    assert from_scalar(sympy.Symbol("a", integer=True, nonzero=True)) is scalar("a", integer=True, nonzero=True)


def test_dims_are_sizes_and_constants_stay_exact():
    assert from_scalar(m) is size(m)
    assert from_scalar(m * n + 1) is size(m * n + 1)
    assert from_scalar(1 / m) is elementwise("pow", size(m), -1)
    assert from_scalar(m - 5).operands == (number(-5), size(m)) or from_scalar(m - 5).operands == (size(m), number(-5))
    assert from_scalar(sympy.pi / 3) is number(sympy.pi / 3)
    assert from_scalar(sympy.oo) is number(sympy.oo)


def test_a_rule_says_what_stands_for_a_symbol():
    v = tensor("v", 3)
    assert from_scalar(x**2 + 1, {x: v}).shape == (3,)
    assert leaves(from_scalar(x**2 + 1, {x: v})) == [v]


def test_a_node_may_stand_in_a_sum_of_sympy_that_was_built_around_it():
    v = tensor("v", 3)
    assert sympy.Symbol("a") * v + sympy.pi is elementwise("add", elementwise("mul", scalar("a"), v), sympy.pi)


@pytest.mark.parametrize(
    "function",
    [sympy.Lambda(x, x**2 + sympy.sin(x)), lambda t: t**2 + sympy.sin(t), sympy.Lambda(y, sympy.sin(y) + y * y)],
)
def test_apply_gives_equal_functions_one_node(function: Any):
    v = tensor("v", 3)
    node = apply(function, v)
    assert node is apply(lambda t: sympy.sin(t) + t**2, v)
    values = np.array([0.1, 0.2, 0.3])
    np.testing.assert_allclose(evaluate(node, {"v": values}), values**2 + np.sin(values), rtol=1e-12)


def test_apply_broadcasts_and_takes_numbers():
    node = apply(lambda s, t, u: s * t + u, tensor("c", m, 1), tensor("r", 4), 2)
    assert node.shape == (m, 4)
    assert apply(sympy.tanh, tensor("r", 4)) is elementwise("tanh", tensor("r", 4))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: from_scalar(sympy.hyper((x,), (2,), y) + 1),
            "got hyper((x,), (2,), y) (hyper). Rewrite that part, as in expr.rewrite(sympy.exp), or evaluate it with",
        ),
        (lambda: from_scalar(sympy.Integral(x, x)), "got Integral(x, x) (Integral). Call .doit() on it first."),
        (
            lambda: from_scalar(sympy.MatrixSymbol("M", 2, 2)),
            "from_sympy(M): expected SymPy functions of scalars, and arithmetic; got M (MatrixSymbol). Convert it",
        ),
        (lambda: from_scalar(sympy.Indexed("A", 1)), "got A[1] (Indexed)."),
        (
            lambda: from_scalar(x + sympy.I),
            "from_sympy(I): expected a real number; got I. symnet has real numbers only.",
        ),
        (lambda: from_scalar(sympy.sqrt(-2)), "expected a real number; got sqrt(2)*I."),
        (lambda: from_scalar(sympy.zoo), "expected a real number; got zoo."),
        (lambda: tensor("v", 3) + sympy.Integral(x, x), "got Integral(x, x) (Integral)."),
        (lambda: from_scalar(sympy.asin(2)), "expected a real number; got asin(2)."),
        (lambda: from_scalar(sympy.besselj(sympy.Rational(1, 2), -1)), "expected a real number; got "),
        (lambda: apply(sympy.Lambda((x, y), x + y), tensor("v", 3)), "expected a function of 1 scalars; got "),
        (lambda: apply(lambda t: sympy.Matrix([t]), tensor("v", 3)), "got Matrix([[_0]]) (ImmutableDenseMatrix)."),
        (lambda: apply(lambda t: t > 0, tensor("v", 3)), "expected a SymPy scalar expression; got StrictGreaterThan. "),
    ],
)
def test_what_has_no_meaning_here_is_named(build: Any, message: str):
    with pytest.raises(ArgumentError) as caught:
        build()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (sympy.Symbol("t") ** 2 + 1, r"got an Add, which is not callable\. .*sympy\.Lambda\(t, t\*\*2 \+ 1\)"),
        (sympy.Symbol("t") * sympy.Symbol("u"), r"sympy\.Lambda\(\(t, u\), t\*u\)"),
        (
            np.sin,
            r"apply\(sin, …\): expected a function of SymPy scalars; got NumPy's sin\. Write sn\.apply\(sympy\.sin",
        ),
    ],
)
def test_what_is_no_function_of_symbols_is_not_applied(function: object, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        sn.apply(function, sn.tensor("z", 3))


def test_nothing_is_no_expression() -> None:
    with pytest.raises(ArgumentError, match=r"from_sympy\(None\): expected a SymPy expression; got NoneType\. Give"):
        sn.from_sympy(None)


def test_an_unfinished_sum_is_told_to_be_done() -> None:
    a, i = sympy.symbols("a i")
    with pytest.raises(ArgumentError, match=r"got Sum\(a\*\*i, \(i, 0, 3\)\) \(Sum\)\. Call \.doit\(\) on it first"):
        sn.lambdify(a, sympy.Sum(a**i, (i, 0, 3)))


CONDITIONS = {
    "exclusive": lambda p, q, r: sympy.Xor(p, q),
    "an odd number of three": lambda p, q, r: sympy.Xor(p, q, r),
    "not both": lambda p, q, r: sympy.Nand(p, q, evaluate=False),
    "neither": lambda p, q, r: sympy.Nor(p, q, r, evaluate=False),
    "an even number": lambda p, q, r: boolalg.Xnor(p, q, evaluate=False),
    "not exclusive": lambda p, q, r: sympy.Not(sympy.Xor(p, q)),
    "implied": lambda p, q, r: sympy.Implies(p, q),
    "implied by what is implied": lambda p, q, r: sympy.Implies(sympy.Implies(p, q), r),
    "equivalent": lambda p, q, r: sympy.Equivalent(p, q),
    "three equivalent": lambda p, q, r: sympy.Equivalent(p, q, r),
    "chosen": lambda p, q, r: sympy.ITE(p, q, r),
    "chosen and joined": lambda p, q, r: sympy.Or(sympy.ITE(p, sympy.Xor(q, r), q), sympy.Implies(r, p)),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_boolean_of_sympy_is_a_condition(name: str) -> None:
    """Against SymPy's own truth values, in a Piecewise, inside a sum, and carried by `apply`."""
    a, b, c = sympy.symbols("a b c", real=True)
    condition = CONDITIONS[name](a > 0, b > 0, c > 0)
    whole = sympy.Piecewise((a, condition), (b * c, True))
    values = np.array(list(itertools.product([-1.0, 2.0], [-3.0, 0.5], [-0.25, 7.0])))
    x, y, z = (sn.tensor(n, 8) for n in "xyz")
    expected = [
        float(v[0] if condition.subs(dict(zip((a, b, c), v, strict=True))) == sympy.true else v[1] * v[2])
        for v in values.tolist()
    ]
    carried = sn.apply(sympy.Lambda((a, b, c), whole), x, y, z)
    assert np.array_equal(sn.compile(carried)(**dict(zip("xyz", values.T, strict=True))), expected)
    alone = sn.compile(sn.from_sympy(whole))
    given = [{"a": p, "b": q, "c": r} for p, q, r in values.tolist()]
    assert [alone(**{k: v for k, v in row.items() if k in alone.inputs}) for row in given] == expected


@pytest.mark.parametrize(
    ("condition", "remedy"),
    [
        (lambda a: sympy.Contains(a, sympy.Interval(0, 1)), r"\(Contains\)\. Write membership as relations"),
        (lambda a: sympy.Q.positive(a), r"AppliedPredicate\)\. Conditions are relations, x > 0, and And, Or, Not, Xor"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_is(condition, remedy) -> None:
    t = sympy.Symbol("t", real=True)
    whole = sympy.Piecewise((t, condition(t)), (0, True))
    for build in (lambda: sn.from_sympy(whole), lambda: sn.apply(sympy.Lambda(t, whole), sn.tensor("x", 3))):
        with pytest.raises(ArgumentError, match=remedy):
            build()
