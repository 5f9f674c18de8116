"""The native side of the thread pool: phases × pieces of units, claimed by whoever comes first.

In: the host's architecture.  Out: LLVM assembly of two functions, for 64-bit hosts::

    int32_t symnet_pool_run(Control *, entry, units, phases, in, out, dims, workspace, workspace_bytes)
    int64_t symnet_pool_worker(Control *, int64_t thread, int64_t seen)

The caller walks the phases.  A phase of one unit it runs alone.  Any other it cuts into a fixed number of pieces
(contiguous ranges of units, whose sizes differ by one at most) and publishes under the next *epoch*; then caller and
workers claim pieces, each its own first (so that a thread meets the same units in every phase) and then those that
others have not begun, so that a late worker delays nobody.  Which thread runs a piece does not change the result.

A piece is claimed by moving its claim word from epoch-1 to epoch.  Every piece of an epoch is claimed before the
next epoch begins, so a worker that still holds an old epoch can claim nothing, and what a claim's winner reads of
the job stays put until it reports the piece done.

A worker spins (with the processor's pause), then spins and yields, and after about a millisecond without work
returns the epoch it has seen, so that Python may put its thread to sleep.  It returns the complement (~epoch) when it
finds itself on the caller's processor, so that Python may move its thread: a kernel may leave two threads that wait
for each other on one processor for seconds, with another idle.

One caller at a time has the pool: the first finds its word BUSY at 0 and leaves it so; any other gets the code
HAS_CALLER and has run nothing.  No lock of Python's is held, so there is none that an interrupt could leave behind.
"""

from __future__ import annotations

PIECES_PER_THREAD = 2
LINE = 128  # bytes: two cache lines, since the prefetcher fetches pairs
EPOCH, CALLER, BUSY, DONE, STOP, STATUS = 0, 8, 16, LINE, 2 * LINE, 2 * LINE + 8  # CALLER: its processor
ENTRY, IN, OUT, DIMS, WORKSPACE, BYTES, PHASE, SIZE, LARGER = (3 * LINE + 8 * word for word in range(9))
THREADS, PIECES, YIELD, PROCESSOR = (4 * LINE + 8 * word for word in range(4))  # PROCESSOR: a function or null
CLAIMS = 5 * LINE
HAS_CALLER = -1  # return code; the functions' own are not negative
SPINS = 2000  # pauses before the first yield
PAUSES_PER_YIELD = 64
LAST_SPIN = SPINS + 1000 * PAUSES_PER_YIELD

_PAUSE = {  # by architecture: the call, its declaration
    "x86_64": ("call void @llvm.x86.sse2.pause()", "declare void @llvm.x86.sse2.pause()"),
    "aarch64": ("call void @llvm.aarch64.isb(i32 15)", "declare void @llvm.aarch64.isb(i32)"),
}
_PAUSE["arm64"] = _PAUSE["aarch64"]


def control_bytes(threads: int) -> int:
    """Size of the control block in bytes."""
    return CLAIMS + LINE * PIECES_PER_THREAD * threads


def pool_ir(architecture: str) -> str:
    """The assembly of the pool."""
    pause, declaration = _PAUSE.get(architecture, ("", ""))
    return "\n".join((declaration, _BACK_OFF.replace("PAUSE", pause), _PLACE, _CLAIM, _SHARE, _RUN, _WORKER))


def _field(name: str, offset: int) -> str:
    return f"  %{name}_at = getelementptr i8, ptr %control, i64 {offset}\n"


def _fields(**offsets: int) -> str:
    return "".join(_field(name, offset) for name, offset in offsets.items())


def _load(kind: str, name: str, offset: int) -> str:
    return _field(name, offset) + f"  %{name} = load {kind}, ptr %{name}_at\n"


_ARGUMENTS = {"entry": ENTRY, "in": IN, "out": OUT, "dims": DIMS, "workspace": WORKSPACE}


_BACK_OFF = f"""
define internal void @back_off(ptr %control, i64 %spin) #0 {{
  PAUSE
  %early = icmp slt i64 %spin, {SPINS}
  %low = and i64 %spin, {PAUSES_PER_YIELD - 1}
  %between = icmp ne i64 %low, 0
  %stay = or i1 %early, %between
  br i1 %stay, label %leave, label %give_way
give_way:
{_load("ptr", "yield", YIELD)}  %ignored = call i32 %yield()
  br label %leave
leave:
  ret void
}}
"""

_PLACE = f"""
define internal i64 @processor(ptr %control) #0 {{
{_load("ptr", "function", PROCESSOR)}  %unknown = icmp eq ptr %function, null
  br i1 %unknown, label %leave, label %ask
ask:
  %number = call i32 %function()
  %wide = sext i32 %number to i64
  ret i64 %wide
leave:
  ret i64 -1
}}

define internal i1 @beside_caller(ptr %control) #0 {{
{_field("caller", CALLER)}  %caller = load atomic i64, ptr %caller_at monotonic, align 8
  %mine = call i64 @processor(ptr %control)
  %same = icmp eq i64 %mine, %caller
  %known = icmp sge i64 %mine, 0
  %both = and i1 %same, %known
  ret i1 %both
}}
"""

_CLAIM = f"""
define internal void @claim(ptr %control, i64 %piece, i64 %epoch) #0 {{
  %line = mul i64 %piece, {LINE}
  %offset = add i64 %line, {CLAIMS}
  %word = getelementptr i8, ptr %control, i64 %offset
  %before = sub i64 %epoch, 1
  %now = load atomic i64, ptr %word monotonic, align 8
  %free = icmp eq i64 %now, %before
  br i1 %free, label %try, label %leave
try:
  %pair = cmpxchg ptr %word, i64 %before, i64 %epoch acq_rel monotonic, align 8
  %won = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %won, label %take, label %leave
take:
{_load("i64", "size", SIZE)}{_load("i64", "larger", LARGER)}{_load("i64", "phase", PHASE)}{_load("i64", "bytes", BYTES)}
{"".join(_load("ptr", name, offset) for name, offset in _ARGUMENTS.items())}
  %base = mul i64 %piece, %size
  %is_larger = icmp slt i64 %piece, %larger
  %shift = select i1 %is_larger, i64 %piece, i64 %larger
  %one = zext i1 %is_larger to i64
  %begin = add i64 %base, %shift
  %least = add i64 %begin, %size
  %end = add i64 %least, %one
  %some = icmp slt i64 %begin, %end
  br i1 %some, label %run, label %report
run:
  %number = trunc i64 %phase to i32
  %code = call i32 %entry(ptr %in, ptr %out, ptr %dims, ptr %workspace, i64 %bytes, i32 %number, i64 %begin, i64 %end)
  %failed = icmp ne i32 %code, 0
  br i1 %failed, label %fail, label %report
fail:
{_field("status", STATUS)}  store atomic i32 %code, ptr %status_at monotonic, align 4
  br label %report
report:
{_field("done", DONE)}  %ignored = atomicrmw add ptr %done_at, i64 1 release
  br label %leave
leave:
  ret void
}}
"""

_SHARE = f"""
define internal void @share(ptr %control, i64 %thread, i64 %epoch) #0 {{
entry:
{_load("i64", "threads", THREADS)}{_load("i64", "pieces", PIECES)}  br label %loop
loop:
  %turn = phi i64 [0, %entry], [%next_turn, %next]
  %whose = phi i64 [%thread, %entry], [%next_whose, %next]
  br label %of_one
of_one:
  %piece = phi i64 [%whose, %loop], [%next_piece, %of_one]
  call void @claim(ptr %control, i64 %piece, i64 %epoch)
  %next_piece = add i64 %piece, %threads
  %same = icmp slt i64 %next_piece, %pieces
  br i1 %same, label %of_one, label %next
next:
  %after = add i64 %whose, 1
  %wraps = icmp eq i64 %after, %threads
  %next_whose = select i1 %wraps, i64 0, i64 %after
  %next_turn = add i64 %turn, 1
  %again = icmp slt i64 %next_turn, %threads
  br i1 %again, label %loop, label %leave
leave:
  ret void
}}
"""

_RUN = f"""
define i32 @symnet_pool_run(ptr %control, ptr %entry, ptr %units_of, ptr %phases_of,
                            ptr %in, ptr %out, ptr %dims, ptr %workspace, i64 %bytes) #0 {{
start:
{_fields(**_ARGUMENTS, bytes=BYTES, phase=PHASE, size=SIZE, larger=LARGER, epoch=EPOCH, done=DONE, status=STATUS)}
{_fields(caller=CALLER, busy=BUSY)}  %pair = cmpxchg ptr %busy_at, i64 0, i64 1 acquire monotonic, align 8
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %begin, label %taken
taken:
  ret i32 {HAS_CALLER}
begin:
  %here = call i64 @processor(ptr %control)
  store atomic i64 %here, ptr %caller_at monotonic, align 8
{_load("i64", "pieces", PIECES)}
  store ptr %entry, ptr %entry_at
  store ptr %in, ptr %in_at
  store ptr %out, ptr %out_at
  store ptr %dims, ptr %dims_at
  store ptr %workspace, ptr %workspace_at
  store i64 %bytes, ptr %bytes_at
  store atomic i32 0, ptr %status_at monotonic, align 4
  %first = load atomic i64, ptr %epoch_at monotonic, align 8
  %phases = call i32 %phases_of(ptr %dims)
  %some = icmp sgt i32 %phases, 0
  br i1 %some, label %phase, label %good
phase:
  %number = phi i32 [0, %begin], [%next_number, %next]
  %last = phi i64 [%first, %begin], [%epoch, %next]
  %units = call i64 %units_of(ptr %dims, i32 %number)
  %small = icmp sle i64 %units, 1
  br i1 %small, label %alone, label %together
alone:
  %code = call i32 %entry(ptr %in, ptr %out, ptr %dims, ptr %workspace, i64 %bytes, i32 %number, i64 0, i64 %units)
  br label %next
together:
  %wide = sext i32 %number to i64
  store i64 %wide, ptr %phase_at
  %size = udiv i64 %units, %pieces
  %whole = mul i64 %size, %pieces
  %larger = sub i64 %units, %whole
  store i64 %size, ptr %size_at
  store i64 %larger, ptr %larger_at
  store atomic i64 0, ptr %done_at monotonic, align 8
  %new = add i64 %last, 1
  store atomic i64 %new, ptr %epoch_at release, align 8
  call void @share(ptr %control, i64 0, i64 %new)
  br label %wait
wait:
  %spin = phi i64 [0, %together], [%next_spin, %not_yet]
  %done = load atomic i64, ptr %done_at acquire, align 8
  %finished = icmp eq i64 %done, %pieces
  br i1 %finished, label %joined, label %not_yet
not_yet:
  call void @back_off(ptr %control, i64 %spin)
  %next_spin = add i64 %spin, 1
  br label %wait
joined:
  %status = load atomic i32, ptr %status_at monotonic, align 4
  br label %next
next:
  %result = phi i32 [%code, %alone], [%status, %joined]
  %epoch = phi i64 [%last, %alone], [%new, %joined]
  %failed = icmp ne i32 %result, 0
  %next_number = add i32 %number, 1
  %ended = icmp sge i32 %next_number, %phases
  %stop = or i1 %failed, %ended
  br i1 %stop, label %leave, label %phase
leave:
  store atomic i64 0, ptr %busy_at release, align 8
  ret i32 %result
good:
  store atomic i64 0, ptr %busy_at release, align 8
  ret i32 0
}}
"""

_WORKER = f"""
define i64 @symnet_pool_worker(ptr %control, i64 %thread, i64 %start) #0 {{
entry:
{_field("epoch", EPOCH)}{_field("stop", STOP)}  br label %look
look:
  %seen = phi i64 [%start, %entry], [%seen, %idle], [%epoch, %work]
  %spin = phi i64 [0, %entry], [%next_spin, %idle], [0, %work]
  %epoch = load atomic i64, ptr %epoch_at acquire, align 8
  %new = icmp ne i64 %epoch, %seen
  br i1 %new, label %work, label %nothing
work:
  call void @share(ptr %control, i64 %thread, i64 %epoch)
  %beside = call i1 @beside_caller(ptr %control)
  br i1 %beside, label %move, label %look
nothing:
  %stop = load atomic i64, ptr %stop_at monotonic, align 8
  %stopped = icmp ne i64 %stop, 0
  %tired = icmp sgt i64 %spin, {LAST_SPIN}
  %leave = or i1 %stopped, %tired
  br i1 %leave, label %rest, label %idle
idle:
  call void @back_off(ptr %control, i64 %spin)
  %next_spin = add i64 %spin, 1
  br label %look
rest:
  ret i64 %seen
move:
  %complement = xor i64 %epoch, -1
  ret i64 %complement
}}
"""
