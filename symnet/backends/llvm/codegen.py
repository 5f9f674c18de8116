"""LLVM assembly text → checked, optimised, assembled.

In: a `Program` or its LLVM text, and a `Target`.  Out: text, object code, or machine assembly (`loading.py` runs it).
On Linux for x86-64 a long text is compiled in pieces, on all processors (`pieces.py`, `assembling.py`,
`elf_joined.py`).  Other machines than the host are compiled in a subprocess, because LLVM aborts the process on what it
cannot do.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

from symnet.backends.llvm import elf
from symnet.backends.llvm.assembling import assembly_of, object_of, optimised, target_machine
from symnet.backends.llvm.data import fill
from symnet.backends.llvm.elf_joined import joined
from symnet.backends.llvm.levels import level_chunks
from symnet.backends.llvm.loading import is_host
from symnet.backends.llvm.modules import module_text
from symnet.backends.llvm.pieces import pieces, pieces_of
from symnet.backends.llvm.program import program_chunks
from symnet.backends.llvm.targets import host_target
from symnet.errors import CompileError, explain
from symnet.locks import LLVM, Healed
from symnet.loops.ir import Constant, Program
from symnet.processors import on_all_processors
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
    return module_text(emitted(program, target, donated, higher))


def emitted(
    program: Program,
    target: Target | None = None,
    donated: tuple[tuple[str, str], ...] = (),
    higher: Sequence[Program] = (),
) -> Iterator[str]:
    """The same as it is written: chunks, each after what it names."""
    target = target or host_target()
    if target.higher:
        return level_chunks([program, *higher], target, donated)
    return program_chunks(program, target, donated)


def compile_object(ir_text: str, target: Target | None = None, constants: Iterable[Constant] = ()) -> bytes:
    """Relocatable object code, with the elements of the program's constant arrays.

    The bytes do not depend on how many processors there are.
    """
    target = target or host_target()
    if not is_host(target):
        code = _elsewhere("object", ir_text, target)
    else:
        code = _compiled(pieces(ir_text) if elf.is_possible() else [ir_text], target, lambda: ir_text)
    return fill(code, ir_text, constants)


def compile_emitted(
    chunks: Iterable[str], target: Target, constants: Iterable[Constant], meanwhile: Callable[[], None] = lambda: None
) -> tuple[str, bytes]:
    """The text of which these are the chunks, and its object code, with the bytes that `compile_object` gives.

    LLVM works on what is there while the rest is being written, and while what is to be done `meanwhile` is done.
    """
    if not (is_host(target) and elf.is_possible()):
        text = module_text(chunks)
        meanwhile()
        return text, compile_object(text, target, constants)
    kept: list[str] = []
    code = _compiled(_then(pieces_of(_kept(chunks, kept)), meanwhile), target, lambda: module_text(kept))
    text = module_text(kept)
    return text, fill(code, text, constants)


def _kept(chunks: Iterable[str], kept: list[str]) -> Iterator[str]:
    for chunk in chunks:
        kept.append(chunk)
        yield chunk


def _then(texts: Iterator[str], last: Callable[[], None]) -> Iterator[str]:
    """The texts; when all are drawn, something else is done before it is known that they are all."""
    yield from texts
    last()


def _compiled(texts: Iterable[str], target: Target, whole: Callable[[], str]) -> bytes:
    """The object code of some texts together; of the whole text where LLVM wrote what is not joined here."""
    with LLVM, Healed():
        objects = on_all_processors(lambda text: object_of(text, target), texts)
        try:
            return joined(objects)
        except elf.UnsupportedObject:
            return object_of(whole(), target)


def assembly(ir_text: str, target: Target | None = None) -> str:
    """The program in the assembly language of the target."""
    target = target or host_target()
    if not is_host(target):
        return _elsewhere("assembly", ir_text, target).decode()
    with LLVM, Healed():
        return assembly_of(ir_text, target)


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
    with target_machine(target) as machine, optimised(sys.stdin.read(), machine) as module:
        code = machine.emit_object(module) if kind == "object" else machine.emit_assembly(module).encode()
    sys.stdout.buffer.write(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
