"""What the files of an export say, but for those that a linker must make.

In: a function's programs and signature, its machine, its object code, its metadata, its formulas.  Out: `Shipment`;
`content`, the bytes of one file, with a first line or a stamp that tells whose it is (`writing.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from symnet.backends.c99.program import emit_program
from symnet.backends.llvm import codegen
from symnet.backends.llvm.data import written_out
from symnet.backends.llvm.stamp import stamped, stamped_text
from symnet.export.archive import archive
from symnet.export.build_files import cmake_text, pkg_config_text, source_options
from symnet.export.c_test import c_test_text
from symnet.export.description import described, description_text
from symnet.export.digest import stamp_of
from symnet.export.documented import documented
from symnet.export.header import header_text
from symnet.export.kinds import KINDS
from symnet.export.processor import Processor
from symnet.export.readme import readme_text
from symnet.export.recording import Recording, recorded
from symnet.export.rust import rust_text_of
from symnet.export.writing import marked
from symnet.expr.nodes.node import Node
from symnet.expr.printing.text import text
from symnet.loops.ir import Program
from symnet.loops.signature import Signature
from symnet.runtime.baked import Baked
from symnet.schedule.target import Target

ENTRIES = ("", "_run", "_workspace_bytes", "_phases", "_units", "_digest", "_abi")


@dataclass(frozen=True)
class Shipment:
    """An export, before it is written.

    Attributes:
        signature, programs: of the function; one program for each processor that the object has code for.
        target, donated: as of `files.export`.
        code: object code, its stamp blank.
        metadata: with the digest (`digest.py`).
        kinds: the kinds of files that are written.
        formula: what each output is, where somebody knows.
        baked: the names in the formula that are constants, with their elements.
    """

    signature: Signature
    programs: tuple[Program, ...]
    target: Target
    donated: tuple[tuple[str, str], ...]
    code: bytes
    metadata: dict[str, Any]
    kinds: tuple[str, ...]
    formula: tuple[Node, ...] = ()
    baked: Baked = ()

    @property
    def name(self) -> str:
        return self.signature.name

    @property
    def digest(self) -> str:
        return str(self.metadata["digest"])

    @property
    def processor(self) -> Processor:
        return Processor.of(self.target)

    @property
    def files(self) -> dict[str, str]:
        """The name of each file, by its kind."""
        return {word: KINDS[word].file_name(self.name) for word in self.kinds}

    @property
    def symbols(self) -> list[str]:
        """What the object exports."""
        return [self.name + entry for entry in (*ENTRIES, *(["_processor"] if self.processor.levels else []))]

    @property
    def recording(self) -> Recording | None:
        """What the function answers, for the test."""
        return recorded(self.signature, self.programs, self.target, self.code)

    @cached_property
    def llvm_ir(self) -> str:
        """LLVM assembly with all constants, its stamp blank."""
        program, *higher = self.programs
        text = codegen.emit_ir(program, self.target, self.donated, higher)
        return written_out(text, program.name, program.constants)


def content(word: str, c: Shipment) -> bytes:
    """The bytes of the file of a kind."""
    if word in _BINARY:
        return _BINARY[word](c)
    write, *line = _TEXTS[word]
    return marked(write(c), c.name, c.digest, *line)


class TextKind(NamedTuple):
    """How a text is made, and what stands before, in and after the marker of its first line."""

    write: Callable[[Shipment], str]
    begin: str
    end: str = ""
    joint: str = " "


def _header(c: Shipment) -> str:
    said = documented(c.signature, [text(node, full=True) for node in c.formula], c.baked)
    return header_text(c.signature, c.programs, stamp_of(c.metadata), c.processor, said)


def _source(c: Shipment) -> str:
    program = c.programs[0]
    return stamped_text(emit_program(program, c.target, c.donated), c.digest)


def _readme(c: Shipment) -> str:
    return readme_text(_described(c), c.signature, c.kinds, source_options(c.target))


def _assembly(c: Shipment) -> str:
    return stamped_text(codegen.assembly(c.llvm_ir, c.target), c.digest)


_BINARY: dict[str, Callable[[Shipment], bytes]] = {
    "o": lambda c: stamped(c.code, c.digest),
    "a": lambda c: archive(stamped(c.code, c.digest), KINDS["o"].file_name(c.name), c.symbols, c.target),
}
_TEXTS: dict[str, TextKind] = {
    "h": TextKind(_header, "/* ", " */"),
    "c": TextKind(_source, "/* ", " */"),
    "ll": TextKind(lambda c: stamped_text(c.llvm_ir, c.digest), "; "),
    "s": TextKind(_assembly, "/* ", " */"),
    "json": TextKind(lambda c: description_text(_described(c)), '{"', '",', '": "'),
    "pc": TextKind(lambda c: pkg_config_text(c.name, c.signature), "# "),
    "cmake": TextKind(lambda c: cmake_text(c.name, c.kinds, c.target), "# "),
    "rs": TextKind(lambda c: rust_text_of(c.signature, c.kinds, stamp_of(c.metadata)), "// "),
    "readme": TextKind(_readme, "<!-- ", " -->"),
    "test": TextKind(lambda c: c_test_text(c.signature, c.recording), "/* ", " */"),
}


def _described(c: Shipment) -> dict[str, Any]:
    return described(c.signature, c.programs, c.target, c.metadata, c.files, c.formula, c.baked)
