"""Programs as readable pseudo-code: what `f.loops` shows, and what golden tests compare.

In: a `Program`, a statement, a value, an integer expression.  Out: text, the same for the same program,
whatever the machine.

Not handled: reading the text back; it is for people.  Values are printed by recursion, so they must be shallow
(`lower/` binds what it shares, and long chains, with `Let`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from symnet.loops import ir

INDENT = "  "
COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
COMBINES = {None: "=", "add": "+=", "mul": "*=", "max": "max=", "min": "min="}

# Precedence, loosest first; an operand that binds less tightly than its place asks for gets parentheses.
_OR, _AND, _NOT, _COMPARE, _SUM, _DIVISION, _PRODUCT, _SIGN, _ATOM = range(9)
_INFIX: dict[str, tuple[str, int]] = {
    "or": ("or", _OR),
    "and": ("and", _AND),
    "add": ("+", _SUM),
    "sub": ("-", _SUM),
    "mul": ("*", _PRODUCT),
    "div": ("/", _PRODUCT),
    **{name: (symbol, _COMPARE) for name, symbol in COMPARISONS.items()},
}
_PREFIX: dict[str, tuple[str, int]] = {"neg": ("-", _SIGN), "not": ("not ", _NOT)}

_Text = tuple[str, int]  # the text and its precedence


def to_text(program: ir.Program) -> str:
    """The whole program, one statement a line, without a newline at the end."""
    return "\n".join(_program_lines(program))


def int_text(expr: ir.IntExpr) -> str:
    """An integer expression: `256*block + i`, `ceil(m/256)`, `min(256, m - 256*block)`."""
    return _int(expr)[0]


def value_text(value: ir.Value) -> str:
    """A value: `exp(Z[i, j] - shift)`."""
    return _value(value)[0]


def buffer_text(buffer: ir.Buffer) -> str:
    """A declaration: `A: float32[m, 64]`, with `= view of B` where it shares memory."""
    view = f" = view of {buffer.view_of}" if buffer.view_of else ""
    return f"{buffer.name}: {buffer.dtype}[{_joined(buffer.shape)}]{view}"


def element_text(buffer: ir.Buffer, index: Iterable[ir.IntExpr]) -> str:
    """An element: `A[i, k]`."""
    return f"{buffer.name}[{_joined(index)}]"


def stmt_line(stmt: ir.Stmt) -> str:
    """The first line of a statement, as errors quote it."""
    return next(_stmt_lines(stmt))


# --------------------------------------------------------------------------- integers


def _joined(exprs: Iterable[ir.IntExpr]) -> str:
    return ", ".join(int_text(expr) for expr in exprs)


def _int(expr: ir.IntExpr) -> _Text:
    return _INT.get(type(expr), _unknown)(expr)


def _unknown(node: object) -> _Text:
    return f"<{type(node).__name__}>", _ATOM


def _wrap(text: _Text, least: int) -> str:
    return text[0] if text[1] >= least else f"({text[0]})"


def _int_const(expr: ir.IntConst) -> _Text:
    return str(expr.value), _ATOM if expr.value >= 0 else _SIGN


def _int_var(expr: ir.IntVar) -> _Text:
    return expr.name, _ATOM


def _negated(expr: ir.IntExpr) -> ir.IntExpr | None:
    """What is subtracted, where adding `expr` reads better as a subtraction."""
    if isinstance(expr, ir.IntConst) and expr.value < 0:
        return ir.IntConst(-expr.value)
    if isinstance(expr, ir.IntMul) and isinstance(expr.right, ir.IntConst) and expr.right.value < 0:
        return ir.int_mul(expr.left, ir.IntConst(-expr.right.value))
    return None


def _int_add(expr: ir.IntAdd) -> _Text:
    first, second = expr.left, expr.right
    if _negated(first) is not None and _negated(second) is None:
        first, second = second, first
    left, taken = _wrap(_int(first), _SUM), _negated(second)
    if taken is None:
        return f"{left} + {_wrap(_int(second), _SUM)}", _SUM
    return f"{left} - {_wrap(_int(taken), _PRODUCT)}", _SUM


def _int_mul(expr: ir.IntMul) -> _Text:
    first, second = expr.left, expr.right
    if isinstance(second, ir.IntConst):
        first, second = second, first
    return f"{_wrap(_int(first), _PRODUCT)}*{_wrap(_int(second), _SIGN)}", _PRODUCT


def _int_min(expr: ir.IntMin) -> _Text:
    return f"min({_joined((expr.left, expr.right))})", _ATOM


def _int_floordiv(expr: ir.IntFloorDiv) -> _Text:
    value = expr.value
    if isinstance(value, ir.IntAdd) and value.right == ir.IntConst(expr.divisor - 1):
        return f"ceil({_wrap(_int(value.left), _SIGN)}/{expr.divisor})", _ATOM
    return f"{_wrap(_int(value), _SIGN)}//{expr.divisor}", _DIVISION


def _int_mod(expr: ir.IntMod) -> _Text:
    return f"{_wrap(_int(expr.value), _SIGN)} % {expr.divisor}", _DIVISION


def _int_load(expr: ir.IntLoad) -> _Text:
    return element_text(expr.buffer, expr.index), _ATOM


_INT: dict[type, Callable[[Any], _Text]] = {
    ir.IntConst: _int_const,
    ir.IntVar: _int_var,
    ir.IntAdd: _int_add,
    ir.IntMul: _int_mul,
    ir.IntMin: _int_min,
    ir.IntFloorDiv: _int_floordiv,
    ir.IntMod: _int_mod,
    ir.IntLoad: _int_load,
}


# --------------------------------------------------------------------------- values


def _value(value: ir.Value) -> _Text:
    return _VALUE.get(type(value), _unknown)(value)


def _const(value: ir.Const) -> _Text:
    text = repr(value.value)
    return text, _SIGN if text.startswith("-") else _ATOM


def _var(value: ir.Var) -> _Text:
    return value.name, _ATOM


def _load(value: ir.Load) -> _Text:
    return element_text(value.buffer, value.index), _ATOM


def _from_int(value: ir.FromInt) -> _Text:
    return f"{value.dtype}({int_text(value.value)})", _ATOM


def _op(value: ir.Op) -> _Text:
    if value.name in _INFIX and len(value.args) == 2:
        symbol, level = _INFIX[value.name]
        tighter = level + 1  # `a - (b - c)` keeps its parentheses, and so does `a + (b + c)`: the order rounds
        least = tighter if level == _COMPARE else level
        return f"{_wrap(_value(value.args[0]), least)} {symbol} {_wrap(_value(value.args[1]), tighter)}", level
    if value.name in _PREFIX and len(value.args) == 1:
        symbol, level = _PREFIX[value.name]
        return f"{symbol}{_wrap(_value(value.args[0]), level + 1)}", level
    name = value.dtype if value.name == "cast" else value.name
    return f"{name}({', '.join(value_text(arg) for arg in value.args)})", _ATOM


_VALUE: dict[type, Callable[[Any], _Text]] = {
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
    return _STMT[type(stmt)](stmt) if type(stmt) in _STMT else iter([_unknown(stmt)[0]])


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


def _if(stmt: ir.If) -> Iterator[str]:
    test = stmt.condition
    yield f"if {int_text(test.left)} {COMPARISONS.get(test.op, test.op)} {int_text(test.right)}:"
    yield from _body_lines(stmt.then)
    if stmt.orelse:
        yield "else:"
        yield from _body_lines(stmt.orelse)


def _fail(stmt: ir.Fail) -> Iterator[str]:
    yield f"fail {stmt.code}{f'({_joined(stmt.numbers)})' if stmt.numbers else ''}"


_STMT: dict[type, Callable[[Any], Iterator[str]]] = {
    ir.For: _for,
    ir.Let: _let,
    ir.Fetch: _fetch,
    ir.Store: _store,
    ir.Alloc: _alloc,
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
