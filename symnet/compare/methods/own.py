"""A function of the user's own.

In: a function that takes the leaves' arrays by keyword.  Out: a `Method`; the function gives (loss, derivatives), the
derivatives as an array, a list or a dict in the order or under the names of `wrt`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symnet.arrays import Array
from symnet.compare.method import FoundDerivatives, Method
from symnet.compare.problem import KINDS, LossAtPoint
from symnet.errors import ArgumentError, ShapeError, explain


class Own(Method):
    family = "given"
    how = "a function that was given"
    offers = KINDS

    def __init__(self, name: str, function: Callable[..., Any], problem: LossAtPoint) -> None:
        self.name, self.function, self.problem = name, function, problem

    def call(self) -> Any:
        return self.function(**self.problem.data)

    def answer(self) -> FoundDerivatives:
        call, found = f"{self.name}(…)", self.call()
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            mend = "Return both, as sn.value_and_grad's functions do."
            raise ArgumentError(explain(call, "(loss, derivatives)", type(found).__name__, mend))
        arrays = self._arrays(call, found[1])
        return FoundDerivatives(float(np.asarray(found[0])), arrays)

    def _arrays(self, call: str, found: Any) -> list[Array]:
        names, shapes = self.problem.results, self.problem.shapes
        if isinstance(found, Mapping):
            found = [found[name] for name in names if name in found]
        elif len(names) == 1 and not isinstance(found, (tuple, list)):
            found = [found]
        arrays = [np.asarray(array) for array in found]
        if [a.shape for a in arrays] != list(shapes):
            expected = "derivatives of the shapes " + ", ".join(map(str, shapes))
            got = ", ".join(str(a.shape) for a in arrays) or "none"
            raise ShapeError(explain(call, expected, got, f"Return one for each of {', '.join(names)}."))
        return arrays
