"""Identities of normalised vectors, of normal distributions and mixtures of them, and a third derivative."""

from __future__ import annotations

import sympy

import symnet as sn
from symnet.expr.nodes.constants import size
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import tensor
from tests.identities.identity import Identity, m, n, p, q

LAYER_NORM = "Ba, Kiros and Hinton, Layer Normalization, 2016"
RMS_NORM = "Zhang and Sennrich, Root Mean Square Layer Normalization, 2019"
MURPHY = "Murphy, Machine Learning: A Probabilistic Perspective, 11.4"
BISHOP = "Bishop, Pattern Recognition and Machine Learning, 9.2"
MCCULLAGH = "McCullagh, Tensor Methods in Statistics, chapter 2 (cumulants)"

v, g, z = (tensor(name, n) for name in "vgz")
X, M, c = tensor("X", m, q), tensor("M", p, q), tensor("c", p)
y, L = tensor("y", m), tensor("L", n, n)
weights, s = tensor("pi", p, positive=True), tensor("s", p, positive=True)
half = sympy.Rational(1, 2)
centred = v - sn.mean(v)
deviation = sn.sqrt(sn.mean(centred**2))
h = centred / deviation
unit = v / sn.sqrt(sn.mean(v**2))
I = sn.eye(n)
CENTRED, SQUARES, NORM = "(v - mean(v))", "sum((v - mean(v))**2)", "norm(v - mean(v))"


def vector_of_components() -> Node:
    """log πₖ - log sₖ - (y - cₖ)²/(2·sₖ²), for each value and component."""
    return sn.log(weights) - sn.log(s) - (y[:, None] - c) ** 2 / (2 * s**2)


def plane_of_components() -> Node:
    """log πₖ - ‖x - mₖ‖²/2, for each row and component."""
    return sn.log(weights) - sn.sum((X[:, None, :] - M) ** 2, axis=2) / 2


def likelihood(components: Node) -> Node:
    return sn.sum(sn.logsumexp(components, axis=1))


def third_cumulant() -> Node:
    """E (eᵢ - sᵢ)(eⱼ - sⱼ)(eₖ - sₖ) of a class drawn from softmax z."""
    pairs = (sn.einsum(text, I, sn.softmax(z), sn.softmax(z)) for text in ("ij,i,k->ijk", "ik,i,j->ijk", "jk,j,i->ijk"))
    alone = sn.einsum("ij,jk,k->ijk", I, I, sn.softmax(z))
    return alone - sum(pairs, start=sn.constant(0)) + 2 * sn.einsum("i,j,k->ijk", *[sn.softmax(z)] * 3)


RESPONSIBLE = "softmax(log(pi) - log(s) - (y[:, None] - c)**2/(2*s**2))"
MIXTURES = [
    Identity("layer norm of a vector", LAYER_NORM, lambda: sn.jacobian(h, v),
        lambda: (I - 1 / size(n) - sn.outer(h, h) / size(n)) / deviation,
        prints=f"sqrt(n)*(eye(n) - 1/n - outer(v - mean(v), v - mean(v))/{SQUARES})/{NORM}"),
    Identity("layer norm of a vector, backwards", LAYER_NORM, lambda: sn.grad(sn.sum(g * h), v),
        lambda: (g - sn.mean(g) - h * sn.mean(g * h)) / deviation,
        prints=f"sqrt(n)*(g - mean(g) - (g @ {CENTRED})*{CENTRED}/{SQUARES})/{NORM}"),
    Identity("root-mean-square norm", RMS_NORM, lambda: sn.jacobian(unit, v),
        lambda: (I - sn.outer(unit, unit) / size(n)) / sn.sqrt(sn.mean(v**2)),
        prints="sqrt(n)*(eye(n) - outer(v, v)/sum(v**2))/norm(v)"),
    Identity("mixture of normal distributions, by its means", BISHOP,
        lambda: sn.grad(likelihood(vector_of_components()), c),
        lambda: sn.sum(sn.softmax(vector_of_components(), axis=1) * (y[:, None] - c), axis=0) / s**2,
        prints=f"sum((y[:, None] - c)*{RESPONSIBLE}, axis=0)/s**2"),
    Identity("mixture of normal distributions, by the data", BISHOP,
        lambda: sn.grad(likelihood(vector_of_components()), y),
        lambda: -sn.sum(sn.softmax(vector_of_components(), axis=1) * (y[:, None] - c) / s**2, axis=1),
        prints=f"-sum((y[:, None] - c)*{RESPONSIBLE}/s**2, axis=1)"),
    Identity("mixture of normal distributions, by its weights", BISHOP,
        lambda: sn.grad(likelihood(vector_of_components()), weights),
        lambda: sn.sum(sn.softmax(vector_of_components(), axis=1), axis=0) / weights,
        prints=f"sum({RESPONSIBLE}, axis=0)/pi"),
    Identity("mixture of spheres, by its centres", MURPHY, lambda: sn.grad(likelihood(plane_of_components()), M),
        lambda: sn.sum(sn.softmax(plane_of_components(), axis=1)[:, :, None] * (X[:, None, :] - M), axis=0)),
    Identity("log-determinant by a Cholesky factor", MURPHY, lambda: sn.grad(sn.sum(sn.log(sn.diag(L))), L),
        lambda: sn.eye(n) / sn.diag(L), prints="diag(1/diag(L))"),
    Identity("third derivative of log-sum-exp", MCCULLAGH,
        lambda: sn.jacobian(sn.hessian(sn.logsumexp(z), z), z), third_cumulant),
]  # fmt: skip
