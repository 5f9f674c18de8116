"""A function of numbers as Python calls it: floats in, floats out, with nothing allocated but the result.

In: nothing.  Out: LLVM assembly of `PyObject *symnet_numbers(self, args, nargs)`, a METH_FASTCALL function, for 64-bit
hosts; `self` is a bytes object that holds::

    struct Numbers { int64_t arguments; run, in, out, dims, workspace; size_t workspace_bytes; double *values, *results;
                     int64_t outputs; float, numpy_float; as_double, as_float, new_tuple, set_item, keep; none; }

where `float` and `numpy_float` are Python's and NumPy's types of floats, and `as_double` to `keep` functions of CPython
(PyFloat_AsDouble, PyFloat_FromDouble, PyTuple_New, PyTuple_SetItem, Py_IncRef).
Where an argument is not exactly a float (Python's or NumPy's), or their number is wrong, or the code is not 0, the
result is None: the caller takes the slow way, which knows what to say.
Not handled: interpreters without CPython's layout of objects, or without its lock (`numbers.py` asks first).
"""

from __future__ import annotations

from symnet.runtime.array_call import BYTES_CONTENTS, TYPE

FIELDS = {
    "arguments": "i64", "run": "ptr", "in": "ptr", "out": "ptr", "dims": "ptr", "workspace": "ptr", "bytes": "i64",
    "values": "ptr", "results": "ptr", "outputs": "i64", "float": "ptr", "numpy_float": "ptr", "as_double": "ptr",
    "as_float": "ptr", "new_tuple": "ptr", "set_item": "ptr", "keep": "ptr", "nothing": "ptr",
}  # fmt: skip

_BLOCK = "\n".join(
    f"  %{name}_at = getelementptr i8, ptr %self, i64 {BYTES_CONTENTS + 8 * k}\n  %{name} = load {kind}, ptr %{name}_at"
    for k, (name, kind) in enumerate(FIELDS.items())
)

NUMBERS_IR = f"""
define ptr @symnet_numbers(ptr %self, ptr %args, i64 %nargs) #0 {{
entry:
{_BLOCK}
  %complete = icmp eq i64 %nargs, %arguments
  br i1 %complete, label %some, label %refuse
some:
  %none_given = icmp eq i64 %nargs, 0
  br i1 %none_given, label %compute, label %read
read:
  %i = phi i64 [0, %some], [%next, %take]
  %arg_at = getelementptr ptr, ptr %args, i64 %i
  %arg = load ptr, ptr %arg_at
  %type_at = getelementptr i8, ptr %arg, i64 {TYPE}
  %type = load ptr, ptr %type_at
  %is_float = icmp eq ptr %type, %float
  %is_numpy = icmp eq ptr %type, %numpy_float
  %good = or i1 %is_float, %is_numpy
  br i1 %good, label %take, label %refuse
take:
  %value = call double %as_double(ptr %arg)
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
  %number = call ptr %as_float(double %only)
  ret ptr %number
several:
  %tuple = call ptr %new_tuple(i64 %outputs)
  %made = icmp ne ptr %tuple, null
  %any = icmp sgt i64 %outputs, 0
  %fill = and i1 %made, %any
  br i1 %fill, label %item, label %finished
item:
  %k = phi i64 [0, %several], [%k_next, %item]
  %result_at = getelementptr double, ptr %results, i64 %k
  %result = load double, ptr %result_at
  %boxed = call ptr %as_float(double %result)
  %status = call i32 %set_item(ptr %tuple, i64 %k, ptr %boxed)
  %k_next = add i64 %k, 1
  %again = icmp slt i64 %k_next, %outputs
  br i1 %again, label %item, label %finished
finished:
  ret ptr %tuple
refuse:
  call void %keep(ptr %nothing)
  ret ptr %nothing
}}
"""
