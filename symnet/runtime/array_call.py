"""A native function of arrays as a builtin of Python: a call of one costs about what `math.exp` costs.

In: the address of `symnet_arrays` (`arrays_ir.py`), and what every array of a call must be.  Out: a callable that takes
inputs, outputs and the address of a workspace, and gives True, or None where anything is otherwise.

This file stands in every exported stub, too: it needs NumPy and the standard library alone.
Not handled: other interpreters than CPython with its lock, other layouts of arrays: `arrays_are_possible` says so.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

FASTCALL = 0x0080  # METH_FASTCALL: arguments as an array

# Offsets in bytes: where a bytes object has its contents, an object its type, and an ndarray its fields.
BYTES_CONTENTS, TYPE = 32, 8
DATA, RANK, SHAPE, DTYPE, FLAGS = 16, 24, 32, 56, 64
C_CONTIGUOUS, ALIGNED, WRITEABLE = 0x1, 0x100, 0x400  # of an ndarray's flags


class MethodDefinition(ctypes.Structure):
    """CPython's PyMethodDef: what a builtin function is made from."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("call", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def as_builtin(name: str, address: int, self: Any, *owners: Any) -> Callable[..., Any]:
    """A builtin function.

    Args:
        name: for messages.
        address: of the native code, a METH_FASTCALL function.
        self: what it gets as its first argument.
        owners: what must live as long as somebody can call it.
    """
    method = MethodDefinition(name.encode(), address, FASTCALL, None)
    # The builtin keeps what it reads alive (as its "module"): whoever calls it may be the last who has it.
    made: Callable[..., Any] = new_builtin(ctypes.byref(method), self, (method, self, *owners))
    return made


def api_address(name: str) -> int:
    """The address of a function of CPython's API."""
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


def builtins_are_possible() -> bool:
    """Whether this interpreter has the layout and the lock that the native code counts on."""
    import sysconfig  # a warm start need not wait for it

    plain = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
    return plain and object.__basicsize__ == 16


def arrays_are_possible() -> bool:
    """The same, and whether arrays of this NumPy have their fields where native code reads them."""
    if not builtins_are_possible():
        return False
    array = np.empty((2, 3, 5), "float32")
    at = id(array)
    fields = [ctypes.c_void_p.from_address(at + place).value for place in (TYPE, DATA, DTYPE)]
    rank, flags = (ctypes.c_int32.from_address(at + place).value for place in (RANK, FLAGS))
    shape = ctypes.c_void_p.from_address(at + SHAPE).value
    wanted = C_CONTIGUOUS | ALIGNED | WRITEABLE
    return (
        fields == [id(np.ndarray), array.ctypes.data, id(array.dtype)]
        and rank == array.ndim
        and flags & wanted == wanted
        and bytes.__basicsize__ - 1 == BYTES_CONTENTS
        and tuple((ctypes.c_int64 * 3).from_address(shape or at)) == array.shape
    )


def array_block(
    run: int,
    dims: int,
    workspace_bytes: int,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    shared: tuple[int, int] = (0, 0),
) -> bytes:
    """What `symnet_arrays` reads: the fields of `arrays_ir.FIELDS`, and what every array must be.

    Args:
        run: the address of NAME_run.
        dims: the address of the extents.
        workspace_bytes: of the call.
        inputs: dtype and shape of each.
        outputs: the same of the results.
        shared: where threads share the call, the addresses of symnet_pool_run and of what they do.
    """
    kept = C_CONTIGUOUS | ALIGNED
    expected = expected_words(inputs, kept) + expected_words(outputs, kept | WRITEABLE)
    count = len(inputs) + len(outputs)
    words = [count + (2 if shared[0] else 1), len(inputs), id(np.ndarray), run, dims, workspace_bytes]
    words += map(api_address, ("PyLong_AsVoidPtr", "PyEval_SaveThread", "PyEval_RestoreThread", "Py_IncRef"))
    words += (id(True), id(None), count, *shared)
    return struct.pack(f"={len(words) + len(expected)}q", *words, *expected)


def expected_words(arrays: Sequence[Any], flags: int) -> list[int]:
    """What each array must be: its dtype's address, flags, rank, shape."""
    words: list[int] = []
    for dtype, shape in arrays:
        words += (id(np.dtype(dtype)), flags, len(shape), *shape)
    return words


def places_of_numbers(arrays: Sequence[Any]) -> list[Any]:
    """Where Python's floats may stand for arrays of rank 0: position, dtype, and the largest number of that."""
    found = [(k, np.dtype(dtype)) for k, (dtype, shape) in enumerate(arrays) if not shape]
    return [(k, dtype, float(np.finfo(dtype).max)) for k, dtype in found if dtype.kind == "f"]


def with_arrays_for_numbers(values: Sequence[Any], places: Sequence[Any]) -> list[Any]:
    """The values, with an array for every float that is finite in its place."""
    found = list(values)
    for k, dtype, most in places:
        if type(found[k]) is float and -most < found[k] < most:
            found[k] = np.array(found[k], dtype)
    return found


new_builtin: Any = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object)(
    ("PyCFunction_NewEx", ctypes.pythonapi)
)
