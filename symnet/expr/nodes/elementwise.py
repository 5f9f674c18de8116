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
from symnet.expr.nodes.constants import as_node, number, number_of
from symnet.expr.nodes.extents import broadcast_shapes
from symnet.expr.nodes.node import Node, Shape, static_name
from symnet.expr.nodes.result_dtypes import CASTS, COUNTED, RESULT, check_in_range, is_truth, number_beside, widened_by


@dataclass(frozen=True)
class Primitive:
    """A scalar function: how many operands, and the dtype of its result.

    result: a rule of `result_dtypes.RESULT`.
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
        Primitive("mod", 2, "arithmetic"),
        Primitive("floor_divide", 2, "arithmetic"),
        Primitive("xlogy", 2, "real"),
        Primitive("atan2", 2, "real"),
        Primitive("function", None, "real", fewest=1),  # any other function of SymPy's: expr/sympy/functions.py
        *(Primitive(name, 1, "real") for name in _REAL_UNARY),
        *(Primitive(name, 2, "bool") for name in _COMPARISON),
        Primitive("and", 2, "bool", condition=True),
        Primitive("or", 2, "bool", condition=True),
        Primitive("not", 1, "bool", condition=True),
        Primitive("where", 3, "branch", condition=True),
        Primitive("indicator", 1, "weak", condition=True),
        *(Primitive(name, 1, name) for name in CASTS),  # put in where integers meet another dtype, and never printed
    )
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
        return shape, RESULT[primitive.result](*operands)

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


def written(op: str, *operands: Any) -> Elementwise:
    """The same of operands as a user wrote them: beside integers, Python numbers and NumPy scalars count as in NumPy.

    Raises:
        RangeError: a Python integer that the dtype of the result cannot hold.
    """
    if any(isinstance(o, Node) and o.dtype in COUNTED for o in operands):
        node = elementwise(op, *_beside_integers(op, operands))
        check_in_range(node, op)
        return node
    return elementwise(op, *operands)


def _beside_integers(op: str, operands: tuple[Any, ...]) -> list[Node]:
    """Operands as nodes: a whole float stays real, a NumPy integer widens the others as NumPy says."""
    nodes = [o if isinstance(o, Node) else number_beside(o) for o in operands]
    wider = widened_by(operands)
    rule, first = PRIMITIVES[op].result, int(PRIMITIVES[op].condition)
    if rule in ("same", "branch") and all(o.dtype in ("bool", None) for o in nodes[first:]):
        counts = any(isinstance(o, int) and not isinstance(o, bool) for o in operands)
        wider = wider or ("int64" if counts else None)  # where(c, p, 7)
    if wider is None or rule == "bool":
        return nodes
    return [o if k < first or o.dtype not in COUNTED else _widened(o, wider) for k, o in enumerate(nodes)]


def _widened(x: Node, dtype: str) -> Node:
    return convert(x, dtype) if dtypes.promote(x.dtype, dtype) == dtype else x


def convert(x: Node, dtype: str | None) -> Node:
    """`x` in another dtype (None: the real dtype of what it meets): itself where it has that, or is weak."""
    if x.dtype is None or x.dtype == dtype or (dtype is None and x.dtype in dtypes.REAL):
        return x
    return elementwise(f"as_{dtype or 'real'}", x)


def is_op(node: Node, *ops: str) -> bool:
    """Whether `node` is an elementwise node of one of these primitives."""
    return isinstance(node, Elementwise) and node.op in ops


# --------------------------------------------------------------------------- operators

MINUS_ONE = sympy.Integer(-1)


def add(a: Any, b: Any) -> Node:
    """a + b, elementwise."""
    return written("add", a, b)


def negative(a: Any) -> Node:
    """-a."""
    return elementwise("mul", number(MINUS_ONE), a)


def subtract(a: Any, b: Any) -> Node:
    """a - b, elementwise."""
    if not any(isinstance(o, Node) and o.dtype in COUNTED for o in (a, b)):
        return elementwise("add", a, negative(b))
    whole = written("add", a, b)  # what is negated has the dtype of the result: of int32 beside int64, -b could wrap
    a, b = whole.operands
    value = number_of(b)
    if value is not None:
        return elementwise("add", a, number(-value))
    return elementwise("add", a, negative(convert(b, whole.dtype) if whole.dtype in dtypes.INTEGER else b))


def multiply(a: Any, b: Any) -> Node:
    """a * b, elementwise."""
    return written("mul", a, b)


def reciprocal(a: Any) -> Node:
    """1 / a, elementwise."""
    return elementwise("pow", a, number(MINUS_ONE))


def divide(a: Any, b: Any) -> Node:
    """a / b, elementwise."""
    b = as_node(b)
    if isinstance(a, (int, float)) and a == 1:
        return reciprocal(b)
    return elementwise("mul", a, reciprocal(b))


def power(a: Any, b: Any) -> Node:
    """a ** b, elementwise.  Where the exponent is no integer the base should be nonnegative.

    Integers to an array of integers are integers, as in NumPy, and wrap as its; to the number -1, -2, … they are real.
    A negative element of an array of exponents, which NumPy refuses, gives 0, or ±1 for the base ±1, as in JAX.
    """
    return written("pow", a, b)


def _comparison(op: str) -> Callable[[Any, Any], Node]:
    def compare(a: Any, b: Any) -> Node:
        return written(op, a, b)

    compare.__name__ = op
    compare.__doc__ = f"Elementwise comparison `{op}`; a bool array."
    return compare


less = _comparison("lt")
less_equal = _comparison("le")
greater = _comparison("gt")
greater_equal = _comparison("ge")
equal = _comparison("eq")
not_equal = _comparison("ne")


def logical_and(a: Any, b: Any) -> Node:
    """Where both conditions hold (`a & b`)."""
    return elementwise("and", a, b)


def logical_or(a: Any, b: Any) -> Node:
    """Where a condition holds (`a | b`)."""
    return elementwise("or", a, b)


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
absolute = _unary("abs", "|x|; derivative sign(x), 0 at 0")


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
    return written("maximum", a, b)


def minimum(a: Any, b: Any) -> Node:
    """The smaller of a and b, elementwise; the derivative goes to a at a tie."""
    return written("minimum", a, b)


def where(condition: Any, a: Any, b: Any) -> Node:
    """a where the condition holds, b elsewhere; the branch not taken leaks no NaN into the derivative.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> sn.grad(sn.sum(sn.where(x > 0, x, x**2)), x)
        where(x > 0, 1, 2*x)
    """
    if is_truth(a) and is_truth(b):  # where(c, True, False) is a truth value as in NumPy, not a weak number
        no = logical_not(condition)
        same = logical_or(condition, no) if a else logical_and(condition, no)
        return same if a == b else logical_not(no) if a else no
    return written("where", condition, a, b)


def indicator(condition: Any) -> Node:
    """1 where the condition holds, 0 elsewhere (Iverson's bracket), as a weak real.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> sn.indicator(x > 0)
        1[x > 0]
    """
    return elementwise("indicator", condition)


def mod(a: Any, b: Any) -> Node:
    """a - b·⌊a/b⌋, of b's sign and without rounding: `a % b`, NumPy's `mod`; derivative 1 by a, -⌊a/b⌋ by b.

    Example:
        >>> import numpy as np, symnet as sn
        >>> a, b = sn.scalar("a"), sn.scalar("b")
        >>> sn.compile(a % b)(a=-1.0, b=0.3)
        np.float64(0.19999999999999996)
    """
    return written("mod", a, b)


def floor_divide(a: Any, b: Any) -> Node:
    """⌊a/b⌋ as `a // b` of NumPy's: whole, rounded downwards, with a % b as the remainder; derivative 0.

    Integers over 0 are 0, reals ±∞ or NaN; the slope is 0 where there is one.

    Example:
        >>> import symnet as sn
        >>> k = sn.tensor("k", 3, dtype="int64")
        >>> sn.compile(k // 2)(k=[-3, 4, 5])
        array([-2,  2,  2])
    """
    return written("floor_divide", a, b)


def floor_divide_and_mod(a: Any, b: Any) -> tuple[Node, Node]:
    """(a // b, a % b): `divmod(a, b)`."""
    return floor_divide(a, b), mod(a, b)


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
