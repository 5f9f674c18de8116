"""A compiled program as files that need no symnet.

In: a scheduled `Program` and its `Signature`.  Out, for a path `build/mlp`, in the folder `build`, the kinds of files
that were asked for (`kinds.py`): object, header, libraries, sources, what build systems read, a test, a Python stub.

`contents.py` says what stands in each.  One digest stands in all of them (`digest.py`), and nothing is overwritten that
export did not write (`writing.py`).  `load.py` reads library and stub back.

Not handled: libraries for other machines (their object and header are written; link them there).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from symnet.backends.llvm import codegen, loading
from symnet.backends.llvm.stamp import stamped
from symnet.backends.llvm.targets import host_target
from symnet.errors import truth
from symnet.export.collisions import refuse_collision
from symnet.export.contents import Shipment, content
from symnet.export.digest import checksum, with_digest
from symnet.export.kinds import KINDS, chosen
from symnet.export.linker import find_compiler, link
from symnet.export.metadata import to_metadata
from symnet.export.names import path_text, split_path
from symnet.export.processor import Processor
from symnet.export.stub import stub_text
from symnet.export.writing import Replacement, marked, refuse_foreign
from symnet.expr.nodes.node import Node
from symnet.loops.ir import Program
from symnet.loops.signature import Signature
from symnet.runtime.baked import Baked
from symnet.runtime.support import support_object
from symnet.runtime.template import Template, default_template
from symnet.schedule.target import Target


@dataclass(frozen=True, slots=True)
class Exported:
    """The files of one function.

    Attributes:
        name: the function's.
        files: the path of each file, by its kind (`"o"`, `"h"`, …): those that were written, and no others.
    """

    name: str
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def paths(self) -> list[Path]:
        """All files, the stub last: it says what the others must be."""
        return list(self.files.values())

    @property
    def object(self) -> Path:
        return self.files["o"]

    @property
    def header(self) -> Path:
        return self.files["h"]

    @property
    def test(self) -> Path:
        return self.files["test"]

    @property
    def library(self) -> Path | None:
        """The shared library; None where there is none."""
        return self.files.get("so")

    @property
    def stub(self) -> Path | None:
        """The Python stub; None where there is none."""
        return self.files.get("py")


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
    formula: Sequence[Node] = (),
    baked: Baked = (),
    files: Any = None,
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
        formula: what each output is, to be written down.
        baked: the names in it that are constants, with their elements.
        files: which ones, as words (`kinds.py`): `["h", "a"]`, `"h,a"`, or "all"; by default object, header and test,
            and where the target is this machine the shared library and the stub that loads it.
        library: False: no shared library and no stub, for which a C compiler must link.
        overwrite: also replace files that an export did not write, that are read-only, or that are links.

    Raises:
        ArgumentError: when the name is no identifier, or the files are none that can be written.
        ExistingFileError: when a file of that name is somebody else's.
        FileError: when a file cannot be written.
        DependencyError: when there is no C compiler to link with.
        CompileError: when LLVM or the linker refuses.
    """
    call = f'export("{path_text(path, "export")}")'
    folder, name = split_path(path, call)
    overwrite, library = truth(call, "overwrite", overwrite), truth(call, "library", library)
    here = library and (target is None or loading.is_host(target))
    kinds = chosen(files, name, here, call)
    refuse_collision(name, kinds, call)
    if "so" in kinds:
        find_compiler(call)
    paths = {word: folder / KINDS[word].file_name(name) for word in kinds}
    refuse_foreign(paths.values(), name, overwrite, call)
    if program.name != name:
        object_code = None
    signature, programs = replace(signature, name=name), tuple(replace(each, name=name) for each in (program, *higher))
    target = target or host_target()
    code = stamped(object_code or _object(programs, target, donated))
    template = default_template(len(signature.outputs)) if template is None else template
    metadata = with_digest(to_metadata(signature, template, positional, Processor.of(target)), code)
    shipment = Shipment(signature, programs, target, donated, code, metadata, kinds, tuple(formula), baked)
    with Replacement(folder, call) as new:
        for word in kinds:
            if not KINDS[word].here:
                new.write(paths[word], content(word, shipment))
        _write_linked(new, paths, shipment, call)
        refuse_foreign(paths.values(), name, overwrite, call)
        new.put_in_place(list(paths.values()))
    return Exported(name, paths)


def _write_linked(new: Replacement, paths: Mapping[str, Path], shipment: Shipment, call: str) -> None:
    """The shared library, where it is asked for, and the stub that knows its bytes."""
    if "so" not in paths:
        return
    library = new.path(paths["so"])
    source = library.with_name(KINDS["o"].file_name(shipment.name))
    if "o" not in paths:
        new.write(source, content("o", shipment))
    objects = [source]
    if not shipment.target.is_narrow:  # what Python calls it through is for 64-bit hosts
        objects.append(library.with_name(f"{shipment.name}.python.o"))
        new.write(objects[-1], support_object(replace(shipment.target, higher=())))
    link(objects, library, call)
    if "py" in paths:
        metadata = {**shipment.metadata, "library": checksum(library.read_bytes())}
        new.write(paths["py"], marked(stub_text(metadata, library.name), shipment.name, shipment.digest, "# "))


def _object(programs: Sequence[Program], target: Target, donated: tuple[tuple[str, str], ...]) -> bytes:
    program, *higher = programs
    return codegen.compile_object(codegen.emit_ir(program, target, donated, higher), target, program.constants)
