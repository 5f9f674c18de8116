"""Readable source text of a function and its gradient, for NumPy, JAX or PyTorch.

In: the roots as written.  Out: a module of that library with one function, which says what it returns and the shapes
of its arguments; a value used twice, or one that makes a line long, is an assignment, under the name the user gave it.
The formulas are those of the algebra form, partial sums shared, with log1p, expm1 and 0·log 0 = 0 put in; log-sum-exp
and softmax are left to the library's own stable functions.
How each library spells things is in `dialects.py`.
Not handled: extents that no axis of an input tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symnet.errors import one_of
from symnet.expr.nodes.abstract import refuse
from symnet.expr.nodes.names import attach, strip
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.expr.sympy.bodies import opened
from symnet.simplify.algebra.table import simplify
from symnet.simplify.engine import Normalizer, Table
from symnet.simplify.numeric.exponentials.stable import LOGARITHMS
from symnet.simplify.sharing import share
from symnet.source import contraction, elementwise, movement, recurrence
from symnet.source.dialects import DIALECTS
from symnet.source.text import SourcePiece
from symnet.source.writer import FunctionWriter, Writers

_STABLE = Table(tuple(r for r in LOGARITHMS if "reduce" not in r.on))


def array(w: FunctionWriter, node: Any) -> SourcePiece:
    """A constant array, written out."""
    listed = repr(node.contents.array.tolist()).replace("nan", 'float("nan")').replace("inf", 'float("inf")')
    made = w.call("array", listed, w.dtype(node.dtype))
    told = 0 not in node.shape[:-1]
    return made if told else SourcePiece(f"{made.text}.reshape({w.shape(node.shape)})")


WRITERS: Writers = {
    "tensor": lambda w, node: SourcePiece(node.name),
    "number": elementwise.number,
    "size": elementwise.size,
    "named": lambda w, node: w.strict(node.operands[0]),
    "barrier": lambda w, node: w.strict(node.operands[0]),
    "sealed": lambda w, node: w.strict(node.operands[0]),
    "array": array,
    "delta": lambda w, node: w.call("eye", w.extent(node.extent), w.dtype(w.real)),
    "iota": lambda w, node: w.call("arange", w.extent(node.shape[0])),
    "elementwise": elementwise.elementwise,
    "einsum": contraction.einsum,
    "reduce": movement.reduce,
    "expand": lambda w, node: SourcePiece("expand"),  # written where it is used: loose or strict
    "reshape": movement.reshape,
    "slice": movement.slice,
    "place": movement.place,
    "concat": movement.concat,
    "take": movement.take,
    "one_hot": movement.one_hot,
    "cumsum": movement.cumsum,
    "cumprod": recurrence.cumprod,
    "linear_recurrence": recurrence.linear_recurrence,
    "solve": movement.solve,
    "determinant": lambda w, node: w.call(node.op, w.strict(node.operands[0]).text),
    "abstract": lambda w, node: refuse("source(library)", node),
}


def source(
    name: str,
    library: str,
    roots: Sequence[Node],
    leaves: Sequence[Tensor],
    outputs: Sequence[str],
    template: Any,
    real: str,
) -> str:
    """The text of a module with one function.

    Args:
        name: of the function.
        library: "numpy", "jax" or "torch".
        roots: the values, as written.
        leaves: the arguments, in order.
        outputs: names of the values.
        template: how they are returned (`runtime/template.py`).
        real: float32 or float64, of constants.

    Raises:
        ArgumentError: an unknown library, or an extent that no axis tells.
    """
    expected = f"one of {', '.join(map(repr, (*DIALECTS, 'c')))}"  # C is made of loops: backends/c99/
    one_of(f"{name}.source({library!r})", library, DIALECTS, expected, f'Write {name}.source("numpy").')
    return FunctionWriter(DIALECTS[library], WRITERS, leaves, real).module(
        name, roots, _named(roots), outputs, template
    )


def _named(roots: Sequence[Node]) -> list[Node]:
    """The algebra form with its logarithms made stable, and the user's names on the values that survived."""
    plain, labels = strip(roots)
    plain = list(map(opened, plain))  # functions of SymPy's by their bodies
    done = share(Normalizer(_STABLE)(simplify([*plain, *labels])))
    found = dict(zip(done[len(plain) :], labels.values(), strict=True))
    return attach(done[: len(plain)], found)
