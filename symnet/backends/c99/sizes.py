"""Whether the sizes of a call fit: extents, bytes of every array and the number of phases, checked in C.

In: a program, and an emitter at the start of a function.  Out: lines that set `excess` where some size is not in the
range of addresses.  An upper bound is enough, so a quotient counts as its dividend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symnet.backends.c99.emitter import CEmitter, CUnit
from symnet.backends.c99.prelude import prelude
from symnet.dtypes import ITEMSIZE
from symnet.loops.ir import IntAdd, IntConst, IntExpr, IntFloorDiv, IntMin, IntMod, IntMul, IntVar, Program
from symnet.loops.sizes import counted, measured

_TIMES = """\
/* a*b; notes in `excess` where it is not in the range of addresses. */
static int64_t @times(int64_t a, int64_t b, bool *excess)
{
    const uint64_t size = (uint64_t)a*(uint64_t)b;
    if ((a != 0 && size/(uint64_t)a != (uint64_t)b) || size > (uint64_t)PTRDIFF_MAX)
        *excess = true;
    return (int64_t)size;
}"""
_PLUS = """\
/* a + b; notes in `excess` where it overflows. */
static int64_t @plus(int64_t a, int64_t b, bool *excess)
{
    if (b > 0 ? a > INT64_MAX - b : a < INT64_MIN - b)
        *excess = true;
    return (int64_t)((uint64_t)a + (uint64_t)b);
}"""


def check_sizes(e: CEmitter, program: Program) -> None:
    """Lines that look at every size; the extents are variables already."""
    for name in program.dims:
        _limited(e, e.unit.names.of("integer", name))
    found = dict.fromkeys(counted(program))
    for expr in found:
        _limited(e, _value(e, expr))
    for buffer in measured(program):
        size = "1"
        for extent in buffer.shape:
            size = _product(e, size, _value(e, extent))
        e.line(f"(void){_product(e, size, str(ITEMSIZE[buffer.dtype]), always=True)};")


def _limited(e: CEmitter, value: str) -> None:
    if not value.isdigit():
        e.line(f"excess |= (uint64_t){value if value.isidentifier() else f'({value})'} > (uint64_t)PTRDIFF_MAX;")


def _product(e: CEmitter, left: str, right: str, always: bool = False) -> str:
    if not always and "1" in (left, right):
        return right if left == "1" else left
    return f"{_function(e.unit, 'times', _TIMES)}({left}, {right}, &excess)"


def _function(unit: CUnit, name: str, text: str) -> str:
    unit.functions.setdefault(unit.own(name), text.replace("@", unit.prefix))
    return unit.own(name)


def _value(e: CEmitter, expr: IntExpr) -> str:
    """An upper bound of an expression over extents."""
    return _VALUES[type(expr)](e, expr)


def _sum(e: CEmitter, expr: IntAdd) -> str:
    return f"{_function(e.unit, 'plus', _PLUS)}({_value(e, expr.left)}, {_value(e, expr.right)}, &excess)"


def _times(e: CEmitter, expr: IntMul) -> str:
    left, right = expr.left, expr.right
    if isinstance(right, IntConst) and right.value < 0:
        return f"-{_product(e, _value(e, left), str(-right.value))}"
    return _product(e, _value(e, left), _value(e, right))


def _smaller(e: CEmitter, expr: IntMin) -> str:
    return f"{prelude(e.unit, 'least', 'int64')}({_value(e, expr.left)}, {_value(e, expr.right)})"


_VALUES: dict[type[IntExpr], Callable[[CEmitter, Any], str]] = {
    IntConst: lambda e, expr: str(expr.value),
    IntVar: lambda e, expr: e.unit.names.of("integer", expr.name),
    IntAdd: _sum,
    IntMul: _times,
    IntMin: _smaller,
    IntFloorDiv: lambda e, expr: _value(e, expr.value),
    IntMod: lambda e, expr: _value(e, expr.value),
}
