"""A call of a compiled function, measured phase by phase.

In: a function, its program, and a step bound to arrays; or extents, for which arrays are made up (`export/pattern.py`).
Out: a `Roofline`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from symnet.dtypes import ITEMSIZE
from symnet.export.pattern import pattern
from symnet.loops.ir import Program
from symnet.roofline.phase_times import phase_times
from symnet.roofline.phase_work import phase_loads
from symnet.roofline.table import Roofline, roofline
from symnet.runtime.bind import BoundStep
from symnet.runtime.extents import evaluate_shape
from symnet.runtime.function import NativeFunction


def example_step(function: NativeFunction, dims: Mapping[str, int]) -> BoundStep:
    """A step on made-up arrays of these extents."""
    return function.bind(**pattern(function.signature, dims), **dims)


def measured(function: NativeFunction, program: Program, step: BoundStep) -> Roofline:
    """The phases of a step, each timed and beside its limits."""
    dims = step.dims
    step()  # checks what is checked, and brings code and arrays into caches
    seconds = phase_times(program, function.native, step, dims)
    buffers = (*program.inputs, *program.outputs, *program.workspace)
    nbytes = sum(ITEMSIZE[b.dtype] * prod(evaluate_shape(b.shape, dims)) for b in buffers)
    sizes = ", ".join(f"{name} = {extent}" for name, extent in dims.items())
    title = f"{function.name}, {sizes}" if sizes else function.name
    return roofline(title, phase_loads(program, dims), seconds, nbytes)
