"""LLVM's own work on a module's text: passes, then code.

In: text of this machine's, a `Target`.  Out: the module after the passes; object code, which several threads may make
of several texts at once, each with a target machine and contexts of its own.
The passes inline math functions, turn frame slots into registers, and tidy: the text is nearly final as written.
"""

from __future__ import annotations

from ctypes import string_at
from functools import lru_cache
from typing import Any

from symnet.backends.llvm.loading import initialize
from symnet.schedule.target import Target


@lru_cache(maxsize=64)
def target_machine(target: Target, worker: int = 0) -> Any:
    """LLVM's machine for a target; each of several workers has one."""
    import llvmlite.binding as llvm

    initialize()
    found = llvm.Target.from_triple(target.triple)
    return found.create_target_machine(
        cpu=target.cpu, features=target.features, opt=2, reloc="pic", codemodel="default"
    )


def optimised(ir_text: str, target: Target, worker: int = 0) -> Any:
    """The module parsed from the text, verified, after the passes."""
    import llvmlite.binding as llvm

    machine = target_machine(target, worker)
    module = llvm.parse_assembly(ir_text, llvm.create_context())
    module.data_layout = str(machine.target_data)
    module.verify()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()  # it moves what one arm of many needs into that arm, off the registers
    passes.add_simplify_cfg_pass()
    _unlocked("LLVMPY_RunNewModulePassManager")(passes, module, builder)
    return module


def object_of(ir_text: str, target: Target, worker: int) -> bytes:
    """The object code of a text: `emit_object`, which keeps llvmlite's lock no longer than it needs it."""
    from llvmlite.binding import ffi

    module = optimised(ir_text, target, worker)
    with ffi.OutputString() as error:
        emit = _unlocked("LLVMPY_TargetMachineEmitToMemory")
        buffer = emit(target_machine(target, worker), module, 1, error)
        if not buffer:
            raise RuntimeError(str(error))
    try:
        return bytes(string_at(ffi.lib.LLVMPY_GetBufferStart(buffer), ffi.lib.LLVMPY_GetBufferSize(buffer)))
    finally:
        ffi.lib.LLVMPY_DisposeMemoryBuffer(buffer)


def _unlocked(name: str) -> Any:
    """A function of llvmlite's library without the lock that llvmlite holds around every call.

    LLVM wants one thread in a context or a machine at a time, and the workers share neither.
    """
    from llvmlite.binding import ffi

    locked = getattr(ffi.lib, name)
    return getattr(locked, "_cfn", locked)
