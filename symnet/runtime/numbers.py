"""A native function of numbers as a builtin of Python: a call costs about what `math.exp` costs.

In: a `NativeFunction` of real scalars, and where each of its inputs and outputs stands among the caller's.
Out: `numbers(*floats)`, the results, or None where the caller must take the slow way.

The interpreter's lock is held while it computes, which is what makes one set of buffers enough.
Not handled: float32, hosts with this code in no cache and without LLVM, other interpreters than CPython with its lock.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symnet.runtime.array_call import api_address, as_builtin, builtins_are_possible
from symnet.runtime.support import numbers_address, numbers_at_hand

if TYPE_CHECKING:
    from symnet.runtime.function import NativeFunction


def numbers_are_possible() -> bool:
    """Whether this interpreter is one that the native code knows, and that code is at hand."""
    return builtins_are_possible() and numbers_at_hand()


class NumbersBuiltin:
    """The builtin, and what it must keep alive.

    Attributes:
        call: takes one float for each argument.  Gives a float (a tuple of them unless there is one result), or None.
    """

    def __init__(
        self, function: NativeFunction | None, inputs: Mapping[str, int], arguments: int, constants: Sequence[Any]
    ) -> None:
        """`inputs`: input name → position; `constants`: results known beforehand, None where they are computed."""
        self.values = np.zeros(arguments)
        self.results = np.array([np.nan if c is None else c for c in constants], float)
        computed = [k for k, c in enumerate(constants) if c is None]
        assert function is not None, "constants alone need no call"
        step = function.bind(
            **{name: self.values[k : k + 1].reshape(()) for name, k in inputs.items()},
            out=tuple(self.results[k : k + 1].reshape(()) for k in computed),
        )
        places = (self.values.ctypes.data, self.results.ctypes.data, len(constants))
        called = map(api_address, ("PyFloat_AsDouble", "PyFloat_FromDouble", "PyTuple_New", "PyTuple_SetItem"))
        python = (id(float), id(np.float64), *called, api_address("Py_IncRef"), id(None))
        words = [arguments, function.native.run, *step.addresses, *places, *python]
        block = struct.pack(f"={len(words)}q", *words)
        self.step = step
        owners = (step, self.values, self.results)
        self.call: Callable[..., Any] = as_builtin("numbers", numbers_address(), block, *owners)
