"""Elementwise primitives at one point: the usual operations put back (a - b, a / b, √x, small powers).

In: an `Elementwise` node and its operands' values.  Out: a value of the loop language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import functions
from symnet.expr.nodes.result_dtypes import CASTS, COUNTED, LIMITS, common_dtype
from symnet.expr.nodes.symbols import TRANSPARENT
from symnet.loops.ir import Const, IntConst, Let, Op, Stmt, Store, Value
from symnet.lower.point import INLINE, Index, Inline, NodeAt, Points, wrapped_integer

_DIRECT = (
    *(p.name for p in functions()), "atan2", "maximum", "minimum", "xlogy", "and", "or", "not", "mod", "floor_divide",
)  # fmt: skip
MOST_MULTIPLIED = 64  # the largest exponent of a power that is written as products
MOST_UNDER_ROOT = 9  # the largest n of x^(n/2) that is written with a square root
_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


def operand_index(node: Node, operand: Node, index: Index) -> Index:
    """NumPy's broadcasting: axes aligned at the right; extent 1 is read at 0 where the result is longer."""
    tail = index[len(index) - operand.rank :] if operand.rank else ()
    whole = node.shape[node.rank - operand.rank :] if operand.rank else ()
    return tuple(IntConst(0) if n == 1 and w != 1 else i for i, n, w in zip(tail, operand.shape, whole, strict=True))


def _unwrapped(node: Node) -> list[tuple[Node, str]]:
    """The operands read at a point, each with its role: a reciprocal or a negation is taken apart."""
    return [_role(node, o) for o in node.operands]


def _role(node: Node, operand: Node) -> tuple[Node, str]:
    if is_op(node, "mul") and is_op(operand, "pow") and number_of(operand.operands[1]) == -1:
        return operand.operands[0], "denominator"
    if (
        is_op(node, "add")
        and is_op(operand, "mul")
        and len(operand.operands) == 2
        and number_of(operand.operands[0]) == -1
    ):
        return operand.operands[1], "subtrahend"
    return operand, ""


def _points(points: Points, node: Node, index: Index) -> list[NodeAt]:
    if is_op(node, "pow") and number_of(node.operands[1]) is not None:
        return [(node.operands[0], operand_index(node, node.operands[0], index))]
    operands = []
    for (inner, role), outer in zip(_unwrapped(node), node.operands, strict=True):
        if role and points.buffer(outer) is None:
            middle = operand_index(node, outer, index)
            operands.append((inner, operand_index(outer, inner, middle)))
        else:
            operands.append((outer, operand_index(node, outer, index)))
    return operands


def _value(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    return _EMIT[node.op](points, node, values)


def _arithmetic(points: Points, node: Node, values: list[Value]) -> list[Value]:
    dtype = points.dtype(node)
    return [points.cast(v, dtype) for v in values]


def _add(points: Points, node: Node, values: list[Value]) -> Value:
    values = _arithmetic(points, node, values)
    roles = _roles(points, node)
    plus = [v for v, r in zip(values, roles, strict=True) if r != "subtrahend"]
    minus = [v for v, r in zip(values, roles, strict=True) if r == "subtrahend"]
    if not plus:
        total, minus = points.op("neg", minus[0]), minus[1:]
    else:
        total, plus = plus[0], plus[1:]
    for v in plus:
        total = points.op("add", total, v)
    for v in minus:
        total = points.op("sub", total, v)
    return total


def _roles(points: Points, node: Node) -> list[str]:
    return [
        role if points.buffer(outer) is None else ""
        for (_, role), outer in zip(_unwrapped(node), node.operands, strict=True)
    ]


def _mul(points: Points, node: Node, values: list[Value]) -> Value:
    dtype = points.dtype(node)
    parts = list(zip(values, _roles(points, node), node.operands, strict=True))
    top = [points.cast(v, dtype) for v, role, _ in parts if role != "denominator"]
    bottom: list[Value] = []
    counts: list[Value] = []
    for value, role, operand in parts:
        if role != "denominator":
            continue
        if dtype == "float32" and operand.operands[0].kind == "size":
            counts.append(value)
        elif operand.rank < node.rank or operand.shape != node.shape:
            value = points.cast(value, dtype)
            top.append(points.op("div", _one(dtype), value))  # repeats along an axis: one division serves all
        else:
            bottom.append(points.cast(value, dtype))
    if counts and node.rank:
        top.append(points.cast(points.op("div", _one("float64"), _product(points, counts)), dtype))
    result = _product(points, top) if top else _one(dtype)
    result = points.op("div", result, _product(points, bottom)) if bottom else result
    return _by_counts(points, result, counts) if counts and not node.rank else result


def _by_counts(points: Points, value: Value, counts: list[Value]) -> Value:
    """A float32 divided by extents, which float32 may not hold: in float64, rounded at the end."""
    return points.cast(points.op("div", points.cast(value, "float64"), _product(points, counts)), value.dtype)


def _one(dtype: str) -> Const:
    return Const(1.0 if dtype.startswith("float") else 1, dtype)


def _product(points: Points, values: list[Value]) -> Value:
    """The product of the factors in their order, in which numbers come first and are folded; a factor -1 negates the
    result.
    """
    negative = [v for v in values if isinstance(v, Const) and v.value == -1]
    rest = [v for v in values if v not in negative]
    result = rest[0] if rest else _one(values[0].dtype)
    for v in rest[1:]:
        result = points.op("mul", result, v)
    return points.op("neg", result) if len(negative) % 2 else result


def _pow(points: Points, node: Node, values: list[Value]) -> Value:
    dtype = points.dtype(node)
    wide = "float64" if dtype == "float32" and node.operands[0].kind == "size" else dtype
    return points.cast(_power(points, node, [points.cast(v, wide) for v in values]), dtype)


def _power(points: Points, node: Node, values: list[Value]) -> Value:
    exponent = number_of(node.operands[1])
    if exponent is None:
        return points.op("pow", values[0], values[1])
    base = values[0]
    exponent = sympy.Integer(int(exponent)) if exponent.is_Float and float(exponent).is_integer() else exponent
    if exponent.is_Integer and abs(int(exponent)) > MOST_MULTIPLIED and not base.dtype.startswith("float"):
        return points.op("pow", base, Const(wrapped_integer(int(exponent), base.dtype), base.dtype))
    if exponent.is_Integer and abs(int(exponent)) <= MOST_MULTIPLIED:
        power = _integer_power(points, base, abs(int(exponent)))
        return power if exponent >= 0 else points.op("div", _one(base.dtype), power)
    doubled = 2 * exponent
    if doubled.is_Integer and abs(int(doubled)) <= MOST_UNDER_ROOT:
        power = points.op("sqrt", base)
        if abs(int(doubled)) > 1:
            power = points.op("mul", power, _integer_power(points, base, abs(int(doubled)) // 2))
        return power if exponent > 0 else points.op("div", _one(base.dtype), power)
    return points.op("pow", base, Const(float(exponent), base.dtype))


def _integer_power(points: Points, base: Value, exponent: int) -> Value:
    """base to a whole power that is known now, by repeated squaring."""
    result: Value | None = None
    square = base
    while exponent:
        if exponent & 1:
            result = square if result is None else points.op("mul", result, square)
        exponent >>= 1
        if exponent:
            square = points.op("mul", square, square)
    return _one(base.dtype) if result is None else result


def _compare(op: str) -> Callable[[Points, Node, list[Value]], Value]:
    def emit(points: Points, node: Node, values: list[Value]) -> Value:
        dtype = common_dtype(*node.operands) or points.real
        if dtype in COUNTED:
            dtype, known = _compared_in(dtype, op, node)
            if known is not None:
                return Const(known, "bool")
        a, b = (points.cast(v, dtype) for v in values)
        return points.op(op, a, b, dtype="bool")

    return emit


def _compared_in(dtype: str, op: str, node: Node) -> tuple[str, bool | None]:
    """The dtype that integers are compared in; or what holds of all of them, beside a number beyond int64."""
    for place, number in enumerate(map(_number_in, node.operands)):
        if number is not None and number.is_Integer and not LIMITS["int64"][0] <= number <= LIMITS["int64"][1]:
            above = (number > 0) == (place == 1)  # the number is larger than all, and stands on the right; or the like
            return dtype, {"eq": False, "ne": True}.get(op, above == (op in ("lt", "le")))
        if number is not None and number.is_Integer and dtype == "int32":
            fits = LIMITS["int32"][0] <= number <= LIMITS["int32"][1]
            dtype = dtype if fits else "int64"
    return ("int64" if dtype == "bool" else dtype), None


def _number_in(node: Node) -> Expr | None:
    """The number that every element of a node is; None where there is none."""
    while node.kind == "expand" or node.kind in TRANSPARENT:
        node = node.operands[0]
    return number_of(node)


def _where(points: Points, node: Node, values: list[Value]) -> Value:
    dtype = points.dtype(node)
    return points.op("select", values[0], points.cast(values[1], dtype), points.cast(values[2], dtype), dtype=dtype)


def _indicator(points: Points, node: Node, values: list[Value]) -> Value:
    return points.op("select", values[0], _one(points.real), Const(0.0, points.real), dtype=points.real)


_OF_TRUTH = {"maximum": "or", "minimum": "and", "abs": "", "floor": "", "sign": ""}  # of bools; "": the value itself


def _direct(op: str) -> Callable[[Points, Node, list[Value]], Value]:
    def emit(points: Points, node: Node, values: list[Value]) -> Value:
        dtype = points.dtype(node)
        name = _OF_TRUTH.get(op, op) if dtype == "bool" else op
        if not name:
            return values[0]
        return points.let(Op(name, tuple(points.cast(v, dtype) for v in values), dtype))

    return emit


_EMIT: dict[str, Callable[[Points, Node, list[Value]], Value]] = {
    "add": _add,
    "mul": _mul,
    "pow": _pow,
    "where": _where,
    "indicator": _indicator,
    **dict.fromkeys(CASTS, lambda points, node, values: points.cast(values[0], points.dtype(node))),
    **{op: _direct(op) for op in _DIRECT},
    **{op: _compare(op) for op in _COMPARISONS},
}

INLINE["elementwise"] = Inline(_points, _value)

TRANSCENDENTAL = frozenset(_DIRECT) - {"abs", "sign", "floor", "maximum", "minimum", "and", "or", "not"}


def functions_in(statements: Iterable[Stmt]) -> list[str]:
    """The functions that statements bind or store the values of, by name."""
    values = (stmt.value for stmt in statements if isinstance(stmt, Let | Store))
    return [value.name for value in values if isinstance(value, Op) and value.name in TRANSCENDENTAL]


def is_costly(node: Node) -> bool:
    """Whether one element costs more than a few cycles: worth storing rather than computing twice."""
    if not is_op(node, *TRANSCENDENTAL, "pow"):
        return False
    if not is_op(node, "pow"):
        return True
    exponent = number_of(node.operands[1])
    return exponent is None or not (exponent.is_Integer and 0 <= exponent <= sympy.Integer(4))
