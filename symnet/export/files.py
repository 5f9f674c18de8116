"""A compiled program as files that need no symnet.

In: a scheduled `Program` and its `Signature`.  Out, for a path `build/mlp`, in the folder `build`:

    mlp.o        object code: no undefined symbols but memcpy and memset
    libmlp.so    the same as a shared library (.dylib, .dll), where the target is this machine
    mlp.h        C and C++ header
    mlp.py       Python stub: needs only NumPy
    mlp_test.c   a C program that calls it

One digest stands in object, header and stub (`digest.py`), and nothing is overwritten that export did not write
(`writing.py`).  `load.py` reads them back.

Not handled: libraries for other machines (their object and header are written; link them there).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from symnet.backends.llvm import codegen, loading
from symnet.backends.llvm.stamp import stamped
from symnet.backends.llvm.targets import host_target
from symnet.export.c_test import c_test_text
from symnet.export.digest import checksum, stamp_of, with_digest
from symnet.export.header import header_text
from symnet.export.linker import find_compiler, library_name, link
from symnet.export.metadata import to_metadata
from symnet.export.names import path_text, split_path
from symnet.export.processor import Processor
from symnet.export.stub import stub_text
from symnet.export.writing import Replacement, marked, refuse_foreign
from symnet.loops.ir import Program
from symnet.loops.signature import Signature
from symnet.runtime.template import Template, default_template
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

    @property
    def paths(self) -> list[Path]:
        """All files, the stub last: it says what the others must be."""
        return [path for path in (self.object, self.header, self.test, self.library, self.stub) if path is not None]


def export(
    path: str | Path,
    signature: Signature,
    program: Program,
    target: Target | None = None,
    object_code: bytes | None = None,
    *,
    template: Template = None,
    positional: Sequence[str] = (),
    higher: Sequence[Program] = (),
    donated: tuple[tuple[str, str], ...] = (),
    library: bool = True,
    overwrite: bool = False,
) -> Exported:
    """Write a function's files; the last part of `path` becomes its name in C and Python.

    Args:
        path: folder and name; the folder is made where it does not exist.
        signature: what `lower` gave.
        program: what `schedule` gave.
        target: the machine; by default this one.
        object_code: what `codegen.compile_object` gave; used where the program already has the path's name.
        template: as of `NativeFunction`.
        positional: as of `NativeFunction`.
        higher: what `schedule` gave for each of the target's higher processors.
        donated: as of `codegen.emit_ir`.
        library: link a shared library and write the stub that loads it (only where the target is this machine).
        overwrite: also replace files that an export did not write, that are read-only, or that are links.

    Raises:
        ArgumentError: when the name is no identifier.
        ExistingFileError: when a file of that name is somebody else's.
        FileError: when a file cannot be written.
        DependencyError: when there is no C compiler to link with.
        CompileError: when LLVM or the linker refuses.
    """
    call = f'export("{path_text(path, "export")}")'
    folder, name = split_path(path, call)
    if program.name != name:
        object_code = None
    signature, programs = replace(signature, name=name), [replace(each, name=name) for each in (program, *higher)]
    linked = library and (target is None or loading.is_host(target))
    if linked:
        find_compiler(call)
    template = default_template(len(signature.outputs)) if template is None else template
    files = Exported(
        name=name,
        object=folder / f"{name}.o",
        header=folder / f"{name}.h",
        test=folder / f"{name}_test.c",
        library=folder / library_name(name) if linked else None,
        stub=folder / f"{name}.py" if linked else None,
    )
    refuse_foreign(files.paths, overwrite, call)
    target = target or host_target()
    code = stamped(object_code or _object(programs, target, donated))
    processor = Processor.of(target)
    metadata = with_digest(to_metadata(signature, template, positional, processor), code)
    with Replacement(folder, call) as new:
        new.write(files.object, stamped(code, metadata["digest"]))
        new.write(files.header, marked(header_text(signature, programs, stamp_of(metadata), processor), "/*", " */"))
        new.write(files.test, marked(c_test_text(signature), "/*", " */"))
        if files.library and files.stub:
            link(new.path(files.object), new.path(files.library), call)
            metadata["library"] = checksum(new.path(files.library).read_bytes())
            new.write(files.stub, marked(stub_text(metadata, files.library.name), "#"))
        refuse_foreign(files.paths, overwrite, call)
        new.put_in_place(files.paths)
    return files


def _object(programs: Sequence[Program], target: Target, donated: tuple[tuple[str, str], ...]) -> bytes:
    program, *higher = programs
    return codegen.compile_object(codegen.emit_ir(program, target, donated, higher), target, program.constants)
