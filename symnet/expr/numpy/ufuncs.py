"""NumPy's ufuncs of expressions: `np.exp(x)` is `sn.exp(x)`, `np.eye(3) + A` a sum, `np.float64(2) < x` is x > 2.

In: a ufunc and its operands, as `Node.__array_ufunc__` gets them.  Out: a node.
Not handled: methods (`np.add.reduce`), `out=`, `where=`, and what symnet has no counterpart of: refused.
Source: NumPy Enhancement Proposal 13, `__array_ufunc__`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from symnet import dtypes
from symnet.errors import ArgumentError, DTypeError, explain
from symnet.expr.nodes import composed
from symnet.expr.nodes import elementwise as ew
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.node import BUILDERS, Node
from symnet.expr.nodes.operators import sign
from symnet.expr.nodes.primitives import functions
from symnet.expr.nodes.result_dtypes import COUNTED

# NumPy's functions by the operators they are here.
_OPERATORS = {
    "add": "add", "subtract": "subtract", "multiply": "multiply", "divide": "divide", "true_divide": "divide",
    "power": "power", "matmul": "matmul", "negative": "negative", "positive": "positive", "absolute": "abs",
    "less": "less", "less_equal": "less_equal", "greater": "greater", "greater_equal": "greater_equal",
    "bitwise_and": "and", "bitwise_or": "or", "invert": "not",
    "logical_and": "and", "logical_or": "or", "logical_not": "not", "logical_xor": "xor", "bitwise_xor": "xor",
    "mod": "mod", "remainder": "mod", "floor_divide": "floor_divide", "divmod": "divmod",
}  # fmt: skip


def numpy_ufuncs() -> dict[str, Callable[..., Any]]:
    """NumPy's elementwise functions by their names, for those who read text instead of calling NumPy."""
    return {name: _of_nodes(f) for name, f in ({n: BUILDERS[op] for n, op in _OPERATORS.items()} | _FUNCTIONS).items()}


def _of_nodes(build: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(build)
    def built(*operands: Any) -> Any:
        return build(*map(as_node, operands))

    return built


_REFLECTED = {"less": "greater", "greater": "less", "less_equal": "greater_equal", "greater_equal": "less_equal"}


def _reciprocal(a: Any) -> Node:
    """NumPy's `reciprocal`, which of integers is a whole number.

    Raises:
        DTypeError: of integers.
    """
    if a.dtype in (*dtypes.INTEGER, "bool"):
        raise DTypeError(explain("np.reciprocal(x)", "real numbers", f"{a.dtype}", "Write 1/x for real quotients."))
    return ew.reciprocal(a)


def _float_power(a: Any, b: Any) -> Node:
    """NumPy's `float_power`: real, also of integers."""
    nodes = map(as_node, (a, b))
    return ew.power(*(ew.convert(x, "float64") if x.dtype in COUNTED else x for x in nodes))


# NumPy's other functions.
_FUNCTIONS: dict[str, Callable[..., Node]] = {
    **{p.numpy: ew.UNARY[p.name] for p in functions() if p.numpy},
    **{name: getattr(ew, name) for name in ("sqrt", "maximum", "minimum", "equal", "not_equal")},
    **{
        name: getattr(composed, name)
        for name in ("square", "isnan", "isinf", "isfinite", "hypot", "logaddexp", "exp2", "log2", "log10", "ceil")
    },
    "arctan2": ew.atan2, "sign": sign,
    "reciprocal": _reciprocal, "float_power": _float_power,
}  # fmt: skip


def apply_ufunc(ufunc: Callable[..., Any], method: str, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """What a ufunc of NumPy's is of expressions.

    Raises:
        ArgumentError: a function or an argument that symnet lacks.

    Example:
        >>> import numpy as np, symnet as sn
        >>> np.array([1.0, 2.0]) * sn.tensor("x", 2)
        x*array([1.0, 2.0])
    """
    name = ufunc.__name__
    if name in _REFLECTED and not isinstance(inputs[0], Node):  # 2 < x is x > 2, as with Python's numbers
        name, inputs = _REFLECTED[name], inputs[::-1]
    builder = BUILDERS[_OPERATORS[name]] if name in _OPERATORS else _FUNCTIONS.get(name)
    if method == "__call__" and builder is not None and not options:
        return builder(*inputs)
    name = ufunc.__name__
    if options.get("out") is not None:
        mend = "An array cannot hold an expression: write y = array + x, a new expression, in the place of array += x."
        raise ArgumentError(explain(f"np.{name}(…, out=array)", "no out=", "an array to write to", mend))
    call = f"np.{name}(…)" if method == "__call__" else f"np.{name}.{method}(…)"
    mend = "Look for its counterpart in symnet, or compile the expression and pass NumPy its value."
    raise ArgumentError(explain(call, "a function that symnet knows too", f"{name} of an expression", mend))
