"""Slopes from both sides: where they differ, the derivative does not exist.

In: a problem whose data stand at a tie, and what the chain rule says there.  Out: the derivatives, NaN where one-sided
slopes differ; where they agree and the chain rule says something else, or nothing, they are the slope.

The chain rule chooses at a kink, and is no judge of other choices.  Where every element can be moved by itself, the
sides are differences with so many digits that nothing is lost.  Of larger problems the whole gradient is computed
beside the data, to both sides along random directions: what changes as much over a step as over a hundredth of it,
jumps.
Not handled: of a large problem, a jump that no such direction meets, as of one of very many equal elements of a max.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from symnet.arrays import Array
from symnet.compare.problem import LossAtPoint
from symnet.compare.scalars import ScalarProgram
from symnet.compare.tape import TapeProgram

DIGITS = 40
SETTLED = mpf(10) ** -22
AFFORDABLE = 500_000  # operations on single numbers, for the sides of all elements together
DIRECTIONS = 4


def exact_numbers(problem: LossAtPoint) -> dict[str, Any]:
    """The data, reals as mpmath's numbers."""
    convert = np.frompyfunc(lambda x: mpf(float(x)), 1, 1)
    return {n: np.array(convert(a), dtype=object) if a.dtype.kind == "f" else a for n, a in problem.data.items()}


def moved(program: ScalarProgram, data: dict[str, Any], k: int, place: tuple[int, ...], step: Any) -> Any:
    """The value where one element is another."""
    name = program.wrt[k]
    array = data[name].copy()
    array[place] = array[place] + step
    return program.value({**data, name: array})


def mended(program: ScalarProgram, problem: LossAtPoint, k: int, array: Array) -> Array:
    """Where the chain rule meets 0·∞ though there is a slope, as √x⁴ at 0 has: that from both sides, if it is one."""
    places = [place for place in np.ndindex(array.shape) if array[place] != array[place]]
    if not places or len(places) > 32:
        return array
    array = array.copy()
    with mpmath.workdps(2 * DIGITS):
        data = exact_numbers(problem)
        here, h = program.value(data), mpf(10) ** -DIGITS
        for place in places:
            left, right = ((moved(program, data, k, place, s * h) - here) / (s * h) for s in (-1, 1))
            if abs(left - right) <= SETTLED * max(abs(left), abs(right), mpf(1)):
                array[place] = mpf(0) if abs(right) <= SETTLED else right
    return array


def without_kinks(program: ScalarProgram, problem: LossAtPoint, arrays: Sequence[Array], digits: int) -> list[Array]:
    """What the chain rule says, held against the slopes from both sides of every element."""
    found = [array.copy() for array in arrays]
    with mpmath.workdps(4 * digits):
        data = exact_numbers(problem)
        here = program.value(data)
        for k, array in enumerate(found):
            for place in np.ndindex(array.shape):
                at = abs(data[program.wrt[k]][place])
                h = mpf(10) ** (-2 * digits) * (min(at, mpf(1)) or 1)
                left, right = ((moved(program, data, k, place, s * h) - here) / (s * h) for s in (-1, 1))
                array[place] = _judged(array[place], left, right, mpf(10) ** -digits * max(abs(here), mpf(1)))
    return found


def _judged(told: Any, left: Any, right: Any, noise: Any) -> Any:
    """The slope: what the chain rule told, unless both sides are numbers and say otherwise."""
    if told != told or left - left != 0 or right - right != 0:
        return told
    size = max(abs(left), abs(right))
    if abs(left - right) > SETTLED * size + noise:
        return mpf("nan")
    if mpmath.isinf(told) or abs(told - right) <= mpf(10) ** -15 * size + noise:
        return told
    return mpf(0) if size <= noise else mpf("inf") * mpmath.sign(right) if size * noise > 1 else right


def jumping(problem: LossAtPoint, dtype: str) -> list[Array]:
    """Which elements of the gradient jump at the data: one array of truth values for each leaf."""
    program, data = TapeProgram(problem.root, problem.wrt, problem.dims, dtype), problem.data_as(dtype)
    rng, eps = np.random.default_rng(0), np.finfo(dtype).eps
    shapes = {leaf.name: data[leaf.name].shape for leaf in problem.wrt}
    jumps = [np.zeros(shape, dtype=bool) for shape in shapes.values()]
    for _ in range(DIRECTIONS):
        towards = {name: np.asarray(rng.standard_normal(shape)) for name, shape in shapes.items()}
        far, near = (_across(program, data, towards, eps**0.5 / part) for part in (1, 256))
        for jump, (over, largest), (step, _) in zip(jumps, far, near, strict=True):
            jump |= (step > over / 2) & (step > eps**0.75 * largest)
    return jumps


def _across(program: TapeProgram, data: dict[str, Any], towards: dict[str, Array], h: Any) -> list[tuple[Array, float]]:
    """How far the gradients on both sides are apart, and the largest element of each."""
    below, above = (_shifted(program, data, towards, s * h) for s in (-1, 1))
    return [(np.abs(b - a), float(np.abs(b).max(initial=0))) for a, b in zip(below, above, strict=True)]


# --------------------------------------------------------------------------- second derivatives


def bending(problem: LossAtPoint, dtype: str) -> list[Array]:
    """Which second derivatives do not exist, as the gradient jumps or bends: truth values for each result."""
    program, data = TapeProgram(problem.root, problem.wrt, problem.dims, dtype), problem.data_as(dtype)
    if problem.of == "hvp":
        return _bent(program, data, dict(zip(_names(problem), problem.vectors, strict=True)))
    shapes = {name: data[name].shape for name in _names(problem)}
    blocks = {(a, b): np.zeros((*shapes[a], *shapes[b]), dtype=bool) for a in shapes for b in shapes}
    for column, shape in shapes.items():
        for place in np.ndindex(shape):
            unit = {name: np.zeros(s) for name, s in shapes.items()}
            unit[column][place] = 1
            for row, bent in zip(shapes, _bent(program, data, unit), strict=True):
                blocks[row, column][(..., *place)] = bent
    return [_either(blocks[a, b], blocks[b, a], len(shapes[b])) for a in shapes for b in shapes]


def _names(problem: LossAtPoint) -> list[str]:
    """The leaves that are moved."""
    return [leaf.name for leaf in problem.wrt]


def _either(block: Array, mirrored: Array, columns: int) -> Array:
    """What either order of a mixed derivative leaves undefined."""
    turned = mirrored.transpose(*range(columns, mirrored.ndim), *range(columns))
    return np.asarray(block | turned)


def _bent(program: TapeProgram, data: dict[str, Any], towards: dict[str, Array]) -> list[Array]:
    """Where the gradient has no slope in a direction: a step of it, or of its slope, does not shrink with h."""
    eps = np.finfo(data[next(iter(towards))].dtype).eps
    here = program.value_and_grad(data)[1]
    found = []
    for h in (eps ** (1 / 3), eps ** (1 / 3) / 16):
        below, above = (_shifted(program, data, towards, s * h) for s in (-1, 1))
        steps = [np.abs(b - a) for a, b in zip(below, above, strict=True)]
        bends = [np.abs(a + b - 2 * g) / h for a, g, b in zip(below, here, above, strict=True)]
        found.append((steps, bends))
    largest = max((float(np.abs(g).max(initial=0)) for g in here), default=0.0) or 1.0
    return [
        ((step > over / 2) & (step > eps**0.5 * largest)) | ((bend > wide / 2) & (bend > eps**0.4 * largest))
        for over, step, wide, bend in zip(found[0][0], found[1][0], found[0][1], found[1][1], strict=True)
    ]


def _shifted(program: TapeProgram, data: dict[str, Any], towards: dict[str, Array], h: Any) -> list[Array]:
    """The gradient beside the data."""
    near = {name: (data[name] + h * v).astype(data[name].dtype) for name, v in towards.items()}
    arrays: list[Array] = program.value_and_grad({**data, **near})[1]
    return arrays
