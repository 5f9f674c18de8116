"""A compiled program as files that need no symnet.

In: a scheduled `Program` and its `Signature`.  Out, for a path `build/mlp`, in the folder `build`:

    mlp.o        object code: no undefined symbols but memcpy and memset
    libmlp.so    the same as a shared library (.dylib, .dll), where the target is this machine
    mlp.h        C and C++ header
    mlp.py       Python stub: needs only NumPy
    mlp_test.c   a C program that calls it

`load.py` reads them back.

Not handled: libraries for other machines (their object and header are written; link them there).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from symnet.export.c_test import c_test_text
from symnet.export.header import header_text
from symnet.export.linker import find_compiler, library_name, link
from symnet.export.metadata import to_metadata
from symnet.export.names import split_path
from symnet.export.stub import stub_text
from symnet.llvm import codegen
from symnet.loops.ir import Program
from symnet.loops.signature import Signature
from symnet.runtime.structure import Template, default_template
from symnet.schedule.target import Target


@dataclass(frozen=True, slots=True)
class Exported:
    """The files of one function; `library` and `stub` are None where no shared library was made."""

    name: str
    object: Path
    header: Path
    test: Path
    library: Path | None = None
    stub: Path | None = None


def export(
    path: str | Path,
    signature: Signature,
    program: Program,
    target: Target | None = None,
    object_code: bytes | None = None,
    *,
    structure: Template = None,
    positional: Sequence[str] = (),
    donated: tuple[tuple[str, str], ...] = (),
    library: bool = True,
) -> Exported:
    """Write a function's files; the last part of `path` becomes its name in C and Python.

    Args:
        path: folder and name; the folder is made where it does not exist.
        signature: what `lower` gave.
        program: what `schedule` gave.
        target: the machine; by default this one.
        object_code: what `codegen.compile_object` gave; used where the program already has the path's name.
        structure: as of `NativeFunction`.
        positional: as of `NativeFunction`.
        donated: as of `codegen.emit_ir`.
        library: link a shared library and write the stub that loads it (only where the target is this machine).

    Raises:
        ArgumentError: when the name is no identifier.
        DependencyError: when there is no C compiler to link with.
        CompileError: when LLVM or the linker refuses.
    """
    call = f'export("{Path(path).as_posix()}")'
    folder, name = split_path(path, call)
    if program.name != name:
        object_code = None
    signature, program = replace(signature, name=name), replace(program, name=name)
    linked = library and (target is None or codegen.is_host(target))
    if linked:
        find_compiler(call)
    structure = default_template(len(signature.outputs)) if structure is None else structure
    files = Exported(
        name=name,
        object=folder / f"{name}.o",
        header=folder / f"{name}.h",
        test=folder / f"{name}_test.c",
        library=folder / library_name(name) if linked else None,
        stub=folder / f"{name}.py" if linked else None,
    )
    folder.mkdir(parents=True, exist_ok=True)
    _write(files.object, object_code or _object(program, target, donated))
    _write(files.header, header_text(signature, program).encode())
    _write(files.test, c_test_text(signature).encode())
    if files.library and files.stub:
        _link(files.object, files.library, call)
        metadata = to_metadata(signature, structure, positional)
        _write(files.stub, stub_text(metadata, files.library.name).encode())
    return files


def _object(program: Program, target: Target | None, donated: tuple[tuple[str, str], ...]) -> bytes:
    return codegen.compile_object(codegen.emit_ir(program, target, donated), target, program.constants)


def _write(path: Path, content: bytes) -> None:
    """Replace the file in one step, so that who has the old one open keeps it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


def _link(object_path: Path, library_path: Path, call: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=library_path.parent, suffix=library_path.suffix)
    os.close(handle)
    try:
        link(object_path, Path(temporary), call)
        os.chmod(temporary, 0o755)
        os.replace(temporary, library_path)
    finally:
        Path(temporary).unlink(missing_ok=True)
