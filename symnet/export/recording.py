"""What a function answers to inputs of a formula, recorded when it is exported, for the test that goes with it.

In: a function's signature, programs, machine and object code.  Out: a `Recording`: extents, inputs as a `Fill`, some
elements of each output, and how far another answer may be from them.

The object code is run where it is for this machine; otherwise the same loops compiled for this one, whose sums are
added in the same order.

Among a few inputs those are taken to which the answers are finite and do not change much when the inputs change in
their last digits.  An answer may be as far from the recorded one as rounding can make it: a processor of another level
adds in another order.  How far that is, is measured: each input is changed by up to 4 units in its last place.

Not handled: functions that refuse all of these inputs, for which there is no recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import gcd

import numpy as np

from symnet.backends.llvm import codegen, loading
from symnet.backends.llvm.targets import host_target
from symnet.errors import SymnetError
from symnet.export.pattern import Fill, pattern
from symnet.loops.ir import Program
from symnet.loops.signature import Signature
from symnet.runtime.extents import Dims
from symnet.runtime.function import NativeFunction
from symnet.schedule.target import Target

ELEMENTS = 256  # of an output, that are recorded
RELATIVE = {"float32": 3e-5, "float64": 1e-11}
CHANGES = 3  # of the inputs, from which the effect of rounding is measured
UNITS = 4  # in the last place, by which an input is changed
SAFETY = 16
_GOOD = {"float32": 1e-3, "float64": 1e-9}  # an effect of rounding below which inputs are as good as any
_FILLS = (Fill(), Fill(dominant=True), Fill(1), Fill(1, True), Fill(0, True, 2), Fill(0, True, 1))
_FIRST, _LARGER = 3, 16  # extents


@dataclass(frozen=True, slots=True)
class RecordedOutput:
    """Elements of an output: those at 0, step, 2·step, … modulo its size.

    Attributes:
        values: the elements, one-dimensional.
        size, step: of the whole output; from one recorded element to the next.
        relative, absolute: an answer x agrees with a recorded r where |x − r| ≤ relative·|r| + absolute.
    """

    values: np.ndarray
    size: int
    step: int
    relative: float
    absolute: float


@dataclass(frozen=True, slots=True)
class Recording:
    """What was asked and answered.

    Attributes:
        dims: the extents.
        fill: of the inputs (`pattern.py`).
        outputs: in the order of the signature.
    """

    dims: Dims
    fill: Fill
    outputs: tuple[RecordedOutput, ...]


def recorded(signature: Signature, programs: Sequence[Program], target: Target, code: bytes) -> Recording | None:
    """What the function answers to the best of some inputs; None where it refuses them all."""
    function = _function(signature, programs[0], target, code)
    best, least = None, np.inf
    for dims, fill in _questions(signature):
        try:
            found = _recording(function, dims, fill)
        except SymnetError:
            continue
        effect = max((_effect(output) for output in found.outputs), default=0.0)
        if best is None or effect < least:
            best, least = found, effect
        if effect <= 1:
            break
    return best


def _function(signature: Signature, program: Program, target: Target, code: bytes) -> NativeFunction:
    if not loading.runs_here(target):
        here = host_target()
        code = codegen.compile_object(codegen.emit_ir(program, here), here, program.constants)
    return NativeFunction(signature, loading.load(code), template=(*range(len(signature.outputs)),))


def _questions(signature: Signature) -> Iterator[tuple[dict[str, int], Fill]]:
    """Extents and fills, the simplest first."""
    names = signature.dims
    rising = {name: _FIRST + k for k, name in enumerate(names)}
    falling = {name: _FIRST + 2 * (len(names) - k) for k, name in enumerate(names)}
    larger = {name: _LARGER + k for k, name in enumerate(names)}
    shapes = (rising, falling, larger) if names else ({},)
    yield from product(shapes, _FILLS)


def _recording(function: NativeFunction, dims: dict[str, int], fill: Fill) -> Recording:
    inputs = pattern(function.signature, dims, fill)
    answers = _answers(function, inputs, dims)
    changed = [_answers(function, _changed(inputs, seed), dims) for seed in range(CHANGES)]
    outputs = zip(answers, zip(*changed, strict=True), strict=True)
    return Recording(dims, fill, tuple(_recorded_output(*each) for each in outputs))


def _answers(function: NativeFunction, inputs: dict[str, np.ndarray], dims: dict[str, int]) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        return list(map(np.asarray, function(**inputs, **dims)))


def _changed(inputs: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """Inputs that differ in their last digits."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, array in inputs.items():
        if array.dtype.kind == "f":
            units = rng.integers(-UNITS, UNITS + 1, array.shape)
            array = (array * (1 + units * np.finfo(array.dtype).eps)).astype(array.dtype)
        found[name] = array
    return found


def _recorded_output(answer: np.ndarray, changed: Sequence[np.ndarray]) -> RecordedOutput:
    values = answer.reshape(-1)
    step = max(1, -(-values.size // ELEMENTS))
    while gcd(step, values.size) > 1:  # so that the elements are of all columns
        step += 1
    places = np.arange(min(values.size, ELEMENTS)) * step % max(1, values.size)
    if answer.dtype.kind != "f":
        return RecordedOutput(values[places], values.size, step, 0.0, 0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        effects = [np.abs(each.reshape(-1).astype("f8") - values) for each in changed]
    effect = max((each[np.isfinite(each)].max(initial=0.0) for each in effects), default=0.0)
    return RecordedOutput(values[places], values.size, step, RELATIVE[answer.dtype.name], SAFETY * float(effect))


def _effect(output: RecordedOutput) -> float:
    """How much rounding matters beside the recorded values, in parts of what is good; infinity where some are none."""
    values = output.values
    if values.dtype.kind != "f" or not values.size:
        return 0.0
    if not np.isfinite(values).all():
        return np.inf
    largest = float(np.abs(values).max())
    good = _GOOD[values.dtype.name] * largest
    return output.absolute / SAFETY / good if good else 0.0
