"""Scalar operations → instructions, by table.

In: an operation's name, its dtype and its evaluated arguments.  Out: the value.  Arguments are scalars or
vectors; a scalar beside a vector is spread.  Nothing is contracted or reassociated but what the program says
(`schedule/multiply_add.py`), and NaN and infinities are kept.  The others are functions of `elementary/`, internal to
the module, written once per module and inlined by LLVM.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from symnet.backends.llvm.blocks import FunctionText
from symnet.backends.llvm.emitter import Emitter
from symnet.backends.llvm.math_calls import math_function
from symnet.backends.llvm.targets import native_floor
from symnet.backends.llvm.types import REALS, REGISTER, SIZE, Addend, V, constant, suffix
from symnet.errors import CompileError, explain
from symnet.loops.neutral import neutral
from symnet.loops.operands import combined

Emission = Callable[[Emitter, str, list[V]], V]

# instruction for reals, for integers, for booleans
_ARITHMETIC: dict[str, tuple[str, str | None, str | None]] = {
    "add": ("fadd", "add", "or"),
    "sub": ("fsub", "sub", None),
    "mul": ("fmul", "mul", "and"),
    "div": ("fdiv", None, None),
}
# predicate for reals, for integers, for booleans
_COMPARISON = {
    "lt": ("olt", "slt", "ult"),
    "le": ("ole", "sle", "ule"),
    "gt": ("ogt", "sgt", "ugt"),
    "ge": ("oge", "sge", "uge"),
    "eq": ("oeq", "eq", "eq"),
    "ne": ("une", "ne", "ne"),
}


def _kind(value: V) -> int:
    """0 for reals, 1 for integers, 2 for booleans: the columns of the tables above."""
    return 0 if value.scalar in REALS else 2 if value.scalar == "i1" else 1


def _arithmetic(name: str, e: Emitter, dtype: str, args: list[V]) -> V:
    instruction = _ARITHMETIC[name][_kind(args[0])]
    if instruction is None:
        raise _unsupported(name, args[0])
    return e.text.binary(instruction, args[0], args[1])


def _unsupported(name: str, value: V) -> CompileError:
    return CompileError(
        explain(
            f'Op("{name}")',
            "operands of a real dtype",
            f"operands of LLVM type {value.scalar}",
            'Convert them first: Op("cast", …, dtype="float64").',
        )
    )


def _comparison(name: str, e: Emitter, dtype: str, args: list[V]) -> V:
    kind = _kind(args[0])
    return e.text.binary(f"{'icmp' if kind else 'fcmp'} {_COMPARISON[name][kind]}", args[0], args[1], "i1")


def _extremum(name: str, e: Emitter, dtype: str, args: list[V]) -> V:
    """The larger or smaller number; NaN where either operand is NaN, as in NumPy."""
    left, right = args
    kind = _kind(left)
    if kind == 2:
        return e.text.binary("or" if name == "maximum" else "and", left, right)
    if kind == 1:
        return e.text.intrinsic("smax" if name == "maximum" else "smin", left, right)
    if e.target.native_maximum:
        return e.text.intrinsic(name, left, right)
    # x86's maxps returns its second operand when either is NaN: only a NaN on the left needs care
    order = "fcmp ogt" if name == "maximum" else "fcmp olt"
    best = e.text.select(e.text.binary(order, left, right, result="i1"), left, right)
    if left.is_number:
        return best
    return e.text.select(e.text.binary("fcmp uno", left, left, result="i1"), left, best)


def _neg(e: Emitter, dtype: str, args: list[V]) -> V:
    (value,) = args
    if _kind(value) == 0:
        return e.text.pure(value.scalar, value.lanes, f"fneg {value.typed}", value.depth)
    return e.text.binary("sub", constant(0, value.scalar), value)


def _abs(e: Emitter, dtype: str, args: list[V]) -> V:
    (value,) = args
    if _kind(value) == 0:
        return e.text.intrinsic("fabs", value)
    return value if _kind(value) == 2 else e.text.intrinsic("smax", value, _neg(e, dtype, args))


def multiply_add(e: Emitter, a: V, b: V, c: V) -> V:
    """a·b + c, in one rounding where the target has the instruction."""
    if e.target.fma:
        return e.text.intrinsic("fmuladd", a, b, c)
    return e.text.binary("fadd", e.text.binary("fmul", a, b), c)  # of constants LLVM would round fmuladd once


def _fma(e: Emitter, dtype: str, args: list[V]) -> V:
    if _kind(args[0]):
        return e.text.binary("add", e.text.binary("mul", args[0], args[1]), args[2])
    return e.text.intrinsic("fma", *args) if e.target.fma else multiply_add(e, *args)


def _floor(e: Emitter, dtype: str, args: list[V]) -> V:
    (value,) = args
    if _kind(value):
        return value
    if native_floor(e.target):
        return e.text.intrinsic("floor", value)
    return _floor_by_conversion(e.text, value)


def _floor_by_conversion(text: FunctionText, value: V) -> V:
    """⌊x⌋ by way of an integer, where the instruction is missing; numbers beyond 2²³ (2⁵²) are whole."""
    single = value.scalar == "float"
    bound = constant(float(2**23 if single else 2**52), value.scalar)
    small = text.binary("fcmp olt", text.intrinsic("fabs", value), bound, "i1")
    safe = text.select(small, value, constant(0.0, value.scalar))
    whole = text.convert("sitofp", text.convert("fptosi", safe, "i32" if single else "i64"), value.scalar)
    above = text.binary("fcmp ogt", whole, safe, "i1")
    lower = text.binary("fsub", whole, constant(1.0, value.scalar))
    return text.select(small, text.intrinsic("copysign", text.select(above, lower, whole), value), value)


def _sign(e: Emitter, dtype: str, args: list[V]) -> V:
    """-1, 0 or 1 by the sign of a number; NaN stays."""
    (value,) = args
    if _kind(value) == 2:
        return value
    compare = "fcmp o" if _kind(value) == 0 else "icmp s"
    zero, one, minus = (constant(n, value.scalar) for n in (0, 1, -1))
    negative = e.text.select(e.text.binary(compare + "lt", value, zero, "i1"), minus, value)
    return e.text.select(e.text.binary(compare + "gt", value, zero, "i1"), one, negative)


def _sqrt(e: Emitter, dtype: str, args: list[V]) -> V:
    return e.text.intrinsic("sqrt", args[0])


def _rsqrt(e: Emitter, dtype: str, args: list[V]) -> V:
    return e.text.binary("fdiv", constant(1.0, args[0].scalar), _sqrt(e, dtype, args))


def _logical(name: str, e: Emitter, dtype: str, args: list[V]) -> V:
    return e.text.binary(name, args[0], args[1])


def _not(e: Emitter, dtype: str, args: list[V]) -> V:
    return e.text.binary("xor", args[0], constant(1 if args[0].scalar == "i1" else -1, args[0].scalar))


def _select(e: Emitter, dtype: str, args: list[V]) -> V:
    return e.text.select(*args)


def _math(name: str, e: Emitter, dtype: str, args: list[V]) -> V:
    args = list(e.text.unify(*args))
    return math_function(e, name, args)


def _mod(e: Emitter, dtype: str, args: list[V]) -> V:
    """a mod b, of the divisor's sign; of integers 0 where the divisor is 0, as in NumPy, and never an exception."""
    if _kind(args[0]) == 0:
        return _math("mod", e, dtype, args)
    a, b = e.text.unify(*args)
    zero, one = constant(0, b.scalar), constant(1, b.scalar)
    is_unit = e.text.binary("icmp ult", e.text.binary("add", b, one), constant(3, b.scalar), "i1")  # -1, 0, 1: 0
    rest = e.text.binary("srem", a, e.text.select(is_unit, one, b))
    differs = e.text.binary("icmp slt", e.text.binary("xor", rest, b), zero, "i1")
    moves = e.text.binary("and", differs, e.text.binary("icmp ne", rest, zero, "i1"))
    return e.text.select(moves, e.text.binary("add", rest, b), rest)


def _floor_divide(e: Emitter, dtype: str, args: list[V]) -> V:
    """⌊a/b⌋; of integers 0 where the divisor is 0, and the smallest integer over -1 wraps, as in NumPy."""
    if _kind(args[0]) == 0:
        return _math("floor_divide", e, dtype, args)
    a, b = e.text.unify(*args)
    zero, one = constant(0, b.scalar), constant(1, b.scalar)
    is_unit = e.text.binary("icmp ult", e.text.binary("add", b, one), constant(3, b.scalar), "i1")  # -1, 0, 1: a·b
    quotient = e.text.binary("sdiv", a, e.text.select(is_unit, one, b))
    rest = e.text.binary("sub", a, e.text.binary("mul", quotient, b))
    differs = e.text.binary("icmp slt", e.text.binary("xor", rest, b), zero, "i1")
    moves = e.text.binary("and", differs, e.text.binary("icmp ne", rest, zero, "i1"))
    below = e.text.select(moves, e.text.binary("sub", quotient, one), quotient)
    return e.text.select(is_unit, e.text.binary("mul", a, b), below)


def cast(e: Emitter, dtype: str, args: list[V]) -> V:
    """A value in another dtype; reals become integers by truncation, NaN gives 0, out of range the nearest."""
    (value,) = args
    source, target = value.scalar, REGISTER[dtype]
    if source == target:
        return value
    if target == "i1":
        zero = constant(0, source)
        return e.text.binary("fcmp une" if source in REALS else "icmp ne", value, zero, "i1")
    if source in REALS and target not in REALS:
        return _saturate(e, value, target)
    return e.text.convert(_conversion(source, target), value, target)


def _conversion(source: str, target: str) -> str:
    wider = SIZE[target] > SIZE[source]
    if source in REALS:
        return "fpext" if wider else "fptrunc"
    if target in REALS:
        return "uitofp" if source == "i1" else "sitofp"
    return "zext" if source == "i1" else "sext" if wider else "trunc"


def _saturate(e: Emitter, value: V, target: str) -> V:
    name = f"llvm.fptosi.sat.{suffix(target, value.lanes)}.{suffix(value.scalar, value.lanes)}"
    return e.text.call(name, target, value.lanes, value)


OPERATIONS: dict[str, Emission] = {  # all others are functions: elementary/table.py
    **{name: partial(_arithmetic, name) for name in _ARITHMETIC},
    **{name: partial(_comparison, name) for name in _COMPARISON},
    **{name: partial(_extremum, name) for name in ("maximum", "minimum")},
    **{name: partial(_logical, name) for name in ("and", "or")},
    "not": _not,
    "neg": _neg,
    "abs": _abs,
    "fma": _fma,
    "floor": _floor,
    "mod": _mod,
    "floor_divide": _floor_divide,
    "sign": _sign,
    "sqrt": _sqrt,
    "rsqrt": _rsqrt,
    "select": _select,
    "cast": cast,
}


def emit_op(e: Emitter, name: str, dtype: str, args: list[V]) -> V:
    """The instructions of one operation, and its value."""
    return OPERATIONS.get(name, partial(_math, name))(e, dtype, args)


# --------------------------------------------------------------------------- combining stores

_DTYPE = {scalar: dtype for dtype, scalar in REGISTER.items()}


def identity(how: str, scalar: str) -> V:
    """The value that leaves an element unchanged when it is combined with it: 0 for add, -∞ for max."""
    return constant(neutral(how, _DTYPE[scalar]), scalar)


def combine(e: Emitter, how: str, old: V, addend: Addend) -> V:
    """The element after a combining store."""
    if len(addend) == 2:
        return multiply_add(e, *addend, old)
    name, operands = combined(how, old, addend[0])
    return OPERATIONS[name](e, "", operands)
