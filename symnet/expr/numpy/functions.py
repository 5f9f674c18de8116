"""NumPy's functions of expressions: `np.sum(x)` is `sn.sum(x)`; what has no counterpart is refused.

In: a function of NumPy's and its arguments, as `Node.__array_function__` gets them.  Out: a node.  Without this NumPy
would take a node for a sequence, and unroll it into an array of objects.
The functions are known by their names, so that NumPy need not be imported; an argument that says nothing (None, False,
or what the table calls the default) is left out, and any other that symnet lacks is an error.
Source: NumPy Enhancement Proposal 18, `__array_function__`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from symnet.errors import ArgumentError, ShapeError, explain
from symnet.expr.nodes import (
    building,
    composed,
    contraction,
    cumulative,
    elementwise,
    indexing,
    linalg,
    movement,
    norms,
    recurrence,
    reduction,
)
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.extents import normalize_axes
from symnet.expr.nodes.node import Node

# --------------------------------------------------------------------------- where NumPy's meaning is another


def _flat(x: Any) -> Node:
    return movement.reshape(as_node(x), -1)


def _argmax(x: Any, axis: Any = None) -> Node:
    return reduction.argmax(_flat(x), 0) if axis is None else reduction.argmax(x, axis)


def _take(x: Any, indices: Any, axis: Any = None) -> Node:
    return indexing.take(_flat(x), indices, 0) if axis is None else indexing.take(x, indices, axis)


def _outer(a: Any, b: Any) -> Node:
    return contraction.outer(_flat(a), _flat(b))


def _flat_ranks(call: str, *operands: Node) -> None:
    """Refuse stacks of matrices, of which NumPy's function takes other axes than ours."""
    if any(x.rank > 2 for x in operands):
        shapes, mend = " and ".join(str(x.shape) for x in operands), "Use @, or einsum, which names the axes."
        raise ShapeError(explain(call, "vectors or matrices", f"shape {shapes}", mend))


def _dot(a: Any, b: Any) -> Node:
    _flat_ranks("np.dot(…)", as_node(a), as_node(b))
    return contraction.dot(a, b)


def _trace(x: Any) -> Node:
    _flat_ranks("np.trace(…)", as_node(x))
    return contraction.trace(x)


def _concatenate(xs: Any, axis: Any = 0) -> Node:
    flat = axis is None and isinstance(xs, (list, tuple))
    return movement.concat([_flat(x) for x in xs], 0) if flat else movement.concat(xs, 0 if axis is None else axis)


def _argmin(x: Any, axis: Any = None) -> Node:
    return composed.argmin(_flat(x), 0) if axis is None else composed.argmin(x, axis)


def _squeeze(x: Any, axis: Any = None) -> Node:
    x = as_node(x)
    gone = [a for a, n in enumerate(x.shape) if n == 1] if axis is None else normalize_axes("squeeze", axis, x.rank)
    if any(x.shape[a] != 1 for a in gone):
        mend = "Name axes of extent 1, or slice the others first."
        raise ShapeError(explain(f"np.squeeze(…, axis={axis})", "axes of extent 1", f"shape {x.shape}", mend))
    return movement.reshape(x, tuple(n for a, n in enumerate(x.shape) if a not in gone))


def _expand_dims(x: Any, axis: Any) -> Node:
    x = as_node(x)
    rank = x.rank + (len(axis) if isinstance(axis, (tuple, list)) else 1)
    new, old = normalize_axes("expand_dims", axis, rank), iter(x.shape)
    return movement.reshape(x, tuple(1 if a in new else next(old) for a in range(rank)))


def _swapaxes(x: Any, axis1: int, axis2: int) -> Node:
    x = as_node(x)
    order = list(range(x.rank))
    (first,), (second,) = (normalize_axes("swapaxes", a, x.rank) for a in (axis1, axis2))
    order[first], order[second] = second, first
    return contraction.transpose(x, order)


def _flip(x: Any, axis: Any = None) -> Node:
    x = as_node(x)
    axes = normalize_axes("flip", axis, x.rank)
    return x[tuple(slice(None, None, -1) if a in axes else slice(None) for a in range(x.rank))]


def _inner(a: Any, b: Any) -> Node:
    _flat_ranks("np.inner(…)", as_node(a), as_node(b))
    return contraction.dot(a, as_node(b).T)


def _vdot(a: Any, b: Any) -> Node:
    return contraction.matmul(_flat(a), _flat(b))


def _slogdet(A: Any) -> tuple[Node, Node]:
    return elementwise.elementwise("sign", linalg.det(A)), linalg.logdet(A)


# NumPy's function → (ours, NumPy's parameters in order: `theirs` or `theirs:ours`, with a default that says nothing)
_REDUCED = "a:x axis dtype out keepdims"
_TABLE: dict[str, tuple[Callable[..., Any], str]] = {
    "sum": (contraction.sum, _REDUCED),
    "mean": (contraction.mean, _REDUCED),
    "prod": (reduction.prod, _REDUCED),
    "max": (reduction.max, "a:x axis out keepdims"),
    "amax": (reduction.max, "a:x axis out keepdims"),
    "min": (reduction.min, "a:x axis out keepdims"),
    "amin": (reduction.min, "a:x axis out keepdims"),
    "argmax": (_argmax, "a:x axis out keepdims"),
    "argmin": (_argmin, "a:x axis out keepdims"),
    **{name: (getattr(composed, name), "a:x axis out keepdims") for name in ("any", "all")},
    **{name: (getattr(composed, name), "a:x axis dtype out ddof keepdims") for name in ("var", "std")},
    **{name: (getattr(composed, name), "m:x k") for name in ("tril", "triu")},
    "count_nonzero": (composed.count_nonzero, "a:x axis keepdims"),
    "average": (contraction.mean, "a:x axis weights returned keepdims"),
    "diff": (composed.diff, "a:x n axis"),
    "squeeze": (_squeeze, "a:x axis"),
    "expand_dims": (_expand_dims, "a:x axis"),
    "swapaxes": (_swapaxes, "a:x axis1 axis2"),
    "flip": (_flip, "m:x axis"),
    "inner": (_inner, "a b"),
    "vdot": (_vdot, "a b"),
    "cumsum": (cumulative.cumsum, "a:x axis dtype out"),
    "cumprod": (recurrence.cumprod, "a:x axis dtype out"),
    "where": (elementwise.where, "condition x:a y:b"),
    "clip": (composed.clip, "a:x a_min:low a_max:high out"),
    "dot": (_dot, "a b out"),
    "outer": (_outer, "a b out"),
    "kron": (building.kron, "a b"),
    "diag": (building.diag, "v:x k=0"),
    "trace": (_trace, "a:x offset=0 axis1=0 axis2=1 dtype out"),
    "transpose": (lambda x, axes=None: contraction.transpose(x, axes), "a:x axes"),
    "reshape": (lambda x, shape: movement.reshape(x, shape), "a:x shape order=C"),
    "ravel": (_flat, "a:x order=C"),
    "concatenate": (_concatenate, "arrays:xs axis out dtype"),
    "stack": (movement.stack, "arrays:xs axis out"),
    "broadcast_to": (movement.broadcast_to, "array:x shape subok"),
    "take": (_take, "a:x indices axis out mode=raise"),
    "shape": (lambda x: as_node(x).shape, "a:x"),
    "ndim": (lambda x: as_node(x).rank, "a:x"),
    "linalg.norm": (norms.norm, "x ord axis keepdims"),
    "linalg.det": (linalg.det, "a:A"),
    "linalg.inv": (linalg.inv, "a:A"),
    "linalg.solve": (linalg.solve, "a:A b:B"),
    "linalg.slogdet": (_slogdet, "a:A"),
    "linalg.matrix_power": (linalg.matrix_power, "a:A n"),
}


def apply_numpy(function: Callable[..., Any], args: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """What a function of NumPy's is of expressions.

    Raises:
        ArgumentError: a function or an argument that symnet lacks.

    Example:
        >>> import numpy as np, symnet as sn
        >>> np.sum(sn.tensor("x", 3), axis=0)
        sum(x)
    """
    return _called(f"{function.__module__}.{function.__name__}".removeprefix("numpy."), args, keywords)


def numpy_functions() -> dict[str, Callable[..., Any]]:
    """NumPy's functions by their names, `linalg.norm` among them, for those who read text instead of calling NumPy."""
    return {name: _by_name(name) for name in (*_TABLE, "einsum")}


def _by_name(name: str) -> Callable[..., Any]:
    return lambda *args, **keywords: _called(name, args, keywords)


def _called(name: str, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    call = f"np.{name}(…)"
    if name == "einsum":
        _refuse(call, {n: v for n, v in keywords.items() if n != "optimize"}, {"order": "K", "casting": "safe"})
        return contraction.einsum(*args)
    if name not in _TABLE:
        mend = "Look for its counterpart in symnet, or compile the expression and pass NumPy its value."
        raise ArgumentError(explain(call, "a function that symnet knows too", f"{name} of an expression", mend))
    ours, written = _TABLE[name]
    renamed, defaults = {}, {}
    for each in written.split():
        parameter, _, default = each.partition("=")
        theirs, _, here = parameter.partition(":")
        renamed[theirs], defaults[theirs] = here or theirs, default
    given = {**dict(zip(renamed, args, strict=False)), **keywords}
    known = inspect.signature(ours).parameters
    taken = {renamed[n]: v for n, v in given.items() if n in renamed and renamed[n] in known}
    _refuse(call, {n: v for n, v in given.items() if renamed.get(n) not in taken}, defaults)
    missing = [n for n, p in known.items() if p.default is p.empty and n not in taken]
    if missing or len(args) > len(renamed):
        got = f"no {missing[0]}" if missing else f"{len(args)} arguments"
        mend = f"Call symnet's own function, which takes {', '.join(known)}."
        raise ArgumentError(explain(call, f"the arguments {', '.join(known)}", got, mend))
    return ours(**taken)


def _refuse(call: str, given: Mapping[str, Any], defaults: Mapping[str, str]) -> None:
    """Refuse an argument that asks for what symnet lacks."""
    for name, value in given.items():
        silent = value is None or value is False or str(value) == defaults.get(name)
        if not silent:
            got = f"{name}=" + ("an expression" if isinstance(value, Node) else repr(value))
            expected = f"no {name}" + (f" but {defaults[name]}" if defaults.get(name) else "")
            raise ArgumentError(explain(call, expected, got, f"Drop {name}=; symnet has no counterpart of it."))
