"""Machines by the names that people have for them: "native", "x86-64-v3", "cortex-m4", "aarch64-linux-gnu", "wasm32".

In: a name, with features behind it (`"wasm32+simd128"`).  Out: a `Target`; whether LLVM knows it is asked in
`machines.py`.  A triple of three parts is the one of four without a vendor: both give the same code.
"x86-64-portable" is every x86-64 processor, by code for several levels in one object.
Not handled: names of single products, but for those below.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import NoReturn

from symnet.backends.llvm.targets import X86_LEVELS, host_target, portable_target, target_for
from symnet.errors import ArgumentError, explain
from symnet.schedule.target import Target

NATIVE = "native"
PORTABLE = "x86-64-portable"
_LINUX = "unknown-linux-gnu"
# what Linux takes for granted where a triple says no more, and LLVM does not
_USUAL = {"riscv64": "+m,+a,+f,+d,+c"}
# a name: triple, CPU and features
_MACHINES: dict[str, tuple[str, str, str]] = {
    **dict.fromkeys(("aarch64", "arm64"), (f"aarch64-{_LINUX}", "", "")),
    "x86_64": (f"x86_64-{_LINUX}", "x86-64", ""),
    "armv7": ("armv7-unknown-linux-gnueabihf", "", ""),
    "riscv64": (f"riscv64-{_LINUX}", "", _USUAL["riscv64"]),
    "wasm32": ("wasm32-unknown-unknown", "", ""),
    "windows": ("x86_64-pc-windows-gnu", "x86-64", ""),
    "apple-m1": ("arm64-apple-macosx11.0.0", "apple-m1", ""),
    **{cpu: (f"aarch64-{_LINUX}", cpu, "") for cpu in ("cortex-a53", "cortex-a72", "cortex-a76", "neoverse-n1")},
    **{cpu: ("thumbv6m-unknown-none-eabi", cpu, "") for cpu in ("cortex-m0", "cortex-m0plus")},
    "cortex-m3": ("thumbv7m-unknown-none-eabi", "cortex-m3", ""),
    **{cpu: ("thumbv7em-unknown-none-eabi", cpu, "") for cpu in ("cortex-m4", "cortex-m7")},
    "cortex-m33": ("thumbv8m.main-unknown-none-eabi", "cortex-m33", ""),
}
_LEVELS = ("x86-64", *X86_LEVELS)
_SYSTEMS = ("linux", "none", "windows", "darwin", "macosx", "freebsd", "wasi", "unknown")


def machine(name: str, call: str) -> Target:
    """The machine of a name or triple.

    Raises:
        ArgumentError: a name that is none, with the nearest that is one.
    """
    known, *added = name.split("+")
    more = ",".join(f"+{feature}" for feature in added)
    if known == PORTABLE:
        return portable_target(_level_triple(), more)
    triple, cpu, features = _described(known) or _refused(name, known, call)
    return target_for(triple, cpu, ",".join(filter(None, (features, more))))


def default_export() -> Target:
    """The machine that files are for where none was named: every x86-64 processor on such a machine, else this one."""
    host = host_target()
    return portable_target(host.triple) if host.architecture == "x86_64" else host


def _level_triple() -> str:
    """The system of a level of x86-64: this machine's, or Linux."""
    return host_target().triple if host_target().architecture == "x86_64" else f"x86_64-{_LINUX}"


def _described(name: str) -> tuple[str, str, str] | None:
    """Triple, CPU and features of a name without more features; None where no machine has it."""
    if name == NATIVE:
        host = host_target()
        return host.triple, host.cpu, host.features
    if name in _LEVELS:
        return _level_triple(), name, ""
    if name in _MACHINES:
        return _MACHINES[name]
    if "-" not in name or _is_like_a_name(name):
        return None
    triple = normalized(name)
    return triple, "", _USUAL.get(triple.split("-")[0], "") if "-linux" in triple else ""


def _refused(name: str, known: str, call: str) -> NoReturn:
    names = [NATIVE, PORTABLE, *_LEVELS, *_MACHINES]
    near = get_close_matches(known, names, n=1)
    mend = f'Did you mean "{near[0]}"?' if near else 'Write a triple, as "aarch64-linux-gnu", or "native".'
    raise ArgumentError(explain(call, "a triple, a CPU or a level of x86-64", repr(name), mend))


def normalized(triple: str) -> str:
    """architecture-vendor-system-environment, of a triple that leaves the vendor out."""
    architecture, *rest = triple.split("-")
    return "-".join([architecture, "unknown", *rest]) if rest and rest[0].startswith(_SYSTEMS[:-1]) else triple


def _is_like_a_name(name: str) -> bool:
    """Whether this is rather a CPU misspelled than a triple: no part of it is a system."""
    return not any(part.startswith(_SYSTEMS) for part in name.split("-")[1:])
