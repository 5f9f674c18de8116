"""Derivations: as written, step by step, to the very node that grad gives."""

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError, ShapeError
from symnet.reference import evaluate

m = sn.dim("m")
Z, D = sn.tensor("Z", m, 10), sn.tensor("D", m, 10, one_hot=True)
a, b = sn.scalar("a"), sn.scalar("b")


def logistic():
    z, d = sn.scalar("z"), sn.scalar("d")
    return sn.binary_cross_entropy(sn.sigmoid(z).named("y"), d), z


def softmax(loss=sn.cross_entropy):
    return sn.mean(loss(sn.softmax(Z).named("Y"), D)), Z


EXAMPLES = {
    "L2": logistic,
    "L3": softmax,
    "L3 with divergence": lambda: softmax(sn.kl_div),
    "two routes": lambda: ((a * (a + b).named("c")).named("d"), a),
    "an intermediate variable": lambda: (lambda c: (a * c, c))((a + b).named("c")),
    "a network": lambda: (lambda W: (sn.l2(sn.tanh(Z @ W), D).sum(), W))(sn.tensor("W", 10, 10)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_derivation_reaches_the_very_node_that_grad_gives(name):
    y, x = EXAMPLES[name]()
    assert sn.derive(y, x).result is sn.grad(y, x)


def test_the_last_step_is_the_result_and_the_first_the_seed():
    derivation = sn.derive(*softmax())
    assert str(derivation.steps[0].before) == "1" and derivation.steps[0].edges == ()
    assert (
        derivation.steps[-1].label == "Z" and str(derivation.steps[-1].after) == str(derivation.result) == "(Y - D)/m"
    )


def test_every_step_has_the_value_of_the_cotangent():
    """∂L/∂v of each value v of the two routes graph, at a = 4 and b = 3."""
    derivation = sn.derive(*EXAMPLES["two routes"]())
    at = {"a": np.array(4.0), "b": np.array(3.0)}
    assert {s.label: float(evaluate(s.after, at)) for s in derivation.steps} == {"d": 1, "c": 4, "a": 11}


def test_edges_carry_local_derivatives_over_labels():
    derivation = sn.derive(*EXAMPLES["two routes"]())
    local = {(e.user, e.operand): str(e.local) for e in derivation.edges}
    assert local == {("d", "a"): "c", ("d", "c"): "a", ("c", "a"): "1"}
    assert {e.rule for e in derivation.edges} == {"product rule", "sum rule"}


def test_the_text_shows_values_steps_and_result():
    text = str(sn.derive(*EXAMPLES["two routes"]()))
    for line in ("c = a + b", "d = a*c", "dd/da = c", "d_bar = 1", "add over routes", "from c: sum rule"):
        assert line in text, text


def test_latex_and_html_have_a_row_for_every_step():
    derivation = sn.derive(*softmax())
    latex = derivation.latex()
    assert latex.startswith("\\begin{aligned}") and latex.count(r"\bar{") >= len(derivation.steps)
    assert derivation._repr_latex_().startswith("$") and r"\frac{\partial L}{\partial Z}" in latex
    assert derivation.html().count("<tr>") == len(derivation.values) + len(derivation.steps) + 1


def test_labels_do_not_clash_with_leaves():
    v1 = sn.scalar("v1")
    labels = [v.label for v in sn.derive(sn.exp(sn.sin(v1)) * v1, v1).values]
    assert len(set(labels)) == len(labels) and "v1" not in labels


def test_a_long_chain_is_derived_without_recursion():
    x = sn.scalar("x")
    value = x
    for _ in range(500):
        value = sn.sin(value)
    assert len(sn.derive(value, x).steps) == 501


def test_what_cannot_be_derived_is_refused():
    with pytest.raises(ShapeError, match=r"derive\(y, x\): expected a scalar L \(rank 0\); got shape \(m, 10\)"):
        sn.derive(Z, Z)
    with pytest.raises(ArgumentError, match=r"derive\(y, x\): expected one variable; got 2"):
        sn.derive(a * b, [a, b])
    with pytest.raises(ArgumentError, match=r"an expression that contains b; got one of a"):
        sn.derive(a * a, b)
