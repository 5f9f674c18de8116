"""How a SymPy function without a primitive is computed: a formula made of primitives.

In: a node that applies such a function.  Out: the node of its body, over the same operands.
The body is, in this order: what the caller gave (`apply(f, x, body=…)`); what `implemented_function` gives for symbols;
symnet's own for a few (`series.py`); what SymPy rewrites the function to (`doit`, `expand_func`, the class's
`_eval_rewrite_as_…`), if that holds nothing but primitives and has the function's value where SymPy can tell.
Not handled: functions that SymPy cannot rewrite so, as Bessel's of whole order or ζ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

import sympy
from sympy import Expr

from symnet.errors import ArgumentError, MissingRuleError, SymnetError, explain
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import rebuild, topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import scalar
from symnet.expr.sympy.functions import ScalarFunction, function_of
from symnet.expr.sympy.scalars import from_scalar, symbolic_implementation
from symnet.expr.sympy.series import SERIES
from symnet.expr.sympy.whole import Whole, formula_of, written_of

DEEPEST = 8  # bodies that are made of functions with bodies
PROBES = (0.3, 0.7, 1.6, 4.1, -0.4, -1.7)  # where a rewritten formula is compared with the function
AGREE = 1e-12

BodyBuilder = Callable[..., Node]  # operands → node


def opened(root: Node) -> Node:
    """The graph with every function that is no primitive replaced by its body.

    Raises:
        MissingRuleError: a function whose body is not known; the message says how to give one.
    """
    return rebuild([root], _open)[0]


def opened_but_whole(root: Node) -> Node:
    """The same, but functions that are kept whole stay (`whole.py`).

    Raises:
        MissingRuleError: as `opened`.
    """
    return rebuild([root], lambda node: node if formula_of(node) is not None else _open(node))[0]


def has_functions(*roots: Node) -> bool:
    """Whether there is anything to replace, but functions that are kept whole."""
    return any(is_op(node, "function") and formula_of(node) is None for node in topological(*roots))


def _open(node: Node) -> Node:
    function = function_of(node)
    if function is None:
        return node
    body = body_of(function)
    if body is None:
        raise MissingRuleError(
            explain(
                f"compiling {function.shown}",
                "a function that symnet can write in its primitives",
                f"{function.title}, for which it knows no formula",
                f"Give one: sn.apply({function.title}, x, body=lambda x: …), a SymPy expression in x; "
                "or evaluate with symnet.reference.",
            )
        )
    return opened(body(*node.operands))


@lru_cache(maxsize=1024)
def body_of(function: ScalarFunction) -> BodyBuilder | None:
    """What makes the function from its operands, in primitives alone (or functions that have bodies); None: unknown."""
    return _found(function, ())


def _found(function: ScalarFunction, above: tuple[ScalarFunction, ...]) -> BodyBuilder | None:
    if function in above or len(above) > DEEPEST:
        return None
    for body, holds in _candidates(function):
        if _is_closed(function, body, above) and holds():
            return body
    return None


def _is_closed(function: ScalarFunction, body: BodyBuilder, above: tuple[ScalarFunction, ...]) -> bool:
    """Whether a body is made of primitives, and of functions that have bodies."""
    placeholders = [scalar(f"_{k}") for k in range(len(function.variables))]
    try:
        made = body(*placeholders)
    except (ArgumentError, ArithmeticError):
        return False
    inner = {f for n in topological(made) if (f := function_of(n)) is not None}
    return all(_found(each, (*above, function)) is not None for each in inner)


def _candidates(function: ScalarFunction) -> Iterator[tuple[BodyBuilder, Callable[[], bool]]]:
    """Formulas that may be a body, each with a test of whether it is one of this function."""
    application = function.application
    if isinstance(application, Whole):
        yield partial(written_of, application.formula), _surely
        return
    if function.body is not None:
        yield _formula(function, function.body(*application.args)), _surely
        return
    implemented = symbolic_implementation(application)
    if implemented is not None:
        yield _formula(function, implemented), _surely
    series = SERIES.get(application.func)
    if series is not None:
        yield lambda *operands: series(*_arguments(function, operands)), _surely
        return
    for expr in _rewritten(application):
        if _is_formula(expr, application):
            yield _formula(function, expr), partial(_agrees, expr, application)


def _surely() -> bool:
    return True


def _formula(function: ScalarFunction, expr: Any) -> BodyBuilder:
    given = {} if function.body is None else {function.application.func: function.body}
    return lambda *operands: from_scalar(expr, {**given, **dict(zip(function.variables, operands, strict=True))})


def _arguments(function: ScalarFunction, operands: tuple[Node, ...]) -> list[Any]:
    """The arguments of the class: operands for variables, SymPy's numbers for the rest."""
    place = dict(zip(function.variables, operands, strict=True))
    return [place.get(a, a) for a in function.application.args]


# --------------------------------------------------------------------------- what SymPy can rewrite


def _rewritten(application: Any) -> Iterator[Any]:
    """The other forms that SymPy knows of the function."""
    ways: list[Callable[[], Any]] = [application.doit, lambda: sympy.expand_func(application)]
    rewrites = [name for name in sorted(dir(application)) if name.startswith("_eval_rewrite_as_")]
    ways += [partial(getattr(application, name), *application.args) for name in rewrites]
    for way in ways:
        try:
            yield way()
        except Exception:  # a form that does not apply here fails in ways of its own
            continue


def _is_formula(expr: Any, application: Any) -> bool:
    if not isinstance(expr, Expr) or expr == application or expr.has(sympy.I, sympy.oo, sympy.zoo, sympy.nan):
        return False
    return expr.free_symbols <= application.free_symbols


def _agrees(expr: Expr, application: Any) -> bool:
    """Whether both have one value wherever SymPy gives real ones: a form may hold in a part of the domain only."""
    variables = sorted(application.free_symbols, key=str)
    for at in PROBES:
        point = {v: sympy.Float(at + k / 7, 17) for k, v in enumerate(variables)}
        try:
            wanted, got = (sympy.sympify(e.xreplace(point)).evalf(20) for e in (application, expr))
        except (ArithmeticError, TypeError, ValueError, SymnetError):
            continue
        if not wanted.is_Float:
            continue
        if not (got.is_Number and abs(got - wanted) <= AGREE * max(1, abs(wanted))):
            return False
    return True
