"""Modules for several levels of x86-64 whose `cpuid` and `xgetbv` answer what a test says.

In: the text of a module.  Out: the text with words of memory in the place of the two instructions, and functions that
fill them.  So every processor is at hand, as far as it can be asked; what it can run is another matter.
"""

from __future__ import annotations

import ctypes
import re

from symnet.backends.llvm import codegen, loading
from symnet.backends.llvm.detection import BITS, LEVELS, WORDS, masks
from symnet.schedule.target import Target

LAST_LEAF = 13
ALL = {word: sum(1 << bit for where, bit in BITS.values() if where == word) for word in WORDS}
_ASKED = re.compile(
    r"^define internal x86_64_sysvcc [^\n]* @(\w+)\.(cpuid|xgetbv)\([^\n]*\{\n  unreachable\n\}\n", re.M
)
_LEAVES = {1: (1, 1), 7: (2, 0), 0x80000001: (3, 1), 0: (0, 0)}  # which word, and whether in the second register
_FAKES = """
@NAME.words = internal global [6 x i32] zeroinitializer

define void @NAME_pretend(i32 %last, i32 %one, i32 %seven, i32 %extended, i32 %state) {
SET
  store i32 0, ptr @NAME.level
  ret void
}

define i32 @NAME_system_was_asked() {
  %times = load i32, ptr getelementptr (i32, ptr @NAME.words, i32 5)
  ret i32 %times
}

define internal x86_64_sysvcc { i64, i64 } @NAME.cpuid(i32 %leaf, i32 %subleaf) noinline {
  switch i32 %leaf, label %other [ CASES ]
other:
  ret { i64, i64 } { i64 -1, i64 -1 }
LEAVES
}

define internal x86_64_sysvcc i32 @NAME.xgetbv() noinline {
  %state = load i32, ptr getelementptr (i32, ptr @NAME.words, i32 4)
  store i32 1, ptr getelementptr (i32, ptr @NAME.words, i32 5)
  ret i32 %state
}
"""


def pretending(text: str) -> str:
    """The module with words in the place of instructions."""
    found = {match[2]: match[1] for match in _ASKED.finditer(text)}
    assert sorted(found) == ["cpuid", "xgetbv"], "the module asks no processor"
    at = "ptr getelementptr (i32, ptr @NAME.words, i32 {})"
    values = [*(f"%{word}" for word in ("last", *WORDS)), "0"]
    fill = "\n".join(f"  store i32 {value}, {at.format(k)}" for k, value in enumerate(values))
    leaves = "\n".join(_leaf(leaf, at.format(word), second) for leaf, (word, second) in _LEAVES.items())
    cases = " ".join(f"i32 {leaf}, label %leaf{leaf}" for leaf in _LEAVES)
    fakes = _FAKES.replace("SET", fill).replace("CASES", cases).replace("LEAVES", leaves)
    return _ASKED.sub("", text) + fakes.replace("NAME", found["cpuid"])


def _leaf(leaf: int, word: str, second: int) -> str:
    """What a leaf answers: ebx stands in the upper half of the first register, ecx in the second."""
    shifted = f"  %w{leaf} = shl i64 %z{leaf}, {32 if leaf == 7 else 0}"
    answer = f"  %r{leaf} = insertvalue {{ i64, i64 }} zeroinitializer, i64 %w{leaf}, {second}"
    lines = [
        f"leaf{leaf}:",
        f"  %l{leaf} = load i32, {word}",
        f"  %z{leaf} = zext i32 %l{leaf} to i64",
        shifted,
        answer,
    ]
    return "\n".join([*lines, f"  ret {{ i64, i64 }} %r{leaf}"])


class Pretender:
    """A module in memory, on a processor that a test describes."""

    def __init__(self, name: str, text: str, target: Target, constants: tuple = ()) -> None:
        self.name, self.module = name, loading.load(codegen.compile_object(pretending(text), target, constants))

    def pretend(self, last: int = LAST_LEAF, **words: int) -> None:
        """Be a processor that answers these words, and forget which level was found before."""
        values = [last, *(words.get(word, 0) for word in WORDS)]
        self._call("pretend", ctypes.c_uint32, *values)

    def pretend_level(self, cpu: str) -> None:
        """Be a processor that has what a level needs, and nothing beyond."""
        self.pretend(**masks(cpu))

    def processor(self) -> int:
        """What the module finds."""
        return self._call("processor", ctypes.c_uint32)

    def system_was_asked(self) -> bool:
        """Whether `xgetbv` ran, which without the system's leave ends the process."""
        return bool(self._call("system_was_asked", ctypes.c_uint32))

    def _call(self, suffix: str, kind: type, *values: int) -> int:
        function = ctypes.CFUNCTYPE(ctypes.c_int32, *[kind] * len(values))
        return function(self.module.address(f"{self.name}_{suffix}"))(*values)


def highest(words: dict[str, int]) -> str:
    """The level of a processor by the table, in Python."""
    fits = [all(words[word] & mask == mask for word, mask in masks(cpu).items()) for cpu in LEVELS]
    return [cpu for cpu, fit in zip(LEVELS, fits, strict=True) if fit][-1]
