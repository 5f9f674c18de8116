"""The command line: every command runs on a file, and every refusal says how to mend it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.cli import demo
from symnet.cli import main as cli
from symnet.cli.comparing import NAMES
from symnet.compare.methods.registry import METHODS
from symnet.errors import DependencyError

Capture = pytest.CaptureFixture[str]

MODEL = """
import symnet as sn
m = sn.dim("m")
X, d = sn.tensor("X", m, 2), sn.tensor("d", m)
w, b = sn.tensor("w", 2), sn.scalar("b")
y = sn.sigmoid(X @ w + b).named("y")
L = sn.mean(sn.binary_cross_entropy(y, d)).named("L")
both = [y, L]
number = 3
"""


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(arguments) == 0, capsys.readouterr().err
    return capsys.readouterr().out


# --------------------------------------------------------------------------- derive


def test_derive_prints_every_gradient(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "derive", f"{model}:L").splitlines()
    assert "∂L/∂w = X.T @ (y - d)/m" in lines and "∂L/∂b = mean(y - d)" in lines


def test_derive_prints_the_steps_of_one(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "derive", f"{model}:L", "--wrt", "w")
    assert "multiply along a route, add over routes" in shown and "∂L/∂w = X.T @ (y - d)/m" in shown


def test_derive_writes_a_page_and_slides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "graph.py").write_text(
        'import symnet as sn\na, b = sn.scalar("a"), sn.scalar("b")\nd = (a * (a + b).named("c")).named("d")\n'
    )
    page, slides = tmp_path / "page.html", tmp_path / "slides.html"
    source = f"{tmp_path}/graph.py:d"
    shown = run(capsys, "derive", source, "--at", "a=4, b=3", "--html", str(page), "--slides", str(slides))
    assert shown == f"{page}\n{slides}\n"
    assert "<svg" in page.read_text() and "ArrowRight" in slides.read_text()
    assert "∂d/∂a = c + a = 11" in run(capsys, "derive", source, "--at", "a=4,b=3")


def test_derive_takes_intermediate_values_of_the_file(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "derive", f"{model}:L", "--wrt", "y", "--brief") == "∂L/∂y = ((1 - d)/(1 - y) - d/y)/m\n"


def test_derive_writes_latex(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    brief = run(capsys, "derive", f"{model}:L", "--wrt", "w, y", "--brief", "--latex")
    assert brief.splitlines()[0].startswith(r"\frac{\partial L}{\partial w} = ") and r"\partial y" in brief
    assert r"\begin{align*}" in run(capsys, "derive", f"{model}:L", "--wrt", "b", "--latex")


# --------------------------------------------------------------------------- compile, export


def test_compile_reports_what_was_made(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "compile", f"{model}:L", "--wrt", "w,b", "--dtype", "float32")
    assert shown.startswith("symnet_gradient(") and "-> value, grad_w, grad_b" in shown
    assert "workspace" in shown and "FLOPs" in shown


def test_compile_takes_a_list(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "-> y, L\n" in run(capsys, "compile", f"{model}:both")


@pytest.mark.parametrize(
    ("stage", "part"),
    [
        ("simplify", "mean("),
        ("numeric", "softplus"),
        ("loops", "program symnet_function(m):"),
        ("schedule", "program symnet_function(m):"),
        ("llvm", "define"),
    ],
)
def test_compile_shows_what_stands_on_a_floor(
    model: str, stage: str, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert part in run(capsys, "compile", f"{model}:L", "--stop-after", stage)


def test_a_gradient_can_be_seen_on_a_floor(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "compile", f"{model}:L", "--wrt", "w", "--stop-after", "simplify")
    assert len(shown.splitlines()) == 2


def test_export_writes_files_that_load(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "export", f"{model}:L", str(tmp_path / "build" / "logit"), "--wrt", "w")
    files = [Path(line) for line in shown.splitlines()]
    assert {"logit.h", "logit.o", "logit.py"} <= {path.name for path in files} and all(p.exists() for p in files)
    f = sn.load(tmp_path / "build" / "logit")
    loss, (slope,) = f(X=np.ones((3, 2)), d=np.ones(3), w=np.zeros(2), b=0.0)
    assert loss == pytest.approx(np.log(2)) and slope == pytest.approx([-0.5, -0.5])


# --------------------------------------------------------------------------- compare, info, demo


def test_compare_prints_the_table(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "data.npz", X=np.ones((3, 2)), d=np.ones(3), other=np.ones(1))
    shown = run(capsys, "compare", f"{model}:L", "--data", str(tmp_path / "data.npz"))
    assert shown.startswith("the gradient by 3 numbers, float64")  # by w and b, which the data lack
    assert "tape (interpreted)" in shown and "central differences" in shown


def test_compare_draws_data_and_writes_what_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = {ending: str(tmp_path / f"out.{ending}") for ending in ("html", "csv", "json")}
    asked = [option for ending, path in paths.items() for option in (f"--{ending}", path)]
    formula = ["compare", "mean((X@w - y)**2)", "--shapes", "X:m,n", "w:n", "y:m", "--wrt", "w", "--extents", "m=7,n=5"]
    shown = run(capsys, *formula, "--against", "tape, complex step", *asked)
    assert "data: random numbers, m = 7, n = 5" in shown and "complex step" in shown and "central" not in shown
    assert shown.splitlines()[-3:] == list(paths.values())
    written = {ending: Path(path).read_text(encoding="utf-8") for ending, path in paths.items()}
    assert "<table>" in written["html"] and written["csv"].startswith("method,")
    assert json.loads(written["json"])["of"] == "gradient"
    assert "the Hessian by 5 numbers" in run(capsys, *formula, "--hessian")
    assert "the Hessian times a vector by 5 numbers" in run(capsys, *formula, "--hvp", "--dtype", "float32")


def test_compare_takes_the_data_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.py"
    path.write_text(
        "import symnet as sn\nx, w = sn.tensor('x', 3), sn.tensor('w', 3)\nL = sn.sum((x*w)**2)\n"
        "data = {x: [1.0, 2, 3], 'w': [1.0, 1, 1]}\n"
    )
    shown = run(capsys, "compare", f"{path}:L", "--wrt", "w")
    assert "the gradient by 3 numbers" in shown and "random" not in shown


def test_the_methods_that_help_names_are_those_there_are() -> None:
    assert set(NAMES) == set(METHODS)


def test_info_names_versions_machine_and_cache(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "info")
    for name in ("symnet", "python", "numpy", "sympy", "llvmlite", "llvm", "target", "vectors", "cache"):
        assert any(line.startswith(f"{name} ") for line in shown.splitlines()), name


def test_demo_tells_the_whole_story(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.setattr(demo, "find_spec", lambda name: None)  # JAX starts threads, and tests of forks run here
    assert cli.main(["demo"]) == 0
    shown, bar = capsys.readouterr()
    for part in (
        "L = mean(-sum(D*log(Y), axis=1))",
        "∂L/∂Z = (Y - D)/m",
        "41338*m + 1 operations in the formula",
        "bytes for a thousand images",
        "assemble",
        "new square",
        "symnet, compiled",
        "tape (interpreted)",
        "central differences",
    ):
        assert part in shown, part
    accuracy = float(shown.partition("accuracy")[2].split("%")[0])
    assert accuracy >= 97
    assert "epoch 60/60" in bar


def test_demo_without_scikit_learn_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DependencyError, match=r"symnet demo: expected scikit-learn.*pip install 'symnet\[demo\]'"):
        demo.load()


# --------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["derive", "L"], "L: expected FILE.py:NAME; got 'L'. Write model.py:L, or a formula"),
        (["derive", "5"], "5: expected a formula with a variable to differentiate by; got numbers alone."),
        (["derive", "x = 3; x**2"], "expected a formula with a variable to differentiate by; got numbers alone."),
        (["hessian", "5"], "expected a formula with a variable to differentiate by; got numbers alone."),
        (["derive", "sum(D)", "--shapes", "D:2,3", "--assume", "D:one_hot"], "got none but D, whose elements are not"),
        (["derive", "gone.py:L"], "expected a Python file; got no file 'gone.py'"),
        (["derive", "MODEL:Q"], "got no such variable. It has the expressions X, d, w, b, y, L, both."),
        (["compile", "MODEL:number"], "expected an expression called 'number'"),
        (["derive", "MODEL:both"], "expected one expression; got a list of 2"),
        (["derive", "MODEL:L", "--at", "w=open"], "expected numbers or lists for names, as a=4,b=[1,2]; got 'w=open'"),
        (["derive", "MODEL:L", "--at", "q=1"], "got 'q' besides"),
        (["derive", "MODEL:L", "--wrt", "v"], "expected one of X, d, w, b, y, L; got 'v'"),
        (["compare", "MODEL:L", "--data", "gone.npz"], "expected an .npz file of arrays; got"),
        (["compare", "x*x", "--extents", "m=3"], "--extents m=3: expected none, as there are no dims; got m=3"),
        (["compare", "sum(x)", "--shapes", "x:m", "--extents", "m=0"], "whole numbers for m; got m=0. Write m=256"),
        (
            ["compare", "x*x", "--html", "page.pdf"],
            "a name that ends in .html; got 'page.pdf'. Write --html page.html",
        ),
    ],
    ids=range(16),
)
def test_what_cannot_be_done_is_explained_on_stderr(
    model: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([argument.replace("MODEL", model) for argument in arguments]) == 2
    shown, error = capsys.readouterr()
    assert shown == "" and error.startswith(f"symnet {arguments[0]}: ") and message in error


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["train"])
    error = capsys.readouterr().err
    assert error.startswith("symnet: expected symnet [-h] ") and "invalid choice: 'train'" in error
    assert error.endswith(" symnet --help says more.\n")


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "symnet", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"symnet {sn.__version__}\n"


# --------------------------------------------------------------------------- formulas

SHAPES = ("--shapes", "X:m,n", "w:n", "y:m")
SQUARES = "mean((X@w - y)**2)"


def test_derive_takes_a_formula(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "derive", SQUARES, *SHAPES, "--wrt", "w") == "∂L/∂w = 2*X.T @ (X @ w - y)/m\n"


@pytest.mark.parametrize("more", [(), ("--latex",), ("--steps",)])
def test_the_root_has_no_name_that_a_leaf_has(more: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "derive", "sum(L**2)", "--shapes", "L:n", "--wrt", "L", *more)
    assert (r"\frac{\partial J}{\partial L}" if "--latex" in more else "∂J/∂L = 2*L") in shown
    assert run(capsys, "hessian", "sum(L**2) + J", "--shapes", "L:n", "J:", "--wrt", "L").startswith("∂²f/∂L²")


def test_a_formula_of_scalars_needs_no_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "derive", "a*(a + b)", "--wrt", "a") == "∂L/∂a = b + 2*a\n"
    assert run(capsys, "derive", "a*(a + b)").splitlines() == ["∂L/∂a = b + 2*a", "∂L/∂b = a"]


def test_the_steps_of_a_formula_and_its_names(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "derive", "c = a + b; a*c", "--wrt", "a", "--steps")
    assert "multiply along a route" in shown and "c = a + b" in shown
    assert run(capsys, "derive", "c = a + b; a*c", "--wrt", "c") == "∂L/∂c = a\n"


def test_assumptions_are_used(capsys: pytest.CaptureFixture[str]) -> None:
    loss = ("mean(cross_entropy(softmax(Z), D))", "--shapes", "Z:m,10", "D:m,10:one_hot", "--wrt", "Z")
    assert run(capsys, "derive", *loss) == "∂L/∂Z = (softmax(Z) - D)/m\n"


def test_assumptions_may_stand_apart(capsys: pytest.CaptureFixture[str]) -> None:
    loss = ("mean(cross_entropy(softmax(Z), D))", "--shapes", "Z:m,10", "D:m,10", "--assume", "D:one_hot", "--wrt", "Z")
    assert run(capsys, "derive", *loss) == "∂L/∂Z = (softmax(Z) - D)/m\n"
    assert run(capsys, "derive", "abs(a)*a", "--assume", "a:positive") == "∂L/∂a = 2*a\n"


def test_a_derivative_of_an_array_is_laid_out(capsys: pytest.CaptureFixture[str]) -> None:
    product = ("derive", "A@x", "--shapes", "A:m,n", "x:n", "--wrt", "x", "--layout")
    assert run(capsys, *product, "numerator") == "∂L/∂x = A\n"
    assert run(capsys, *product, "denominator") == "∂L/∂x = A.T\n"
    assert run(capsys, *product, "numerator", "--latex") == "\\frac{\\partial L}{\\partial x} = A\n"


def test_the_numeric_form_is_the_stable_one(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "derive", "sum(log(sigmoid(z)))", "--shapes", "z:n", "--numeric").splitlines()
    assert shown == ["L = sum(-softplus(-z))", "∂L/∂z = sigmoid(-z)"]


def test_steps_fit_into_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    loss = (
        "derive",
        "mean(cross_entropy(softmax(Z), D))",
        "--shapes",
        "Z:m,9",
        "D:m,9:one_hot",
        "--wrt",
        "Z",
        "--steps",
    )
    wide = run(capsys, *loss)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "76")
    narrow = run(capsys, *loss)
    assert max(map(len, narrow.splitlines())) <= 76 < max(map(len, wide.splitlines()))
    assert narrow.split() == wide.split(), "the same words"


@pytest.mark.parametrize("command", ["derive", "check", "compile", "export", "compare"])
def test_help_fits_into_80_columns(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        cli.main([command, "--help"])
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80 and f"symnet {command} " in shown.partition("examples:")[2]


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m symnet derive 'exp(sin(a*b))' --steps | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1


def test_other_commands_take_formulas_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert "FLOPs" in run(capsys, "compile", SQUARES, *SHAPES, "--wrt", "w")


def test_check_grades_a_derivative(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "check", SQUARES, "2*X.T@(X@w - y)/m", *SHAPES, "--wrt", "w").startswith("right: ")
    assert cli.main(["check", SQUARES, "X.T@(X@w - y)/m", *SHAPES, "--wrt", "w"]) == 1
    assert "wrong: 1/2 times the gradient; a factor 2 is lost" in capsys.readouterr().out
    assert run(capsys, "check", "x**3", "3*x**2").startswith("right: ")


def test_check_takes_a_file(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "check", f"{model}:L", "X.T @ (y - d)/m", "--wrt", "w").startswith("right: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("derive", "mean(X@q)", "--shapes", "X:m,n"), "expected one of X, m, n; got q"),
        (("derive", SQUARES, "--shapes", "X:m,n", "w:m", "y:m"), "shapes (m, n) and (m,): n against m"),
        (("check", "a*b", "b"), "expected one variable; got a, b. Write --wrt a."),
        (("derive", "__import__('os')"), "expected a function of symnet; got __import__"),
    ],
)
def test_a_wrong_formula_is_refused_with_its_place(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["derive", "-x**2", "--wrt", "x"], "∂L/∂x = -2*x"),
        (["derive", "--wrt", "x", "-x**2"], "∂L/∂x = -2*x"),
        (["derive", "-(x + y)*x", "--brief"], "∂L/∂y = -x"),
        (["derive", "-y = x; y", "--brief"], None),
        (["check", "-x**2/2", "-x"], "right: "),
        (["check", "-sum(x**2)", "-2*x", "--shapes", "x:n"], "right: "),
        (["compile", "-x*2"], "symnet_function(x)"),
        (["derive", "-.5*x", "--brief"], "∂L/∂x = -1/2"),
        (["derive", "-", "--brief"], None),
    ],
)
def test_a_formula_may_begin_with_a_minus(arguments: list[str], shown: str | None, capsys: Capture) -> None:
    code = cli.main(arguments)
    out, err = capsys.readouterr()
    if shown is None:
        assert code == 2 and "expected" in err and "usage" not in err
    else:
        assert code == 0 and shown in out


# --------------------------------------------------------------------------- arrays, second derivatives, points


def test_a_layout_is_kept_by_steps_and_pages(tmp_path: Path, capsys: Capture) -> None:
    formula = ("derive", "tanh(A@x)", "--shapes", "A:2,3", "x:3", "--wrt", "x", "--layout")
    for layout, end in (("numerator", ""), ("denominator", ".T")):
        shown = run(capsys, *formula, layout, "--steps")
        assert shown.startswith(f"∂y/∂x in {layout} layout") and "y_bar = eye(2)    the seed" in shown
        assert f"[:, None]{')' if end else ''}{end}" in shown.partition("\nResult\n")[2]
        page = tmp_path / f"{layout}.html"
        run(capsys, *formula, layout, "--html", str(page))
        assert "<svg" in page.read_text()


def test_hessian_prints_blocks_and_steps(tmp_path: Path, capsys: Capture) -> None:
    lines = run(capsys, "hessian", "x**2*y").splitlines()
    assert lines == ["∂²L/∂x² = 2*y", "∂²L/∂x∂y = 2*x", "∂²L/∂y∂x = 2*x", "∂²L/∂y² = 0"]
    assert r"\frac{\partial^{2} L}{\partial x \, \partial y} = 2 x" in run(capsys, "hessian", "x**2*y", "--latex")
    page = tmp_path / "page.html"
    run(capsys, "hessian", "x[0]**2*x[1]", "--shapes", "x:2", "--wrt", "x", "--html", str(page))
    assert "The derivative of the gradient" in page.read_text()
    shown = run(capsys, "hessian", "x[0]**2*x[1]", "--shapes", "x:2", "--wrt", "x", "--at", "x=[1,2]")
    assert "∂g/∂x = [[2*x[1], 2*x[0]], [2*x[0], 0]]" in shown and "[[4, 2], [2, 0]]" in shown
    shown = run(capsys, "hessian", "x**2*y", "--steps")
    assert "∂g_x/∂y = 2*x" in shown and "∂g_y/∂x, where g_y = ∂L/∂y" in shown


def test_critical_points_are_printed(capsys: Capture) -> None:
    shown = run(capsys, "critical-points", "x**3 - 3*x")
    assert "x = -1: maximum, value 2" in shown and "x = 1: minimum, value -2" in shown
    assert "numeric" in run(capsys, "critical-points", "(x - 1)**2", "--numeric")


def test_elements_are_named_by_wrt(capsys: Capture) -> None:
    shown = run(capsys, "derive", "sum((W@x)**2)", "--shapes", "W:3,4", "x:4", "--wrt", "x[2],W[0,1]").splitlines()
    assert shown == ["∂L/∂x[2] = 2*W[:, 2] @ W @ x", "∂L/∂W[0, 1] = 2*x[1]*x @ W[0]"]
    assert cli.main(["derive", "sum(x)", "--shapes", "x:2", "--wrt", "x[7]"]) == 2
    assert "expected an index from -2 to 1; got 7" in capsys.readouterr().err


@pytest.mark.parametrize("written", ["J = x**2", "J := x**2", "J=x**2;"])
def test_a_formula_with_a_name_is_differentiated_by_that_name(written: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["derive", written]) == 0
    assert capsys.readouterr().out == "∂J/∂x = 2*x\n"
    assert cli.main(["hessian", written, "--latex"]) == 0
    assert r"\partial^{2} J" in capsys.readouterr().out


def test_a_function_on_paper_is_differentiated_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["derive", "f(x, y) = x*y"]) == 0
    assert capsys.readouterr().out == "∂f/∂x = y\n∂f/∂y = x\n"
