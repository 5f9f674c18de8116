"""What machine code asks of a processor, and whether this one has it: before the first instruction that it lacks.

In: a `Target`.  Out: the instruction sets of x86 that its code may use, as Linux names them, those of the lowest level
where it has several; and those that the machine at hand has not.  `lacking` stands in every stub, too, so it needs the
standard library alone.
Not handled: systems that do not say (Windows, macOS), where nothing is lacking; other architectures, whose libraries do
not load here at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from symnet.schedule.target import Target

# LLVM's names of what code is made of, and Linux's
LINUX_NAMES = {
    "sse3": "pni",
    "ssse3": "ssse3",
    "sse4.1": "sse4_1",
    "sse4.2": "sse4_2",
    "popcnt": "popcnt",
    "avx": "avx",
    "f16c": "f16c",
    "fma": "fma",
    "bmi": "bmi1",
    "bmi2": "bmi2",
    "lzcnt": "abm",
    "movbe": "movbe",
    "avx2": "avx2",
    **{name: name for name in ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")},
}
_LEVEL_OF_WIDTH = {512: "x86-64-v4", 256: "x86-64-v3"}  # bits of a vector, of more than the second level


@dataclass(frozen=True, slots=True)
class Processor:
    """What the files of an export say of the processors that they are for.

    Attributes:
        needs: the instruction sets that each of them must have.
        levels: for which ones the code was made, in ascending order, where it chooses between several.
    """

    needs: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()

    @classmethod
    def of(cls, target: Target) -> Processor:
        """The processors of a target."""
        levels = tuple(each.cpu for each in (target, *target.higher)) if target.higher else ()
        return cls(needs(target), levels)


ANY = Processor()


def needs(target: Target) -> tuple[str, ...]:
    """The instruction sets that code for a target may use; none but on x86-64."""
    if target.architecture not in ("x86_64", "amd64"):
        return ()
    from symnet.backends.llvm.detection import LEVELS  # `load`, which asks what is lacking, does without

    named = {feature[1:] for feature in target.features.split(",") if feature.startswith("+")}
    without = {feature[1:] for feature in target.features.split(",") if feature.startswith("-")}
    if target.cpu not in ("", "x86-64", "generic"):  # a level, or a CPU of it
        named |= {*LEVELS[_LEVEL_OF_WIDTH.get(target.vector_bits, "x86-64-v2")]}
    return tuple(linux for llvm, linux in LINUX_NAMES.items() if llvm in named - without)


def lacking(needed: Iterable[str], told: str = "/proc/cpuinfo") -> list[str]:
    """Those instruction sets that this processor has not; none where the system does not say."""
    try:
        lines = Path(told).read_text().splitlines()
    except OSError:
        return []
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), None)
    return [] if flags is None else [name for name in needed if name not in flags]
