"""The phases of a program → static functions of C, over a range of units.

In: a unit and a program.  Out: for each phase two functions.  One has the loops, and takes the arrays that it touches:
pointers that do not overlap are said to be so, which is why it is a function.  The other finds the arrays among inputs,
outputs and workspace, and calls it.
"""

from __future__ import annotations

from typing import NamedTuple

from symnet.backends.c99.arrays import ProgramArrays
from symnet.backends.c99.emitter import INDENT, CEmitter, CUnit, comment, needed, words, wrapped
from symnet.backends.c99.integers import evaluate, poly_text, quotient, strides
from symnet.backends.c99.kernels import KernelWriter
from symnet.backends.c99.names import spelled
from symnet.backends.c99.statements import emit_body
from symnet.dtypes import ITEMSIZE
from symnet.loops.abi import ALIGNMENT, CODES
from symnet.loops.facts import gather
from symnet.loops.integer_text import buffer_text, int_text
from symnet.loops.ir import Buffer, Group, IntConst, Phase, Program
from symnet.loops.polynomials import Poly, add, divide, known, multiply

_PASSED = "in, out, dims, workspace"


class PhaseLoops(NamedTuple):
    """The function with the loops of a phase: its text, its name, and the arrays and integers that it takes."""

    text: str
    name: str
    arrays: list[Buffer]
    integers: list[str]


class PhaseWriter:
    """Writes the phases of one program."""

    def __init__(self, unit: CUnit, program: Program, donated: tuple[tuple[str, str], ...]) -> None:
        self.unit, self.program = unit, program
        self.arrays = ProgramArrays(unit, program, donated)
        self.groups: list[Group] = [group for group in program.groups for _ in group.phases]
        self.phases: list[Phase] = [phase for group in program.groups for phase in group.phases]
        self.facts = [gather(phase.body) for phase in self.phases]
        self.kernels = KernelWriter(self.arrays, self.phases)

    def text(self) -> list[str]:
        """Functions of what phases share, and both functions of every phase."""
        found = []
        for number in range(len(self.phases)):
            loops = self.loops(number)
            found += [loops.text, self.binding(number, loops)]
        return [*self.kernels.texts, *found]

    def call(self, number: int, repeat: str, begin: str, end: str) -> str:
        """A call that runs some units."""
        return f"{self.unit.own(f'run{number}')}({_PASSED}, {repeat}, {begin}, {end})"

    # ---- the loops of a phase

    def loops(self, number: int) -> PhaseLoops:
        """The function that has the loops."""
        phase, e, arrays = self.phases[number], CEmitter(self.unit), self.arrays
        names = [e.variable(name) for name in (*self.program.dims, self.groups[number].var)]
        touched = arrays.touched(self.facts[number].buffers)
        arrays.bind(e, touched)
        e.calls = self.kernels.calls
        with e.block(self.units(e, phase)):
            emit_body(e, phase.body)
        lines, fails = needed(e.lines), self.facts[number].fails
        before = [f"{INDENT}int32_t {e.status} = {CODES['OK']};"] * fails
        views = [b for b in touched if b.view_of is not None and arrays.pointer(b.name) in words(lines)]
        before += [INDENT + arrays.view(e, b, arrays.is_read_only(b.name)) for b in views]
        after = [f"{INDENT}return {e.status};"] * fails
        used = words([*before, *lines])
        passed = [b for b in touched if b.view_of is None and arrays.identifier(b.name) in used]
        parameters = [arrays.parameter(b.name, arrays.identifier(b.name), b.space == "input") for b in passed]
        integers = [name for name in names if name in used]
        parameters += [*(f"int64_t {name}" for name in integers), "int64_t begin", "int64_t end"]
        kind, name = "int32_t" if fails else "void", self.unit.own(f"phase{number}_{spelled(phase.name)}")
        head = wrapped(f"static {kind} {name}(", parameters, ")")
        text = "\n".join([self.comment(number, touched), *head, "{", *before, *lines, *after, "}"])
        return PhaseLoops(text, name, passed, integers)

    def units(self, e: CEmitter, phase: Phase) -> str:
        """The head of the loop over units."""
        if known(evaluate(e, phase.units)) == 1:
            e.bind(phase.unit_var, 0)
            return "if (begin < end)"
        unit = e.variable(phase.unit_var)
        return f"for (int64_t {unit} = begin; {unit} < end; ++{unit})"

    def comment(self, number: int, touched: list[Buffer]) -> str:
        phase, group = self.phases[number], self.groups[number]
        head = f"Phase {number}, {phase.name}"
        if group.repeat != IntConst(1):
            head += f", for {group.var} in {int_text(group.repeat)}"
        if phase.units != IntConst(1):
            head += f"; its units are {phase.unit_var} in {int_text(phase.units)}"
        lines = [f"{b.space:<9} {buffer_text(b)}" for b in touched]
        return "/* " + comment("\n     ".join([f"{head}.", *lines])) + " */"

    # ---- the arrays of a phase

    def binding(self, number: int, loops: PhaseLoops) -> str:
        """The function that finds the arrays and calls the other one."""
        e = CEmitter(self.unit)
        extents = [e.variable(name) for name in self.program.dims]
        addresses = [self.address(e, buffer) for buffer in loops.arrays]
        repeat = self.unit.names.of("integer", self.groups[number].var)
        integers = ["repeat" if name == repeat else name for name in loops.integers]
        call = wrapped(f"{loops.name}(", [*addresses, *integers, "begin", "end"], ");")
        call[0] = "return " * self.facts[number].fails + call[0]
        for line in call:
            e.line(line)
        if not self.facts[number].fails:
            e.line(f"return {CODES['OK']};")
        head = (
            f"static int32_t {self.unit.own(f'run{number}')}(\n{INDENT}const void *const *in, void *const *out, "
            f"const int64_t *dims, void *workspace,\n{INDENT}int64_t repeat, int64_t begin, int64_t end)"
        )
        return whole_function(head, extents, e)

    def address(self, e: CEmitter, buffer: Buffer) -> str:
        """Where an array lies."""
        for table, buffers in (("in", self.program.inputs), ("out", self.program.outputs)):
            for order, other in enumerate(buffers):
                if other.name == buffer.name:
                    return f"{table}[{order}]"
        offset = poly_text(self.layout(e)[0][buffer.name])
        return f"(void *)((unsigned char *)workspace + {offset})" if offset != "0" else "workspace"

    def layout(self, e: CEmitter) -> tuple[dict[str, Poly], Poly]:
        """Byte offsets of the workspace buffers, and their sum."""
        offsets: dict[str, Poly] = {}
        total: Poly = {}
        for buffer in self.program.workspace:
            if buffer.view_of is None:
                offsets[buffer.name] = total
                size = multiply(strides(e, buffer)[1], {(): ITEMSIZE[buffer.dtype]})
                total = add(total, _aligned(e, size))
        return offsets, total


def _aligned(e: CEmitter, size: Poly) -> Poly:
    """A size in bytes, rounded up to the alignment of the workspace."""
    whole, rest = divide(size, ALIGNMENT)
    if not rest:
        return size
    above = add(rest, {(): ALIGNMENT - 1})
    count = known(above)
    blocks: Poly = {(): count // ALIGNMENT} if count is not None else quotient(e, above, ALIGNMENT)
    return multiply(add(whole, blocks), {(): ALIGNMENT})


def whole_function(head: str, extents: list[str], e: CEmitter) -> str:
    """A function; the extents that it names are its first lines, and of parameters that it needs not it says so."""
    used = e.words()
    begin = [f"{INDENT}const int64_t {name} = dims[{k}];" for k, name in enumerate(extents) if name in used]
    used |= {"dims"} if begin else frozenset()
    unused = [f"{INDENT}(void){p};" for p in _parameters(head) if p not in used]
    return "\n".join([head, "{", *unused, *begin, *e.lines, "}"])


def _parameters(head: str) -> list[str]:
    inside = head[head.index("(") + 1 : -1]
    return [part.split()[-1].lstrip("*") for part in inside.split(",")]
