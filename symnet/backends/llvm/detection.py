"""Which level of x86-64 a processor is of, found out where the code runs.

In: the levels for which a module has code.  Out: LLVM assembly of `NAME.chosen`, which says the number of one of
them: the highest whose instructions the processor has and whose registers the operating system saves.

The processor is asked by `cpuid`, the operating system by `xgetbv`.  Under a hypervisor each `cpuid` may take longer
than a small function, so the answer is kept: one word, 0 until it is known, read and written atomically.  Threads that
ask first at the same time all go by the answer that was written first: a process has one level and no other.

The two instructions stand as bytes: so the module is made wherever LLVM has x86-64, though it has no assembler there.

Not handled: macOS reports registers of 512 bits once they were used, so that AVX-512 is not found there.
Source: the levels, https://gitlab.com/x86-psABIs/x86-64-ABI; the bits, Intel's manual, volume 2, CPUID, and volume 1,
section 13.3.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.schedule.target import X86_LEVEL_NAMES, level_number

# what leaves 1, 7 and 0x80000001 and the system say, in words of 32 bits, and which of their bits has which name
WORDS = ("one", "seven", "extended", "state")
_FIRST_LEAF = {"sse3": 0, "ssse3": 9, "fma": 12, "cx16": 13, "sse4.1": 19, "sse4.2": 20, "movbe": 22, "popcnt": 23}
_FIRST_LEAF |= {"xsave": 26, "osxsave": 27, "avx": 28, "f16c": 29}
_SEVENTH = {
    "bmi": 3,
    "avx2": 5,
    "bmi2": 8,
    "avx512f": 16,
    "avx512dq": 17,
    "avx512cd": 28,
    "avx512bw": 30,
    "avx512vl": 31,
}
_EXTENDED = {"sahf": 0, "lzcnt": 5}
_STATE = {"xmm": 1, "ymm": 2, "masks": 5, "zmm": 6, "zmm16": 7}
_TABLES = zip(WORDS, (_FIRST_LEAF, _SEVENTH, _EXTENDED, _STATE), strict=True)
BITS = {name: (word, bit) for word, bits in _TABLES for name, bit in bits.items()}
_SECOND = ("sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16", "sahf")
_THIRD = (*_SECOND, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave", "osxsave", "xmm", "ymm")
_FOURTH = (*_THIRD, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "masks", "zmm", "zmm16")
# the CPU, as LLVM calls it, and what it has beyond the first
LEVELS: dict[str, tuple[str, ...]] = dict(zip(X86_LEVEL_NAMES, ((), _SECOND, _THIRD, _FOURTH), strict=True))


def masks(cpu: str) -> dict[str, int]:
    """The bits that a level needs, word by word."""
    found = dict.fromkeys(WORDS, 0)
    for word, bit in (BITS[name] for name in LEVELS[cpu]):
        found[word] |= 1 << bit
    return found


def detection_text(name: str, cpus: Sequence[str]) -> list[str]:
    """The functions that find the level, and the word that keeps it, for levels in ascending order."""
    decided = "\n".join(_decided(cpus))
    text = _FUNCTIONS.replace("@NAME@", name).replace("@DECIDED@", decided)
    return [text.replace("@SAVES@", str(1 << BITS["osxsave"][1])), _PROCESSOR.replace("@NAME@", name)]


def _decided(cpus: Sequence[str]) -> list[str]:
    """The lines that make `%level` of the words."""
    lines, level = [], str(level_number(cpus[0]))
    for cpu in cpus[1:]:
        number, has = level_number(cpu), "true"
        for word, mask in masks(cpu).items():
            if mask:
                at = f"%v{number}.{word}"
                lines += [f"{at}.bits = and i32 %{word}, {mask}", f"{at}.all = icmp eq i32 {at}.bits, {mask}"]
                lines += [f"{at}.too = and i1 {has}, {at}.all"]
                has = f"{at}.too"
        lines += [f"%v{number} = select i1 {has}, i32 {number}, i32 {level}"]
        level = f"%v{number}"
    return [f"  {line}" for line in [*lines, f"%level = add i32 {level}, 0"]]


# System V's convention on every system: leaf and subleaf in edi and esi; eax and ebx come back in rax, ecx in rdx
_CPUID = bytes.fromhex(
    "53"  # push rbx
    "89f8 89f1 0fa2"  # mov eax, edi; mov ecx, esi; cpuid
    "48c1e320 4809d8 89ca"  # shl rbx, 32; or rax, rbx; mov edx, ecx
    "5b c3"  # pop rbx; ret
)
_XGETBV = bytes.fromhex("31c9 0f01d0 c3")  # xor ecx, ecx; xgetbv; ret


def _prologue(code: bytes) -> str:
    """Machine code in the place of a function's first instructions."""
    escaped = "".join(rf"\{byte:02X}" for byte in code)
    return f'prologue [{len(code)} x i8] c"{escaped}"'


_FUNCTIONS = f"""\
@@NAME@.level = internal global i32 0, align 4

define internal x86_64_sysvcc {{ i64, i64 }} @@NAME@.cpuid(i32 %leaf, i32 %subleaf) noinline #0 {_prologue(_CPUID)} {{
  unreachable
}}

define internal x86_64_sysvcc i32 @@NAME@.xgetbv() noinline #0 {_prologue(_XGETBV)} {{
  unreachable
}}

define internal i32 @@NAME@.ask() noinline cold #0 {{
entry:
  %zeroth = call x86_64_sysvcc {{ i64, i64 }} @@NAME@.cpuid(i32 0, i32 0)
  %zeroth.ab = extractvalue {{ i64, i64 }} %zeroth, 0
  %last = trunc i64 %zeroth.ab to i32
  %first = call x86_64_sysvcc {{ i64, i64 }} @@NAME@.cpuid(i32 1, i32 0)
  %first.c = extractvalue {{ i64, i64 }} %first, 1
  %one = trunc i64 %first.c to i32
  %seventh = call x86_64_sysvcc {{ i64, i64 }} @@NAME@.cpuid(i32 7, i32 0)
  %seventh.ab = extractvalue {{ i64, i64 }} %seventh, 0
  %seventh.b = lshr i64 %seventh.ab, 32
  %said = trunc i64 %seventh.b to i32
  %known = icmp uge i32 %last, 7
  %seven = select i1 %known, i32 %said, i32 0
  %beyond = call x86_64_sysvcc {{ i64, i64 }} @@NAME@.cpuid(i32 -2147483647, i32 0)
  %beyond.c = extractvalue {{ i64, i64 }} %beyond, 1
  %extended = trunc i64 %beyond.c to i32
  %saving = and i32 %one, @SAVES@
  %saves = icmp ne i32 %saving, 0
  br i1 %saves, label %system, label %decide
system:
  %enabled = call x86_64_sysvcc i32 @@NAME@.xgetbv()
  br label %decide
decide:
  %state = phi i32 [ 0, %entry ], [ %enabled, %system ]
@DECIDED@
  %old = cmpxchg ptr @@NAME@.level, i32 0, i32 %level monotonic monotonic
  %seen = extractvalue {{ i32, i1 }} %old, 0
  %mine = extractvalue {{ i32, i1 }} %old, 1
  %answer = select i1 %mine, i32 %level, i32 %seen
  ret i32 %answer
}}

define internal i32 @@NAME@.chosen() alwaysinline #0 {{
entry:
  %level = load atomic i32, ptr @@NAME@.level monotonic, align 4
  %unknown = icmp eq i32 %level, 0
  br i1 %unknown, label %ask, label %known
ask:
  %found = call i32 @@NAME@.ask()
  br label %known
known:
  %answer = phi i32 [ %level, %entry ], [ %found, %ask ]
  ret i32 %answer
}}
"""

_PROCESSOR = """\
define i32 @@NAME@_processor() #0 {
entry:
  %level = call i32 @@NAME@.chosen()
  ret i32 %level
}
"""
