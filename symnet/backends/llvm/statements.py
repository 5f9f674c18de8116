"""Statements and values → instructions, by table.

In: a body of the loop language (`loops/ir.py`), and an `Emitter`, the state of what is being written (`emitter.py`).
Out: instructions, written into `Emitter.text`; for a value also a `V` (`types.py`), the name of what they computed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import Any

from symnet.backends.llvm.call_runs import choices, write_calls, write_choices
from symnet.backends.llvm.emitter import BufferPlace, Emitter, constant_shape
from symnet.backends.llvm.fetches import emit_fetch
from symnet.backends.llvm.integers import access, evaluate
from symnet.backends.llvm.memory import load, store, update
from symnet.backends.llvm.ops import cast, emit_op, multiply_add
from symnet.backends.llvm.polynomials import integer
from symnet.backends.llvm.turning import turned_loads
from symnet.backends.llvm.types import REGISTER, SIZE, V, constant
from symnet.backends.llvm.vectors import emit_vector
from symnet.loops.abi import CODES
from symnet.loops.ir import (
    Alloc,
    Body,
    Buffer,
    Const,
    Fail,
    Fetch,
    For,
    FromInt,
    If,
    IntCondition,
    IntConst,
    IntExpr,
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
from symnet.loops.polynomials import Poly, decided, known

STATUS = "%status"  # where a phase that can fail keeps its return code
MOST_IN_REGISTERS = 1 << 12  # bytes of a register buffer that may be registers

# --------------------------------------------------------------------------- values


def emit_value(e: Emitter, value: Value) -> V:
    """The instructions that compute a value."""
    return _VALUES[type(value)](e, value)


def _const(e: Emitter, value: Const) -> V:
    return constant(value.value, REGISTER[value.dtype])


def _var(e: Emitter, value: Var) -> V:
    return e.values[value.name]


def _load(e: Emitter, value: Load) -> V:
    if id(value) in e.turned:
        return e.turned[id(value)]
    place = e.place(value.buffer)
    return load(e, place, access(e, place, value.index))


def _from_int(e: Emitter, value: FromInt) -> V:
    number = integer(e, evaluate(e, value.value))
    return cast(e, value.dtype, [number])


def _op(e: Emitter, value: Op) -> V:
    factors = multiply_add_of(value)
    if factors is not None:
        return multiply_add(e, *(emit_value(e, v) for v in factors))
    return emit_op(e, value.name, value.dtype, [emit_value(e, arg) for arg in taken_in_order(value)])


_VALUES: dict[type, Callable[[Emitter, Any], V]] = {Const: _const, Var: _var, Load: _load, FromInt: _from_int, Op: _op}

# --------------------------------------------------------------------------- statements


def emit_body(e: Emitter, body: Body) -> None:
    """Write every statement of a body, or a call in the place of a run of them that is a function (`kernels.py`)."""
    for is_call, some in groupby(calls_among(body, e.calls), lambda item: item[1] is not None):
        if is_call:
            write_calls(e, [call(e) for _, call in some if call is not None])
        else:
            for stmt, _ in some:
                _STATEMENTS[type(stmt)](e, stmt)


def _let(e: Emitter, stmt: Let) -> None:
    e.values[stmt.name] = emit_value(e, stmt.value)


def _store(e: Emitter, stmt: Store) -> None:
    place = e.place(stmt.buffer)
    if stmt.combine is None:
        value = emit_value(e, stmt.value)
        store(e, place, access(e, place, stmt.index), value)
        return
    addend = tuple(emit_value(e, v) for v in contribution(stmt))
    where = access(e, place, stmt.index)
    if e.reductions is not None and e.lanes and where.step == 0:  # in a vector loop, one element for all lanes
        e.reductions.accumulate(e, place, where, stmt.combine, addend)
    else:
        update(e, place, where, stmt.combine, addend)


def _alloc(e: Emitter, stmt: Alloc) -> None:
    """Rows padded to whole vectors of 32-bit elements, or more of wider ones, so that tails may use whole registers.

    What is too large for registers has one place for all arrays of its name: no two of them are in use at once.
    """
    buffer = stmt.buffer
    shape = constant_shape(buffer)
    pad = max(1, e.target.vector_bits // 32)
    padded = (*shape[:-1], -(-shape[-1] // pad) * pad) if shape else ()
    scalar = REGISTER[buffer.dtype]
    count, strides = row_major(padded)
    alignment = max(SIZE[scalar], min(64, e.target.vector_bits // 8))
    if count * SIZE[scalar] > MOST_IN_REGISTERS:
        pointer = e.text.frame(buffer.name, count * SIZE[scalar], alignment)
    else:
        pointer = e.text.alloca("i8" if scalar == "i1" else scalar, alignment, count)
    last = shape[-1] if shape else None
    e.places[buffer.name] = BufferPlace(pointer, strides, buffer.name, scalar, alignment, True, last)


def row_major(shape: tuple[int, ...]) -> tuple[int, tuple[Poly, ...]]:
    """Number of elements, and elements to step per axis."""
    count = 1
    strides: list[Poly] = []
    for extent in reversed(shape):
        strides.append({(): count})
        count *= extent
    return count, tuple(reversed(strides))


def _if(e: Emitter, stmt: If) -> None:
    condition = _condition(e, stmt.condition)
    if isinstance(condition, bool):  # known now: one branch is written, and no jump
        emit_body(e, stmt.then if condition else stmt.orelse)
        return
    of = choices(e, stmt)
    if of:
        write_choices(e, evaluate(e, stmt.condition.left), of, emit_body)
        return
    orelse = (lambda: emit_body(e, stmt.orelse)) if stmt.orelse else None
    e.text.branch(condition, lambda: emit_body(e, stmt.then), orelse)


_PREDICATE = {"lt": "slt", "le": "sle", "gt": "sgt", "ge": "sge", "eq": "eq", "ne": "ne"}


def _condition(e: Emitter, condition: IntCondition) -> V | bool:
    left, right = evaluate(e, condition.left), evaluate(e, condition.right)
    holds = decided(condition.op, left, right)
    if holds is not None:
        return holds
    return e.text.binary(f"icmp {_PREDICATE[condition.op]}", integer(e, left), integer(e, right), "i1")


# --------------------------------------------------------------------------- loops


def _for(e: Emitter, stmt: For) -> None:
    """A vector loop is cut into lanes; a loop inside one, which all lanes go through together, is like others."""
    if stmt.cut is not None and not e.lanes:
        emit_vector(e, stmt, stmt.cut, emit_body)
    else:
        (_unrolled if stmt.kind == "unroll" else _serial)(e, stmt)


def _unrolled(e: Emitter, stmt: For) -> None:
    """Copies of the body; those that a run-time extent may not reach stand under a condition."""
    extent = evaluate(e, stmt.extent)
    size = known(extent)
    if size is None and stmt.bound is None:
        _serial(e, stmt)
        return
    most = stmt.bound or 0 if size is None else size
    turned = turned_loads(e, stmt, most, integer(e, extent)) if most and e.lanes else {}
    for number in range(most):
        e.turned = {load: vectors[number] for load, vectors in turned.items()}
        if size is None:
            reached = e.text.binary("icmp slt", constant(number, e.index), integer(e, extent), "i1")
            e.text.branch(reached, partial(_iteration, e, stmt, number))
        else:
            _iteration(e, stmt, number)
    e.turned = {}


def _serial(e: Emitter, stmt: For) -> None:
    extent = evaluate(e, stmt.extent)
    size = known(extent)
    if size is not None and size <= 1:
        for number in range(size):
            _iteration(e, stmt, number)
        return
    innermost = not e.facts(stmt.body).loops
    count = integer(e, extent)
    surely = size is not None  # at least one iteration
    e.text.loop(count, surely, e.stored(stmt.body), innermost, lambda v: _iteration(e, stmt, v))


def _iteration(e: Emitter, stmt: For, number: V | int) -> None:
    """The body, with the loop variable at a number known now or at run time."""
    e.bind(stmt.var, number)
    emit_body(e, stmt.body)


def _prefetch(e: Emitter, stmt: Prefetch) -> None:
    """The line is brought into the nearest cache; an address that is nobody's does nothing."""
    e.text.declarations.setdefault("llvm.prefetch.p0", "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
    where = access(e, e.place(stmt.buffer), stmt.index)
    e.text.line(f"call void @llvm.prefetch.p0({where.pointer.typed}, i32 0, i32 3, i32 1)")


def _fail(e: Emitter, stmt: Fail) -> None:
    """The code is stored each time, the report's numbers the first time."""
    if stmt.report is not None:
        before = e.text.define("i32", 0, f"load i32, ptr {STATUS}, align 4")
        first = e.text.binary("icmp eq", before, constant(CODES["OK"], "i32"), "i1")
        e.text.branch(first, partial(_report, e, stmt.report, stmt.numbers))
    e.text.line(f"store i32 {CODES[stmt.code]}, ptr {STATUS}, align 4")


def _report(e: Emitter, report: Buffer, numbers: tuple[IntExpr, ...]) -> None:
    for place, number in enumerate(numbers):
        _store(e, Store(report, (IntConst(place),), FromInt(number, report.dtype)))


_STATEMENTS: dict[type, Callable[[Emitter, Any], None]] = {
    For: _for,
    If: _if,
    Let: _let,
    Fetch: emit_fetch,
    Store: _store,
    Alloc: _alloc,
    Prefetch: _prefetch,
    Fail: _fail,
}
