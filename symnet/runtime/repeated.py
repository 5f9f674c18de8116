"""A call with arrays of the same sizes as the last one: what was found out then holds again.

In: a `NativeFunction`, and the plan of a call of it.  Out: a call that takes the inputs in order; it compares every
array with the plan in native code (`arrays_ir.py`), gives fresh outputs, and `MISSED` where anything is otherwise: the
caller takes the slow way, which knows what to say.

Not handled: labels that are to be checked before a call, arrays that would have to be converted.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from symnet.locks import once
from symnet.loops.signature import Signature
from symnet.runtime import arrays_ir as layout
from symnet.runtime import template as templates
from symnet.runtime.arguments import Arguments
from symnet.runtime.builtin import api_address, builtin, is_possible
from symnet.runtime.native import EntryPoints, Workspaces
from symnet.runtime.plan import CallPlan
from symnet.runtime.support import arrays_address, pool_address

MISSED: Any = object()
RepeatedCall = Callable[[Sequence[Any]], Any]


class Repeatable(Protocol):
    """What a repeated call asks of the function that it runs: a `NativeFunction`."""

    signature: Signature
    native: EntryPoints
    template: templates.Template
    arguments: Arguments
    workspaces: Workspaces


def repeated_call(function: Repeatable, plan: CallPlan) -> RepeatedCall | None:
    """The call, or None where there is none."""
    if function.signature.index_bounds or not (is_possible() and _layout_holds()):
        return None
    hand_back = templates.arranger(function.template, [len(shape) for shape in plan.shapes])
    if hand_back is None:
        return None
    specified = [(s, np.dtype(b.dtype)) for b, s in zip(function.signature.outputs, plan.shapes, strict=True)]
    job = plan.job
    native = builtin("arrays", arrays_address(), _block(function, plan), plan.c_dims, job, function.native.owner)
    take, give_back = function.workspaces.take, function.workspaces.give_back
    empty, workspace_bytes = np.empty, plan.workspace_bytes

    def call(inputs: Sequence[Any]) -> Any:
        try:
            outputs = [empty(shape, dtype) for shape, dtype in specified]
        except (MemoryError, ValueError):
            return MISSED
        workspace = take(workspace_bytes)
        if job is None:
            done = native(*inputs, *outputs, workspace.address)
        else:
            done = native(*inputs, *outputs, workspace.address, job.crew().address)
        give_back(workspace)
        return hand_back(outputs) if done else MISSED

    return call


def _block(function: Repeatable, plan: CallPlan) -> bytes:
    """What `symnet_arrays` reads: the fields of `arrays_ir.FIELDS`, and what every array must be."""
    kept = layout.C_CONTIGUOUS | layout.ALIGNED
    expected = _expected(function.arguments.expected, plan.inputs, kept)
    expected += _expected(function.signature.outputs, plan.shapes, kept | layout.WRITEABLE)
    count = len(plan.inputs) + len(plan.shapes)
    job = plan.job
    words = [count + (1 if job is None else 2), len(plan.inputs), id(np.ndarray), function.native.run]
    words += (ctypes.addressof(plan.c_dims), plan.workspace_bytes, api_address("PyLong_AsVoidPtr"))
    words += map(api_address, ("PyEval_SaveThread", "PyEval_RestoreThread", "Py_IncRef"))
    words += (id(True), id(None), count)
    words += (0, 0) if job is None else (pool_address(), job.address)
    assert len(words) == len(layout.FIELDS)
    return struct.pack(f"={len(words) + len(expected)}q", *words, *expected)


def _expected(arrays: Sequence[Any], shapes: Sequence[tuple[int, ...]], flags: int) -> list[int]:
    words: list[int] = []
    for array, shape in zip(arrays, shapes, strict=True):
        words += (id(np.dtype(array.dtype)), flags, len(shape), *shape)
    return words


@once
def _layout_holds() -> bool:
    """Whether arrays of this NumPy, and bytes of this Python, have their fields where native code reads them."""
    array = np.empty((2, 3, 5), "float32")
    at = id(array)
    fields = [ctypes.c_void_p.from_address(at + place).value for place in (layout.TYPE, layout.DATA, layout.DTYPE)]
    rank, flags = (ctypes.c_int32.from_address(at + place).value for place in (layout.RANK, layout.FLAGS))
    shape = ctypes.c_void_p.from_address(at + layout.SHAPE).value
    wanted = layout.C_CONTIGUOUS | layout.ALIGNED | layout.WRITEABLE
    return (
        fields == [id(np.ndarray), array.ctypes.data, id(array.dtype)]
        and rank == array.ndim
        and flags & wanted == wanted
        and bytes.__basicsize__ - 1 == layout.BYTES_CONTENTS
        and tuple((ctypes.c_int64 * 3).from_address(shape or at)) == array.shape
    )
