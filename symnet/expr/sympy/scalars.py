"""SymPy scalars at the door: a scalar `Expr` becomes a graph of elementwise nodes.

In: numbers, symbols, dims, and SymPy functions.  Out: a node of rank 0 (or of the shape that the symbols' replacements
broadcast to, through `apply`).  Linear in the expression's distinct parts.
A function with a primitive, or one that a formula of primitives says (sec x = 1/cos x), becomes that: `BUILD`, in
`table.py`.  Any other becomes a node that carries it (`functions.py`).
Not handled: matrices and indexed objects (`from_sympy.py`), unevaluated derivatives and integrals, complex values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import sympy
from sympy import Basic, Expr, Symbol
from sympy.core.function import Application, Derivative, Subs

from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.constants import as_node, number, number_of, size
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import SymbolNames, symbol_leaf
from symnet.expr.sympy.functions import ScalarFunction, applied, body_of_call, derivative_of, function_node, variable
from symnet.expr.sympy.table import BUILD, remedy

_KNOWN_ASSUMPTIONS = ("positive", "nonnegative", "nonzero", "integer")

Given = Mapping[Any, Any]  # what stands for symbols and parts: nodes; for classes of functions: bodies


def builder(part: Any, given: Given | None = None) -> Callable[..., Any] | None:
    """What makes the node of a scalar part from those of its own parts; None where it has no meaning here."""
    cls = type(part)
    if cls in BUILD:
        return BUILD[cls]
    is_function = isinstance(part, sympy.Function) and all(isinstance(a, (Expr, Node)) for a in part.args)
    return partial(apply_class, cls, given=given or {}) if is_function else None


def apply_class(cls: Any, *operands: Node, given: Given | None = None) -> Node:
    """The node of a SymPy function without a primitive; where SymPy evaluates it, of what comes out.

    A function that has a body and no derivative of its own is replaced by the body.
    """
    given = given or {}
    body = given.get(cls)
    application, kept = applied(cls, operands)
    values = {variable(k): o for k, o in enumerate(kept)}
    if type(application) is not cls:
        return from_scalar(application, {**given, **values})
    formula = symbolic_implementation(application) if body is None else body(*application.args)
    if formula is not None and not all(is_evaluated(derivative_of(application, v)) for v in values):
        return from_scalar(formula, {**given, **values})
    return function_node(application, body, kept)


def is_evaluated(expr: Any) -> bool:
    """Whether a derivative is one, and no note that it is still to be taken."""
    return isinstance(expr, Expr) and not expr.has(Derivative, Subs, sympy.Integral, sympy.nan, sympy.zoo)


def symbolic_implementation(application: Any) -> Any:
    """What a function made by `implemented_function` gives for symbols: an expression, or None."""
    implementation = getattr(application, "_imp_", None)
    if implementation is None:
        return None
    try:
        found = sympy.sympify(implementation(*application.args))
    except Exception:  # NumPy's and math's functions refuse symbols, each in its own way
        return None
    return found if isinstance(found, Expr) and found.free_symbols <= application.free_symbols else None


def from_scalar(expr: Basic, rule: Given | None = None) -> Node:
    """The node of a SymPy scalar; `rule` says what stands for symbols (leaves of their names otherwise).

    Raises:
        ArgumentError: naming the first part that has no meaning here.
    """
    rule = rule or {}
    free = _free_symbols(expr)
    names = SymbolNames(expr)
    built: dict[Basic, Any] = {}
    stack: list[tuple[Basic, bool]] = [(expr, False)]
    while stack:
        part, ready = stack.pop()
        if part in built and not ready:
            continue
        atom = atom_of(part, rule, free[part], names)
        if atom is not None:
            built[part] = atom
            continue
        build = builder(part, rule)
        if build is None:
            raise _no_meaning(expr, part)
        if ready:
            built[part] = build(*(built[a] for a in part.args))
        else:
            stack.append((part, True))
            stack.extend((a, False) for a in reversed(part.args))
    return built[expr]


def _no_meaning(expr: Basic, part: Any) -> ArgumentError:
    mend = remedy(part)
    if getattr(part, "is_Matrix", False):
        mend = "Convert it first, with sn.from_sympy(…)."
    elif isinstance(part, _UNEVALUATED):
        mend = "Call .doit() on it first."
    got = f"{part} ({type(part).__name__})"
    return ArgumentError(explain(f"from_sympy({expr})", "SymPy functions of scalars, and arithmetic", got, mend))


def _free_symbols(expr: Basic) -> dict[Basic, frozenset[Basic]]:
    """The symbols under every part that is built, each visited once (SymPy's own walk is exponential)."""
    free: dict[Basic, frozenset[Basic]] = {}
    stack: list[tuple[Basic, bool]] = [(expr, False)]
    while stack:
        part, ready = stack.pop()
        if part in free:
            continue
        below = part.args if builder(part) is not None else ()
        if not below:
            free[part] = frozenset({part} if isinstance(part, Node) else part.free_symbols)
        elif ready:
            free[part] = frozenset().union(*(free[a] for a in below))
        else:
            stack.append((part, True))
            stack.extend((a, False) for a in below)
    return free


def atom_of(part: Basic, rule: Given, free: frozenset[Basic] | None = None, names: SymbolNames | None = None) -> Any:
    """The node of a symbol, a number or an extent; None for what is made of parts."""
    if part in rule:
        return rule[part]
    if isinstance(part, Node):
        return part
    if part == sympy.true:
        return True
    if isinstance(part, Dim):
        return size(part)
    if isinstance(part, Symbol):
        if names is not None:
            names.add(part)
        return symbol_leaf(part, **_assumptions_of(part))
    free = frozenset(part.free_symbols) if free is None else free
    if isinstance(part, Expr) and not free:
        return _constant(part)
    if isinstance(part, Expr) and all(isinstance(s, Dim) for s in free) and part.is_polynomial():
        return size(part) if part.is_integer and part.is_nonnegative else None
    return None


def _assumptions_of(symbol: Symbol) -> dict[str, bool]:
    """What SymPy assumes of a symbol, as one would say it of a leaf: `positive` says the rest."""
    known = {name: True for name in _KNOWN_ASSUMPTIONS if symbol.assumptions0.get(name)}
    implied = ("nonnegative", "nonzero") if "positive" in known else ()
    return {name: True for name in known if name not in implied}


_UNEVALUATED = (sympy.Limit, sympy.Integral, sympy.Sum, sympy.Product, Derivative, Subs)


def _constant(part: Expr) -> Node | None:
    """A number; None for a function of numbers that SymPy cannot evaluate, which is built from its parts."""
    if part.has(sympy.zoo) or (part.is_real is False and not part.is_infinite):
        raise ArgumentError(explain(f"from_sympy({part})", "a real number", str(part), "symnet has real numbers only."))
    if part.args and part.has(Application, *_UNEVALUATED) and not _has_value(part):
        return None
    return number(part)


def _has_value(part: Expr) -> bool:
    try:
        value = part.evalf(15)
    except OverflowError:  # exp(exp(exp(1000))): its exponent has more digits than can be written
        return False
    if value.is_number and value.is_real is False:
        raise ArgumentError(
            explain(f"from_sympy({part})", "a real number", str(value), "symnet has real numbers only.")
        )
    return bool(value.is_Number)


def apply(function: Any, *operands: Any, body: Any = None) -> Node:
    """Any SymPy scalar function, elementwise over tensors that broadcast.

    A function class that symnet has no primitive for stays itself in formulas.  Its derivative is what its `fdiff`
    gives, through the node itself where it says so; it is compiled by its body: the one given here, or one that SymPy
    can rewrite it to.

    Args:
        function: a `sympy.Lambda`, a SymPy function class, or a Python callable that maps SymPy symbols to a SymPy
            expression.
        *operands: nodes or numbers, one for each argument.
        body: for a class, a callable that gives its formula: it says how to compute what `fdiff` differentiates.

    Example:
        >>> import sympy, symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> t = sympy.Symbol("t")
        >>> sn.apply(sympy.Lambda(t, t**2 + sympy.sin(t)), x).shape
        (3,)
    """
    nodes = [as_node(o) for o in operands]
    _check_function(function)
    given: dict[Any, Any] = {}
    if body is not None:
        given[function] = _body(function, body, len(nodes))
    values = [number_of(node) for node in nodes]
    dummies = [variable(k) if value is None else value for k, value in enumerate(values)]
    try:
        expr = sympy.sympify(function(*dummies))
    except TypeError as error:
        raise ArgumentError(
            explain(
                f"apply({function}, …)",
                f"a function of {len(operands)} scalars",
                str(error),
                "Give one operand per argument.",
            )
        ) from error
    if not isinstance(expr, Expr):
        raise ArgumentError(
            explain(
                f"apply({function}, …)", "a SymPy scalar expression", type(expr).__name__, "Return a SymPy expression."
            )
        )
    rule = {d: node for d, node, value in zip(dummies, nodes, values, strict=True) if value is None}
    return from_scalar(expr, {**given, **rule})


def _check_function(function: Any) -> None:
    """Refuses what is applied to no SymPy symbols: an expression, NumPy's functions."""
    call, expected = f"apply({getattr(function, '__name__', function)}, …)", "a function of SymPy scalars"
    if isinstance(function, np.ufunc):
        mend = f"Write sn.apply(sympy.{function.__name__}, …), or symnet's own function."
        raise ArgumentError(explain(call, expected, f"NumPy's {function.__name__}", mend))
    if not callable(function):
        symbols = ", ".join(sorted(map(str, getattr(function, "free_symbols", ())))) or "t"
        symbols = f"({symbols})" if "," in symbols else symbols
        mend = f"Say of which variables: sympy.Lambda({symbols}, {function})."
        raise ArgumentError(explain(call, expected, f"an {type(function).__name__}, which is not callable", mend))


def caller(function: ScalarFunction) -> Callable[..., Node]:
    """What applies a function that a node carries to other operands."""

    def call(*operands: Any) -> Node:
        return apply(function.application.func, *operands, body=function.body)

    return call


def _body(function: Any, body: Any, count: int) -> Any:
    if not (isinstance(function, type) and issubclass(function, sympy.Function)) or function in BUILD:
        got, mend = f"{function}", "Drop body: the function is compiled as it stands."
        expected = "a body for a function class without a primitive"
        raise ArgumentError(explain(f"apply({function}, …, body=…)", expected, got, mend))
    return body_of_call(function, body, count)
