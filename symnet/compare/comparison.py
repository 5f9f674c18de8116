"""`compare`: one expression, several ways to its derivatives.

In: a rank-0 expression, leaves, data.  Out: a `Comparison`: are they right, how much arithmetic, how much memory, how
long?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symnet.compare.conditions import alike
from symnet.compare.kinks import kinks
from symnet.compare.method import FoundDerivatives, Method
from symnet.compare.methods.registry import Factory, chosen
from symnet.compare.methods.symbolic import Symbolic
from symnet.compare.problem import LossAtPoint, problem_of
from symnet.compare.report.page import fragment, page
from symnet.compare.report.plot import check_axes, draw, two_axes
from symnet.compare.report.records import csv_text, json_text
from symnet.compare.report.table import table
from symnet.compare.row import Row, row_of
from symnet.compare.timing import measured, seconds
from symnet.compare.truth import Truth, truth_of
from symnet.compare.undefined import undefined
from symnet.errors import ArgumentError, DependencyError, FileError, SingularMatrixError, ValueDomainError, explain


@dataclass(frozen=True)
class Comparison:
    """The rows, symnet first; `str` gives a table.

    Attributes:
        rows: one for each way.
        problem: the expression, the leaves, the data.
        truth: what all were held against.
        notes: what the data do to the expression: kinks, places without a derivative.
        conditions: under which all ran.
    """

    rows: tuple[Row, ...]
    problem: LossAtPoint
    truth: Truth
    notes: tuple[str, ...]
    conditions: tuple[str, ...]

    @property
    def of(self) -> str:
        """What was compared: "gradient", "hvp" or "hessian"."""
        return self.problem.of

    @property
    def dtype(self) -> str:
        """float32 or float64, of every method."""
        return self.problem.dtype

    @property
    def parameters(self) -> int:
        """How many numbers the gradient has."""
        return self.problem.parameters

    @property
    def tells_ulp(self) -> bool:
        """Whether the truth has so many digits that errors can be told in the last place of the others."""
        return self.truth.floor < 1e-3 * float(np.finfo(self.dtype).eps)

    def __str__(self) -> str:
        return table(self)

    __repr__ = __str__

    def csv(self) -> str:
        """A line for each method."""
        return csv_text(self)

    def json(self) -> str:
        """Everything that was measured, with the agreement of each leaf."""
        return json_text(self)

    def html(self) -> str:
        """A page that needs nothing else: the table, bars, the formulas, how it was measured."""
        return page(self)

    def _repr_html_(self) -> str:
        return fragment(self)

    def save(self, path: Any) -> Path:
        """Write it, by the ending of the path: .html, .csv, .json or .txt.

        Raises:
            ArgumentError: another ending.
            FileError: it cannot be written.
        """
        written = {".html": self.html, ".csv": self.csv, ".json": self.json, ".txt": self.__str__}
        where = Path(path)
        if where.suffix not in written:
            mend = f"Write {where.stem}.html."
            call = f"comparison.save({str(path)!r})"
            raise ArgumentError(explain(call, "an ending of " + ", ".join(written), repr(where.suffix), mend))
        text = written[where.suffix]()
        try:
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(text, encoding="utf-8")
        except OSError as error:
            mend = "See that its folder may be written, or choose another."
            call = f"comparison.save({str(path)!r})"
            raise FileError(explain(call, f"to write {where}", error.strerror or str(error), mend)) from error
        return where

    def plot(self, axes: Any = None) -> Any:
        """Times and errors as bars, on two axes of matplotlib's (extra `[plot]`); returns the axes.

        Raises:
            DependencyError: without matplotlib.
        """
        shown = sum(not row.failed for row in self.rows)
        return draw(self, two_axes(shown) if axes is None else check_axes(axes))

    def __getitem__(self, method: str) -> Row:
        """The row of a method, by its name or the beginning of it.

        Raises:
            ArgumentError: no method is called so.
        """
        names = [row.method for row in self.rows]
        found = [row for row in self.rows if isinstance(method, str) and row.method.startswith(method)]
        if not found:
            expected = "a method, or the beginning of its name: " + ", ".join(names)
            raise ArgumentError(explain("comparison[…]", expected, repr(method), f"Write comparison[{names[0]!r}]."))
        return found[0]


def compare(
    L: Any,
    wrt: Any,
    data: Mapping[Any, Any],
    *,
    against: Any = None,
    of: str = "gradient",
    dtype: Any = None,
    repeats: int = 15,
) -> Comparison:
    """Hold the compiled symbolic derivative against other ways to the same numbers, and all of them against the truth.

    The same expression goes several ways: as a formula, compiled to native code; over a define-by-run tape in NumPy;
    through differences; with functions of your own.  All have the same inputs, in the same precision, and run on one
    thread; each is warmed up and called in turn with the others.  The truth is computed with as many digits as needed.

    Args:
        L: rank 0.
        wrt: a leaf, or a list or dict of leaves.
        data: name or leaf → array, for every leaf; leaves of `wrt` that are left out get `nn.init` values of seed 0.
        against: names of methods, and functions of your own as {"mine": f}, where f takes the leaves by keyword and
            gives (loss, derivatives); None: the tape and differences.  `docs/compare.md` lists the methods.
        of: "gradient"; "hvp", the Hessian times a random vector; or "hessian".
        dtype: float32 or float64; None: as the leaves say.
        repeats: how often each is timed, in turn with the others; the median counts.

    Returns:
        `Comparison`: `rows`, and as text a table.

    Raises:
        ArgumentError: data for an unknown leaf, none for one, or none at all; `wrt` by a node that is no leaf; an
            unknown method.
        AssumptionError: data that are not what their leaf was declared to be.

    Example:
        >>> import numpy as np, symnet as sn
        >>> x, w = sn.tensor("x", 3), sn.tensor("w", 3)
        >>> found = sn.compare(sn.sum(sn.tanh(x * w)), w, {"x": np.ones(3), "w": np.ones(3)})
        >>> [row.method for row in found.rows]
        ['symnet, compiled', 'tape (interpreted)', 'central differences']
        >>> found["symnet"].ulp < 4 and found["central"].error < 1e-8
        True
    """
    if not isinstance(repeats, int) or repeats < 1:
        raise ValueDomainError(explain(f"compare(…, repeats={repeats!r})", "at least 1", repr(repeats), "Write 15."))
    problem = problem_of(L, wrt, data, dtype, of)
    Symbolic.load()
    methods = [(kind, make, _loaded(kind)) for kind, make in chosen(against, problem.of)]
    with alike() as conditions, np.errstate(all="ignore"):
        made = [_symbolic(problem), *(_tried(*method, problem.unbound) for method in methods)]
        try:
            rows = _rows(made, problem, truth := truth_of(problem.unbound), repeats)
        finally:
            for each in reversed(made):  # what was set last is put back first
                if isinstance(each, _Made):
                    each.method.close()
    notes = (*kinks(problem), *undefined(problem, truth))
    return Comparison(tuple(rows), problem, truth, notes, tuple(conditions))


@dataclass(frozen=True)
class _Made:
    """A method that answers, and the seconds of preparation and of the first call."""

    method: Method
    answer: FoundDerivatives
    seconds: tuple[float, float]


def _made(make: Factory, problem: LossAtPoint) -> _Made:
    found: list[Method] = []
    preparation = seconds(lambda: found.append(make(problem)))
    first = seconds(found[0].call)
    return _Made(found[0], found[0].answer(), (preparation, first))


def _symbolic(problem: LossAtPoint) -> _Made | Row:
    """symnet's own; an argument that it refuses, it refuses here, too."""
    try:
        return _made(Symbolic, problem)
    except SingularMatrixError as error:
        return _failed(Symbolic.name, Symbolic, str(error))


def _failed(name: str, kind: type[Method], why: str) -> Row:
    return Row(name, kind.family, kind.how.format("the derivative"), failed=why)


def _loaded(kind: type[Method]) -> str:
    """Import what a method needs, before threads are held to a core; why that failed, or the empty string."""
    try:
        kind.load()
    except DependencyError as error:
        return str(error)
    return ""


def _tried(kind: type[Method], make: Factory, absent: str, problem: LossAtPoint) -> _Made | Row:
    """The method, or a row that says why it cannot answer: one that fails does not take the others with it."""
    name = getattr(make, "args", (getattr(kind, "name", ""),))[0]
    if absent:
        return _failed(name, kind, absent)
    if problem.of not in kind.offers:
        return _failed(name, kind, f"it does not compute a {problem.of}")
    try:
        return _made(make, problem)
    except Exception as error:
        return _failed(name, kind, f"{type(error).__name__}: {error}")


def _rows(made: list[_Made | Row], problem: LossAtPoint, truth: Truth, repeats: int) -> list[Row]:
    """All are timed together, in turn."""
    calls = [[m.method.call, *filter(None, [m.method.loss_call])] for m in made if isinstance(m, _Made)]
    times = iter(measured([call for each in calls for call in each], repeats))
    grouped = iter([[next(times) for _ in each] for each in calls])
    return [
        m if isinstance(m, Row) else row_of(m.method, m.answer, problem, truth, m.seconds, next(grouped)) for m in made
    ]
