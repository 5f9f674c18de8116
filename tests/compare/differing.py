"""Where methods differ: the slopes that each gives at kinks, ties, overflow and 0·∞, as a table.

    python -m tests.compare.differing

prints the table of `docs/compare.md`; columns of libraries that are not installed are left out.  The expressions are
run as they are written here, by JAX and PyTorch too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

import symnet as sn
from symnet.compare.method import Method
from symnet.compare.methods import written
from symnet.compare.methods.complex_step import ComplexStep
from symnet.compare.methods.differences import Differences
from symnet.compare.methods.duals import DualNumbers
from symnet.compare.methods.jax_peers import JaxJit
from symnet.compare.methods.scalar_tape import ScalarTaped
from symnet.compare.methods.symbolic import Symbolic
from symnet.compare.methods.tape import Taped
from symnet.compare.methods.torch_peers import TorchEager
from symnet.compare.problem import LossAtPoint, problem_of
from symnet.compare.scalars import ScalarProgram, exact

x, y, v = sn.scalar("x"), sn.scalar("y"), sn.tensor("v", 2)
e = sn.exp(v)


@dataclass(frozen=True)
class Place:
    """An expression at a point.

    Attributes:
        text: as it is shown.
        form: the expression.
        at: its data; the slope by the first of them is shown, of an array by all elements.
        choice: what symnet does, and why.
    """

    text: str
    form: Any
    at: dict[str, Any]
    choice: str


FAR = np.array([1000.0, 0])
PLACES = (
    Place("abs(x), x = 0", sn.abs(x), {"x": 0.0}, "0, the mean of both sides"),
    Place("relu(x), x = 0", sn.relu(x), {"x": 0.0}, "1: at a tie `maximum` follows its first operand"),
    Place("maximum(y, x), x = y = 1", sn.maximum(y, x), {"x": 1.0, "y": 1.0}, "the first operand has all"),
    Place("max(v), v = [1, 1]", sn.max(v), {"v": np.ones(2)}, "the first of equal elements has all"),
    Place("where(x > 0, x, 0), x = 0", sn.where(x > 0, x, 0 * x), {"x": 0.0}, "the branch that the condition takes"),
    Place("floor(x), x = 1", sn.floor(x) + 0 * x, {"x": 1.0}, "0 everywhere"),
    Place("norm(v), v = [0, 0]", sn.norm(v), {"v": np.zeros(2)}, "0, the middle of all directions"),
    Place("sqrt(x*x), x = 0", sn.sqrt(x * x), {"x": 0.0}, "0: it is read as abs(x)"),
    Place("sqrt(x**4), x = 0", sn.sqrt(x**4), {"x": 0.0}, "0: it is read as x²"),
    Place("x*log(x), x = 0", x * sn.log(x), {"x": 0.0}, "−∞, the limit; the value is 0"),
    Place(
        "where(x > 0, x*log(x), 0), x = 0",
        sn.where(x > 0, x * sn.log(x), 0 * x),
        {"x": 0.0},
        "a branch not taken gives 0, never 0·∞",
    ),
    Place("log(1 + exp(x)), x = 1000", sn.log(1 + sn.exp(x)), {"x": 1000.0}, "softplus, however it is spelled"),
    Place("(exp(v)/sum(exp(v)))[0], v = [1000, 0]", (e / sn.sum(e))[0], {"v": FAR}, "softmax, shifted"),
    Place("log(sum(exp(v))), v = [1000, 0]", sn.log(sn.sum(e)), {"v": FAR}, "log-sum-exp, shifted"),
    Place("exp(x)*exp(-x), x = 1000", sn.exp(x) * sn.exp(-x), {"x": 1000.0}, "1, so 0: no ∞·0"),
    Place("1/(exp(x) - 1)*x, x = 1e-9", x / (sn.exp(x) - 1), {"x": 1e-9}, "expm1, so every digit"),
    Place("(1 - cos(x))/x**2, x = 1e-8", (1 - sn.cos(x)) / x**2, {"x": 1e-8}, "2·sin²(x/2)"),
    Place("x**y by y, x = 0, y = 2", x**y, {"y": 2.0, "x": 0.0}, "0, the limit"),
)  # fmt: skip

BUILT_IN: tuple[tuple[str, type[Method]], ...] = (
    ("symnet", Symbolic),
    ("tape", Taped),
    ("scalar tape", ScalarTaped),
    ("dual numbers", DualNumbers),
    ("complex step", ComplexStep),
    ("differences", Differences),
)
LIBRARIES: tuple[tuple[str, type[Method]], ...] = (("JAX", JaxJit), ("PyTorch", TorchEager))


def installed() -> list[tuple[str, type[Method]]]:
    """The libraries that are there."""
    return [(name, kind) for name, kind in LIBRARIES if find_spec(kind.needs)]


def problem(place: Place) -> LossAtPoint:
    name = next(iter(place.at))
    return problem_of(place.form, {"x": x, "y": y, "v": v}[name], place.at, None, "gradient")


def slope(kind: type[Method], at: LossAtPoint) -> str:
    """What a method gives."""
    method = kind(at)
    try:
        with np.errstate(all="ignore"):
            return shown(method.answer().arrays[0])
    finally:
        method.close()


def shown(found: Any) -> str:
    """`0.5`, `[1, 0]`, `NaN`."""
    numbers = np.asarray(found, "float64")
    texts = [_number(float(n)) for n in numbers.flat]
    return texts[0] if numbers.ndim == 0 else f"[{', '.join(texts)}]"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = "0" if not value else f"{value:.4g}" if 1e-6 <= abs(value) < 1e6 else f"{value:.0e}"
    return text.replace("-", "−")


def sides(place: Place) -> str:
    """The slopes to the left and to the right of the point, exact: one where they agree; of arrays along (1, 1)."""
    at = problem(place)
    program = ScalarProgram(at.root, at.wrt, at.dims, exact())
    with mpmath.workdps(240):
        near, nearer = (_both_sides(program, at, mpf(10) ** -k) for k in (40, 80))
        texts = [_limit(a, b) for a, b in zip(near, nearer, strict=True)]
    return texts[0] if texts[0] == texts[1] else " \\| ".join(texts)


def _both_sides(program: ScalarProgram, at: LossAtPoint, h: Any) -> tuple[Any, Any]:
    name = at.wrt[0].name
    data = {n: np.array(np.frompyfunc(lambda a: mpf(float(a)), 1, 1)(a), dtype=object) for n, a in at.data.items()}
    left, middle, right = (
        program.value({**data, name: np.array(data[name] + s * h, dtype=object)}) for s in (-1, 0, 1)
    )
    return (middle - left) / h, (right - middle) / h


def _limit(near: Any, nearer: Any) -> str:
    """What a slope tends to, by those over a short step and over a shorter one."""
    if nearer != nearer:
        return "undefined"
    if abs(nearer) > 1.5 * abs(near):
        return "∞" if nearer > 0 else "−∞"
    return "0" if abs(nearer) < mpf(10) ** -30 else _number(float(nearer))


def rows(kinds: Sequence[tuple[str, type[Method]]]) -> list[tuple[Place, list[str]]]:
    return [(place, [slope(kind, problem(place)) for _, kind in kinds]) for place in PLACES]


def table(found: Sequence[tuple[Place, list[str]]], kinds: Sequence[tuple[str, type[Method]]]) -> list[str]:
    """Markdown."""
    heads = ["expression", "left \\| right", *(name for name, _ in kinds), "what symnet does"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for place, slopes in found:
        cells = [f"`{place.text}`", sides(place), *slopes, place.choice]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def as_written(run: Callable[[], Any]) -> Any:
    """JAX and PyTorch get the expression as it is written, not as symnet would write it for them."""
    before = written.loss_text
    written.loss_text = written.loss_as_written
    try:
        return run()
    finally:
        written.loss_text = before


def main() -> None:
    kinds = [*BUILT_IN, *installed()]
    print("\n".join(table(as_written(lambda: rows(kinds)), kinds)))


if __name__ == "__main__":
    main()
