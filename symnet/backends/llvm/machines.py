"""Is there such a machine?  A target that a caller named, asked of LLVM before anything is compiled.

In: a `Target`.  Out: nothing, or an error that names the nearest triple, CPU or feature.

LLVM ignores a CPU that it does not know, or ends the process, as it does where triple and CPU contradict each other; so
it is asked in a process of its own, which also compiles an empty function.  This machine is not asked about, nor the
one that an export is for by default.
"""

from __future__ import annotations

import re
import subprocess
import sys
from difflib import get_close_matches
from functools import lru_cache

from symnet.backends.llvm.named_machines import default_export
from symnet.backends.llvm.targets import host_target, require_llvmlite, target_for
from symnet.errors import ArgumentError, CompileError, explain
from symnet.schedule.target import Target

_ARCHITECTURES = (
    *("x86_64", "i686", "aarch64", "arm64", "armv7a", "armv7", "thumbv7em", "thumbv6m", "riscv32", "riscv64"),
    *("wasm32", "wasm64", "powerpc64", "powerpc64le", "mips", "s390x", "sparcv9", "loongarch64"),
)
_NAMES = re.compile(r"^  (\S+) +- ", re.MULTILINE)
_ASK = """
import sys
import llvmlite.binding as llvm
triple, cpu, features = sys.argv[1:]
llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()
try:
    found = llvm.Target.from_triple(triple)
except RuntimeError as error:
    sys.exit(f"NO TRIPLE {error}")
found.create_target_machine(cpu="help")
sys.stderr.write("\\nTRIAL\\n")
sys.stderr.flush()
machine = found.create_target_machine(cpu=cpu, features=features, reloc="pic")
module = llvm.parse_assembly(f'target triple = "{triple}"\\ndefine void @f() {{ ret void }}')
machine.emit_object(module)
"""


def check_target(target: object, call: str) -> None:
    """Refuse what is no target of this LLVM.

    Raises:
        ArgumentError: not a `Target`; an unknown triple, CPU or feature.
        CompileError: known ones that do not go together.
    """
    if not isinstance(target, Target):
        mend = 'Write target="aarch64-linux-gnu", or another triple or CPU.'
        raise ArgumentError(explain(call, "a machine by name, or a Target", repr(target), mend))
    require_llvmlite()
    if target not in (host_target(), default_export()):
        if target_for(target.triple, target.cpu, target.features).features != target.features:
            mend = f"Write target_for({target.triple!r}), from symnet.backends.llvm.targets."
            raise CompileError(explain(call, "x86 with SSE2", f"features {target.features!r}", mend))
        for each in (target, *target.higher):
            _check(each, call)


def _check(target: Target, call: str) -> None:
    code, said = _answer(target)
    if "NO TRIPLE" in said:
        architecture, dash, rest = target.triple.partition("-")
        near = get_close_matches(architecture, _ARCHITECTURES, n=1)
        mend = f'Did you mean "{near[0]}{dash}{rest}"?' if near else "Write architecture-vendor-system."
        raise ArgumentError(explain(call, "a triple that LLVM knows", repr(target.triple), mend))
    listed, _, trial = said.partition("\nTRIAL\n")
    cpus, _, features = listed.partition("Available features")
    if target.cpu:
        _among(target.cpu, _NAMES.findall(cpus), f"a CPU of {target.triple}", call)
    for feature in filter(None, target.features.split(",")):
        _among(feature.lstrip("+-"), _NAMES.findall(features), f"features of {target.triple}", call)
        if feature[0] not in "+-":
            raise ArgumentError(explain(call, "features with + or -", repr(feature), f'Write "+{feature}".'))
    if code:
        got = trial.strip().splitlines()[0] if trial.strip() else f"exit status {code}"
        raise CompileError(explain(call, "a triple, CPU and features that go together", got, "Name another CPU."))


def _among(name: str, known: list[str], expected: str, call: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, n=1)
        mend = f"Did you mean {near[0]!r}?" if near else f"LLVM knows {', '.join(known[:8])} and others."
        raise ArgumentError(explain(call, expected, repr(name), mend))


@lru_cache(maxsize=64)
def _answer(target: Target) -> tuple[int, str]:
    """The exit status of the question, and what LLVM said."""
    command = [sys.executable, "-c", _ASK, target.triple, target.cpu, target.features]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode, done.stderr.decode(errors="replace")
