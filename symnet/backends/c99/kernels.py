"""Equal loops as one function, with the arrays as its arguments: 200 equal layers have the text of one.

In: the phases of a program.  Out: functions, and the calls that stand for statements.  `loops/kernels.py` says what is
equal; what occurs once stays where it is.  The names in a function are those of the first place where it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from symnet.backends.c99.arrays import ProgramArrays
from symnet.backends.c99.emitter import INDENT, CEmitter, comment, needed, words, wrapped
from symnet.backends.c99.integers import text_of
from symnet.backends.c99.statements import emit_body
from symnet.loops.integer_text import buffer_text
from symnet.loops.ir import Fail, IntVar, Phase, walk
from symnet.loops.kernels import Kernel, KernelPiece, cut
from symnet.loops.polynomials import Poly


class KernelFunction(NamedTuple):
    """A function: its name, and which of the memories and integers of its pieces it takes."""

    name: str
    roots: list[int]
    integers: list[int]


class KernelWriter:
    """Writes the functions of one program, each after those that it calls; `calls` is for emitters."""

    def __init__(self, arrays: ProgramArrays, phases: Sequence[Phase]) -> None:
        self.arrays = arrays
        self.texts: list[str] = []
        self.calls: dict[int, tuple[int, Callable[[CEmitter], None]]] = {}
        self._done: dict[int, KernelFunction] = {}
        for kernel in cut(phases, arrays.traits).kernels:
            if len(kernel.calls) > 1:
                for piece in kernel.calls:
                    self.calls[id(piece.body[0])] = len(piece.body), partial(self.call, kernel, piece)

    def call(self, kernel: Kernel, piece: KernelPiece, e: CEmitter) -> None:
        """Write the call that stands for a piece."""
        if kernel.number not in self._done:
            self._done[kernel.number] = self.function(kernel)
        done = self._done[kernel.number]
        roots = [piece.form.roots[order] for order in done.roots]
        arguments = [e.pointers.get(root) or self.arrays.pointer(root) for root in roots]
        arguments += [
            text_of(e, IntVar(name) + more) for name, more in map(piece.form.integers.__getitem__, done.integers)
        ]
        arguments += [e.status.lstrip("*") if "*" in e.status else f"&{e.status}"] * piece.fails
        for line in wrapped(f"{done.name}(", arguments, ");"):
            e.line(line)

    def function(self, kernel: Kernel) -> KernelFunction:
        """Write the function of a kernel."""
        first, arrays = kernel.first, self.arrays
        form, e = first.form, CEmitter(arrays.unit)
        integers = [_taken(e, name, more) for name, more in form.integers]
        e.pointers = {root: arrays.identifier(root) for root in form.roots}
        arrays.bind(e, arrays.touched([*form.roots, *(buffer.name for buffer in form.buffers)]))
        e.status = "*status" if first.fails else e.status
        self.emit(e, first)
        lines, stored = needed(e.lines), self.stored(first)
        declared = [arrays.buffers[b.name] for b in form.buffers]
        views = [b for b in declared if b.view_of is not None and e.places[b.name].pointer in words(lines)]
        before = [INDENT + arrays.view(e, b, arrays.roots[b.name] not in stored) for b in views]
        used = words([*before, *lines])
        roots = [order for order, root in enumerate(form.roots) if e.pointers[root] in used]
        named = [order for order, name in enumerate(integers) if name in used]
        parameters = [
            arrays.parameter(form.roots[k], e.pointers[form.roots[k]], form.roots[k] not in stored) for k in roots
        ]
        parameters += [f"int64_t {integers[order]}" for order in named] + ["int32_t *status"] * first.fails
        name = arrays.unit.own(f"kernel{kernel.number}")
        head = wrapped(f"static void {name}(", parameters, ")")
        self.texts.append("\n".join([self.comment(kernel), *head, "{", *before, *lines, "}"]))
        return KernelFunction(name, roots, named)

    def emit(self, e: CEmitter, piece: KernelPiece) -> None:
        """Write the statements of a piece, which may have pieces inside."""
        own = self.calls.pop(id(piece.body[0]))
        e.calls = self.calls
        emit_body(e, piece.body)
        self.calls[id(piece.body[0])] = own

    def stored(self, piece: KernelPiece) -> set[str]:
        """The memories that a piece writes to, those of what it reports included."""
        fails = [stmt for stmt in walk(piece.body) if isinstance(stmt, Fail)]
        names = {*piece.stored, *(stmt.report.name for stmt in fails if stmt.report is not None)}
        return {self.arrays.roots[name] for name in names if name in self.arrays.roots}

    def comment(self, kernel: Kernel) -> str:
        lines = [f"{len(kernel.calls)} loops that differ by their arrays; the names are those of the first."]
        lines += [f"{b.space:<9} {buffer_text(b)}" for b in kernel.first.form.buffers]
        return "/* " + comment("\n     ".join(lines)) + " */"


def _taken(e: CEmitter, name: str, more: int) -> str:
    """The parameter that holds an integer with something added to it; the integer is less by as much."""
    identifier = e.unit.names.of("integer", name)
    e.natural |= {identifier} if more >= 0 else set()
    rest: Poly = {(): -more} if more else {}
    e.integers[name] = {(identifier,): 1, **rest}
    return identifier
