"""A function of numbers as Python calls it: floats in, floats out, with nothing allocated but the result.

In: addresses in CPython's API.  Out: LLVM assembly of `PyObject *symnet_numbers(self, args, nargs)`, a METH_FASTCALL
function; `self` is an int, the address of::

    struct Numbers { arguments, run, in, out, dims, workspace, size_t workspace_bytes, double *values, double *results,
                     int64_t outputs }

Where an argument is not exactly a float (Python's or NumPy's), or their number is wrong, or the code is not 0, the
result is None: the caller takes the slow way, which knows what to say.
Not handled: interpreters without CPython's layout of objects, or without its lock (`numbers.py` asks first).
"""

from __future__ import annotations

import ctypes

import numpy as np

from symnet.runtime.array_call import api_address

_TYPE_OFFSET = object.__basicsize__ - ctypes.sizeof(ctypes.c_void_p)  # the type is the last field of an object's head


def _address(name: str) -> str:
    """An entry of CPython's API, as a constant."""
    return f"inttoptr (i64 {api_address(name)} to ptr)"


def numbers_ir() -> str:
    """The assembly, with this process's addresses."""
    as_address, as_double, as_float = map(_address, ("PyLong_AsVoidPtr", "PyFloat_AsDouble", "PyFloat_FromDouble"))
    new_tuple, set_item, keep = map(_address, ("PyTuple_New", "PyTuple_SetItem", "Py_IncRef"))
    words = "\n".join(
        f"  %{name}_at = getelementptr i64, ptr %self_, i64 {k}\n  %{name} = load {kind}, ptr %{name}_at"
        for k, (name, kind) in enumerate(
            {
                "arguments": "i64", "run": "ptr", "in": "ptr", "out": "ptr", "dims": "ptr", "workspace": "ptr",
                "bytes": "i64", "values": "ptr", "results": "ptr", "outputs": "i64",
            }.items()
        )
    )  # fmt: skip
    return f"""
define ptr @symnet_numbers(ptr %self, ptr %args, i64 %nargs) #0 {{
entry:
  %self_ = call ptr {as_address}(ptr %self)
{words}
  %complete = icmp eq i64 %nargs, %arguments
  br i1 %complete, label %some, label %refuse
some:
  %none_given = icmp eq i64 %nargs, 0
  br i1 %none_given, label %compute, label %read
read:
  %i = phi i64 [0, %some], [%next, %take]
  %arg_at = getelementptr ptr, ptr %args, i64 %i
  %arg = load ptr, ptr %arg_at
  %type_at = getelementptr i8, ptr %arg, i64 {_TYPE_OFFSET}
  %type = load i64, ptr %type_at
  %is_float = icmp eq i64 %type, {id(float)}
  %is_numpy = icmp eq i64 %type, {id(np.float64)}
  %good = or i1 %is_float, %is_numpy
  br i1 %good, label %take, label %refuse
take:
  %value = call double {as_double}(ptr %arg)
  %place = getelementptr double, ptr %values, i64 %i
  store double %value, ptr %place
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %nargs
  br i1 %more, label %read, label %compute
compute:
  %code = call i32 %run(ptr %in, ptr %out, ptr %dims, ptr %workspace, i64 %bytes)
  %done = icmp eq i32 %code, 0
  br i1 %done, label %give, label %refuse
give:
  %one = icmp eq i64 %outputs, 1
  br i1 %one, label %single, label %several
single:
  %only = load double, ptr %results
  %number = call ptr {as_float}(double %only)
  ret ptr %number
several:
  %tuple = call ptr {new_tuple}(i64 %outputs)
  %made = icmp ne ptr %tuple, null
  %any = icmp sgt i64 %outputs, 0
  %fill = and i1 %made, %any
  br i1 %fill, label %item, label %finished
item:
  %k = phi i64 [0, %several], [%k_next, %item]
  %result_at = getelementptr double, ptr %results, i64 %k
  %result = load double, ptr %result_at
  %boxed = call ptr {as_float}(double %result)
  %status = call i32 {set_item}(ptr %tuple, i64 %k, ptr %boxed)
  %k_next = add i64 %k, 1
  %again = icmp slt i64 %k_next, %outputs
  br i1 %again, label %item, label %finished
finished:
  ret ptr %tuple
refuse:
  %nothing = inttoptr i64 {id(None)} to ptr
  call void {keep}(ptr %nothing)
  ret ptr %nothing
}}
"""
