"""Which machine: the host, or any triple LLVM knows.

In: nothing, or a triple with a CPU name and features.  Out: a `Target`.  llvmlite is imported when the host is
asked for, not before.  32-bit x86 is taken with SSE2: the older unit computes in 80 bits, and a rounding that is done
twice, or not at all, makes wrong numbers of every function that is built on it (exp to begin with).
Not handled: scalable vectors (SVE and RVV code uses fixed widths), GPUs, x86 without SSE2.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from symnet.errors import CompileError, DependencyError, explain
from symnet.schedule.target import Target

# x86 levels by name: features that matter here
X86_LEVELS = {
    "x86-64-v2": "+sse4.1",
    "x86-64-v3": "+sse4.1,+avx2,+fma",
    "haswell": "+sse4.1,+avx2,+fma",
    "skylake": "+sse4.1,+avx2,+fma",
    "znver1": "+sse4.1,+avx2,+fma",
    "znver2": "+sse4.1,+avx2,+fma",
    "znver3": "+sse4.1,+avx2,+fma",
    "x86-64-v4": "+sse4.1,+avx2,+fma,+avx512f,+avx512vl",
    "skylake-avx512": "+sse4.1,+avx2,+fma,+avx512f,+avx512vl",
    "cascadelake": "+sse4.1,+avx2,+fma,+avx512f,+avx512vl",
    "icelake-server": "+sse4.1,+avx2,+fma,+avx512f,+avx512vl",
    "sapphirerapids": "+sse4.1,+avx2,+fma,+avx512f,+avx512vl",
    "emeraldrapids": "+sse4.1,+avx2,+fma,+avx512f,+avx512vl",
    "znver4": "+sse4.1,+avx2,+fma,+avx512f,+avx512vl",
    "znver5": "+sse4.1,+avx2,+fma,+avx512f,+avx512vl",
}
PORTABLE_LEVELS = ("x86-64", "x86-64-v3", "x86-64-v4")  # the levels of an object for every x86-64 processor
_X86_64 = ("x86_64", "amd64")
_X86 = (*_X86_64, "i386", "i486", "i586", "i686")


def require_llvmlite() -> None:
    """llvmlite, or a message that says how to get it."""
    try:
        import llvmlite  # noqa: F401  only whether it is there
    except ImportError as error:
        raise DependencyError(
            explain("compile()", "the package llvmlite", "none installed", "Run: pip install llvmlite.")
        ) from error


@lru_cache(maxsize=1)
def host_target() -> Target:
    """The machine we run on, with all its features."""
    require_llvmlite()
    import llvmlite.binding as llvm

    return target_for(llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())


def target_for(triple: str, cpu: str = "", features: str = "") -> Target:
    """Any machine; unknown CPU names count as the architecture's baseline, so name `features` beside them.

    Raises:
        CompileError: x86 without SSE2.
    """
    architecture = triple.split("-", 1)[0]
    has = _enabled(features) | (_enabled(X86_LEVELS.get(cpu, "")) if architecture in _X86 else set())
    for prefixes, describe in _FAMILIES:
        if architecture.startswith(prefixes):
            return describe(triple, cpu, features, has - _disabled(features))
    return Target(triple, cpu, features, vector_bits=0, fma=False, masks=False, registers=16)


def portable_target(triple: str, features: str = "") -> Target:
    """Every x86-64 processor: code for several levels in one object, of which it chooses where it runs.

    Args:
        triple: of x86-64, with any system.
        features: what every processor has on which it is to run.
    """
    higher = tuple(target_for(triple, cpu, features) for cpu in PORTABLE_LEVELS[1:])
    return replace(target_for(triple, PORTABLE_LEVELS[0], features), higher=higher)


def _enabled(features: str) -> set[str]:
    return {name[1:] for name in features.split(",") if name.startswith("+")}


def _disabled(features: str) -> set[str]:
    return {name[1:] for name in features.split(",") if name.startswith("-")}


def _x86(triple: str, cpu: str, features: str, has: set[str]) -> Target:
    if {"sse", "sse2"} & _disabled(features):
        call = f"target_for({triple!r}, features={features!r})"
        mend = "Leave it out: arithmetic in 80 bits would make other numbers."
        raise CompileError(explain(call, "x86 with SSE2", "-sse2" if "-sse2" in features else "-sse", mend))
    if not triple.startswith(_X86_64) and "sse2" not in _enabled(features):
        features = f"{features},+sse2".lstrip(",")
    wide = {"avx512f", "avx512vl"} <= has
    bits = 512 if wide else 256 if "avx" in has or "avx2" in has else 128
    registers = 32 if wide else 16 if triple.startswith(_X86_64) else 8
    return Target(triple, cpu, features, bits, "fma" in has, wide, registers)


def _aarch64(triple: str, cpu: str, features: str, has: set[str]) -> Target:
    return Target(triple, cpu, features, 128, True, False, 32)


def _arm(triple: str, cpu: str, features: str, has: set[str]) -> Target:
    neon = "neon" in has
    return Target(triple, cpu, features, 128 if neon else 0, "vfp4" in has, False, 16)


def _riscv(triple: str, cpu: str, features: str, has: set[str]) -> Target:
    return Target(triple, cpu, features, 128 if "v" in has else 0, bool({"d", "f"} & has), False, 32)


def _wasm(triple: str, cpu: str, features: str, has: set[str]) -> Target:
    return Target(triple, cpu, features, 128 if "simd128" in has else 0, False, False, 16)


def _power(triple: str, cpu: str, features: str, has: set[str]) -> Target:
    return Target(
        triple, cpu, features, 128 if "vsx" in has or triple.startswith("powerpc64le") else 0, True, False, 64
    )


_FAMILIES = (
    (_X86, _x86),
    (("aarch64", "arm64"), _aarch64),
    (("arm", "thumb"), _arm),
    (("riscv",), _riscv),
    (("wasm",), _wasm),
    (("powerpc", "ppc"), _power),
)


@lru_cache(maxsize=64)
def native_floor(target: Target) -> bool:
    """Whether rounding down is an instruction of the target, and no library call."""
    if target.architecture in _X86:
        has = _enabled(target.features) | _enabled(X86_LEVELS.get(target.cpu, ""))
        return "sse4.1" in has or "avx" in has
    return target.architecture.startswith(("aarch64", "arm64", "wasm"))
