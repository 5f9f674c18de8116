"""What a random graph may be made of: a table of operations on a `Grower`.

In: a grower.  Out: a new node, or None where no value of the pool fits.
Elementwise primitives and reductions come from the tables of `expr/`, so that a new one is drawn as soon as it exists;
a new kind of node needs an operation here, and `test_generator.py` fails until it has one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy

import symnet as sn
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import PRIMITIVES, functions
from symnet.expr.nodes.reduction import REDUCTIONS, reduce
from symnet.expr.nodes.result_dtypes import CASTS
from symnet.expr.nodes.symbols import Barrier, Sealed
from tests.fuzz.growing import Grower
from tests.fuzz.matrices import MATRICES
from tests.fuzz.movements import MOVEMENTS

Operation = Callable[[Grower], Node | None]
HALF = sympy.Rational(1, 2)


def _positive(x: Node) -> Node:
    return 0.5 + x * x


def _inner(x: Node) -> Node:
    return 0.8 * sn.tanh(x)


# Where a function is smooth and moderate; others are tried on (1, 3), which suits logarithms, gammas and their kind.
DOMAINS: dict[str, Callable[[Node], Node]] = {
    **dict.fromkeys(
        ("tanh", "sigmoid", "softplus", "sin", "cos", "atan", "erf", "erfc", "asinh", "abs", "sign", "floor"),
        lambda x: x,
    ),
    **dict.fromkeys(("exp", "expm1", "sinh", "cosh", "tan", "asin", "acos", "atanh"), _inner),
    **dict.fromkeys(("log", "log1p"), _positive),
}  # fmt: skip


def _default_domain(x: Node) -> Node:
    return 2 + sn.tanh(x)


NUMBERS = (2, -1, HALF, 1, 0, 3, -2, 0.3, sympy.pi)
_CONDITIONS = ("lt", "le", "gt", "ge", "eq", "ne")
_FUNCTIONS = [*(p.name for p in functions()), *CASTS]
_PAIRS = [p.name for p in PRIMITIVES.values() if p.arity == 2 and not p.condition and p.name not in _CONDITIONS]


def broadcasts(g: Grower, x: Node) -> Callable[[Node], bool]:
    """The values that broadcast with x to something small."""

    def fits(y: Node) -> bool:
        pairs = zip(reversed(x.shape), reversed(y.shape), strict=False)
        return all(a == b or a == 1 or b == 1 for a, b in pairs)

    return fits


def array(g: Grower) -> Node | None:
    """A constant array: of random numbers, whole or real, or a regular one."""
    shape = g.among(((3,), (g.k,), (3, 3), (1, 3), (g.k, 3), (2, 2)))
    rng = np.random.default_rng(g.choose(100))
    regular = np.eye(*shape) if len(shape) == 2 else np.arange(shape[0])
    return sn.constant(g.among((rng.normal(size=shape), np.ones(shape), rng.integers(-2, 3, shape), regular)))


def _rank(x: Node) -> int:
    return x.rank


def nothing(g: Grower) -> Node | None:
    """No step at all: what a superfluous step shrinks to."""
    return None


def function(g: Grower) -> Node | None:
    x, name = g.real(), g.among(_FUNCTIONS)
    return None if x is None else elementwise(name, DOMAINS.get(name, _default_domain)(x))


def arithmetic(g: Grower) -> Node | None:
    """A sum or a product of two or three, one of which may be a number, or the same value twice."""
    x = g.real()
    if x is None:
        return None
    terms = [x]
    for _ in range(1 + (g.choose(4) == 3)):
        y = sn.constant(g.among(NUMBERS)) if g.choose(4) == 3 else g.real(broadcasts(g, max(terms, key=_rank)))
        terms.append(x if y is None else y)
    fitting = [t for k, t in enumerate(terms) if all(broadcasts(g, t)(other) for other in terms[:k])]
    if len(fitting) < 2:
        fitting = [x, x]
    terms = [fitting[k] for k in sorted(range(len(fitting)), key=lambda k: (g.choose(2), k))]
    return elementwise(g.among(("add", "mul")), *terms)


def difference_or_quotient(g: Grower) -> Node | None:
    x = g.real()
    y = None if x is None else g.real(broadcasts(g, x))
    if x is None or y is None:
        return None
    return x - y if g.choose(2) == 0 else x / (_positive(y) if g.choose(2) == 0 else y)


def power(g: Grower) -> Node | None:
    x, exponent = g.real(), g.among((2, -1, 3, HALF, -HALF, 0, 1, -2, 1.5))
    if x is None:
        return None
    smooth = sympy.sympify(exponent).is_integer and exponent >= 0
    return x**exponent if smooth or g.choose(4) == 3 else _positive(x) ** exponent


def pair(g: Grower) -> Node | None:
    """Any primitive of two operands."""
    x, name = g.real(), g.among(_PAIRS)
    y = None if x is None else g.real(broadcasts(g, x))
    if x is None or y is None:
        return None
    if name in ("maximum", "minimum"):
        return elementwise(name, x, y)
    if name == "xlogy":
        return elementwise(name, x, _positive(y))
    return elementwise(name, _positive(x), sn.tanh(y))


# SymPy's functions of two scalars; `polygamma` is no primitive.
APPLIED: tuple[Callable[..., sympy.Expr], ...] = (
    lambda u, v: sympy.sin(u) * v**2 + sympy.Max(u, v),
    lambda u, v: sympy.Piecewise((u**2, u > v), (sympy.cos(v), True)),
    lambda u, v: sympy.polygamma(1, 2 + u**2) + v,
    lambda u, v: sympy.exp(-(u**2) - v**2) / (1 + v**2),
)  # fmt: skip


def applied(g: Grower) -> Node | None:
    x = g.real(lambda v: v.dtype == "float64")
    y = None if x is None else g.real(lambda v: v.dtype == "float64" and broadcasts(g, x)(v))
    return None if y is None else sn.apply(g.among(APPLIED), x, y)


def condition(g: Grower) -> Node | None:
    """A comparison, or a combination of conditions."""
    x = g.pick(lambda v: v.dtype == "bool") if g.choose(2) == 1 else None
    if x is not None:
        y, op = g.pick(lambda v: v.dtype == "bool" and broadcasts(g, x)(v)), g.among(("and", "or", "not"))
        return ~x if y is None or op == "not" else elementwise(op, x, y)
    left = g.real()
    if left is None:
        return None
    right = sn.constant(g.among(NUMBERS)) if g.choose(4) == 3 else g.real(broadcasts(g, left))
    return None if right is None else elementwise(g.among(_CONDITIONS), left, right)


def choice(g: Grower) -> Node | None:
    test = g.pick(lambda v: v.dtype == "bool")
    if test is None or g.choose(4) == 3:
        return None if test is None else sn.indicator(test)
    x = g.real(broadcasts(g, test))
    y = None if x is None else g.real(lambda v: broadcasts(g, x)(v) and broadcasts(g, test)(v))
    return None if y is None else sn.where(test, x, y if g.choose(2) == 0 else g.among((0, *NUMBERS)))


def reduction(g: Grower) -> Node | None:
    """A sum, a mean, or any of the table, along some axes."""
    x = g.real(lambda v: v.rank > 0)
    op = g.among(("sum", "mean", *REDUCTIONS))
    if x is None:
        return None
    axes = (g.choose(x.rank),) if op == "argmax" else g.axes(x)
    keep = g.choose(3) == 2
    if op == "sum":
        return sn.sum(x, axes, keepdims=keep)
    if not g.count(x, axes) and op not in ("prod",):
        return None  # the mean or the largest of nothing is an error
    if op == "mean":
        return sn.mean(x, axes, keepdims=keep)
    made = reduce(op, x, axes, keep)
    if op == "argmax":
        g.below[made] = g.extent(x.shape[axes[0]])
    return made


SHAPED: tuple[Callable[[Node, int], Node], ...] = (
    lambda x, a: sn.softmax(x, axis=a),
    lambda x, a: sn.log_softmax(x, axis=a),
    lambda x, a: sn.exp(x) / sn.exp(x).sum(a, keepdims=True),
    lambda x, a: sn.log(sn.exp(x).sum(a)),
    lambda x, a: x - x.sum(a, keepdims=True),
    lambda x, a: x / (1 + sn.norm(x, axis=a, keepdims=True)),
    lambda x, a: sn.log(sn.softmax(x, axis=a)),
    lambda x, a: (x * x).sum(a),
    lambda x, a: -(sn.softmax(x, axis=a) * sn.log_softmax(x, axis=a)).sum(a),
    lambda x, a: (x - x.max(a, keepdims=True)) ** 2,
    lambda x, a: sn.sqrt(1 + (x * x).sum(a, keepdims=True)) * x,
)

# Spellings that the rewrites look for.
SPELLINGS: tuple[Callable[[Node], Node], ...] = (
    sn.relu, sn.silu, sn.gelu, sn.elu, sn.leaky_relu,
    lambda x: sn.gelu(x, approximate=True),
    lambda x: x * x + 1,
    lambda x: sn.sqrt(x * x),
    lambda x: 1 - sn.sigmoid(x),
    lambda x: sn.sigmoid(x) * (1 - sn.sigmoid(x)),
    lambda x: sn.log(sn.sigmoid(x)),
    lambda x: sn.log(1 + sn.exp(x)),
    lambda x: 1 / (1 + sn.exp(-x)),
    lambda x: sn.log(sn.exp(x)),
    lambda x: sn.exp(sn.log(_positive(x))),
    lambda x: (sn.exp(x) - sn.exp(-x)) / (sn.exp(x) + sn.exp(-x)),
    lambda x: sn.exp(x) - 1,
    lambda x: 1 - sn.tanh(x) ** 2,
    lambda x: _positive(x) * sn.log(_positive(x)),
    lambda x: x / _positive(x) * _positive(x) - x,
    lambda x: sn.abs(x) * sn.sign(x),
    lambda x: sn.sin(x) ** 2 + sn.cos(x) ** 2,
    lambda x: sn.binary_cross_entropy(sn.sigmoid(x), sn.sigmoid(2 * x)),
    lambda x: 2 * x - x - x / 2,
    lambda x: sn.exp(x) * sn.exp(-x) + x,
    lambda x: sn.maximum(x, 0) - sn.minimum(x, 0),
    lambda x: x**3 / (1 + x**2),
)  # fmt: skip


def spelling(g: Grower) -> Node | None:
    x = g.real(lambda v: v.dtype != "int64")
    return None if x is None else g.among(SPELLINGS)(x)


def shaped(g: Grower) -> Node | None:
    x = g.real(lambda v: v.rank > 0 and v.dtype != "int64")
    if x is None:
        return None
    axis = g.choose(x.rank)
    return g.among(SHAPED)(x, axis) if g.count(x, [axis]) else None


def loss(g: Grower) -> Node | None:
    """A loss of predicted rows against rows that sum to one, or unknown ones."""
    target = g.pick(lambda v: v.rank > 0 and v.dtype in ("float64", None) and g.extent(v.shape[-1]) > 0)
    x = None if target is None else g.real(lambda v: v.shape == target.shape and v.dtype == "float64")
    if x is None or target is None:
        return None
    kind = g.choose(4)
    if kind == 0:
        return sn.l2(x, target)
    rows = target if target.kind == "tensor" and target.assumptions & {"one_hot", "simplex"} else sn.softmax(target)  # type: ignore[attr-defined]
    predicted = sn.softmax(x)
    if kind == 1:
        return sn.cross_entropy(predicted, rows)
    return sn.kl_div(predicted, rows) if kind == 2 else sn.cross_entropy(x, rows, from_logits=True)


def constant(g: Grower) -> Node | None:
    """Sizes, ramps and identity matrices."""
    extent = g.among((3, *g.dims, g.k))
    kind = g.choose(3)
    if kind == 0:
        return sn.eye(extent)
    if kind == 1:
        ramp = sn.arange(extent)
        g.below[ramp] = g.extent(extent)
        return ramp
    x = g.pick(lambda v: v.rank > 0)
    from symnet.expr.nodes.constants import size

    return None if x is None else size(g.among(x.shape)) * 0.5


def wrapped(g: Grower) -> Node | None:
    """A name, a barrier or a seal."""
    x = g.real(lambda v: v.kind not in ("named", "barrier", "sealed") and v.dtype == "float64")
    if x is None:
        return None
    if g.choose(2):
        return x.named(f"value_{len(g.made)}")
    return (Barrier, Sealed)[len(g.made) % 2](x)


OPERATIONS: tuple[Operation, ...] = (
    nothing, arithmetic, function, spelling, difference_or_quotient, power, pair, reduction, shaped, *MOVEMENTS,
    *MATRICES,
    condition, choice, loss, constant, array, wrapped, applied, condition, arithmetic, reduction,
    function, choice, difference_or_quotient, function,
)  # fmt: skip
