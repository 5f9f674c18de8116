"""The buffers of an interpreted program: inputs as they came, the rest poisoned, views sharing memory.

In: a `Program`, its inputs, its run-time extents.  Out: an array per buffer.

Not handled: converting inputs; a wrong dtype or shape is an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symnet.errors import ArgumentError, CompileError, DTypeError, ShapeError, explain
from symnet.loops import ir
from symnet.loops.integer_text import buffer_text

ArraysByName = dict[str, np.ndarray]
ConcreteShape = tuple[int, ...]


def infer_dims(program: ir.Program, inputs: Mapping[str, np.ndarray], dims: Mapping[str, int]) -> dict[str, int]:
    """The run-time extents: those given, and those that are a whole axis of an input."""
    known = dict(dims)
    for buffer in program.inputs:
        array = _input(program, buffer, inputs)
        for extent, size in zip(buffer.shape, array.shape, strict=True):
            if isinstance(extent, ir.IntVar) and known.setdefault(extent.name, size) != size:
                got = f"{known[extent.name]} elsewhere and {size} in an input of shape {array.shape}"
                raise ShapeError(_explain(program, buffer, f"one extent {extent.name}", got, "Make the extents agree."))
    missing = [name for name in program.dims if name not in known]
    if missing:
        expected, got = f"the extents {', '.join(program.dims)}", f"nothing that says {', '.join(missing)}"
        raise ArgumentError(explain(f"run({program.name})", expected, got, f"Pass dims={{'{missing[0]}': …}}."))
    return known


def allocate(
    program: ir.Program, inputs: Mapping[str, np.ndarray], shape_of: Callable[[ir.Buffer], ConcreteShape]
) -> tuple[ArraysByName, dict[str, str]]:
    """An array per buffer, and the buffer whose memory each view is."""
    memory: ArraysByName = {constant.buffer.name: constant.contents.array for constant in program.constants}
    roots: dict[str, str] = {}
    views = []
    for buffer in (*program.inputs, *program.outputs, *program.workspace):
        if buffer.view_of is not None:
            views.append(buffer)
        elif buffer.space == "input":
            memory[buffer.name] = _read_only(program, buffer, np.asarray(inputs[buffer.name]), shape_of(buffer))
        else:
            memory[buffer.name] = poisoned(buffer.dtype, shape_of(buffer))
    while views:
        buffer = next(view for view in views if view.view_of in memory)
        views.remove(buffer)
        source = str(buffer.view_of)
        memory[buffer.name] = _view(program, buffer, memory[source], shape_of(buffer))
        roots[buffer.name] = roots.get(source, source)
    return memory, roots


def poisoned(dtype: str, shape: ConcreteShape) -> np.ndarray:
    """Memory before anything is stored: NaN, an absurd integer, True."""
    kind = np.dtype(dtype)
    value: Any = np.nan if kind.kind == "f" else True if kind.kind == "b" else np.iinfo(kind).max - 7
    return np.full(shape, value, kind)


def _input(program: ir.Program, buffer: ir.Buffer, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    if buffer.name not in inputs:
        got = "inputs " + (", ".join(inputs) or "of no name")
        raise ArgumentError(_explain(program, buffer, "an input of that name", got, f"Pass {buffer.name!r} as well."))
    array = np.asarray(inputs[buffer.name])
    if array.dtype.name != buffer.dtype:
        mend = f"Convert it with .astype({buffer.dtype!r})."
        raise DTypeError(_explain(program, buffer, buffer.dtype, array.dtype.name, mend))
    if array.ndim != len(buffer.shape):
        got = f"rank {array.ndim}, shape {array.shape}"
        raise ShapeError(_explain(program, buffer, f"rank {len(buffer.shape)}", got, "Reshape the input."))
    return array


def _read_only(program: ir.Program, buffer: ir.Buffer, array: np.ndarray, shape: ConcreteShape) -> np.ndarray:
    if array.shape != shape:
        raise ShapeError(_explain(program, buffer, f"shape {shape}", str(array.shape), "Pass an array of that shape."))
    array = np.ascontiguousarray(array).reshape(shape).view()
    array.flags.writeable = False
    return array


def _view(program: ir.Program, buffer: ir.Buffer, source: np.ndarray, shape: ConcreteShape) -> np.ndarray:
    if math.prod(shape) != source.size:
        got = f"{math.prod(shape)}, in shape {shape}"
        mend = f"A view of {buffer.view_of} keeps its number of elements."
        raise CompileError(_explain(program, buffer, f"{source.size} elements", got, mend))
    return source.reshape(shape)


def _explain(program: ir.Program, buffer: ir.Buffer, expected: str, got: str, mend: str) -> str:
    return explain(f"run({program.name}), {buffer_text(buffer)}", expected, got, mend)
