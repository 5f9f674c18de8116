"""Identities of deep networks: normalisations, losses, attention, gates, convolution as a contraction."""

from __future__ import annotations

import sympy

import symnet as sn
from symnet.expr.nodes.constants import size
from symnet.expr.nodes.node import Node
from tests.identities.identity import Identity, m, n, p, q

RMS_NORM = "Zhang and Sennrich, Root Mean Square Layer Normalization, 2019, section 4"
GROUP_NORM = "Wu and He, Group Normalization, 2018, section 3"
INSTANCE_NORM = "Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016"
WEIGHT_NORM = "Salimans and Kingma, Weight Normalization, 2016, section 2.1"
ATTENTION = "Vaswani et al., Attention Is All You Need, 2017, section 3.2"
BILINEAR = "Luong, Pham and Manning, Effective Approaches to Attention-based NMT, 2015, section 3.1"
DISTILLATION = "Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015, section 2"
SMOOTHING = "Szegedy et al., Rethinking the Inception Architecture, 2016, section 7"
VAE = "Kingma and Welling, Auto-Encoding Variational Bayes, 2013, appendix B"
LSTM = "Greff et al., LSTM: A Search Space Odyssey, 2017, appendix B"
GRU = "Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014, section 2.3"
CONVOLUTION = "Goodfellow, Bengio and Courville, Deep Learning, section 9.5"
TRIPLET = "Hadsell, Chopra and LeCun, Dimensionality Reduction by Learning an Invariant Mapping, 2006, section 2"
HINGE = "Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 12.3"
FACTORED = "Rendle, Factorization Machines, 2010, section III.C"
GATED = "Shazeer, GLU Variants Improve Transformer, 2020"

x, g, w, c = (sn.tensor(name, n) for name in "xgwc")
X, G = sn.tensor("X", m, n), sn.tensor("G", m, n)
W, Z, GZ = sn.tensor("W", n, p), sn.tensor("Z", m, p), sn.tensor("GZ", m, p)
D, P = sn.tensor("D", m, p, one_hot=True), sn.tensor("P", m, p, simplex=True)
Q, K, O = sn.tensor("Q", m, q), sn.tensor("K", m, q), sn.tensor("O", m, p)
B, V = sn.tensor("B", q, q), sn.tensor("V", n, q)
t, y, z, u, v = (sn.tensor(name, m) for name in "tyzuv")
i, f, o, h, e = (sn.tensor(name, m) for name in "ifohe")
lam, gain = sn.tensor("lam", positive=True), sn.tensor("gain")
images, shifted = sn.tensor("I", m, p, q, n), sn.tensor("J", m, n, p, q)
kernels, GC = sn.tensor("F", q, n), sn.tensor("GC", m, p, q)
tiny = sympy.Rational(1, 100000)


def scale(x: Node, axis: int | tuple[int, ...]) -> Node:
    """The root mean square."""
    return sn.sqrt(sn.mean(x**2, axis=axis, keepdims=True) + tiny)


def centred(x: Node, axes: tuple[int, ...]) -> Node:
    return x - sn.mean(x, axis=axes, keepdims=True)


def standardised(x: Node, axes: tuple[int, ...]) -> Node:
    return centred(x, axes) / scale(centred(x, axes), axes)


def standardised_vjp(x: Node, x_bar: Node, axes: tuple[int, ...]) -> Node:
    """(Ḡ - mean Ḡ - X̂ ∘ mean(Ḡ ∘ X̂)) / σ over a group."""
    unit = standardised(x, axes)
    inner = sn.mean(x_bar * unit, axis=axes, keepdims=True)
    return (x_bar - sn.mean(x_bar, axis=axes, keepdims=True) - unit * inner) / scale(centred(x, axes), axes)


def softmax_vjp(Y: Node, Y_bar: Node) -> Node:
    return Y * (Y_bar - (Y * Y_bar).sum(1, keepdims=True))


def attention() -> Node:
    return sn.softmax(Q @ B @ K.T)


def cell() -> Node:
    """The output of an LSTM cell before its gates are computed: σ(o) ∘ tanh(σ(f) ∘ c + σ(i) ∘ tanh(g))."""
    return sn.sigmoid(o) * sn.tanh(memory())


def memory() -> Node:
    return sn.sigmoid(f) * u + sn.sigmoid(i) * sn.tanh(z)


def into_memory() -> Node:
    """The adjoint of the memory cell."""
    return e * sn.sigmoid(o) * (1 - sn.tanh(memory()) ** 2)


NETWORKS = [
    # normalisations
    Identity(
        "root mean square normalisation by its input",
        RMS_NORM,
        lambda: sn.vjp(X / scale(X, 1), X, G),
        lambda: (G - X / scale(X, 1) * sn.mean(G * (X / scale(X, 1)), axis=1, keepdims=True)) / scale(X, 1),
    ),
    Identity(
        "root mean square normalisation by its gain",
        RMS_NORM,
        lambda: sn.vjp(w * X / scale(X, 1), w, G),
        lambda: (G * (X / scale(X, 1))).sum(0),
    ),
    Identity(
        "group normalisation by its input",
        GROUP_NORM,
        lambda: sn.vjp(standardised(images, (2, 3)), images, sn.tensor("H", m, p, q, n)),
        lambda: standardised_vjp(images, sn.tensor("H", m, p, q, n), (2, 3)),
    ),
    Identity(
        "instance normalisation by its input",
        INSTANCE_NORM,
        lambda: sn.vjp(standardised(images, (1, 2)), images, sn.tensor("H", m, p, q, n)),
        lambda: standardised_vjp(images, sn.tensor("H", m, p, q, n), (1, 2)),
    ),
    Identity(
        "weight normalisation by the direction",
        WEIGHT_NORM,
        lambda: sn.vjp(gain * w / sn.norm(w), w, g),
        lambda: gain / sn.norm(w) * (g - (g @ w) / (w @ w) * w),
    ),
    Identity(
        "weight normalisation by the length",
        WEIGHT_NORM,
        lambda: sn.vjp(gain * w / sn.norm(w), gain, g),
        lambda: (g @ w) / sn.norm(w),
    ),
    # losses
    Identity(
        "label smoothing",
        SMOOTHING,
        lambda: sn.grad(sn.cross_entropy(sn.softmax(Z), (1 - gain) * D + gain / size(p)).sum(), Z),
        lambda: sn.softmax(Z) - ((1 - gain) * D + gain / size(p)),
    ),
    Identity(
        "distillation at a temperature",
        DISTILLATION,
        lambda: sn.grad(sn.cross_entropy(sn.softmax(Z / lam), P).sum(), Z),
        lambda: (sn.softmax(Z / lam) - P) / lam,
    ),
    Identity(
        "softmax by its temperature",
        DISTILLATION,
        lambda: sn.jacobian(sn.softmax(x / lam), lam),
        lambda: sn.softmax(x / lam) * (sn.softmax(x / lam) @ x - x) / lam**2,
    ),
    Identity(
        "divergence of a posterior from the standard normal by its mean",
        VAE,
        lambda: sn.grad(((y**2 + sn.exp(t) - 1 - t) / 2).sum(), y),
        lambda: y,
    ),
    Identity(
        "divergence of a posterior from the standard normal by its deviation",
        VAE,
        lambda: sn.grad(((y**2 + lam**2 - 1) / 2 - sn.log(lam)).sum(), lam),
        lambda: size(m) * (lam - 1 / lam),
    ),
    Identity(
        "contrastive loss by one point",
        TRIPLET,
        lambda: sn.grad(sn.relu(gain - ((x - c) ** 2).sum()), x),
        lambda: -2 * sn.where(gain - ((x - c) ** 2).sum() >= 0, 1, 0) * (x - c),
    ),
    Identity(
        "squared hinge loss",
        HINGE,
        lambda: sn.grad((sn.relu(1 - y * (X @ w)) ** 2).sum(), w),
        lambda: -2 * X.T @ (y * sn.relu(1 - y * (X @ w))),
    ),
    # attention
    Identity(
        "bilinear attention by its matrix",
        BILINEAR,
        lambda: sn.vjp(attention() @ O, B, GZ),
        lambda: Q.T @ softmax_vjp(attention(), GZ @ O.T) @ K,
    ),
    Identity(
        "bilinear scores by the matrix",
        BILINEAR,
        lambda: sn.vjp(Q @ B @ K.T, B, sn.tensor("GA", m, m)),
        lambda: Q.T @ sn.tensor("GA", m, m) @ K,
    ),
    Identity(
        "attention by a common temperature",
        ATTENTION,
        lambda: sn.grad((GZ * (sn.softmax(gain * Q @ K.T) @ O)).sum(), gain),
        lambda: (softmax_vjp(sn.softmax(gain * Q @ K.T), GZ @ O.T) * (Q @ K.T)).sum(),
    ),
    # gates
    Identity(
        "LSTM cell by the output gate",
        LSTM,
        lambda: sn.vjp(cell(), o, e),
        lambda: e * sn.tanh(memory()) * sn.sigmoid(o) * (1 - sn.sigmoid(o)),
    ),
    Identity(
        "LSTM cell by the forget gate",
        LSTM,
        lambda: sn.vjp(cell(), f, e),
        lambda: into_memory() * u * sn.sigmoid(f) * (1 - sn.sigmoid(f)),
    ),
    Identity(
        "LSTM cell by the memory",
        LSTM,
        lambda: sn.vjp(cell(), u, e),
        lambda: into_memory() * sn.sigmoid(f),
    ),
    Identity(
        "LSTM cell by the candidate",
        LSTM,
        lambda: sn.vjp(cell(), z, e),
        lambda: into_memory() * sn.sigmoid(i) * (1 - sn.tanh(z) ** 2),
    ),
    Identity(
        "GRU by its update gate",
        GRU,
        lambda: sn.vjp(sn.sigmoid(z) * h + (1 - sn.sigmoid(z)) * sn.tanh(u), z, e),
        lambda: e * (h - sn.tanh(u)) * sn.sigmoid(z) * (1 - sn.sigmoid(z)),
    ),
    Identity(
        "GRU by its candidate",
        GRU,
        lambda: sn.vjp(sn.sigmoid(z) * h + (1 - sn.sigmoid(z)) * sn.tanh(u), u, e),
        lambda: e * (1 - sn.sigmoid(z)) * (1 - sn.tanh(u) ** 2),
    ),
    Identity(
        "gated linear unit by the gate",
        GATED,
        lambda: sn.vjp(v * sn.sigmoid(z), z, e),
        lambda: e * v * sn.sigmoid(z) * (1 - sn.sigmoid(z)),
    ),
    Identity(
        "gated linear layer by the gate's weights",
        GATED,
        lambda: sn.vjp((X @ W) * sn.sigmoid(X @ sn.tensor("R", n, p)), sn.tensor("R", n, p), GZ),
        lambda: (
            X.T @ (GZ * (X @ W) * sn.sigmoid(X @ sn.tensor("R", n, p)) * (1 - sn.sigmoid(X @ sn.tensor("R", n, p))))
        ),
    ),
    # convolution as a contraction of windows
    Identity(
        "convolution by its kernels",
        CONVOLUTION,
        lambda: sn.vjp(sn.einsum("bxkc,ok->bxoc", images, B), B, sn.tensor("H", m, p, q, n)),
        lambda: sn.einsum("bxkc,bxoc->ok", images, sn.tensor("H", m, p, q, n)),
    ),
    Identity(
        "convolution by its windows",
        CONVOLUTION,
        lambda: sn.vjp(sn.einsum("bckx,ok->bcox", shifted, sn.tensor("E", q, p)), shifted, sn.tensor("HE", m, n, q, q)),
        lambda: sn.einsum("bcox,ok->bckx", sn.tensor("HE", m, n, q, q), sn.tensor("E", q, p)),
    ),
    # factorisation machine
    Identity(
        "pairwise interactions of a factorisation machine",
        FACTORED,
        lambda: sn.grad((((x @ V) ** 2).sum() - ((x**2) @ (V**2)).sum()) / 2, V),
        lambda: sn.outer(x, x @ V) - V * (x**2)[:, None],
    ),
]
