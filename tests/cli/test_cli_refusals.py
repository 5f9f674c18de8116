"""Command lines that cannot be understood: one error of four parts on stderr, exit status 2, no traceback.

The table grows: a command line that once slipped through is appended.
"""

from __future__ import annotations

import itertools
import os
import re
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.cli import main as cli
from symnet.errors import SymnetError
from symnet.reading.formula import formula, functions, names_in

SHAPES = ("--shapes", "X:m,n", "w:n", "y:m", "A:3,3")
SQUARES = "mean((X@w - y)**2)"
DEEP = 10_000

FORMULAS: dict[str, str] = {
    # names
    "mean((X@v - y)**2)": "expected one of X, w, y, A, m, n; got v",
    "meen(w)": "expected a function of symnet; got meen. Did you mean mean?",
    "__import__('os').system('ls')": "expected a function of symnet; got __import__",
    "open('/etc/passwd')": "expected a function of symnet; got open",
    "eval('1')": "expected a function of symnet; got eval",
    "X.__class__": "got .__class__. Call a function instead",
    "X.real": "expected one of .T, .shape",
    "A.I": "got .I. Write inv(A).",
    "A.det": "got .det. Write det(x).",
    "tr(A)": "got tr. Write trace(A).",
    "2*|w|": "got '|'. Write abs(x) for |x|, or norm(x) for the length of a vector.",
    "w|": "got the end. Write abs(x) for |x|",
    "lambda x: x": "got lambda. Write the formula itself",
    "[v for v in X]": "expected one of X, w",
    "w@w*nan": "got nan",
    "q" * 5000: "got " + "q" * 40 + "…",
    # brackets and signs
    "mean((X@w - y)**2": "expected ',' or ')'; got the end. Write ')' here.",
    "mean((X@w - y)**2))": "got ')'. Drop it, or open it before.",
    "mean((X@w - y)**)": "expected a number, a name or a bracket; got ')'",
    "w[0": "expected ']'; got the end",
    "w +": "expected a number, a name or a bracket; got the end",
    "mean(,)": "expected a number, a name or a bracket; got ','",
    "": "expected a formula; got nothing. Write one, such as mean((X @ w - y)**2).",
    "   ": "expected a formula; got nothing",
    "2X@w": "A product has a sign: write 2*X, or @ for a product of arrays.",
    "mean((X w - y)**2)": "A product has a sign: write X*w",
    "(X@w)(y)": "A product has a sign: write (…)*(…)",
    "w@w + 1j": "A product has a sign: write 1*j",
    "1_000*w@w": "expected an operator or the end; got '_000'",
    "w; w": "expected an operator or the end; got ';'",
    "t = ": "expected a number, a name or a bracket; got the end",
    "w = w@w": "expected a name that is not in its own definition, as L = w**2; got 'w'",
    "w @ w where": "expected a name to define; got the end",
    "w @ w where t": "expected '='; got the end",
    "v := 3": "expected an expression that contains w",
    "w < w < w": "expected one comparison; got a chain of them. Write (a < b) & (b < c).",
    "w and w": "got 'and'. Write (a < b) & (b < c).",
    "not w": "got not. Write ~(a < b).",
    "mean(w) if 1 else 2": "got 'if'. Write where(condition, a, b).",
    # characters
    "mean((X@w - y)^2)": "got '^'. Write (…)**2.",
    "Σ(w)": "got 'Σ'. Write sum(x)",
    "X·w": "got '·'. Write * or @ for a product.",
    "X×w": "got '×'. Write * for a product.",
    "A⁻¹": "got '⁻'. Write x**-1, or inv(A) for a matrix.",
    "√(w@w)": "got '√'. Write sqrt(x).",
    "‖w‖": "got '‖'. Write norm(x).",
    "∂w": "got '∂'. Write the expression; --wrt names the variable.",
    "\\frac{1}{2}": "LaTeX is not read",
    "$w$": "LaTeX is not read",
    "# w": "got '#'. Leave comments out.",
    "“w”": "expected a sign of the grammar; got '“'",
    "w € w": "got '€'",
    "w!": "got '!'. Write != for unequal",
    "w\x00w": "got '\\x00'",
    "\"w@w": "got '\"'",
    # numbers
    "1e999*w@w": "expected a number that float64 holds; got 1e999",
    "9" * 1000 + "*w@w": "expected a number that float64 holds; got 99999999999999999999…",
    "10**10**10*w@w": "10**10**10: expected a number below 2**1024",
    "2**-100000*w@w": "2**-100000: expected a number below 2**1024",
    # depth and length
    "(" * DEEP + "w" + ")" * DEEP: "expected at most 60 nested parts; got more",
    "w" + "**2" * DEEP: "expected at most 60 nested parts; got more",
    "sin(" * DEEP + "w" + ")" * DEEP: "expected at most 60 nested parts; got more",
    # arguments of functions
    "mean()": "expected mean(x, axis, keepdims); got missing a required argument: 'x'",
    "mean(w, w, w, w)": "expected mean(x, axis, keepdims); got too many positional arguments",
    "mean(w, axes=0)": "got an unexpected keyword argument 'axes'",
    "mean(X, axis=5)": "expected axes from -2 to 1; got axis 5",
    "sum(X, axis='a')": "expected an int or a tuple of ints as axis; got axis='a'",
    "max(w, y)": "expected one array; got 2 values. Write maximum(a, b) for the maximum of two values",
    "where(w)": "expected where(condition, a, b); got missing a required argument: 'a'",
    "einsum(X)": "expected subscripts as text first; got Tensor",
    "einsum('ij,j->', X, w, y)": "expected 2 operands; got 3",
    "concat(3)": "expected a tuple or list of arrays; got Integer 3",
    "concat([w, w], 'a')": "expected an int as axis; got axis='a'",
    "stack([w, y])": "expected arrays of one shape; got (n,) and (m,)",
    "broadcast_to(w, 3)": "expected a tuple or list of extents; got Integer 3",
    "reshape(w, 3)": "expected n elements; got a target of 3",
    "diag(3*w@w)": "expected a vector or a matrix; got shape ()",
    "inv(w)": "expected a square matrix; got shape (n,)",
    # shapes and types
    "X@X": "expected equal inner extents; got shapes (m, n) and (m, n)",
    "X + y": "expected shapes that broadcast",
    "w['a']": "expected an int, a slice, None, ... or an array of integers; got str",
    "w[0:1:0]": "expected a step that is a whole number other than 0; got 0",
    "w[0, 0]": "expected at most 1 indices",
    "A[7]": "got 7",
    "X.shape": "expected one expression; got tuple (m, n)",
    "(w, w)": "expected one expression; got tuple (w, w)",
    "'w'": "expected one expression; got str w",
    "True": "expected one expression; got bool True",
    "X@w": "expected a scalar (rank 0); got shape (m,). Reduce it with sum or mean, or add --layout numerator",
    "0/0": "expected an expression that contains w",
}  # fmt: skip


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command line that fails says."""
    try:
        code: Any = cli.main(arguments)
    except SystemExit as left:
        code = left.code
    shown, error = capsys.readouterr()
    assert code == 2 and shown == "", (code, shown)
    assert error.startswith("symnet") and "Traceback" not in error
    assert error.count("symnet derive: ") <= 1 and error.count(": expected ") == 1 and error.count("; got ") == 1
    return error


@pytest.mark.parametrize("text", FORMULAS, ids=lambda text: repr(text[:30]))
def test_a_formula_that_cannot_be_read_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(capsys, "derive", text, *SHAPES, "--wrt", "w")
    assert FORMULAS[text] in error and len(error) < 900


ARGUMENTS: list[tuple[tuple[str, ...], str]] = [
    ((SQUARES, "--shapes", "X:m,n", "w:n", "y:m", "X:m,n"), "--shapes: expected X once; got it twice"),
    ((SQUARES, "--shapes", "X=m,n"), "expected a name, a colon and extents; got 'X=m,n'. Write X:m,n."),
    (("1/2", "--wrt", "x"), "--wrt x: expected a leaf of the expression; got 'x'. The expression has no leaves"),
    ((SQUARES, "--shapes", "X:m;n"), "--shapes X:m;n: expected ints and names as extents; got 'm;n'"),
    ((SQUARES, "--shapes", "X:m,n:fluffy"), "got 'fluffy'. Check the assumption."),
    ((SQUARES, "--shapes", ":m"), "expected an identifier as the name; got ''"),
    ((SQUARES, "--shapes", "2X:m"), "expected an identifier as the name; got '2X'"),
    ((SQUARES, "--shapes", "X:-1"), "expected ints and names as extents; got '-1'"),
    ((SQUARES, "--shapes", "X:" + "9" * 30), "expected ints and names as extents"),
    ((SQUARES, "--shapes", "X"), "expected one of X; got w"),
    ((SQUARES, "--shapes"), "got argument --shapes expects at least one argument"),
    ((SQUARES,), "Every name is a scalar here: say what is not, as --shapes X:m,n w:n."),
    ((SQUARES, *SHAPES, "--assume", "q:one_hot"), "expected one of X:…, w:…, y:…, A:…; got 'q:one_hot'"),
    ((SQUARES, *SHAPES, "--assume", "w"), "--assume w: expected one of"),
    ((SQUARES, *SHAPES, "--assume", "w:fluffy"), "got 'fluffy'"),
    ((SQUARES, *SHAPES, "--wrt", "q"), "--wrt q: expected one of X, w, y, A; got 'q'"),
    ((SQUARES, *SHAPES, "--wrt", ""), "expected one of X, w, y, A; got ''"),
    ((SQUARES, *SHAPES, "--wrt", "w,"), "got ''. Check the name; several are separated by commas."),
    ((SQUARES, *SHAPES, "--wrt", "w", "--at", ""), "expected numbers or lists for names, as a=4,b=[1,2]; got ''"),
    ((SQUARES, *SHAPES, "--wrt", "w", "--at", "w"), "--at w: expected numbers or lists for names"),
    ((SQUARES, *SHAPES, "--wrt", "w", "--at", "w=[1,2"), "got 'w=[1,2'"),
    ((SQUARES, *SHAPES, "--wrt", "w", "--at", "w=__import__('os')"), "nothing but numbers is read"),
    ((SQUARES, *SHAPES, "--wrt", "w", "--at", "w=1"), "expected a number for each of X, w, y; got 'X' missing"),
    ((SQUARES, *SHAPES, "--wrt", "w", "--at", "X=[[1,2],[3,4]],w=[1,2,3],y=[1,2]"), "expected extent n = 3 on axis 1"),
    (("a*b", "--at", "a=" + "(" * DEEP), "expected numbers or lists for names"),
    (("a*b", "--html", "/nonexistent/page.html"), "expected a file that can be opened; got No such file"),
    (("a*b", "--slides", "/nonexistent/page.html"), "expected a file that can be opened; got No such file"),
    (("a*b", "--layout", "diagonal"), "argument --layout: invalid choice: 'diagonal'"),
    (("a*b", "--bogus"), "unrecognized arguments: --bogus"),
    (("a*b", "--wrt", "a", "b"), "Several names of one option are separated by commas: --wrt a,b."),
    (("gone.py:L",), "gone.py:L: expected a Python file; got no file 'gone.py'"),
    (("gone.py",), "gone.py: expected FILE.py:NAME; got 'gone.py'. Write model.py:L, or a formula"),
    ((), "the following arguments are required: EXPRESSION"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), ARGUMENTS, ids=range(len(ARGUMENTS)))
def test_arguments_that_do_not_fit_are_refused(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(capsys, "derive", *arguments)


def test_check_refuses_a_claim_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    for claim, message in (("2*q", "got q"), ("", "got nothing"), ("2*X.T@(X@w-y)/m)", "got ')'")):
        assert message in refused(capsys, "check", SQUARES, claim, *SHAPES, "--wrt", "w")
    assert "expected one variable; got X, w, y" in refused(capsys, "check", SQUARES, "2", *SHAPES)
    assert "expected a numeric value" not in refused(capsys, "check", SQUARES, "w[0:0:0]", *SHAPES, "--wrt", "w")


def test_no_argument_of_any_function_leads_to_a_traceback() -> None:
    """Every function, with one and two arguments of every kind that can be typed."""
    m, n = sn.dim("m"), sn.dim("n")
    leaves = (sn.tensor("X", m, n), sn.tensor("w", n), sn.scalar("s"), sn.tensor("i", m, dtype="int64"))
    names = names_in(*leaves)
    kinds = ["X", "s", "i", "-1", "1.5", "'ij'", "None", "True", "(0, 1)", "()", "[w, w]", "m", "[1, [2]]", "99"]
    calls = [
        f"{f}({', '.join(given)})" for f in functions() for k in (1, 2) for given in itertools.product(kinds, repeat=k)
    ]
    calls += [f"{f}(X, axis={k})" for f in functions() for k in kinds]
    calls += [
        text.format(a=a, b=b) for a, b in itertools.product(kinds, kinds) for text in ("X[{a}, {b}]", "w[{a}:{b}]")
    ]
    calls += [f"({a}) {op} ({b})" for a, b in itertools.product(kinds, kinds) for op in "+-*/@<&|"]
    for call in calls:
        try:
            formula(call, names)
        except SymnetError:
            continue


# --------------------------------------------------------------------------- files

BROKEN = {
    "x = 1\ny = 1/0\n": "ZeroDivisionError at line 2: division by zero. Run python",
    "x = (\n": "SyntaxError: '(' was never closed",
    "import nosuchmodule\n": "ModuleNotFoundError at line 1: No module named 'nosuchmodule'",
    "raise SystemExit(3)\n": "SystemExit at line 1: 3",
    "assert False\n": "AssertionError at line 1",
    "def f():\n    return f()\nf()\n": "RecursionError at line 2",
    "import symnet as sn\nsn.tensor('x', -1)\n": "expected an extent",
    "x = '\0'": "SyntaxError: source code string cannot contain null bytes",
    "": "got no such variable",
}


@pytest.mark.parametrize("command", [("derive",), ("compile",), ("export", "out/e"), ("check", "2*x")])
@pytest.mark.parametrize("text", BROKEN)
def test_a_file_that_does_not_run_is_said_with_its_line(tmp_path, capsys, monkeypatch, text, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.py").write_text(text)
    assert cli.main([command[0], "m.py:L", *command[1:]]) == 2
    said = capsys.readouterr().err
    assert BROKEN[text] in said or ("extent" in BROKEN[text] and "-1" in said)
    assert re.match(r"(?s)symnet \w+: .+: expected .+; got .+\. \S.+", said)


def test_an_interrupt_is_no_traceback(tmp_path, capsys):
    (tmp_path / "m.py").write_text("raise KeyboardInterrupt\n")
    assert cli.main(["derive", f"{tmp_path / 'm.py'}:L"]) == 130
    assert capsys.readouterr().err == ""


def archives(folder):
    """Files that are no archives of arrays, by what is wrong with them."""
    np.savez(folder / "good.npz", x=np.ones(3))
    np.savez(folder / "objects.npz", x=np.array([None]))
    np.save(folder / "single.npy", np.ones(3))
    content = (folder / "good.npz").read_bytes()
    for place in (0, 1, 60, len(content) // 2, len(content) - 1):
        (folder / f"cut{place}.npz").write_bytes(content[:place])
    (folder / "text.npz").write_text("x = 1")
    (folder / "folder.npz").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.npz")
    return [path for path in folder.iterdir() if path.name != "good.npz"] + [folder / "nowhere.npz"]


def test_data_that_are_no_archive_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in archives(tmp_path):
        assert cli.main(["compare", "sum(x*x)", "--shapes", "x:3", "--data", path.name]) == 2
        assert re.match(rf"symnet compare: --data {path.name}: expected .+; got .+\. ", capsys.readouterr().err), path


@pytest.mark.parametrize(
    "at", ["x=[[1],[1,2]]", "x='a'", "x={1:2}", "x=1j", "x=None", "x=[None]", "x=" + "9" * 400, "x={}"]
)
def test_what_is_no_number_for_a_leaf_is_refused(capsys, at):
    assert cli.main(["derive", "x*x", "--at", at]) == 2
    assert re.match(r"(?s)symnet derive: .+: expected .+; got .+\. ", capsys.readouterr().err)


def test_a_leaf_of_integers_takes_no_fraction():
    n, x = sn.scalar("n", dtype="int64"), sn.scalar("x")
    assert sn.derive(x * n, x, at={"x": 2, "n": 3}) is not None
    with pytest.raises(sn.SymnetError, match=r"expected int64 for n; got float64: 1\.5\. Give numbers of that kind"):
        sn.derive(x * n, x, at={"x": 2, "n": 1.5})


@pytest.mark.parametrize("command", ["derive", "hessian", "critical-points"])
def test_a_condition_is_not_differentiated(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert cli.main([command, "L == x**2"]) == 2
    assert "expected a formula of a number; got a condition" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "meant"), [("x.T*x", "x @ x"), ("2*x'*A*x", "2*x @ A @ x"), ("x*A*x", "x @ A @ x"), ("A*A", "")]
)
def test_products_element_by_element_are_told_of_the_other_product(
    capsys: pytest.CaptureFixture[str], text: str, meant: str
) -> None:
    assert cli.main(["derive", text, "--shapes", "A:n,n", "x:n"]) == 2
    said = capsys.readouterr().err
    assert (f"write @ for the product of arrays, {meant}." in said) if meant else "product of arrays" not in said
