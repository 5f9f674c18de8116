"""What is said of one way to a derivative.

In: a `Method` that was made, the truth, its times.  Out: a `Row`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symnet.compare.agreement import Agreement, agreement, worst, worst_known
from symnet.compare.method import FoundDerivatives, Method
from symnet.compare.problem import LossAtPoint
from symnet.compare.timing import Times
from symnet.compare.truth import Truth
from symnet.loops.weights import Operations


@dataclass(frozen=True)
class Row:
    """One way to the derivatives, with its figures; a figure that was not measured is None.

    Attributes:
        method, family, how: its name; symbolic, reverse, forward, differences or given; what runs, in a sentence.
        value: the loss that it found.
        value_agreement: how far that is from the truth.
        agreements: how far the derivatives are from the truth, one for each leaf (of a Hessian for each block).
        counted: operations of the value and all derivatives (`symnet/loops/weights.py` says what counts).
        loss_counted: those of the loss alone.
        peak_bytes: the most memory that was allocated at once, arguments apart.
        preparation: seconds until it could be called: compiling, tracing; nothing comes from a cache.
        cold: seconds until the first answer, preparation included.
        times: seconds of a warm call for all derivatives.
        loss_times: of the loss alone.
        note: what to know of these figures.
        failed: why there are none; the empty string where there are.
    """

    method: str
    family: str
    how: str
    value: float = math.nan
    value_agreement: Agreement | None = None
    agreements: tuple[Agreement, ...] = ()
    counted: Operations | None = None
    loss_counted: Operations | None = None
    peak_bytes: int | None = None
    preparation: float | None = None
    cold: float | None = None
    times: Times | None = None
    loss_times: Times | None = None
    note: str = ""
    failed: str = ""

    @property
    def error(self) -> float | None:
        """The largest relative error of the derivatives, over all leaves; None where the truth is undefined."""
        return math.nan if self.failed else worst_known(a.relative for a in self._derivatives)

    @property
    def value_error(self) -> float | None:
        """The relative error of the loss; None where the truth is undefined."""
        return math.nan if self.value_agreement is None else self.value_agreement.relative

    @property
    def ulp(self) -> float | None:
        """The largest error of an element in units in its last place; None where the truth is undefined."""
        return math.nan if self.failed else worst_known(a.ulp for a in self._derivatives)

    @property
    def _derivatives(self) -> list[Agreement]:
        """Those that have elements, as one without has no error, and says nothing of the others."""
        return [a for a in self.agreements if a.size]

    @property
    def not_compared(self) -> str:
        """Why an error is None; the empty string where none is."""
        if self.failed:
            return ""
        missing = [name for name, e in (("value", self.value_error), ("derivative", self.error)) if e is None]
        return f"the true {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} undefined" if missing else ""

    @property
    def seconds(self) -> float | None:
        """Of all derivatives, warm: a median."""
        return None if self.times is None else self.times.median

    @property
    def ratio(self) -> float | None:
        """Time of the value and all derivatives : time of the loss alone."""
        if self.times is None or self.loss_times is None:
            return None
        return self.times.median / self.loss_times.median

    @property
    def operations_ratio(self) -> float | None:
        """Operations of the value and all derivatives : those of the loss alone."""
        if self.counted is None or self.loss_counted is None or not self.loss_counted.total:
            return None
        return float(self.counted.total / self.loss_counted.total)

    @property
    def arithmetic(self) -> int | None:
        """Sums, products, quotients, roots, comparisons, choices."""
        return None if self.counted is None else int(self.counted.arithmetic)

    @property
    def multiply_adds(self) -> int | None:
        """Of the arithmetic, products that are added at once, each of which counts two there."""
        return None if self.counted is None else int(self.counted.multiply_adds)

    @property
    def functions(self) -> int | None:
        """Calls of functions: exp, tanh, …"""
        return None if self.counted is None else int(self.counted.transcendental)

    @property
    def operations(self) -> int | None:
        """Both, a call counting one."""
        return None if self.counted is None else int(self.counted.total)


def row_of(
    method: Method,
    answer: FoundDerivatives,
    problem: LossAtPoint,
    truth: Truth,
    seconds: tuple[float, float],
    times: list[Times],
) -> Row:
    """The row of a method; `seconds` are preparation and first call, `times` of derivatives and, perhaps, the loss."""
    computed: Sequence[Any] = answer.computed or [None] * len(answer.arrays)
    named = zip(problem.results, answer.arrays, truth.arrays, computed, strict=True)
    preparation, first = seconds
    largest = worst(np.abs(a.high[np.isfinite(a.high)]).max(initial=0.0) for a in truth.arrays)
    return Row(
        method.name,
        method.family,
        method.how,
        answer.value,
        agreement("value", np.asarray(answer.value), truth.value, problem.dtype),
        tuple(agreement(name, found, true, problem.dtype, mask, largest) for name, found, true, mask in named),
        method.operations,
        method.loss_operations,
        method.peak_bytes,
        preparation,
        preparation + first + (method.calls - 1) * times[0].median,
        times[0] * method.calls,
        times[1] if len(times) > 1 else None,
        method.note,
    )
