"""A function of arrays as Python calls it: every argument compared with what one call of the same sizes had.

In: nothing.  Out: LLVM assembly of `PyObject *symnet_arrays(self, args, nargs)`, a METH_FASTCALL function, for 64-bit
hosts; `self` is a bytes object that holds::

    struct Arrays { int64_t arguments, inputs; ndarray, run, dims; size_t workspace_bytes;
                    as_address, release, acquire, keep, true, none; int64_t arrays; pool, job;
                    Expected expected[]; }
    struct Expected { dtype; int64_t flags, rank, shape[rank]; }

where `as_address`, `release`, `acquire` and `keep` are functions of CPython (PyLong_AsVoidPtr, PyEval_SaveThread,
PyEval_RestoreThread, Py_IncRef).  The arguments are the inputs, the outputs, and the address of the workspace; where
threads share the call, `pool` is symnet_pool_run (`pool_ir.py`), else null, and one more argument the address of its
control block.
The result is True, or None where an argument is not as expected or the code is not 0: the caller takes the slow way,
which knows what to say.  The interpreter's lock is released while it computes.

Source: NumPy's manual, "Python Types and C-Structures", PyArrayObject.
"""

from __future__ import annotations

from symnet.runtime.array_call import BYTES_CONTENTS, DATA, DTYPE, FLAGS, RANK, SHAPE, TYPE

FIELDS = {
    "arguments": "i64", "inputs": "i64", "ndarray": "ptr", "run": "ptr", "dims": "ptr", "bytes": "i64",
    "as_address": "ptr", "release": "ptr", "acquire": "ptr", "keep": "ptr", "true": "ptr", "none": "ptr",
    "arrays": "i64", "pool": "ptr", "job": "ptr",
}  # fmt: skip
EXPECTED_WORDS = 3  # of an array, before its shape


def _field(kind: str, name: str, array: str, offset: int) -> str:
    """Load a field of an object."""
    return f"  %{name}_at = getelementptr i8, ptr %{array}, i64 {offset}\n  %{name} = load {kind}, ptr %{name}_at\n"


_BLOCK = "".join(_field(kind, name, "self", BYTES_CONTENTS + 8 * k) for k, (name, kind) in enumerate(FIELDS.items()))

ARRAYS_IR = f"""
define ptr @symnet_arrays(ptr %self, ptr %args, i64 %nargs) #0 {{
entry:
{_BLOCK}  %complete = icmp eq i64 %nargs, %arguments
  br i1 %complete, label %begin, label %refuse
begin:
  %table = alloca ptr, i64 %arguments
  %first = getelementptr i8, ptr %self, i64 {BYTES_CONTENTS + 8 * len(FIELDS)}
  br label %array
array:
  %k = phi i64 [0, %begin], [%k_next, %good]
  %expected = phi ptr [%first, %begin], [%behind, %good]
  %arg_at = getelementptr ptr, ptr %args, i64 %k
  %arg = load ptr, ptr %arg_at
{_field("ptr", "type", "arg", TYPE)}  %is_array = icmp eq ptr %type, %ndarray
  br i1 %is_array, label %look, label %refuse
look:
{_field("ptr", "dtype", "arg", DTYPE)}{_field("i32", "flags", "arg", FLAGS)}{_field("i32", "narrow", "arg", RANK)}
{_field("ptr", "shape", "arg", SHAPE)}{_field("ptr", "dtype_wanted", "expected", 0)}
{_field("i64", "flags_wanted", "expected", 8)}{_field("i64", "rank_wanted", "expected", 16)}
  %all_flags = zext i32 %flags to i64
  %flags_set = and i64 %all_flags, %flags_wanted
  %rank = sext i32 %narrow to i64
  %same_dtype = icmp eq ptr %dtype, %dtype_wanted
  %same_flags = icmp eq i64 %flags_set, %flags_wanted
  %same_rank = icmp eq i64 %rank, %rank_wanted
  %same_kind = and i1 %same_dtype, %same_flags
  %same = and i1 %same_kind, %same_rank
  %shape_wanted = getelementptr i64, ptr %expected, i64 {EXPECTED_WORDS}
  br i1 %same, label %axes, label %refuse
axes:
  %axis = phi i64 [0, %look], [%axis_next, %axis_good]
  %more_axes = icmp slt i64 %axis, %rank
  br i1 %more_axes, label %one_axis, label %good
one_axis:
  %extent_at = getelementptr i64, ptr %shape, i64 %axis
  %extent_wanted_at = getelementptr i64, ptr %shape_wanted, i64 %axis
  %extent = load i64, ptr %extent_at
  %extent_wanted = load i64, ptr %extent_wanted_at
  %same_extent = icmp eq i64 %extent, %extent_wanted
  br i1 %same_extent, label %axis_good, label %refuse
axis_good:
  %axis_next = add i64 %axis, 1
  br label %axes
good:
{_field("ptr", "data", "arg", DATA)}  %slot = getelementptr ptr, ptr %table, i64 %k
  store ptr %data, ptr %slot
  %behind = getelementptr i64, ptr %shape_wanted, i64 %rank
  %k_next = add i64 %k, 1
  %more_arrays = icmp slt i64 %k_next, %arrays
  br i1 %more_arrays, label %array, label %compute
compute:
  %last_at = getelementptr ptr, ptr %args, i64 %arrays
  %last = load ptr, ptr %last_at
  %workspace = call ptr %as_address(ptr %last)
  %results = getelementptr ptr, ptr %table, i64 %inputs
  %alone = icmp eq ptr %pool, null
  br i1 %alone, label %serial, label %shared
serial:
  %serial_state = call ptr %release()
  %serial_code = call i32 %run(ptr %table, ptr %results, ptr %dims, ptr %workspace, i64 %bytes)
  br label %computed
shared:
  %crew_at = getelementptr ptr, ptr %last_at, i64 1
  %crew = load ptr, ptr %crew_at
  %control = call ptr %as_address(ptr %crew)
  %shared_state = call ptr %release()
  %shared_code = call i32 %pool(
    ptr %control, ptr %job, ptr %table, ptr %results, ptr %dims, ptr %workspace, i64 %bytes)
  br label %computed
computed:
  %state = phi ptr [%serial_state, %serial], [%shared_state, %shared]
  %code = phi i32 [%serial_code, %serial], [%shared_code, %shared]
  call void %acquire(ptr %state)
  %done = icmp eq i32 %code, 0
  br i1 %done, label %give, label %refuse
give:
  call void %keep(ptr %true)
  ret ptr %true
refuse:
  call void %keep(ptr %none)
  ret ptr %none
}}
"""
