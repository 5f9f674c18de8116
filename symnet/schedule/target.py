"""What schedules and emission need to know of a machine, as plain data.

In: filled by `backends/llvm/targets.py` (the host, or any triple).  Out: read by `schedule/` to choose tiles and by
the back ends to choose instructions.  Nothing here imports LLVM.
"""

from __future__ import annotations

from dataclasses import dataclass

from symnet.dtypes import ITEMSIZE

HOSTED = ("linux", "darwin", "macos", "freebsd")  # systems whose threads have stacks of 128 KiB and more
X86_LEVEL_NAMES = ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")


def level_number(cpu: str) -> int:
    """Of a level of x86-64: 1 for the baseline, `x86-64`, 3 for `x86-64-v3`."""
    return 1 + X86_LEVEL_NAMES.index(cpu)


@dataclass(frozen=True, slots=True)
class Target:
    """A machine, as schedules and emission see it.

    Args:
        triple: LLVM's name of architecture, vendor and system.
        cpu, features: as LLVM spells them (`"znver4"`, `"+avx2,+fma"`).
        vector_bits: width of the vector registers that code should use; 0 without a vector unit.
        fma: a fused multiply-add is one instruction (elsewhere it would be a library call).
        masks: masked loads and stores are cheap, so tails are masked vectors.
        registers: number of vector registers (of scalar floating-point registers without a vector unit).
        higher: other processors of the same machine, in ascending order, each with code of its own in the same object;
            where it runs, the highest is chosen that the processor at hand is. The fields above are of the lowest.
    """

    triple: str
    cpu: str = ""
    features: str = ""
    vector_bits: int = 128
    fma: bool = False
    masks: bool = False
    registers: int = 16
    higher: tuple[Target, ...] = ()

    def lanes(self, dtype: str) -> int:
        """How many elements of `dtype` one vector register holds (1 without a vector unit)."""
        return max(1, self.vector_bits // (8 * ITEMSIZE[dtype]))

    @property
    def frame_bytes(self) -> int:
        """How much of a copy a function may hold in its frame: nothing where stacks may be small or grow by pages."""
        is_roomy = any(system in self.triple for system in HOSTED) and not self.is_narrow
        return 1 << 16 if is_roomy and self.vector_bits else 0

    @property
    def architecture(self) -> str:
        """The first part of the triple: `x86_64`, `aarch64`, `riscv64`, …"""
        return self.triple.split("-", 1)[0]

    @property
    def is_narrow(self) -> bool:
        """Whether addresses have 32 bits."""
        return "64" not in self.architecture and self.architecture not in ("s390x",)

    @property
    def native_maximum(self) -> bool:
        """Whether there is an instruction for a maximum that passes NaN on: it takes 0 for more than -0."""
        return self.architecture.startswith(("aarch64", "arm64", "wasm"))
