"""Object code → functions of this process.

In: object code.  Out: a `NativeModule` whose functions can be called; whether code for a target runs here.
On Linux for x86-64 the code is loaded by `elf.py`, so that a warm start imports no llvmlite; elsewhere by LLVM.
"""

from __future__ import annotations

from functools import lru_cache
from typing import final

from symnet.backends.llvm import elf
from symnet.backends.llvm.targets import host_target, require_llvmlite
from symnet.errors import CompileError, explain
from symnet.locks import LLVM, Healed
from symnet.schedule.target import Target


def load(code: bytes) -> NativeModule:
    """Object code made for this machine, ready to call."""
    return NativeModule(code)


@final
class NativeModule:
    """Machine code in memory, freed with this object."""

    def __init__(self, code: bytes) -> None:
        self._loaded = _loaded(code)

    def address(self, name: str) -> int:
        """Where a function starts.

        Raises:
            CompileError: when the module exports no such function.
        """
        found = self._loaded.address(name)
        if not found:
            raise CompileError(
                explain(f'address("{name}")', "a function of this module", f'"{name}"', "Export it from the program.")
            )
        return found


def _loaded(code: bytes) -> elf.Image | _Engine:
    if not elf.is_possible():
        return _Engine(code)
    try:
        return elf.Image(code)
    except elf.UnsupportedObject as error:  # LLVM's own loader would abort the process
        mend = "This is a defect of symnet: please report it with the expression."
        raise CompileError(
            explain("load(…)", "object code that refers to nothing but itself", f"{error}", mend)
        ) from None
    except OSError as error:
        mend = "Free memory, or let this process run the code that it makes (SELinux calls that execmem)."
        raise CompileError(explain("load(…)", "memory whose contents can be run", f"{error}", mend)) from error


@final
class _Engine:
    """What LLVM has loaded."""

    def __init__(self, code: bytes) -> None:
        initialize()
        import llvmlite.binding as llvm

        with LLVM, Healed():
            machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(jit=True)
            # One reservation for all sections: code reaches its constants with 32-bit offsets, and in a process whose
            # address space is full of holes separate sections may land more than 2 GiB apart (LLVM then aborts).
            self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine, use_lmm=True)
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function starts; 0 where there is none of that name."""
        return int(self._engine.get_function_address(name))


def is_host(target: Target) -> bool:
    """Whether the target has this machine's architecture and system."""
    initialize()
    import llvmlite.binding as llvm

    return target.triple in (llvm.get_process_triple(), llvm.get_default_triple())


def runs_here(target: Target) -> bool:
    """Whether this machine can run code for the target: its own system, and no instruction set that it lacks."""
    here = host_target()
    wanted = {f for f in target.features.split(",") if f.startswith("+")}
    return is_host(target) and target.vector_bits <= here.vector_bits and wanted <= set(here.features.split(","))


@lru_cache(maxsize=1)
def initialize() -> None:
    """LLVM for this machine, once."""
    require_llvmlite()
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
