"""A scheduled program → the LLVM assembly of its entry points.

In: `Program`, `Target`.  Out: text of one module.  Each phase is an internal function over a range of units;
four exported functions call them:

- `int32_t NAME(in, out, dims, workspace, workspace_bytes, phase, unit_begin, unit_end)`: some units of one phase;
- `int32_t NAME_run(in, out, dims, workspace, workspace_bytes)`: everything, serially;
- `size_t NAME_workspace_bytes(dims)`, `int32_t NAME_phases(dims)`, `int64_t NAME_units(dims, phase)`;

and a constant, `NAME_digest`, is a stamp that an export fills in.

`phase` numbers the runs of phases in order, from 0: repetition r of phase s of a group of n phases has the group's
first number + r·n + s.  Nothing is allocated, nothing global is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

from symnet.backends.llvm.blocks import FunctionText
from symnet.backends.llvm.call_runs import Argument, KernelCall, address, of_poly
from symnet.backends.llvm.data import global_name, global_text
from symnet.backends.llvm.emitter import BufferPlace, Emitter
from symnet.backends.llvm.integers import evaluate
from symnet.backends.llvm.math_calls import called
from symnet.backends.llvm.modules import ALONE, EntryPoint, Part, Scope, module_chunks
from symnet.backends.llvm.phases import dispatch, phase_index, phase_starts
from symnet.backends.llvm.polynomials import integer
from symnet.backends.llvm.sizes import SizeChecks
from symnet.backends.llvm.statements import STATUS, emit_body
from symnet.backends.llvm.types import REGISTER, SIZE, V, constant
from symnet.backends.llvm.workspace import layout
from symnet.loops.abi import ALIGNMENT, CODES
from symnet.loops.facts import facts_of
from symnet.loops.ir import Buffer, Group, IntVar, Phase, Program
from symnet.loops.kernels import Kernel, KernelPiece, cut
from symnet.loops.owners import owners
from symnet.loops.polynomials import Poly, known, multiply
from symnet.loops.sizes import MOST_PHASES, refuse_static
from symnet.schedule.target import Target


def program_chunks(program: Program, target: Target, donated: tuple[tuple[str, str], ...] = ()) -> Iterator[str]:
    """The text of the module of a scheduled program as it is written, each function after those that it calls.

    `donated` holds pairs (input, output) that may be one array: accesses to them are kept in order.
    """
    return module_chunks(program.name, target, [emit_part(program, target, donated)])


def emit_part(
    program: Program, target: Target, donated: tuple[tuple[str, str], ...] = (), scope: Scope = ALONE
) -> Part:
    """The functions of a scheduled program, for a module in which others may stand beside them."""
    module = _Module(program, target, donated, scope)
    refuse_static(program, 8 * SIZE[module.size_type])
    return module.part()


class _Module:
    def __init__(self, program: Program, target: Target, donated: tuple[tuple[str, str], ...], scope: Scope) -> None:
        self.program, self.target, self.scope = program, target, scope
        self.name, self.entries = scope.name(program.name), list[EntryPoint]()
        self.declarations: dict[str, str] = {}
        self.written: list[tuple[str, str]] = []  # what is to be told next, by symbol
        self.declared = 0  # how many declarations were told
        tables = ("%in", program.inputs), ("%out", program.outputs)
        self.numbers = {b.name: (table, order) for table, buffers in tables for order, b in enumerate(buffers)}
        self.globals = {c.buffer.name: global_name(program.name, order) for order, c in enumerate(program.constants)}
        self.calls: dict[int, tuple[int, Callable[[Emitter], KernelCall]]] = {}
        self.tables = 0  # how many were written
        self.buffers = _buffers(program)
        self.roots = owners(self.buffers.values())
        self.shared = {name for pair in donated for name in pair}
        self.aliases = {name: self._alias(root, donated) for name, root in self.roots.items()}
        self.views: dict[str, list[Buffer]] = {}
        for name, buffer in self.buffers.items():
            self.views.setdefault(self.roots[name], []).append(buffer)
        self.phases = [(group, phase) for group in program.groups for phase in group.phases]
        self.cut = cut([phase for _, phase in self.phases], self.traits)
        self.unwritten = {kernel.number: kernel for kernel in self.cut.kernels}
        for kernel in self.cut.kernels:
            for piece in kernel.calls:
                self.calls[id(piece.body[0])] = len(piece.body), partial(self.call_kernel, kernel, piece)
        self.fails = [any(facts_of(stmt).fails for stmt in phase.body) for _, phase in self.phases]

    @staticmethod
    def _alias(root: str, donated: tuple[tuple[str, str], ...]) -> str:
        for source, result in donated:
            if root == result:
                return source
        return root

    def part(self) -> Part:
        return Part(self.scope.attributes(self.target), self.chunks(), self.entries)

    def chunks(self) -> Iterator[tuple[str, str]]:
        """Constant arrays, and every function after the declarations and the functions that it names."""
        for number, constant_array in enumerate(self.program.constants):
            yield global_name(self.program.name, number), global_text(self.program.name, number, constant_array)
        write: list[Callable[[], None]] = [partial(self.write_kernel, kernel) for kernel in self.cut.kernels]
        write += [partial(self.write_phase, number) for number in range(len(self.phases))]
        write += [self.write_needed, self.write_unit_entry, self.write_run_entry]
        write += [self.write_workspace_entry, self.write_phases_entry, self.write_units_entry]
        for each in write:
            each()
            yield from self.written
            self.written.clear()

    # ---- kernels

    def traits(self, buffer: Buffer) -> tuple[str, str, object]:
        """What the instructions for an array depend on, beside its shape.

        Vectors of 256 bits and more are read from any address as fast as from an aligned one, so one function does for
        arrays of the caller's and of the workspace: the loads of others are operands of what they are for.
        """
        root = self.roots[buffer.name]
        alignment = 0 if self.target.vector_bits >= _WIDE else self.alignment(buffer)
        return root, self.aliases[buffer.name], (alignment, root in self.shared)

    def kernel_name(self, kernel: Kernel) -> str:
        return f"{self.name}.kernel{kernel.number}"

    def write_kernel(self, kernel: Kernel) -> None:
        if self.unwritten.pop(kernel.number, None) is None:
            return
        e = self.emitter()
        form = kernel.first.form
        integers = [V(f"%n{order}", e.index) for order in range(len(form.integers))]
        for value, (name, more) in zip(integers, form.integers, strict=True):
            e.atoms[value.text] = value
            e.integers[name] = {(value.text,): 1, **({(): -more} if more else {})}
            if more >= 0:
                e.unsigned.add(value.text)
        e.pointers = {root: V(f"%b{order}", "ptr") for order, root in enumerate(form.roots)}
        roots = [piece.form.roots for piece in kernel.calls]
        aligned = {root for root, *others in zip(*roots, strict=True) if all(map(self.is_aligned, (root, *others)))}
        for buffer in form.buffers:
            root = self.roots[buffer.name]
            e.places[buffer.name] = self.place(e, buffer, e.pointers[root], root in aligned)
        own = self.calls.pop(id(kernel.first.body[0]))
        e.calls = self.calls
        emit_body(e, kernel.first.body)
        self.calls[id(kernel.first.body[0])] = own
        pointers = [f"ptr{self.mark(root)} %b{order}" for order, root in enumerate(form.roots)]
        pointers += [f"ptr noalias {STATUS}"] * kernel.first.fails
        arguments = ", ".join([*pointers, *(value.typed for value in integers)])
        self.write("internal void", self.kernel_name(kernel), arguments, e, "ret void")

    def call_kernel(self, kernel: Kernel, piece: KernelPiece, e: Emitter) -> KernelCall:
        """The call that stands for a piece."""
        self.write_kernel(kernel)
        arguments = [self.argument(e, root) for root in piece.form.roots]
        arguments += [Argument(f"ptr {STATUS}")] * piece.fails
        arguments += [of_poly("", evaluate(e, IntVar(name) + more)) for name, more in piece.form.integers]
        kind = "tail call" if e.pointers else "call"  # of one kernel by another, whose frame it does not see
        stored = frozenset(map(e.alias, piece.stored))
        return KernelCall(f"{kind} void @{self.kernel_name(kernel)}", tuple(arguments), stored)

    def argument(self, e: Emitter, root: str) -> Argument:
        """The address of a root buffer, fetched at the call unless the caller has it, as so many would not stay in
        registers.
        """
        if root in e.pointers:
            return Argument(e.pointers[root].typed)
        if root in self.globals:
            return Argument(f"ptr {self.globals[root]}")
        number = self.numbers.get(root)
        if number is not None:
            return Argument(number[0], ((),), number[1:])
        return of_poly("%workspace", self.layout(e)[0][root])

    def table(self, numbers: Sequence[int]) -> str:
        """A constant array of the integers of addresses, new in the module."""
        name, index = f'@"{self.name}.numbers{self.tables}"', self.size_type
        self.tables += 1
        elements = ", ".join(f"{index} {n}" for n in numbers)
        text = f"{name} = internal unnamed_addr constant [{len(numbers)} x {index}] [{elements}], align {SIZE[index]}\n"
        self.written.append((name, text))
        return name

    def mark(self, root: str) -> str:
        return "" if root in self.shared else " noalias"

    # ---- phases

    def write_phase(self, number: int) -> None:
        group, phase = self.phases[number]
        e = self.emitter()
        e.calls = self.calls
        index = e.index
        self.bind_dims(e, V("%dims", "ptr"))
        for root in dict.fromkeys(self.roots[name] for name in self.cut.rest[number] if name in self.roots):
            self.bind_buffers(e, root, self.pointer(e, root))
        e.bind(group.var, V("%repeat", index))
        if self.fails[number]:
            e.text.line(f"{STATUS} = alloca i32, align 4")
            e.text.line(f"store i32 {CODES['OK']}, ptr {STATUS}, align 4")
        self.unit_loop(e, phase)
        arguments = ", ".join([_ARRAYS, *(f"{index} %{n}" for n in ("repeat", "begin", "end"))])
        name, kind, leave = f"{self.name}.phase{number}", "internal void", "ret void"
        if self.fails[number]:
            e.text.line(f"%code = load i32, ptr {STATUS}, align 4")
            kind, leave = "internal i32", "ret i32 %code"
        has_work = bool(self.cut.rest[number])  # beside its calls
        self.write(kind, name, arguments, e, leave, None if has_work else self.scope.brief)

    def unit_loop(self, e: Emitter, phase: Phase) -> None:
        """The phase's body, for each unit from %begin to %end."""
        begin, end = V("%begin", e.index), V("%end", e.index)
        count = e.text.binary("sub", end, begin)

        def unit(number: V) -> None:
            e.atoms[number.text], e.atoms[begin.text] = number, begin
            e.unsigned |= {number.text, begin.text}
            e.integers[phase.unit_var] = {(number.text,): 1, (begin.text,): 1}
            emit_body(e, phase.body)

        if known(evaluate(e, phase.units)) == 1:
            e.bind(phase.unit_var, 0)
            some = e.text.binary("icmp sgt", count, constant(0, e.index), "i1")
            e.text.branch(some, lambda: emit_body(e, phase.body))
        else:
            e.text.loop(count, False, e.stored(phase.body), not e.facts(phase.body).loops, unit)

    # ---- entry points

    def write_unit_entry(self) -> None:
        e = self.emitter()
        self.bind_dims(e, V("%dims", "ptr"))
        self.check_workspace(e)
        too_large = e.text.binary(
            "icmp uge", phase_index(e), integer(e, phase_starts(e, self.program.groups)[-1]), "i1"
        )
        self.refuse(e, too_large, CODES["BAD_PHASE"])
        begin, end = self.narrow(e, "%unit_begin"), self.narrow(e, "%unit_end")

        def run(number: int, repeat: V) -> None:
            self.call_phase(e, number, repeat, begin, end)

        dispatch(e, self.program.groups, run)
        arguments = f"{_ARRAYS}, {self.size_type} %workspace_bytes, i32 %phase, i64 %unit_begin, i64 %unit_end"
        self.entry("i32", "", arguments, e, "ret i32 0")

    def write_run_entry(self) -> None:
        e = self.emitter()
        self.bind_dims(e, V("%dims", "ptr"))
        self.check_workspace(e)
        first = 0
        for group in self.program.groups:
            self.run_group(e, group, first)
            first += len(group.phases)
        arguments = f"{_ARRAYS}, {self.size_type} %workspace_bytes"
        self.entry("i32", "_run", arguments, e, "ret i32 0")

    def run_group(self, e: Emitter, group: Group, first: int) -> None:
        def phases(repeat: V | int) -> None:
            e.bind(group.var, repeat)
            number = constant(repeat, e.index) if isinstance(repeat, int) else repeat
            for order, phase in enumerate(group.phases):
                units = integer(e, evaluate(e, phase.units))
                self.call_phase(e, first + order, number, constant(0, e.index), units)

        repeats = evaluate(e, group.repeat)
        size = known(repeats)
        if size is not None and size <= 1:
            for number in range(size):
                phases(number)
        else:
            e.text.loop(integer(e, repeats), size is not None, frozenset(), False, phases)

    def write_needed(self) -> None:
        """The bytes of workspace that a call needs, and all bits where some size is too large: what entries ask."""
        e = self.emitter()
        self.bind_dims(e, V("%dims", "ptr"))
        _, total = self.layout(e)
        size, excess = integer(e, total), self.excess(e, total)
        size = size if excess.constant else e.text.select(excess, constant(-1, e.index), size)
        arguments = "ptr noalias readonly %dims"
        kind, leave = f"internal {self.size_type}", f"ret {size.typed}"
        self.write(kind, f"{self.name}.needed", arguments, e, leave, self.scope.brief)

    def needed(self, e: Emitter) -> V:
        return e.text.define(e.index, 0, f"call {e.index} @{self.name}.needed(ptr %dims)")

    def write_workspace_entry(self) -> None:
        e = self.emitter()
        self.entry(self.size_type, "_workspace_bytes", "ptr %dims", e, f"ret {self.needed(e).typed}")

    def write_phases_entry(self) -> None:
        e = self.emitter()
        self.bind_dims(e, V("%dims", "ptr"))
        total = integer(e, phase_starts(e, self.program.groups)[-1])
        total = e.text.convert("trunc", total, "i32") if total.scalar == "i64" else total
        self.entry("i32", "_phases", "ptr %dims", e, f"ret i32 {total.text}")

    def write_units_entry(self) -> None:
        e = self.emitter()
        self.bind_dims(e, V("%dims", "ptr"))
        result = e.text.alloca("i64", 8)
        e.text.line(f"store i64 0, ptr {result.text}")

        def count(number: int, repeat: V) -> None:
            group, phase = self.phases[number]
            e.bind(group.var, repeat)
            units = integer(e, evaluate(e, phase.units))
            units = e.text.convert("sext", units, "i64") if units.scalar == "i32" else units
            e.text.line(f"store {units.typed}, ptr {result.text}")

        dispatch(e, self.program.groups, count)
        e.text.line(f"%units = load i64, ptr {result.text}")
        self.entry("i64", "_units", "ptr %dims, i32 %phase", e, "ret i64 %units")

    # ---- parts

    def emitter(self) -> Emitter:
        return Emitter(self.target, FunctionText(self.declarations), self.aliases, table=self.table)

    @property
    def size_type(self) -> str:
        return self.emitter().index

    def entry(self, kind: str, suffix: str, arguments: str, e: Emitter, leave: str) -> None:
        self.entries.append(EntryPoint(kind, suffix, arguments))
        kind = f"{self.scope.linkage}{kind}"
        self.write(kind, f"{self.name}{suffix}", arguments, e, leave, self.scope.brief)

    def write(
        self, kind: str, name: str, arguments: str, e: Emitter, leave: str, attributes: int | None = None
    ) -> None:
        """Write a function, after the declarations that are new in it; with attributes of a number, or its scope's."""
        lines = called(e.text.regions[0].lines, self.declarations)
        new = list(islice(self.declarations.items(), self.declared, None))
        self.declared += len(new)
        self.written += ((self.scope.apart(f"@{symbol}"), self.scope.declaration(text)) for symbol, text in new)
        body = "\n  ".join([*e.text.allocas, *lines, leave])
        group = self.scope.group if attributes is None else attributes
        text = f"define {kind} @{name}({arguments}) #{group} {{\nentry:\n  {body}\n}}\n"
        self.written.append((f"@{name}", self.scope.apart(text)))

    def bind_dims(self, e: Emitter, dims: V) -> None:
        """Load the run-time extents."""
        for order, name in enumerate(self.program.dims):
            where = e.text.pure("ptr", 0, f"getelementptr i64, ptr {dims.text}, i64 {order}", 0) if order else dims
            value = e.text.define("i64", 0, f"load i64, ptr {where.text}, align 8")
            e.bind(name, e.text.convert("trunc", value, "i32") if e.index == "i32" else value)

    def narrow(self, e: Emitter, name: str) -> V:
        value = V(name, "i64")
        return e.text.convert("trunc", value, "i32") if e.index == "i32" else value

    def bind_buffers(self, e: Emitter, root: str, pointer: V) -> None:
        """Bind the names of a root buffer and of every view of it."""
        for buffer in self.views[root]:
            e.places[buffer.name] = self.place(e, buffer, pointer)

    def place(self, e: Emitter, buffer: Buffer, pointer: V, aligned: bool = True) -> BufferPlace:
        """Where a buffer lies; as `aligned` as it is here, or as any other that a function is called with."""
        scalar = REGISTER[buffer.dtype]
        strides: list[Poly] = []
        count: Poly = {(): 1}
        for extent in reversed(buffer.shape):
            strides.append(count)
            count = multiply(count, evaluate(e, extent))
        alignment = self.alignment(buffer) if aligned else SIZE[scalar]
        return BufferPlace(pointer, tuple(reversed(strides)), self.aliases[buffer.name], scalar, alignment)

    def alignment(self, buffer: Buffer) -> int:
        """The alignment of a buffer's first element, in bytes."""
        return ALIGNMENT if self.is_aligned(self.roots[buffer.name]) else SIZE[REGISTER[buffer.dtype]]

    def is_aligned(self, root: str) -> bool:
        """Whether a root buffer lies where this library puts it."""
        return self.buffers[root].space in ("workspace", "constant")

    def check_workspace(self, e: Emitter) -> None:
        """Refuse a workspace that is too small."""
        needed = self.needed(e)
        too_small = e.text.binary("icmp ult", V("%workspace_bytes", e.index), needed, "i1")
        too_large = e.text.binary("icmp eq", needed, constant(-1, e.index), "i1")
        self.refuse(e, e.text.binary("or", too_small, too_large), CODES["WORKSPACE_TOO_SMALL"])

    def pointer(self, e: Emitter, root: str) -> V:
        """The address of a root buffer."""
        return address(e, self.argument(e, root))

    def excess(self, e: Emitter, total: Poly) -> V:
        """Whether some size of the call leaves the signed range of addresses: then no workspace is large enough."""
        size, phases = integer(e, total), integer(e, phase_starts(e, self.program.groups)[-1])
        sizes = SizeChecks(e, self.program, 2 ** (8 * SIZE[e.index] - 1) - 1)
        sizes.check(V("%dims", "ptr"))
        if not phases.constant:
            sizes.note(e.text.binary("icmp ugt", phases, constant(MOST_PHASES, phases.scalar), "i1"))
        if not size.constant:
            sizes.note(e.text.binary("icmp slt", size, constant(0, size.scalar), "i1"))
        return sizes.excess

    def layout(self, e: Emitter) -> tuple[dict[str, Poly], Poly]:
        """Byte offsets of the workspace buffers, and their sum."""
        if e.layout is None:
            e.layout = layout(e, self.program.workspace)
        return e.layout

    def refuse(self, e: Emitter, condition: V, code: int) -> None:
        if not condition.constant:
            self.leave_if(e, condition, constant(code, "i32"))

    def leave_if(self, e: Emitter, condition: V, code: V) -> None:
        """Return a code where the condition holds."""
        refuse, go_on = e.text.name("refuse")[1:], e.text.name("go")[1:]
        e.text.line(f"br i1 {condition.text}, label %{refuse}, label %{go_on}")
        e.text.line(f"{refuse}:")
        e.text.line(f"ret {code.typed}")
        e.text.line(f"{go_on}:")
        e.text.regions[-1].label = go_on

    def call_phase(self, e: Emitter, number: int, repeat: V, begin: V, end: V) -> None:
        arguments = ", ".join([_PASSED, repeat.typed, begin.typed, end.typed])
        phase = f"@{self.name}.phase{number}({arguments})"
        if not self.fails[number]:
            e.text.line(f"call void {phase}")
            return
        code = e.text.define("i32", 0, f"call i32 {phase}")
        self.leave_if(e, e.text.define("i1", 0, f"icmp ne i32 {code.text}, 0"), code)


_WIDE = 256  # bits of a vector
_ARRAYS = "ptr noalias readonly %in, ptr noalias readonly %out, ptr noalias readonly %dims, ptr %workspace"
_PASSED = "ptr %in, ptr %out, ptr %dims, ptr %workspace"


def _buffers(program: Program) -> dict[str, Buffer]:
    constants = (constant_array.buffer for constant_array in program.constants)
    return {buffer.name: buffer for buffer in (*program.inputs, *program.outputs, *program.workspace, *constants)}
