"""The runtime's own native code, compiled once per process when first needed.

In: the assembly of `step_ir.py`, `pool_ir.py` and `numbers_ir.py`.  Out: ctypes calls into it, and the block that a
bound step passes.

Not handled: hosts without LLVM, where bound steps take the plain call instead (`bind.py`) and threads are refused.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symnet.locks import once
from symnet.loops.signature import IndexBound
from symnet.runtime.extents import Dims, evaluate
from symnet.runtime.numbers_ir import numbers_ir
from symnet.runtime.pool_ir import pool_ir
from symnet.runtime.step_ir import STEP_IR

__all__ = ["StepBlock", "numbers_address", "pool_calls", "step_block", "step_call"]

_POINTER = ctypes.c_void_p


@once
def _module() -> Any:
    from symnet.backends.llvm import codegen, targets

    target = targets.host_target()
    head = f'target triple = "{target.triple}"\n'
    parts = (head, STEP_IR, pool_ir(target.architecture), numbers_ir(), "attributes #0 = { nounwind }\n")
    text = "\n".join(parts)
    return codegen.load(codegen.compile_object(text, target))


@dataclass(frozen=True, slots=True)
class StepBlock:
    """The block and the pointer to it, which keeps it alive."""

    words: Any
    pointer: ctypes.c_void_p


def step_block(
    run: int, arguments: Sequence[Any], bounds: Sequence[IndexBound], inputs: Mapping[str, np.ndarray], dims: Dims
) -> StepBlock:
    """What `symnet_step` reads.

    arguments: the pointer tables in, out, dims, the workspace's address and its size in bytes.
    """
    words = [run, *(ctypes.addressof(table) for table in arguments[:3]), *arguments[3:], len(bounds)]
    for bound in bounds:
        array, extent = inputs[bound.name], evaluate(bound.extent, dims)
        shift = extent if bound.wraps else 0
        words += [array.ctypes.data, array.size, extent + shift, array.itemsize, shift]
    block = (ctypes.c_int64 * len(words))(*words)
    return StepBlock(block, _POINTER(ctypes.addressof(block)))


@once
def step_call() -> Callable[..., int]:
    """symnet_step; without argument types, which ctypes would check at every call."""
    return ctypes.CFUNCTYPE(ctypes.c_int32)(_module().address("symnet_step"))


@once
def numbers_address() -> int:
    """The address of symnet_numbers."""
    return _module().address("symnet_numbers")


@once
def pool_calls() -> tuple[Callable[..., int], Callable[..., int]]:
    """The ctypes calls of symnet_pool_run and symnet_pool_worker."""
    run = ctypes.CFUNCTYPE(ctypes.c_int32, *[_POINTER] * 8, ctypes.c_size_t)
    worker = ctypes.CFUNCTYPE(ctypes.c_int64, _POINTER, ctypes.c_int64, ctypes.c_int64)
    return run(_module().address("symnet_pool_run")), worker(_module().address("symnet_pool_worker"))
