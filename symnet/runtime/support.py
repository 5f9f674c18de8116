"""The runtime's own native code: compiled once per process when first needed, or found in an exported library.

In: the assembly of `step_ir.py`, `sequence_ir.py`, `arrays_ir.py`, `pool_ir.py` and `numbers_ir.py`.  Out: ctypes calls
into it, and the block that a bound step passes; the same as object code, which the libraries of exports hold, so that
`symnet.load` needs no LLVM.

Not handled: hosts with neither, where bound steps take the plain call instead (`bind.py`) and threads are refused.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol

import numpy as np

from symnet.locks import once
from symnet.loops.signature import IndexBound, Signature
from symnet.runtime.extents import Dims, evaluate
from symnet.runtime.native import address_of_symbol
from symnet.schedule.target import Target

__all__ = [
    "StepBlock",
    "arrays_address",
    "at_hand",
    "numbers_address",
    "offer",
    "pool_address",
    "pool_calls",
    "pool_step_call",
    "sequence_call",
    "step_block",
    "step_call",
    "support_object",
]

_POINTER = ctypes.c_void_p


class NativeCode(Protocol):
    """Native code that can look a symbol up, as `backends/llvm/loading.py` has it, and `LibraryCode` here."""

    def address(self, name: str, /) -> int: ...


_offered: list[NativeCode] = []  # what libraries of exports hold


@once
def _module() -> NativeCode:
    """Steps and the pool: from a library, if one is open, otherwise from the cache or by LLVM."""
    if _offered and not sys.modules.get("llvmlite"):
        return _offered[0]
    from symnet.backends.llvm import loading, targets

    return loading.load(support_object(targets.host_target()))


def at_hand() -> bool:
    """Whether there is such code without loading LLVM for it."""
    return bool(_offered) or bool(sys.modules.get("llvmlite"))


def support_object(target: Target) -> bytes:
    """The object code for a target, from the cache where that has it: a warm start needs no compiler."""
    from importlib.metadata import version  # these, too, are for hosts with LLVM alone

    from symnet.runtime.cache import default_cache
    from symnet.runtime.entry import Entry

    text, cache = _support_text(target), default_cache()
    key = blake2b(repr((text, target, version("llvmlite"))).encode(), digest_size=24).hexdigest()
    entry = cache.get(key) if cache else None
    if entry is None:
        entry = Entry(_assembled(text, target), Signature("symnet_support", (), (), ()))
        if cache:
            cache.put(key, entry)
    return entry.object_code


def _support_text(target: Target) -> str:
    stamp = f'@symnet_support = constant [{2 * _STAMP_BYTES} x i8] c"{_stamp()}"\n'
    return _text(target, stamp, _support_code(target.architecture))


def _support_code(architecture: str) -> str:
    from symnet.runtime.arrays_ir import ARRAYS_IR
    from symnet.runtime.pool_ir import pool_ir
    from symnet.runtime.sequence_ir import SEQUENCE_IR
    from symnet.runtime.step_ir import STEP_IR

    return "\n".join((STEP_IR, SEQUENCE_IR, ARRAYS_IR, pool_ir(architecture)))


_STAMP_BYTES = 16


@once
def _stamp() -> str:
    """What tells this code from that of another version."""
    return blake2b(_support_code("").encode(), digest_size=_STAMP_BYTES).hexdigest()


def offer(library: ctypes.CDLL) -> None:
    """Use the code that an open library holds, if it is just this."""
    if _offered or sys.maxsize < 2**32:
        return
    try:
        held = (ctypes.c_char * (2 * _STAMP_BYTES)).in_dll(library, "symnet_support").raw
    except ValueError:  # it holds none
        return
    if held == _stamp().encode():
        _offered.append(LibraryCode(library))


@dataclass(frozen=True, slots=True)
class LibraryCode:
    """The code in the library of an export."""

    library: ctypes.CDLL

    def address(self, name: str, /) -> int:
        """Where a function starts."""
        return address_of_symbol(self.library, name)


@once
def _numbers() -> Any:
    """What takes Python's numbers: its text has addresses of this process."""
    from symnet.backends.llvm import loading, targets
    from symnet.runtime.numbers_ir import numbers_ir

    target = targets.host_target()
    return loading.load(_assembled(_text(target, numbers_ir()), target))


def _text(target: Target, *parts: str) -> str:
    return "\n".join([f'target triple = "{target.triple}"\n', *parts, "attributes #0 = { nounwind }\n"])


def _assembled(text: str, target: Target) -> bytes:
    from symnet.backends.llvm.codegen import compile_object

    return compile_object(text, target)


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
def sequence_call() -> Callable[..., int]:
    """symnet_sequence."""
    called = ctypes.CFUNCTYPE(ctypes.c_int64, _POINTER, ctypes.c_int64, ctypes.c_int64)
    return called(_module().address("symnet_sequence"))


@once
def arrays_address() -> int:
    """The address of symnet_arrays."""
    return int(_module().address("symnet_arrays"))


@once
def numbers_address() -> int:
    """The address of symnet_numbers."""
    return _numbers().address("symnet_numbers")


@once
def pool_address() -> int:
    """The address of symnet_pool_run."""
    return _module().address("symnet_pool_run")


@once
def pool_step_call() -> Callable[..., int]:
    """symnet_pool_step, without argument types as well."""
    return ctypes.CFUNCTYPE(ctypes.c_int32)(_module().address("symnet_pool_step"))


@once
def pool_calls() -> tuple[Callable[..., int], Callable[..., int]]:
    """The ctypes calls of symnet_pool_run and symnet_pool_worker."""
    run = ctypes.CFUNCTYPE(ctypes.c_int32, *[_POINTER] * 6, ctypes.c_size_t)
    worker = ctypes.CFUNCTYPE(ctypes.c_int64, _POINTER, ctypes.c_int64, ctypes.c_int64)
    return run(pool_address()), worker(_module().address("symnet_pool_worker"))
