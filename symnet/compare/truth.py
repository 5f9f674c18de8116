"""The truth that every method is held against, symnet too.

In: a `LossAtPoint`.  Out: a `Truth`: value and derivatives of the expression as it is written, at the very numbers that
the methods are given.

Where that is affordable, the expression is computed in mpmath's numbers, over and over with twice the digits until 22
of them stand still; derivatives come from the tape of scalars, second ones from differences with so many digits that
nothing is lost.  No rule of symnet's is used.  Larger problems are computed by the tape in the widest floats that NumPy
has, and how good that is, is estimated: errors below are not told from none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from symnet.arrays import Array
from symnet.compare.agreement import TrueArray
from symnet.compare.counting import Count, counted
from symnet.compare.kinks import kinks
from symnet.compare.problem import LossAtPoint
from symnet.compare.scalars import ScalarProgram, exact
from symnet.compare.sides import AFFORDABLE as AFFORDABLE_SIDES
from symnet.compare.sides import DIGITS, SETTLED, bending, exact_numbers, jumping, mended, without_kinks
from symnet.compare.tape import TapeProgram
from symnet.expr.nodes.graph import topological

MOST_DIGITS = 640
AFFORDABLE = 250_000  # operations on single numbers, for all evaluations together

COMPLEX = {"float64": "complex128", "longdouble": "clongdouble"}

ExactArray = Array  # of mpmath's numbers
Found = tuple[Any, list[ExactArray]]  # the value and the derivatives


@dataclass(frozen=True)
class Truth:
    """What is true.

    Attributes:
        name: how it was found, for the reader.
        value: the loss.
        arrays: one for each of `LossAtPoint.results`.
        floor: relative errors below are not told from none.
        note: what else must be known.
    """

    name: str
    value: TrueArray
    arrays: Sequence[TrueArray]
    floor: float = 0.0
    note: str = ""


def truth_of(problem: LossAtPoint) -> Truth:
    """The exact derivatives where they are affordable, the tape's in wide floats elsewhere."""
    once = loss_operations(problem).total
    factor = {"gradient": 1, "hvp": 2, "hessian": 2 * problem.parameters}[problem.of]
    return exact_truth(problem) if once * factor <= AFFORDABLE else wide_truth(problem)


def loss_operations(problem: LossAtPoint) -> Any:
    """The operations of the loss, as the tape computes it."""
    count = Count()
    program = TapeProgram(problem.root, problem.wrt, problem.dims, "float64")
    program.value({name: counted(a, count) for name, a in problem.data_as("float64").items()})
    return count.seen


# --------------------------------------------------------------------------- with as many digits as it takes


def exact_truth(problem: LossAtPoint) -> Truth:
    """In mpmath's numbers."""
    program = ScalarProgram(problem.root, problem.wrt, problem.dims, exact())
    find = {"gradient": _gradient, "hvp": _product, "hessian": _hessian}[problem.of]
    digits = DIGITS
    found = _with(digits, find, program, problem)
    while True:
        digits *= 2
        before, found = found, _with(digits, find, program, problem)
        noise = 9 * digits // 10 if problem.of == "gradient" else 6 * digits // 10  # differences err by h²
        arrays, still = _settled(_arrays(before), _arrays(found), mpf(10) ** -noise)
        if all(s.all() for s in still) or digits >= MOST_DIGITS:
            break
    note = "" if all(s.all() for s in still) else f"not all digits stand still with {digits} of them"
    value, *arrays = [np.where(s, a, mpf("nan")) for a, s in zip(arrays, still, strict=True)]
    value = value.reshape(())
    if found[0] != found[0]:  # what has no value has no slope, whatever the chain rule says
        arrays = [np.full(a.shape, mpf("nan")) for a in arrays]
    elif problem.of == "gradient":
        arrays = _at_kinks(program, problem, arrays, digits) if kinks(problem) else arrays
        assert _is_slope(program, problem, arrays), "the tape of scalars and differences with many digits disagree"
        arrays = [mended(program, problem, k, a) for k, a in enumerate(arrays)]
    name = f"the expression as written, exact: mpmath with {digits} digits"
    return Truth(name, _split(value), [_split(a) for a in arrays], note=note)


def _at_kinks(program: ScalarProgram, problem: LossAtPoint, arrays: list[Array], digits: int) -> list[Array]:
    """The gradient without what does not exist; of many elements as far as floats can tell."""
    if 2 * problem.parameters * loss_operations(problem).total <= AFFORDABLE_SIDES:
        return without_kinks(program, problem, arrays, digits)
    jumps = jumping(problem, "longdouble" if not _needs_double(problem) else "float64")
    return [np.where(jump, mpf("nan"), array) for jump, array in zip(jumps, arrays, strict=True)]


def _with(digits: int, find: Callable[..., Found], program: ScalarProgram, problem: LossAtPoint) -> Found:
    with mpmath.workdps(digits):
        return find(program, problem, exact_numbers(problem), mpf(10) ** -(digits // 3))


def _gradient(program: ScalarProgram, problem: LossAtPoint, data: dict[str, Any], h: Any) -> Found:
    value, gradients, _ = program.value_and_grad(data)
    return value, gradients


def _product(program: ScalarProgram, problem: LossAtPoint, data: dict[str, Any], h: Any) -> Found:
    convert = np.frompyfunc(lambda x: mpf(float(x)), 1, 1)
    return program.value(data), _along(program, data, h, [convert(v) for v in problem.vectors])


def _along(program: ScalarProgram, data: dict[str, Any], h: Any, directions: Sequence[Any]) -> list[ExactArray]:
    """(∇L(w + h·v) - ∇L(w - h·v))/2h; NaN where the two sides of w differ, as at a kink."""
    sides = []
    for step in (h, 0, -h):
        moved = {n: np.array(data[n] + step * v, dtype=object) for n, v in zip(program.wrt, directions, strict=True)}
        sides.append(program.value_and_grad({**data, **moved})[1])
    return [_from_both_sides(a, g, b, h) for a, g, b in zip(*sides, strict=True)]


def _from_both_sides(above: ExactArray, here: ExactArray, below: ExactArray, h: Any) -> ExactArray:
    slopes = np.array((above - below) / (2 * h), dtype=object)
    bend = np.array((above + below - 2 * here) / h, dtype=object)  # where it is smooth, h times a third derivative
    small = mpmath.sqrt(h)

    def has_slope(bend: Any, slope: Any, here: Any) -> bool:
        """Whether neither the slope changes across the data, nor what it is the slope of (|x|' does, by as much)."""
        return bool(abs(bend) <= small * (1 + abs(slope)) and h * abs(slope) <= small * (1 + abs(here)))

    smooth = np.array(np.frompyfunc(has_slope, 3, 1)(bend, slopes, here), dtype=bool)
    return np.where(smooth, slopes, mpf("nan"))


def _hessian(program: ScalarProgram, problem: LossAtPoint, data: dict[str, Any], h: Any) -> Found:
    """The blocks row by row; each column is a product with a unit vector."""
    shapes = [data[name].shape for name in program.wrt]
    blocks = [[np.empty((*a, *b), dtype=object) for b in shapes] for a in shapes]
    for column, shape in enumerate(shapes):
        for place in np.ndindex(shape):
            unit = [np.full(s, mpf(0), dtype=object) for s in shapes]
            unit[column][place] = mpf(1)
            for row, slopes in enumerate(_along(program, data, h, unit)):
                blocks[row][column][(..., *place)] = slopes
    count = range(len(shapes))
    whole = [_defined(blocks[a][b], blocks[b][a], len(shapes[b])) for a in count for b in count]
    return program.value(data), whole


def _defined(block: ExactArray, mirrored: ExactArray, columns: int) -> ExactArray:
    """A block without what the one across the diagonal leaves undefined: the other order of the same kink."""
    turned = mirrored.transpose(*range(columns, mirrored.ndim), *range(columns))
    undefined = np.array(np.frompyfunc(lambda x: x != x, 1, 1)(turned), dtype=bool)
    return np.where(undefined, mpf("nan"), block)


def _arrays(found: Found) -> list[ExactArray]:
    return [np.array(found[0], dtype=object).reshape(1), *found[1]]


def _settled(
    before: Sequence[ExactArray], after: Sequence[ExactArray], noise: Any
) -> tuple[list[ExactArray], list[Array]]:
    """The arrays, and which elements stand still; one that shrinks, and is as small as what is lost, is zero."""
    finite = [abs(x) for array in after for x in array.flat if x - x == 0]
    tiny = noise * max([*finite, mpf(1)])

    def rounded(a: Any, b: Any) -> Any:
        return mpf(0) if abs(b) <= tiny and abs(b) <= SETTLED * abs(a) else b

    def still(a: Any, b: Any) -> bool:
        if a != a or b != b or mpmath.isinf(a) or mpmath.isinf(b):
            return bool(a == b or (a != a and b != b))
        return bool(b == 0 or abs(a - b) <= SETTLED * abs(b))

    clean = [np.array(np.frompyfunc(rounded, 2, 1)(a, b), dtype=object) for a, b in zip(before, after, strict=True)]
    masks = [np.array(np.frompyfunc(still, 2, 1)(a, b), dtype=bool) for a, b in zip(before, clean, strict=True)]
    return clean, masks


def _split(numbers: Any) -> TrueArray:
    numbers = np.asarray(numbers, dtype=object)
    rest = np.frompyfunc(lambda x, h: float(x - mpf(float(h))) if np.isfinite(h) else 0.0, 2, 1)
    with mpmath.workdps(MOST_DIGITS), np.errstate(all="ignore"):
        high = np.array(np.frompyfunc(float, 1, 1)(numbers), dtype="float64")
        low = np.array(rest(numbers, high), dtype="float64")
        low = np.where(np.abs(low) < 1e-21 * np.abs(high), 0.0, low)  # digits that do not stand still
    return TrueArray(high, low)


def _is_slope(program: ScalarProgram, problem: LossAtPoint, arrays: Sequence[ExactArray]) -> bool:
    """Whether gradient · direction is the limit of differences along it, from both sides where these agree."""
    rng = np.random.default_rng(0)
    with mpmath.workdps(2 * DIGITS):
        data, h = exact_numbers(problem), mpf(10) ** -DIGITS
        towards = [np.frompyfunc(mpf, 1, 1)(rng.standard_normal(a.shape)) for a in arrays]
        parts = [sum(np.array(a * v, dtype=object).flat, mpf(0)) for a, v in zip(arrays, towards, strict=True)]
        here, told = program.value(data), sum(parts, mpf(0))
        sides = []
        for step in (-h, h):
            moved = {n: np.array(data[n] + step * v, dtype=object) for n, v in zip(program.wrt, towards, strict=True)}
            sides.append((program.value({**data, **moved}) - here) / step)
        left, right = sides
        scale = max(abs(left), abs(right), sum((abs(p) for p in parts), mpf(0)))
        smooth = abs(left - right) <= SETTLED * scale  # of NaN, never
        noise = max(abs(here), mpf(1)) * mpf(10) ** (5 - DIGITS)  # what differences of so small a step cannot tell
        return bool(not smooth or told != told or abs(told - right) <= mpf(10) ** -15 * scale + noise)


# --------------------------------------------------------------------------- in wide floats


def wide_truth(problem: LossAtPoint) -> Truth:
    """The tape in the widest floats there are, and how far it is from itself in float64."""
    narrow = _taped(problem, "float64")
    bits = np.finfo(np.longdouble).nmant + 1
    if bits <= 53 or _needs_double(problem):
        name = "the tape in float64, as the problem is large; it shares the roundings of float64"
        return Truth(name, *_pairs(_defined_only(problem, "float64", narrow)), floor=1e-15)
    value, arrays = _taped(problem, "longdouble")
    apart = [_distance(a, b) for a, b in zip(narrow[1], arrays, strict=True)]
    arrays = [np.zeros_like(a) if d >= 1 else a for a, d in zip(arrays, apart, strict=True)]
    floor = max((d for d in apart if d < 1), default=0.0) * 2.0 ** (53 - bits)
    pairs = _pairs(_defined_only(problem, "longdouble", (value, arrays)))
    return Truth(f"the tape in floats of {bits} bits, as the problem is large", *pairs, floor=floor)


def _defined_only(problem: LossAtPoint, dtype: str, found: tuple[Any, list[Any]]) -> tuple[Any, list[Any]]:
    """Nothing where there is no value; derivatives without what does not exist where the data stand at a tie."""
    value, arrays = found
    if np.isnan(value):
        return value, [np.full_like(a, np.nan) for a in arrays]
    if not kinks(problem):
        return found
    missing = (jumping if problem.of == "gradient" else bending)(problem, dtype)
    return value, [np.where(gone, np.nan, a) for gone, a in zip(missing, arrays, strict=True)]


def _taped(problem: LossAtPoint, dtype: str) -> tuple[Any, list[Any]]:
    data = problem.data_as(dtype)
    if problem.of == "gradient":
        return TapeProgram(problem.root, problem.wrt, problem.dims, dtype).value_and_grad(data)[:2]
    program = TapeProgram(problem.root, problem.wrt, problem.dims, COMPLEX[dtype])
    if problem.of == "hvp":
        return program.products(data, problem.vectors)
    return program.hessian(data)


def _needs_double(problem: LossAtPoint) -> bool:
    """Whether there is linear algebra in it, which LAPACK has in float64 only."""
    return any(node.kind in ("solve", "determinant") for node in topological(problem.root))


def _distance(narrow: Any, wide: Any) -> float:
    """How far apart they are, relative: 1 and more where there is nothing but roundings, so that the truth is zero."""
    with np.errstate(all="ignore"):
        size = float(np.abs(wide).max(initial=0))
        return float(np.abs(narrow - wide).max(initial=0)) / size if size else 0.0


def _pairs(found: tuple[Any, list[Any]]) -> tuple[TrueArray, list[TrueArray]]:
    value, arrays = found
    return _pair(value), [_pair(a) for a in arrays]


def _pair(wide: Any) -> TrueArray:
    wide = np.asarray(wide)
    with np.errstate(all="ignore"):
        high = wide.astype("float64")
        low = np.where(np.isfinite(high), wide - high, 0).astype("float64")
    return TrueArray(high, low)
