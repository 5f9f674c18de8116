"""SymPy functions that are no primitive: one elementwise node that carries the function.

In: a function class of SymPy or of the user, and operands.  Out: `Elementwise(ScalarFunction, *operands)`, whose
primitive is called "function".  Operands that are numbers become part of it: besselj(2, x) is a function of x.
Its derivative is the one that `fdiff` gives (`diff/sympy_functions.py`); its value is SymPy's (`reference/`); machine
code is that of its body, a formula in primitives (`expr/sympy/bodies.py`).
Two functions are one where class, code, body and numbers are the same.
Not handled: functions of anything but real scalars.
"""

from __future__ import annotations

import hashlib
import pickle
import types
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import Basic, Derivative, Expr, Lambda, Symbol, Tuple, srepr
from sympy.core.function import UndefinedFunction
from sympy.core.symbol import Str

from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.constants import Number
from symnet.expr.nodes.elementwise import Elementwise
from symnet.expr.nodes.node import Node


def variable(k: int) -> Symbol:
    """The real variable that stands for operand k in every function, so that equal functions are one."""
    return Symbol(f"_{k}", real=True)


class ScalarFunction(Basic):
    """A SymPy function of `_0`, `_1`, …: args are (its application, its body or (), a print of its code).

    Takes the place of a primitive's name in `Elementwise`.
    """

    name = "function"

    @property
    def application(self) -> Expr:
        """The function applied to its variables, as in besselj(2, _0)."""
        return self.args[0]

    @property
    def body(self) -> Lambda | None:
        """The formula that was given for it, over all arguments of the class; None: not given."""
        return self.args[1] if isinstance(self.args[1], Lambda) else None

    @property
    def title(self) -> str:
        """The function's name, as it is printed."""
        return str(getattr(self.application, "printed_name", self.application.func.__name__))

    @property
    def shown(self) -> str:
        """The application as an error writes it: f(x), g(x, 2, y)."""
        letters = "xyzuvw"
        names = {v: Symbol(letters[k] if k < len(letters) else f"x{k}") for k, v in enumerate(self.variables)}
        return str(self.application.xreplace(names))

    @property
    def variables(self) -> tuple[Symbol, ...]:
        """The variables, one for each operand."""
        return _variables(self.application)


@lru_cache(maxsize=4096)
def _variables(application: Expr) -> tuple[Symbol, ...]:
    return tuple(a for a in application.args if isinstance(a, Symbol))


def function_of(node: Node) -> ScalarFunction | None:
    """The SymPy function that a node applies; None for any other node."""
    head = node.args[0] if isinstance(node, Elementwise) else None
    return head if isinstance(head, ScalarFunction) else None


def applied(cls: Any, operands: Sequence[Node]) -> tuple[Any, list[Node]]:
    """`cls` of variables, numbers among the operands put in; and the operands that the variables stand for.

    SymPy may evaluate the application to something simpler.

    Raises:
        ArgumentError: a wrong number of arguments.
    """
    static = [isinstance(o, Number) for o in operands]
    if all(static):
        static = [False] * len(operands)
    kept = [o for o, number in zip(operands, static, strict=True) if not number]
    supply = iter(range(len(kept)))
    args = [o.args[0] if number else variable(next(supply)) for o, number in zip(operands, static, strict=True)]
    try:
        return cls(*args), kept
    except (TypeError, ValueError) as error:
        call, got = f"{cls}({', '.join(map(str, args))})", str(error)
        raise ArgumentError(
            explain(call, "as many arguments as the function takes", got, "Give one operand per argument.")
        ) from error


def function_node(application: Any, body: Lambda | None, operands: Sequence[Node]) -> Node:
    """The node of a function of its variables, applied to operands."""
    function = ScalarFunction(application, Tuple() if body is None else body, Str(_print_of(application)))
    return Elementwise(function, *operands)


def derivative_of(application: Any, symbol: Any) -> Any:
    """SymPy's derivative of a function of variables; an unevaluated one where the class has no `fdiff` for it."""
    slope = SLOPES.get(application.func)
    if slope is not None and application.args[-1] == symbol:
        return slope(*application.args)
    try:
        return application.diff(symbol)
    except Exception:  # a user's fdiff may raise anything: then there is no derivative
        return Derivative(application, symbol)


def _spherical_slope(order: Any, x: Any) -> Any:
    """j′ₙ = (n·jₙ₋₁ - (n + 1)·jₙ₊₁)/(2n + 1), which divides by no x."""
    below = sympy.sinc(x) if order == 1 else sympy.jn(order - 1, x)
    return (order * below - (order + 1) * sympy.jn(order + 1, x)) / (2 * order + 1)


# Derivatives by the last argument in place of SymPy's, which lose their digits near 0: (cos x)/x - (sin x)/x².
SLOPES: dict[Any, Callable[..., Any]] = {
    sympy.sinc: lambda x: -sympy.jn(1, x),
    sympy.jn: _spherical_slope,
}


# --------------------------------------------------------------------------- identity


OWN = ("sympy", "symnet.")  # modules whose classes are known by their names


def _print_of(application: Any) -> str:
    """A digest of a user's class: its name, what its methods say and what they give; "" for SymPy's and symnet's own.

    Taken anew for every node: `fdiff` may ask functions that were changed since.
    """
    cls = application.func
    own = isinstance(cls, UndefinedFunction)
    classes = [c for c in cls.__mro__[:-1] if (own and c is cls) or not str(c.__module__ or "").startswith(OWN)]
    if not classes:
        return ""
    content = hashlib.blake2b(digest_size=12)
    for each in classes:
        content.update(f"{each.__module__}.{each.__qualname__}".encode())
        for name, member in sorted(vars(each).items()):
            if name not in _MANAGED:
                content.update(f"{name}:{_said(member)}".encode())
    for symbol in _variables(application):
        content.update(srepr(derivative_of(application, symbol)).encode())
    return content.hexdigest()


# What SymPy and Python keep in every class.
_MANAGED = {*vars(UndefinedFunction("f")), "__dict__", "__weakref__", "__slots__"}


def _said(value: Any) -> str:
    """Code and data as text, the same in every process where that can be: two that differ never read alike."""
    value = getattr(value, "__func__", getattr(value, "fget", value))
    code = getattr(value, "__code__", None)
    if code is not None:
        held = [getattr(cell, "cell_contents", None) for cell in value.__closure__ or ()]
        return _said([code, *held, *(value.__defaults__ or ())])
    if isinstance(value, types.CodeType):
        return f"{value.co_code.hex()} {value.co_names} {value.co_varnames} {_said(list(value.co_consts))}"
    if isinstance(value, (int, float, str, bytes, type(None), types.BuiltinFunctionType)):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_said, value))}]"
    if isinstance(value, Basic):
        return srepr(value)
    try:
        return f"{type(value).__qualname__} {hashlib.blake2b(pickle.dumps(value), digest_size=12).hexdigest()}"
    except Exception:  # whatever cannot be written down is itself alone
        return f"{type(value).__qualname__} {id(value)}"


# --------------------------------------------------------------------------- bodies given by the caller


def body_of_call(cls: Any, body: Callable[..., Any] | Lambda, count: int) -> Lambda:
    """What the caller gave as a body, over the variables `_0`, …; `count` arguments.

    Raises:
        ArgumentError: no SymPy expression, or one with other symbols.
    """
    arguments = [variable(k) for k in range(count)]
    call = f"apply({cls}, …, body=…)"
    try:
        expr = sympy.sympify(body(*arguments))
    except TypeError as error:
        mend = "Write body=lambda x: a SymPy expression in x."
        raise ArgumentError(explain(call, f"a formula of {count} scalars", str(error), mend)) from error
    if not isinstance(expr, Expr):
        mend = "Return a SymPy expression."
        raise ArgumentError(explain(call, "a body that is a SymPy scalar expression", type(expr).__name__, mend))
    others = sorted(map(str, expr.free_symbols - set(arguments)))
    if others:
        mend = "Make every symbol of the body an argument of the function."
        raise ArgumentError(explain(call, "a body of the function's arguments alone", ", ".join(others), mend))
    return Lambda(tuple(arguments), expr)
