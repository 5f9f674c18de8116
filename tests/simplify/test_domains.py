"""No rewrite shrinks a domain: where a formula has a value as it is written, what is computed has that value.

Every example of every rewrite is evaluated, as written and in the form that is compiled, at ±0, ±∞, NaN, huge, tiny and
equal operands.  Where the two differ, numbers without limits decide: rounding and overflow of the formula as it is
written are not held against its better form.
"""

from __future__ import annotations

import zlib
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric
from tests.simplify.checking import values
from tests.simplify.examples import EXAMPLES, NUMERIC, x, y
from tests.simplify.extremes import UNKNOWN, draw, exact_value
from tests.simplify.graphs import ANCHOR
from tests.simplify.stable_examples import NESTED, SHIFTED

TRIALS = 20
ALL = {**EXAMPLES, **NUMERIC, **NESTED, **SHIFTED}
ARRAYS = "a contraction or a product with δ may meet 0·∞ in another order: they hold for finite arrays"
LOGITS = "of a row of logits that holds +∞, softmax has no value at that class, and may have none at the others"
# rewrite → (the numbers left out of its data, why); docs/stability.md says the same to users
EXCEPTIONS: dict[str, tuple[tuple[float, ...], str]] = {
    **dict.fromkeys(
        ("contract_delta_term_apart", "multiply_out_delta"),
        ((np.inf, -np.inf, np.nan, 1e90, -3e80), ARRAYS),
    ),
    "quotients_over_one_denominator": ((np.inf, -np.inf), "over one denominator infinity is divided by infinity"),
    "contractions of quotients": ((np.inf, -np.inf), ARRAYS),
    **dict.fromkeys(
        ("drop_clipping_at_zero", "softmax_by_shifted_exponentials"),
        ((np.inf,), LOGITS),
    ),
    "softmax_minus_target": ((np.inf, -np.inf), f"{LOGITS}; and targets are finite"),
    "log_of_some_probabilities": ((np.inf, 1e90, -3e80), LOGITS),
    **dict.fromkeys(
        ("log_of_complementary_error_function", "log_of_difference_of_error_functions"),
        ((750, -750, 1e90, -3e80), "erf(750) differs from 1 in digit 244 000"),
    ),
    "logarithm_joins_its_power": ((0.0,), "0⁰·log 0 is 0, as docs/math-conventions.md says"),
    **dict.fromkeys(
        (
            "compute_before_moving", "log_of_choice", "log_of_difference_of_logistics", "log_of_logistic",
            "log_of_complements_of_classes",
        ),
        ((1e90, -3e80), "1 - σ(1e90) has 1e90 digits: here the result is right, and the check is not"),
    ),
    "function_of_its_inverse": ((750, -750, 1e90, -3e80), "tanh(750) differs from 1 in digit 651"),
    "collect_powers": ((np.inf, -np.inf, 0.0), "(p^x)^(1/x) is 1 at x = 0, ∞: exponents of powers are finite"),
    "sign_of_positive_is_one": ((-np.inf,), "exp(x) counts as positive, and is 0 at -∞"),
    "exponential_of_log": ((750.0,), "exp(x)·p overflows where exp(x + log p) does not"),
    "log_of_product": ((-np.inf,), "the logarithm of -0 is -∞ as it is written, NaN as the sum of two"),
    "logistic_minus_target": ((np.inf, -np.inf), "σ(x) - d holds for finite targets d"),
}  # fmt: skip


def shrunk(before: Node, seed: int, without: tuple[float, ...] = (), trials: int = TRIALS) -> list[str]:
    """Where the formula as it is written has a value, and its computed form has another."""
    (after,) = numeric(simplify([before]))
    leaves: list[Any] = sorted(
        (n for n in topological(before, after, ANCHOR) if n.kind == "tensor"), key=lambda n: n.name
    )
    rng = np.random.default_rng(seed)
    found = []
    for trial in range(trials):
        data = {k: np.where(_among(v, without), 1.0, v) for k, v in draw(leaves, trial, rng).items()}
        old, new = values(before, data), values(after, data)
        with np.errstate(all="ignore"):
            differs = ~(np.isnan(old) | (old == new) | np.isclose(old, new, rtol=1e-6, atol=0))
        if differs.any() and (story := _confirmed(before, new, differs, data)):
            found.append(story)
    return found


def _among(values: np.ndarray, numbers: tuple[float, ...]) -> np.ndarray:
    return np.isin(values, numbers) | (np.isnan(values) & any(n != n for n in numbers))


def _confirmed(before: Node, new: np.ndarray, differs: np.ndarray, data: dict[str, np.ndarray]) -> str:
    """What stands there in numbers without limits, where that is not what was computed."""
    wanted = np.broadcast_to(exact_value(before, data), new.shape)
    for place in map(tuple, np.argwhere(differs)):
        got = float(new[place])
        sign_of_zero = abs(got) == np.inf == abs(wanted[place]) and any((v == 0).any() for v in data.values())
        if not sign_of_zero and not _agree(wanted[place], got, _rounding(data)):
            shown = {name: array.tolist() for name, array in data.items() if name != "anchor"}
            return f"{before} is {mpmath.nstr(mpf(wanted[place]), 8)} at {place}, computed as {new[place]}: {shown}"
    return ""


def _rounding(data: dict[str, np.ndarray]) -> float:
    """What may be lost in sums of the numbers given, where rewrites add them in another order."""
    return 1e-12 * max((float(np.abs(v[np.isfinite(v)]).max(initial=0)) for v in data.values()), default=0.0)


def _agree(wanted: Any, got: float, rounding: float) -> bool:
    """Equal but for rounding; too large for a double is ∞, too small 0."""
    wanted = mpf(wanted)
    if wanted != wanted:
        return True
    if got != got:
        return False
    size = abs(wanted)
    if size > 1e300 or abs(got) > 1e300:
        return bool(wanted * got > 0 and min(size, abs(got)) > 1e290)
    return bool(abs(wanted - got) <= max(1e-6 * size, rounding, mpf(1e-290)))


AT_A_POLE = {  # rewrites that are known to lose one, which docs/stability.md says
    "difference_of_error_functions_below_each_term": "each term is infinite where a = b, and their difference is NaN",
}
NAMES = [
    pytest.param(name, marks=pytest.mark.xfail(reason=AT_A_POLE[name], strict=True)) if name in AT_A_POLE else name
    for name in ALL
]


@pytest.mark.parametrize("name", NAMES)
def test_a_formula_keeps_its_values_at_the_edges_of_its_domain(name: str) -> None:
    without, _ = EXCEPTIONS.get(name, ((), ""))
    for node in ALL[name]:
        if not any(n.kind in UNKNOWN for n in topological(node)):
            assert shrunk(node, zlib.crc32(name.encode()), without) == []


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_is_needed(name: str) -> None:
    assert any(shrunk(node, seed) for node in ALL[name] for seed in range(4))


def test_a_rewrite_that_shrinks_the_domain_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.simplify.test_domains.numeric", lambda roots: [x * y / y])
    assert shrunk(x, seed=0)
