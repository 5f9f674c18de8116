"""Functions of SymPy's that are no primitive: one node per function, their derivatives, bodies, values and refusals."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sympy.utilities.lambdify import implemented_function

import symnet as sn
from symnet.errors import ArgumentError, MissingRuleError, UnknownAttributeError
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.printing.mathml import mathml
from symnet.expr.sympy.bodies import has_functions, opened
from symnet.reference import evaluate

x, y = sn.tensor("x", 4), sn.tensor("y", 4)
DATA = {"x": np.array([0.3, 0.7, 1.9, 2.4]), "y": np.array([1.5, -0.2, 0.4, 0.9])}


class Squash(sympy.Function):
    """x/√(1 + x²), whose derivative is (self/x)³."""

    def fdiff(self, argindex: int = 1) -> Any:
        return (1 - self**2) ** sympy.Rational(3, 2)


class Blend(sympy.Function):
    """a·(1 - w) + b·w, with a derivative by its first two arguments alone."""

    def fdiff(self, argindex: int = 1) -> Any:
        w = self.args[2]
        if argindex == 1:
            return 1 - w
        if argindex == 2:
            return w
        raise sympy.core.function.ArgumentIndexError(self, argindex)


class Tabulated(sympy.Function):
    """Known by its values alone."""

    def _eval_evalf(self, prec: int) -> Any:
        return sympy.Float(mpmath.besselj(0, self.args[0]._to_mpmath(prec)), prec)


HELPER: dict[str, int] = {}


def squash(t: Any) -> Any:
    return t / sympy.sqrt(1 + t**2)


def squashed(v: Any) -> Any:
    return v / np.sqrt(1 + v**2)


def functions_in(*nodes: Node) -> list[Node]:
    return [n for n in topological(*nodes) if n.kind == "elementwise" and n.op == "function"]  # type: ignore[attr-defined]


# --------------------------------------------------------------------------- identity


def test_equal_functions_are_one_node_whatever_their_variables_are_called() -> None:
    s, t = sympy.symbols("s t")
    assert sn.apply(sympy.Lambda(s, Squash(s) + s), x) is sn.apply(sympy.Lambda(t, t + Squash(t)), x)
    assert sn.apply(Squash, x) is sn.apply(lambda u: Squash(u), x)
    assert sn.apply(sympy.besselj, 2, x) is sn.apply(lambda u: sympy.besselj(2, u), x)
    assert sn.apply(sympy.besselj, 2, x) is not sn.apply(sympy.besselj, 3, x)


def test_a_body_is_a_part_of_the_function() -> None:
    with_body = sn.apply(Squash, x, body=squash)
    assert with_body is not sn.apply(Squash, x) and with_body is sn.apply(Squash, x, body=lambda u: squash(u))


def test_two_classes_of_one_name_are_two_functions() -> None:
    def made(power: int) -> Any:
        class Steep(sympy.Function):
            def fdiff(self, argindex: int = 1) -> Any:
                return self * (1 - self) * power

        return Steep

    gentle, steep = sn.apply(made(1), x), sn.apply(made(9), x)
    assert gentle is not steep and gentle.digest != steep.digest
    assert str(sn.grad(sn.sum(steep), x)) == "9*Steep(x)*(1 - Steep(x))"


def test_functions_of_one_text_and_different_data_are_different() -> None:
    def table(values: Any) -> Any:
        return implemented_function("table", lambda t: np.interp(t, [0, 1, 2, 3], values))

    first, second = table(np.arange(4.0)), table(np.arange(4.0) * 10)
    one, two = sn.apply(first, x), sn.apply(second, x)
    assert one is not two and one is sn.apply(table(np.arange(4.0)), x)
    np.testing.assert_allclose(evaluate(two, DATA), DATA["x"] * 10)


def test_a_derivative_that_comes_from_a_changed_helper_makes_another_function() -> None:
    helper = {"slope": 1}

    class Helped(sympy.Function):
        def fdiff(self, argindex: int = 1) -> Any:
            return self * HELPER["slope"]

    HELPER.update(helper)
    before = sn.apply(Helped, x)
    HELPER["slope"] = 7
    assert sn.apply(Helped, x) is not before and str(sn.grad(sn.sum(sn.apply(Helped, x)), x)) == "7*Helped(x)"


def test_functions_survive_pickling_and_keep_their_digest_in_another_process() -> None:
    nodes = [sn.apply(Squash, x, body=squash), sn.apply(sympy.besselj, 2, x), sn.apply(Blend, x, y, 0.25)]
    assert all(pickle.loads(pickle.dumps(n)) is n for n in nodes)
    program = (
        "import symnet as sn, sympy; from tests.expr.test_sympy_functions import *\n"
        "nodes = [sn.apply(Squash, x, body=squash), sn.apply(sympy.besselj, 2, x), sn.apply(Blend, x, y, 0.25)]\n"
        "print(*(n.digest.hex() for n in nodes))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [n.digest.hex() for n in nodes]


def test_functions_print_in_every_notation_as_sympy_writes_them() -> None:
    node = sn.apply(sympy.besselj, 2, x) * 2
    assert str(node) == "2*besselj(2, x)"
    assert sympy.latex(node) == r"2 J_{2}\left(x\right)"
    assert "besselj(2, x)" in sympy.pretty(node) and "besselj" in mathml(node)


def test_operands_broadcast_and_parameters_become_leaves() -> None:
    column, row = sn.tensor("c", 3, 1), sn.tensor("r", 5)
    assert sn.apply(Blend, column, row, 0.5).shape == (3, 5)
    node = sn.apply(sympy.Lambda(sympy.Symbol("t"), sympy.Symbol("a") * Squash(sympy.Symbol("t"))), x)
    assert str(node) == "a*Squash(x)" and sn.scalar("a") in node.free_symbols


# --------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("build", "wanted"),
    [
        (lambda: sn.apply(Squash, x, body=squash), squashed(DATA["x"])),
        (lambda: sn.apply(Tabulated, x), [float(mpmath.besselj(0, v)) for v in DATA["x"]]),
        (lambda: sn.apply(sympy.zeta, x + 1), [float(mpmath.zeta(v + 1)) for v in DATA["x"]]),
        (lambda: sn.apply(sympy.besselj, 1, x), [float(mpmath.besselj(1, v)) for v in DATA["x"]]),
        (lambda: sn.apply(implemented_function("plain", np.cosh), x), np.cosh(DATA["x"])),
        (lambda: sn.apply(sympy.LambertW, -x), [complex(mpmath.lambertw(-0.3)).real, np.nan, np.nan, np.nan]),
    ],
)
def test_the_reference_asks_sympy(build: Any, wanted: Any) -> None:
    np.testing.assert_allclose(evaluate(build(), DATA), wanted, rtol=1e-14)


def test_a_scalar_goes_back_to_sympy_and_through_its_lambdify() -> None:
    a = sn.scalar("a")
    expr = sn.to_sympy(sn.apply(sympy.zeta, a) + 1)
    assert expr == sympy.zeta(sympy.Symbol("a", real=True)) + 1
    assert sympy.lambdify(list(expr.free_symbols), expr, "mpmath")(3) == mpmath.zeta(3) + 1


# --------------------------------------------------------------------------- derivatives


def test_a_derivative_said_through_the_function_uses_the_node_again() -> None:
    node = sn.apply(Squash, x * y)
    gradients = sn.grad(sn.sum(node), [x, y])
    assert functions_in(*gradients) == [node]
    assert functions_in(node, *gradients, *sn.grad(sn.sum(gradients[0]), [x])) == [node]


def test_derivatives_of_every_order_and_mode_agree_with_the_body(rng: np.random.Generator) -> None:
    node, plain = sn.apply(Squash, x, body=squash), sn.apply(squash, x)
    v = sn.tensor("v", 4)
    data = {**DATA, "v": rng.normal(size=4)}
    pairs = [
        (sn.grad(sn.sum(node), x), sn.grad(sn.sum(plain), x)),
        (sn.hessian(sn.sum(node), x), sn.hessian(sn.sum(plain), x)),
        (sn.jvp(node, x, v), sn.jvp(plain, x, v)),
        (sn.jacobian(node, x), sn.jacobian(plain, x)),
    ]
    for found, wanted in pairs:
        np.testing.assert_allclose(evaluate(found, data), evaluate(wanted, data), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(
            sn.compile(found)(**_only(found, data)), evaluate(wanted, data), rtol=1e-12, atol=1e-14
        )


def _only(node: Node, data: dict[str, Any]) -> dict[str, Any]:
    names = {n.name for n in topological(node) if n.kind == "tensor"}  # type: ignore[attr-defined]
    return {name: value for name, value in data.items() if name in names}


def test_sympy_gives_the_derivatives_of_its_own_functions() -> None:
    assert str(sn.grad(sn.sum(sn.apply(sympy.airyai, x)), x)) == "airyaiprime(x)"
    assert str(sn.grad(sn.sum(sn.apply(sympy.besselj, 0, x)), x)) == "-besselj(1, x)"
    assert str(sn.grad(sn.sum(sn.apply(sympy.erfinv, x)), x)) == "sqrt(pi)*exp(erfinv(x)**2)/2"
    node = sn.apply(sympy.LambertW, x)
    assert functions_in(sn.grad(sn.sum(node), x)) == [node]


def test_a_derivative_that_is_missing_is_an_error_and_never_zero() -> None:
    node = sn.apply(Blend, x, y, x * y)
    assert str(sn.grad(sn.sum(sn.apply(Blend, x, y, 0.25)), [x, y])) == "[3*ones(4)/4, ones(4)/4]"
    message = (
        r"differentiating Blend\(x, y, z\): expected Blend\.fdiff\(3\), its derivative by argument 3; got Derivative\("
    )
    with pytest.raises(MissingRuleError, match=message + r".*Define fdiff\(self, argindex=1\) in the class"):
        sn.grad(sn.sum(node), x)
    with pytest.raises(MissingRuleError, match=r"expected zeta\.fdiff\(1\)"):
        sn.jvp(sn.apply(sympy.zeta, x), x, y)


def test_an_fdiff_that_fails_or_brings_other_symbols_is_an_error() -> None:
    class Failing(sympy.Function):
        def fdiff(self, argindex: int = 1) -> Any:
            raise RuntimeError("not today")

    class Foreign(sympy.Function):
        def fdiff(self, argindex: int = 1) -> Any:
            return sympy.Symbol("k") * self

    with pytest.raises(MissingRuleError, match=r"differentiating Failing\(x\).*got Derivative\(Failing"):
        sn.grad(sn.sum(sn.apply(Failing, x)), x)
    with pytest.raises(MissingRuleError, match=r"got k\*Foreign\(_0\), where k is no argument"):
        sn.grad(sn.sum(sn.apply(Foreign, x)), x)


# --------------------------------------------------------------------------- bodies


def test_a_function_with_a_body_compiles_to_what_the_body_does() -> None:
    node, plain = sn.apply(Squash, x, body=squash), sn.apply(squash, x)
    assert str(node) == "Squash(x)"
    same = [str(sn.compile(each, stop_after="loops")) for each in (node, plain)]
    assert same[0] == same[1]
    assert not has_functions(opened(node)) and has_functions(node)


def test_a_body_without_a_derivative_of_its_own_takes_the_functions_place() -> None:
    f = implemented_function("f", lambda t: t**2 + sympy.sin(t))
    assert sn.apply(f, x) is sn.apply(lambda t: t**2 + sympy.sin(t), x)
    assert sn.apply(sympy.Function("g"), x, body=squash) is sn.apply(squash, x)


def test_sympy_rewrites_what_it_can_and_no_formula_that_loses_digits_is_taken() -> None:
    np.testing.assert_allclose(
        sn.compile(sn.apply(sympy.harmonic, x))(x=DATA["x"]), [float(mpmath.harmonic(v)) for v in DATA["x"]], rtol=1e-14
    )
    with pytest.raises(MissingRuleError, match="got yn, for which it knows no formula"):
        sn.compile(sn.apply(sympy.yn, 2, x))  # SymPy's expansion cancels


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: sn.compile(sn.apply(sympy.besselj, 0, x)),
            r"compiling besselj\(0, x\): expected a function that symnet can",
        ),
        (
            lambda: sn.compile(sn.apply(Squash, x)),
            r"got Squash, for which it knows no formula\. Give one: sn\.apply\(Squash",
        ),
        (lambda: evaluate(sn.apply(Squash, x), DATA), r"evaluating Squash\(x\): expected a number; got Squash\(0\.29"),
        (lambda: sn.compile(sn.apply(sympy.DiracDelta, x)), r"compiling DiracDelta\(x\)"),
        (lambda: sn.compile(sn.apply(sympy.LambertW, x, -1)), r"compiling LambertW\(x, -1\)"),
    ],
)
def test_what_has_no_value_or_no_machine_code_says_how_to_give_it(build: Any, message: str) -> None:
    with pytest.raises(MissingRuleError, match=message):
        build()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: sn.apply(sympy.exp, x, body=squash),
            r"expected a body for a function class without a primitive; got exp",
        ),
        (lambda: sn.apply(squash, x, body=squash), r"expected a body for a function class without a primitive"),
        (lambda: sn.apply(Squash, x, body=3), r"expected a formula of 1 scalars; got 'int' object is not callable"),
        (
            lambda: sn.apply(Squash, x, body=lambda t: t > 0),
            r"expected a body that is a SymPy scalar expression; got Strict",
        ),
        (
            lambda: sn.apply(Squash, x, body=lambda t: t * sympy.Symbol("a")),
            r"of the function's arguments alone; got a\.",
        ),
        (lambda: sn.apply(sympy.besselj, x), r"expected a function of 1 scalars; got "),
    ],
)
def test_a_wrong_body_or_count_is_refused(build: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        build()


def test_a_function_of_sympys_called_on_an_expression_says_what_to_write() -> None:
    for function in (sympy.log, sympy.sin, sympy.tanh, sympy.erf, sympy.asinh):
        with pytest.raises(
            UnknownAttributeError, match=r"Tensor\.\w+: expected an attribute that expressions have; got '\w+'\."
        ):
            function(x)
    with pytest.raises(AttributeError, match=r"applied by sn\.apply\(sympy\.log, x\), or is here by its own name"):
        sympy.log(x)
    assert not hasattr(x, "is_nonsense") and not hasattr(x, "__array_interface__")


def test_text_of_formulas_may_name_the_functions_of_the_expression() -> None:
    L = sn.sum(sn.apply(Squash, x, body=squash))
    assert sn.check("(1 - Squash(x)**2)**1.5", L, x).right


def test_a_derivation_names_the_function() -> None:
    a = sn.scalar("a")
    text = str(sn.derive(sn.apply(Squash, a) ** 2, a))
    assert "derivative of Squash" in text and "∂v1/∂a = (1 - v1**2)**(3/2)" in text
