"""Elementwise operations: one kind of node, many named scalar primitives.

In: operands that broadcast (NumPy's rules).  Out: `Elementwise(primitive, *operands)`.
A primitive has the same name on every floor; `PRIMITIVES` below is the list, and each floor's
`elementwise.py` holds its table (reference value, partial derivatives, rewrites, loop operation).

There is no subtraction, division or negation among them: `a - b` is `a + (-1)*b`, `a/b` is `a * b**(-1)`, so that
the algebra has one spelling; printing and lowering put the usual operations back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.core.symbol import Str

from symnet import dtypes
from symnet.errors import DTypeError, explain
from symnet.expr.constants import Number, as_node, number
from symnet.expr.extents import broadcast_shapes
from symnet.expr.node import Node, Shape, register_builder, static_name


@dataclass(frozen=True)
class Primitive:
    """A scalar function: how many operands, and the dtype of its result.

    result: "real" (integers become float64), "same" (promotion of the operands), "arithmetic" (the same, bool counts
    as int64), "power", "bool", "branch" (promotion of all but the first), "weak" (a weak real: takes the dtype of
    what it meets).
    """

    name: str
    arity: int | None  # None: `fewest` or more
    result: str
    condition: bool = False  # the first operand must be bool
    fewest: int = 2


_REAL_UNARY = (
    "exp", "log", "log1p", "expm1", "tanh", "sigmoid", "softplus", "sin", "cos", "tan", "asin", "acos", "atan",
    "sinh", "cosh", "asinh", "acosh", "atanh", "erf", "erfc", "gamma", "loggamma", "digamma", "cbrt",
)  # fmt: skip
_COMPARISON = ("lt", "le", "gt", "ge", "eq", "ne")

PRIMITIVES: dict[str, Primitive] = {
    p.name: p
    for p in (
        Primitive("add", None, "arithmetic"),
        Primitive("mul", None, "arithmetic"),
        Primitive("pow", 2, "power"),
        Primitive("maximum", 2, "same"),
        Primitive("minimum", 2, "same"),
        Primitive("abs", 1, "same"),
        Primitive("sign", 1, "same"),
        Primitive("floor", 1, "same"),
        Primitive("xlogy", 2, "real"),
        Primitive("atan2", 2, "real"),
        Primitive("function", None, "real", fewest=1),  # any other function of SymPy's: expr/sympy_functions.py
        *(Primitive(name, 1, "real") for name in _REAL_UNARY),
        *(Primitive(name, 2, "bool") for name in _COMPARISON),
        Primitive("and", 2, "bool", condition=True),
        Primitive("or", 2, "bool", condition=True),
        Primitive("not", 1, "bool", condition=True),
        Primitive("where", 3, "branch", condition=True),
        Primitive("indicator", 1, "weak", condition=True),
    )
}


def common_dtype(*operands: Node) -> str | None:
    """The operands' dtype; integers beside a weak number that is not whole become real (t / 2, a mean of counts)."""
    dtype = dtypes.promote(*(o.dtype for o in operands))
    if dtype in (*dtypes.INTEGER, "bool") and not all(o.dtype is not None or _is_whole(o) for o in operands):
        return dtypes.DEFAULT_REAL
    return dtype


# Of whole values these make whole values; the first are whole whatever they hold.
_COUNTS = frozenset({"size", "delta", "iota", "one_hot", "indicator"})
_KEEP_WHOLE = frozenset({
    "expand", "reshape", "slice", "place", "concat", "take", "einsum", "cumsum", "named", "barrier",
    "add", "mul", "maximum", "minimum", "abs", "sign", "floor", "where",
})  # fmt: skip
_DEPTH = 8  # levels of a weak value that are looked through; below it counts as real, which loses nothing


def _is_whole(weak: Node, depth: int = _DEPTH) -> bool:
    """Whether a value without a dtype is an integer whatever the data: such a value leaves integers what they are."""
    if isinstance(weak, Number):
        return bool(weak.value.is_integer)
    name = weak.op if isinstance(weak, Elementwise) else weak.kind
    if name in _COUNTS or weak.dtype is not None:
        return name in _COUNTS or weak.dtype not in dtypes.REAL
    return name in _KEEP_WHOLE and depth > 0 and all(_is_whole(o, depth - 1) for o in weak.operands)


def _arithmetic(*operands: Node) -> str | None:
    """`common_dtype`, where truth values count as 0 and 1."""
    dtype = common_dtype(*operands)
    return "int64" if dtype == "bool" else dtype


def _power(base: Node, exponent: Node) -> str | None:
    """Integers stay so under a constant exponent of at least 0, and become real under others."""
    dtype = _arithmetic(base, exponent)
    negative = isinstance(exponent, Number) and bool(exponent.value.is_negative)
    return dtypes.DEFAULT_REAL if negative and dtype in dtypes.INTEGER else dtype


def real_dtype(*operands: Node) -> str | None:
    """The operands' dtype, a real one: of integers and truth values the default."""
    dtype = dtypes.promote(*(o.dtype for o in operands))
    return dtypes.DEFAULT_REAL if dtype in (*dtypes.INTEGER, "bool") else dtype


_RESULT: dict[str, Callable[..., str | None]] = {
    "same": common_dtype,
    "arithmetic": _arithmetic,
    "real": real_dtype,
    "power": _power,
    "bool": lambda *_: "bool",
    "branch": lambda _, *rest: common_dtype(*rest),
    "weak": lambda *_: None,
}


class Elementwise(Node):
    """args are (primitive name, *operands); operands broadcast.

    A function of SymPy's that is no primitive stands in the name's place itself: its name is "function".

    Attributes:
        op: the primitive's name.
    """

    __slots__ = ("op",)
    kind = "elementwise"
    op: str

    @classmethod
    def _derive(cls, op: Str | Any, *operands: Node) -> tuple[Shape, str | None]:
        primitive = PRIMITIVES[op.name]
        count, arity = len(operands), primitive.arity
        assert count == arity or (arity is None and count >= primitive.fewest), (op, count)
        if primitive.condition or len({o.dtype for o in operands} - {None}) > 1:
            _check_dtypes(primitive, operands)
        shape = operands[0].shape
        if any(o.shape != shape for o in operands):
            shape = broadcast_shapes(op.name, *[o.shape for o in operands])
        return shape, _RESULT[primitive.result](*operands)

    def _read(self) -> None:
        self.op = str(self.args[0].name)


def _check_dtypes(primitive: Primitive, operands: tuple[Node, ...]) -> None:
    call = f"{primitive.name}({', '.join(o.dtype or 'number' for o in operands)})"
    conditions = operands if primitive.result == "bool" else operands[:1]
    if primitive.condition and any(o.dtype != "bool" for o in conditions):
        raise DTypeError(
            explain(
                call,
                "a bool condition first" if len(conditions) == 1 else "bool conditions",
                " and ".join(str(o.dtype or "a number") for o in conditions),
                "Compare first, as in where(x > 0, x, 0).",
            )
        )
    check_one_real(call, operands)


def check_one_real(call: str, operands: tuple[Node, ...]) -> None:
    """Nothing is widened in silence: float32 beside float64 is an error in every operation.

    Raises:
        DTypeError: naming both.
    """
    reals = {o.dtype for o in operands} & set(dtypes.REAL)
    if len(reals) > 1:
        raise DTypeError(
            explain(
                call,
                "real operands of one dtype",
                " and ".join(sorted(map(str, reals))),
                'Give the leaves one dtype, as in tensor("x", …, dtype="float32").',
            )
        )


_NAMES = {name: static_name(name) for name in PRIMITIVES if name != "function"}


def elementwise(op: str, *operands: Any) -> Elementwise:
    """The node `op(*operands)`; numbers and SymPy scalars are converted."""
    return Elementwise(_NAMES[op], *[o if isinstance(o, Node) else as_node(o) for o in operands])  # type: ignore[return-value]


def is_op(node: Node, *ops: str) -> bool:
    """Whether `node` is an elementwise node of one of these primitives."""
    return isinstance(node, Elementwise) and node.op in ops


# --------------------------------------------------------------------------- operators

MINUS_ONE = sympy.Integer(-1)


@register_builder("add")
def add(a: Any, b: Any) -> Node:
    """a + b, elementwise."""
    return elementwise("add", a, b)


@register_builder("negative")
def negative(a: Any) -> Node:
    """-a."""
    return elementwise("mul", number(MINUS_ONE), a)


@register_builder("subtract")
def subtract(a: Any, b: Any) -> Node:
    """a - b, elementwise."""
    return elementwise("add", a, negative(b))


@register_builder("multiply")
def multiply(a: Any, b: Any) -> Node:
    """a * b, elementwise."""
    return elementwise("mul", a, b)


def reciprocal(a: Any) -> Node:
    """1 / a, elementwise."""
    return elementwise("pow", a, number(MINUS_ONE))


@register_builder("divide")
def divide(a: Any, b: Any) -> Node:
    """a / b, elementwise."""
    b = as_node(b)
    if isinstance(a, (int, float)) and a == 1:
        return reciprocal(b)
    return elementwise("mul", a, reciprocal(b))


@register_builder("power")
def power(a: Any, b: Any) -> Node:
    """a ** b, elementwise.  Where the exponent is no integer the base should be nonnegative."""
    return elementwise("pow", a, b)


def _comparison(op: str) -> Callable[[Any, Any], Node]:
    def compare(a: Any, b: Any) -> Node:
        return elementwise(op, a, b)

    compare.__name__ = op
    compare.__doc__ = f"Elementwise comparison `{op}`; a bool array."
    return compare


less = register_builder("less")(_comparison("lt"))
less_equal = register_builder("less_equal")(_comparison("le"))
greater = register_builder("greater")(_comparison("gt"))
greater_equal = register_builder("greater_equal")(_comparison("ge"))
equal = _comparison("eq")
not_equal = _comparison("ne")


@register_builder("and")
def logical_and(a: Any, b: Any) -> Node:
    """Where both conditions hold (`a & b`)."""
    return elementwise("and", a, b)


@register_builder("or")
def logical_or(a: Any, b: Any) -> Node:
    """Where a condition holds (`a | b`)."""
    return elementwise("or", a, b)


@register_builder("not")
def logical_not(a: Any) -> Node:
    """Where the condition does not hold (`~a`)."""
    return elementwise("not", a)


# --------------------------------------------------------------------------- functions


def _unary(op: str, equation: str) -> Callable[[Any], Node]:
    def function(x: Any) -> Node:
        return elementwise(op, x)

    function.__name__ = function.__qualname__ = op
    function.__doc__ = f"{equation}, elementwise.\n\nArgs:\n    x: any shape.\n\nReturns:\n    a node of x's shape."
    return function


def _numpy(name: str, function: Callable[..., Node]) -> Callable[..., Node]:
    """The meaning of NumPy's function of that name beside nodes (`Node.__array_ufunc__`)."""
    return register_builder(f"numpy {name}")(function)


exp = _unary("exp", "eˣ")
log = _unary("log", "the natural logarithm of x")
log1p = _unary("log1p", "log(1 + x), accurate near 0")
expm1 = _unary("expm1", "eˣ - 1, accurate near 0")
tanh = _unary("tanh", "tanh x; derivative 1 - tanh² x")
sigmoid = _unary("sigmoid", "the logistic function 1/(1 + e⁻ˣ); derivative σ(1 - σ)")
softplus = _unary("softplus", "log(1 + eˣ); derivative σ(x)")
sin = _unary("sin", "sin x")
cos = _unary("cos", "cos x")
tan = _unary("tan", "tan x")
asin = _unary("asin", "arcsin x")
acos = _unary("acos", "arccos x")
atan = _unary("atan", "arctan x")
sinh = _unary("sinh", "sinh x")
cosh = _unary("cosh", "cosh x")
asinh = _unary("asinh", "the inverse of sinh; derivative 1/√(1 + x²)")
acosh = _unary("acosh", "the inverse of cosh, for x ≥ 1; derivative 1/√(x² - 1)")
atanh = _unary("atanh", "the inverse of tanh, for |x| < 1; derivative 1/(1 - x²)")
cbrt = _unary("cbrt", "the real cube root of x, negative for negative x; derivative 1/(3·∛x²)")
erf = _unary("erf", "the error function of x")
erfc = _unary("erfc", "1 - erf x, with all its digits where that is small")
gamma = _unary("gamma", "Γ(x), ∞ at 0 and NaN at -1, -2, …; derivative Γ(x)·ψ(x)")
loggamma = _unary("loggamma", "log |Γ(x)|; derivative ψ(x)")
digamma = _unary("digamma", "ψ(x) = Γ′(x)/Γ(x); derivative the trigamma function, SymPy's polygamma(1, x)")
sign = _unary("sign", "-1, 0 or 1; derivative 0")
floor = _unary("floor", "the largest integer not above x; derivative 0")
absolute = register_builder("abs")(_unary("abs", "|x|; derivative sign(x), 0 at 0"))


def sqrt(x: Any) -> Node:
    """√x, elementwise: `x ** (1/2)`.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> sn.grad(sn.sum(sn.sqrt(x)), x)
        1/(2*sqrt(x))
    """
    return elementwise("pow", x, number(sympy.Rational(1, 2)))


def maximum(a: Any, b: Any) -> Node:
    """The larger of a and b, elementwise; the derivative goes to a at a tie.

    Example:
        >>> import symnet as sn
        >>> a, b = sn.tensor("a", 3), sn.tensor("b", 3)
        >>> sn.grad(sn.sum(sn.maximum(a, b)), [a, b])
        [1[a >= b], 1[a < b]]
    """
    return elementwise("maximum", a, b)


def minimum(a: Any, b: Any) -> Node:
    """The smaller of a and b, elementwise; the derivative goes to a at a tie."""
    return elementwise("minimum", a, b)


def where(condition: Any, a: Any, b: Any) -> Node:
    """a where the condition holds, b elsewhere; the branch not taken leaks no NaN into the derivative.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> sn.grad(sn.sum(sn.where(x > 0, x, x**2)), x)
        where(x > 0, 1, 2*x)
    """
    return elementwise("where", condition, a, b)


def indicator(condition: Any) -> Node:
    """1 where the condition holds, 0 elsewhere (Iverson's bracket), as a weak real.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> sn.indicator(x > 0)
        1[x > 0]
    """
    return elementwise("indicator", condition)


def xlogy(x: Any, y: Any) -> Node:
    """x·log y, and 0 where x = 0.

    Example:
        >>> import numpy as np, symnet as sn
        >>> p = sn.tensor("p", 2)
        >>> sn.compile(sn.xlogy(p, p))(p=np.array([0.0, 1.0]))
        array([0., 0.])
    """
    return elementwise("xlogy", x, y)


def atan2(y: Any, x: Any) -> Node:
    """The angle of the point (x, y), in (-π, π].

    Example:
        >>> import symnet as sn
        >>> x, y = sn.tensor("x", 3), sn.tensor("y", 3)
        >>> sn.grad(sn.sum(sn.atan2(y, x)), x)
        -y/(x**2 + y**2)
    """
    return elementwise("atan2", y, x)


def _square(x: Any) -> Node:
    return power(x, 2)


_NUMPY: dict[str, Callable[..., Node]] = {
    "exp": exp, "log": log, "log1p": log1p, "expm1": expm1, "tanh": tanh, "sin": sin, "cos": cos, "tan": tan,
    "arcsin": asin, "arccos": acos, "arctan": atan, "sinh": sinh, "cosh": cosh, "sign": sign, "floor": floor,
    "arcsinh": asinh, "arccosh": acosh, "arctanh": atanh, "arctan2": atan2, "cbrt": cbrt,
    "sqrt": sqrt, "maximum": maximum, "minimum": minimum, "square": _square, "reciprocal": reciprocal,
    "equal": equal, "not_equal": not_equal,
}  # fmt: skip
for _name, _function in _NUMPY.items():
    _numpy(_name, _function)
