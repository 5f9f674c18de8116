"""Evaluation: a graph and arrays in, arrays out.

In: one root or several, and the arrays of their leaves by name.  Out: the roots' arrays.
One pass over the topological order; the meanings stand in the files named as in `expr/`, gathered in `MEANING`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, overload

import numpy as np

from symnet import dtypes
from symnet.arrays import Array
from symnet.errors import MissingRuleError, explain
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, check_leaves
from symnet.reference import (
    abstract,
    constants,
    contraction,
    cumulative,
    elementwise,
    indexing,
    linalg,
    movement,
    recurrence,
    reduction,
    running,
    symbols,
)
from symnet.reference.context import Context
from symnet.reference.symbols import bind_dims

MEANING: dict[str, Callable[[Any, Sequence[Array], Context], Array]] = {
    "named": symbols.transparent_value,
    "barrier": symbols.transparent_value,
    "sealed": symbols.transparent_value,
    "number": constants.number_value,
    "size": constants.size_value,
    "array": constants.array_value,
    "delta": constants.delta_value,
    "iota": constants.iota_value,
    "elementwise": elementwise.elementwise_value,
    "einsum": contraction.einsum_value,
    "expand": movement.expand_value,
    "reshape": movement.reshape_value,
    "slice": movement.slice_value,
    "place": movement.place_value,
    "concat": movement.concat_value,
    "reduce": reduction.reduce_value,
    "take": indexing.take_value,
    "one_hot": indexing.one_hot_value,
    "cumsum": cumulative.cumsum_value,
    "cumprod": recurrence.cumprod_value,
    "linear_recurrence": recurrence.linear_recurrence_value,
    "running_logsumexp": running.running_logsumexp_value,
    "scaled_sum": running.scaled_sum_value,
    "solve": linalg.solve_value,
    "determinant": linalg.determinant_value,
    "abstract": abstract.no_value,
}


@overload
def evaluate(
    roots: Node,
    data: Mapping[str, Any],
    dtype: str | None = None,
    leaves: Iterable[Tensor] = (),
    *,
    identities: bool = False,
) -> Array: ...
@overload
def evaluate(
    roots: Sequence[Node],
    data: Mapping[str, Any],
    dtype: str | None = None,
    leaves: Iterable[Tensor] = (),
    *,
    identities: bool = False,
) -> list[Array]: ...
def evaluate(
    roots: Node | Sequence[Node],
    data: Mapping[str, Any],
    dtype: str | None = None,
    leaves: Iterable[Tensor] = (),
    *,
    identities: bool = False,
) -> Array | list[Array]:
    """The values of expressions.

    Args:
        roots: a node, or a sequence of nodes.
        data: name → array (or number), one for each leaf; others are ignored.
        dtype: computes every real value in it, as `compile(dtype=…)` does; None: as the leaves say, and float64
            for results that are weak.
        leaves: further leaves whose arrays tell extents, where simplification has removed them from the roots.
        identities: the max of nothing is -∞ and the min ∞, as in loops: for the numeric form, in which the largest
            element only scales others.

    Returns:
        an array, or a list of arrays.

    Raises:
        ArgumentError, ShapeError, DTypeError: data that do not fit the leaves.
        ValueDomainError: an index out of range; a mean, max or min of nothing (but for `identities`).

    Example:
        >>> import numpy as np, symnet as sn
        >>> from symnet.reference import evaluate
        >>> x = sn.tensor("x", 3)
        >>> float(evaluate((x * x).sum(), {"x": np.array([1.0, 2.0, 3.0])}))
        14.0
    """
    single = isinstance(roots, Node)
    wanted = [roots] if isinstance(roots, Node) else list(roots)
    known = [*check_leaves("evaluate(…)", wanted), *leaves]
    real = None if dtype is None else dtypes.check(dtype, f"evaluate(…, dtype={dtype!r})")
    context = Context(bind_dims(known, data), real, identities)
    values: dict[Node, Array] = {}
    for node in topological(*wanted):
        if isinstance(node, Tensor):
            values[node] = symbols.read_leaf(node, data, context)
        else:
            values[node] = _value(node, [values[o] for o in node.operands], context)
    weak = context.real or dtypes.DEFAULT_REAL
    results = [np.array(values[root], dtype=context.dtype(root) or weak) for root in wanted]
    return results[0] if single else results


def _value(node: Node, operands: Sequence[Array], context: Context) -> Array:
    if node.kind not in MEANING:
        raise MissingRuleError(
            explain(
                "evaluate(…)",
                f"a meaning for {node.kind} nodes",
                str(type(node).__name__),
                "Add it to MEANING in symnet/reference/evaluation.py.",
            )
        )
    return context.cast(MEANING[node.kind](node, operands, context), context.dtype(node))
