"""Builtin functions of Python from native code: a call of one costs about what `math.exp` costs.

In: the address of a METH_FASTCALL function, and the object that it is given as `self`.  Out: a callable.
Not handled: other interpreters than CPython with its lock, and hosts without LLVM: `is_possible` says so.
"""

from __future__ import annotations

import ctypes
import sys
import sysconfig
from collections.abc import Callable
from typing import Any

_FASTCALL = 0x0080  # METH_FASTCALL: arguments as an array


class _Method(ctypes.Structure):
    """CPython's PyMethodDef: what a builtin function is made from."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("call", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def is_possible() -> bool:
    """Whether this interpreter has the layout and the lock that the native code counts on, and LLVM is at hand."""
    plain = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
    return plain and "llvmlite" in sys.modules and object.__basicsize__ == 16


def builtin(name: str, address: int, self: Any, *owners: Any) -> Callable[..., Any]:
    """A builtin function.

    Args:
        name: for messages.
        address: of the native code.
        self: what it gets as its first argument.
        owners: what must live as long as somebody can call it.
    """
    method = _Method(name.encode(), address, _FASTCALL, None)
    # The builtin keeps what it reads alive (as its "module"): whoever calls it may be the last who has it.
    made: Callable[..., Any] = _new_builtin(ctypes.byref(method), self, (method, self, *owners))
    return made


def api_address(name: str) -> int:
    """The address of a function of CPython's API."""
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


_new_builtin: Any = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object)(
    ("PyCFunction_NewEx", ctypes.pythonapi)
)
