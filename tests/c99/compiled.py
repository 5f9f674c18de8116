"""Programs as C, compiled by the system's compiler: many in one file, as a compiler takes long to start.

In: scheduled programs and their target.  Out: shared libraries, whose functions are called as machine code's are.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from symnet.backends.c99.emitter import PREFIX
from symnet.backends.c99.program import emit_program
from symnet.backends.llvm.targets import target_for
from symnet.loops.ir import Program
from symnet.schedule.target import Target
from tests.llvm.native import differing

COMPILERS = tuple(c for c in ("gcc", "clang") if shutil.which(c))
WARNINGS = (
    "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Werror", "-ffreestanding",
)  # fmt: skip
ROUNDING = ("-ffp-contract=off", "-fno-math-errno")
X86 = "x86_64-unknown-linux-gnu"
MACHINES: dict[str, tuple[Target, tuple[str, ...]]] = {
    "without fma": (target_for(X86), ()),
    "AVX2 and fma": (target_for(X86, features="+avx2,+fma"), ("-mavx2", "-mfma")),
    "AVX-512": (target_for(X86, "x86-64-v4", "+avx512f,+avx512vl,+avx2,+fma"), ("-march=x86-64-v4",)),
}
needs_compiler = pytest.mark.skipif(not COMPILERS, reason="no C compiler is installed")


@dataclass
class SharedLibrary:
    """A shared library, which gives the addresses of its functions as LLVM's module does."""

    library: ctypes.CDLL

    def address(self, name: str) -> int:
        found = ctypes.cast(getattr(self.library, name), ctypes.c_void_p).value
        assert found
        return found


def unit(program: Program, target: Target) -> str:
    """A program's C; what the unit has for itself is named after the program, so that units may share a file."""
    return emit_program(program, target).replace(PREFIX, f"{program.name}_{PREFIX}")


def build(folder: Path, units: Sequence[str], *flags: str, compiler: str = "") -> Path:
    """The shared library of units; the compiler must have nothing to say about them."""
    source, library = folder / "units.c", folder / "units.so"
    source.write_text("\n".join(units))
    done = subprocess.run(
        [compiler or COMPILERS[0], *WARNINGS, *ROUNDING, *flags, "-shared", "-fPIC", "-o", library, source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[:4000]
    return library


def load(library: Path) -> SharedLibrary:
    return SharedLibrary(ctypes.CDLL(str(library)))


def wanted(library: Path) -> set[str]:
    """The functions that a library wants of others."""
    command = ["nm", "--dynamic", "--undefined-only", str(library)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {line.split()[-1].split("@")[0] for line in listed.splitlines()}
    return {name for name in found if not name.startswith(("_ITM_", "__cxa_", "__gmon_"))}


def same_bits(got: np.ndarray, meant: np.ndarray, what: str) -> None:
    """The bits of two arrays; of a NaN, that it is one: which one is left to the processor."""
    assert got.shape == meant.shape and got.dtype == meant.dtype
    wrong = differing(got, meant)
    assert not wrong.any(), f"{what}: {got[wrong][:3]}, and not {meant[wrong][:3]}"
