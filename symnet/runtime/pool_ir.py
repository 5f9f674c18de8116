"""The native side of the thread pool: phases × pieces of units, claimed by whoever comes first.

In: the host's architecture.  Out: LLVM assembly of three functions, for 64-bit hosts::

    int32_t symnet_pool_run(Control *, Job *, in, out, dims, workspace, workspace_bytes)
    int32_t symnet_pool_step(Control *, Job *, Step *)                  -- of a bound step (`step_ir.py`)
    int64_t symnet_pool_worker(Control *, int64_t thread, int64_t seen)

    struct Job { entry, run, units, phases; Group groups[]; }                   -- the first four are a function's own
    struct Group { int64_t phases, repeat; struct { int64_t team, gain; } of[phases]; }

The caller walks the phases, and the job's groups beside them: a phase may use the first `team` threads, and `gain` is
about how many nanoseconds that saves.  A phase of one unit, or for a team of one, the caller runs alone.  Any other it
cuts into a fixed number of pieces for each of the team (contiguous ranges of units, whose sizes differ by one at most)
and publishes; then caller and workers claim pieces, each its own first (so that a thread meets the same units in every
phase) and then those that others have not begun, so that a late worker delays nobody.  Which thread runs a piece does
not change the result.

What is published is the *epoch*: a count and the size of the team in one word.  A piece is claimed by moving its word
up to the count.  Every piece of an epoch is claimed before the next epoch begins, so a worker that still holds an old
epoch finds all pieces of its team claimed, and what a claim's winner reads of the job stays put until it reports the
piece done.

A worker spins (with the processor's pause), then spins and yields, and after about a millisecond without work sleeps
on a semaphore of its own, or returns the epoch it has seen where the system has none, so that Python may put its thread
to sleep (`waiting_ir.py`).  Waking costs the caller a call of the system.  So it adds up what the help of sleepers
would have gained, phase by phase and call by call, and wakes them when that is `PRICE`: a small call by itself wakes
nobody, a loop of small calls soon has helpers.  A worker returns the complement (~epoch) when it finds itself on the
caller's processor, so that Python may move its thread: a kernel may leave two threads that wait for each other on one
processor for seconds, with another idle.

One caller at a time has the pool: the first finds its word BUSY at 0 and leaves it so; any other runs alone.  No lock
of Python's is held, so there is none that an interrupt could leave behind.
"""

from __future__ import annotations

from symnet.runtime.pool_layout import (
    BUSY,
    BYTES,
    CALLER,
    CLAIMS,
    DEBT,
    DIMS,
    DONE,
    ENTRY,
    EPOCH,
    GROUP,
    GROUPS,
    IN,
    LARGER,
    LINE,
    OUT,
    PHASE,
    PHASES,
    PIECES_PER_THREAD,
    PLACE,
    RUN,
    SIZE,
    STATUS,
    STOP,
    TEAM_BITS,
    TURN,
    UNITS,
    WAIT,
    WORKSPACE,
    field,
    fields,
    load,
)
from symnet.runtime.step_ir import CHECKED_STEP
from symnet.runtime.waiting_ir import LAST_SPIN, waiting_ir

PRICE = 200_000  # nanoseconds of help that waking sleepers is worth: some thirty times what it takes


def pool_ir(architecture: str) -> str:
    """The assembly of the pool."""
    return "\n".join((waiting_ir(architecture), _CLAIM, _SHARE, _WALK, _TOGETHER, _RUN, _STEP, _WORKER))


_ARGUMENTS = {"in": IN, "out": OUT, "dims": DIMS, "workspace": WORKSPACE}


_CLAIM = f"""
define internal void @claim(ptr %control, i64 %piece, i64 %count, i64 %claims) #0 {{
  %line = mul i64 %piece, {LINE}
  %offset = add i64 %line, %claims
  %word = getelementptr i8, ptr %control, i64 %offset
  %now = load atomic i64, ptr %word monotonic, align 8
  %free = icmp slt i64 %now, %count
  br i1 %free, label %try, label %leave
try:
  %pair = cmpxchg ptr %word, i64 %now, i64 %count acq_rel monotonic, align 8
  %won = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %won, label %take, label %leave
take:
{load("i64", "size", SIZE)}{load("i64", "larger", LARGER)}{load("i64", "phase", PHASE)}{load("i64", "bytes", BYTES)}
{"".join(load("ptr", name, offset) for name, offset in {**_ARGUMENTS, "entry": ENTRY}.items())}
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
{field("status", STATUS)}  store atomic i32 %code, ptr %status_at monotonic, align 4
  br label %report
report:
{field("done", DONE)}  %ignored = atomicrmw add ptr %done_at, i64 1 release
  br label %leave
leave:
  ret void
}}
"""

_SHARE = f"""
define internal void @share(ptr %control, i64 %thread, i64 %epoch) #0 {{
entry:
{load("i64", "claims", CLAIMS)}  %team = and i64 %epoch, {2**TEAM_BITS - 1}
  %count = lshr i64 %epoch, {TEAM_BITS}
  %pieces = mul i64 %team, {PIECES_PER_THREAD}
  br label %loop
loop:
  %turn = phi i64 [0, %entry], [%next_turn, %next]
  %whose = phi i64 [%thread, %entry], [%next_whose, %next]
  br label %of_one
of_one:
  %piece = phi i64 [%whose, %loop], [%next_piece, %of_one]
  call void @claim(ptr %control, i64 %piece, i64 %count, i64 %claims)
  %next_piece = add i64 %piece, %team
  %same = icmp slt i64 %next_piece, %pieces
  br i1 %same, label %of_one, label %next
next:
  %after = add i64 %whose, 1
  %wraps = icmp eq i64 %after, %team
  %next_whose = select i1 %wraps, i64 0, i64 %after
  %next_turn = add i64 %turn, 1
  %again = icmp slt i64 %next_turn, %team
  br i1 %again, label %loop, label %leave
leave:
  ret void
}}
"""

_WALK = f"""
define internal void @enter(ptr %control, ptr %job) #0 {{
{fields(group=GROUP, place=PLACE, turn=TURN)}  %first = getelementptr i8, ptr %job, i64 {GROUPS}
  store ptr %first, ptr %group_at
  store i64 0, ptr %place_at
  store i64 0, ptr %turn_at
  ret void
}}

define internal ptr @next_phase(ptr %control) #0 {{
{load("ptr", "group", GROUP)}{load("i64", "place", PLACE)}{load("i64", "turn", TURN)}
  %length = load i64, ptr %group
  %repeat_at = getelementptr i64, ptr %group, i64 1
  %word = mul i64 %place, 2
  %further = add i64 %word, 2
  %found = getelementptr i64, ptr %group, i64 %further
  %next_place = add i64 %place, 1
  %inside = icmp slt i64 %next_place, %length
  br i1 %inside, label %step, label %turned
step:
  store i64 %next_place, ptr %place_at
  ret ptr %found
turned:
  store i64 0, ptr %place_at
  %repeat = load i64, ptr %repeat_at
  %next_turn = add i64 %turn, 1
  %again = icmp slt i64 %next_turn, %repeat
  br i1 %again, label %repeated, label %over
repeated:
  store i64 %next_turn, ptr %turn_at
  ret ptr %found
over:
  %next_group = getelementptr i64, ptr %found, i64 2
  store ptr %next_group, ptr %group_at
  store i64 0, ptr %turn_at
  ret ptr %found
}}
"""

_TOGETHER = f"""
define internal i1 @has_help(ptr %control, i64 %team, ptr %entry) #0 {{
  %sleeping = call i64 @asleep(ptr %control, i64 %team)
  %nobody = icmp eq i64 %sleeping, 0
  br i1 %nobody, label %yes, label %owe
owe:
{load("i64", "debt", DEBT)}  %gain_at = getelementptr i64, ptr %entry, i64 1
  %gain = load i64, ptr %gain_at
  %owed = add i64 %debt, %gain
  %enough = icmp sge i64 %owed, {PRICE}
  br i1 %enough, label %pay, label %wait
pay:
  store i64 0, ptr %debt_at
  call void @wake(ptr %control, i64 %team)
  ret i1 true
wait:
  store i64 %owed, ptr %debt_at
  %others = sub i64 %team, 1
  %some = icmp slt i64 %sleeping, %others
  ret i1 %some
yes:
  ret i1 true
}}

define internal i32 @together(ptr %control, i64 %team, i32 %phase, i64 %units) #0 {{
start:
{fields(phase=PHASE, size=SIZE, larger=LARGER, epoch=EPOCH, done=DONE, status=STATUS)}
  %wide = sext i32 %phase to i64
  store i64 %wide, ptr %phase_at
  %pieces = mul i64 %team, {PIECES_PER_THREAD}
  %size = udiv i64 %units, %pieces
  %whole = mul i64 %size, %pieces
  %larger = sub i64 %units, %whole
  store i64 %size, ptr %size_at
  store i64 %larger, ptr %larger_at
  store atomic i64 0, ptr %done_at monotonic, align 8
  %last = load atomic i64, ptr %epoch_at monotonic, align 8
  %old = lshr i64 %last, {TEAM_BITS}
  %count = add i64 %old, 1
  %high = shl i64 %count, {TEAM_BITS}
  %new = or i64 %high, %team
  store atomic i64 %new, ptr %epoch_at release, align 8
  call void @share(ptr %control, i64 0, i64 %new)
  br label %wait
wait:
  %spin = phi i64 [0, %start], [%next_spin, %not_yet]
  %done = load atomic i64, ptr %done_at acquire, align 8
  %finished = icmp eq i64 %done, %pieces
  br i1 %finished, label %joined, label %not_yet
not_yet:
  call void @back_off(ptr %control, i64 %spin)
  %next_spin = add i64 %spin, 1
  br label %wait
joined:
  %status = load atomic i32, ptr %status_at monotonic, align 4
  ret i32 %status
}}
"""

_RUN = f"""
define i32 @symnet_pool_run(ptr %control, ptr %job, ptr %in, ptr %out, ptr %dims, ptr %workspace, i64 %bytes) #0 {{
start:
{fields(**_ARGUMENTS, bytes=BYTES, status=STATUS, caller=CALLER, busy=BUSY, entry=ENTRY)}
  %pair = cmpxchg ptr %busy_at, i64 0, i64 1 acquire monotonic, align 8
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %begin, label %taken
taken:
  %run_at = getelementptr i8, ptr %job, i64 {RUN}
  %run = load ptr, ptr %run_at
  %alone_code = tail call i32 %run(ptr %in, ptr %out, ptr %dims, ptr %workspace, i64 %bytes)
  ret i32 %alone_code
begin:
  %here = call i64 @processor(ptr %control)
  store atomic i64 %here, ptr %caller_at monotonic, align 8
  call void @enter(ptr %control, ptr %job)
  %entry = load ptr, ptr %job
  %units_of_at = getelementptr i8, ptr %job, i64 {UNITS}
  %units_of = load ptr, ptr %units_of_at
  %phases_of_at = getelementptr i8, ptr %job, i64 {PHASES}
  %phases_of = load ptr, ptr %phases_of_at
  store ptr %entry, ptr %entry_at
  store ptr %in, ptr %in_at
  store ptr %out, ptr %out_at
  store ptr %dims, ptr %dims_at
  store ptr %workspace, ptr %workspace_at
  store i64 %bytes, ptr %bytes_at
  store atomic i32 0, ptr %status_at monotonic, align 4
  %phases = call i32 %phases_of(ptr %dims)
  %some = icmp sgt i32 %phases, 0
  br i1 %some, label %phase, label %good
phase:
  %number = phi i32 [0, %begin], [%next_number, %next]
  %found = call ptr @next_phase(ptr %control)
  %team = load i64, ptr %found
  %units = call i64 %units_of(ptr %dims, i32 %number)
  %few = icmp sle i64 %units, 1
  %single = icmp sle i64 %team, 1
  %small = or i1 %few, %single
  br i1 %small, label %alone, label %ask
ask:
  %helped = call i1 @has_help(ptr %control, i64 %team, ptr %found)
  br i1 %helped, label %together, label %alone
alone:
  %code = call i32 %entry(ptr %in, ptr %out, ptr %dims, ptr %workspace, i64 %bytes, i32 %number, i64 0, i64 %units)
  br label %next
together:
  %status = call i32 @together(ptr %control, i64 %team, i32 %number, i64 %units)
  br label %next
next:
  %result = phi i32 [%code, %alone], [%status, %together]
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

_STEP = f"""
define i32 @symnet_pool_step(ptr %control, ptr %job, ptr %step) #0 {{
{CHECKED_STEP}
  %code = call i32 @symnet_pool_run(ptr %control, ptr %job, ptr %in, ptr %out, ptr %dims, ptr %workspace, i64 %bytes)
  ret i32 %code
}}
"""

_WORKER = f"""
define i64 @symnet_pool_worker(ptr %control, i64 %thread, i64 %start) #0 {{
entry:
{fields(epoch=EPOCH, stop=STOP)}{load("ptr", "wait", WAIT)}  %wakes = icmp ne ptr %wait, null
  br label %look
look:
  %seen = phi i64 [%start, %entry], [%seen, %idle], [%epoch, %new], [%epoch, %work], [%seen, %lie]
  %spin = phi i64 [0, %entry], [%next_spin, %idle], [%spin, %new], [0, %work], [0, %lie]
  %epoch = load atomic i64, ptr %epoch_at acquire, align 8
  %same = icmp eq i64 %epoch, %seen
  br i1 %same, label %nothing, label %new
new:
  %team = and i64 %epoch, {2**TEAM_BITS - 1}
  %member = icmp slt i64 %thread, %team
  br i1 %member, label %work, label %look
work:
  call void @share(ptr %control, i64 %thread, i64 %epoch)
  %beside = call i1 @beside_caller(ptr %control)
  br i1 %beside, label %move, label %look
nothing:
  %stop = load atomic i64, ptr %stop_at monotonic, align 8
  %stopped = icmp ne i64 %stop, 0
  br i1 %stopped, label %rest, label %on
on:
  %tired = icmp sgt i64 %spin, {LAST_SPIN}
  br i1 %tired, label %sleep, label %idle
idle:
  call void @back_off(ptr %control, i64 %spin)
  %next_spin = add i64 %spin, 1
  br label %look
sleep:
  br i1 %wakes, label %lie, label %rest
lie:
  call void @sleep(ptr %control, i64 %thread, i64 %seen)
  br label %look
rest:
  ret i64 %seen
move:
  %complement = xor i64 %epoch, -1
  ret i64 %complement
}}
"""
