"""How the threads of a pool wait: spinning, yielding, asleep; and how they are woken.

In: the host's architecture.  Out: LLVM assembly of the functions that `pool_ir.py` calls.

A worker that goes to sleep says so in its bed, then looks once more whether there is work.  Who wakes it takes the
word back first, so that one posts for each sleep.  A worker that is not woken in time is not missed: callers need none.
"""

from __future__ import annotations

from symnet.runtime.pool_layout import (
    BEDS,
    CALLER,
    EPOCH,
    LINE,
    POST,
    PROCESSOR,
    SEMAPHORE,
    SLEEPERS,
    STOP,
    WAIT,
    YIELD,
    field,
    fields,
    load,
)

SPINS = 2000  # pauses before the first yield
PAUSES_PER_YIELD = 64
LAST_SPIN = SPINS + 1000 * PAUSES_PER_YIELD

_PAUSE = {  # by architecture: the call, its declaration
    "x86_64": ("call void @llvm.x86.sse2.pause()", "declare void @llvm.x86.sse2.pause()"),
    "aarch64": ("call void @llvm.aarch64.isb(i32 15)", "declare void @llvm.aarch64.isb(i32)"),
}
_PAUSE["arm64"] = _PAUSE["aarch64"]


def waiting_ir(architecture: str) -> str:
    """The assembly of all that waits."""
    pause, declaration = _PAUSE.get(architecture, ("", ""))
    return "\n".join((declaration, _BACK_OFF.replace("PAUSE", pause), _PLACE, _SLEEP))


_BACK_OFF = f"""
define internal void @back_off(ptr %control, i64 %spin) #0 {{
  PAUSE
  %early = icmp slt i64 %spin, {SPINS}
  %low = and i64 %spin, {PAUSES_PER_YIELD - 1}
  %between = icmp ne i64 %low, 0
  %stay = or i1 %early, %between
  br i1 %stay, label %leave, label %give_way
give_way:
{load("ptr", "yield", YIELD)}  %ignored = call i32 %yield()
  br label %leave
leave:
  ret void
}}
"""

_PLACE = f"""
define internal i64 @processor(ptr %control) #0 {{
{load("ptr", "function", PROCESSOR)}  %unknown = icmp eq ptr %function, null
  br i1 %unknown, label %leave, label %ask
ask:
  %number = call i32 %function()
  %wide = sext i32 %number to i64
  ret i64 %wide
leave:
  ret i64 -1
}}

define internal i1 @beside_caller(ptr %control) #0 {{
{field("caller", CALLER)}  %caller = load atomic i64, ptr %caller_at monotonic, align 8
  %mine = call i64 @processor(ptr %control)
  %same = icmp eq i64 %mine, %caller
  %known = icmp sge i64 %mine, 0
  %both = and i1 %same, %known
  ret i1 %both
}}
"""

_SLEEP = f"""
define internal ptr @bed_of(ptr %control, i64 %thread) #0 {{
  %line = mul i64 %thread, {LINE}
  %offset = add i64 %line, {BEDS}
  %bed = getelementptr i8, ptr %control, i64 %offset
  ret ptr %bed
}}

define internal i64 @asleep(ptr %control, i64 %team) #0 {{
entry:
{load("i64", "sleepers", SLEEPERS)}  %some = icmp sgt i64 %sleepers, 0
  br i1 %some, label %loop, label %none
loop:
  %thread = phi i64 [1, %entry], [%next, %loop]
  %before = phi i64 [0, %entry], [%count, %loop]
  %bed = call ptr @bed_of(ptr %control, i64 %thread)
  %state = load atomic i64, ptr %bed monotonic, align 8
  %count = add i64 %before, %state
  %next = add i64 %thread, 1
  %again = icmp slt i64 %next, %team
  br i1 %again, label %loop, label %leave
leave:
  ret i64 %count
none:
  ret i64 0
}}

define internal void @wake(ptr %control, i64 %team) #0 {{
entry:
{load("ptr", "post", POST)}  br label %loop
loop:
  %thread = phi i64 [1, %entry], [%next, %after]
  %bed = call ptr @bed_of(ptr %control, i64 %thread)
  %state = load atomic i64, ptr %bed monotonic, align 8
  %sleeps = icmp ne i64 %state, 0
  br i1 %sleeps, label %try, label %after
try:
  %pair = cmpxchg ptr %bed, i64 1, i64 0 acq_rel monotonic, align 8
  %won = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %won, label %ring, label %after
ring:
  %semaphore = getelementptr i8, ptr %bed, i64 {SEMAPHORE}
  %ignored = call i32 %post(ptr %semaphore)
  br label %after
after:
  %next = add i64 %thread, 1
  %again = icmp slt i64 %next, %team
  br i1 %again, label %loop, label %leave
leave:
  ret void
}}

define internal void @sleep(ptr %control, i64 %thread, i64 %seen) #0 {{
  %bed = call ptr @bed_of(ptr %control, i64 %thread)
  %semaphore = getelementptr i8, ptr %bed, i64 {SEMAPHORE}
{load("ptr", "wait", WAIT)}{fields(sleepers=SLEEPERS, epoch=EPOCH, stop=STOP)}
  store atomic i64 1, ptr %bed seq_cst, align 8
  %before = atomicrmw add ptr %sleepers_at, i64 1 seq_cst
  %epoch = load atomic i64, ptr %epoch_at seq_cst, align 8
  %stop = load atomic i64, ptr %stop_at seq_cst, align 8
  %quiet = icmp eq i64 %epoch, %seen
  %going = icmp eq i64 %stop, 0
  %rest = and i1 %quiet, %going
  br i1 %rest, label %lie, label %rise
lie:
  %ignored = call i32 %wait(ptr %semaphore)
  br label %rise
rise:
  %after = atomicrmw sub ptr %sleepers_at, i64 1 seq_cst
  store atomic i64 0, ptr %bed seq_cst, align 8
  ret void
}}
"""
