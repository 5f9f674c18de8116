"""What the data leave undefined, in words.

In: a `LossAtPoint`, its `Truth`.  Out: sentences: that the value is undefined; which elements of the derivative are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symnet.compare.problem import LossAtPoint
from symnet.compare.truth import Truth

SHOWN = 6  # elements that are named


def undefined(problem: LossAtPoint, truth: Truth) -> list[str]:
    """One sentence for the value, one for the derivatives, where there is something to say."""
    said = []
    if np.isnan(truth.value.high).any():
        said.append("the value of the expression as written is undefined: not compared")
    places = list(_places(problem, truth))
    if places:
        names = ", ".join([*places[:SHOWN], *(["…"] if len(places) > SHOWN else [])])
        count = f"{len(places)} coordinate{'s' * (len(places) > 1)}"
        said.append(f"the expression as written has no derivative at {count} ({names}): not compared")
    return said


def _places(problem: LossAtPoint, truth: Truth) -> Iterator[str]:
    """`x`, `v[0]`; of a Hessian `(v, w)[0, 1]`."""
    for name, array in zip(problem.results, truth.arrays, strict=True):
        shown = f"({name})" if problem.of == "hessian" else name
        for place in np.argwhere(np.isnan(array.high)):
            yield f"{shown}[{', '.join(map(str, place))}]" if place.size else shown
