"""Programs as readable pseudo-code: what `f.loops` shows, and what golden tests compare.

In: a `Program`, a statement, a value, an integer expression.  Out: text, the same for the same program,
whatever the machine.

Not handled: reading the text back; it is for people.  Values are printed by recursion, so they must be shallow
(`lower/` binds what it shares, and long chains, with `Let`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from symnet.loops import ir
from symnet.loops.integer_text import (
    AND,
    ATOM,
    COMPARE,
    NOT,
    OR,
    PRODUCT,
    SIGN,
    SUM,
    PrecedentText,
    buffer_text,
    element_text,
    int_text,
    joined,
    unknown,
    wrapped,
)

INDENT = "  "
COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
COMBINES = {None: "=", "add": "+=", "mul": "*=", "max": "max=", "min": "min="}

_INFIX: dict[str, tuple[str, int]] = {
    "or": ("or", OR),
    "and": ("and", AND),
    "add": ("+", SUM),
    "sub": ("-", SUM),
    "mul": ("*", PRODUCT),
    "div": ("/", PRODUCT),
    **{name: (symbol, COMPARE) for name, symbol in COMPARISONS.items()},
}
_PREFIX: dict[str, tuple[str, int]] = {"neg": ("-", SIGN), "not": ("not ", NOT)}


def to_text(program: ir.Program) -> str:
    """The whole program, one statement a line, without a newline at the end."""
    return "\n".join(_program_lines(program))


def value_text(value: ir.Value) -> str:
    """A value: `exp(Z[i, j] - shift)`."""
    return _value(value)[0]


def stmt_line(stmt: ir.Stmt) -> str:
    """The first line of a statement, as errors quote it."""
    return next(_stmt_lines(stmt))


# --------------------------------------------------------------------------- values


def _value(value: ir.Value) -> PrecedentText:
    return _VALUE.get(type(value), unknown)(value)


def _const(value: ir.Const) -> PrecedentText:
    text = repr(value.value)
    return text, SIGN if text.startswith("-") else ATOM


def _var(value: ir.Var) -> PrecedentText:
    return value.name, ATOM


def _load(value: ir.Load) -> PrecedentText:
    return element_text(value.buffer, value.index), ATOM


def _from_int(value: ir.FromInt) -> PrecedentText:
    return f"{value.dtype}({int_text(value.value)})", ATOM


def _op(value: ir.Op) -> PrecedentText:
    if value.name in _INFIX and len(value.args) == 2:
        symbol, level = _INFIX[value.name]
        tighter = level + 1  # `a - (b - c)` keeps its parentheses, and so does `a + (b + c)`: the order rounds
        least = tighter if level == COMPARE else level
        return f"{wrapped(_value(value.args[0]), least)} {symbol} {wrapped(_value(value.args[1]), tighter)}", level
    if value.name in _PREFIX and len(value.args) == 1:
        symbol, level = _PREFIX[value.name]
        return f"{symbol}{wrapped(_value(value.args[0]), level + 1)}", level
    name = value.dtype if value.name == "cast" else value.name
    return f"{name}({', '.join(value_text(arg) for arg in value.args)})", ATOM


_VALUE: dict[type, Callable[[Any], PrecedentText]] = {
    ir.Const: _const,
    ir.Var: _var,
    ir.Load: _load,
    ir.FromInt: _from_int,
    ir.Op: _op,
}


# --------------------------------------------------------------------------- statements


def _body_lines(body: ir.Body) -> Iterator[str]:
    for stmt in body:
        for line in _stmt_lines(stmt):
            yield INDENT + line


def _stmt_lines(stmt: ir.Stmt) -> Iterator[str]:
    return _STMT[type(stmt)](stmt) if type(stmt) in _STMT else iter([unknown(stmt)[0]])


def _for(stmt: ir.For) -> Iterator[str]:
    extent = int_text(stmt.extent)
    kind = stmt.kind if stmt.cut is None else f"{stmt.kind} of {stmt.cut.lanes}"
    marks = [kind] if kind != "serial" else []
    if stmt.bound is not None and stmt.extent != ir.IntConst(stmt.bound):
        marks.append(f"at most {stmt.bound}")
    if stmt.axis is not None and stmt.axis != extent:
        marks.append(f"along {stmt.axis}")
    yield f"for {stmt.var} in {extent}{' (' + ', '.join(marks) + ')' if marks else ''}:"
    yield from _body_lines(stmt.body)


def _let(stmt: ir.Let) -> Iterator[str]:
    yield f"let {stmt.name} = {value_text(stmt.value)}"


def _fetch(stmt: ir.Fetch) -> Iterator[str]:
    inside = element_text(stmt.inside, (ir.IntConst(0),))
    yield f"let {stmt.name} = {value_text(stmt.value)} if in range, else {inside} = False"


def _store(stmt: ir.Store) -> Iterator[str]:
    combine = COMBINES.get(stmt.combine, f"{stmt.combine}=")
    yield f"{element_text(stmt.buffer, stmt.index)} {combine} {value_text(stmt.value)}"


def _alloc(stmt: ir.Alloc) -> Iterator[str]:
    yield f"{stmt.buffer.space} {buffer_text(stmt.buffer)}"


def _prefetch(stmt: ir.Prefetch) -> Iterator[str]:
    yield f"prefetch {element_text(stmt.buffer, stmt.index)}"


def _if(stmt: ir.If) -> Iterator[str]:
    test = stmt.condition
    yield f"if {int_text(test.left)} {COMPARISONS.get(test.op, test.op)} {int_text(test.right)}:"
    yield from _body_lines(stmt.then)
    if stmt.orelse:
        yield "else:"
        yield from _body_lines(stmt.orelse)


def _fail(stmt: ir.Fail) -> Iterator[str]:
    yield f"fail {stmt.code}{f'({joined(stmt.numbers)})' if stmt.numbers else ''}"


_STMT: dict[type, Callable[[Any], Iterator[str]]] = {
    ir.For: _for,
    ir.Let: _let,
    ir.Fetch: _fetch,
    ir.Store: _store,
    ir.Alloc: _alloc,
    ir.Prefetch: _prefetch,
    ir.If: _if,
    ir.Fail: _fail,
}


# --------------------------------------------------------------------------- programs


def _program_lines(program: ir.Program) -> Iterator[str]:
    yield f"program {program.name}({', '.join(program.dims)}):"
    yield from (f"{INDENT}# {note}" for note in program.notes)
    for word, buffers in (("in", program.inputs), ("out", program.outputs), ("work", program.workspace)):
        yield from (f"{INDENT}{word:<4} {buffer_text(buffer)}" for buffer in buffers)
    yield from (f"{INDENT}const {buffer_text(constant.buffer)}" for constant in program.constants)
    for group in program.groups:
        yield from (INDENT + line for line in _group_lines(group))


def _group_lines(group: ir.Group) -> Iterator[str]:
    once = group.repeat == ir.IntConst(1)
    if not once:
        yield f"repeat {group.var} in {int_text(group.repeat)}:"
    for phase in group.phases:
        units = "" if phase.units == ir.IntConst(1) else f", units {phase.unit_var} in {int_text(phase.units)}"
        lines = (f"phase {phase.name}{units}:", *_body_lines(phase.body))
        yield from lines if once else (INDENT + line for line in lines)


# `loops/ir.py` imports nothing, so the text is attached from here; all that shows programs imports this module.
ir.Program.__repr__ = to_text  # type: ignore[method-assign, assignment]  # see the line above
