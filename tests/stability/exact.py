"""The exact meaning of a formula as it is written: every node in mpmath's numbers, with IEEE's infinities and NaN.

In: nodes as the user wrote them (nothing simplified) and arrays of floats.  Out: arrays of mpmath numbers.
Precision follows the data: a row of tiny or huge numbers needs as many bits as a double's exponents span, so that
1 + 5e-324 is not 1; ordinary rows are computed with fewer.  Axis 0 is the sample: no formula here mixes samples.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
import sympy
from mpmath import mpf

from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import functions
from symnet.reference.context import Context
from symnet.reference.evaluation import MEANING as ARRAYS
from tests.elementary.cases import ORACLE

Exact = np.ndarray[Any, np.dtype[Any]]
NAN, INF = mpf("nan"), mpf("inf")
ORDINARY, WIDE = 420, 1300  # bits
TINIEST, LARGEST = 1e-10, 16.0  # of an ordinary row's numbers


def _log(x: Any) -> Any:
    return NAN if x < 0 else mpmath.log(x) if x else -INF


def _power(x: Any, e: Any) -> Any:
    if not x:
        return mpf(1) if not e else INF if e < 0 else mpf(0)
    if x < 0 and e != mpmath.floor(e):
        return NAN
    return mpmath.sqrt(x) if e == 0.5 else x ** (int(e) if e == int(e) and abs(e) < 64 else e)


def _sign(x: Any) -> Any:
    return mpf((x > 0) - (x < 0))


def _of_reals(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function that is NaN where mpmath's is complex."""

    def real(x: Any) -> Any:
        value = function(x)
        return NAN if isinstance(value, mpmath.mpc) else value

    return real


def _is_pole(x: Any) -> bool:
    return bool(x <= 0 and x == mpmath.floor(x))


def _gamma(x: Any) -> Any:
    return NAN if _is_pole(x) else mpmath.gamma(x)


def _loggamma(x: Any) -> Any:
    return INF if _is_pole(x) else mpmath.loggamma(x) if x > 0 else mpmath.log(abs(mpmath.gamma(x)))


def _digamma(x: Any) -> Any:
    return NAN if _is_pole(x) else mpmath.digamma(x)


def _where(condition: Any, a: Any, b: Any) -> Any:
    return a if condition else b


def _extreme(larger: bool) -> Callable[[Any, Any], Any]:
    def pick(a: Any, b: Any) -> Any:
        if a != a or b != b:
            return NAN
        return a if (a >= b) == larger else b

    return pick


PRIMITIVES: dict[str, Callable[..., Any]] = {
    "add": lambda *xs: functools.reduce(lambda a, b: a + b, xs),
    "mul": lambda *xs: functools.reduce(lambda a, b: a * b, xs),
    "pow": _power, "maximum": _extreme(True), "minimum": _extreme(False), "abs": abs, "sign": _sign,
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)), "atan2": mpmath.atan2,
    "gamma": _gamma, "loggamma": _loggamma, "digamma": _digamma,  # whose poles mpmath refuses
    "floor_divide": lambda a, b: mpmath.floor(a / b),
    "mod": lambda a, b: a - b * mpmath.floor(a / b),
    "xlogy": lambda x, y: mpf(0) if not x else x * _log(y),
    "lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "and": lambda a, b: a and b, "or": lambda a, b: a or b,
    "not": lambda a: not a, "where": _where, "indicator": lambda a: mpf(bool(a)),
}  # fmt: skip
PRIMITIVES |= {p.name: _of_reals(ORACLE[p.name]) for p in functions() if p.name not in PRIMITIVES}


def _polygamma(node: Any, values: Sequence[Exact]) -> Exact:
    application = node.args[0].application
    assert application.func is sympy.polygamma, application
    order = int(application.args[0])
    return np.asarray(
        np.frompyfunc(lambda x: NAN if _is_pole(x) else mpmath.psi(order, x), 1, 1)(*values), dtype=object
    )


def _elementwise(node: Any, values: Sequence[Exact]) -> Exact:
    if node.op == "function":
        return _polygamma(node, values)
    return np.asarray(np.frompyfunc(PRIMITIVES[node.op], len(values), 1)(*values), dtype=object)


def _einsum(node: Any, values: Sequence[Exact]) -> Exact:
    arguments: list[Any] = []
    for value, indices in zip(values, node.inputs, strict=True):
        arguments += [value, list(indices)]
    return np.asarray(np.einsum(*arguments, list(node.output)), dtype=object)


def _logsumexp(x: Exact) -> Any:
    return _log(mpmath.fsum(map(mpmath.exp, x)))


REDUCTIONS: dict[str, Callable[[Exact], Any]] = {
    "max": lambda x: functools.reduce(PRIMITIVES["maximum"], x),
    "min": lambda x: functools.reduce(PRIMITIVES["minimum"], x),
    "prod": lambda x: functools.reduce(lambda a, b: a * b, x),
    "logsumexp": _logsumexp,
    "argmax": lambda x: mpf(int(np.argmax(x))),
}


def _reduce(node: Any, values: Sequence[Exact]) -> Exact:
    (x,) = values
    kept = [a for a in range(x.ndim) if a not in node.axes]
    rows = x.transpose(*kept, *node.axes).reshape(*(x.shape[a] for a in kept), -1)
    return np.asarray(np.apply_along_axis(REDUCTIONS[node.op], -1, rows), dtype=object)


def _number(node: Any, values: Sequence[Exact]) -> Exact:
    return np.asarray(mpf(node.value._to_mpmath(mpmath.mp.prec)), dtype=object)


def _flipped(node: Any, x: Exact) -> Exact:
    return np.flip(x, node.axis) if node.reverse else x


def _recurrence(node: Any, values: Sequence[Exact]) -> Exact:
    """a[k]·before + b[k] for every step, of a product without b; the value before it if exclusive."""
    factors, *added = (np.moveaxis(_flipped(node, x), node.axis, 0) for x in values)
    after = [*(added[0] if added else factors)[:1]]
    for k in range(1, len(factors)):
        after.append(factors[k] * after[-1] + (added[0][k] if added else 0))
    start = np.full_like(factors[:1], mpmath.mpf(0 if added else 1))
    found = np.concatenate([start, after])[: len(factors)] if node.exclusive else np.array(after)
    return _flipped(node, np.moveaxis(found.reshape(factors.shape), 0, node.axis))


RULES: dict[str, Callable[[Any, Sequence[Exact]], Exact]] = {
    "elementwise": _elementwise,
    "einsum": _einsum,
    "reduce": _reduce,
    "number": _number,
    "concat": lambda node, values: np.concatenate(values, node.axis),
    "cumprod": _recurrence,
    "linear_recurrence": _recurrence,
    "cumsum": lambda node, values: _flipped(node, np.cumsum(_flipped(node, values[0]), node.axis)),
}


def _is_ordinary(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Which samples hold numbers of moderate size only."""
    verdicts = []
    for array in rows:
        size = np.abs(array.reshape(len(array), -1))
        verdicts.append((((size == 0) | (size >= TINIEST)) & (size <= LARGEST)).all(1))
    return np.logical_and.reduce(verdicts)


class Oracle:
    """The exact values of any number of formulas at one set of points; parts they share are computed once."""

    def __init__(self, data: dict[str, np.ndarray], samples: Dim) -> None:
        self.samples = samples
        ordinary = _is_ordinary(list(data.values()))
        self.groups = [(ORDINARY, np.flatnonzero(ordinary)), (WIDE, np.flatnonzero(~ordinary))]
        self.data = data
        self._memory: list[dict[Node, Exact]] = [{} for _ in self.groups]

    def __call__(self, root: Node) -> Exact:
        """The values of a formula, one row per sample."""
        length = len(next(iter(self.data.values())))
        out: Exact | None = None
        for (bits, rows), memory in zip(self.groups, self._memory, strict=True):
            if len(rows):
                with mpmath.workprec(bits):
                    part = self._values(root, {k: v[rows] for k, v in self.data.items()}, memory)
                out = np.empty((length, *part.shape[1:]), dtype=object) if out is None else out
                out[rows] = part
        assert out is not None
        return out

    def _values(self, root: Node, data: dict[str, np.ndarray], memory: dict[Node, Exact]) -> Exact:
        context = Context({self.samples: len(next(iter(data.values())))})
        for node in topological(root):
            if node in memory:
                continue
            operands = [memory[o] for o in node.operands]
            if node.kind == "tensor":
                memory[node] = np.frompyfunc(lambda v: mpf(float(v)), 1, 1)(data[node.name])  # type: ignore[attr-defined]
            elif node.kind in RULES:
                memory[node] = RULES[node.kind](node, operands)
            else:
                memory[node] = np.asarray(ARRAYS[node.kind](node, operands, context), dtype=object)
        return memory[root]
