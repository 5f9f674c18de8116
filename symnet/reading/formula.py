"""Formulas as users type them on the command line: leaves declared in a word, and the functions they may call.

In: declarations such as `X:m,n` and formulas such as `mean((X@w - y)**2)`.  Out: leaves and nodes.
The grammar is in `reading/parsing.py`; nothing is evaluated as Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

import sympy

from symnet import dtypes
from symnet.errors import ArgumentError, explain
from symnet.expr.nodes import (
    activations,
    building,
    composed,
    constants,
    contraction,
    cumulative,
    elementwise,
    indexing,
    linalg,
    movement,
    norms,
    operators,
    recurrence,
    reduction,
)
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.extents import Dim, as_extent, dim, ints_arg, shape_arg
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.indexing import labels, labels_by_name
from symnet.expr.nodes.movement import Place
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import LEAF_ASSUMPTIONS, tensor
from symnet.expr.numpy.functions import numpy_functions
from symnet.expr.numpy.ufuncs import numpy_ufuncs
from symnet.expr.printing.constants import named_constants
from symnet.expr.sympy.functions import function_of
from symnet.expr.sympy.scalars import caller
from symnet.expr.sympy.whole import formula_of
from symnet.nn import losses
from symnet.reading.parsing import parse

# module → the public functions that formulas may call
_MODULES: dict[ModuleType, str] = {
    elementwise: " ".join(elementwise.PUBLIC)
    + " sqrt floor_divide mod maximum minimum atan2 where indicator xlogy equal not_equal logical_not",
    operators: "sign logical_and logical_or logical_xor",
    activations: "relu leaky_relu elu silu gelu",
    contraction: "einsum matmul dot outer trace transpose sum mean",
    reduction: "max min prod argmax logsumexp softmax log_softmax",
    composed: "square clip isnan isinf isfinite hypot logaddexp exp2 log2 log10 ceil any all count_nonzero argmin"
    " var std tril triu",
    building: "zeros ones diag kron",
    movement: "reshape concat stack pad broadcast_to",
    indexing: "take one_hot",
    cumulative: "cumsum",
    recurrence: "cumprod linear_recurrence",
    linalg: "det logdet inv solve matrix_power",
    norms: "norm",
    losses: "l2 cross_entropy kl_div binary_cross_entropy",
}
_RENAMED: dict[str, Callable[..., Any]] = {
    "abs": elementwise.absolute,
    "eye": constants.identity,
    "arange": constants.iota,
    "constant": constants.constant,
    "array": constants.constant,
    "concatenate": movement.concat,
    "arcsin": elementwise.asin,
    "arccos": elementwise.acos,
    "arctan": elementwise.atan,
    "arctan2": elementwise.atan2,
    "arcsinh": elementwise.asinh,
    "arccosh": elementwise.acosh,
    "arctanh": elementwise.atanh,
    "pow": elementwise.power,
}


def _place(x: Any, shape: Any, starts: Any, steps: Any) -> Node:
    """Zeros of a shape with x laid into them: how formulas print the adjoint of a slice."""
    extents, first = (tuple(as_extent(n, "place(…)") for n in each) for each in (shape, starts))
    return Place(as_node(x), shape_arg(extents), shape_arg(first), ints_arg(tuple(map(int, steps))))


@cache
def functions() -> dict[str, Callable[..., Any]]:
    """What formulas may call, by name: symnet's functions, NumPy's others, and NumPy's as `np.NAME`."""
    found = {n: getattr(m, n) for m, names in _MODULES.items() for n in names.split()}
    theirs = numpy_ufuncs() | numpy_functions()
    plain = {name: f for name, f in theirs.items() if name.isidentifier()}
    return plain | found | _RENAMED | {"place": _place} | {f"np.{name}": f for name, f in theirs.items()}


# --------------------------------------------------------------------------- declarations


def declare(text: str) -> tuple[str, Node]:
    """A leaf from `NAME[:EXTENTS[:ASSUMPTIONS]]`.

    EXTENTS are ints, names and products such as 2*m, separated by commas (nothing between the colons: a scalar);
    ASSUMPTIONS are those of `tensor`, a dtype, or labels=10 for integer class labels.

    Example:
        >>> declare("D:m,10:one_hot")[1].shape
        (m, 10)
    """
    name, _, rest = text.partition(":")
    if "=" in name:
        expected, mend = "a name, a colon and extents", f"Write {name.replace('=', ':', 1)}."
        raise ArgumentError(explain(f"--shapes {text}", expected, repr(text), mend))
    extents, _, assumptions = rest.partition(":")
    bare = extents.strip()
    bare = bare[1:-1] if bare[:1] + bare[-1:] in ("()", "[]") else bare
    shape = [_extent(text, part) for part in bare.split(",") if part.strip()]
    held: dict[str, Any] = {}
    for word in filter(None, (w.strip() for w in assumptions.split(","))):
        held |= _assumption(text, word)
    if "classes" in held:
        return name.strip(), labels(name.strip(), *shape, **held)
    return name.strip(), tensor(name.strip(), *shape, **held)


def _assumption(call: str, word: str) -> dict[str, Any]:
    if word in LEAF_ASSUMPTIONS:
        return {word: True}
    if word in dtypes.ALL:
        return {"dtype": word}
    if word.startswith("labels="):
        return {"classes": _extent(call, word.removeprefix("labels="))}
    expected = ", ".join([*LEAF_ASSUMPTIONS, *dtypes.ALL]) + ", or labels=10"
    raise ArgumentError(explain(f"--shapes {call}", expected, repr(word), "Check the assumption."))


def _extent(call: str, text: str) -> Any:
    """An extent: a product of ints and names."""
    total: Any = sympy.Integer(1)
    for factor in text.strip().split("*"):
        if not re.fullmatch(r"\d{1,18}|[^\W\d]\w*", factor.strip()):
            mend = "Write X:m,64 for a tensor X of shape (m, 64)."
            raise ArgumentError(explain(f"--shapes {call}", "ints and names as extents", repr(text), mend))
        total = total * (int(factor) if factor.strip().isdigit() else dim(factor.strip()))
    return int(total) if total.is_Integer else total


def apart(text: str) -> list[str]:
    """Several declarations in one text, `X:m,n w:n` or `X:m,n; w:n`, one by one.

    Example:
        >>> apart("X: m, n; w:n s")
        ['X: m, n', 'w:n', 's']
    """
    between = r"(?<![,:])(?:\s*;\s+|\s+|;(?=\w+\s*:))(?=\w+\s*(?::|;|\s|$))"
    return [each for each in re.split(between, text.strip(" ;")) if each]


def declarations(texts: Iterable[str], assume: Iterable[str] = ()) -> dict[str, Any]:
    """The leaves of several declarations, and their dims, by name.

    Args:
        texts: as `declare` takes them.
        assume: further assumptions, as `D:one_hot`, of leaves declared there.
    """
    found: dict[str, Any] = {}
    for name, leaf in map(declare, _with_assumptions([each for text in texts for each in apart(text)], assume)):
        if name in found:
            raise ArgumentError(explain("--shapes", f"{name} once", "it twice", "Drop one of the two."))
        found[name] = leaf
    return found | {d.name: d for d in _dims(found.values()) if d.name not in found}


def _with_assumptions(texts: list[str], assume: Iterable[str]) -> list[str]:
    declared = {text.partition(":")[0].strip(): k for k, text in enumerate(texts)}
    for assumed in assume:
        name, _, words = assumed.partition(":")
        if name.strip() not in declared or not words.strip():
            known = ", ".join(f"{name}:…" for name in declared) or "a name of the formula"
            mend = "Write --assume D:one_hot for a D of the formula."
            raise ArgumentError(explain(f"--assume {assumed}", f"one of {known}", repr(assumed), mend))
        k = declared[name.strip()]
        colons = texts[k].count(":")
        texts[k] += ":" * (2 - colons) + words if colons < 2 else f",{words}"
    return texts


def _dims(nodes: Iterable[Node]) -> list[Dim]:
    return sorted((s for node in nodes for s in node.free_symbols if isinstance(s, Dim)), key=str)


# --------------------------------------------------------------------------- formulas


def formula(text: str, names: Mapping[str, Any] | None = None) -> Node:
    """The node that a formula says.

    Args:
        text: NumPy-like, such as "mean((X@w - y)**2)".
        names: what its names stand for; without them every name is a scalar.

    Raises:
        ArgumentError, ShapeError, …: with the formula and a caret under the place.

    Example:
        >>> formula("a*(a + b)")
        a*(a + b)
    """
    given = {name: value for name, value in (names or {}).items() if isinstance(value, FunctionType)}
    values = None if names is None else {name: value for name, value in names.items() if name not in given}
    return parse(text, values, functions() | given)


def names_in(*nodes: Node) -> dict[str, Any]:
    """What the names in a node's formula stand for: its leaves, named values, dims and functions of SymPy's."""
    found: dict[str, Any] = {d.name: d for d in _dims(nodes)}
    order = topological(*nodes)
    found |= {f.title: caller(f) for n in order if (f := function_of(n)) is not None and formula_of(n) is None}
    found |= {name: n for n, name in named_constants(order).items()}
    found |= {n.name: n for n in order if n.kind in ("tensor", "named")}
    return found | {n.operands[0].name: n for n in labels_by_name(order)}
