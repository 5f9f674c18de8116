"""Identities of machine learning: losses, regression, layers, attention, likelihoods."""

from __future__ import annotations

import sympy

import symnet as sn
from symnet.expr.nodes.constants import size
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import tensor
from tests.identities.identity import Identity, m, n, p, q

BISHOP = "Bishop, Pattern Recognition and Machine Learning, chapter 4"
BISHOP_LINEAR = "Bishop, Pattern Recognition and Machine Learning, chapter 3"
MURPHY = "Murphy, Probabilistic Machine Learning, chapters 10 and 11"
GOODFELLOW = "Goodfellow, Bengio and Courville, Deep Learning, chapter 6"
BOYD = "Boyd and Vandenberghe, Convex Optimization, appendix A and 3.1"
LAYER_NORM = "Ba, Kiros and Hinton, Layer Normalization, 2016"
BATCH_NORM = "Ioffe and Szegedy, Batch Normalization, 2015, section 3"
ATTENTION = "Vaswani et al., Attention Is All You Need, 2017, section 3.2"
FOCAL = "Lin et al., Focal Loss for Dense Object Detection, 2017, appendix B"
KOREN = "Koren, Bell and Volinsky, Matrix Factorization Techniques, 2009"
CPC = "van den Oord, Li and Vinyals, Contrastive Predictive Coding, 2018, section 2.3"
COOKBOOK = "Petersen and Pedersen, The Matrix Cookbook, 8 (Gaussians)"
NOTES = "Parr and Howard, The Matrix Calculus You Need for Deep Learning"

x, g, w, c = (tensor(name, n) for name in "xgwc")
z = tensor("z", m)
X, G = tensor("X", m, n), tensor("G", m, n)
W, b = tensor("W", n, p), tensor("b", p)
Z, GZ = tensor("Z", m, p), tensor("GZ", m, p)
D = tensor("D", m, p, one_hot=True)
T = tensor("T", m, p)
d = tensor("d", m, unit=True)
t, y = tensor("t", m), tensor("y", m)
e = tensor("e", n, one_hot=True)
U, V, M = tensor("U", m, q), tensor("V", n, q), tensor("M", m, n)
lam, beta = tensor("lam", positive=True), tensor("beta", positive=True)
s, r = tensor("s"), tensor("r")
P = tensor("P", n, n, symmetric=True)
Q, K, O = tensor("Q", m, q), tensor("K", m, q), tensor("O", m, p)


def rows(values: Node) -> Node:
    """A column that broadcasts along the rows."""
    return values[:, None]


def scores(X: Node, w: Node) -> Node:
    return sn.sigmoid(X @ w)


def softmax_vjp(Y: Node, Y_bar: Node) -> Node:
    """Y ∘ (Ȳ - rowsum(Y ∘ Ȳ))."""
    return Y * (Y_bar - (Y * Y_bar).sum(1, keepdims=True))


def centred(X: Node, axis: int) -> Node:
    return X - sn.mean(X, axis=axis, keepdims=True)


def deviation(X: Node, axis: int) -> Node:
    return sn.sqrt(sn.mean(centred(X, axis) ** 2, axis=axis, keepdims=True) + sympy.Rational(1, 100000))


def normalised(X: Node, axis: int) -> Node:
    return centred(X, axis) / deviation(X, axis)


def normalised_vjp(X: Node, G: Node, axis: int) -> Node:
    """(G - mean G - X̂ ∘ mean(G ∘ X̂)) / σ."""
    H = normalised(X, axis)
    along = {"axis": axis, "keepdims": True}
    return (G - sn.mean(G, **along) - H * sn.mean(G * H, **along)) / deviation(X, axis)


def attention(Q: Node, K: Node) -> Node:
    return sn.softmax(Q @ K.T / sn.sqrt(size(q)))


def normal_distribution(x: Node) -> Node:
    return (1 + sn.erf(x / sympy.sqrt(2))) / 2


def normal_density(x: Node) -> Node:
    return sn.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)


def focal(z: Node) -> Node:
    """-(1 - σ)² log σ."""
    return -((1 - sn.sigmoid(z)) ** 2) * sn.log(sn.sigmoid(z))


LEARNING = [
    # log-sum-exp and softmax
    Identity("gradient of log-sum-exp", BOYD, lambda: sn.grad(sn.logsumexp(x), x), lambda: sn.softmax(x)),
    Identity(
        "Hessian of log-sum-exp",
        BOYD,
        lambda: sn.hessian(sn.logsumexp(x), x),
        lambda: sn.eye(n) * sn.softmax(x) - sn.outer(sn.softmax(x), sn.softmax(x)),
    ),
    Identity(  # the graph centres the rows of A, which costs less than AᵀSA and does not cancel; a page prints AᵀSA
        "Hessian of log-sum-exp of an affine map",
        BOYD,
        lambda: sn.hessian(sn.logsumexp(X @ x + z), x),
        lambda: X.T @ (sn.eye(m) * sn.softmax(X @ x + z) - sn.outer(*[sn.softmax(X @ x + z)] * 2)) @ X,
    ),
    Identity(
        "Hessian of log-sum-exp spelled out",
        BOYD,
        lambda: sn.hessian(sn.log(sn.exp(x).sum()), x),
        lambda: sn.eye(n) * sn.softmax(x) - sn.outer(sn.softmax(x), sn.softmax(x)),
    ),
    Identity(
        "Jacobian of softmax",
        GOODFELLOW,
        lambda: sn.jacobian(sn.softmax(x), x),
        lambda: sn.eye(n) * sn.softmax(x) - sn.outer(sn.softmax(x), sn.softmax(x)),
    ),
    Identity(
        "Jacobian of softmax spelled out",
        GOODFELLOW,
        lambda: sn.jacobian(sn.exp(x) / sn.exp(x).sum(), x),
        lambda: sn.eye(n) * sn.softmax(x) - sn.outer(sn.softmax(x), sn.softmax(x)),
    ),
    Identity(
        "Jacobian of log-softmax",
        GOODFELLOW,
        lambda: sn.jacobian(sn.log_softmax(x), x),
        lambda: sn.eye(n) - sn.softmax(x),
    ),
    Identity(
        "vector-Jacobian product of softmax",
        GOODFELLOW,
        lambda: sn.vjp(sn.softmax(Z), Z, GZ),
        lambda: softmax_vjp(sn.softmax(Z), GZ),
    ),
    Identity(
        "vector-Jacobian product of log-softmax",
        GOODFELLOW,
        lambda: sn.vjp(sn.log_softmax(Z), Z, GZ),
        lambda: GZ - sn.softmax(Z) * GZ.sum(1, keepdims=True),
    ),
    Identity(
        "Hessian-vector product of log-sum-exp",
        BOYD,
        lambda: sn.hvp(sn.logsumexp(x), x, g),
        lambda: sn.softmax(x) * (g - sn.softmax(x) @ g),
    ),
    Identity(
        "entropy of a softmax",
        MURPHY,
        lambda: sn.grad(-(sn.softmax(x) * sn.log_softmax(x)).sum(), x),
        lambda: -sn.softmax(x) * (sn.log_softmax(x) - (sn.softmax(x) * sn.log_softmax(x)).sum()),
    ),
    # regression
    Identity(
        "least squares",
        BISHOP_LINEAR,
        lambda: sn.grad(((X @ w - t) ** 2).sum() / 2, w),
        lambda: X.T @ (X @ w - t),
    ),
    Identity(
        "mean squared error",
        BISHOP_LINEAR,
        lambda: sn.grad(sn.mean((X @ w - t) ** 2), w),
        lambda: 2 * X.T @ (X @ w - t) / size(m),
    ),
    Identity(
        "Hessian of least squares",
        BISHOP_LINEAR,
        lambda: sn.hessian(((X @ w - t) ** 2).sum() / 2, w),
        lambda: X.T @ X,
    ),
    Identity(
        "ridge regression",
        BISHOP_LINEAR,
        lambda: sn.grad(((X @ w - t) ** 2).sum() / 2 + lam * (w @ w) / 2, w),
        lambda: X.T @ (X @ w - t) + lam * w,
    ),
    Identity(
        "Hessian of ridge regression",
        BISHOP_LINEAR,
        lambda: sn.hessian(((X @ w - t) ** 2).sum() / 2 + lam * (w @ w) / 2, w),
        lambda: X.T @ X + lam * sn.eye(n),
    ),
    Identity(
        "weighted regression",
        BISHOP_LINEAR,
        lambda: sn.grad((d * (X @ w - t) ** 2).sum() / 2, w),
        lambda: X.T @ (d * (X @ w - t)),
    ),
    Identity(
        "multivariate regression",
        BISHOP_LINEAR,
        lambda: sn.grad(((X @ W - T) ** 2).sum() / 2, W),
        lambda: X.T @ (X @ W - T),
    ),
    Identity(
        "logistic regression",
        BISHOP,
        lambda: sn.grad(sn.binary_cross_entropy(scores(X, w), d).sum(), w),
        lambda: X.T @ (scores(X, w) - d),
    ),
    Identity(
        "Hessian of logistic regression",
        BISHOP,
        lambda: sn.hessian(sn.binary_cross_entropy(scores(X, w), d).sum(), w),
        lambda: X.T @ (rows(scores(X, w) * (1 - scores(X, w))) * X),
    ),
    Identity(
        "Hessian-vector product of logistic regression",
        BISHOP,
        lambda: sn.hvp(sn.binary_cross_entropy(scores(X, w), d).sum(), w, c),
        lambda: X.T @ (scores(X, w) * (1 - scores(X, w)) * (X @ c)),
    ),
    Identity(
        "logistic loss with signs",
        MURPHY,
        lambda: sn.grad(sn.softplus(-t * (X @ w)).sum(), w),
        lambda: -(X.T @ (t * (1 - sn.sigmoid(t * (X @ w))))),
    ),
    Identity(
        "multinomial regression",
        BISHOP,
        lambda: sn.grad(sn.cross_entropy(sn.softmax(X @ W), D).sum(), W),
        lambda: X.T @ (sn.softmax(X @ W) - D),
    ),
    Identity(
        "multinomial regression by the offset",
        BISHOP,
        lambda: sn.grad(sn.cross_entropy(sn.softmax(X @ W + b), D).sum(), b),
        lambda: (sn.softmax(X @ W + b) - D).sum(0),
    ),
    Identity(
        "Hessian of multinomial cross-entropy by one sample's logits",
        BISHOP,
        lambda: sn.hessian(sn.cross_entropy(sn.softmax(x), e), x),
        lambda: sn.eye(n) * sn.softmax(x) - sn.outer(sn.softmax(x), sn.softmax(x)),
    ),
    Identity(
        "Hessian of multinomial regression",
        BISHOP,
        lambda: sn.hessian(sn.cross_entropy(sn.softmax(X @ W), D).sum(), W),
        lambda: sn.einsum(
            "mi,mj,mjl,mk->ijkl",
            X,
            sn.softmax(X @ W),
            sn.eye(p) - sn.softmax(X @ W)[:, None, :],
            X,
        ),
    ),
    Identity(
        "Poisson regression",
        MURPHY,
        lambda: sn.grad((sn.exp(X @ w) - t * (X @ w)).sum(), w),
        lambda: X.T @ (sn.exp(X @ w) - t),
    ),
    Identity(
        "Hessian of Poisson regression",
        MURPHY,
        lambda: sn.hessian((sn.exp(X @ w) - t * (X @ w)).sum(), w),
        lambda: X.T @ (rows(sn.exp(X @ w)) * X),
    ),
    # matrix factorisation
    Identity(
        "matrix factorisation by the left factor",
        KOREN,
        lambda: sn.grad(((M - U @ V.T) ** 2).sum() / 2, U),
        lambda: (U @ V.T - M) @ V,
    ),
    Identity(
        "matrix factorisation by the right factor",
        KOREN,
        lambda: sn.grad(((M - U @ V.T) ** 2).sum() / 2, V),
        lambda: (U @ V.T - M).T @ U,
    ),
    Identity(
        "Hessian of matrix factorisation",
        KOREN,
        lambda: sn.hessian(((M - U @ V.T) ** 2).sum(), U),
        lambda: 2 * sn.einsum("ik,jl->ijkl", sn.eye(m), V.T @ V),
    ),
    Identity(
        "penalised matrix factorisation",
        KOREN,
        lambda: sn.grad((((M - U @ V.T) ** 2).sum() + lam * (U**2).sum()) / 2, U),
        lambda: (U @ V.T - M) @ V + lam * U,
    ),
    Identity(
        "masked matrix factorisation",
        KOREN,
        lambda: sn.grad((G * (M - U @ V.T) ** 2).sum() / 2, U),
        lambda: (G * (U @ V.T - M)) @ V,
    ),
    # layers
    Identity("batched linear layer by the weights", NOTES, lambda: sn.vjp(X @ W + b, W, GZ), lambda: X.T @ GZ),
    Identity("batched linear layer by the inputs", NOTES, lambda: sn.vjp(X @ W + b, X, GZ), lambda: GZ @ W.T),
    Identity("batched linear layer by the offset", NOTES, lambda: sn.vjp(X @ W + b, b, GZ), lambda: GZ.sum(0)),
    Identity(
        "batched tanh layer by the weights",
        GOODFELLOW,
        lambda: sn.vjp(sn.tanh(X @ W + b), W, GZ),
        lambda: X.T @ (GZ * (1 - sn.tanh(X @ W + b) ** 2)),
    ),
    Identity(
        "batched rectified layer by the inputs",
        GOODFELLOW,
        lambda: sn.vjp(sn.relu(X @ W + b), X, GZ),
        lambda: (GZ * sn.where(X @ W + b >= 0, 1, 0)) @ W.T,
    ),
    Identity(
        "layer normalisation by its input",
        LAYER_NORM,
        lambda: sn.vjp(normalised(X, 1), X, G),
        lambda: normalised_vjp(X, G, 1),
    ),
    Identity(
        "layer normalisation by its gain",
        LAYER_NORM,
        lambda: sn.vjp(normalised(X, 1) * w + c, w, G),
        lambda: (G * normalised(X, 1)).sum(0),
    ),
    Identity(
        "batch normalisation by its input",
        BATCH_NORM,
        lambda: sn.vjp(normalised(X, 0), X, G),
        lambda: normalised_vjp(X, G, 0),
    ),
    Identity(
        "batch normalisation with gain by its input",
        BATCH_NORM,
        lambda: sn.vjp(normalised(X, 0) * w + c, X, G),
        lambda: normalised_vjp(X, G * w, 0),
    ),
    Identity(
        "batch normalisation by its gain",
        BATCH_NORM,
        lambda: sn.vjp(normalised(X, 0) * w + c, w, G),
        lambda: (G * normalised(X, 0)).sum(0),
    ),
    Identity(
        "attention by its values", ATTENTION, lambda: sn.vjp(attention(Q, K) @ O, O, GZ), lambda: attention(Q, K).T @ GZ
    ),
    Identity(
        "attention by its queries",
        ATTENTION,
        lambda: sn.vjp(attention(Q, K) @ O, Q, GZ),
        lambda: softmax_vjp(attention(Q, K), GZ @ O.T) @ K / sn.sqrt(size(q)),
    ),
    Identity(
        "attention by its keys",
        ATTENTION,
        lambda: sn.vjp(attention(Q, K) @ O, K, GZ),
        lambda: softmax_vjp(attention(Q, K), GZ @ O.T).T @ Q / sn.sqrt(size(q)),
    ),
    # activations
    Identity(
        "logistic function",
        GOODFELLOW,
        lambda: sn.vjp(sn.sigmoid(z), z, y),
        lambda: y * sn.sigmoid(z) * (1 - sn.sigmoid(z)),
    ),
    Identity(
        "second derivative of the logistic function",
        GOODFELLOW,
        lambda: sn.grad(sn.grad(sn.sigmoid(s), s), s),
        lambda: sn.sigmoid(s) * (1 - sn.sigmoid(s)) * (1 - 2 * sn.sigmoid(s)),
    ),
    Identity("tanh", GOODFELLOW, lambda: sn.vjp(sn.tanh(z), z, y), lambda: y * (1 - sn.tanh(z) ** 2)),
    Identity("softplus", GOODFELLOW, lambda: sn.grad(sn.softplus(z).sum(), z), lambda: sn.sigmoid(z)),
    Identity(
        "second derivative of softplus",
        GOODFELLOW,
        lambda: sn.grad(sn.grad(sn.softplus(s), s), s),
        lambda: sn.sigmoid(s) * (1 - sn.sigmoid(s)),
    ),
    Identity(
        "SiLU",
        "Elfwing, Uchibe and Doya, Sigmoid-Weighted Linear Units, 2018",
        lambda: sn.grad(sn.silu(z).sum(), z),
        lambda: sn.sigmoid(z) * (1 + z * (1 - sn.sigmoid(z))),
    ),
    Identity(
        "GELU",
        "Hendrycks and Gimpel, Gaussian Error Linear Units, 2016",
        lambda: sn.grad(sn.gelu(z).sum(), z),
        lambda: normal_distribution(z) + z * normal_density(z),
    ),
    # losses
    Identity("half squared error", GOODFELLOW, lambda: sn.grad(sn.l2(Z, T).sum(), Z), lambda: Z - T),
    Identity(
        "pseudo-Huber loss",
        "Charbonnier et al., Deterministic Edge-Preserving Regularization, 1997",
        lambda: sn.grad((sn.sqrt(1 + (y - t) ** 2) - 1).sum(), y),
        lambda: (y - t) / sn.sqrt(1 + (y - t) ** 2),
    ),
    Identity(
        "Huber loss",
        "Huber, Robust Estimation of a Location Parameter, 1964",
        lambda: sn.grad(sn.where(abs(y) <= lam, y**2 / 2, lam * (abs(y) - lam / 2)).sum(), y),
        lambda: sn.where(abs(y) <= lam, y, lam * sn.sign(y)),
    ),
    Identity(
        "log-cosh loss",
        MURPHY,
        lambda: sn.grad(sn.log(sn.cosh(y - t)).sum(), y),
        lambda: sn.tanh(y - t),
    ),
    Identity(
        "hinge loss",
        MURPHY,
        lambda: sn.grad(sn.relu(1 - t * (X @ w)).sum(), w),
        lambda: -(X.T @ (t * sn.where(1 - t * (X @ w) >= 0, 1, 0))),
    ),
    Identity(
        "focal loss",
        FOCAL,
        lambda: sn.grad(focal(z).sum(), z),
        lambda: (1 - sn.sigmoid(z)) ** 2 * (2 * sn.sigmoid(z) * sn.log(sn.sigmoid(z)) + sn.sigmoid(z) - 1),
    ),
    Identity(
        "softmax cross-entropy, mean",
        GOODFELLOW,
        lambda: sn.grad(sn.mean(sn.cross_entropy(sn.softmax(Z), D)), Z),
        lambda: (sn.softmax(Z) - D) / size(m),
    ),
    Identity(
        "softmax with a temperature",
        "Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015",
        lambda: sn.grad(sn.cross_entropy(sn.softmax(Z / lam), D).sum(), Z),
        lambda: (sn.softmax(Z / lam) - D) / lam,
    ),
    Identity(
        "InfoNCE by the anchors",
        CPC,
        lambda: sn.grad((sn.logsumexp(Q @ K.T / lam, 1) - (Q * K).sum(1) / lam).sum(), Q),
        lambda: (sn.softmax(Q @ K.T / lam) @ K - K) / lam,
    ),
    Identity(
        "InfoNCE by the keys",
        CPC,
        lambda: sn.grad((sn.logsumexp(Q @ K.T / lam, 1) - (Q * K).sum(1) / lam).sum(), K),
        lambda: (sn.softmax(Q @ K.T / lam).T @ Q - Q) / lam,
    ),
    Identity(
        "InfoNCE by the trace",
        CPC,
        lambda: sn.grad(sn.logsumexp(Q @ K.T, 1).sum() - sn.trace(Q @ K.T), Q),
        lambda: (sn.softmax(Q @ K.T) - sn.eye(m)) @ K,
    ),
    # likelihoods
    Identity(
        "normal likelihood by the mean",
        BISHOP_LINEAR,
        lambda: sn.grad(((t - s) ** 2).sum() / (2 * lam) + size(m) * sn.log(lam) / 2, s),
        lambda: -(t - s).sum() / lam,
    ),
    Identity(
        "normal likelihood by the variance",
        BISHOP_LINEAR,
        lambda: sn.grad(((t - s) ** 2).sum() / (2 * lam) + size(m) * sn.log(lam) / 2, lam),
        lambda: (size(m) - ((t - s) ** 2).sum() / lam) / (2 * lam),
    ),
    Identity(
        "Gaussian log-density by the mean",
        COOKBOOK,
        lambda: sn.grad((x - c) @ P @ (x - c) / 2, c),
        lambda: -(P @ (x - c)),
    ),
    Identity(
        "Gaussian kernel by a point",
        COOKBOOK,
        lambda: sn.grad(sn.exp(-((x - c) ** 2).sum() / 2), x),
        lambda: -(x - c) * sn.exp(-((x - c) ** 2).sum() / 2),
    ),
    Identity(
        "Hessian of the Gaussian kernel",
        COOKBOOK,
        lambda: sn.hessian(sn.exp(-((x - c) ** 2).sum() / 2), x),
        lambda: sn.exp(-((x - c) ** 2).sum() / 2) * (sn.outer(x - c, x - c) - sn.eye(n)),
    ),
    Identity(
        "divergence of two normal distributions by the log-variance",
        "Kingma and Welling, Auto-Encoding Variational Bayes, 2014, appendix B",
        lambda: sn.grad((sn.exp(z) + y**2 - 1 - z).sum() / 2, z),
        lambda: (sn.exp(z) - 1) / 2,
    ),
    Identity(
        "reparametrised sample by the log-variance",
        "Kingma and Welling, Auto-Encoding Variational Bayes, 2014, section 2.4",
        lambda: sn.vjp(y + sn.exp(z / 2) * t, z, d),
        lambda: d * t * sn.exp(z / 2) / 2,
    ),
]
