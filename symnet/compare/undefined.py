"""What the data leave undefined, in words.

In: a `LossAtPoint`, its `Truth`.  Out: sentences: that the value is undefined; which elements of the derivative are.
"""

from __future__ import annotations

from collections.abc import Iterator

import mpmath
import numpy as np
from mpmath import mpf

from symnet.compare.problem import LossAtPoint
from symnet.compare.scalars import ScalarProgram, exact
from symnet.compare.sides import DIGITS, exact_numbers
from symnet.compare.truth import Truth

SHOWN = 6  # elements that are named
_DIRECTIONS = 3


def undefined(problem: LossAtPoint, truth: Truth) -> list[str]:
    """One sentence for the value, one for the derivatives, where there is something to say."""
    said = []
    if np.isnan(truth.value.high).any():
        known = not truth.floor and all(np.isfinite(a).all() for a in problem.data.values())
        limit = _limit(problem) if known else ""
        said.append(f"the value of the expression as written is undefined: not compared{limit}")
    places = list(_places(problem, truth))
    if places:
        names = ", ".join([*places[:SHOWN], *(["…"] if len(places) > SHOWN else [])])
        count = f"{len(places)} coordinate{'s' * (len(places) > 1)}"
        said.append(f"the expression as written has no derivative at {count} ({names}): not compared")
    return said


def _limit(problem: LossAtPoint) -> str:
    """What the value tends to, from all directions in which it is defined, with as many digits as that takes."""
    program = ScalarProgram(problem.root, problem.wrt, problem.dims, exact())
    rng, found = np.random.default_rng(0), []
    with mpmath.workdps(2 * DIGITS):
        data = exact_numbers(problem)
        for _ in range(_DIRECTIONS):
            towards = {n: np.frompyfunc(mpf, 1, 1)(rng.standard_normal(data[n].shape)) for n in program.wrt}
            for step in (mpf(10) ** -DIGITS, -(mpf(10) ** -DIGITS)):
                moved = {n: np.array(data[n] + step * v, dtype=object) for n, v in towards.items()}
                found.append(program.value({**data, **moved}))
        defined = [value for value in found if mpmath.isfinite(value)]
        if len(defined) < _DIRECTIONS or max(defined) - min(defined) > mpf(10) ** -12 * (1 + abs(defined[0])):
            return ""
        limit = float(mpmath.nstr(defined[0], 12)) if abs(defined[0]) > 1e-12 else 0.0
    return f"; it tends to {limit:g}"


def _places(problem: LossAtPoint, truth: Truth) -> Iterator[str]:
    """`x`, `v[0]`; of a Hessian `(v, w)[0, 1]`."""
    for name, array in zip(problem.results, truth.arrays, strict=True):
        shown = f"({name})" if problem.of == "hessian" else name
        for place in np.argwhere(np.isnan(array.high)):
            yield f"{shown}[{', '.join(map(str, place))}]" if place.size else shown
