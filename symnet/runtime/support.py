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
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

import numpy as np

from symnet.backends.llvm.elf import is_possible
from symnet.backends.llvm.processor import llvmlite_version, this_processor
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
    "numbers_at_hand",
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
    return _loaded(_support_code)


@once
def _numbers() -> NativeCode:
    """What takes Python's numbers."""
    return _loaded(_numbers_code)


def at_hand() -> bool:
    """Whether there is such code without loading LLVM for it."""
    return bool(_offered) or bool(sys.modules.get("llvmlite")) or _kept(_support_code) is not None


def numbers_at_hand() -> bool:
    """The same of what takes Python's numbers."""
    return bool(sys.modules.get("llvmlite")) or _kept(_numbers_code) is not None


def support_object(target: Target) -> bytes:
    """The object code for a target, from the cache where that has it."""
    return _cached(_support_code, repr(target)) or _made(_support_code, target, repr(target))


# --------------------------------------------------------------------------- object code and its keys

Code = Callable[[str], str]  # architecture → assembly


def _loaded(code: Code) -> NativeCode:
    from symnet.backends.llvm import loading, targets

    return loading.load(_kept(code) or _made(code, targets.host_target(), this_processor()))


@lru_cache(maxsize=4)
def _kept(code: Code) -> bytes | None:
    """The object code for this machine, if the cache has it: a warm start needs no compiler."""
    return _cached(code, this_processor()) if is_possible() else None


def _cached(code: Code, machine: str) -> bytes | None:
    from symnet.runtime.cache import default_cache

    cache = default_cache()
    entry = cache.get(_key(code, machine)) if cache else None
    return entry.object_code if entry else None


def _made(code: Code, target: Target, machine: str) -> bytes:
    """The object code that LLVM makes, which the cache keeps."""
    from symnet.backends.llvm.codegen import compile_object
    from symnet.runtime.cache import default_cache
    from symnet.runtime.entry import Entry

    text = [f'target triple = "{target.triple}"\n', code(target.architecture), "attributes #0 = { nounwind }\n"]
    found, cache = compile_object("\n".join(text), target), default_cache()
    if cache:
        cache.put(_key(code, machine), Entry(found, Signature("symnet_support", (), (), ())))
    return found


def _key(code: Code, machine: str) -> str:
    """What the cache keeps it under, for a machine by any description from which the code follows."""
    return blake2b(repr((_stamp(code), machine, llvmlite_version())).encode(), digest_size=24).hexdigest()


def _support_code(architecture: str) -> str:
    stamp = f'@symnet_support = constant [{2 * _STAMP_BYTES} x i8] c"{_stamp(_unstamped)}"\n'
    return f"{stamp}\n{_unstamped(architecture)}"


def _unstamped(architecture: str) -> str:
    from symnet.runtime.arrays_ir import ARRAYS_IR
    from symnet.runtime.pool_ir import pool_ir
    from symnet.runtime.sequence_ir import SEQUENCE_IR
    from symnet.runtime.step_ir import STEP_IR

    return "\n".join((STEP_IR, SEQUENCE_IR, ARRAYS_IR, pool_ir(architecture)))


def _numbers_code(_: str) -> str:
    from symnet.runtime.numbers_ir import NUMBERS_IR

    return NUMBERS_IR


_STAMP_BYTES = 16


@lru_cache(maxsize=4)
def _stamp(code: Code) -> str:
    """What tells this code from that of another version."""
    return blake2b(code("").encode(), digest_size=_STAMP_BYTES).hexdigest()


def offer(library: ctypes.CDLL) -> None:
    """Use the code that an open library holds, if it is just this."""
    if _offered or sys.maxsize < 2**32:
        return
    try:
        held = (ctypes.c_char * (2 * _STAMP_BYTES)).in_dll(library, "symnet_support").raw
    except ValueError:  # it holds none
        return
    if held == _stamp(_unstamped).encode():
        _offered.append(LibraryCode(library))


class LibraryCode(NamedTuple):
    """The code in the library of an export."""

    library: ctypes.CDLL

    def address(self, name: str, /) -> int:
        """Where a function starts."""
        return address_of_symbol(self.library, name)


class StepBlock(NamedTuple):
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
