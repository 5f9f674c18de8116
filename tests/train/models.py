"""Models that the tests of training share; small, so that each compiles once in a fraction of a second."""

from __future__ import annotations

import numpy as np

import symnet as sn

m = sn.dim("m")
X, d = sn.tensor("X", m, 3), sn.tensor("d", m)
w, b = sn.tensor("w", 3), sn.scalar("b")
LINE = sn.mean((X @ w + b - d) ** 2)  # linear regression


def line_data(rng: np.random.Generator, count: int = 50) -> dict[str, np.ndarray]:
    """Samples of d = 2·x₁ - x₂ + 0.5, without noise."""
    points = rng.normal(size=(count, 3))
    return {"X": points, "d": points @ [2.0, -1.0, 0.0] + 0.5}


def line_start() -> dict[str, np.ndarray]:
    return {"w": np.zeros(3), "b": np.zeros(())}


def line_loss(data: dict[str, np.ndarray], w: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean((data["X"] @ w + b - data["d"]) ** 2))


def line_gradient(data: dict[str, np.ndarray], w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By hand."""
    error = data["X"] @ w + b - data["d"]
    return 2 * data["X"].T @ error / len(error), np.array(2 * error.mean())
