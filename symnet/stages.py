"""The stages between a request and machine code, listed once: what each is called, does, and shows.

In: a `Request`.  Out: `Stages`, the record of what every stage gave; `run` makes it, as far as it is asked to.
Where the environment has SYMNET_VERIFY=1, as in all of our tests, what a stage gives is examined before the next one
takes it: a pass that is wrong is caught where it was wrong.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from symnet import dtypes
from symnet.arrays import Contents
from symnet.calculus.grad import grad
from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.constants import array_node
from symnet.expr.nodes.graph import substitute
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, reals
from symnet.factoring import factored
from symnet.loops.integer_text import buffer_text
from symnet.loops.ir import Program
from symnet.loops.order import check_order
from symnet.loops.printer import stmt_line
from symnet.loops.verifier import verify
from symnet.loops.work import Work
from symnet.lower.program import Lowered, lower, naive_program
from symnet.request import Request, host
from symnet.runtime.donated import Donated
from symnet.runtime.template import Template
from symnet.schedule.budget import Excess, within
from symnet.schedule.donation import computed_apart, late_read
from symnet.schedule.program import schedule
from symnet.schedule.reuse import reused
from symnet.schedule.target import Target
from symnet.schedule.work import work
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric
from symnet.simplify.numeric.singularities.whole_functions import whole_functions
from symnet.simplify.sealing import sealed


@dataclass(frozen=True, repr=False)
class Stages:
    """What every stage gave; what comes after the last one that ran is empty.

    Attributes:
        name, outputs, leaves, real: of the function: C name, output names, inputs in order, dtype of weak values.
        target: the machine; this one from the schedule on, where none was named.
        template: how the outputs are handed back.
        baked: the leaves that are constants, and no inputs of the function, with their elements.
        donated, copies: inputs and the positions of outputs that may be computed in their arrays; whether those that
            would come too early are computed apart.
        max_workspace: bytes that the workspace may have, where that was said.
        asked: the expressions that the call named; their factors are the roots where they are compressed.
        written, formula, numeric: the roots as written, in algebra form, in numeric form.
        lowered, program, llvm_ir, object_code: the floors below; `work` is what a call of the code does.
        higher: the program as it was scheduled for each of the target's higher processors.
        seconds: time of each stage.
    """

    name: str
    target: Target | None
    outputs: tuple[str, ...] = ()
    leaves: tuple[Tensor, ...] = ()
    real: str = dtypes.DEFAULT_REAL
    template: Template = 0
    baked: tuple[tuple[str, Contents], ...] = ()
    donated: Donated = ()
    copies: bool = False
    max_workspace: int | None = None
    asked: tuple[Node, ...] = ()
    written: tuple[Node, ...] = ()
    formula: tuple[Node, ...] = ()
    numeric: tuple[Node, ...] = ()
    lowered: Lowered | None = None
    program: Program | None = None
    higher: tuple[Program, ...] = ()
    llvm_ir: str = ""
    object_code: bytes = b""
    work: Work | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        times = ", ".join(f"{stage} {1e3 * s:.0f} ms" for stage, s in self.seconds.items())
        return f"<stages of {self.name}({', '.join(leaf.name for leaf in self.leaves)}): {times}>"

    def after(self, verb: str, work: Callable[[Stages], dict[str, Any]]) -> Stages:
        """The record with what a piece of work adds to it, and the time it took; that of a part of it is apart."""
        begin = time.perf_counter()
        made = work(self)
        parts = made.pop("seconds", {})
        seconds = self.seconds.get(verb, 0.0) + time.perf_counter() - begin - sum(parts.values())
        return replace(self, **made, seconds={**self.seconds, **parts, verb: seconds})


class Stage(NamedTuple):
    """A row of the table.

    Attributes:
        name: what `stop_after=` calls it; verb: what reports call it.
        run: record → the fields that it adds.
        shown: what `stop_after=` returns, of the record.
    """

    name: str
    verb: str
    run: Callable[[Stages], dict[str, Any]]
    shown: Callable[[Stages], Any]


# --------------------------------------------------------------------------- what each does


def _simplify(s: Stages) -> dict[str, Any]:
    return {"formula": tuple(simplify(sealed(whole_functions(s.written))))}


def _numeric(s: Stages) -> dict[str, Any]:
    return {"numeric": tuple(numeric(s.formula))}


def _lower(s: Stages) -> dict[str, Any]:
    constants = dict(s.baked)
    change: dict[Node, Node] = {x: array_node(constants[x.name]) for x in s.leaves if x.name in constants}
    roots, asked = (substitute(nodes, change) if change else nodes for nodes in (s.numeric, s.asked))
    leaves = [x for x in s.leaves if x not in change]
    return {"lowered": lower(s.name, roots, s.outputs, leaves, s.real, asked)}


def _schedule(s: Stages) -> dict[str, Any]:
    assert s.lowered is not None
    target = s.target or host()
    program, *higher = _scheduled(s, s.lowered, (target, *target.higher))
    if _verifies():
        for each in (program, *higher):
            check_order(each)
    return {"target": target, "program": program, "higher": tuple(higher)}


def _scheduled(s: Stages, lowered: Lowered, targets: Sequence[Target]) -> Sequence[Program]:
    """The programs for some machines, within the budget where there is one.

    Raises:
        ArgumentError: no workspace is as small as that.
    """
    if s.max_workspace is None:
        return [_of_target(s, lowered, each) for each in targets]
    found = within(partial(_of_target, s, lowered), targets, s.max_workspace)
    if not isinstance(found, Excess):
        return found
    call = f"{s.name}.export(…, max_workspace={s.max_workspace})"
    expected = f"a workspace of at most {s.max_workspace} bytes, whatever the extents"
    if found.least is None:
        mend = "Leave it out and ask NAME_workspace_bytes, or write the extents as numbers."
        raise ArgumentError(explain(call, expected, f"one that grows: it holds {found.grows}", mend))
    got = f"one of {found.least} bytes with one row at a time, the least possible"
    raise ArgumentError(explain(call, expected, got, f"Write max_workspace={found.least}."))


def _emit(s: Stages) -> dict[str, Any]:
    from symnet.backends.llvm.modules import module_text

    made, chunks = _emitted(s)
    return {**made, "llvm_ir": module_text(chunks)}


def _assemble(s: Stages) -> dict[str, Any]:
    """LLVM's text and machine code, which is made of what is written while the rest is being written."""
    from symnet.backends.llvm import codegen

    made, chunks = _emitted(s)
    spent = {"emit": 0.0}
    program = made["program"]
    counted: list[Work] = []
    text, code = codegen.compile_emitted(
        _timed(chunks, spent), s.target or host(), program.constants, lambda: counted.append(work(program))
    )
    return {**made, "llvm_ir": text, "object_code": code, "work": counted[0], "seconds": spent}


def _emitted(s: Stages) -> tuple[dict[str, Any], Iterator[str]]:
    """What is known before LLVM's text is written, and the text in chunks."""
    from symnet.backends.llvm import codegen

    assert s.program is not None and s.lowered is not None
    program, *higher = (_verified(reused(each)) for each in (s.program, *s.higher))
    pairs = _pairs(s, (program, *higher))
    signature = replace(s.lowered.signature, donated=pairs)
    made = {"lowered": replace(s.lowered, signature=signature), "program": program, "higher": tuple(higher)}
    return made, codegen.emitted(program, s.target, pairs, higher)


def _timed(chunks: Iterator[str], spent: dict[str, float]) -> Iterator[str]:
    """The chunks; how long the writing of them takes is added up."""
    while True:
        begin = time.perf_counter()
        chunk = next(chunks, None)
        spent["emit"] += time.perf_counter() - begin
        if chunk is None:
            break
        yield chunk


def _of_target(s: Stages, lowered: Lowered, target: Target, most_rows: int | None = None) -> Program:
    """The program for a machine, which copies at its end what would overwrite donated inputs too early, where that is
    asked for.
    """
    program = schedule(lowered, target, most_rows)
    pairs = [(source, s.outputs[position]) for source, position in s.donated] if s.copies else []
    early = [result for source, result in pairs if late_read(program, source, result) is not None]
    return computed_apart(program, early, target) if early else program


def _pairs(s: Stages, programs: Sequence[Program]) -> tuple[tuple[str, str], ...]:
    """The names of inputs, and of the outputs that are computed in their arrays.

    Raises:
        ArgumentError: saying which read may come too late.
    """
    assert s.lowered is not None
    pairs = tuple((source, s.outputs[position]) for source, position in s.donated)
    for source, result in pairs:
        call = f"compile(…, donate={{{source!r}: {result!r}}})"
        inputs, outputs = ({b.name: b for b in each} for each in (s.lowered.inputs, s.lowered.outputs))
        given, made = inputs[source], outputs[result]
        if (given.dtype, given.shape) != (made.dtype, made.shape):
            expected, got = f"two arrays of one dtype and shape, as {buffer_text(given)} is", buffer_text(made)
            raise ArgumentError(explain(call, expected, got, "Donate another input, or none."))
        late = next((found for each in programs if (found := late_read(each, source, result))), None)
        if late is not None:
            expected = f"every element of {source} to be read before its place in {result} is written"
            got = f"`{stmt_line(late.read)}` in phase {late.reads_in}, after writes of phase {late.writes_in}, perhaps"
            mend = f"Leave {source!r} out of donate=, or compute what reads it apart."
            raise ArgumentError(explain(call, expected, got, mend))
    return pairs


def _loops(s: Stages) -> Program:
    assert s.lowered is not None
    return _verified(naive_program(s.lowered))


def _verified(program: Program) -> Program:
    """The program, examined where that is asked for."""
    if _verifies():
        verify(program)
        check_order(program)
    return program


def unit_of(s: Stages, target: Target | None = None) -> str:
    """The C of a program, for the machine that it was made for or for another one."""
    from symnet.backends.c99.program import emit_program

    assert s.lowered is not None and s.program is not None and s.target is not None
    if target is None or target == s.target:
        return emit_program(s.program, s.target, s.lowered.signature.donated)
    program = _verified(reused(_of_target(s, s.lowered, target)))
    return emit_program(program, target, _pairs(s, (program,)))


def check_source_target(call: str, library: str, target: object) -> None:
    """Refuse a target where none is asked for, and what is none.

    Raises:
        ArgumentError: for either.
    """
    if not isinstance(library, str) or library != "c":
        raise ArgumentError(explain(call, 'a target with "c" alone', repr(library), "Leave target= out."))
    if not isinstance(target, Target | str):
        mend = 'Write target="aarch64-linux-gnu", or another triple or CPU.'
        raise ArgumentError(explain(call, "a machine by name, or a Target", repr(target), mend))


def _verifies() -> bool:
    return os.environ.get("SYMNET_VERIFY", "0") not in ("", "0")


STAGES = (
    Stage("simplify", "simplify", _simplify, lambda s: s.formula),
    Stage("numeric", "numeric", _numeric, lambda s: s.numeric),
    Stage("loops", "lower", _lower, _loops),
    Stage("schedule", "schedule", _schedule, lambda s: s.program),
    Stage("llvm", "emit", _emit, lambda s: s.llvm_ir),
)
STOPS = tuple(stage.name for stage in STAGES)
_WHOLE = (*STAGES[:-1], Stage("object", "assemble", _assemble, lambda s: s.object_code))  # LLVM's two at the same time


# --------------------------------------------------------------------------- all of them


def run(request: Request, stop: str = STAGES[-1].name, assembled: bool = False) -> Stages:
    """The stages in order, as far as `stop`, or as far as machine code."""
    record = begun(request)
    for stage in _WHOLE if assembled else STAGES:
        record = record.after(stage.verb, stage.run)
        if stage.name == stop:
            break
    return record


def resumed(earlier: Stages, request: Request, assembled: bool = False) -> Stages:
    """The stages of the same function under another name, for another machine or with constants: from the loops on
    where it has other constants, from the schedule on where not.  As far as machine code, or not.
    """
    assert earlier.lowered is not None
    first = "schedule" if request.baked == earlier.baked else "loops"
    later = (_WHOLE if assembled else STAGES)[STOPS.index(first) :]
    verbs = {"emit", "assemble", *(stage.verb for stage in later)}
    record = replace(
        earlier,
        name=request.name,
        target=request.target,
        baked=request.baked,
        donated=request.donated,
        copies=request.copies,
        max_workspace=request.max_workspace,
        lowered=replace(
            earlier.lowered, name=request.name, signature=replace(earlier.lowered.signature, name=request.name)
        ),
        object_code=b"",
        seconds={verb: time for verb, time in earlier.seconds.items() if verb not in verbs},
    )
    for stage in later:
        record = record.after(stage.verb, stage.run)
    return record


def shown(request: Request, stop: str) -> Any:
    """What stands after a stage: of one expression itself, of several a list."""
    found = next(stage for stage in STAGES if stage.name == stop).shown(run(request, stop))
    if isinstance(found, tuple):
        return found[0] if request.template == 0 and not request.compressed else list(found)
    return found


def begun(request: Request) -> Stages:
    """What comes before all stages: differentiation, real leaves in the requested dtype, factors."""
    record = Stages(
        request.name,
        request.target,
        baked=request.baked,
        donated=request.donated,
        copies=request.copies,
        max_workspace=request.max_workspace,
    )
    record = record.after("differentiate", partial(_differentiate, request))
    return record.after("simplify", partial(_factor, request)) if request.compressed else record


def _differentiate(request: Request, _: Stages) -> dict[str, Any]:
    leaves = request.inputs()
    roots, by = list(request.written), list(request.wrt)
    real = _real(request, roots)
    if request.dtype is not None:  # before derivation: what it gives is in normal form, which new leaves would not be
        change: dict[Node, Node] = {x: x.retyped(real) for x in reals(*roots, *by, *leaves)}
        changed = substitute([*roots, *by], change)
        roots, by = changed[: len(roots)], changed[len(roots) :]
        leaves = [change.get(leaf, leaf) for leaf in leaves]  # a leaf retyped is a leaf
    if by:
        roots += grad(roots[0], by, absent=request.absent)
    return {
        "leaves": tuple(leaves),
        "real": real,
        "asked": tuple(roots),
        "written": tuple(roots),
        "template": request.template,
        "outputs": _beside(leaves, request.names),
    }


def _factor(request: Request, s: Stages) -> dict[str, Any]:
    """The factors of the expressions in their place."""
    roots, names, template = factored(s.asked, request.names, request.template, s.real)
    return {"written": tuple(roots), "template": template, "outputs": _beside(s.leaves, names)}


def _beside(leaves: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of outputs, none of which is an input's."""
    taken = {leaf.name for leaf in leaves}
    return tuple(f"{name}_out" if name in taken else name for name in names)


def _real(request: Request, roots: list[Node]) -> str:
    """The dtype in which weak values are computed."""
    if request.dtype is None:
        return next((str(x.dtype) for x in reals(*roots)), dtypes.DEFAULT_REAL)
    call = f"{request.call}(…, dtype={request.dtype!r})"
    real = dtypes.check(request.dtype, call)
    if real not in dtypes.REAL:
        raise ArgumentError(explain(call, "float32 or float64", real, 'Write dtype="float32".'))
    return real
