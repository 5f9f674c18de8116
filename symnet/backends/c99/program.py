"""A scheduled program → one unit of C99 with its entry points.

In: `Program`, `Target`.  Out: text, to be compiled in the place of the object that LLVM makes: it has the same
functions (`docs/c-abi.md`) and computes the same bits,

- `int32_t NAME(in, out, dims, workspace, workspace_bytes, phase, unit_begin, unit_end)`: some units of one phase;
- `int32_t NAME_run(in, out, dims, workspace, workspace_bytes)`: everything, serially;
- `size_t NAME_workspace_bytes(dims)`, `int32_t NAME_phases(dims)`, `int64_t NAME_units(dims, phase)`;

for a target of several levels of x86-64 `int32_t NAME_processor(void)`, which says the lowest, whose code this is;
and the constants `NAME_digest`, which says nothing, and `NAME_abi`.  Each phase is a static function over a range of
units (`phases.py`).  Nothing is allocated, nothing global is written, no library is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from symnet.backends.c99.data import array_text
from symnet.backends.c99.emitter import INDENT, CEmitter, CUnit, comment, words
from symnet.backends.c99.integers import evaluate, poly_text
from symnet.backends.c99.phases import PhaseWriter, whole_function
from symnet.backends.c99.sizes import check_sizes
from symnet.loops.abi import ABI, BLANK_STAMP, CODES, STAMP_BYTES
from symnet.loops.integer_text import buffer_text
from symnet.loops.ir import Buffer, Group, Program
from symnet.loops.polynomials import Poly, add, known, multiply
from symnet.loops.sizes import MOST_PHASES, refuse_static
from symnet.schedule.target import Target, level_number

_ARRAYS = """\
const void *const *in, void *const *out, const int64_t *dims,
    void *workspace, size_t workspace_bytes"""


def emit_program(program: Program, target: Target, donated: tuple[tuple[str, str], ...] = ()) -> str:
    """The text of the unit of a scheduled program.

    `donated` holds pairs (input, output) that may be one array.
    """
    refuse_static(program, 32 if target.is_narrow else 64)
    return _UnitWriter(program, target, donated).text()


class _UnitWriter:
    def __init__(self, program: Program, target: Target, donated: tuple[tuple[str, str], ...]) -> None:
        self.program, self.name = program, program.name
        self.unit = CUnit(program.name, target)
        for name in program.dims:
            self.unit.names.of("integer", name)
        self.phases = PhaseWriter(self.unit, program, donated)

    def text(self) -> str:
        phases = self.phases.text()
        entries = [self.workspace_entry(), self.phases_entry(), self.units_entry(), self.unit_entry(), self.run_entry()]
        stamp = f'const char {self.name}_digest[{STAMP_BYTES}] = "{BLANK_STAMP}";'
        stamp += f"\nconst int32_t {self.name}_abi = {ABI};"
        head = [self.head(), _GUARDS, self.prototypes(), stamp, *self.processor_entry()]
        parts = [*head, *self.called([*phases, *entries]), *phases, *entries]
        return "\n\n".join(parts) + "\n"

    def called(self, texts: list[str]) -> list[str]:
        """The arrays and the small functions that texts name, and those that these name: each after what it names."""
        data = {self.phases.arrays.globals[c.buffer.name]: c for c in self.program.constants}
        own = {name: array_text(name, constant) for name, constant in data.items()} | self.unit.functions
        used, kept = words(texts), []
        for name, text in reversed(own.items()):
            if name in used:
                used |= words([text])
                kept.append(text)
        return kept[::-1]

    # ---- the beginning

    def head(self) -> str:
        program, target = self.program, self.unit.target
        machine = f"{target.triple} {target.cpu or target.features}".strip()
        fused = "with" if target.fma else "without"
        options = "-std=c99 -O3 -ffp-contract=off -fno-math-errno"
        lines = [
            f"{program.name}: {_listed(program.inputs)}",
            f"-> {_listed(program.outputs)}.",
            "",
            "Written by symnet, whose docs/c-abi.md describes the interface.  Arrays are row-major.",
            f"For {machine}, {fused} fused multiply-add.  Compile it with",
            f"{options} and the options of that machine.",
            *([""] + [f"Note: {note}." for note in program.notes] if program.notes else []),
        ]
        return "/* " + comment("\n".join(f"   {line}".rstrip() for line in lines)).lstrip() + " */"

    def prototypes(self) -> str:
        name = self.name
        return "\n".join(
            [
                f"extern const char {name}_digest[{STAMP_BYTES}];",
                f"extern const int32_t {name}_abi;",
                f"size_t {name}_workspace_bytes(const int64_t *dims);",
                f"int32_t {name}_phases(const int64_t *dims);",
                f"int64_t {name}_units(const int64_t *dims, int32_t phase);",
                f"int32_t {name}({_ARRAYS},\n    int32_t phase, int64_t unit_begin, int64_t unit_end);",
                f"int32_t {name}_run({_ARRAYS});",
                *([f"int32_t {name}_processor(void);"] if self.unit.target.higher else []),
            ]
        )

    # ---- entry points

    def processor_entry(self) -> list[str]:
        """Where the object chooses between levels: this unit is the code of the lowest."""
        target = self.unit.target
        if not target.higher:
            return []
        return [f"int32_t {self.name}_processor(void)\n{{\n{INDENT}return {level_number(target.cpu)};\n}}"]

    def workspace_entry(self) -> str:
        e = self.emitter()
        _, total = self.phases.layout(e)
        if known(total) is not None and not self.program.dims:
            e.line(f"return {poly_text(total)};")
        else:
            e.line("bool excess = false;")
            check_sizes(e, self.program)
            phases = self.phase_starts(e)[-1]
            if known(phases) is None:
                e.line(f"excess |= (uint64_t)({poly_text(phases)}) > {MOST_PHASES};")
            e.line("if (excess)")
            e.line(f"{INDENT}return (size_t)-1;")
            e.line(f"const int64_t total = {poly_text(total)};")
            e.line("return total < 0 ? (size_t)-1 : (size_t)total;")
        return self.function(e, f"size_t {self.name}_workspace_bytes(const int64_t *dims)")

    def phases_entry(self) -> str:
        e = self.emitter()
        e.line(f"return (int32_t)({poly_text(self.phase_starts(e)[-1])});")
        return self.function(e, f"int32_t {self.name}_phases(const int64_t *dims)")

    def units_entry(self) -> str:
        e = self.emitter()

        def count(number: int) -> str:
            return f"return {poly_text(evaluate(e, self.phases.phases[number].units))};"

        self.dispatch(e, count)
        e.line("return 0;")
        return self.function(e, f"int64_t {self.name}_units(const int64_t *dims, int32_t phase)")

    def unit_entry(self) -> str:
        e = self.emitter()
        self.check_workspace(e)

        def call(number: int) -> str:
            return f"return {self.phases.call(number, self.repeat_of(number), 'unit_begin', 'unit_end')};"

        self.dispatch(e, call)
        e.line(f"return {CODES['BAD_PHASE']}; /* no such phase */")
        arguments = f"{_ARRAYS},\n    int32_t phase, int64_t unit_begin, int64_t unit_end"
        return self.function(e, f"int32_t {self.name}({arguments})")

    def run_entry(self) -> str:
        e = self.emitter()
        self.check_workspace(e)
        e.line(f"int32_t status = {CODES['OK']};")
        first = 0
        for group in self.program.groups:
            self.run_group(e, group, first)
            first += len(group.phases)
        e.line("return status;")
        return self.function(e, f"int32_t {self.name}_run({_ARRAYS})")

    # ---- parts

    def emitter(self) -> CEmitter:
        """A function's, which knows the extents."""
        e = CEmitter(self.unit)
        for name in self.program.dims:
            e.variable(name)
        return e

    def function(self, e: CEmitter, head: str) -> str:
        return whole_function(head, [self.unit.names.of("integer", name) for name in self.program.dims], e)

    def check_workspace(self, e: CEmitter) -> None:
        e.line(f"const size_t needed = {self.name}_workspace_bytes(dims);")
        e.line("if (needed == (size_t)-1 || workspace_bytes < needed)")
        e.line(f"{INDENT}return {CODES['WORKSPACE_TOO_SMALL']}; /* the workspace is too small */")

    def phase_starts(self, e: CEmitter) -> list[Poly]:
        """The number of the first run of every group, and how many runs there are."""
        starts: list[Poly] = [{}]
        for group in self.program.groups:
            starts.append(add(starts[-1], multiply(evaluate(e, group.repeat), {(): len(group.phases)})))
        return starts

    def repeat_of(self, number: int) -> str:
        return self.unit.names.of("integer", self.phases.groups[number].var)

    def dispatch(self, e: CEmitter, write: Callable[[int], str]) -> None:
        """What `write` says for the phase that `phase` numbers, its repetition a variable."""
        e.line("int64_t run = phase;")
        first = 0
        for group in self.program.groups:
            variable, count = e.variable(group.var), len(group.phases)
            cases = self.cases(group, [write(first + order) for order in range(count)])
            runs = poly_text(multiply(evaluate(e, group.repeat), {(): count}))
            with e.block(f"if (run >= 0 && run < {runs})"):
                if variable in words(cases):
                    e.line(f"const int64_t {variable} = run{f'/{count}' if count > 1 else ''};")
                for line in cases:
                    e.line(line)
            first += count
            if first < len(self.phases.phases):
                e.line(f"run -= {runs};")

    def cases(self, group: Group, lines: list[str]) -> list[str]:
        """A line for each phase of a group, chosen by the number of the run."""
        names = [f"/* {comment(phase.name)} */" for phase in group.phases]
        if len(lines) == 1:
            return [f"{lines[0]} {names[0]}"]
        found = []
        for order, (line, name) in enumerate(zip(lines, names, strict=True)):
            found += [f"case {order}: {name}" if order < len(lines) - 1 else f"default: {name}", INDENT + line]
        return [f"switch (run % {len(lines)}) {{", *found, "}"]

    def run_group(self, e: CEmitter, group: Group, first: int) -> None:
        repeats = evaluate(e, group.repeat)
        once = known(repeats) == 1
        variable = e.variable(group.var)
        if once:
            e.bind(group.var, 0)
        with e.block("" if once else f"for (int64_t {variable} = 0; {variable} < {poly_text(repeats)}; ++{variable})"):
            for order in range(len(group.phases)):
                phase = group.phases[order]
                units = poly_text(evaluate(e, phase.units))
                e.line(f"status = {self.phases.call(first + order, '0' if once else variable, '0', units)};")
                e.line(f"if (status != {CODES['OK']})")
                e.line(f"{INDENT}return status;")


def _listed(buffers: Iterable[Buffer]) -> str:
    return ", ".join(map(buffer_text, buffers)) or "nothing"


_GUARDS = """\
#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__FAST_MATH__) || (FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16 && FLT_EVAL_METHOD != 32)
#error "numbers must be rounded as they are written: no -ffast-math, no arithmetic in 80 bits"
#endif
#if defined(__clang__) || !defined(__GNUC__)
#pragma STDC FP_CONTRACT OFF
#endif"""
