"""Starting values of parameters.

In: leaves, a seed, and if wanted a scheme.  Out: name → array.
Every parameter has a generator of its own, seeded by (seed, name): adding or reordering parameters changes no other's
values, and the same call gives the same bits.
Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010,
eq. 16; He et al., "Delving deep into rectifiers", 2015, eq. 10; LeCun et al., "Efficient backprop", 1998, eq. 16.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from symnet import dtypes
from symnet.arrays import Array
from symnet.errors import ArgumentError, ShapeError, explain, one_of
from symnet.expr.nodes.symbols import Tensor, describe

Draw = Callable[[np.random.Generator, tuple[int, ...], float, float], Any]


def _glorot(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> Any:
    """Uniform on ±√(6/(fan_in + fan_out)): keeps the variance through tanh and sigmoid layers."""
    bound = np.sqrt(6 / max(fan_in + fan_out, 1))
    return rng.uniform(-bound, bound, shape)


def _he(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> Any:
    """Normal with variance 2/fan_in: keeps the variance through ReLU layers."""
    return rng.normal(0, np.sqrt(2 / max(fan_in, 1)), shape)


def _lecun(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> Any:
    """Normal with variance 1/fan_in."""
    return rng.normal(0, np.sqrt(1 / max(fan_in, 1)), shape)


def _normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> Any:
    """Standard normal numbers, whatever the fans."""
    return rng.normal(size=shape)


def _zeros(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> Any:
    return np.zeros(shape)


SCHEMES: dict[str, Draw] = {"glorot": _glorot, "he": _he, "lecun": _lecun, "normal": _normal, "zeros": _zeros}


def init(
    params: Iterable[Tensor] | Mapping[Any, Tensor],
    seed: int = 0,
    scheme: str | Mapping[str, str] | None = None,
    dtype: Any = None,
) -> dict[str, Array]:
    """Starting values for parameters: matrices by a scheme, vectors and scalars zero.

    Args:
        params: leaves with concrete extents.
        seed: a nonnegative integer; the same seed gives the same bits.
        scheme: for matrices and higher ranks: "glorot" (the default, for tanh and sigmoid), "he" (for ReLU), "lecun",
            "normal", "zeros"; or a dict from a parameter's name to one of these, which then also holds for vectors.
        dtype: float32 or float64; by default each leaf's own.

    Returns:
        name → array, of the leaf's shape.

    Raises:
        ArgumentError: an unknown scheme, or something that is no leaf.
        ShapeError: a symbolic extent.

    Example:
        >>> import symnet as sn
        >>> W, b = sn.tensor("W", 4, 3), sn.tensor("b", 3)
        >>> {name: array.shape for name, array in sn.nn.init([W, b], seed=0).items()}
        {'W': (4, 3), 'b': (3,)}
    """
    if not isinstance(params, Iterable):
        got, mend = type(params).__name__, "Give a list of the leaves to be trained."
        raise ArgumentError(explain("init(params)", "a list or dict of leaves", got, mend))
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or isinstance(seed, np.ndarray) or seed < 0:
        raise ArgumentError(explain("init(…, seed=…)", "an integer from 0", repr(seed), "Write seed=0."))
    leaves = [_checked(leaf) for leaf in (params.values() if isinstance(params, Mapping) else params)]
    real = None if dtype is None else dtypes.check(dtype, f"init(…, dtype={dtype!r})")
    return {leaf.name: _draw(leaf, seed, scheme).astype(real or leaf.dtype, copy=False) for leaf in leaves}


def _checked(leaf: Any) -> Tensor:
    if not isinstance(leaf, Tensor) or not dtypes.is_real(leaf.dtype):
        got = describe(leaf) if isinstance(leaf, Tensor) else type(leaf).__name__
        raise ArgumentError(explain("init(params)", "real tensors", got, "Give the leaves to be trained."))
    if not all(isinstance(n, int) for n in leaf.shape):
        raise ShapeError(
            explain("init(params)", f"concrete extents for {leaf.name}", describe(leaf), "Make its extents ints.")
        )
    return leaf


def _draw(leaf: Tensor, seed: int, scheme: str | Mapping[str, str] | None) -> Array:
    """Fans of an array (*window, in, out): in and out times the window's size."""
    chosen = _scheme_of(leaf, scheme)
    window = float(np.prod(leaf.shape[:-2])) if leaf.rank > 2 else 1.0
    fan_in = window * (leaf.shape[-2] if leaf.rank > 1 else 1)
    fan_out = window * (leaf.shape[-1] if leaf.rank else 1)
    return np.asarray(SCHEMES[chosen](_generator(seed, leaf.name), leaf.shape, fan_in, fan_out), dtype=leaf.dtype)


def _scheme_of(leaf: Tensor, scheme: str | Mapping[str, str] | None) -> str:
    by_rank = "glorot" if leaf.rank > 1 else "zeros"
    chosen = scheme.get(leaf.name, by_rank) if isinstance(scheme, Mapping) else by_rank if scheme is None else scheme
    expected = "one of " + ", ".join(SCHEMES)
    one_of(f"init(…, scheme={scheme!r})", chosen, SCHEMES, expected, 'Leave it out for "glorot".')
    return chosen if leaf.rank > 1 or isinstance(scheme, Mapping) else by_rank


def _generator(seed: int, name: str) -> np.random.Generator:
    words = np.frombuffer(hashlib.blake2b(name.encode(), digest_size=16).digest(), dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence([seed, *words.tolist()]))
