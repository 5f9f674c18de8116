"""Formulas as text: the grammar, what printed formulas say, and the place in every refusal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import symnet as sn
from symnet.errors import ArgumentError, AssumptionError, DTypeError, ShapeError, SymnetError
from symnet.expr.numpy.functions import numpy_functions
from symnet.expr.numpy.ufuncs import numpy_ufuncs
from symnet.expr.printing.text import text as printed
from symnet.reading.cursor import DEEPEST
from symnet.reading.formula import declarations, declare, formula, functions, names_in
from symnet.reading.hints import CALLED
from symnet.reading.parsing import parse
from symnet.reference import evaluate
from tests.cases import CASES, Case

m, n = sn.dim("m"), sn.dim("n")
X, w, y, a, b = sn.tensor("X", m, n), sn.tensor("w", n), sn.tensor("y", m), sn.scalar("a"), sn.scalar("b")
t = sn.labels("t", m, classes=3)
NAMES = names_in(X, w, y, a, b, t)
p, q = sn.tensor("p", 3), sn.tensor("q", 3)

READ: list[tuple[str, Any]] = [
    ("mean((X@w - y)**2)", lambda: sn.mean((X @ w - y) ** 2)),
    ("-a**2", lambda: -(a**2)),
    ("a**-b", lambda: a ** (-b)),
    ("a**b**a", lambda: a ** (b**a)),
    ("2*X.T @ y/m", lambda: (2 * X.T @ y) / m),
    ("a - b - a", lambda: (a - b) - a),
    ("np.exp(a) + sn.tanh(b)", lambda: sn.exp(a) + sn.tanh(b)),
    ("sum(X, axis=-1, keepdims=True)", lambda: sn.sum(X, axis=-1, keepdims=True)),
    ("X.sum(axis=(0, 1)) / X.shape[0]", lambda: X.sum(axis=(0, 1)) / m),
    ("X[1:, 0]", lambda: X[1:, 0]),
    ("X[..., None]", lambda: X[..., None]),
    ("X[::-1, :m]", lambda: X[::-1, :m]),
    ("1[a >= 0]*b", lambda: sn.indicator(a >= 0) * b),
    ("where(a < b, a, b)", lambda: sn.where(a < b, a, b)),
    ("(a < b) & ~(b > 1) | (a == b)", lambda: ((a < b) & ~(b > 1)) | sn.equal(a, b)),
    ('einsum("ij,j->i", X, w)', lambda: sn.einsum("ij,j->i", X, w)),
    ("t1*t1 where t1 = a + b", lambda: (a + b) * (a + b)),
    ("t2 + t1 where t1 = a + b, t2 = t1*b", lambda: ((a + b) * b) + (a + b)),
    ("c = a + b; a*c", lambda: a * (a + b).named("c")),
    ("stack([a, b], axis=0)", lambda: sn.stack([a, b], axis=0)),
    ("pi*a + 1.5e-1", lambda: None),
    ("+a", lambda: a),
    ("Xᵀ@y + X'@y - X.T@y", lambda: X.T @ y + X.T @ y - X.T @ y),
    ("(X@w)'@y", lambda: (X @ w).T @ y),
    ("w²@w", lambda: (w**2) @ w),
    ("-a²", lambda: -(a**2)),
    ("a¹²", lambda: a**12),
    ("einsum('ij,j->i', X, w)", lambda: sn.einsum("ij,j->i", X, w)),
    ("σ(a) − b", lambda: sn.sigmoid(a) - b),
    ("where(a ≤ b, a, π)", lambda: sn.where(a <= b, a, sympy.pi)),
    ("X⊙X", lambda: X * X),
    ("norm(w) + 1e-3", lambda: sn.norm(w) + 1e-3),
    ("X.sum(axis=0)[0] + w[-1] + X[0, 1:].sum()", lambda: X.sum(axis=0)[0] + w[-1] + X[0, 1:].sum()),
    ("diag(w)", lambda: None),
    ("L = a*b", lambda: (a * b).named("L")),
    ("L := a*b", lambda: (a * b).named("L")),
    ("  L=a*b ; ", lambda: (a * b).named("L")),
    ("f(a, b) = a*b", lambda: (a * b).named("f")),
    ("f(a) = a*b; f(a)**2", lambda: (a * b).named("f") ** 2),
    ("c = a*b; L = c + a", lambda: ((a * b).named("c") + a).named("L")),
    ("L = t1*t1 where t1 = a + b", lambda: ((a + b) * (a + b)).named("L")),
    ("a % b // 2", lambda: sn.floor_divide(sn.mod(a, b), 2)),
    ("np.e**a + np.pi", lambda: sympy.E**a + sympy.pi),
    ("np.linalg.norm(w) + numpy.mean(X)", lambda: sn.norm(w) + sn.mean(X)),
    ("np.clip(a, a_min=0, a_max=b)", lambda: sn.clip(a, 0, b)),
    ("np.take(X, 0)", lambda: sn.take(sn.reshape(X, -1), 0)),
    ("w.std() + X.var(axis=0)[0] + w.clip(0, 1)[0]", lambda: sn.std(w) + sn.var(X, axis=0)[0] + sn.clip(w, 0, 1)[0]),
    ("X.flatten()", lambda: sn.reshape(X, -1)),
    ("a*X.size/X.ndim", lambda: None),
    ("logaddexp(a, b)*hypot(a, b)", lambda: sn.logaddexp(a, b) * sn.hypot(a, b)),
]


@pytest.mark.parametrize(("text", "expected"), READ, ids=[text for text, _ in READ])
def test_a_formula_is_read_as_python_would(text: str, expected: Any) -> None:
    node, wanted = formula(text, NAMES), expected()
    assert wanted is None or node is wanted


def test_plain_numbers_are_exact() -> None:
    data = {"a": 2.0}
    assert evaluate(formula("a*(1/3) + 2**0.5 - 2**-1", {"a": a}), data) == 2 * (1 / 3) + 2**0.5 - 0.5
    assert float(evaluate(formula("pi", {}), {})) == np.pi


def test_without_names_every_name_is_a_scalar() -> None:
    assert formula("a*(a + b)") is a * (a + b)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_what_is_printed_is_read_back(case: Case, rng: np.random.Generator) -> None:
    data, names = case.data(rng), names_in(*case.roots)
    for root in case.roots:
        back = formula(printed(root, full=True), names)
        value = evaluate(root, data, leaves=case.leaves)
        again = np.broadcast_to(evaluate(back, data, leaves=case.leaves), value.shape)
        np.testing.assert_allclose(again, value, rtol=1e-12)


# --------------------------------------------------------------------------- refusals

REFUSED: list[tuple[str, type[SymnetError], str, int]] = [
    ("mean((X@w", ArgumentError, r"expected ',' or '\)'; got the end\. Write '\)' here", 9),
    ("X @ y", ShapeError, r"shapes \(m, n\) and \(m,\): n against m", 2),
    ("X @ v", ArgumentError, r"expected one of .*X.*; got v", 4),
    ("foo(a)", ArgumentError, r"got foo\. Did you mean floor", 0),
    ("a^2", ArgumentError, r"got '\^'\. Write a\*\*2\.", 1),
    ("sum(X, axs=0)", ArgumentError, r"expected sum\(x, axis, keepdims\); got an unexpected keyword argument 'axs'", 0),
    ("a < b < a", ArgumentError, "expected one comparison; got a chain", 6),
    ("9**9**9", ArgumentError, r"expected a number below 2\*\*1024", 1),
    ("X[,]", ArgumentError, "expected an index or a slice; got ','", 2),
    ("a.real", ArgumentError, r"got \.real", 2),
    ("1e999", ArgumentError, "expected a number that float64 holds; got 1e999", 0),
    ("1 +", ArgumentError, "expected a number, a name or a bracket; got the end", 3),
    ("", ArgumentError, r"expected a formula; got nothing\. Write one", 0),
    ("a b", ArgumentError, r"expected an operator or the end; got 'b'\. A product has a sign: write a\*b, or @", 2),
    ("2X", ArgumentError, r"write 2\*X, or @ for a product of arrays", 1),
    ("sum(X w)", ArgumentError, r"expected ',' or '\)'; got 'w'\. A product has a sign: write X\*w", 6),
    ("(a)(b)", ArgumentError, r"A product has a sign: write \(…\)\*\(…\)", 3),
    ("a)", ArgumentError, r"got '\)'\. Drop it, or open it before", 1),
    ("Σ(X)", ArgumentError, r"got 'Σ'\. Write sum\(x\)", 0),
    ("X·w", ArgumentError, r"got '·'\. Write \* or @ for a product", 1),
    ("X⁻¹", ArgumentError, r"Write x\*\*-1, or inv\(A\) for a matrix", 1),
    ("a and b", ArgumentError, r"got 'and'\. Write \(a < b\) & \(b < c\)", 2),
    ("not a", ArgumentError, r"got not\. Write ~\(a < b\)", 0),
    ("lambda x: x", ArgumentError, r"Write the formula itself", 0),
    ("a where", ArgumentError, r"expected a name to define; got the end", 7),
    ("[a, b]", ArgumentError, r"expected one expression; got list \[a, b\]", 0),
    ("True", ArgumentError, r"expected one expression; got bool True", 0),
    ("X.shape", ArgumentError, r"expected one expression; got tuple \(m, n\)", 0),
    ("c = ", ArgumentError, "expected a number, a name or a bracket; got the end", 4),
    ("c = a b", ArgumentError, "expected an operator or the end; got 'b'", 6),
    ("a = a**2", ArgumentError, "expected a name that is not in its own definition, as L = a\\*\\*2; got 'a'", 0),
    ("f(a) = a**2; f(b)", ArgumentError, r"expected f\(a\), as it is defined; got b", 13),
    ("exp a", ArgumentError, r"A function has its arguments in parentheses: write exp\(a\)", 0),
    ("sum(X, axis=7)", ShapeError, "got axis 7", 0),
    ("__import__('os')", ArgumentError, "expected a function of symnet; got __import__", 0),
    ("a if b else a", ArgumentError, r"got 'if'\. Write where\(condition, a, b\)", 2),
    ("(a, b)", ArgumentError, "got tuple", 0),
    ("a where 3 = b", ArgumentError, "expected a name to define; got '3'", 8),
    ("~a", DTypeError, "bool", 0),
]


@pytest.mark.parametrize(("text", "error", "message", "at"), REFUSED, ids=str)
def test_a_refusal_points_at_the_place(text: str, error: type[SymnetError], message: str, at: int) -> None:
    with pytest.raises(error, match=message) as caught:
        formula(text, NAMES)
    line, caret = str(caught.value).splitlines()[-2:]
    assert line == "    " + text and caret == "    " + " " * at + "^"


def test_deep_nesting_is_refused_not_crashed() -> None:
    with pytest.raises(ArgumentError, match=f"at most {DEEPEST} nested parts"):
        formula("(" * 5000 + "a" + ")" * 5000, NAMES)
    with pytest.raises(ArgumentError, match=f"at most {DEEPEST} nested parts"):
        formula("a" + "**a" * 5000, NAMES)


def test_what_is_long_or_unprintable_is_shown_in_short() -> None:
    with pytest.raises(ArgumentError, match=rf"got {'q' * 40}…\. ") as caught:
        formula("q" * 5000, NAMES)
    assert len(str(caught.value)) < 400
    with pytest.raises(ArgumentError, match=r"got '\\x00'") as caught:
        formula("a\x00b", NAMES)
    assert "\x00" not in str(caught.value)


def test_long_sums_do_not_recurse() -> None:
    assert formula("+".join(["a"] * 3000), NAMES).shape == ()


@given(st.text(alphabet="ab()[]+-*/@.,:;= <>1T2ewhr'\"&|~ᵀ²≤σ", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text, {"a": p, "b": q}, functions())
    except SymnetError as error:
        assert str(error).rstrip().endswith("^")


# --------------------------------------------------------------------------- declarations


def test_declarations_give_leaves_and_their_dims() -> None:
    names = declarations(["X:m,2*n", "D:m,10:one_hot", "t:m:labels=10", "s", "c:3:positive,float32"])
    assert names["X"] is sn.tensor("X", m, 2 * n) and names["D"] is sn.tensor("D", m, 10, one_hot=True)
    assert names["t"] is sn.labels("t", m, classes=10) and names["s"] is sn.scalar("s")
    assert names["c"] is sn.tensor("c", 3, positive=True, dtype="float32")
    assert names["m"] is m and names["n"] is n


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("X:m,-1", ArgumentError, r"--shapes X:m,-1: expected ints and names as extents; got '-1'"),
        ("X:m:hot", ArgumentError, r"got 'hot'"),
        ("2X:m", ArgumentError, r"expected an identifier as the name; got '2X'"),
        ("x::one_hot", AssumptionError, "a last axis for one_hot"),
    ],
)
def test_a_wrong_declaration_is_refused(text: str, error: type[SymnetError], message: str) -> None:
    with pytest.raises(error, match=message):
        declare(text)


def test_a_name_is_declared_once() -> None:
    with pytest.raises(ArgumentError, match="expected X once; got it twice"):
        declarations(["X:m", "X:n"])


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("e**x", r"got e as a base\. Write exp\(x\) for eˣ"),
        ("lambda*x", "as a name write lam, or λ"),
        ("ln(x)", r"Write log\(x\)"),
        ("max(0, x)", r"Write maximum\(a, b\)"),
        ("max(x, 0)", r"Write maximum\(a, b\)"),
        ("min(x, y)", r"Write minimum\(a, b\)"),
    ],
)
def test_other_notations_get_a_hint(text: str, hint: str) -> None:
    with pytest.raises(ArgumentError, match=hint):
        formula(text)


def test_e_is_a_name_where_it_is_declared() -> None:
    e, x = sn.scalar("e"), sn.scalar("x")
    assert formula("e**x", {"e": e, "x": x}) == e**x and formula("e*x") == e * x


# --------------------------------------------------------------------------- the names that there are

ROOT = Path(__file__).resolve().parents[2]
NO_CALLS = {"dim", "tensor", "scalar", "labels", "function", "apply"}  # what makes leaves, and what takes SymPy's


def listed(*sections: str) -> list[str]:
    """The names of some sections of the page of public names."""
    page = (ROOT / "docs" / "functions.md").read_text()
    parts = {part.split("\n", 1)[0]: part for part in page.split("\n## ")}
    return [name for section in sections for name in re.findall(r"^\| `sn\.(\w+)`", parts[section], re.M)]


SECTIONS = ("Leaves", "Elementwise", "Sums and products", "Shapes and positions", "Linear algebra", "Losses")


@pytest.mark.parametrize("name", [name for name in listed(*SECTIONS) if name not in NO_CALLS])
def test_every_public_function_of_arrays_can_be_typed(name: str) -> None:
    assert functions()[name] is getattr(sn, name)


@pytest.mark.parametrize("name", sorted(numpy_ufuncs() | numpy_functions()))
def test_functions_of_numpy_can_be_typed_as_numpy_has_them(name: str) -> None:
    assert f"np.{name}" in functions() and ("." in name or name in functions())


@pytest.mark.parametrize("word", sorted(CALLED))
def test_other_names_of_functions_are_told_in_formulas_that_can_be_read(word: str) -> None:
    argument = "A" if "A" in CALLED[word] else "x"
    with pytest.raises(ArgumentError, match="expected a function of symnet") as caught:
        formula(f"{word}({argument})")
    told = re.search(r"Write (.+)\.\n", str(caught.value))
    assert told is not None
    assert formula(told.group(1), declarations(["x:n", "y:n", "A:n,n"])).rank in (0, 1, 2)


@pytest.mark.parametrize("name", ["grad", "tensor", "Sigmoid", "logsumxp", "np.linalg.nrm", "np.meen"])
def test_names_of_no_function_are_answered_with_what_to_do(name: str) -> None:
    with pytest.raises(ArgumentError, match=r"Write the function itself|Did you mean|declared beside the formula"):
        formula(f"{name}(x)")


# --------------------------------------------------------------------------- in the user's own letters

MISFITS = [
    "{u}[0]", "{v}[0, 0]", "{v}[1.5]", "{M}[n]", "{M} @ {y}", "{M} - {y}", "{y} * {M}", "{M}.sum(axis=3)", "trace({M})",
    "det({M})", "inv({M})", "solve({M}, {y})", "outer({M}, {v})", "reshape({v}, 3)",
    "softmax({u})", "cumsum({u}, axis=0)",
    "cumprod({u}, axis=0)", "norm({M}, ord=7)", "logsumexp({M}, axis=4)", "stack([{v}, {y}])", "concat([{v}, {M}])",
    "einsum('ij,jk', {M}, {v})", "{u} @ {v}", "diff({u})", "tril({v})", "matrix_power({M}, 2)", "take({v}, 0, axis=2)",
    "broadcast_to({M}, 3)", "kron({u}, {M}) @ {y}", "{M}**{y}", "-{M}[0] + {y}", "({M} @ {v}) @ {v}", "{M}.T @ {v}",
    "where({v} > 0, {v}, {y})", "maximum({v}, {y})", "transpose({M}, [0, 2])",
]  # fmt: skip
"""Operands that do not fit: a scalar u, a vector v of n elements, y of m, a matrix M of (m, n)."""


@pytest.mark.parametrize("letters", ["abAB", "xyXY", "qpQx", "bxAa"])
@pytest.mark.parametrize("misfit", MISFITS)
def test_errors_of_shapes_name_what_was_typed_and_nothing_else(misfit: str, letters: str) -> None:
    names = dict(zip("uvyM", (letters[0], letters[1], letters[2], letters[3]), strict=True))
    text = misfit.format(**names)
    leaves = declarations([names["u"], f"{names['v']}:n", f"{names['y']}:m", f"{names['M']}:m,n"])
    with pytest.raises(SymnetError) as caught:
        formula(text, leaves)
    call, _, rest = str(caught.value).partition(": expected ")
    assert rest and call in text, "the call is a part of what was typed"
    said = rest.removesuffix(text).split("\n    " + text)[0]
    foreign = set(re.findall(r"(?<![\w.\"'])[A-Za-z](?![\w\"'])", said)) - set(names.values()) - {"m", "n", "a", "A"}
    assert not foreign, said
    assert not re.search(r"\b(a|A) (has|of) shape|Did you mean a\b|\b[aA] @", said) or {*names.values()} & {"a", "A"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x^2", "x**2"),
        ("x^(2)", "x**2"),
        ("x^n", "x**n"),
        ("A^T", "A.T"),
        ("A^-1", "A**-1"),
        ("e^x", "exp(x)"),
        ("sin^2(x)", "sin(x)**2"),
        ("tanh^2 x", "tanh(x)**2"),
        ("ln x", "log(x)"),
        ("cot x", "1/tan(x)"),
        ("sin x", "sin(x)"),
        ("max(x, y, n)", "maximum(a, maximum(b, c))"),
        ("x!", "gamma(x + 1)"),
    ],
)
def test_what_is_written_on_paper_is_told_as_it_is_typed(text: str, told: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        formula(text)
    assert f"{told}" in str(caught.value).splitlines()[0]


def test_letters_side_by_side_are_told_to_be_one_name() -> None:
    with pytest.raises(ArgumentError, match=r"Ax is one name: write A @ x, or A\*x"):
        formula("x@Ax", declarations(["A:n,n", "x:n"]))


@pytest.mark.parametrize(
    "texts",
    [
        ["X:m,n", "w:n", "s"],
        ["X:m,n w:n s"],
        ["X:m,n; w:n; s"],
        ["X: m, n", "w: n", "s"],
        ["X:(m, n)", "w:[n]", "s:"],
        ["X: m, n w: n; s"],
    ],
)
def test_declarations_are_read_however_they_are_set_apart(texts: list[str]) -> None:
    found = declarations(texts)
    assert [found[name].shape for name in "Xws"] == [(m, n), (n,), ()]
