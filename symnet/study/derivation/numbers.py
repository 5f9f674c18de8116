"""Numbers on a derivation: every value, local derivative and cotangent at one point.

In: a `Record` with an array (or number) for every leaf.  Out: `NumbersAtPoint`, kept on it.  `reference`, the
meaning of every node, computes them, so that nothing is compiled.  Where that is 0·∞ (the slope of a norm at 0), the
numeric form decides, by its conventions, as it does in what is compiled.  `shown` writes a number, a short vector or a
small matrix; of a larger array its shape and its norm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from symnet.arrays import Array
from symnet.errors import SingularMatrixError
from symnet.expr.nodes.building import zeros
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, leaves
from symnet.expr.printing.markup import MINUS, op, parens, row
from symnet.reference import evaluate
from symnet.simplify.numeric.passes import numeric
from symnet.study.derivation.limits import at_point, has_nan
from symnet.study.derivation.model import NumbersAtPoint, Record

_LONGEST = 4  # elements of a vector, rows and columns of a matrix that are written out
_ALONE, _IN_ARRAYS = 6, 3  # significant digits
UNDEFINED = "undefined"


def numbers_of(derivation: Record) -> NumbersAtPoint | None:
    """The value of everything at the derivation's point, computed once; None where no point was given."""
    if derivation.data is None:
        return None
    if not derivation._numbers:
        derivation._numbers.append(_evaluated(derivation, derivation.data))
    return derivation._numbers[0]


def _evaluated(derivation: Record, data: Mapping[str, Any]) -> NumbersAtPoint:
    """The numbers of a derivation at one point."""
    root = next((v.node for v in derivation.values if v.label == derivation.root), None)
    root = root if root is not None else derivation.inputs[derivation.root]
    known = leaves(root)

    def compute(nodes: Mapping[Any, Node | None], env: Mapping[str, Any]) -> dict[Any, Array]:
        present = {key: node for key, node in nodes.items() if node is not None}
        return dict(zip(present, _values(list(present.values()), env, known), strict=True))

    def mended(table: str, found: dict[Any, Array], nodes: Mapping[Any, Node | None]) -> dict[Any, Array]:
        """What is undefined as written, as compiled code has it; of values the limit where that has none either."""
        gone = {key: node for key, node in nodes.items() if node is not None and has_nan(found[key])}
        for key, at in at_point(gone, data, lambda n, env: _values(n, env, known)).items():
            found[key] = at.value
            if at.limit is not None:
                limits.update({(table, key): at.limit})
        return found

    limits: dict[tuple[str, Any], Array] = {}
    nodes = {v.label: v.node for v in (*derivation.given, *derivation.values)}
    forward = {**derivation.inputs, **nodes}
    found = evaluate(list(forward.values()), data, leaves=known)  # here an inverse that does not exist is an error
    values = mended("values", dict(zip(forward, found, strict=True)), nodes)
    slopes = {s.label: s.after for s in derivation.steps}
    cotangents = mended("cotangents", compute(slopes, data), slopes)
    env = {**values, **data, **{str(s.bar): cotangents[s.label] for s in derivation.steps}}
    cotangents |= compute({e.variable: e.result for e in derivation.endings if e.variable in derivation.parts}, data)
    edges = {(e.user, e.operand): e for e in derivation.edges}
    passed = compute({key: e.passed for key, e in edges.items()}, env)
    alone = {(s.edges[0].user, s.label): s.label for s in derivation.steps if len(s.edges) == 1}
    passed |= {key: cotangents[alone[key]] for key, array in passed.items() if key in alone and has_nan(array)}
    local = compute({key: e.local for key, e in edges.items()}, env)
    return NumbersAtPoint({**data, **values}, cotangents, local, passed, limits)


def _values(nodes: Sequence[Node], env: Mapping[str, Any], known: Sequence[Tensor]) -> list[Array]:
    """The values of nodes; by the numeric form, one by one, where an inverse in them does not exist, and NaN there."""
    try:
        return list(evaluate(list(nodes), env, leaves=known))
    except SingularMatrixError:
        if len(nodes) > 1:
            return [_values([node], env, known)[0] for node in nodes]
    try:
        return list(evaluate(numeric(nodes), env, leaves=known))
    except SingularMatrixError:
        return [np.full_like(evaluate(zeros(*node.shape), env, leaves=known), np.nan) for node in nodes]


def on_limits(numbers: NumbersAtPoint | None) -> str:
    """What → means, and where compiled code does not give the limit; nothing where there is none."""
    if numbers is None or not numbers.limits:
        return ""
    lost = [str(key) for table, key in numbers.limits if table == "values" and has_nan(numbers.values[key])]
    said = "→ marks a limit: as it is written, the formula is undefined at this point."
    return f"{said} Compiled code gives nan for {', '.join(lost)}." if lost else said


def shown(array: Any) -> str:
    """A number or an array as text."""
    array = np.asarray(array)
    if not array.ndim:
        return _number(array)
    if array.size and array.dtype.kind == "f" and np.isnan(array).all():
        return UNDEFINED
    if not array.size:
        return f"{'×'.join(map(str, array.shape))}, empty"
    if array.ndim <= 2 and max(array.shape) <= _LONGEST:
        return _nested(array)
    return f"{'×'.join(map(str, array.shape))}, norm {_number(np.linalg.norm(array), _IN_ARRAYS)}"


def _nested(array: Array) -> str:
    return _number(array, _IN_ARRAYS) if not array.ndim else f"[{', '.join(map(_nested, array))}]"


def extent_shown(array: Any) -> tuple[int, int]:
    """Characters across and lines down of what `shown_mathml` gives, roughly."""
    array = np.asarray(array)
    if not array.ndim or not array.size or array.ndim > 2 or max(array.shape) > _LONGEST:
        return len(shown(array)), 1
    matrix = array[:, None] if array.ndim == 1 else array
    columns = (max(len(_number(x, _IN_ARRAYS)) + 2 for x in column) for column in matrix.T)
    return sum(columns) + 2, matrix.shape[0]


def shown_mathml(array: Any) -> str:
    """A number or an array in MathML: vectors are columns."""
    array = np.asarray(array)
    if not array.ndim:
        return _number_mathml(array)
    if not array.size or shown(array) == UNDEFINED:
        return f"<mtext>{shown(array)}</mtext>"
    if array.ndim > 2 or max(array.shape) > _LONGEST:
        size = op("×").join(f"<mn>{n}</mn>" for n in array.shape)
        return row(f"{size}<mtext>,\u00a0norm\u00a0</mtext>{_number_mathml(np.linalg.norm(array), _IN_ARRAYS)}")
    matrix = array[:, None] if array.ndim == 1 else array
    cells = "".join(f"<mtr>{_cells(line)}</mtr>" for line in matrix)
    return parens(f"<mtable>{cells}</mtable>", "[", "]")


def _cells(line: Iterable[Any]) -> str:
    return "".join(f"<mtd>{_number_mathml(x, _IN_ARRAYS)}</mtd>" for x in line)


def _number_mathml(value: Any, digits: int = _ALONE) -> str:
    written = _number(value, digits)
    if written == UNDEFINED:
        return f"<mtext>{written}</mtext>"
    mantissa, _, exponent = written.lstrip("-").partition("e")
    sign = MINUS if written.startswith("-") else ""
    power = f"<mo>·</mo><msup><mn>10</mn><mn>{int(exponent)}</mn></msup>" if exponent else ""
    return f"{sign}<mn>{mantissa}</mn>{power}"


def _number(value: Any, digits: int = _ALONE) -> str:
    if np.asarray(value).dtype.kind != "f":
        return str(value)
    return UNDEFINED if np.isnan(value) else f"{float(value) + 0.0:.{digits}g}"  # of -0.0 no sign
