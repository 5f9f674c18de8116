"""LLVM's own work on a module's text: passes, then code.

In: text of this machine's, a `Target`.  Out: object code, which several threads may make of several texts at once;
assembly.
The passes inline math functions, turn frame slots into registers, and tidy: the text is nearly final as written.

LLVM wants one thread in a context or a machine at a time.  So every text has a context of its own, and a machine that
nobody else has meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import string_at
from functools import lru_cache
from typing import Any

from symnet.backends.llvm.loading import initialize
from symnet.locks import Healed
from symnet.schedule.target import Target


def object_of(ir_text: str, target: Target) -> bytes:
    """The object code of a text: `emit_object`, which keeps llvmlite's lock no longer than it needs it."""
    with Healed():  # here too, since others may wait for what this thread holds while it waits for them
        return _emitted(ir_text, target)


def assembly_of(ir_text: str, target: Target) -> str:
    """The text in the assembly language of the target."""
    with Healed(), target_machine(target) as machine, optimised(ir_text, machine) as module:
        return str(machine.emit_assembly(module))


@contextmanager
def target_machine(target: Target) -> Iterator[Any]:
    """LLVM's machine for a target, for the length of a block.

    An error or an interrupt may have left one half-way: it is not used again.
    """
    idle = _idle_machines(target)
    machine = idle.pop() if idle else _new_machine(target)
    yield machine
    idle.append(machine)


@lru_cache(maxsize=16)
def _idle_machines(target: Target) -> list[Any]:
    """The machines that nobody has."""
    return []


def _new_machine(target: Target) -> Any:
    import llvmlite.binding as llvm

    initialize()
    found = llvm.Target.from_triple(target.triple)
    return found.create_target_machine(
        cpu=target.cpu, features=target.features, opt=2, reloc="pic", codemodel="default"
    )


@contextmanager
def optimised(ir_text: str, machine: Any) -> Iterator[Any]:
    """The module parsed from the text, verified, after the passes, for the length of a block.

    It is closed here, not by the collector, which swallows an interrupt that comes meanwhile.
    """
    import llvmlite.binding as llvm

    context = llvm.create_context()
    with llvm.parse_assembly(ir_text, context) as module:
        _improve(module, machine)
        yield module
    context.close()  # not after an interrupt: a module that nobody got may be there still


def _improve(module: Any, machine: Any) -> None:
    import llvmlite.binding as llvm

    module.data_layout = str(machine.target_data)
    module.verify()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()  # it moves what one arm of many needs into that arm, off the registers
    passes.add_simplify_cfg_pass()
    _unlocked("LLVMPY_RunNewModulePassManager")(passes, module, builder)


def _emitted(ir_text: str, target: Target) -> bytes:
    from llvmlite.binding import ffi

    with target_machine(target) as machine, optimised(ir_text, machine) as module, ffi.OutputString() as error:
        buffer = _unlocked("LLVMPY_TargetMachineEmitToMemory")(machine, module, 1, error)
        if not buffer:
            raise RuntimeError(str(error))
        try:
            return bytes(string_at(ffi.lib.LLVMPY_GetBufferStart(buffer), ffi.lib.LLVMPY_GetBufferSize(buffer)))
        finally:
            ffi.lib.LLVMPY_DisposeMemoryBuffer(buffer)


def _unlocked(name: str) -> Any:
    """A function of llvmlite's library without the lock that llvmlite holds around every call."""
    from llvmlite.binding import ffi

    locked = getattr(ffi.lib, name)
    return getattr(locked, "_cfn", locked)
