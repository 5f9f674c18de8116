"""Definitions for abstract functions: the formula in the place of the name, its derivatives in the place of theirs.

In: expressions, and a body for each function.  Out: the expressions with the bodies put in, simplified.
A derivative by name becomes the derivative of the body, by the rules of `diff`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from symnet import dtypes
from symnet.calculus.jacobian import jacobians
from symnet.calculus.simplify import simplify
from symnet.calculus.structure import Structure, flatten_values
from symnet.diff.reverse import pullback
from symnet.errors import ArgumentError, ShapeError, explain
from symnet.expr.nodes.abstract import AbstractFunction, Application, applications
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.extents import same_shape, shape_arg
from symnet.expr.nodes.graph import depends_on, rebuild, substitute
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node, static_name
from symnet.expr.nodes.symbols import Tensor

Definition = Callable[..., Any]
_ELEMENTWISE = frozenset({"elementwise", "expand", "named", "tensor", "abstract"})


def define(expr: Structure, definitions: Mapping[Any, Definition]) -> Any:
    """The expression with definitions in the place of abstract functions, derivatives by name computed.

    Args:
        expr: a node, a list of nodes, or a dict of nodes.
        definitions: a function, or its name → what computes its value from nodes, such as `sn.tanh`.

    Returns:
        a node, a list, or a dict, as given; functions without a definition stay.

    Raises:
        ArgumentError: no such function in the expression, or a body that cannot be called.
        ShapeError: a body of another shape than the function, or one that is not a function of elements.

    Example:
        >>> import symnet as sn
        >>> f, x = sn.function("f"), sn.scalar("x")
        >>> slope = sn.grad(f(3 * x), x)
        >>> slope, sn.define(slope, {f: sn.sin})
        (3*f'(3*x), 3*cos(3*x))
    """
    call = "define(expr, definitions)"
    if not isinstance(definitions, Mapping):
        mend = "Write sn.define(y, {'f': sn.tanh})."
        raise ArgumentError(explain(call, "a dict of functions", type(definitions).__name__, mend))
    nodes, restore = flatten_values(expr)
    present = applications(nodes)
    bodies = dict(_bodies(call, key, body, present) for key, body in definitions.items())

    def defined(node: Node) -> Node:
        body = bodies.get(node.name) if isinstance(node, Application) else None
        return node if body is None or not isinstance(node, Application) else _value(call, node, body)

    return restore(simplify(rebuild(nodes, defined)))


def _bodies(call: str, key: Any, body: Any, present: list[Application]) -> tuple[str, Definition]:
    name = key.name if isinstance(key, AbstractFunction) else key
    known = list(dict.fromkeys(node.name for node in present))
    if name not in known:
        got = f"{name!r}, beside {', '.join(known) or 'none'}"
        raise ArgumentError(explain(call, "a function that stands in the expression", got, "Check the name."))
    if not callable(body):
        mend = f"Write {{{name!r}: sn.tanh}} or {{{name!r}: lambda x: …}}."
        raise ArgumentError(explain(call, f"what computes {name}", repr(body), mend))
    return name, body


def _value(call: str, node: Application, body: Definition) -> Node:
    """The body at the operands, or its derivative there."""
    operands = [broadcast_to(o, node.shape) for o in node.operands] if node.is_elementwise else list(node.operands)
    holders = [_holder(k, o) for k, o in enumerate(operands)]
    _check_count(call, node, body, len(holders))
    value = as_node(body(*holders))
    if not same_shape(value.shape, node.value_shape):
        expected, mend = (
            f"a value of shape {node.value_shape} from {node.name}",
            "Give sn.function the shape of its value.",
        )
        raise ShapeError(explain(call, expected, f"shape {value.shape}", mend))
    if node.is_elementwise:
        _check_elements(call, node, value, holders)
    for k in node.orders:
        value = _slope(node, value, holders[k])
    return substitute([value], dict(zip(holders, operands, strict=True)))[0]


def _check_count(call: str, node: Application, body: Definition, count: int) -> None:
    """Refuse a body that does not take the function's arguments, as far as its signature tells.

    Raises:
        ArgumentError: with both counts.
    """
    try:
        signature = inspect.signature(body)
    except (TypeError, ValueError):  # of what is not written in Python
        return
    try:
        signature.bind(*range(count))
    except TypeError:
        arguments = "one argument" if count == 1 else f"{count} arguments"
        letters = ", ".join(f"x{k}" for k in range(count)) if count > 1 else "x"
        mend = f"Write {{{node.name!r}: lambda {letters}: …}}."
        expected = f"a function of {arguments} for {node.name}"
        raise ArgumentError(explain(call, expected, f"one of {signature}", mend)) from None


def _slope(node: Application, value: Node, by: Node) -> Node:
    if node.is_elementwise:
        found, shape = pullback(value, fill(1, node.shape), [by])[by], node.shape
    else:
        (found,), shape = jacobians(value, [by]), (*value.shape, *by.shape)
    return fill(0, shape) if found is None else found


def _check_elements(call: str, node: Application, value: Node, holders: list[Node]) -> None:
    """Refuse a body that mixes elements: its derivative is no array of slopes.

    Raises:
        ShapeError: naming what mixes them.
    """
    mixing = [
        n for n in depends_on([value], holders) if n.kind not in _ELEMENTWISE or not same_shape(n.shape, node.shape)
    ]
    if node.shape and mixing:
        expected, mend = f"a function of elements for {node.name}", "Declare it with the shape of its value."
        raise ShapeError(explain(call, expected, f"{mixing[0].kind} in its body", mend))


def _holder(k: int, like: Node) -> Node:
    """A leaf in the place of an argument; a name with a space is no user's."""
    dtype = static_name(like.dtype if like.dtype in dtypes.REAL else dtypes.DEFAULT_REAL)
    return Tensor(static_name(f"argument {k}"), shape_arg(like.shape), dtype, shape_arg(()), static_name(""))
