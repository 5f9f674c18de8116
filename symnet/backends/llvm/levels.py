"""Code for several levels of x86-64 in one module, one of which is chosen where it runs.

In: a program scheduled for each level.  Out: the text of a module with the entry points of `program.py`, each of which
calls the one of the level chosen, and one more, `int32_t NAME_processor(void)`, which says the level's number.

All that may differ between levels (the size of the workspace, phases, units) is asked through the same choice, which is
one and the same as long as the process runs (`detection.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symnet.backends.llvm.detection import LEVELS, detection_text
from symnet.backends.llvm.modules import EntryPoint, Scope, module_chunks
from symnet.backends.llvm.program import emit_part
from symnet.errors import CompileError, explain
from symnet.loops.ir import Program
from symnet.schedule.target import Target, level_number


def level_chunks(
    programs: Sequence[Program], target: Target, donated: tuple[tuple[str, str], ...] = ()
) -> Iterator[str]:
    """The text of a module of one program for each of the targets: the lowest, and those above it; chunk by chunk."""
    targets = (target, *target.higher)
    _check(targets)
    name, cpus = programs[0].name, [each.cpu for each in targets]
    parts = [
        emit_part(program, each, donated, Scope(level_name(each.cpu), group))
        for group, (program, each) in enumerate(zip(programs, targets, strict=True))
    ]

    def choosing() -> str:
        return "\n".join([*detection_text(name, cpus), *(_choosing(name, each, cpus) for each in parts[0].entries)])

    return module_chunks(name, target, parts, choosing)


def level_name(cpu: str) -> str:
    """`v3` for `x86-64-v3`."""
    return f"v{level_number(cpu)}"


def _check(targets: Sequence[Target]) -> None:
    """Refuse what are no levels of one machine, in ascending order.

    Raises:
        CompileError: naming them.
    """
    cpus = [each.cpu for each in targets]
    ascending = sorted(set(cpus) & set(LEVELS), key=level_number)
    if cpus != ascending or targets[0].architecture != "x86_64" or len({each.triple for each in targets}) > 1:
        got = ", ".join(f"{each.cpu or 'no CPU'} of {each.triple}" for each in targets)
        expected = f"ascending levels of one x86-64 machine, of {', '.join(LEVELS)}"
        raise CompileError(explain("compile(target=…)", expected, got, "Write portable_target(triple)."))


def _choosing(name: str, entry: EntryPoint, cpus: Sequence[str]) -> str:
    """An entry point that calls the one of the level chosen, by a jump."""
    kind, suffix, arguments = entry
    passed = ", ".join(f"{words[0]} {words[-1]}" for words in map(str.split, arguments.split(", ")))
    levels = [level_name(cpu) for cpu in cpus]
    cases = " ".join(f"i32 {level[1:]}, label %{level}" for level in levels[1:])
    lines = [
        f"define {kind} @{name}{suffix}({arguments}) #0 {{",
        "entry:",
        f"  %chosen = call i32 @{name}.chosen()",
        f"  switch i32 %chosen, label %{levels[0]} [ {cases} ]",
    ]
    for level in levels:
        callee = f"@{Scope(level).name(name)}{suffix}"
        lines += [f"{level}:", f"  %of.{level} = tail call {kind} {callee}({passed})", f"  ret {kind} %of.{level}"]
    return "\n".join([*lines, "}", ""])
