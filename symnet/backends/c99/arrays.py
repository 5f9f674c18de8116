"""The arrays of a program as C has them: parameters, other names of the same memory, constant arrays of the unit.

In: a unit and a program.  Out: identifiers and declarations.
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet.backends.c99.emitter import CArray, CEmitter, CUnit
from symnet.backends.c99.integers import strides
from symnet.backends.c99.types import C_TYPE
from symnet.loops.ir import Buffer, Program
from symnet.loops.owners import owners

_READ_ONLY = ("input", "constant")


class ProgramArrays:
    """`buffers` by name, `roots` of the names, and `globals`: what constant arrays are called."""

    def __init__(self, unit: CUnit, program: Program, donated: tuple[tuple[str, str], ...]) -> None:
        self.unit, self.donated = unit, donated
        constants = [constant.buffer for constant in program.constants]
        every = (*program.inputs, *program.outputs, *program.workspace, *constants)
        self.buffers = {buffer.name: buffer for buffer in every}
        self.roots = owners(every)
        self.globals = {b.name: unit.own(f"constant{k}") for k, b in enumerate(constants)}
        self._shared = {name for pair in donated for name in pair}

    def touched(self, names: Iterable[str]) -> list[Buffer]:
        """The arrays of these names, and those whose memory they are, in the program's order."""
        named = [name for name in names if name in self.buffers]
        found = {*named, *(self.roots[name] for name in named)}
        return [buffer for name, buffer in self.buffers.items() if name in found]

    def traits(self, buffer: Buffer) -> tuple[str, str, object]:
        """What functions for an array depend on, beside its shape: its memory, and what may be the same memory."""
        root = self.roots[buffer.name]
        return root, next((given for given, result in self.donated if result == root), root), root in self._shared

    # ---- in C

    def identifier(self, name: str) -> str:
        return self.unit.names.of("array", name)

    def pointer(self, name: str) -> str:
        """What an array is called in a phase."""
        return self.globals.get(name) or self.identifier(name)

    def bind(self, e: CEmitter, buffers: Iterable[Buffer]) -> None:
        """Tell an emitter what arrays are called, and how their elements lie."""
        for buffer in buffers:
            name = e.pointers.get(buffer.name) or self.pointer(buffer.name)
            e.places[buffer.name] = CArray(name, strides(e, buffer)[0], buffer.dtype)

    def parameter(self, name: str, identifier: str, is_const: bool) -> str:
        """The parameter that an array is: one that overlaps with no other says so."""
        restrict = "" if name in self._shared else "restrict "
        return f"{'const ' * is_const}{C_TYPE[self.buffers[name].dtype]} *{restrict}{identifier}"

    def is_read_only(self, name: str) -> bool:
        return self.buffers[self.roots[name]].space in _READ_ONLY

    def view(self, e: CEmitter, buffer: Buffer, is_const: bool) -> str:
        """Another name of memory."""
        source = e.places[self.roots[buffer.name]].pointer
        return f"{'const ' * is_const}{C_TYPE[buffer.dtype]} *const {e.places[buffer.name].pointer} = {source};"
