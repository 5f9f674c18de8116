"""`sn.lambdify` against `sympy.lambdify` with NumPy, and with JAX's jit where it is installed: run by hand.

In: nothing.  Out: for each expression and size the best time of each, in µs, and the ratios to symnet's.
Size 1 is a call on Python floats (JAX: on its own arrays of rank 0).

    python tests/benchmarks/lambdify.py
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

import symnet as sn

x, y = sympy.symbols("x y")
EXPRESSIONS = {
    "polynomial": sum((k + 1) * x**k for k in range(6)) * y,
    "damped wave": sympy.exp(-(x**2) / 2) * sympy.sin(3 * x) + sympy.sqrt(1 + x**2) * y,
    "logistic": -y * sympy.log(1 / (1 + sympy.exp(-x))) - (1 - y) * sympy.log(1 - 1 / (1 + sympy.exp(-x))),
    "second derivative": sympy.diff(sympy.tanh(x * y) * sympy.cos(x), x, 2),
    "Piecewise": sympy.Piecewise((x**2 / 2, abs(x) < 1), (abs(x) - sympy.Rational(1, 2), True)) * y,
}
SIZES = (1, 100, 1000, 10_000, 100_000, 1_000_000)


def best(work: Callable[[], Any], size: int) -> float:
    """The best of 9, in µs."""
    number = max(3, min(5000, 1_000_000 // size))
    return min(timeit.repeat(work, number=number, repeat=9)) / number * 1e6


def jitted(expr: Any) -> Callable[..., Any] | None:
    """SymPy's function under JAX's jit, in float64."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    return jax.jit(sympy.lambdify([x, y], expr, "jax", cse=True))  # type: ignore[no-any-return]


def by_jax(function: Callable[..., Any], *arrays: Any) -> float:
    import jax.numpy as jnp

    given = [jnp.asarray(a) for a in arrays]
    return best(lambda: function(*given).block_until_ready(), np.size(arrays[0]))


def main() -> None:
    rng = np.random.default_rng(0)
    print(f"{'expression':20}{'size':>9}{'symnet µs':>12}{'SymPy µs':>12}{'ratio':>8}{'JAX µs':>12}{'ratio':>8}")
    for name, expr in EXPRESSIONS.items():
        ours, theirs = sn.lambdify([x, y], expr, threads=1), sympy.lambdify([x, y], expr, "numpy", cse=True)
        jax_function = jitted(expr)
        for size in SIZES:
            a, b = (rng.uniform(0.1, 0.9, size) if size > 1 else float(rng.uniform()) for _ in range(2))
            times = best(lambda: ours(a, b), size), best(lambda: theirs(a, b), size)  # noqa: B023 (run at once)
            row = f"{name:20}{size:9}{times[0]:12.2f}{times[1]:12.2f}{times[1] / times[0]:8.1f}"
            if jax_function is not None:
                third = by_jax(jax_function, a, b)
                row += f"{third:12.2f}{third / times[0]:8.1f}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
