"""Which dtypes may meet in an elementwise operation: bool conditions where they are asked for, reals of one kind.

In: a primitive and its operands.  Out: nothing, or an error.
"""

from __future__ import annotations

from symnet import dtypes
from symnet.errors import DTypeError, explain
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import Primitive


def check_operands(primitive: Primitive, operands: tuple[Node, ...]) -> None:
    call = f"{primitive.name}({', '.join(o.dtype or 'number' for o in operands)})"
    conditions = operands if primitive.result == "bool" else operands[:1]
    if primitive.condition and any(o.dtype != "bool" for o in conditions):
        raise DTypeError(
            explain(
                call,
                "a bool condition first" if len(conditions) == 1 else "bool conditions",
                " and ".join(str(o.dtype or "a number") for o in conditions),
                "Compare first, as in where(x > 0, x, 0); sn.equal(x, y), for == asks whether two nodes are the same.",
            )
        )
    check_one_real(call, operands)


def check_one_real(call: str, operands: tuple[Node, ...]) -> None:
    """Refuse float32 beside float64: nothing is widened in silence.

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
