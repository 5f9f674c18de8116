"""Native functions behind `lambdify`: one for each pattern of arrays and numbers, compiled when it first occurs.

In: symbols and cells, then values.  Out: the values of the cells.  Calls on small arrays run on buffers that are kept
(one set per thread); large arrays are passed as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sympy.logic.boolalg import BooleanAtom

from symnet import dtypes
from symnet.arrays import given_array
from symnet.compiler import compile
from symnet.errors import ArgumentError, DTypeError, explain
from symnet.expr.nodes.constants import Number
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves, tensor
from symnet.expr.sympy.bodies import opened
from symnet.expr.sympy.from_sympy import from_sympy
from symnet.expr.sympy.scalars import from_scalar
from symnet.lambdify.arguments import Arrangement
from symnet.locks import BUILDING
from symnet.runtime.elementwise import ConstantResults, OnArrays, OnKeptBuffers
from symnet.runtime.numbers import NumbersBuiltin, numbers_are_possible

SMALL = 2048  # elements up to which a call copies into kept buffers
STEPS_KEPT = 32  # shapes for which buffers are kept, per thread
_REAL = {np.dtype("float32"): "float32", np.dtype("float64"): "float64"}
_WHOLE = "biu"  # NumPy kinds that become real
_NUMBERS = frozenset({float, int, bool, np.float64, np.float32, np.int64, np.int32, np.bool_})


def _as_array(name: Any, value: Any) -> np.ndarray:
    array: np.ndarray = given_array(f"f({name}=…)", str(name), value)
    if array.dtype in _REAL or array.dtype.kind in _WHOLE:
        return array
    call, mend = f"f({name}={array.dtype}{list(array.shape)})", "Pass real numbers, as float64."
    raise DTypeError(explain(call, "real numbers", str(array.dtype), mend))


class _Steps(threading.local):
    """What runs on arguments of each shape and dtype: a set for each thread, for they hold buffers."""

    def __init__(self) -> None:
        self.steps: dict[Any, Callable[[Sequence[Any]], list[Any]]] = {}


class NumberFunction:
    """Elementwise functions of numbers and arrays."""

    def __init__(self, symbols: list[Any], plan: Arrangement, real: str | None, threads: int | None) -> None:
        self.symbols, self.cells, self.real, self.threads = symbols, plan.cells, real, threads
        self.variants: dict[Any, Any] = {}
        self.local = _Steps()
        stand_ins = {s: tensor(f"x{k}") for k, s in enumerate(symbols)}
        # What cannot be converted, or compiled, is refused at once.
        found = [_made(cell, stand_ins) for cell in plan.cells]
        self.gives_floats = all(isinstance(node, Node) and opened(node).dtype != "bool" for node in found)

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        steps = self.local.steps
        step = steps.get(tuple([(v.shape, v.dtype) if type(v) is np.ndarray else type(v) for v in values]))
        if step is None:
            values = [v if type(v) in _NUMBERS else _as_array(s, v) for s, v in zip(self.symbols, values, strict=True)]
            if len(steps) >= STEPS_KEPT:
                steps.clear()
            key = tuple([(v.shape, v.dtype) if type(v) is np.ndarray else type(v) for v in values])
            step = steps[key] = self._prepare([np.asarray(v) for v in values])
        return step(values)

    def _prepare(self, arrays: list[np.ndarray]) -> Callable[[Sequence[Any]], list[Any]]:
        """What runs on arguments of these shapes and dtypes."""
        try:
            shape = np.broadcast_shapes(*(a.shape for a in arrays))
        except ValueError as error:
            got, mend = ", ".join(f"{s}: {a.shape}" for s, a in zip(self.symbols, arrays, strict=True)), "Reshape one."
            raise ArgumentError(explain("f(…)", "shapes that broadcast", got, mend)) from error
        real = self.real or _common(arrays)
        many = tuple(a.ndim > 0 and a.size != 1 for a in arrays)
        function, constants = self.variant(many, real)
        size = int(np.prod(shape, dtype=np.int64))
        if function is None or size == 0:
            return ConstantResults(constants, shape, real)
        used = {name: int(name[1:]) for name in function.inputs}
        runner = OnKeptBuffers if size <= SMALL else OnArrays
        return runner(function, used, many, constants, shape, real)

    def of_numbers(self) -> NumbersBuiltin | None:
        """The function of floats alone that gives floats, as a builtin; None where there is no such thing."""
        if self.real == "float32" or not self.gives_floats:
            return None
        function, constants = self.variant((False,) * len(self.symbols), "float64")
        if function is None or not numbers_are_possible():
            return None
        used = {name: int(name[1:]) for name in function.inputs}
        return NumbersBuiltin(function, used, len(self.symbols), constants)

    def variant(self, many: tuple[bool, ...], real: str) -> tuple[Any, list[Any]]:
        """The native function for a pattern of arrays, and the results that are constants (None: computed)."""
        return self.variants.get((many, real)) or self._build(many, real)

    def _build(self, many: tuple[bool, ...], real: str) -> tuple[Any, list[Any]]:
        """As `variant`, made by the thread that comes first."""
        with BUILDING:
            if (many, real) in self.variants:
                return self.variants[many, real]
            extent = dim("elements")
            rule = {s: tensor(f"x{k}", *([extent] if many[k] else []), dtype=real) for k, s in enumerate(self.symbols)}
            nodes = [_made(cell, rule) for cell in self.cells]
            constants = [_constant(node) for node in nodes]
            computed = [node for node, constant in zip(nodes, constants, strict=True) if constant is None]
            function = compile(computed, name="lambdified", threads=self.threads) if computed else None
            found = self.variants[many, real] = (function, constants)
            return found


def _made(cell: Any, rule: Any) -> Node | bool:
    return bool(cell) if isinstance(cell, BooleanAtom) else from_scalar(cell, rule)


def _constant(node: Node | bool) -> float | bool | None:
    """The number or truth value that a result always is; None where it is computed."""
    return float(node.value) if isinstance(node, Number) else node if isinstance(node, bool) else None


def _common(arrays: list[np.ndarray]) -> str:
    """The dtype to compute in: float32 where every real array is float32; numbers do not count."""
    found = {_REAL[a.dtype] for a in arrays if a.dtype in _REAL and a.ndim}
    return "float32" if found == {"float32"} else "float64"


class MatrixFunction:
    """Functions of whole matrices: nothing broadcasts."""

    def __init__(self, symbols: list[Any], plan: Arrangement, real: str | None, threads: int | None) -> None:
        self.symbols, self.real = symbols, real or dtypes.DEFAULT_REAL
        self.names = [f"_{k}" if s.is_Symbol else str(getattr(s, "label", s.name)) for k, s in enumerate(symbols)]
        rule = {s: tensor(n, dtype=self.real) for n, s in zip(self.names, symbols, strict=True) if s.is_Symbol}
        nodes = [from_sympy(cell, dtype=self.real, leaves=rule) for cell in plan.cells]
        self.function = compile(nodes, name="lambdified", threads=threads)
        self.variants = {("matrices", self.real): (self.function, [None] * len(nodes))}
        self.inputs = {leaf.name for node in nodes for leaf in leaves(node)}

    def of_numbers(self) -> NumbersBuiltin | None:
        """None: functions of matrices take no numbers alone."""
        return None

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        arrays = [np.asarray(_as_array(s, v), self.real) for s, v in zip(self.symbols, values, strict=True)]
        return list(self.function(**{n: a for n, a in zip(self.names, arrays, strict=True) if n in self.inputs}))
