"""What `lambdify` is given: symbols in a row, and expressions as cells that are put together again.

In: arguments and expressions as SymPy's function takes them.  Out: symbols, an `Arrangement`; or an error that says
what was not understood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy

from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.node import Node
from symnet.expr.sympy.from_sympy import sympified

_NOT_FLOATS = {"mpmath": "more digits", "sympy": "exact values"}


class Arrangement(NamedTuple):
    """Results: the scalar expressions in a row, and how values for them are put together."""

    cells: list[Any]
    build: Callable[[Sequence[Any]], Any]
    is_single: bool = False  # one scalar, bare


def check_modules(call: str, modules: Any, printer: Any) -> None:
    given = [modules] if isinstance(modules, (str, dict)) else list(modules or ())
    own = [m for m in given if not isinstance(m, str)]
    if own or printer is not None:
        mend = "Put the functions into the expression, as sympy.Lambda."
        got = f"modules={modules!r}" if own else f"printer={printer!r}"
        raise ArgumentError(explain(call, "names of modules, and no printer", got, mend))
    exact = [m for m in given if m in _NOT_FLOATS]
    if exact:
        mend = f"Drop it, or use sympy.lambdify for {_NOT_FLOATS[exact[0]]}."
        raise ArgumentError(explain(call, "modules that compute with floats", repr(exact[0]), mend))


def spec(arg: Any) -> Any:
    if isinstance(arg, (list, tuple, sympy.Tuple)):
        return [spec(a) for a in arg]
    if isinstance(arg, sympy.MatrixBase):
        return [[spec(arg[i, j]) for j in range(arg.cols)] for i in range(arg.rows)]
    return sympy.Symbol(arg) if isinstance(arg, str) else arg


def flat_symbols(call: str, specs: Any) -> list[Any]:
    if isinstance(specs, list):
        found = [s for spec in specs for s in flat_symbols(call, spec)]
        if len(set(found)) < len(found):
            twice = next(s for s in found if found.count(s) > 1)
            raise ArgumentError(explain(call, "different arguments", f"{twice} twice", "Name each argument once."))
        return found
    if not isinstance(specs, (sympy.Expr, sympy.IndexedBase)) or specs.is_number:
        got, mend = f"{specs!r} ({type(specs).__name__})", "Write sympy.symbols('x y')."
        raise ArgumentError(explain(call, "SymPy symbols as arguments", got, mend))
    return [specs]


def arrangement(call: str, expr: Any) -> Arrangement:
    if isinstance(expr, dict):
        inner = arrangement(call, list(expr.values()))
        return Arrangement(inner.cells, lambda values: dict(zip(expr, inner.build(values), strict=True)))
    if isinstance(expr, (list, tuple, sympy.Tuple)):
        return _sequence(call, list(expr), tuple if not isinstance(expr, list) else list)
    if isinstance(expr, (sympy.MatrixBase, sympy.NDimArray)):
        cells = list(expr.flat()) if isinstance(expr, sympy.MatrixBase) else sympy.flatten(expr.tolist())
        shape = tuple(map(int, expr.shape))
        return Arrangement(cells, lambda values: np.array(values).reshape(*shape, *np.shape(values[0])))
    if isinstance(expr, Node):
        raise ArgumentError(explain(call, "a SymPy expression", "a symnet expression", "Compile it with sn.compile."))
    return Arrangement([sympified(call, expr)], lambda values: values[0], is_single=True)


def _sequence(call: str, parts: list[Any], kind: type) -> Arrangement:
    inner = [arrangement(call, part) for part in parts]
    ends = np.cumsum([0, *(len(each.cells) for each in inner)]).tolist()

    def build(values: Sequence[Any]) -> Any:
        return kind(each.build(values[a:b]) for each, a, b in zip(inner, ends, ends[1:], strict=False))

    return Arrangement([cell for each in inner for cell in each.cells], build)


def check_free(call: str, symbols: Sequence[Any], cells: Sequence[Any]) -> None:
    known = set(symbols)
    for symbol in symbols:
        known |= symbol.free_symbols if isinstance(symbol, (sympy.MatrixExpr, sympy.IndexedBase)) else set()
    wild = [s for s in symbols if not s.is_Symbol and not isinstance(s, (sympy.MatrixSymbol, sympy.IndexedBase))]
    for cell in cells:
        inside = cell.xreplace(dict.fromkeys(wild, sympy.S.One)) if wild else cell
        strange = [s for s in inside.free_symbols - known if isinstance(s, (sympy.Symbol, sympy.MatrixSymbol))]
        unknown = sorted(map(str, strange))
        if unknown:
            names = ", ".join(map(str, symbols)) or "no arguments"
            mend = f"Add {unknown[0]} to the arguments."
            raise ArgumentError(explain(call, f"expressions in {names}", f"{', '.join(unknown)} in {cell}", mend))
