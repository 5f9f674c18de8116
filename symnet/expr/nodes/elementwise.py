"""Elementwise operations: one kind of node, many named scalar primitives.

In: operands that broadcast (NumPy's rules).  Out: `Elementwise(primitive, *operands)`.
A primitive has the same name on every floor; `PRIMITIVES` (`primitives.py`) is the list, into which the functions of
one variable are entered below, and each floor's `elementwise.py` holds what it alone knows of them (reference value,
partial derivatives, rewrites, loop operation).

There is no subtraction, division or negation among them: `a - b` is `a + (-1)*b`, `a/b` is `a * b**(-1)`, so that
the algebra has one spelling; printing and lowering put the usual operations back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy.codegen import cfunctions
from sympy.core.symbol import Str

from symnet import dtypes
from symnet.expr.nodes.constants import as_node, number, number_of
from symnet.expr.nodes.extents import broadcast_shapes
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.operand_dtypes import check_operands
from symnet.expr.nodes.primitives import NAMES, PRIMITIVES, Primitive, enter
from symnet.expr.nodes.result_dtypes import COUNTED, RESULT, check_in_range, is_truth, number_beside, widened_by


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
            check_operands(primitive, operands)
        shape = operands[0].shape
        if any(o.shape != shape for o in operands):
            shape = broadcast_shapes(op.name, *[o.shape for o in operands])
        return shape, RESULT[primitive.result](*operands)

    def _read(self) -> None:
        self.op = self.topic = str(self.args[0].name)


def elementwise(op: str, *operands: Any) -> Elementwise:
    """The node `op(*operands)`; numbers and SymPy scalars are converted."""
    return Elementwise(NAMES[op], *[o if isinstance(o, Node) else as_node(o) for o in operands])


def written(op: str, *operands: Any) -> Elementwise:
    """The node `op(*operands)` as a user wrote it: beside integers, Python numbers and NumPy scalars count as in NumPy.

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
    return node.topic in ops


def operands_of(op: str, x: Node) -> tuple[Node, ...]:
    """The operands of a sum ("add") or a product ("mul"); of anything else, x itself."""
    return x.operands if is_op(x, op) else (x,)


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


UNARY: dict[str, Callable[[Any], Node]] = {}  # the functions below, by their primitive's name


def unary(op: str, equation: str, *, result: str = "real", **traits: Any) -> Callable[[Any], Node]:
    """A function of one variable, entered into `PRIMITIVES`; its traits are those of `Primitive`."""
    sympys = traits.get("sympy")
    traits.setdefault("read", sympys if isinstance(sympys, type) else None)
    enter(Primitive(op, 1, result, **traits))

    def function(x: Any) -> Node:
        return elementwise(op, x)

    function.__name__ = function.__qualname__ = op
    function.__doc__ = f"{equation}, elementwise.\n\nArgs:\n    x: any shape.\n\nReturns:\n    a node of x's shape."
    UNARY[op] = function
    return function


def _cube_root(x: Any) -> Any:
    return sympy.sign(x) * sympy.cbrt(sympy.Abs(x))


# fmt: off
absolute = unary("abs", "|x|; derivative sign(x), 0 at 0", result="same", sympy=sympy.Abs, parity="even", short=True)
sign = unary("sign", "-1, 0 or 1; derivative 0",
    result="same", numpy="sign", sympy=sympy.sign, parity="odd", bounded=True, short=True)
floor = unary("floor", "the largest integer not above x; derivative 0", result="same", numpy="floor", sympy=sympy.floor)
exp = unary("exp", "eˣ", numpy="exp", sympy=sympy.exp, steep=True)
log = unary("log", "the natural logarithm of x", numpy="log", sympy=sympy.log, steep=True, short=True)
log1p = unary("log1p", "log(1 + x), accurate near 0",
    numpy="log1p", sympy=lambda x: sympy.log(1 + x), read=cfunctions.log1p, keeps_sign=True, steep=True)
expm1 = unary("expm1", "eˣ - 1, accurate near 0",
    numpy="expm1", sympy=lambda x: sympy.exp(x) - 1, read=cfunctions.expm1, keeps_sign=True, steep=True)
tanh = unary("tanh", "tanh x; derivative 1 - tanh² x", numpy="tanh", sympy=sympy.tanh, parity="odd", bounded=True)
sigmoid = unary("sigmoid", "the logistic function 1/(1 + e⁻ˣ); derivative σ(1 - σ)",
    sympy=lambda x: 1 / (1 + sympy.exp(-x)), facts=("open_unit",), bounded=True)
softplus = unary("softplus", "log(1 + eˣ); derivative σ(x)",
    sympy=lambda x: sympy.log(1 + sympy.exp(x)), facts=("positive",))
sin = unary("sin", "sin x", numpy="sin", sympy=sympy.sin, parity="odd", bounded=True)
cos = unary("cos", "cos x", numpy="cos", sympy=sympy.cos, parity="even", bounded=True)
tan = unary("tan", "tan x", numpy="tan", sympy=sympy.tan, parity="odd", steep=True)
asin = unary("asin", "arcsin x", numpy="arcsin", sympy=sympy.asin, parity="odd", keeps_sign=True, steep=True)
acos = unary("acos", "arccos x", numpy="arccos", sympy=sympy.acos, steep=True)
atan = unary("atan", "arctan x", numpy="arctan", sympy=sympy.atan, parity="odd", keeps_sign=True, bounded=True)
sinh = unary("sinh", "sinh x", numpy="sinh", sympy=sympy.sinh, parity="odd", keeps_sign=True, steep=True)
cosh = unary("cosh", "cosh x", numpy="cosh", sympy=sympy.cosh, parity="even", facts=("positive",), steep=True)
asinh = unary("asinh", "the inverse of sinh; derivative 1/√(1 + x²)",
    numpy="arcsinh", sympy=sympy.asinh, parity="odd", keeps_sign=True, short=True)
acosh = unary("acosh", "the inverse of cosh, for x ≥ 1; derivative 1/√(x² - 1)",
    numpy="arccosh", sympy=sympy.acosh, facts=("nonnegative",), steep=True)
atanh = unary("atanh", "the inverse of tanh, for |x| < 1; derivative 1/(1 - x²)",
    numpy="arctanh", sympy=sympy.atanh, parity="odd", keeps_sign=True, steep=True)
erf = unary("erf", "the error function of x", sympy=sympy.erf, parity="odd", bounded=True)
erfc = unary("erfc", "1 - erf x, with all its digits where that is small",
    sympy=sympy.erfc, facts=("positive",), bounded=True)
gamma = unary("gamma", "Γ(x), ∞ at 0 and NaN at -1, -2, …; derivative Γ(x)·ψ(x)", sympy=sympy.gamma, steep=True)
loggamma = unary("loggamma", "log |Γ(x)|; derivative ψ(x)", sympy=sympy.loggamma, steep=True)
digamma = unary("digamma", "ψ(x) = Γ′(x)/Γ(x); derivative the trigamma function, SymPy's polygamma(1, x)",
    sympy=sympy.digamma, steep=True)
cbrt = unary("cbrt", "the real cube root of x, negative for negative x; derivative 1/(3·∛x²)",
    numpy="cbrt", sympy=_cube_root, read=cfunctions.Cbrt, parity="odd", keeps_sign=True, steep=True, short=True)
# fmt: on
PUBLIC = tuple(name for name in UNARY if name not in ("abs", "sign"))  # which take operands of more kinds elsewhere


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
