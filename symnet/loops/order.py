"""Is every workspace buffer written before it is read?  A schedule that runs a consumer first would compute nonsense.

In: a `Program`.  Out: the first read, in the order in which a program runs, of workspace memory that nothing has
written yet, None where there is none; or an error that quotes it.
Not handled: which elements were written; the interpreter fills its memory with poison for that.
"""

from __future__ import annotations

from typing import NamedTuple

from symnet.errors import CompileError, explain
from symnet.loops import ir
from symnet.loops.accesses import reads_of
from symnet.loops.printer import buffer_text, stmt_line


class EarlyRead(NamedTuple):
    """A statement of a stage that reads a buffer too early."""

    stage: ir.Stage
    stmt: ir.Stmt
    buffer: ir.Buffer


def early_read(program: ir.Program) -> EarlyRead | None:
    """The first read of workspace memory that nothing has written before."""
    views = {b.name: b.view_of for b in (*program.inputs, *program.outputs, *program.workspace)}
    written = {b.name for b in (*program.inputs, *(c.buffer for c in program.constants))}

    def root(name: str) -> str:
        while (base := views.get(name)) is not None:
            name = base
        return name

    for _, stage in program.phases():
        for stmt in ir.walk(stage.body):
            combined = [stmt.buffer] if isinstance(stmt, ir.Store) and stmt.combine is not None else []
            for buffer in (*(read for read, _ in reads_of(stmt)), *combined):
                if buffer.space != "register" and root(buffer.name) not in written:
                    return EarlyRead(stage, stmt, buffer)
            if isinstance(stmt, ir.Store):
                written.add(root(stmt.buffer.name))
    return None


def check_order(program: ir.Program) -> None:
    """Raises: CompileError, quoting a statement that reads what nothing has written."""
    early = early_read(program)
    if early is not None:
        place = f"program {program.name}, stage {early.stage.name}: `{stmt_line(early.stmt)}`"
        got = f"nothing stored to {buffer_text(early.buffer)} before"
        raise CompileError(explain(place, "reads of what earlier statements wrote", got, "Run the producer first."))
