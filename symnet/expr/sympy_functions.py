"""SymPy functions that are no primitive: one elementwise node that carries the function.

In: a function class of SymPy or of the user, and operands.  Out: `Elementwise(ScalarFunction, *operands)`, whose
primitive is called "function".  Operands that are numbers become part of it: besselj(2, x) is a function of x.
Its derivative is the one that `fdiff` gives (`diff/sympy_functions.py`); its value is SymPy's (`reference/`); machine
code is that of its body, a formula in primitives (`expr/sympy_bodies.py`).
Two functions are one where class, code, body and numbers are the same.
Not handled: functions of anything but real scalars.
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import Basic, Expr, Lambda, Symbol, Tuple, srepr
from sympy.core.symbol import Str

from symnet.errors import ArgumentError, explain
from symnet.expr.constants import Number
from symnet.expr.elementwise import Elementwise
from symnet.expr.node import Node


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
        return str(self.application.func.__name__)

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
    return Elementwise(_spec(application, body), *operands)


@lru_cache(maxsize=4096)
def _spec(application: Any, body: Lambda | None) -> ScalarFunction:
    return ScalarFunction(application, Tuple() if body is None else body, Str(_print_of(application.func)))


# --------------------------------------------------------------------------- identity


def _print_of(cls: Any) -> str:
    """A digest of a user's class: where it stands and what its methods say; "" for SymPy's own."""
    classes = [c for c in cls.__mro__ if not str(c.__module__ or "").startswith("sympy")]
    if cls.__module__ is None or isinstance(cls, sympy.core.function.UndefinedFunction):
        classes = [cls, *(c for c in classes if c is not cls)]
    content = hashlib.blake2b(digest_size=12)
    for each in classes:
        if each is object:
            continue
        content.update(f"{each.__module__}.{each.__qualname__}".encode())
        for name, member in sorted(vars(each).items()):
            for piece in _pieces(member):
                content.update(f"{name}:{piece}".encode())
    return content.hexdigest() if any(c is not object for c in classes) else ""


def _pieces(member: Any) -> Iterator[str]:
    """What a method does, as text that is the same in every process."""
    function = getattr(member, "__func__", getattr(member, "fget", member))
    code = getattr(function, "__code__", None)
    if code is None:
        yield _plain(member)
        return
    yield from _code_pieces(code)
    cells = [*(getattr(function, "__closure__", None) or ()), *(getattr(function, "__defaults__", None) or ())]
    for cell in cells:
        yield _plain(getattr(cell, "cell_contents", cell))


def _code_pieces(code: types.CodeType) -> Iterator[str]:
    yield f"{code.co_code.hex()} {code.co_names} {code.co_varnames}"
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code_pieces(constant)
        else:
            yield _plain(constant)


def _plain(value: Any) -> str:
    """Numbers, texts and SymPy expressions as text; nothing for objects, whose text may hold an address."""
    if isinstance(value, (int, float, str, bytes, bool, type(None))):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return ",".join(map(_plain, value))
    return srepr(value) if isinstance(value, Basic) else ""


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
