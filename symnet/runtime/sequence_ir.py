"""The native side of a sequence of bound steps, such as those of an epoch of training.

In: nothing.  Out: LLVM assembly of `int64_t symnet_sequence(Sequence *, int64_t first, int64_t last)`, for 64-bit
hosts, which runs the steps first … last - 1 and returns how many were done::

    struct Sequence { int64_t gathers, settings, item, size, left, whole, code; order, loss, losses, norm, norms, table;
                      Bound bound[2]; Gather gather[]; void *setting[]; }
    struct Bound { Step *step; Control *control; Job *job; }                   -- the last two are null for one thread
    struct Gather { source; int64_t outer, bytes, stride; full, rest; }

Step k takes the samples order[k·size], …: `size` of them where k is below `whole`, and `left` otherwise.  For each
gather, `outer` times, rows of so many bytes are copied from a source, in which blocks are a stride apart, to the array
`full`, or to `rest`.  Then the rank-0 settings get a row of the table, and one of two bound steps runs: of full
batches, or of the rest.  The loss, and the norm where there is one, is kept in a row of its own.  It stops after a step
whose loss is not finite, or whose code is not 0, which stands in `code` then.
"""

from __future__ import annotations

FIELDS = {
    "gathers": "i64", "settings": "i64", "item": "i64", "size": "i64", "left": "i64", "whole": "i64", "code": "i64",
    "order": "ptr", "loss": "ptr", "losses": "ptr", "norm": "ptr", "norms": "ptr", "table": "ptr",
}  # fmt: skip
BOUND, BOUND_WORDS = 2, 3  # after the fields
GATHER_WORDS = 6
LINE, AHEAD = 64, 8192  # bytes: of a cache line, and of samples that are asked for before they are copied
CODE_WORD = list(FIELDS).index("code")
ORDER_WORD = list(FIELDS).index("order")


def _field(kind: str, name: str, block: str, word: int) -> str:
    return f"  %{name}_at = getelementptr i64, ptr %{block}, i64 {word}\n  %{name} = load {kind}, ptr %{name}_at\n"


def _copying(name: str, kind: str, width: int, leave: str) -> str:
    """A loop that copies so many bytes at a time, while there are as many left."""
    return f"""{name}:
  %{name}_at = phi i64 [%{name}_begin, %before_{name}], [%{name}_next, %{name}_one]
  %{name}_next = add i64 %{name}_at, {width}
  %{name}_more = icmp ule i64 %{name}_next, %bytes
  br i1 %{name}_more, label %{name}_one, label %{leave}
{name}_one:
  %{name}_from = getelementptr i8, ptr %from, i64 %{name}_at
  %{name}_to = getelementptr i8, ptr %to, i64 %{name}_at
  %{name}_value = load {kind}, ptr %{name}_from, align 1
  store {kind} %{name}_value, ptr %{name}_to, align 1
  br label %{name}
"""


_COPY = f"""
define internal void @copy_bytes(ptr %to, ptr %from, i64 %bytes) #0 {{
before_wide:
  %wide_begin = add i64 0, 0
  br label %wide
{_copying("wide", "<32 x i8>", 32, "before_word")}before_word:
  %word_begin = add i64 %wide_at, 0
  br label %word
{_copying("word", "i64", 8, "before_byte")}before_byte:
  %byte_begin = add i64 %word_at, 0
  br label %byte
{_copying("byte", "i8", 1, "leave")}leave:
  ret void
}}
"""

_FETCH = f"""
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
declare i64 @llvm.umax.i64(i64, i64)
declare i64 @llvm.umin.i64(i64, i64)

define internal void @fetch_row(ptr %row, i64 %bytes) #0 {{
entry:
  %most = call i64 @llvm.umin.i64(i64 %bytes, i64 {AHEAD})
  br label %line
line:
  %at = phi i64 [0, %entry], [%next, %line]
  %where = getelementptr i8, ptr %row, i64 %at
  call void @llvm.prefetch.p0(ptr %where, i32 0, i32 2, i32 1)
  %next = add i64 %at, {LINE}
  %more = icmp ult i64 %next, %most
  br i1 %more, label %line, label %leave
leave:
  ret void
}}
"""

_GATHER = f"""
define internal void @gather(ptr %gather, ptr %order, i64 %count, i64 %is_rest) #0 {{
entry:
{_field("ptr", "source", "gather", 0)}{_field("i64", "outer", "gather", 1)}{_field("i64", "bytes", "gather", 2)}
{_field("i64", "stride", "gather", 3)}  %place = add i64 4, %is_rest
  %target_at = getelementptr ptr, ptr %gather, i64 %place
  %target = load ptr, ptr %target_at
  %block = mul i64 %count, %bytes
  %divisor = call i64 @llvm.umax.i64(i64 %bytes, i64 {LINE})
  %rows_ahead = udiv i64 {AHEAD}, %divisor
  %ahead = call i64 @llvm.umax.i64(i64 %rows_ahead, i64 1)
  br label %outer_loop
outer_loop:
  %o = phi i64 [0, %entry], [%o_next, %row_end]
  %more_outer = icmp slt i64 %o, %outer
  br i1 %more_outer, label %begin, label %leave
begin:
  %source_shift = mul i64 %o, %stride
  %target_shift = mul i64 %o, %block
  %from = getelementptr i8, ptr %source, i64 %source_shift
  %to = getelementptr i8, ptr %target, i64 %target_shift
  br label %row_loop
row_loop:
  %k = phi i64 [0, %begin], [%k_next, %copy]
  %more_rows = icmp slt i64 %k, %count
  br i1 %more_rows, label %row, label %row_end
row:
  %later = add i64 %k, %ahead
  %some_later = icmp slt i64 %later, %count
  br i1 %some_later, label %announce, label %copy
announce:
  %later_at = getelementptr i64, ptr %order, i64 %later
  %later_sample = load i64, ptr %later_at
  %later_shift = mul i64 %later_sample, %bytes
  %later_row = getelementptr i8, ptr %from, i64 %later_shift
  call void @fetch_row(ptr %later_row, i64 %bytes)
  br label %copy
copy:
  %sample_at = getelementptr i64, ptr %order, i64 %k
  %sample = load i64, ptr %sample_at
  %from_shift = mul i64 %sample, %bytes
  %to_shift = mul i64 %k, %bytes
  %from_row = getelementptr i8, ptr %from, i64 %from_shift
  %to_row = getelementptr i8, ptr %to, i64 %to_shift
  call void @copy_bytes(ptr %to_row, ptr %from_row, i64 %bytes)
  %k_next = add i64 %k, 1
  br label %row_loop
row_end:
  %o_next = add i64 %o, 1
  br label %outer_loop
leave:
  ret void
}}
"""

_FINITE = """
define internal i1 @finite(ptr %value, i64 %item) #0 {
  %narrow = icmp eq i64 %item, 4
  br i1 %narrow, label %single, label %double
single:
  %bits32 = load i32, ptr %value
  %exponent32 = and i32 %bits32, 2139095040
  %good32 = icmp ne i32 %exponent32, 2139095040
  ret i1 %good32
double:
  %bits64 = load i64, ptr %value
  %exponent64 = and i64 %bits64, 9218868437227405312
  %good64 = icmp ne i64 %exponent64, 9218868437227405312
  ret i1 %good64
}
"""

_BOUND = f"""
define internal i32 @bound_step(ptr %bound) #0 {{
{_field("ptr", "step", "bound", 0)}{_field("ptr", "control", "bound", 1)}{_field("ptr", "job", "bound", 2)}
  %shared = icmp ne ptr %control, null
  br i1 %shared, label %together, label %alone
together:
  %code = call i32 @symnet_pool_step(ptr %control, ptr %job, ptr %step)
  ret i32 %code
alone:
  %own = call i32 @symnet_step(ptr %step)
  ret i32 %own
}}
"""

_HEAD = "".join(_field(kind, name, "sequence", word) for word, (name, kind) in enumerate(FIELDS.items()))
_FIRST_STEP = len(FIELDS)
_FIRST_GATHER = _FIRST_STEP + BOUND * BOUND_WORDS

SEQUENCE_IR = f"""
{_COPY}{_FETCH}{_GATHER}{_FINITE}{_BOUND}
define i64 @symnet_sequence(ptr %sequence, i64 %first, i64 %last) #0 {{
entry:
{_HEAD}  %steps = getelementptr i64, ptr %sequence, i64 {_FIRST_STEP}
  %gather_words = mul i64 %gathers, {GATHER_WORDS}
  %setting_word = add i64 %gather_words, {_FIRST_GATHER}
  %setting = getelementptr i64, ptr %sequence, i64 %setting_word
  %row_bytes = mul i64 %settings, %item
  %has_norm = icmp ne ptr %norm, null
  br label %step
step:
  %k = phi i64 [%first, %entry], [%k_next, %next]
  %row = sub i64 %k, %first
  %more = icmp slt i64 %k, %last
  br i1 %more, label %begin, label %over
begin:
  %is_last = icmp sge i64 %k, %whole
  %is_rest = zext i1 %is_last to i64
  %count = select i1 %is_last, i64 %left, i64 %size
  %shift = mul i64 %k, %size
  %samples = getelementptr i64, ptr %order, i64 %shift
  br label %gather_loop
gather_loop:
  %g = phi i64 [0, %begin], [%g_next, %gather_one]
  %more_gathers = icmp slt i64 %g, %gathers
  br i1 %more_gathers, label %gather_one, label %set
gather_one:
  %g_words = mul i64 %g, {GATHER_WORDS}
  %g_word = add i64 %g_words, {_FIRST_GATHER}
  %gather = getelementptr i64, ptr %sequence, i64 %g_word
  call void @gather(ptr %gather, ptr %samples, i64 %count, i64 %is_rest)
  %g_next = add i64 %g, 1
  br label %gather_loop
set:
  %values_shift = mul i64 %row, %row_bytes
  %values = getelementptr i8, ptr %table, i64 %values_shift
  br label %set_loop
set_loop:
  %s = phi i64 [0, %set], [%s_next, %set_one]
  %more_settings = icmp slt i64 %s, %settings
  br i1 %more_settings, label %set_one, label %run
set_one:
  %value_shift = mul i64 %s, %item
  %value = getelementptr i8, ptr %values, i64 %value_shift
  %setting_at = getelementptr ptr, ptr %setting, i64 %s
  %goal = load ptr, ptr %setting_at
  call void @copy_bytes(ptr %goal, ptr %value, i64 %item)
  %s_next = add i64 %s, 1
  br label %set_loop
run:
  %bound_word = mul i64 %is_rest, {BOUND_WORDS}
  %bound = getelementptr ptr, ptr %steps, i64 %bound_word
  %status = call i32 @bound_step(ptr %bound)
  %good = icmp eq i32 %status, 0
  br i1 %good, label %keep, label %fail
keep:
  %kept_shift = mul i64 %row, %item
  %kept = getelementptr i8, ptr %losses, i64 %kept_shift
  call void @copy_bytes(ptr %kept, ptr %loss, i64 %item)
  br i1 %has_norm, label %keep_norm, label %look
keep_norm:
  %kept_norm = getelementptr i8, ptr %norms, i64 %kept_shift
  call void @copy_bytes(ptr %kept_norm, ptr %norm, i64 %item)
  br label %look
look:
  %is_number = call i1 @finite(ptr %loss, i64 %item)
  br i1 %is_number, label %next, label %stop
next:
  %k_next = add i64 %k, 1
  br label %step
stop:
  %done = add i64 %row, 1
  ret i64 %done
fail:
  %wide = sext i32 %status to i64
  store i64 %wide, ptr %code_at
  ret i64 %row
over:
  ret i64 %row
}}
"""
