"""Scalar operations → expressions of C, by table.

In: an operation's name, its dtype and its arguments as `CValue`s.  Out: a `CValue`.  Nothing is contracted or
reassociated but what the program says (`schedule/multiply_add.py`), and NaN and infinities are kept.  The others are
functions of `elementary/`, static functions of the unit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from symnet.backends.c99.emitter import CUnit
from symnet.backends.c99.math_calls import math_function
from symnet.backends.c99.prelude import conversion, prelude
from symnet.backends.c99.types import (
    ATOM,
    CHOICE,
    LOCAL_TYPE,
    PRODUCT,
    SIGN,
    SUM,
    CAddend,
    CValue,
    atom,
    is_finite,
    is_real,
    literal,
    pattern,
)
from symnet.errors import CompileError, explain
from symnet.loops.neutral import neutral
from symnet.loops.operands import combined

CEmission = Callable[[CUnit, str, list[CValue]], CValue]


def number(unit: CUnit, value: float | int | bool, dtype: str) -> CValue:
    """A number of the program; NaN and infinity from their bits."""
    if not is_real(dtype) or is_finite(value, dtype):
        return literal(value, dtype)
    return CValue(f"{prelude(unit, 'number', dtype)}({pattern(value, dtype)})", ATOM, dtype, True)


# --------------------------------------------------------------------------- tables

# operator of reals, how tightly it binds; function of integers; operator of booleans
_ARITHMETIC: dict[str, tuple[str, int, str | None, str | None]] = {
    "add": ("+", SUM, "add", "||"),
    "sub": ("-", SUM, "sub", None),
    "mul": ("*", PRODUCT, "mul", "&&"),
    "div": ("/", PRODUCT, None, None),
}
_COMPARISON = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
_LOGICAL = {"and": "&&", "or": "||"}


def _call(unit: CUnit, function: str, dtype: str, *args: CValue) -> CValue:
    return atom(f"{prelude(unit, function, dtype)}({', '.join(arg.text for arg in args)})", dtype)


def _infix(left: CValue, operator: str, right: CValue, dtype: str) -> CValue:
    """A comparison, or a connection of conditions."""
    return CValue(f"{left.within(SUM)} {operator} {right.within(SUM)}", CHOICE, dtype)


def _arithmetic(name: str, unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    left, right = args
    operator, level, of_integers, of_booleans = _ARITHMETIC[name]
    if is_real(left.dtype):
        space = " " if level == SUM else ""
        return CValue(f"{left.within(level)}{space}{operator}{space}{right.within(level + 1)}", level, left.dtype)
    if left.dtype == "bool" and of_booleans:
        return _infix(left, of_booleans, right, "bool")
    if left.dtype != "bool" and of_integers:
        return _call(unit, of_integers, left.dtype, left, right)
    raise CompileError(
        explain(
            f'Op("{name}")',
            "operands of a real dtype",
            f"operands of {left.dtype}",
            'Convert them first: Op("cast", …, dtype="float64").',
        )
    )


def _comparison(name: str, unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    return _infix(args[0], _COMPARISON[name], args[1], "bool")


def _logical(name: str, unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    return _infix(args[0], _LOGICAL[name], args[1], "bool")


def _extremum(name: str, unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    """The larger or smaller number; NaN where either operand is NaN.  Of 0 and -0, what machine code takes."""
    left, right = args
    if left.dtype == "bool":
        return _infix(left, "||" if name == "maximum" else "&&", right, "bool")
    if not is_real(left.dtype):
        return _call(unit, "most" if name == "maximum" else "least", left.dtype, left, right)
    if unit.target.native_maximum:
        return _call(unit, f"ordered_{name}", left.dtype, left, right)
    return _call(unit, name, left.dtype, left, right)


def _neg(unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    (value,) = args
    if is_real(value.dtype):
        return CValue(f"-{value.within(ATOM)}", SIGN, value.dtype)
    return _call(unit, "neg", value.dtype, value)


def _abs(unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    (value,) = args
    if value.dtype == "bool":
        return value
    return _call(unit, "abs" if is_real(value.dtype) else "abs_integer", value.dtype, value)


def multiply_add(unit: CUnit, a: CValue, b: CValue, c: CValue) -> CValue:
    """a·b + c, in one rounding where the target has the instruction."""
    if unit.fused:
        return _call(unit, "fma", a.dtype, a, b, c)
    return CValue(f"{a.within(PRODUCT)}*{b.within(SIGN)} + {c.within(PRODUCT)}", SUM, a.dtype)


def _fma(unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    return multiply_add(unit, *args)


def _floor(unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    return math_function(unit, "floor", args) if is_real(args[0].dtype) else args[0]


def _sign(unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    (value,) = args
    return value if value.dtype == "bool" else _call(unit, "sign", value.dtype, value)


def _sqrt(unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    return _call(unit, "sqrt", args[0].dtype, args[0])


def _rsqrt(unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    return _arithmetic("div", unit, dtype, [literal(1.0, args[0].dtype), _sqrt(unit, dtype, args)])


def _not(unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    return CValue(f"!{args[0].within(ATOM)}", SIGN, "bool")


def _select(unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    condition, yes, no = args
    return CValue(f"{condition.within(SUM)} ? {yes.within(SUM)} : {no.within(SUM)}", CHOICE, yes.dtype)


def _division(name: str, unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    """mod and floor_divide."""
    if is_real(args[0].dtype):
        return math_function(unit, name, args)
    return _call(unit, name, args[0].dtype, *args)


def _math(name: str, unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    return math_function(unit, name, args)


def cast(unit: CUnit, dtype: str, args: list[CValue]) -> CValue:
    """A value in another dtype; reals become integers by truncation, NaN gives 0, out of range the nearest."""
    (value,) = args
    if value.dtype == dtype:
        return value
    if dtype == "bool":
        return _infix(value, "!=", literal(0, value.dtype), "bool")
    if is_real(value.dtype) and not is_real(dtype):
        return atom(f"{conversion(unit, value.dtype, dtype)}({value.text})", dtype)
    return CValue(f"({LOCAL_TYPE[dtype]}){value.within(ATOM)}", SIGN, dtype)


OPERATIONS: dict[str, CEmission] = {  # all others are functions: elementary/table.py
    **{name: partial(_arithmetic, name) for name in _ARITHMETIC},
    **{name: partial(_comparison, name) for name in _COMPARISON},
    **{name: partial(_extremum, name) for name in ("maximum", "minimum")},
    **{name: partial(_logical, name) for name in _LOGICAL},
    **{name: partial(_division, name) for name in ("mod", "floor_divide")},
    "not": _not,
    "neg": _neg,
    "abs": _abs,
    "fma": _fma,
    "floor": _floor,
    "sign": _sign,
    "sqrt": _sqrt,
    "rsqrt": _rsqrt,
    "select": _select,
    "cast": cast,
}


def emit_op(unit: CUnit, name: str, dtype: str, args: list[CValue]) -> CValue:
    """The expression of one operation."""
    return OPERATIONS.get(name, partial(_math, name))(unit, dtype, args)


# --------------------------------------------------------------------------- combining stores


def identity(unit: CUnit, how: str, dtype: str) -> CValue:
    """The value that leaves an element unchanged when it is combined with it: 0 for add, -∞ for max."""
    return number(unit, neutral(how, dtype), dtype)


def combine(unit: CUnit, how: str, old: CValue, addend: CAddend) -> CValue:
    """The element after a combining store."""
    if len(addend) == 2:
        return multiply_add(unit, *addend, old)
    name, operands = combined(how, old, addend[0])
    return OPERATIONS[name](unit, "", operands)
