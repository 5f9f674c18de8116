"""Integers of every width, truth values and numbers in random expressions, against NumPy, bit for bit.

In: a seed.  Out: how many expressions of which operations were tried, and what differed: by the reference, by native
code with known extents, and by native code with a symbolic extent whose rows fill vectors, tails and blocks.
Every value is built twice, by NumPy from arrays at the edges of their dtypes and by symnet from leaves; what one
refuses (a Python integer out of range) the other must refuse.  A real value ends its expression: it is compared to
rounding, and nothing further, such as a comparison, is made of it.
What NumPy gives as int8 (`%`, `//`, `**` of two truth values) is int64 in symnet, with the same values.
Not handled: float32.
"""

from __future__ import annotations

import operator
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import symnet as sn
from symnet.errors import ShapeError, SymnetError, ValueDomainError
from symnet.reference import evaluate
from tests.fuzz.seeds import over_seeds

Array = np.ndarray[Any, np.dtype[Any]]
COLUMNS = 3
ROWS = (1, 2, 5, 8, 13, 300)
DTYPES = ("int32", "int64", "bool")
EDGES = {
    "int32": [-(2**31), 1 - 2**31, -65536, -46341, -7, -3, -2, -1, 0, 1, 2, 3, 7, 46341, 65536, 2**31 - 2, 2**31 - 1],
    "int64": [
        -(2**63), 1 - 2**63, -(2**53) - 1, -(2**31) - 1, -(2**31), -5, -1, 0, 1, 2, 5, 2**31 - 1, 2**31, 2**32 + 1,
        2**53 + 1, 2**63 - 2, 2**63 - 1,
    ],
    "bool": [False, True],
}  # fmt: skip
NUMBERS = (
    0, 1, -1, 2, 3, -7, 1000, 2**31 - 1, -(2**31), 2**31, -(2**31) - 1, 2**32, 2**53 + 1, 2**63 - 1, -(2**63), 2**63,
    2**70, -(2**70), 10**30, 2.0, -1.0, 0.5, 2.5, 1e10, True, np.int64(3), np.int32(-5), np.int64(2**40),
)  # fmt: skip


@dataclass
class Value:
    """One value twice: NumPy's and symnet's, with how it was made."""

    array: Any
    node: Any
    text: str
    scale: float = 0.0  # of what a real value was added up from

    @property
    def counts(self) -> bool:
        return bool(np.asarray(self.array).dtype.kind in "bi")


@dataclass
class Attempt:
    """A random expression: its leaves' data and its root."""

    rng: np.random.Generator
    rows: int
    extent: Any
    data: dict[str, Array] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)

    def leaf(self) -> Value:
        dtype = str(self.rng.choice(DTYPES))
        shapes = [((self.rows, COLUMNS), (self.extent, COLUMNS)), ((COLUMNS,), (COLUMNS,)), ((), ())]
        shape, declared = shapes[int(self.rng.choice(3, p=[0.7, 0.2, 0.1]))]
        name = f"{dtype[0]}{len(self.data)}"
        array = np.asarray(self.rng.choice(np.array(EDGES[dtype], dtype), shape), dtype)
        if self.rng.random() < 0.3 and dtype != "bool":
            array = np.asarray(self.rng.integers(-9, 10, shape), dtype)
        self.data[name] = array
        return Value(array, sn.tensor(name, *declared, dtype=dtype), name)

    def value(self, depth: int) -> Value:
        """A random value of integers or truth values."""
        if depth == 0 or self.rng.random() < 0.1:
            return self.leaf()
        while True:
            name = str(self.rng.choice(list(OPERATIONS)))
            made = self.apply(name, depth)
            if made is not None and made.counts:
                return made

    def apply(self, name: str, depth: int) -> Value | None:
        arity, function = OPERATIONS[name]
        operands = [self.value(depth - 1) for _ in range(arity)]
        self.used.append(name)
        return built(self, name, function, operands)


def built(attempt: Attempt, name: str, function: Callable[..., Any], operands: list[Value]) -> Value | None:
    """The operation done by NumPy and by symnet, with one draw of its parameters; None where NumPy refuses it too."""
    state = attempt.rng.bit_generator.state
    text = f"{name}({', '.join(o.text for o in operands)})"
    array, refusal = attempted(lambda: function(attempt.rng, *(o.array for o in operands)))
    after = attempt.rng.bit_generator.state
    attempt.rng.bit_generator.state = state
    node, ours = attempted(lambda: function(attempt.rng, *(o.node for o in operands)))
    attempt.rng.bit_generator.state = after
    if isinstance(refusal, (OverflowError, TypeError)) and ours is None:
        raise AssertionError(f"NumPy refuses ({refusal}), symnet does not: {text}")
    if ours is not None and refusal is None and not isinstance(ours, (OverflowError, ShapeError)):
        raise AssertionError(f"symnet refuses ({ours}), NumPy does not: {text}")
    if refusal is not None or ours is not None:
        return None
    scale = max([float(np.abs(np.asarray(o.array, float)).sum()) for o in operands], default=0.0)
    return Value(array.astype("int64") if array.dtype == "int8" else array, node, text, scale)


def attempted(make: Callable[[], Any]) -> tuple[Any, Exception | None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return make(), None
        except (SymnetError, OverflowError, ValueError, TypeError, IndexError) as error:
            return None, error


# --------------------------------------------------------------------------- operations, of arrays and of nodes


def _drawn(rng: np.random.Generator) -> Any:
    return NUMBERS[int(rng.integers(len(NUMBERS)))]


def _beside_number(op: Callable[..., Any], swapped: bool = False) -> Callable[..., Any]:
    def apply(rng: np.random.Generator, x: Any) -> Any:
        number = _drawn(rng)
        return op(number, x) if swapped else op(x, number)

    return apply


def _plain(op: Callable[..., Any]) -> Callable[..., Any]:
    return lambda rng, *xs: op(*xs)


def _power(rng: np.random.Generator, x: Any, y: Any) -> Any:
    return x ** np.minimum(np.maximum(y, 0), int(rng.choice([3, 9, 70])))


def _reduced(op: Callable[..., Any]) -> Callable[..., Any]:
    def apply(rng: np.random.Generator, x: Any) -> Any:
        axis, keepdims = rng.integers(-1, 2), bool(rng.random() < 0.5)
        return op(x, axis=None if axis < 0 or x.ndim < 2 else int(axis), keepdims=keepdims)

    return apply


def _cumprod(rng: np.random.Generator, x: Any) -> Any:
    axis = int(rng.integers(2))
    return np.cumprod(x, axis=axis % x.ndim if x.ndim else None)


def _cumsum(rng: np.random.Generator, x: Any) -> Any:
    axis = int(rng.integers(0, 2))
    return np.cumsum(x, axis=axis % x.ndim if x.ndim else None)


def _argmax(rng: np.random.Generator, x: Any) -> Any:
    return np.argmax(x, axis=int(rng.integers(0, 2)) % x.ndim if x.ndim else None)


def _condition(c: Any) -> Any:
    return c > 0 if c.dtype != "bool" else c


def _choice(rng: np.random.Generator, c: Any, a: Any, b: Any) -> Any:
    return np.where(_condition(c), a, b)


def _truths(rng: np.random.Generator, c: Any) -> Any:
    return np.where(_condition(c), bool(rng.random() < 0.5), bool(rng.random() < 0.5))


def _connected(rng: np.random.Generator, a: Any, b: Any) -> Any:
    a, b = _condition(a), _condition(b)
    return a & ~b if rng.random() < 0.5 else ~a | b


def _with_truth(rng: np.random.Generator, c: Any) -> Any:
    truth = [True, False, np.True_, np.False_][int(rng.integers(4))]
    op = [operator.and_, operator.or_, operator.xor, operator.add, operator.mul][int(rng.integers(5))]
    return op(c, truth) if rng.random() < 0.5 else op(truth, c)


def _chosen_number(rng: np.random.Generator, c: Any, a: Any) -> Any:
    number = [0, 1, -7, 1000, 2.5, True, False][int(rng.integers(7))]
    return np.where(_condition(c), a, number)


def _contracted(rng: np.random.Generator, x: Any, y: Any) -> Any:
    """A sum of products in one of NumPy's spellings."""
    x, y = x.reshape(-1)[:COLUMNS], y.reshape(-1)[:COLUMNS]
    spelling = int(rng.integers(5))
    if spelling < 2:
        return np.dot(x, y) if spelling else np.dot(x, y[0])
    if spelling < 4:
        return np.outer(x, y) if spelling == 2 else np.kron(x, y)
    return np.einsum("i,i->i", x, y)


def _traced(rng: np.random.Generator, x: Any, y: Any) -> Any:
    square = np.outer(x.reshape(-1)[:COLUMNS], y.reshape(-1)[:COLUMNS])
    return np.trace(square) if rng.random() < 0.5 else np.diag(square)


def _joined(rng: np.random.Generator, x: Any, y: Any) -> Any:
    return np.concatenate([x, y], axis=-1)


ARITHMETIC = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "mod": operator.mod, "floor_divide": operator.floordiv,
    "quotient and remainder": lambda a, b: operator.add(*divmod(a, b)),
    "divide": operator.truediv,
}  # fmt: skip
SAME = {"maximum": np.maximum, "minimum": np.minimum}
COMPARISONS = {
    "less": lambda a, b: a < b, "less_equal": lambda a, b: a <= b, "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b, "equal": np.equal, "not_equal": np.not_equal,
}  # fmt: skip
# name: (arity, what it does)
OPERATIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    **{name: (2, _plain(op)) for name, op in (ARITHMETIC | SAME | COMPARISONS).items()},
    **{f"{name}, a number": (1, _beside_number(op)) for name, op in (ARITHMETIC | SAME | COMPARISONS).items()},
    **{f"a number, {name}": (1, _beside_number(op, True)) for name, op in ARITHMETIC.items()},
    "negative": (1, _plain(operator.neg)),
    "abs": (1, _plain(abs)),
    "sign": (1, _plain(np.sign)),
    "floor": (1, _plain(np.floor)),
    "square": (1, _plain(lambda x: x**2)),
    "cube": (1, _plain(lambda x: x**3)),
    "power of 100": (1, _plain(lambda x: x**100)),
    "power": (2, _power),
    "power by a truth value": (2, lambda rng, x, y: x ** _condition(y)),
    "where": (3, _choice),
    "where, truth values": (1, _truths),
    "where, a number": (2, _chosen_number),
    "logic": (2, _connected),
    "xor": (2, lambda rng, a, b: _condition(a) ^ _condition(b)),
    "a truth value, logic": (1, lambda rng, a: _with_truth(rng, _condition(a))),
    **{name: (1, _reduced(getattr(np, name))) for name in ("sum", "prod", "max", "min", "mean")},
    "cumsum": (1, _cumsum),
    "cumprod": (1, _cumprod),
    "argmax": (1, _argmax),
    "matmul": (2, lambda rng, x, y: x.T @ y),
    "contraction": (2, _contracted),
    "trace": (2, _traced),
    "concatenate": (2, _joined),
    "transpose": (1, _plain(lambda x: x.T)),
    "slice": (1, _plain(lambda x: x[..., ::-1])),
}

# --------------------------------------------------------------------------- comparison


def problems(value: Value, attempt: Attempt) -> list[str]:
    """What differs from NumPy, floor by floor."""
    wanted = np.asarray(value.array)
    data = {leaf.name: attempt.data[leaf.name] for leaf in sn.expr.symbols.leaves(value.node)}
    floors = {"reference": lambda: evaluate(value.node, data), "native": lambda: sn.compile(value.node)(**data)}
    found = []
    for floor, run in floors.items():
        try:
            got = np.asarray(run())
        except ValueDomainError as error:  # the first three of m numbers are three, or refused; NumPy's may be fewer
            if attempt.rows < COLUMNS and not isinstance(attempt.extent, int) and "slice" in str(error):
                continue
            raise
        if got.dtype != wanted.dtype or got.shape != wanted.shape:
            found.append(f"{floor}: {got.dtype}{got.shape} in place of {wanted.dtype}{wanted.shape}: {value.text}")
        elif not _agrees(got, wanted, value.scale):
            at = np.flatnonzero(~np.equal(got, wanted))[:3]
            pair = f"{got.reshape(-1)[at].tolist()} in place of {wanted.reshape(-1)[at].tolist()}"
            found.append(f"{floor}: {pair}: {value.text}, rows {attempt.rows}")
    return found


def _agrees(got: Array, wanted: Array, scale: float) -> bool:
    if wanted.dtype.kind != "f":
        return bool(np.array_equal(got, wanted))
    usual = np.isfinite(wanted)  # quotients by 0 may be simplified: x/x is 1
    return bool(np.all(np.abs(got[usual] - wanted[usual]) <= 1e-13 * (np.abs(wanted[usual]) + scale)))


def attempt_problems(seed: int, counts: Counter[str]) -> list[str]:
    """What is wrong with the expression of a seed."""
    rng = np.random.default_rng(seed)
    rows = int(rng.choice(ROWS))
    attempt = Attempt(rng, rows, sn.dim("m") if rng.random() < 0.5 else rows)
    try:
        value = attempt.value(int(rng.integers(1, 4)))
        if rng.random() < 0.3:
            name = str(rng.choice(["mean", "divide", "divide, a number", "multiply, a number", "add, a number"]))
            operands = [value] if OPERATIONS[name][0] == 1 else [value, value]
            value = built(attempt, name, OPERATIONS[name][1], operands) or value
        counts["expressions"] += 1
        counts.update(attempt.used)
        return problems(value, attempt)
    except AssertionError as error:
        return [str(error)]


def session(seed: int, seconds: float, most: int = 0) -> tuple[Counter[str], list[str]]:
    """Random expressions until the time is over.

    Args:
        seed: of the first expression; the next has the next seed.
        seconds: how long.
        most: expressions at most; 0 for no bound.

    Returns:
        how many were tried, with which operations; and what was wrong, with its seed.
    """
    return over_seeds(seed, seconds, most, attempt_problems)
