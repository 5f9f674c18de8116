"""Every example runs, and what it prints is what it claims."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.py"))

# example → what its output must hold, as regular expressions
CLAIMS: dict[str, tuple[str, ...]] = {
    "graph_backprop": (
        r"d = 28\.0  ∂d/∂a = 11\.0  ∂d/∂b = 4\.0  ∂d/∂c = 4\.0  ∂c/∂a = 1\.0",
        r"∂d/∂a   = a \+ c",
    ),
    "logistic_regression": (
        r"∂L/∂z = y - d\n",
        r"∂L/∂w = X\.T @ \(y - d\)",
        r"∂L/∂b = sum\(y - d\)",
        r"accuracy 9\d\.\d%",
    ),
    "softmax_cross_entropy": (r"D anything: \(Y\*sum\(D, axis=1, keepdims=True\) - D\)/m", r"loss 2000\.0"),
    "logic_gates": (
        r" 0  0     0     0     1     0\n 0  1     1     0     1     1\n",
        r" 1  0     1     0     1     1\n 1  1     1     1     0     0\n",
        r" 0  0  0\.0\d\d\n 0  1  0\.9\d\d\n 1  0  0\.9\d\d\n 1  1  0\.0\d\d\n",
    ),
    "circle": (r"∂/∂w0  = 2\*w0\*mean\(d - y\)", r"stopped by gradient_norm", r"radius (2\.9|3\.0)\d\d"),
    "relu_regressor": (r"500 steps in", r"largest relative difference over 1\d\d steps: \d\.\de-0[5-9]"),
    "digits": (r"time per epoch: [\d.]+ ms", r"held-out accuracy: 9[789]\.\d\d%"),
    "own_neuron": (r"derivative: -2\*z\*Cauchy\(z\)\*\*2", r"3000 steps in [\d.]+ s: loss 0\.18\d* → 0\.000"),
    "quadratic": (
        r"exactly: x1 = -1, x2 = -1, x3 = -1: minimum, value -1; ",
        r"eigenvalues of the Hessian 2 - sqrt\(2\), 2, sqrt\(2\) \+ 2",
        r"critical point \[-1\. -1\. -1\.\] where the gradient is \[0\. 0\. 0\.\]",
        r"2 \+ √2: minimum",
    ),
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_it_claims(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if path.stem == "digits":
        pytest.importorskip("sklearn")
    runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr().out
    for claim in CLAIMS[path.stem]:
        assert re.search(claim, printed), f"{claim!r} is not in\n{printed}"


def test_every_example_is_short_and_says_what_it_is_about() -> None:
    assert {path.stem for path in EXAMPLES} == set(CLAIMS)
    for path in EXAMPLES:
        lines = path.read_text().splitlines()
        assert lines[0].startswith('"""') and len(lines) <= 65, path.name
