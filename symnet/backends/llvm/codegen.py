"""LLVM assembly text → checked, optimised, assembled.

In: a `Program` or its LLVM text, and a `Target`.  Out: text, object code, or machine assembly (`loading.py` runs it).
The text is nearly final as written (`blocks.py`); the passes here inline math functions, turn frame slots into
registers, and tidy.  Other machines than the host are compiled in a subprocess, because LLVM aborts the process on what
it cannot do.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from symnet.backends.llvm.data import fill
from symnet.backends.llvm.levels import emit_levels
from symnet.backends.llvm.loading import initialize, is_host
from symnet.backends.llvm.program import emit_program
from symnet.backends.llvm.targets import host_target
from symnet.errors import CompileError, explain
from symnet.locks import LLVM, Healed
from symnet.loops.ir import Constant, Program
from symnet.schedule.target import Target


def emit_ir(
    program: Program,
    target: Target | None = None,
    donated: tuple[tuple[str, str], ...] = (),
    higher: Sequence[Program] = (),
) -> str:
    """The LLVM assembly of a scheduled program, before LLVM's own passes.

    `donated` holds pairs (input name, output name) that may be one array; `higher` the program as it was scheduled for
    each of the target's higher processors.
    """
    target = target or host_target()
    if target.higher:
        return emit_levels([program, *higher], target, donated)
    return emit_program(program, target, donated)


def compile_object(ir_text: str, target: Target | None = None, constants: Iterable[Constant] = ()) -> bytes:
    """Relocatable object code, with the elements of the program's constant arrays."""
    target = target or host_target()
    if not is_host(target):
        return fill(_elsewhere("object", ir_text, target), ir_text, constants)
    with LLVM, Healed():
        return fill(bytes(_machine(target).emit_object(optimised(ir_text, target))), ir_text, constants)


def assembly(ir_text: str, target: Target | None = None) -> str:
    """The program in the assembly language of the target."""
    target = target or host_target()
    if not is_host(target):
        return _elsewhere("assembly", ir_text, target).decode()
    with LLVM, Healed():
        return str(_machine(target).emit_assembly(optimised(ir_text, target)))


@lru_cache(maxsize=16)
def _machine(target: Target) -> Any:
    import llvmlite.binding as llvm

    initialize()
    found = llvm.Target.from_triple(target.triple)
    return found.create_target_machine(
        cpu=target.cpu, features=target.features, opt=2, reloc="pic", codemodel="default"
    )


def optimised(ir_text: str, target: Target) -> Any:
    """The module parsed from the text, verified, after the passes."""
    import llvmlite.binding as llvm

    machine = _machine(target)
    module = llvm.parse_assembly(ir_text)
    module.data_layout = str(machine.target_data)
    module.verify()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()  # it moves what one arm of many needs into that arm, off the registers
    passes.add_simplify_cfg_pass()
    passes.run(module, builder)
    return module


# --------------------------------------------------------------------------- other machines


def _elsewhere(kind: str, ir_text: str, target: Target) -> bytes:
    """What a subprocess makes of the text: LLVM may abort it."""
    command = [sys.executable, "-m", "symnet.backends.llvm.codegen", kind, target.triple, target.cpu, target.features]
    done = subprocess.run(command, input=ir_text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise CompileError(
            explain(
                f'compile(target="{target.triple}")',
                "a target and features that LLVM can compile for",
                done.stderr.decode(errors="replace").strip()[-400:] or f"exit status {done.returncode}",
                "See `symnet info` for the targets of this LLVM.",
            )
        )
    return done.stdout


def main(kind: str, triple: str, cpu: str, features: str) -> None:
    """The subprocess: LLVM text on standard input, the product on standard output."""
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = Target(triple, cpu, features)
    module = optimised(sys.stdin.read(), target)
    machine = _machine(target)
    code = machine.emit_object(module) if kind == "object" else machine.emit_assembly(module).encode()
    sys.stdout.buffer.write(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
