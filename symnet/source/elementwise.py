"""Numbers and elementwise operations as source text.

In: a writer and a node.  Out: a `SourcePiece`: sums with their signs, products over divisors, calls of the
library's functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symnet.errors import MissingRuleError, explain
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.nodes.result_dtypes import CASTS
from symnet.source import idioms
from symnet.source.text import ATOM, POWER, PRODUCT, RELATION, SUM, SourcePiece, is_python
from symnet.source.writer import FunctionWriter

_RELATIONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
_LOGIC = {"and": "&", "or": "|"}


def number(w: FunctionWriter, node: Node) -> SourcePiece:
    value = number_of(node)
    assert value is not None
    if value in (sympy.oo, -sympy.oo, sympy.nan):
        return SourcePiece(f'float("{float(value)}")')
    text = f"{value.p}/{value.q}" if value.is_Rational and not value.is_Integer and value.q < 1000 else None
    text = text or (str(value) if value.is_Integer else repr(float(value)))
    return SourcePiece(text, SUM if text.startswith("-") else PRODUCT if "/" in text else ATOM)


def size(w: FunctionWriter, node: Node) -> SourcePiece:
    text = w.extent(node.args[0])
    return SourcePiece(text, ATOM if text.isidentifier() else SUM)


def elementwise(w: FunctionWriter, node: Any) -> SourcePiece:
    idiom = idioms.find(w, node)
    if idiom is not None:
        return idiom
    if node.op in _SPECIAL:
        return _SPECIAL[node.op](w, node)
    operands = [
        w.operand(o, node, cast=PRIMITIVES[node.op].condition is False or k > 0) for k, o in enumerate(node.operands)
    ]
    if is_python(node):
        return SourcePiece(f"{_PYTHON.get(node.op, 'math.' + node.op)}({', '.join(o.text for o in operands)})")
    if node.op in w.dialect.helpers:
        w.helpers.setdefault(node.op, w.dialect.helpers[node.op])
    if node.op not in w.dialect.functions:
        expected, mend = f"the primitive {node.op}", "Add it to the functions in symnet/source/dialects.py."
        raise MissingRuleError(explain(f"source({w.dialect.name!r})", expected, "no spelling of it", mend))
    return SourcePiece(
        w.dialect.functions[node.op].format(*(_array(w, o, t) for o, t in zip(node.operands, operands, strict=True)))
    )


_PYTHON = {"abs": "abs", "maximum": "max", "minimum": "min"}


def _where(w: FunctionWriter, node: Any) -> SourcePiece:
    """A choice; where both branches are plain numbers, the first says the dtype."""
    condition, a, b = (w.operand(o, node, cast=k > 0) for k, o in enumerate(node.operands))
    branches = [_array(w, o, t) for o, t in zip(node.operands[1:], (a, b), strict=True)]
    if w.dialect.name != "torch" and all(_is_number(o) for o in node.operands[1:]):
        branches[0] = f"{w.dtype(w.real)}({branches[0]})"
    return SourcePiece(w.dialect.functions["where"].format(condition.text, *branches))


def _is_number(node: Node) -> bool:
    return is_python(node) or (node.kind == "expand" and is_python(node.operands[0]))


def _array(w: FunctionWriter, node: Node, text: SourcePiece) -> str:
    """An operand as a tensor where PyTorch's function wants one, and NumPy takes a number."""
    number = w.dialect.name == "torch" and _is_number(node)
    return (
        str(w.call("array", text.text, w.dtype(w.real)).text)
        if number and not text.text.startswith("torch.")
        else text.text
    )


def _add(w: FunctionWriter, node: Node) -> SourcePiece:
    pieces = []
    for operand in node.operands:
        text = w.operand(operand, node)
        pieces.append(f"- {text.text[1:]}" if text.minus else f"+ {text.within(SUM)}")
    ups = [p for p in pieces if p[0] == "+"]
    ordered = [*ups, *(p for p in pieces if p[0] == "-")]
    joined = " ".join(ordered)
    return SourcePiece(joined[2:] if ups else f"-{joined[2:]}", SUM)


def _mul(w: FunctionWriter, node: Node) -> SourcePiece:
    above: list[str] = []
    below: list[str] = []
    minus = False
    mean = idioms.mean(w, node)
    if mean is not None:
        above.append(mean.text.text)
    for operand in sorted(node.operands, key=lambda o: bool(o.rank)):
        if mean is not None and operand in mean.operands:
            continue
        value = number_of(operand)
        text = w.operand(operand, node)
        if value == -1:
            minus = not minus
        elif value is not None and value.is_Integer and value < 0:
            minus = not minus
            above.append(str(-value))
        elif is_op(operand, "pow") and number_of(operand.operands[1]) == -1 and text.text.startswith("1/"):
            below.append(text.text[2:])
        elif value is not None and value.is_Rational and value.p in (1, -1) and value.q != 1:
            below.append(str(value.q))
            minus ^= value.p < 0
        else:
            above.append(text.within(PRODUCT if not above else POWER))
    written = "*".join(above) or "1"
    written += "".join(f"/{b}" for b in below)
    return SourcePiece(f"-{written}", SUM, True) if minus else SourcePiece(written, PRODUCT)


def _pow(w: FunctionWriter, node: Node) -> SourcePiece:
    base, exponent = node.operands
    value = number_of(exponent)
    text = w.operand(base, node)
    if value == -1:
        return SourcePiece(f"1/{text.within(POWER)}", PRODUCT)
    if value == sympy.S.Half:
        root = "math.sqrt({0})" if is_python(node) else w.dialect.functions["sqrt"]
        return SourcePiece(root.format(text.text))
    if value is not None and value.is_Integer and value < 0:
        return SourcePiece(f"1/{text.within(ATOM)}**{-value}", PRODUCT)
    return SourcePiece(f"{text.within(ATOM)}**{w.operand(exponent, node).within(ATOM)}", POWER)


def _relation(w: FunctionWriter, node: Any) -> SourcePiece:
    a, b = (w.operand(o, node).within(SUM) for o in node.operands)
    return SourcePiece(f"{a} {_RELATIONS[node.op]} {b}", RELATION)


def _logic(w: FunctionWriter, node: Any) -> SourcePiece:
    a, b = (w.operand(o, node).within(PRODUCT) for o in node.operands)
    return SourcePiece(f"{a} {_LOGIC[node.op]} {b}", RELATION)


def _not(w: FunctionWriter, node: Node) -> SourcePiece:
    return SourcePiece(f"~{w.operand(node.operands[0], node).within(ATOM)}", POWER)


def _indicator(w: FunctionWriter, node: Node) -> SourcePiece:
    condition = w.operand(node.operands[0], node)
    if w.dialect.name == "numpy":
        one, zero = ("1.0", "0.0") if w.real == "float64" else ("np.float32(1)", "np.float32(0)")
        return SourcePiece(f"np.where({condition.text}, {one}, {zero})")
    return SourcePiece(w.dialect.cast.format(condition.within(ATOM), w.dtype(w.real)))


def _cast(w: FunctionWriter, node: Any) -> SourcePiece:
    """A conversion, written where the library would not convert by itself, or to another dtype."""
    operand = w.operand(node.operands[0], node, cast=False)
    dtype = CASTS[node.op] or w.real
    if is_python(node) or _is_number(node.operands[0]):
        return operand
    return SourcePiece(w.dialect.cast.format(operand.within(ATOM), w.dtype(dtype)))


_SPECIAL: dict[str, Callable[[FunctionWriter, Any], SourcePiece]] = {
    "add": _add,
    "mul": _mul,
    "pow": _pow,
    "not": _not,
    "indicator": _indicator,
    "where": _where,
    **dict.fromkeys(CASTS, _cast),
    **dict.fromkeys(_RELATIONS, _relation),
    **dict.fromkeys(_LOGIC, _logic),
}
