"""Derivations: as written, step by step, to the very node that grad gives."""

import functools
import operator
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.calculus.problem import strip_barriers
from symnet.errors import ArgumentError, ShapeError
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from symnet.study.check.instance import random_instance, sizes
from symnet.study.derivation.lines import ending_lines, step_lines
from tests.cases import CASES
from tests.golden import check_golden

GOLDEN = Path(__file__).parent / "golden"

m = sn.dim("m")
Z, D = sn.tensor("Z", m, 10), sn.tensor("D", m, 10, one_hot=True)
a, b = sn.scalar("a"), sn.scalar("b")
G1 = (a * (a + b).named("c")).named("d")


def logistic():
    z, d = sn.scalar("z"), sn.scalar("d")
    return sn.binary_cross_entropy(sn.sigmoid(z).named("y"), d).named("L"), z


def neuron():
    w, x = sn.tensor("w", 3), sn.tensor("x", 3)
    z = (w @ x + b).named("z")
    return sn.binary_cross_entropy(sn.sigmoid(z).named("y"), sn.scalar("d")).named("L"), [w, b]


def softmax(loss=sn.cross_entropy):
    return sn.mean(loss(sn.softmax(Z).named("Y"), D)).named("L"), Z


def spelled_out():
    z, d = sn.tensor("z", 5), sn.tensor("d", 5, one_hot=True)
    E = sn.exp(z)
    return sn.cross_entropy((E / E.sum()).named("y"), d).named("L"), z


def network():
    X = sn.tensor("X", m, 2)
    W1, b1, W2, b2 = sn.tensor("W1", 2, 3), sn.tensor("b1", 3), sn.tensor("W2", 3, 10), sn.tensor("b2", 10)
    H = sn.tanh(X @ W1 + b1).named("H")
    Y = sn.softmax((H @ W2 + b2).named("Z")).named("Y")
    return sn.mean(sn.cross_entropy(Y, D)).named("L"), [W1, b1, W2, b2]


def intermediate():
    c = (a + b).named("c")
    return a * c, c


EXAMPLES = {
    "G1": lambda: (G1, [a, b]),
    "L2": logistic,
    "L2 neuron": neuron,
    "L3": softmax,
    "L3 with divergence": lambda: softmax(sn.kl_div),
    "L3 spelled out": spelled_out,
    "N1": network,
    "two routes": lambda: (G1, a),
    "an intermediate variable": intermediate,
    "a chain": lambda: (sn.exp(2 * sn.sin(a**2)), a),
    "a network": lambda: (lambda W: (sn.l2(sn.tanh(Z @ W), D).sum(), W))(sn.tensor("W", 10, 10)),
    "a symmetric variable": lambda: (lambda S, v: (v @ S @ v, S))(
        sn.tensor("S", 3, 3, symmetric=True), sn.tensor("v", 3)
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_derivation_reaches_the_very_node_that_grad_gives(name):
    y, x = EXAMPLES[name]()
    derivation, wanted = sn.derive(y, x), sn.grad(y, x)
    assert all(ending.reached is ending.result for ending in derivation.endings)
    found = derivation.result
    assert [found] == [wanted] if isinstance(found, Node) else all(f is w for f, w in zip(found, wanted, strict=True))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_text_of_a_derivation_is_as_somebody_read_it(name):
    check_golden(GOLDEN / f"{name.replace(' ', '_')}.txt", str(sn.derive(*EXAMPLES[name]())) + "\n")


@pytest.mark.parametrize("name", ["G1", "L2", "L3"])
def test_the_latex_of_a_derivation_is_as_somebody_read_it(name):
    latex = sn.derive(*EXAMPLES[name]()).latex()
    check_golden(GOLDEN / f"{name}.tex", latex + "\n")
    assert latex.count("{") == latex.count("}") and latex.count(r"\left(") == latex.count(r"\right)")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_row_of_latex_is_understood_by_a_parser_that_is_not_ours(name):
    """matplotlib's, which knows no headings in bold text."""
    parse = pytest.importorskip("matplotlib.mathtext").MathTextParser("path").parse
    rows = sn.derive(*EXAMPLES[name]()).latex().split("\n")[1:-1]
    for row in rows:
        formula = row.removesuffix(r" \\").replace("&", "")
        if r"\textbf" not in formula:
            parse(f"${formula}$")


def scalar_cases():
    return [case for case in CASES if any(not r.rank and set(case.targets) & set(leaves(r)) for r in case.roots)]


@pytest.mark.parametrize("case", scalar_cases(), ids=lambda case: case.name)
def test_the_derivation_of_a_case_reaches_the_node_that_grad_gives(case):
    root = next(r for r in case.roots if not r.rank and set(case.targets) & set(leaves(r)))
    targets = [t for t in case.targets if t in leaves(root)]
    derivation = sn.derive(root, targets)
    gradients = sn.grad(root, targets)
    assert all(f is g for f, g in zip(derivation.result, gradients, strict=True))
    assert all(ending.reached is ending.result for ending in derivation.endings), "differentiated as written"
    str(derivation)


def test_the_last_step_is_the_result_and_the_first_the_seed():
    derivation = sn.derive(*softmax())
    assert str(derivation.steps[0].before) == "1" and derivation.steps[0].edges == ()
    last = derivation.steps[-1]
    assert last.label == "Z" and str(last.after) == str(last.written) == str(derivation.result) == "(Y - D)/m"


def test_every_step_has_the_value_of_the_cotangent():
    """∂d/∂v of each value v of the two routes graph, at a = 4 and b = 3."""
    derivation = sn.derive(G1, a)
    at = {"a": np.array(4.0), "b": np.array(3.0)}
    assert {s.label: float(evaluate(s.after, at)) for s in derivation.steps} == {"d": 1, "c": 4, "a": 11}


def test_edges_carry_local_derivatives_over_labels():
    derivation = sn.derive(G1, a)
    local = {(e.user, e.operand): str(e.local) for e in derivation.edges}
    assert local == {("d", "a"): "c", ("d", "c"): "a", ("c", "a"): "1"}
    assert {(e.user, e.operand): e.rule for e in derivation.edges} == {
        ("d", "a"): "product rule",
        ("d", "c"): "product rule",
        ("c", "a"): "sum rule",
    }


def test_routes_are_multiplied_along_and_added_over():
    routes = sn.derive(G1, [a, b]).routes
    assert [(r.labels, str(r.product)) for r in routes["a"]] == [(("a", "d"), "c"), (("a", "c", "d"), "a")]
    assert [(r.labels, str(r.product)) for r in routes["b"]] == [(("b", "c", "d"), "a")]


def test_routes_between_arrays_say_what_each_passes_back():
    """x stands twice in xᵀAx: once directly, once in Ax."""
    x, A = sn.tensor("x", 4), sn.tensor("A", 4, 4)
    derivation = sn.derive(x @ A @ x, x)
    assert {r.labels: str(r.product) for r in derivation.routes["x"]} == {
        ("x", "L"): "v1",
        ("x", "v1", "L"): "A @ x",
    }
    assert "∂L/∂x = v1 + A @ x" in str(derivation)
    assert sn.derive(*softmax()).routes == {}  # a single route is the backward pass


def test_a_local_derivative_is_taken_apart_one_rule_at_a_time():
    (edge,) = [e for e in sn.derive(*softmax()).edges if e.operand == "Y"]
    (part,) = edge.parts
    assert [(f.rule, str(f.node)) for f in part.factors] == [
        ("mean", "1/m"),
        ("sign", "-1"),
        ("sum", "None"),
        ("constant factor", "D"),
        ("derivative of log", "1/Y"),
    ]
    (_, edge) = sn.derive(*logistic()).edges[::-1]
    assert [(str(p.term), str(p.slope)) for p in edge.parts] == [
        ("-d*log(y)", "-d/y"),
        ("-(1 - d)*log(1 - y)", "(1 - d)/(1 - y)"),
    ]


def test_a_factor_is_a_mean_only_where_it_divides_by_what_is_summed():
    x = sn.tensor("x", 4)
    for L, rules in ((sn.sum(x**2) / 2, ["constant factor", "sum"]), (sn.sum(x**2) / 4, ["mean"])):
        (part,) = sn.derive(L, x).edges[0].parts
        assert [f.rule for f in part.factors] == [*rules, "power rule"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_parts_of_a_local_derivative_multiply_and_add_up_to_it(name):
    for edge in sn.derive(*EXAMPLES[name]()).edges:
        outer = [f.node for p in edge.parts if p.term is None for f in p.factors if f.node is not None]
        slopes = [p.slope for p in edge.parts if p.term is not None and p.slope is not None]
        if edge.parts:
            product = sn.simplify(functools.reduce(operator.mul, outer, 1) * (sum(slopes) if slopes else 1))
            assert str(product) == str(sn.simplify(edge.local)), edge


def test_rules_used_are_stated_in_general():
    laws = {law.name: law for law in sn.derive(*network()).laws}
    assert [(str(x), str(f)) for x, f in laws["matrix product"].by] == [
        ("A_bar", "C_bar @ B.T"),
        ("B_bar", "A.T @ C_bar"),
    ]
    assert [str(f) for _, f in laws["derivative of softmax"].by] == ["diag(y) - outer(y, y)"]
    assert [str(f) for _, f in laws["derivative of tanh"].by] == ["1 - tanh(u)**2"]
    quotient = sn.derive(a / sn.exp(a), a).laws
    assert [[str(f) for _, f in law.by] for law in quotient if law.name == "quotient rule"] == [["1/v", "-u/v**2"]]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_line_of_a_step_has_the_same_value(name):
    """Each rule is applied to the whole formula, and nothing is lost on the way."""
    y, x = EXAMPLES[name]()
    rng = np.random.default_rng(3)
    known = leaves(y)
    drawn = random_instance([y], rng, sizes([y], 0), "unit")
    derivation = sn.derive(y, x, at=drawn)
    numbers = derivation.numbers
    env = {**numbers.values, **{str(s.bar): numbers.cotangents[s.label] for s in derivation.steps}}
    for step in derivation.steps:
        for line in step_lines(step):
            value = evaluate(line.formula, env, leaves=known)
            np.testing.assert_allclose(value, numbers.cotangents[step.label], rtol=1e-9, atol=1e-12, err_msg=str(line))


def test_every_rewrite_shows_the_whole_formula_it_leaves():
    step = next(s for s in sn.derive(*softmax()).steps if s.label == "Z")
    lines = [(line.why, str(line.formula)) for line in step_lines(step)]
    assert ("total of distribution is one", "Y*(1/m - D/(m*Y))") in lines
    assert lines[-1] == ("distribute to cancel", "(Y - D)/m")


def test_routes_that_are_many_are_not_listed():
    value = a
    for _ in range(6):
        value = value * sn.sin(value)
    derivation = sn.derive(value, a)
    assert derivation.routes == {} and len(derivation.steps) > 6


def test_numbers_stand_on_every_value_and_every_step():
    """G1: d = 28, ∂d/∂a = 11, ∂d/∂b = 4, ∂d/∂c = 4, and 1 at the start."""
    numbers = sn.derive(G1, at={"a": 4, "b": 3}).numbers
    assert {k: float(v) for k, v in numbers.values.items()} == {"a": 4, "b": 3, "c": 7, "d": 28}
    assert {k: float(v) for k, v in numbers.cotangents.items()} == {"d": 1, "c": 4, "b": 4, "a": 11}
    locals_ = {k: float(v) for k, v in numbers.locals.items()}
    assert locals_ == {("d", "a"): 7, ("d", "c"): 4, ("c", "a"): 1, ("c", "b"): 1}
    text = str(sn.derive(G1, at={"a": 4, "b": 3}))
    for line in ("c = a + b = 7", "d = a*c = 28", "∂d/∂a = c = 7", "= a + c = 11", "∂d/∂b = a = 4"):
        assert line in text, text


def test_passed_numbers_add_up_to_the_cotangents():
    """In a network, where contributions are arrays: what the edges pass adds up to the derivative."""
    y, x = network()
    rng = np.random.default_rng(1)
    at = {"X": rng.standard_normal((4, 2)), "D": np.eye(10)[:4]}
    at |= {t.name: rng.standard_normal(t.shape) for t in x}
    derivation = sn.derive(y, x, at=at)
    numbers = derivation.numbers
    for step in derivation.steps[1:]:
        total = sum(numbers.passed[e.user, e.operand] for e in step.edges)
        np.testing.assert_allclose(total, numbers.cotangents[step.label], rtol=1e-10, atol=1e-12)


def test_trivial_steps_are_gathered_into_stations():
    """Signs, constant terms and means are no steps of their own; softmax is one step."""
    y, x = neuron()
    assert [v.label for v in sn.derive(y, x).values] == ["z", "y", "L"]
    assert [v.label for v in sn.derive(*softmax()).values] == ["Y", "L"]
    assert [str(v.formula) for v in sn.derive(*EXAMPLES["a chain"]()).values] == ["a**2", "2*sin(v1)", "exp(v2)"]


def test_named_values_that_do_not_vary_are_given():
    y, (_, _, W2, _) = network()
    derivation = sn.derive(y, W2)
    assert [v.label for v in derivation.given] == ["H"]
    assert str(derivation.result) == "H.T @ (Y - D)/m"
    assert [v.label for v in derivation.where] == ["H", "Y", "Z"]


def test_rewrites_are_named_and_what_only_tidies_is_left_out():
    rewrites = [r for s in sn.derive(*softmax()).steps for r in s.rewrites]
    assert "total of distribution is one" in {r.name for r in rewrites}
    assert all(str(r.before) != str(r.after) for r in rewrites)
    assert not any(r.name.startswith(("order", "open", "spell")) for r in rewrites)


def test_definitions_are_inserted_until_the_result_stands_there():
    (ending,) = sn.derive(G1, a).endings
    (insertion,) = ending.insertions
    assert (str(ending.written), str(insertion.leaf), str(insertion.after)) == ("a + c", "c", str(ending.result))
    assert [r.name for r in insertion.rewrites] == ["collect like terms"]


def test_what_nothing_reaches_is_zero_and_no_seed():
    """A comparison passes nothing back: what stands above it gets zero."""
    x = sn.tensor("x", 3)
    derivation = sn.derive(sn.sum(sn.where(sn.exp(x).named("e") > 1, 2, 3) * 1.0) + 0 * sn.sum(x), x)
    (step,) = [s for s in derivation.steps if s.label == "e"]
    assert [str(line.formula) for line in step_lines(step)] == ["0"]
    assert "e_bar = 0" in str(derivation) and "moves nothing" in derivation.html()


def test_arrays_without_elements_and_roots_of_other_dtypes_are_written_too():
    x, empty = sn.tensor("x", 3), sn.tensor("empty", 0, 2)
    derivation = sn.derive(sn.sum(empty) + sn.sum(x), at={"x": np.ones(3), "empty": np.ones((0, 2))})
    assert "0×2, empty" in derivation.html() and derivation.slides()
    whole = sn.derive(sn.argmax(x * x), x, at={"x": np.array([1.0, 3.0, 2.0])})
    assert "∂L/∂x = zeros(3)" in str(whole)


def test_integer_leaves_are_no_variables_unless_asked_for():
    k = sn.tensor("k", 3, integer=True)
    assert sn.derive(sn.sum(k * sn.tensor("x", 3) ** 2)).variables == ("x",)


def test_labels_do_not_clash_with_leaves():
    v1 = sn.scalar("v1")
    labels = [v.label for v in sn.derive(sn.exp(sn.sin(v1)) * v1, v1).values]
    assert len(set(labels)) == len(labels) and "v1" not in labels


def test_a_long_chain_is_derived_without_recursion():
    x = sn.scalar("x")
    value = x
    for _ in range(300):
        value = sn.sin(value)
    assert len(sn.derive(value, x).steps) == 301


def test_an_intermediate_variable_carries_its_name_and_definition():
    derivation = sn.derive(*intermediate())
    assert derivation.variables == ("c",) and str(derivation.result) == "a"
    assert [str(strip_barriers([v.node])[0]) for v in derivation.given] == ["a + b"]


def test_without_a_variable_every_free_leaf_is_one():
    assert sn.derive(G1).variables == ("a", "b")
    assert sn.derive(softmax()[0]).variables == ("Z",)


def test_what_cannot_be_derived_is_refused():
    with pytest.raises(
        ShapeError, match=r"derive\(y, x, order=2\): expected a scalar L \(rank 0\); got shape \(m, 10\)"
    ):
        sn.derive(Z, Z, order=2)
    with pytest.raises(ArgumentError, match=r"an expression that contains b; got one of a"):
        sn.derive(a * a, b)
    with pytest.raises(ArgumentError, match=r"expected a variable to differentiate by; got none"):
        sn.derive(sn.tensor("i", dtype="int64") + 1)


def test_numbers_are_shown_in_the_order_in_which_they_were_given():
    for order in (["a", "b"], ["b", "a"]):
        slides = sn.derive(G1, at={name: {"a": 4, "b": 3}[name] for name in order}).slides()
        first = slides.partition("</section>")[0]
        told = first[first.index('class="where"') :].partition("</div>")[0]
        assert told.index(f"<mi>{order[0]}</mi>") < told.index(f"<mi>{order[1]}</mi>")


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ArgumentError, match=r"a number for each of a, b; got 'b' missing"):
        sn.derive(G1, at={"a": 4})
    with pytest.raises(ArgumentError, match=r"a number for each of a, b; got 'q' besides"):
        sn.derive(G1, at={"a": 4, "b": 3, "q": 1})


def test_at_zero_a_norm_has_the_slope_that_its_compiled_gradient_has() -> None:
    v = sn.tensor("v", 3)
    derivation = sn.derive(sn.norm(v), v, at={"v": [0, 0, 0]})
    assert derivation.numbers is not None and derivation.numbers.cotangents["v"].tolist() == [0, 0, 0]
    assert not any(np.isnan(passed).any() for passed in derivation.numbers.passed.values())
    assert "nan" not in derivation.text() and "v/sqrt(v1) = [0, 0, 0]" in derivation.text()


def test_what_a_derivation_cannot_do_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"by name; got 'a=1'\. Write a dict, at="):
        sn.derive(a * a, a, at="a=1")  # type: ignore[arg-type]
    derivation = sn.derive(a * a, a)
    with pytest.raises(ArgumentError, match=r"a number of characters; got width='80'\. Write width=80"):
        derivation.text(width="80")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"ends in \.html; got '.*o\.pdf'\. Write save\('out\.html'\)"):
        derivation.save(tmp_path / "o.pdf")
    assert not (tmp_path / "o.pdf").exists()


def test_a_derivation_has_logarithms_where_its_result_has_xlogy():
    """Text for people says x*log(y); the text of the result can be pasted back, where x may be 0."""
    t, p = sn.scalar("t"), sn.scalar("p")
    d = sn.derive(t**p, p)
    assert str(d.result) == "xlogy(t**p, t)"
    for written in (str(d), d.latex(), d.html(), d.slides()):
        assert "xlogy" not in written.replace("derivative of xlogy", "") and "log" in written
    assert "= t**p*log(t)" in str(d)
    assert str(sn.derive(t * sn.xlogy(p, t), p)).count("t*log(t)") > 1
    assert str(d.result) == "xlogy(t**p, t)", "also afterwards"


def test_every_line_of_layer_norm_says_all_that_happened_in_it():
    """What spellings prepare has a line of its own, and the result is not taken back to a label and out again."""
    m, n = sn.dim("m"), sn.dim("n")
    X, G = sn.tensor("X", m, n), sn.tensor("G", m, n)
    H = (X - sn.mean(X, axis=1, keepdims=True)) / sn.std(X, axis=1, keepdims=True)
    lines = [line for ending in sn.derive(sn.sum(G * H), X).endings for line in ending_lines(ending)]
    assert all(line.why for line in lines[1:])
    assert {"sum term by term; take factors out of sums", "bring like parts together"} <= {line.why for line in lines}
    assert len({str(line.formula) for line in lines}) == len(lines), "no line twice"
    at = {"X": np.random.default_rng(0).normal(size=(3, 4)), "G": np.random.default_rng(1).normal(size=(3, 4))}
    alone = [line.formula for line in lines if not _labels(line.formula)]
    wanted = evaluate(alone[-1], at)
    for formula in alone:
        np.testing.assert_allclose(evaluate(formula, at), wanted, atol=1e-12)
    assert len(alone) > 3


def _labels(formula):
    return [leaf.name for leaf in leaves(formula) if leaf.name not in "XG"]
