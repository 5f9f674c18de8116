"""The shared case list: what every floor is tried on.

A case is an expression (one root or several) and a generator of data for its leaves.  The chain of oracles runs over
the list: reference == loop interpreter == scheduled loops interpreted == JIT == exported object; derivatives are
checked on the leaves named in `wrt`.  A bug found later appends a case, with its story in `notes`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy

from symnet.expr.nodes import activations as act
from symnet.expr.nodes import elementwise as ew
from symnet.expr.nodes.constants import as_node, identity, iota, number, size
from symnet.expr.nodes.contraction import einsum, mean, outer, trace
from symnet.expr.nodes.cumulative import cumsum, cumulate
from symnet.expr.nodes.elementwise import (
    Elementwise,
    elementwise,
    exp,
    indicator,
    log,
    maximum,
    minimum,
    sigmoid,
    tanh,
    where,
    xlogy,
)
from symnet.expr.nodes.expansion import expand, fill
from symnet.expr.nodes.extents import Dim, dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.indexing import labels, one_hot, take
from symnet.expr.nodes.movement import broadcast_to, concat, pad, stack
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import functions
from symnet.expr.nodes.recurrence import cumprod, linear_recurrence
from symnet.expr.nodes.reduction import argmax, log_softmax, logsumexp, prod, softmax
from symnet.expr.nodes.reduction import max as largest
from symnet.expr.nodes.reduction import min as smallest
from symnet.expr.nodes.symbols import Barrier, Sealed, Tensor, leaves, tensor
from symnet.expr.sympy.scalars import apply, from_scalar
from symnet.nn import binary_cross_entropy, cross_entropy, kl_div, l2, label_smoothing, mlp

Array = np.ndarray[Any, np.dtype[Any]]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Any]


@dataclass(frozen=True)
class Case:
    """One expression with data.

    Attributes:
        name: unique.
        build: gives the roots.
        wrt: the leaves by which the (real) roots are differentiated in tests.
        dims: the values of the symbolic extents.
        draws: leaf name → how its data are drawn, where `standard` does not fit.
        notes: why the case is here.
        undefined: the dtypes in which the formula as written is finite nowhere, so that only shapes are compared.
    """

    name: str
    build: Callable[[], Any]
    wrt: tuple[str, ...] = ()
    dims: dict[str, int] = field(default_factory=dict)
    draws: dict[str, Draw] = field(default_factory=dict)
    notes: str = ""
    undefined: tuple[str, ...] = ()

    @functools.cached_property
    def roots(self) -> list[Node]:
        built = self.build()
        return [built] if isinstance(built, Node) else list(built)

    @property
    def leaves(self) -> list[Tensor]:
        return leaves(*self.roots)

    @property
    def targets(self) -> list[Tensor]:
        """The leaves named in `wrt`, in that order."""
        by_name = {leaf.name: leaf for leaf in self.leaves}
        return [by_name[name] for name in self.wrt]

    def data(self, rng: np.random.Generator) -> dict[str, Array]:
        """Arrays for every leaf, in its dtype."""
        return {leaf.name: self._draw(leaf, rng) for leaf in self.leaves}

    def _draw(self, leaf: Tensor, rng: np.random.Generator) -> Array:
        values = {Dim(k): v for k, v in self.dims.items()}
        shape = tuple(int(sympy.sympify(n).xreplace(values)) for n in leaf.shape)
        draw = self.draws.get(leaf.name) or _standard(leaf)
        return np.asarray(draw(rng, shape), dtype=leaf.dtype)

    def __repr__(self) -> str:
        return self.name


def _standard(leaf: Tensor) -> Draw:
    """Data that satisfy a leaf's assumptions."""
    held = leaf.assumptions
    if "one_hot" in held:
        return one_hot_rows
    if "simplex" in held:
        return lambda rng, shape: rng.dirichlet(np.ones(shape[-1]), shape[:-1])
    if "symmetric" in held:
        return lambda rng, shape: (lambda a: a + np.swapaxes(a, -1, -2))(rng.normal(size=shape))
    if held & {"positive", "nonnegative", "unit", "nonzero"}:
        return positive if "unit" not in held else (lambda rng, shape: rng.uniform(0.1, 0.9, shape))
    return lambda rng, shape: rng.normal(size=shape)


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.uniform(0.5, 2.0, shape)


def inner_unit(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.uniform(-0.8, 0.8, shape)


def one_hot_rows(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]


def below(n: int) -> Draw:
    return lambda rng, shape: rng.integers(0, n, shape)


def constant(values: Any) -> Draw:
    return lambda rng, shape: np.broadcast_to(np.asarray(values), shape)


def wide(scale: float) -> Draw:
    return lambda rng, shape: rng.uniform(-scale, scale, shape)


m, n = dim("m"), dim("n")
x, y, s = tensor("x", 5), tensor("y", 5), tensor("s")
A, B = tensor("A", 3, 4), tensor("B", 4, 2)
Q = tensor("Q", 4, 4)
k, flags = tensor("k", 5, dtype="int32"), tensor("flags", 5, dtype="bool")
X, W, b = tensor("X", m, 4), tensor("W", 4, 3), tensor("b", 3)
D = tensor("D", m, 3, simplex=True)
H = tensor("H", m, 3, one_hot=True)
N = tensor("N", m, 3)
p, q = tensor("p", 5, positive=True), tensor("q", 5, positive=True)
t, index = tensor("t", m, dtype="int64"), tensor("index", 2, 3, dtype="int64")
s1 = tensor("s1", 1, 1)
M5, M1, M0 = {"m": 5}, {"m": 1}, {"m": 0}


class Logistic(sympy.Function):
    """Has a derivative that is said through itself."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self * (1 - self)


def logistic(t: sympy.Expr) -> sympy.Expr:
    """The body of `Logistic`."""
    return 1 / (1 + sympy.exp(-t))


CASES: list[Case] = []


def case(
    name: str,
    build: Callable[[], Any],
    wrt: str = "",
    notes: str = "",
    dims: Any = None,
    undefined: tuple[str, ...] = (),
    **draws: Draw,
) -> None:
    """Append a case; `wrt` is a text of leaf names, `draws` says by name of a leaf how its data are drawn."""
    assert name not in {c.name for c in CASES}, name
    CASES.append(Case(name, build, tuple(wrt.split()), M5 if dims is None else dims, draws, notes, undefined))


def case_named(name: str) -> Case:
    """The case of this name."""
    return next(c for c in CASES if c.name == name)


# --------------------------------------------------------------------------- elementwise

for op in (
    "exp",
    "expm1",
    "tanh",
    "sigmoid",
    "softplus",
    "sin",
    "cos",
    "tan",
    "atan",
    "sinh",
    "cosh",
    "erf",
    "abs",
    "asinh",
    "erfc",
):
    case(op, lambda op=op: elementwise(op, x), "x")
case("log", lambda: log(x), "x", x=positive)
case("log1p", lambda: ew.log1p(x), "x", x=positive)
case("asin", lambda: ew.asin(x), "x", x=inner_unit)
case("acos", lambda: ew.acos(x), "x", x=inner_unit)
case("acosh", lambda: ew.acosh(1 + x), "x", x=positive)
case("atanh", lambda: ew.atanh(x), "x", x=inner_unit)
case("atan2", lambda: ew.atan2(x, y), "x y")
case("cbrt", lambda: ew.cbrt(x), "x", x=positive)
case("gamma, log gamma and digamma", lambda: ew.gamma(x) + ew.loggamma(x) * ew.digamma(x), "x", x=positive)
case("digamma", lambda: ew.digamma(x), "x", "its derivative, polygamma(1, x), is computed by its body", x=positive)
case("a function of SymPy's with a body", lambda: apply(Logistic, x * y, body=logistic), "x y")
case("sign and floor", lambda: ew.sign(x) + ew.floor(x), "x", "derivative zero by declaration")
case("floor_divide", lambda: x // y + x // 0.3, "x y", "a step: the derivatives are 0", y=positive)
case("mod", lambda: ew.mod(x, y) + x % 0.3, "x y", "the derivatives are 1 and -(x // y)", y=positive)
WITH_CASES = {n.op for c in CASES for n in topological(*c.roots) if isinstance(n, Elementwise)}
for primitive in functions():
    if primitive.name not in WITH_CASES:  # a positive number is in the domain of nearly all
        case(primitive.name, lambda op=primitive.name: elementwise(op, x), "x", x=positive)
case(
    "integers beside reals",
    lambda: [(k - flags) * x + elementwise("mul", elementwise("as_real", k), x), mean(k), k.sum()],
    "x",
    "int32 beside truth values, a mean of integers, a sum that widens: conversions of every kind",
    k=below(9),
    flags=lambda rng, shape: rng.random(shape) < 0.5,
)
case("sum and product of three", lambda: elementwise("mul", x, y, elementwise("add", x, y, s)), "x y s")
case("square", lambda: x**2, "x")
case("cube less itself", lambda: x**3 - x, "x")
case("square root", lambda: ew.sqrt(x), "x", x=positive)
case("reciprocal", lambda: 1 / x, "x", x=positive)
case("quotient", lambda: x / y, "x y", y=positive)
case("power of two tensors", lambda: x**y, "x y", x=positive)
case("power of a positive tensor", lambda: p**y, "p y")
case("exponential with base two", lambda: 2**x, "x")
case("negative integer power", lambda: x**-3, "x", x=positive)
case("maximum and minimum", lambda: maximum(x, y) * minimum(x, s), "x y s")
case("where", lambda: where(x > 0, x**2, exp(y)), "x y")
case(
    "where guards a logarithm",
    lambda: where(x > 0, log(x), 0),
    "x",
    notes="the branch not taken is NaN, and must leak neither into the value nor into the derivative",
)
case(
    "comparisons and logic",
    lambda: (
        indicator(
            elementwise("or", elementwise("and", x < y, x > 0), elementwise("not", elementwise("and", x <= y, y >= s)))
        )
        * x
    ),
    "x y s",
)
case("equal and not equal", lambda: indicator(ew.equal(t, 1)) + 2 * indicator(ew.not_equal(t, 1)), t=below(3))
case("bool result", lambda: x < y)
case(
    "integers against fractions",
    lambda: [t < 0.5, ew.equal(t, 1.5), where(t > 0.5, 1, t)],
    "",
    "1/2 was cut to the integer 0, and 0 < 1/2 was false in native code",
    t=below(3),
)
case(
    "truth values with axes of extent 1",
    lambda: [where(s1 > tensor("r", 1, 3), N, 0), (x < y)[0], broadcast_to(s1 > 0, (2, 3))],
    "N",
    "an axis taken away was a sum, and a sum of truth values counts them",
)
case("xlogy", lambda: xlogy(x, y), "x y", y=positive)
case("xlogy at zero", lambda: xlogy(x, y), "y", "0·log y is 0 for every y", x=constant(0.0), y=positive)
case("relu", lambda: act.relu(x), "x")
case("leaky relu and elu", lambda: act.leaky_relu(x) + act.elu(x), "x")
case("silu", lambda: act.silu(x), "x")
case("gelu", lambda: act.gelu(x), "x")
case("gelu approximated", lambda: act.gelu(x, approximate=True), "x")
case("softplus and sigmoid far out", lambda: ew.softplus(x) + sigmoid(x), x=wide(1000.0))
case("float32 leaves", lambda: tanh(tensor("u", 5, dtype="float32") * 2), notes="weak numbers take float32")

# --------------------------------------------------------------------------- broadcasting

case("row plus column", lambda: tensor("r", 4) + tensor("c", 3, 1), "r c")
case("scalar times matrix", lambda: s * A, "s A")
case("vector times batch", lambda: (N + b) * b, "N b")
case("extent one meets many", lambda: tensor("u", 1, 4, 1) * tensor("v", 3, 1, 2), "u v")
case("extent one meets m", lambda: tensor("u", 1, 4) * X, "u X")
case("rank three", lambda: exp(tensor("u", 2, 3, 4) * tensor("v", 3, 1)), "u v")

# --------------------------------------------------------------------------- contraction

case("matrix product", lambda: A @ B, "A B")
case("matrix times vector", lambda: Q @ tensor("v", 4), "Q v")
case("vector times matrix", lambda: tensor("v", 3) @ A, "A v")
case("inner and outer product", lambda: [x @ y, outer(x, y)], "x y")
case("quadratic form", lambda: tensor("v", 4) @ Q @ tensor("v", 4), "Q v")
case("trace and diagonal", lambda: [trace(Q @ Q), einsum("ii->i", Q)], "Q")
case("diagonal of a cube", lambda: einsum("iii->i", tensor("K", 3, 3, 3)), "K", "two deltas in the derivative")
case("batched product", lambda: tensor("u", 2, 3, 4) @ tensor("v", 2, 4, 5), "u v")
case("broadcast batched product", lambda: tensor("u", 2, 3, 4) @ B, "u B")
case("three factors", lambda: einsum("ij,jk,ik->k", A, B, tensor("C", 3, 2)), "A B C")
case("index of one operand alone", lambda: einsum("ij,k->i", A, x), "A x", "summed away: comes back by Expand")
case("transposition", lambda: A.T @ A, "A")
case("permutation of three axes", lambda: tensor("u", 2, 3, 4).transpose(2, 0, 1) ** 2, "u")
case("sums along axes", lambda: [X.sum(), X.sum(0), X.sum(1, keepdims=True), X.mean(0)], "X")
case("rows against rows", lambda: X @ X.T, "X", "mixes the rows of the batch")
case("affine layer", lambda: X @ W + b, "X W b")
case("affine layer on one row", lambda: X @ W + b, "X W b", dims=M1)
case("affine layer on no rows", lambda: X @ W + b, "X W b", dims=M0)
case("transposes without elements", lambda: [tensor("u", m, 0).T, 2 * tensor("v", 0, m).T], notes="a phase of no units")
case("product with a matrix of no columns", lambda: A @ tensor("E", 4, 0), notes="the search for a tile never ended")
case("sum over no rows", lambda: [(X @ W).sum(0), (X**2).sum()], "X W", dims=M0)

# --------------------------------------------------------------------------- movement

case("reshape", lambda: (A.reshape(2, 6) ** 2).reshape(-1), "A")
case("reshape of a batch", lambda: tensor("u", m, 2, 3).reshape(m, 6) @ tensor("V", 6, 2), "u V")
case("slices with steps", lambda: tensor("u", 7, 6)[1:6:2, ::-2] ** 2, "u")
case("slice of a batch", lambda: X[1:] * X[:-1], "X")
case("batch reversed", lambda: X[::-1] * X, "X")
case("one element and a new axis", lambda: X[2][:, None] * X[None, -1], "X")
case("padded conditions", lambda: where(pad(A > 0, [(1, 2), (0, 1)])[:, ::-1], 1, pad(A, [(1, 2), (0, 1)])), "A")
case("padding", lambda: pad(A, [(1, 2), (0, 1)]) ** 2 + 1, "A")
case("concatenation", lambda: concat([A, A * 2, tensor("C", 3, 1)], axis=1) ** 2, "A C")
case("stack", lambda: stack([x, y, x * y], axis=1), "x y")
case("fill and expand", lambda: fill(s, (3, 4)) * A + expand(tensor("v", 3), (3, 4), (0,)), "s A v")
case("broadcast to", lambda: broadcast_to(tensor("v", 3, 1), (2, 3, 4)) ** 2, "v")

# --------------------------------------------------------------------------- reductions

case("largest and smallest", lambda: [largest(X), largest(X, 0), smallest(X, 1)], "X")
case("largest over two axes", lambda: largest(tensor("u", 3, 2, 4), (0, 2)), "u")
case("smallest over two axes", lambda: smallest(tensor("u", 3, 2, 4), (0, 2)), "u")
case("product", lambda: [prod(X), prod(X, 0), prod(X, 1)], "X")
case("product of integers", lambda: prod(tensor("n", 2, 3, dtype="int64"), 1), n=below(4), notes="began with 1.0")
case("product with a zero", lambda: prod(x), "x", "x̄ = ȳ·prod/x would be NaN", x=constant([2.0, 0.0, 3.0, -1.0, 0.5]))
case("product with two zeros", lambda: prod(x), "x", x=constant([2.0, 0.0, 3.0, 0.0, 0.5]))
case("product of nonzero elements", lambda: prod(p) * prod(tensor("P", 3, 4, positive=True), 0), "p P", "prod/x")
case("multiplicative neuron", lambda: prod(tensor("g", 3, positive=True)[:, None] ** tensor("k", 3, 2), 0), "g k", "A3")
case("logsumexp", lambda: [logsumexp(X), logsumexp(X, 0), logsumexp(X, 1)], "X")
case(
    "norm of exponentials with weights",
    lambda: ew.sqrt(((exp(-(s**2) - x**2) / (x**2 + 1)) ** 2).sum()),
    "s x",
    "the weight inside the sum was held against a factor that does not vary along it",
)
case("logsumexp far out", lambda: logsumexp(X, 1), X=wide(1000.0))
case(
    "diagonal of a stack of products",
    lambda: einsum("ijj->ij", exp(-(tensor("K", 2, 3, 3) ** 2)) / (1 + tensor("g", 3) ** 2)).sum(0),
    "K g",
    "an index met twice by one factor of a product, once by another",
)
case("softmax", lambda: softmax(X), "X")
case("softmax along the batch", lambda: softmax(X, axis=0), "X")
case("log softmax", lambda: log_softmax(X), "X")
case("argmax", lambda: [argmax(X), argmax(X, 0)])
case("argmax of no rows", lambda: argmax(X), "", "the reference could not tell the length of a row", dims=M0)

case(
    "cumulative sums",
    lambda: [cumsum(X, 1), cumsum(tanh(X) * 2, 0), cumsum(A.T, -2)],
    "X A",
    "along and across the batch",
)
case(
    "cumulative products",
    lambda: [cumprod(X, 1), cumprod(tanh(X) + 1, 0, exclusive=True), cumprod(A.T, -2, reverse=True)],
    "X A",
    "along and across the batch",
)
case("cumulative product of all", lambda: [cumprod(A), cumprod(exp(x) > 1), cumprod(X, 0, reverse=True)], "A X")
case(
    "linear recurrences",
    lambda: [
        linear_recurrence(X, tanh(X)),
        linear_recurrence(tanh(X), X * 2, 0, exclusive=True),
        linear_recurrence(exp(s), X, 0, reverse=True),
        linear_recurrence(A.T, tanh(A.T), -2, reverse=True, exclusive=True),
    ],
    "X A s",
    "along and across the batch",
)
case("cumulative sum of all", lambda: [cumsum(A), cumulate(A, 1, True), cumsum(exp(x) > 1)], "A")

# --------------------------------------------------------------------------- indexing and constants

case("take rows", lambda: take(X, t) ** 2, "X", t=below(5))
case("take along an axis, indices of rank two", lambda: take(tensor("u", 2, 4, 3), index, 1), "u", index=below(4))
case("take from a table", lambda: take(tensor("E", 7, 3), t) @ tensor("V", 3, 2), "E V", t=below(7))
case("one hot rows", lambda: one_hot(t, 4) * X, "X", t=below(4))
case("labels", lambda: labels("t", m, classes=3) @ N.T, "N", t=below(3))
case("identity matrix", lambda: Q @ identity(4) + identity(4), "Q")
case("index ramp", lambda: iota(5) * x, "x")
case("extent as a number", lambda: X.sum(0) / size(m) + size(m * 4), "X")
case("one number", lambda: number(sympy.pi) * 2, notes="no leaves at all")
case("named values and barriers", lambda: Barrier((x * y).named("c")) * x.named("input"), "x y")
case("sealed steps", lambda: Sealed(x * Sealed(x + exp(y))) * y + Sealed(x + exp(y)), "x y")
case("SymPy function", lambda: apply(lambda u, v: sympy.sin(u) * v**2 + sympy.Max(u, v), x, y), "x y")
case("SymPy scalar", lambda: from_scalar(sympy.sympify("x1**2 + x1*(1 - x2) + x2**2 - x2*x3 + x3**2 + x3")), "x1 x2 x3")

# --------------------------------------------------------------------------- losses

case("l2", lambda: mean(l2(N, D)), "N")
case("cross entropy of softmax", lambda: mean(cross_entropy(softmax(N), D)), "N")
case("cross entropy of exp over sum", lambda: mean(cross_entropy(exp(N) / exp(N).sum(1, keepdims=True), D)), "N")
case("cross entropy of exp log softmax", lambda: mean(cross_entropy(exp(log_softmax(N)), H)), "N")
case("cross entropy spelled out", lambda: -(H * log(softmax(N))).sum(1).mean(), "N")
case("cross entropy of unknown targets", lambda: mean(cross_entropy(softmax(N), tensor("U", m, 3))), "N U")
case(
    "cross entropy from logits", lambda: cross_entropy(N, labels("t", m, classes=3), from_logits=True), "N", t=below(3)
)
case(
    "cross entropy far out",
    lambda: cross_entropy(softmax(N), H),
    N=wide(1000.0),
    notes="finite only when stable",
    undefined=("float32",),
)
case("divergence", lambda: mean(kl_div(softmax(N), D)), "N")
case("divergence of one hot targets", lambda: mean(kl_div(softmax(N), H)), "N", "0·log 0 is 0")
case("binary cross entropy", lambda: binary_cross_entropy(sigmoid(x), tensor("d", 5, unit=True)), "x")
case("binary cross entropy from logits", lambda: binary_cross_entropy(x, y, from_logits=True), "x y")
case("label smoothing", lambda: mean(cross_entropy(softmax(N), label_smoothing(H, 0.1))), "N")

# --------------------------------------------------------------------------- networks


def _network(units: list[int], activation: Any, loss: Any) -> Any:
    output, _ = mlp(tensor("X", m, 4), units, activation)
    return loss(output)


case("graph with two routes", lambda: s * (s + tensor("v")).named("c"), "s v", "G1: d = a(a + b)")
case(
    "tanh network",
    lambda: _network([6, 3], tanh, lambda z: mean(cross_entropy(softmax(z), H))),
    "W1 b1 W2 b2",
    "the digits model, small",
)
case("relu regressor", lambda: _network([6, 3], act.relu, lambda z: ((z - N) ** 2).sum()), "W1 b1 W2 b2", "N3, small")
case(
    "logistic regression",
    lambda: mean(binary_cross_entropy(sigmoid(X @ tensor("w", 4) + s), tensor("d", m, unit=True))),
    "w s",
)
case(
    "circle",
    lambda: mean(
        binary_cross_entropy(
            sigmoid(((tensor("P", m, 2) - tensor("centre", 2)) ** 2).sum(1) - s**2), tensor("d", m, unit=True)
        )
    ),
    "centre s",
    "N2",
    P=wide(0.5),  # farther out 1 - sigmoid is 0 in float32, and the formula as written has no value
)
case("network on one sample", lambda: tanh(tensor("v", 4) @ W + b) @ tensor("W2", 3, 2), "v W b W2")
case("network on one row", lambda: mean(cross_entropy(softmax(X @ W + b), H)), "W b", dims=M1)
case("two roots share a value", lambda: [exp(X @ W).sum(0), (exp(X @ W) ** 2).sum()], "X W")


def _doubled() -> Any:
    value = x
    for _ in range(60):
        value = value + value
    return value / 2**60


def _chain() -> Any:
    value: Node = x
    for k in range(200):
        value = sigmoid(value) + y if k % 2 else value * s
    return value


case("a value added to itself sixty times", _doubled, "x", "exponential for whoever walks a tree")
case("a long chain", _chain, "x y s")
case(
    "sums over axes of different extents",
    lambda: X.sum(0) + tensor("r", 1, 4).sum(0),
    "X r",
    "once merged into one sum over the broadcast of both, which counted the single row m times",
)
case(
    "extents called like loops",
    lambda: tanh(tensor("A", dim("i"), dim("u")) @ tensor("B", dim("u"), dim("block"))).sum(0),
    "A B",
    "extents, loops and lets share one namespace in the loop language",
    dims={"i": 5, "u": 3, "block": 4},
)
case(
    "more indices than letters before m",
    lambda: einsum("abcde,mf,af->mbcde", tensor("K", 2, 2, 2, 2, 2), tensor("R", m, 3), tensor("S", 2, 3)),
    "K R S",
    "the fifth index used to be a loop called m",
)
case(
    "reals without a dtype times counts",
    lambda: einsum("i,jj->i", exp(0.8 * tanh(indicator(x > 0))), tensor("t", 2, 2, dtype="int64")),
    "",
    "the product of what has no dtype and integers used to be an integer, and cut off its digits",
)

# --------------------------------------------------------------------------- constant arrays

GRID = np.linspace(-1.0, 2.0, 12).reshape(3, 4)
MASK = np.array([True, False, True, True, False])
case("product with a constant matrix", lambda: tanh(X @ GRID.T) @ W.T, "X W", "FAULTS F2: arrays were refused")
case("quadratic form of a constant matrix", lambda: x @ np.arange(25.0).reshape(5, 5) @ x, "x")
case("identity matrix added", lambda: (np.eye(4) + Q) @ np.ones((4, 2)), "Q")
case("constant base and exponent", lambda: [np.array([1.5, 2, 3, 0.5, 1]) ** x, p ** np.arange(5)], "x p")
case("whole numbers among reals", lambda: np.arange(5) * x - np.array([1, 0, 2, 0, 3]) / p, "x p")
case("constant mask", lambda: where(MASK, x**2, y) + indicator(as_node(MASK) & (x > 0)) * y, "x y")
case("large constant matrix", lambda: tensor("v", 40) @ np.linspace(-1, 1, 1600).reshape(40, 40) @ tensor("v", 40), "v")
case("constant parts joined", lambda: concat([x, np.array([0.5, -0.25]), y])[3:9], "x y")
case("constants alone", lambda: [as_node(GRID) @ as_node(GRID).T, as_node(MASK), einsum("ij->j", GRID)])

from tests import linear_algebra_cases  # noqa: E402, F401  (adds its cases to the list, and needs what stands above)
