"""Statements and values → lines of C, by table.

In: a body of the loop language and an `CEmitter`.  Out: the emitter's lines, more of them.  Outside vector loops an
unrolled loop stays a loop, which a compiler unrolls; inside one it is written out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from symnet.backends.c99.emitter import CArray, CEmitter
from symnet.backends.c99.fetches import emit_fetch
from symnet.backends.c99.integers import element, evaluate, poly_text, strides, text_of
from symnet.backends.c99.memory import load, note_of, store, update
from symnet.backends.c99.ops import cast, emit_op, multiply_add, number
from symnet.backends.c99.types import ATOM, C_TYPE, LOCAL_TYPE, SUM, CValue, atom
from symnet.backends.c99.vectors import MOST_TAKEN_APART, emit_shared, emit_short, shares_elements
from symnet.loops import affine
from symnet.loops.abi import CODES
from symnet.loops.ir import (
    Alloc,
    Body,
    Const,
    Fail,
    Fetch,
    For,
    FromInt,
    If,
    IntCondition,
    IntConst,
    Let,
    Load,
    Op,
    Prefetch,
    Store,
    Value,
    Var,
)
from symnet.loops.kernels import calls_among
from symnet.loops.operands import contribution, multiply_add_of, taken_in_order
from symnet.loops.polynomials import decided, known
from symnet.loops.printer import COMPARISONS

# --------------------------------------------------------------------------- values


def emit_value(e: CEmitter, value: Value) -> CValue:
    """The expression that computes a value."""
    return _VALUES[type(value)](e, value)


def _load(e: CEmitter, value: Load) -> CValue:
    return load(element(e, value.buffer, value.index), value.buffer.dtype)


def _from_int(e: CEmitter, value: FromInt) -> CValue:
    text = text_of(e, value.value)
    return cast(e.unit, value.dtype, [CValue(text, ATOM if text.isidentifier() or text.isdigit() else SUM, "int64")])


def _op(e: CEmitter, value: Op) -> CValue:
    factors = multiply_add_of(value)
    if factors is not None:
        return multiply_add(e.unit, *(emit_value(e, v) for v in factors))
    return emit_op(e.unit, value.name, value.dtype, [emit_value(e, arg) for arg in taken_in_order(value)])


_VALUES: dict[type, Callable[[CEmitter, Any], CValue]] = {
    Const: lambda e, value: number(e.unit, value.value, value.dtype),
    Var: lambda e, value: e.values[value.name],
    Load: _load,
    FromInt: _from_int,
    Op: _op,
}

# --------------------------------------------------------------------------- statements


def emit_body(e: CEmitter, body: Body) -> None:
    """Write every statement of a body, or a call in the place of some that are a function (`kernels.py`)."""
    for stmt, call in calls_among(body, e.calls):
        if call is None:
            _STATEMENTS[type(stmt)](e, stmt)
        else:
            call(e)


def _let(e: CEmitter, stmt: Let) -> None:
    value = emit_value(e, stmt.value)
    if value.constant:
        e.values[stmt.name] = value
        return
    name = e.unit.names.of("value", stmt.name)
    note = note_of(stmt.value.buffer, stmt.value.index) if isinstance(stmt.value, Load) else ""
    e.line(f"const {LOCAL_TYPE[value.dtype]} {name} = {value.text};{note}")
    e.values[stmt.name] = atom(name, value.dtype)


def _store(e: CEmitter, stmt: Store) -> None:
    how = stmt.combine
    if how is None:
        value = emit_value(e, stmt.value)
        store(e, element(e, stmt.buffer, stmt.index), value, note_of(stmt.buffer, stmt.index))
        return
    addend = tuple(emit_value(e, v) for v in contribution(stmt))
    where = element(e, stmt.buffer, stmt.index)
    if e.reductions is not None and not any(e.lane in affine.names(i) for i in stmt.index):
        e.reductions.accumulate(e, where, how, addend, stmt.buffer.dtype)
    else:
        update(e, where, how, addend, note_of(stmt.buffer, stmt.index, how))


def _alloc(e: CEmitter, stmt: Alloc) -> None:
    buffer = stmt.buffer
    steps, count = strides(e, buffer)
    name = e.unit.names.of("array", buffer.name)
    e.line(f"{C_TYPE[buffer.dtype]} {name}[{max(1, known(count) or 0)}];{_shape_note(stmt)}")
    e.places[buffer.name] = CArray(name, steps, buffer.dtype)


def _shape_note(stmt: Alloc) -> str:
    extents = [extent.value for extent in stmt.buffer.shape if isinstance(extent, IntConst)]
    return f" /* {tuple(extents)} */" if len(extents) > 1 else ""


def _if(e: CEmitter, stmt: If) -> None:
    condition = _condition(e, stmt.condition)
    if isinstance(condition, bool):
        emit_body(e, stmt.then if condition else stmt.orelse)
        return
    with e.block(f"if ({condition})"):
        emit_body(e, stmt.then)
    if stmt.orelse:
        with e.block("else"):
            emit_body(e, stmt.orelse)


def _condition(e: CEmitter, condition: IntCondition) -> str | bool:
    left, right = evaluate(e, condition.left), evaluate(e, condition.right)
    holds = decided(condition.op, left, right)
    if holds is not None:
        return holds
    return f"{poly_text(left)} {COMPARISONS[condition.op]} {poly_text(right)}"


# --------------------------------------------------------------------------- loops


def _for(e: CEmitter, stmt: For) -> None:
    shares = stmt.cut is not None and not e.lane and shares_elements(stmt)
    if stmt.cut is None or e.lane:
        (_unrolled if stmt.kind == "unroll" and e.lane else _loop)(e, stmt)
    elif not shares and all(isinstance(inner, For) and inner.kind == "unroll" for inner in stmt.body):
        _inside_out(e, stmt)
    else:
        e.lane, size = stmt.var, known(evaluate(e, stmt.extent))
        if shares:
            emit_shared(e, stmt, stmt.cut, emit_body)
        elif size is not None and 1 < size <= MOST_TAKEN_APART:
            emit_short(e, stmt, stmt.cut.lanes, size, emit_body)
        else:
            _loop(e, stmt)
        e.lane = ""


def _inside_out(e: CEmitter, stmt: For) -> None:
    """Loops in a vector loop, each with the vector loop inside: iterations are independent, and neighbours are so."""
    for inner in stmt.body:
        assert isinstance(inner, For)
        _loop(e, replace(inner, body=(replace(stmt, body=inner.body),)))


def _loop(e: CEmitter, stmt: For) -> None:
    extent = evaluate(e, stmt.extent)
    size = known(extent)
    if size is not None and size <= 1:
        for place in range(size):
            _copy(e, stmt, place)
        return
    name = e.variable(stmt.var)
    count = poly_text(extent)
    if count.isidentifier() or count.isdigit():
        head = f"for (int64_t {name} = 0; {name} < {count}; ++{name})"
    else:
        end = e.unit.names.of("integer", f"{name}_end")
        head = f"for (int64_t {name} = 0, {end} = {count}; {name} < {end}; ++{name})"
    with e.block(head):
        emit_body(e, stmt.body)


def _unrolled(e: CEmitter, stmt: For) -> None:
    """Copies of the body; those that a run-time extent may not reach stand under a condition."""
    extent = evaluate(e, stmt.extent)
    size = known(extent)
    if size is None and stmt.bound is None:
        _loop(e, stmt)
        return
    for place in range(stmt.bound or 0 if size is None else size):
        if size is None:
            with e.block(f"if ({place} < {poly_text(extent)})"):
                e.bind(stmt.var, place)
                emit_body(e, stmt.body)
        else:
            _copy(e, stmt, place)


def _copy(e: CEmitter, stmt: For, place: int) -> None:
    """The body for one iteration, in a scope of its own where it has names."""
    e.bind(stmt.var, place)
    if any(isinstance(inner, Let | Fetch | Alloc) for inner in stmt.body):
        with e.block():
            emit_body(e, stmt.body)
    else:
        emit_body(e, stmt.body)


def _fail(e: CEmitter, stmt: Fail) -> None:
    if stmt.report is not None:
        with e.block(f"if ({e.status} == {CODES['OK']})"):
            for place, value in enumerate(stmt.numbers):
                index = (IntConst(place),)
                store(e, element(e, stmt.report, index), _from_int(e, FromInt(value, stmt.report.dtype)))
    e.line(f"{e.status} = {CODES[stmt.code]}; /* {stmt.code} */")


_STATEMENTS: dict[type, Callable[[CEmitter, Any], None]] = {
    For: _for,
    If: _if,
    Let: _let,
    Fetch: emit_fetch,
    Store: _store,
    Alloc: _alloc,
    Prefetch: lambda e, stmt: None,  # C has no word for it
    Fail: _fail,
}
