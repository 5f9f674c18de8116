"""SymPy scalars at the door: a scalar `Expr` becomes a graph of elementwise nodes.

In: numbers, symbols, dims, and SymPy functions that have a primitive.  Out: a node of rank 0 (or of the shape that
the symbols' replacements broadcast to, through `apply`).  Linear in the expression's distinct parts.
Not handled: matrices and indexed objects (`expr/from_sympy.py`), functions without a primitive (the error names it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy
from sympy import Basic, Expr, Symbol

from symnet.errors import ArgumentError, explain
from symnet.expr.constants import number, size
from symnet.expr.elementwise import elementwise, where
from symnet.expr.extents import Dim
from symnet.expr.node import Node
from symnet.expr.symbols import scalar

_KNOWN_ASSUMPTIONS = ("positive", "nonnegative", "nonzero", "integer")

# SymPy class → primitive, for functions with the same meaning and one operand.
_SAME = {
    sympy.exp: "exp", sympy.log: "log", sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan", sympy.asin: "asin",
    sympy.acos: "acos", sympy.atan: "atan", sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.tanh: "tanh",
    sympy.erf: "erf", sympy.Abs: "abs", sympy.sign: "sign", sympy.floor: "floor",
}  # fmt: skip
_RELATIONS = {
    sympy.StrictLessThan: "lt", sympy.LessThan: "le", sympy.StrictGreaterThan: "gt", sympy.GreaterThan: "ge",
    sympy.Equality: "eq", sympy.Unequality: "ne",
}  # fmt: skip


def _fold(op: str) -> Callable[..., Node]:
    def build(*args: Node) -> Node:
        result = args[0]
        for arg in args[1:]:
            result = elementwise(op, result, arg)
        return result

    return build


def _many(op: str) -> Callable[..., Node]:
    return lambda *args: elementwise(op, *args) if len(args) > 1 else args[0]


def _piecewise(*pairs: Any) -> Node:
    result: Node = number(sympy.nan)
    for value, condition in reversed(pairs):
        result = value if condition is True else where(condition, value, result)
    return result


BUILD: dict[type, Callable[..., Any]] = {
    sympy.Add: _many("add"),
    sympy.Mul: _many("mul"),
    sympy.Pow: lambda base, exponent: elementwise("pow", base, exponent),
    sympy.Max: _fold("maximum"),
    sympy.Min: _fold("minimum"),
    sympy.And: _fold("and"),
    sympy.Or: _fold("or"),
    sympy.Not: lambda a: elementwise("not", a),
    sympy.Heaviside: lambda x, at_zero: elementwise(
        "indicator", elementwise("ge" if at_zero == number(1) else "gt", x, 0)
    ),
    sympy.functions.elementary.piecewise.ExprCondPair: lambda value, condition: (value, condition),
    sympy.Piecewise: _piecewise,
    **{cls: (lambda x, op=op: elementwise(op, x)) for cls, op in _SAME.items()},
    **{cls: (lambda a, b, op=op: elementwise(op, a, b)) for cls, op in _RELATIONS.items()},
}


def from_scalar(expr: Basic, rule: Mapping[Basic, Node] | None = None) -> Node:
    """The node of a SymPy scalar; `rule` says what stands for symbols (leaves of their names otherwise).

    Raises:
        ArgumentError: naming the first part that has no meaning here.
    """
    rule = rule or {}
    free = _free_symbols(expr)
    built: dict[Basic, Any] = {}
    stack: list[tuple[Basic, bool]] = [(expr, False)]
    while stack:
        part, ready = stack.pop()
        if part in built and not ready:
            continue
        atom = atom_of(part, rule, free[part])
        if atom is not None:
            built[part] = atom
        elif ready:
            built[part] = BUILD[type(part)](*(built[a] for a in part.args))
        elif type(part) in BUILD:
            stack.append((part, True))
            stack.extend((a, False) for a in reversed(part.args))
        else:
            raise ArgumentError(
                explain(
                    f"from_sympy({expr})",
                    "SymPy scalars made of " + ", ".join(sorted(c.__name__ for c in _SAME)) + " and arithmetic",
                    f"{part} ({type(part).__name__})",
                    "Convert it first, with sn.from_sympy(…)."
                    if getattr(part, "is_Matrix", False)
                    else "Rewrite that part, as in expr.rewrite(sympy.exp).",
                )
            )
    return built[expr]  # type: ignore[no-any-return]


def _free_symbols(expr: Basic) -> dict[Basic, frozenset[Basic]]:
    """The symbols under every part that is built, each visited once (SymPy's own walk is exponential)."""
    free: dict[Basic, frozenset[Basic]] = {}
    stack: list[tuple[Basic, bool]] = [(expr, False)]
    while stack:
        part, ready = stack.pop()
        if part in free:
            continue
        below = part.args if type(part) in BUILD else ()
        if not below:
            free[part] = frozenset({part} if isinstance(part, Node) else part.free_symbols)
        elif ready:
            free[part] = frozenset().union(*(free[a] for a in below))
        else:
            stack.append((part, True))
            stack.extend((a, False) for a in below)
    return free


def atom_of(part: Basic, rule: Mapping[Basic, Node], free: frozenset[Basic] | None = None) -> Any:
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
        return scalar(part.name, **_assumptions_of(part))
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


def _constant(part: Expr) -> Node:
    if part.has(sympy.zoo) or (part.is_real is False and not part.is_infinite):
        raise ArgumentError(explain(f"from_sympy({part})", "a real number", str(part), "symnet has real numbers only."))
    return number(part)


def apply(function: Any, *operands: Any) -> Node:
    """Any SymPy scalar function, elementwise over tensors that broadcast.

    Args:
        function: a `sympy.Lambda`, a SymPy function class, or a Python callable that maps SymPy symbols to a SymPy
            expression.
        *operands: nodes or numbers, one for each argument.

    Example:
        >>> import sympy, symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> t = sympy.Symbol("t")
        >>> sn.apply(sympy.Lambda(t, t**2 + sympy.sin(t)), x).shape
        (3,)
    """
    from symnet.expr.constants import as_node

    dummies = [Symbol(f"_{n}", real=True) for n in range(len(operands))]
    try:
        body = sympy.sympify(function(*dummies))
    except TypeError as error:
        raise ArgumentError(
            explain(
                f"apply({function}, …)",
                f"a function of {len(operands)} scalars",
                str(error),
                "Give one operand per argument.",
            )
        ) from error
    if not isinstance(body, Expr):
        raise ArgumentError(
            explain(
                f"apply({function}, …)", "a SymPy scalar expression", type(body).__name__, "Return a SymPy expression."
            )
        )
    return from_scalar(body, dict(zip(dummies, map(as_node, operands), strict=True)))
