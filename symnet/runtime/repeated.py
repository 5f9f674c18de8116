"""A call with arrays of the same sizes as the last one: what was found out then holds again.

In: a `NativeFunction`, and the plan of a call of it.  Out: a call that takes the inputs in order; it compares every
array with the plan in native code (`arrays_ir.py`), gives fresh outputs, and `MISSED` where anything is otherwise: the
caller takes the slow way, which knows what to say.

Not handled: labels that are to be checked before a call, arrays that would have to be converted.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from symnet.locks import once
from symnet.loops.signature import Signature
from symnet.runtime import template as templates
from symnet.runtime.arguments import Arguments
from symnet.runtime.array_call import (
    array_block,
    arrays_are_possible,
    as_builtin,
    places_of_numbers,
    with_arrays_for_numbers,
)
from symnet.runtime.native import EntryPoints, Workspaces
from symnet.runtime.plan import CallPlan
from symnet.runtime.support import arrays_address, at_hand, pool_address

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
    if function.signature.index_bounds or not is_possible():
        return None
    hand_back = templates.arranger(function.template, [len(shape) for shape in plan.shapes])
    if hand_back is None:
        return None
    specified = [(s, np.dtype(b.dtype)) for b, s in zip(function.signature.outputs, plan.shapes, strict=True)]
    job = plan.job
    native = as_builtin("arrays", arrays_address(), _block(function, plan), plan.c_dims, job, function.native.owner)
    take, give_back = function.workspaces.take, function.workspaces.give_back
    numbers = places_of_numbers([(b.dtype, b.shape) for b in function.signature.inputs])
    empty, workspace_bytes = np.empty, plan.workspace_bytes

    def call(inputs: Sequence[Any]) -> Any:
        try:
            outputs = [empty(shape, dtype) for shape, dtype in specified]
        except (MemoryError, ValueError):
            return MISSED
        if numbers:
            inputs = with_arrays_for_numbers(inputs, numbers)
        workspace = take(workspace_bytes)
        if job is None:
            done = native(*inputs, *outputs, workspace.address)
        else:
            done = native(*inputs, *outputs, workspace.address, job.crew().address)
        give_back(workspace)
        return hand_back(outputs) if done else MISSED

    return call


def _block(function: Repeatable, plan: CallPlan) -> bytes:
    """What `symnet_arrays` reads."""
    inputs = [(b.dtype, shape) for b, shape in zip(function.signature.inputs, plan.inputs, strict=True)]
    outputs = [(b.dtype, shape) for b, shape in zip(function.signature.outputs, plan.shapes, strict=True)]
    shared = (0, 0) if plan.job is None else (pool_address(), plan.job.address)
    dims = ctypes.addressof(plan.c_dims)
    return array_block(function.native.run, dims, plan.workspace_bytes, inputs, outputs, shared)


def is_possible() -> bool:
    """Whether the native code is at hand, and this interpreter one that it knows."""
    return at_hand() and _layout_holds()


_layout_holds = once(arrays_are_possible)
