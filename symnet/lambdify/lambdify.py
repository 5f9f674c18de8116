"""SymPy's `lambdify`, native: positional scalars broadcast over arrays.

In: arguments and SymPy expressions (one, nested lists of them, explicit matrices).  Out: `Lambdified`, a callable.
A call flattens what it got to one extent; arguments that are numbers stay numbers.
Not handled: complex numbers, functions without a primitive, modules of the caller's own.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy

from symnet import dtypes
from symnet.errors import DTypeError, explain
from symnet.lambdify.arguments import arrangement, check_free, check_modules, flat_symbols, spec
from symnet.lambdify.functions import MatrixFunction, NumberFunction
from symnet.lambdify.lambdified import Lambdified


def lambdify(
    args: Any,
    expr: Any,
    modules: Any = None,
    printer: Any = None,
    use_imps: bool = True,
    cse: bool = True,
    docstring_limit: int | None = 1000,
    *,
    dtype: Any = None,
    threads: int | None = None,
) -> Lambdified:
    """A native function of SymPy expressions, in place of `sympy.lambdify(args, expr)`.

    Args:
        args: a symbol, or a list of symbols, nested lists, explicit matrices of symbols, or matrix symbols.
        expr: a SymPy scalar, an explicit matrix or array, or nested lists, tuples and dicts of them.
        modules: names of numeric modules are accepted and mean nothing here, so that a call to SymPy's function
            need not change; functions of the caller's own, "mpmath" and "sympy" are refused.
        printer: refused, for nothing is printed.
        use_imps: means nothing.
        cse: means nothing: common parts are always shared.
        docstring_limit: how many characters of an expression the docstring holds; None for all of them.
        dtype: of the computation; by default float32 where every array is float32, float64 otherwise.
        threads: how many threads a call uses; None for as many as pay.

    Returns:
        a callable: positional arguments (or keywords, by name) broadcast as in NumPy, whole numbers count as real,
        floats alone give Python floats, and every result has the shape that all arguments broadcast to (a matrix:
        rows, columns, that shape).
        A matrix symbol takes an array of its shape, and then numbers do not broadcast.

    Raises:
        ArgumentError: a symbol that is no argument, a part without a primitive, modules of one's own.
        MissingRuleError: a function without a formula of primitives.

    Example:
        >>> import numpy as np, sympy, symnet as sn
        >>> x, y = sympy.symbols("x y")
        >>> f = sn.lambdify([x, y], sympy.exp(x) * y)
        >>> f(0.0, np.array([1.0, 2.0]))
        array([1., 2.])
    """
    call = "lambdify(args, expr)"
    check_modules(call, modules, printer)
    if isinstance(args, str):
        args = sympy.symbols(args, seq=True)
    single = not isinstance(args, (list, tuple, set, sympy.Tuple))
    specs = [args] if single else [spec(a) for a in args]
    symbols = flat_symbols(call, specs)
    plan = arrangement(call, expr)
    real = None if dtype is None else dtypes.check(dtype, f"lambdify(…, dtype={dtype!r})")
    if real not in (None, *dtypes.REAL):
        raise DTypeError(explain(f"lambdify(…, dtype={dtype!r})", "float32 or float64", str(real), "Drop dtype."))
    arrays = any(isinstance(s, (sympy.MatrixSymbol, sympy.IndexedBase)) for s in symbols)
    check_free(call, symbols, plan.cells)
    kind = MatrixFunction if arrays else NumberFunction
    doc = str(expr) if docstring_limit is None else str(expr)[:docstring_limit]
    made = Lambdified(specs, symbols, plan, kind(symbols, plan, real, threads), doc)
    again = (list(specs) if isinstance(args, set) else args, expr)
    made.recipe = partial(lambdify, *again, docstring_limit=docstring_limit, dtype=real, threads=threads)
    return made
