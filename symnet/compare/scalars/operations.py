"""What programs over single numbers do for every kind of node: arrays of Python objects, moved by NumPy.

In: a tape and arrays; reals are objects, integers and truth values are NumPy's own.  Out: arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from symnet.compare.scalars.recorded import ScalarTape, plain_number
from symnet.compare.tape.elementwise import FORWARD
from symnet.compare.tape.reduction import to_line
from symnet.expr.nodes.contraction import Indices

COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
LOGIC = {"and": np.logical_and, "or": np.logical_or, "not": np.logical_not}


def boxed(x: Any) -> Any:
    """An array of objects, of rank 0 too."""
    if isinstance(x, np.ndarray):
        return x
    box = np.empty((), dtype=object)
    box[()] = x
    return box


def _each(function: Callable[..., Any], *arrays: Any) -> Any:
    return boxed(np.frompyfunc(function, len(arrays), 1)(*arrays))


def lifted(tape: ScalarTape, x: Any) -> Any:
    """Numbers of the tape's system, of whatever an array holds."""
    return x if x.dtype == object else _each(tape.numbers.number, x)


def elementwise(tape: ScalarTape, *xs: Any, op: str, dtype: str) -> Any:
    if op in LOGIC:
        return np.asarray(LOGIC[op](*xs))
    if op == "where":
        condition, *branches = xs
        if any(b.dtype == object or b.dtype.kind == "f" for b in branches):
            branches = [lifted(tape, b) for b in branches]
        return np.asarray(np.where(condition, *branches))
    if op.startswith("as_int"):
        return np.asarray(_each(lambda x: int(plain_number(x)), xs[0]), dtype="int64")
    if op in ("indicator", "as_float64", "as_real"):
        return lifted(tape, xs[0])
    if all(x.dtype.kind in "biu" for x in xs):
        found = np.asarray(FORWARD[op](*xs))
        return found if found.dtype.kind in "biu" else _numbers(tape, op, xs)
    return _numbers(tape, op, xs)


def _numbers(tape: ScalarTape, op: str, xs: Sequence[Any]) -> Any:
    found = _each(functools.partial(tape.apply, op), *[lifted(tape, x) for x in xs])
    return found.astype(bool) if op in COMPARISONS else found


def einsum(tape: ScalarTape, *xs: Any, inputs: tuple[Indices, ...], output: Indices) -> Any:
    """Each element of the result is one entry: the sum of the products that it is made of."""
    if all(x.dtype.kind in "biu" for x in xs):
        return np.asarray(np.einsum(*[a for p in zip(xs, map(list, inputs), strict=True) for a in p], list(output)))
    extent = {i: n for x, ix in zip(xs, inputs, strict=True) for i, n in zip(ix, x.shape, strict=True)}
    order = [*output, *(i for i in extent if i not in output)]
    spread = [_spread(lifted(tape, x), ix, order, extent) for x, ix in zip(xs, inputs, strict=True)]
    shape = [extent[i] for i in output]
    rows = int(np.prod(shape, dtype=int))
    columns = int(np.prod([extent[i] for i in order[len(output) :]], dtype=int))
    tables = [x.reshape(rows, columns) for x in spread]
    found = np.empty(rows, dtype=object)
    for row in range(rows):
        found[row] = tape.sum_of_products(list(zip(*[table[row] for table in tables], strict=True)))
    return found.reshape(shape)


def _spread(x: Any, indices: Indices, order: Sequence[int], extent: dict[int, int]) -> Any:
    """The operand over the whole index space."""
    distinct = list(dict.fromkeys(indices))
    x = np.einsum(x, list(indices), distinct) if len(distinct) < len(indices) else x
    wanted = [i for i in order if i in distinct]
    x = x.transpose([distinct.index(i) for i in wanted])
    x = x.reshape([extent[i] if i in distinct else 1 for i in order])
    return np.broadcast_to(x, [extent[i] for i in order])


# --------------------------------------------------------------------------- reductions


def _first_extreme(larger: bool) -> Callable[[ScalarTape, Any], Any]:
    def pick(tape: ScalarTape, row: Any) -> Any:
        best = row[0]
        for x in row[1:]:
            a, b = plain_number(x), plain_number(best)
            best = x if (a > b if larger else a < b) or a != a else best
        return best

    return pick


def _logsumexp(tape: ScalarTape, row: Any) -> Any:
    n, values = tape.numbers, [plain_number(x) for x in row]
    top = max(values)
    infinite = top - top != 0
    y = top if infinite else n.log(functools.reduce(lambda a, b: a + b, [n.exp(v - top) for v in values])) + top
    links = [(x.place, n.exp(v - y)) for x, v in zip(row, values, strict=True) if x is not v]
    return tape.record(y, links) if links else y


def _place_of_largest(tape: ScalarTape, row: Any) -> int:
    values = [plain_number(x) for x in row]
    return values.index(max(values))


REDUCTIONS: dict[str, Callable[[ScalarTape, Any], Any]] = {
    "max": _first_extreme(True),
    "min": _first_extreme(False),
    "prod": lambda tape, row: functools.reduce(functools.partial(tape.apply, "mul"), row, tape.numbers.number(1)),
    "logsumexp": _logsumexp,
    "argmax": _place_of_largest,
}
OF_INTEGERS: dict[str, Callable[..., Any]] = {"max": np.max, "min": np.min, "prod": np.prod, "argmax": np.argmax}


def reduce(tape: ScalarTape, x: Any, *, op: str, axes: tuple[int, ...]) -> Any:
    line = to_line(x, axes)
    if x.dtype.kind in "biu" and op in OF_INTEGERS:
        return np.asarray(OF_INTEGERS[op](line, -1))
    line = lifted(tape, line)
    found = np.empty(line.shape[:-1], dtype=object)
    for place in np.ndindex(found.shape):
        found[place] = REDUCTIONS[op](tape, line[place])
    return found.astype("int64") if op == "argmax" else found


# --------------------------------------------------------------------------- movement


def _zeros(like: Any, shape: tuple[int, ...], tape: ScalarTape) -> Any:
    if like.dtype != object:
        return np.zeros(shape, like.dtype)
    return np.full(shape, boxed(tape.numbers.number(0)), dtype=object)


def place(tape: ScalarTape, x: Any, *, shape: tuple[int, ...], window: tuple[slice, ...]) -> Any:
    out = _zeros(x, shape, tape)
    out[window] = x
    return out


def expand(tape: ScalarTape, x: Any, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    return np.broadcast_to(x.reshape([n if a in axes else 1 for a, n in enumerate(shape)]), shape)


def one_hot(tape: ScalarTape, indices: Any, *, classes: int, dtype: str, wraps: bool = False) -> Any:
    where = indices % classes if wraps and classes else indices
    return lifted(tape, where[..., None] == np.arange(classes))


def concat(tape: ScalarTape, *xs: Any, axis: int) -> Any:
    kinds = {x.dtype.kind for x in xs}
    return np.concatenate([lifted(tape, x) for x in xs] if kinds & {"O", "f"} else xs, axis)


def take(tape: ScalarTape, x: Any, indices: Any, *, axis: int) -> Any:
    return np.take(x, np.asarray(indices, dtype="int64"), axis=axis)


# --------------------------------------------------------------------------- running values


def _scanned(step: Callable[..., Any], rows: Sequence[Any], axis: int, reverse: bool, start: Any) -> Any:
    """after[k] = step(after[k - 1], rows[k]…); before[0] is `start`.  Gives (before, after) in the operands' places."""
    fronts = [np.moveaxis(np.flip(x, axis) if reverse else x, axis, 0) for x in rows]
    after, before = np.empty_like(fronts[0]), np.empty_like(fronts[0])
    state = np.full(fronts[0].shape[1:], boxed(start), dtype=object)
    for k in range(len(fronts[0])):
        before[k, ...], after[k, ...] = state, step(state, *[x[k] for x in fronts])  # of rank 1, numbers, not arrays
        state = after[k]
    back = [np.moveaxis(x, 0, axis) for x in (before, after)]
    return tuple(np.flip(x, axis) for x in back) if reverse else tuple(back)


def cumsum(tape: ScalarTape, x: Any, *, axis: int, reverse: bool) -> Any:
    if x.dtype.kind in "biu":
        return np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)
    x = lifted(tape, x)
    return _scanned(functools.partial(_apply, tape, "add"), [x], axis, reverse, tape.numbers.number(0))[1]


def cumprod(tape: ScalarTape, x: Any, *, axis: int, reverse: bool, exclusive: bool) -> Any:
    step = functools.partial(_apply, tape, "mul")
    return _scanned(step, [lifted(tape, x)], axis, reverse, tape.numbers.number(1))[0 if exclusive else 1]


def linear_recurrence(tape: ScalarTape, a: Any, b: Any, *, axis: int, reverse: bool, exclusive: bool) -> Any:
    def step(state: Any, factor: Any, added: Any) -> Any:
        return _apply(tape, "add", _apply(tape, "mul", factor, state), added)

    rows = [lifted(tape, x) for x in np.broadcast_arrays(a, b)]
    return _scanned(step, rows, axis, reverse, tape.numbers.number(0))[0 if exclusive else 1]


def _apply(tape: ScalarTape, op: str, *xs: Any) -> Any:
    return _each(functools.partial(tape.apply, op), *xs)


def constant(value: Any, dtype: str) -> Any:
    """Numbers stay SymPy's until the tape's system is known (`ScalarProgram`)."""
    return boxed(value) if isinstance(value, sympy.Basic) else np.asarray(value)


def _moved(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda tape, x, **statics: function(x, **statics)


MOVEMENT: dict[str, Callable[..., Any]] = {
    "expand": expand,
    "reshape": _moved(lambda x, shape: x.reshape(shape)),
    "slice": _moved(lambda x, window: x[window]),
    "place": place,
    "concat": concat,
    "take": take,
    "one_hot": one_hot,
}
