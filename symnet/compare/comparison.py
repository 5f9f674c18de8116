"""`compare`: one expression, several ways to its gradient.

In: a rank-0 expression, leaves, data.  Out: a `Comparison`: do they agree, how much arithmetic, how many intermediate
values, how long?
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from symnet import dtypes
from symnet.arrays import Array
from symnet.calculus.grad import scalar_root
from symnet.calculus.structure import flatten
from symnet.compare.automatic import Automatic
from symnet.compare.differences import Differences
from symnet.compare.method import LossAtPoint, Method
from symnet.compare.symbolic import Symbolic
from symnet.compare.tape import TapeProgram
from symnet.compare.timing import medians, one_blas_thread
from symnet.errors import ArgumentError, DTypeError, ValueDomainError, explain, refuse_mask
from symnet.expr.nodes.symbols import Tensor, check_leaves, describe
from symnet.nn.initialisers import init
from symnet.reference.symbols import bind_dims

CALL = "compare(L, wrt, data)"
METHODS: tuple[Callable[[LossAtPoint], Method], ...] = (Symbolic, Automatic, Differences)


@dataclass(frozen=True)
class Row:
    """One way to the gradient, with its figures.

    Attributes:
        method: its name.
        value: the loss.
        error: the largest difference from the tape in float64, over all parameters, each relative to the largest
            element of that parameter's gradient.
        arithmetic: operations of a whole gradient, but for functions (`symnet/loops/weights.py` says what counts).
        functions: calls of functions (exp, tanh, …) in a whole gradient.
        values, value_bytes: intermediate arrays held during a gradient, and their bytes.
        seconds: of a whole gradient, a median.
        note: what to know of these figures.
    """

    method: str
    value: float
    error: float
    arithmetic: int
    functions: int
    values: int
    value_bytes: int
    seconds: float
    note: str = ""

    @property
    def operations(self) -> int:
        """Of a whole gradient, a call counting one."""
        return self.arithmetic + self.functions


@dataclass(frozen=True)
class Comparison:
    """The rows, symnet first; `str` gives a table.

    Attributes:
        rows: one for each way.
        dtype: float32 or float64 (differences are always taken in float64).
        parameters: how many numbers the gradient has.
        one_thread: whether NumPy's BLAS, too, was held to one thread (`threadpoolctl` does that).
    """

    rows: tuple[Row, ...]
    dtype: str
    parameters: int
    one_thread: bool

    def __str__(self) -> str:
        return table(self)

    __repr__ = __str__


def compare(L: Any, wrt: Any, data: Mapping[Any, Any], *, dtype: Any = None, repeats: int = 15) -> Comparison:
    """Hold the compiled symbolic gradient against automatic differentiation and finite differences.

    The same expression goes three ways: as a formula, compiled to native code; over a define-by-run tape in NumPy;
    and through central differences in float64.  All run on one thread (NumPy's BLAS, too, where `threadpoolctl` is
    installed).

    Args:
        L: rank 0.
        wrt: a leaf, or a list or dict of leaves.
        data: name or leaf → array, for every leaf; leaves of `wrt` that are left out get `nn.init` values of seed 0.
        dtype: float32 or float64; None: as the leaves say.
        repeats: how often each is timed, in turn with the others; the median counts.

    Returns:
        `Comparison`: `rows`, and as text a table.

    Raises:
        ArgumentError: data for an unknown leaf, or none for one; `wrt` by a node that is no leaf.

    Example:
        >>> import numpy as np, symnet as sn
        >>> x, w = sn.tensor("x", 3), sn.tensor("w", 3)
        >>> found = sn.compare(sn.sum(sn.tanh(x * w)), w, {"x": np.ones(3), "w": np.ones(3)})
        >>> [row.method for row in found.rows]
        ['symnet, compiled', 'automatic (NumPy tape)', 'central differences']
        >>> all(row.error < 1e-8 for row in found.rows)
        True
    """
    if not isinstance(repeats, int) or repeats < 1:
        raise ValueDomainError(explain(f"compare(…, repeats={repeats!r})", "at least 1", repr(repeats), "Write 15."))
    problem = _problem(L, wrt, data, dtype)
    truth = TapeProgram(problem.root, problem.wrt, problem.dims, "float64").value_and_grad(problem.in_float64)[1]
    limit = one_blas_thread()
    with limit or nullcontext():
        methods = [make(problem) for make in METHODS]
        times = medians([method.call for method in methods], repeats)
    rows = (_row(method, seconds, truth) for method, seconds in zip(methods, times, strict=True))
    return Comparison(tuple(rows), problem.dtype, problem.parameters, limit is not None)


def _row(method: Method, seconds: float, truth: Sequence[Array]) -> Row:
    return Row(
        method.name,
        method.value(),
        max((relative_error(g, t) for g, t in zip(method.gradients(), truth, strict=True)), default=0.0),
        method.operations.arithmetic,
        method.operations.transcendental,
        *method.kept,
        seconds * method.calls_per_gradient,
        method.note,
    )


def relative_error(found: Array, truth: Array) -> float:
    """max |found - truth| / max |truth|, over the coordinates that were computed."""
    known = ~np.isnan(found) | np.isnan(truth)
    if not known.any():
        return 0.0
    largest = float(np.abs(truth).max())
    return float(np.abs(found - truth)[known].max()) / (largest or 1.0)


# --------------------------------------------------------------------------- the door


def _problem(L: Any, wrt: Any, data: Any, dtype: Any) -> LossAtPoint:
    root = scalar_root(CALL, L)
    leaves = check_leaves(CALL, [root])
    targets = flatten(CALL, wrt)[0]
    for target in targets:
        if not isinstance(target, Tensor):
            mend = "Compare by leaves; sn.grad also takes intermediate nodes."
            raise ArgumentError(explain(CALL, "leaves to differentiate by", f"{target}", mend))
    given = _by_name(leaves, data)
    missing = [leaf for leaf in targets if leaf.name not in given]
    given = {**given, **init(missing)} if missing else given
    lacking = [leaf for leaf in leaves if leaf.name not in given]
    if lacking:
        got = f"{', '.join(given) or 'nothing'}, without {', '.join(leaf.name for leaf in lacking)}"
        mend = f"Add {lacking[0].name!r}: an array {describe(lacking[0])}."
        raise ArgumentError(explain(CALL, "an array for every leaf", got, mend))
    real = _real_dtype(leaves, dtype)
    arrays = {leaf.name: _array(leaf, given[leaf.name], real) for leaf in leaves}
    return LossAtPoint(root, tuple(targets), arrays, bind_dims(leaves, arrays), real)


def _by_name(leaves: Sequence[Tensor], data: Any) -> dict[str, Any]:
    known = ", ".join(leaf.name for leaf in leaves)
    if not isinstance(data, Mapping):
        expected = f"data as a dict with {known}"
        raise ArgumentError(explain(CALL, expected, type(data).__name__, 'Write {"X": x, "D": d}.'))
    named = {key.name if isinstance(key, Tensor) else key: value for key, value in data.items()}
    for name in named:
        if name not in {leaf.name for leaf in leaves}:
            raise ArgumentError(explain(CALL, f"data for {known}", repr(name), f"Drop {name!r}."))
    return named


def _real_dtype(leaves: Sequence[Tensor], dtype: Any) -> str:
    if dtype is None:
        return next((str(leaf.dtype) for leaf in leaves if leaf.dtype in dtypes.REAL), dtypes.DEFAULT_REAL)
    name = dtypes.check(dtype, f"compare(…, dtype={dtype!r})")
    if name not in dtypes.REAL:
        raise ArgumentError(explain(f"compare(…, dtype={dtype!r})", "float32 or float64", name, 'Write "float32".'))
    return name


def _array(leaf: Tensor, value: Any, real: str) -> Array:
    refuse_mask(CALL, leaf.name, value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        mend = f"Build a numeric array for {leaf.name}."
        raise DTypeError(explain(CALL, f"numbers for {leaf.name}", f"dtype {array.dtype}", mend))
    return np.ascontiguousarray(array, real if leaf.dtype in dtypes.REAL else leaf.dtype).reshape(array.shape)


# --------------------------------------------------------------------------- the table

COLUMNS = ("", "max error", "arithmetic", "functions", "values kept", "bytes kept", "time", "")


def table(comparison: Comparison) -> str:
    """The rows as text, with what must be known to read them."""
    first = comparison.rows[0].seconds
    cells = [COLUMNS, *(_cells(row, row.seconds / first) for row in comparison.rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(COLUMNS))]
    lines = [
        "  ".join(
            text.ljust(width) if k == 0 else text.rjust(width)
            for k, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]
    rule = "-" * len(lines[0])
    notes = [f"{row.method}: {row.note}" for row in comparison.rows if row.note]
    threads = "one thread" if comparison.one_thread else "one thread, but for NumPy's BLAS"
    head = f"the gradient by {comparison.parameters} numbers, {comparison.dtype}, {threads}"
    explanation = "error: against the tape in float64, relative to the largest element of each gradient"
    return "\n".join(line.rstrip() for line in (head, rule, lines[0], rule, *lines[1:], rule, explanation, *notes))


def _cells(row: Row, ratio: float) -> tuple[str, ...]:
    kept = ("-", "-") if not row.values else (str(row.values), f"{row.value_bytes:,}")
    slower = "1" if ratio == 1 else f"{ratio:.3g}" if ratio < 100 else f"{ratio:,.0f}"
    return (
        row.method,
        f"{row.error:.1e}",
        f"{row.arithmetic:,}",
        f"{row.functions:,}",
        *kept,
        time_text(row.seconds),
        f"× {slower}",
    )


def time_text(seconds: float) -> str:
    """`12.3 µs`, `4.56 ms`, `7.8 s`."""
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1 or unit == "µs":
            return f"{seconds * scale:.3g} {unit}" if seconds * scale < 1000 else f"{seconds * scale:,.0f} {unit}"
    raise AssertionError(seconds)
