"""The C ABI as Python calls: entry points, the blocks of pointers they take, aligned workspaces.

In: addresses of the five entry points of a function.  Out: calls that release the GIL.

Source: the ABI is stated in docs/c-abi.md.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from symnet.errors import AllocationError, CompileError, SingularMatrixError, explain
from symnet.loops.abi import ALIGNMENT, CODES

TOO_LARGE = 2 ** (8 * ctypes.sizeof(ctypes.c_size_t)) - 1  # what NAME_workspace_bytes says where a size overflows
_DEFECTS = {
    CODES["OK"]: "ok",
    CODES["WORKSPACE_TOO_SMALL"]: "the workspace is too small",
    CODES["BAD_PHASE"]: "no such phase",
    CODES["INDEX_OUT_OF_RANGE"]: "an index out of range, which another thread mended",
}

_POINTER, _BYTE = ctypes.c_void_p, ctypes.c_char
_RUN = ctypes.CFUNCTYPE(ctypes.c_int32, _POINTER, _POINTER, _POINTER, _POINTER, ctypes.c_size_t)
_WORKSPACE_BYTES = ctypes.CFUNCTYPE(ctypes.c_size_t, _POINTER)


class EntryPoints(NamedTuple):
    """Where a function's native code is.

    Args:
        entry: int32_t NAME(in, out, dims, workspace, workspace_bytes, phase, unit_begin, unit_end).
        run: int32_t NAME_run(in, out, dims, workspace, workspace_bytes): all phases on this thread.
        workspace_bytes: size_t NAME_workspace_bytes(dims).
        phases: int32_t NAME_phases(dims).
        units: int64_t NAME_units(dims, phase).
        owner: whatever must stay alive as long as the code is used.
    """

    entry: int
    run: int
    workspace_bytes: int
    phases: int
    units: int
    owner: Any = None

    @classmethod
    def find(cls, name: str, address_of: Callable[[str], int], owner: Any) -> EntryPoints:
        """Look the symbols of function `name` up."""
        return cls(
            entry=address_of(name),
            run=address_of(f"{name}_run"),
            workspace_bytes=address_of(f"{name}_workspace_bytes"),
            phases=address_of(f"{name}_phases"),
            units=address_of(f"{name}_units"),
            owner=owner,
        )

    def run_call(self) -> Callable[..., int]:
        """NAME_run, to be called with ctypes pointers or integers."""
        return _RUN(self.run)

    def workspace_call(self) -> Callable[[Any], int]:
        """NAME_workspace_bytes, to be called with a pointer to the extents."""
        return _WORKSPACE_BYTES(self.workspace_bytes)


def open_library(path: str, name: str) -> EntryPoints:
    """The entry points of function `name` in a shared library; needs no LLVM."""
    library = ctypes.CDLL(path)
    return EntryPoints.find(name, lambda symbol: address_of_symbol(library, symbol), library)


def read_text(path: str, symbol: str) -> str:
    """The text that a shared library has under a symbol.

    Raises:
        OSError, ValueError: when there is no such library, or no such symbol.
    """
    found = ctypes.c_char.in_dll(ctypes.CDLL(path), symbol)
    return ctypes.string_at(ctypes.addressof(found)).decode()


def address_of_symbol(library: ctypes.CDLL, symbol: str) -> int:
    """The address of an exported symbol."""
    return int(ctypes.cast(getattr(library, symbol), _POINTER).value or 0)


class Workspace(NamedTuple):
    """Scratch memory: the array that owns it, and the address and size of its aligned part in bytes."""

    owner: np.ndarray
    address: int
    nbytes: int


def allocate_workspace(nbytes: int) -> Workspace:
    """Uninitialised memory aligned to 64 bytes."""
    owner = allocated((nbytes + ALIGNMENT,), "uint8", "the workspace")
    address = owner.ctypes.data
    return Workspace(owner, -(-address // ALIGNMENT) * ALIGNMENT, nbytes)


def allocated(shape: tuple[int, ...], dtype: str, what: str) -> np.ndarray:
    """An uninitialised array.

    Raises:
        AllocationError: there is no memory for it.
    """
    try:
        return np.empty(shape, dtype)
    except (MemoryError, ValueError) as error:  # NumPy's ValueError: more than can be addressed
        got = f"shape {shape} of {dtype}, {math.prod(shape) * np.dtype(dtype).itemsize} bytes"
        mend = "Make the extents smaller, or compute in parts."
        raise AllocationError(explain(f"np.empty(…) for {what}", "memory for it", got, mend)) from error


class Workspaces:
    """Workspaces that wait for the next call.  Several threads may take and return them at once."""

    KEPT = 4
    LARGEST_KEPT = 1 << 26  # bytes

    def __init__(self) -> None:
        self._spare: list[Workspace] = []

    def take(self, nbytes: int) -> Workspace:
        """A workspace of at least so many bytes."""
        try:
            spare = self._spare.pop()
        except IndexError:
            return allocate_workspace(nbytes)
        return spare if spare.nbytes >= nbytes else allocate_workspace(nbytes)

    def give_back(self, workspace: Workspace) -> None:
        """Keep it for the next call, unless it is large or there are enough."""
        if len(self._spare) < self.KEPT and workspace.nbytes <= self.LARGEST_KEPT:
            self._spare.append(workspace)


def pointers(arrays: Sequence[np.ndarray]) -> Any:
    """A C array of the addresses of arrays, in their order."""
    return (_POINTER * max(1, len(arrays)))(*map(_address, arrays))


def _address(array: np.ndarray) -> int:
    """Where an array's elements start; the short way takes a fourth of the time, and wants writable elements."""
    try:
        return ctypes.addressof(_BYTE.from_buffer(array))  # type: ignore[arg-type]  # an ndarray is a buffer
    except (TypeError, ValueError):
        return int(array.__array_interface__["data"][0])


def extents(values: Iterable[int]) -> Any:
    """A C array of int64."""
    numbers = tuple(values)
    return (ctypes.c_int64 * max(1, len(numbers)))(*numbers)


def refuse_code(name: str, code: int) -> None:
    """Raise for a return code other than 0.

    Raises:
        SingularMatrixError: equations with a singular matrix; what the arrays hold decides.
        CompileError: for any other code, which the checks before the call should have made impossible.
    """
    if code == CODES["SINGULAR_MATRIX"]:
        got = f"a singular one (code {code}, SINGULAR_MATRIX: a pivot of its elimination is 0)"
        mend = "Check the data; a sum such as A + 1e-6*eye(n) keeps a matrix away from singular ones."
        raise SingularMatrixError(explain(f"{name}(…)", "a matrix that can be inverted", got, mend))
    meaning = _DEFECTS.get(code, "unknown")
    mend = "This is a defect of symnet: please report it with the expression."
    raise CompileError(explain(f"{name}(…)", "native code to return 0", f"code {code}: {meaning}", mend))


def reported(workspace: int) -> tuple[int, ...]:
    """What a failure wrote to the first words of a workspace, by its address (docs/c-abi.md)."""
    return tuple((ctypes.c_int64 * 3).from_address(workspace))
