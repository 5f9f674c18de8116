"""The native side of a bound step: check what the function does not check itself, then run.

One pointer in, so that the call is cheap.

In: nothing.  Out: LLVM assembly of `int32_t symnet_step(const Step *)`, for 64-bit hosts::

    struct Step { run, in, out, dims, workspace, size_t workspace_bytes; int64_t checks; Check check[]; }
    struct Check { const void *data; int64_t count, bound, itemsize, shift; }

A label is moved by the shift (the extent, where negative ones count from the end) and compared unsigned, so that one
comparison refuses both ends.
"""

from __future__ import annotations

from symnet.loops.abi import CODES

STEP_WORDS = 7  # 8-byte words before the checks
CHECK_WORDS = 5


def _all_below(bits: int) -> str:
    """Whether every label of so many bits is below a bound."""
    return f"""
define internal i1 @all_below_{bits}(ptr %data, i64 %count, i64 %bound, i64 %shift) #0 {{
entry:
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %loop, label %good
loop:
  %i = phi i64 [0, %entry], [%next, %more]
  %where = getelementptr i{bits}, ptr %data, i64 %i
  %label = load i{bits}, ptr %where
  %wide = {"sext i32 %label to i64" if bits == 32 else "add i64 %label, 0"}
  %moved = add i64 %wide, %shift
  %fits = icmp ult i64 %moved, %bound
  br i1 %fits, label %more, label %bad
more:
  %next = add i64 %i, 1
  %again = icmp slt i64 %next, %count
  br i1 %again, label %loop, label %good
good:
  ret i1 true
bad:
  ret i1 false
}}
"""


# The begin of a function of `ptr %step`: what is refused, and what NAME_run takes.
CHECKED_STEP = f"""  %fits = call i1 @step_checks(ptr %step)
  br i1 %fits, label %run, label %refuse
refuse:
  ret i32 {CODES["INDEX_OUT_OF_RANGE"]}
run:
  %in_at = getelementptr i64, ptr %step, i64 1
  %out_at = getelementptr i64, ptr %step, i64 2
  %dims_at = getelementptr i64, ptr %step, i64 3
  %workspace_at = getelementptr i64, ptr %step, i64 4
  %bytes_at = getelementptr i64, ptr %step, i64 5
  %in = load ptr, ptr %in_at
  %out = load ptr, ptr %out_at
  %dims = load ptr, ptr %dims_at
  %workspace = load ptr, ptr %workspace_at
  %bytes = load i64, ptr %bytes_at
"""

STEP_IR = f"""{_all_below(32)}{_all_below(64)}
define internal i1 @check(ptr %check) #0 {{
  %count_at = getelementptr i64, ptr %check, i64 1
  %bound_at = getelementptr i64, ptr %check, i64 2
  %size_at = getelementptr i64, ptr %check, i64 3
  %shift_at = getelementptr i64, ptr %check, i64 4
  %data = load ptr, ptr %check
  %count = load i64, ptr %count_at
  %bound = load i64, ptr %bound_at
  %size = load i64, ptr %size_at
  %shift = load i64, ptr %shift_at
  %narrow = icmp eq i64 %size, 4
  br i1 %narrow, label %four, label %eight
four:
  %fits32 = call i1 @all_below_32(ptr %data, i64 %count, i64 %bound, i64 %shift)
  ret i1 %fits32
eight:
  %fits64 = call i1 @all_below_64(ptr %data, i64 %count, i64 %bound, i64 %shift)
  ret i1 %fits64
}}

define internal i1 @step_checks(ptr %step) #0 {{
entry:
  %checks_at = getelementptr i64, ptr %step, i64 {STEP_WORDS - 1}
  %checks = load i64, ptr %checks_at
  %some = icmp sgt i64 %checks, 0
  br i1 %some, label %loop, label %good
loop:
  %i = phi i64 [0, %entry], [%next, %more]
  %offset = mul i64 %i, {CHECK_WORDS}
  %word = add i64 %offset, {STEP_WORDS}
  %check = getelementptr i64, ptr %step, i64 %word
  %fits = call i1 @check(ptr %check)
  br i1 %fits, label %more, label %bad
more:
  %next = add i64 %i, 1
  %again = icmp slt i64 %next, %checks
  br i1 %again, label %loop, label %good
good:
  ret i1 true
bad:
  ret i1 false
}}

define i32 @symnet_step(ptr %step) #0 {{
{CHECKED_STEP}  %function = load ptr, ptr %step
  %code = tail call i32 %function(ptr %in, ptr %out, ptr %dims, ptr %workspace, i64 %bytes)
  ret i32 %code
}}
"""
