"""Sixty ways to get a derivative wrong, by fifteen losses, and what is said of each; and the slips behind it.

The table grows: a wrong answer whose verdict did not help is appended.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ShapeError
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify
from symnet.study.check.instance import random_instance, sizes
from symnet.study.check.mistakes import matrix_operations, slips

m, n, k, h = (sn.dim(name) for name in "mnkh")
X, w, y, b, lam = sn.tensor("X", m, n), sn.tensor("w", n), sn.tensor("y", m), sn.scalar("b"), sn.scalar("lam")
A, P, x, c = sn.tensor("A", n, n), sn.tensor("P", n, n), sn.tensor("x", n), sn.tensor("c", n)
W, T, D, bb = sn.tensor("W", n, k), sn.tensor("T", m, k), sn.tensor("D", m, k, one_hot=True), sn.tensor("bb", k)
M, U, V = sn.tensor("M", m, n), sn.tensor("U", m, k), sn.tensor("V", n, k)
W1, W2 = sn.tensor("W1", n, h), sn.tensor("W2", h, k)

MSE = sn.mean((X @ w - y) ** 2)
RIDGE = MSE + lam * sn.sum(w**2)
QUAD = x @ A @ x
LOG = sn.mean(sn.binary_cross_entropy(sn.sigmoid(X @ w + b), y))
SM = sn.mean(sn.cross_entropy(sn.softmax(X @ W + bb), D))
FRO = sn.sum((M - U @ V.T) ** 2)
LD = sn.logdet(P)
INV = c @ sn.inv(P) @ x
NORM = sn.norm(x)
LSE = sn.logsumexp(x)
TANH = sn.mean((sn.tanh(X @ w) - y) ** 2)
MLP = sn.mean(sn.l2(sn.relu(X @ W1) @ W2, T))
TR = sn.trace(A @ P)
COS = c @ x / (sn.norm(x) * sn.norm(c))
EXPQ = sn.exp(-(x @ x) / 2)
SC = b**3 + 2 * b * lam
PROD, SINC, S = b * sn.sin(b), sn.sin(b) / b, sn.tensor("S", n, n, symmetric=True)

WRONG: list[tuple[Any, str, str, str]] = [
    (MSE, "w", "X.T@(X@w-y)", "m/2 times the gradient; a factor 2/m is lost"),
    (MSE, "w", "2*X.T@(y-X@w)/m", "the sign is wrong: it is minus the gradient"),
    (MSE, "w", "2*(X@w-y)/m", "the wrong shape: of shape (m,), where the variable has shape (n,)"),
    (MSE, "w", "2*X.T@X@w/m", "the term -y is missing in X @ w - y"),
    (
        MSE,
        "w",
        "2*X.T@(X@w-y)**2/m",
        "the power rule at (X @ w - y)**2, (u**n)' = n*u**(n - 1)*u': the exponent stays as it was",
    ),
    (MSE, "w", "mean(2*(X@w-y))*w", "another function"),
    (MSE, "w", "mean(2*(X@w-y))", "the wrong shape: of shape (), where the variable has shape (n,)"),
    (MSE, "w", "2*X.T@(X@w-y)/m + 1", "the term 1 is too many"),
    (MSE, "w", "2*X.T@abs(X@w-y)/m", "abs(X @ w - y) should be X @ w - y"),
    (MSE, "w", "2*X*(X@w-y)[:,None]/m", "one gradient for each of m samples: the sum over axis 0 is missing"),
    (MSE, "w", "2*X.T@(X@w-y)/n", "m/n times the gradient; a factor n/m is lost"),
    (MSE, "w", "w", "another function"),
    (MSE, "w", "0*w", "it is zero, and the gradient is not"),
    (MSE, "X", "2*outer(w, X@w-y)/m", "transposed: of shape (n, m), where the variable has shape (m, n)"),
    (MSE, "X", "2*(X@w-y)[:,None]*X/m", "another function"),
    (MSE, "y", "2*(X@w-y)/m", "the sign is wrong: it is minus the gradient"),
    (RIDGE, "w", "2*X.T@(X@w-y)/m", "the term 2*lam*w is missing"),
    (RIDGE, "w", "2*X.T@(X@w-y)/m+lam*w", "the term lam*w is 1/2 times what it should be: a factor 2 is lost"),
    (RIDGE, "w", "2*X.T@(X@w-y)/m+2*lam", "the factor w is missing"),
    (RIDGE, "w", "2*X.T@(X@w-y)/m+2*w", "the factor lam is missing"),
    (RIDGE, "w", "X.T@(X@w-y)/m+lam*w", "1/2 times the gradient; a factor 2 is lost"),
    (RIDGE, "w", "2*X.T@(X@w-y)/m-2*lam*w", "the sign of the term -2*lam*w is wrong"),
    (RIDGE, "w", "2*X.T@(X@w-y)+2*lam*w", "the term 2*X.T @ (X @ w - y) is m times what it should be: a factor 1/m"),
    (QUAD, "x", "2*A@x", "A stands where A.T should"),
    (QUAD, "x", "A@x", "the term A.T @ x is missing"),
    (QUAD, "x", "2*A*x", "2*A*x works element by element; 2*A @ x is meant, and then: A stands where A.T should"),
    (QUAD, "A", "x@x", "the wrong shape: of shape (), where the variable has shape (n, n)"),
    (QUAD, "A", "x*x", "the wrong shape: of shape (n,), where the variable has shape (n, n)"),
    (QUAD, "x", "(A+A.T)*x", "x*(A + A.T) works element by element; (A + A.T).T @ x is meant"),
    (LOG, "w", "X.T@(sigmoid(X@w+b)-y)", "m times the gradient; a factor 1/m is lost"),
    (LOG, "w", "X.T@(X@w+b-y)/m", "X @ w + b stands where sigmoid(X @ w + b) should"),
    (
        LOG,
        "w",
        "X.T@((sigmoid(X@w+b)-y)*sigmoid(X@w+b)*(1-sigmoid(X@w+b)))/m",
        "the factor sigmoid(X @ w + b)*(1 - sigmoid(X @ w + b)) is too many",
    ),
    (LOG, "w", "X.T@(y-sigmoid(X@w+b))/m", "the sign is wrong: it is minus the gradient"),
    (LOG, "b", "mean(y-sigmoid(X@w+b))", "the sign is wrong: it is minus the gradient"),
    (LOG, "b", "sigmoid(X@w+b)-y", "one gradient for each of m samples: the mean over axis 0 is missing"),
    (LOG, "b", "(sigmoid(X@w+b)-y)/m", "one gradient for each of m samples: the sum over axis 0 is missing"),
    (LOG, "w", "X.T@(sigmoid(X@w)-y)/m", "the term b is missing in X @ w + b"),
    (SM, "W", "X.T@(softmax(X@W+bb)-D)", "m times the gradient; a factor 1/m is lost"),
    (SM, "W", "(softmax(X@W+bb)-D).T@X/m", "transposed: of shape (k, n), where the variable has shape (n, k)"),
    (SM, "W", "X.T@softmax(X@W+bb)/m", "the term -X.T @ D/m is missing"),
    (SM, "bb", "mean(softmax(X@W+bb)-D)", "it is zero, and the gradient is not"),
    (SM, "bb", "mean(softmax(X@W+bb)-D,axis=1)", "it is zero, and the gradient is not"),
    (SM, "bb", "(softmax(X@W+bb)-D)/m", "one gradient for each of m samples: the sum over axis 0 is missing"),
    (SM, "W", "X.T@(D-softmax(X@W+bb))", "the sign is wrong, and it is m times the gradient; a factor 1/m is lost"),
    (SM, "W", "X.T@(softmax(X@W)-D)/m", "the term X.T @ softmax(X @ W)/m should be X.T @ softmax(X @ W + bb)/m"),
    (FRO, "U", "2*(M-U@V.T)@V", "the sign is wrong: it is minus the gradient"),
    (FRO, "U", "-(M-U@V.T)@V", "1/2 times the gradient; a factor 2 is lost"),
    (FRO, "U", "-2*M@V", "the term U @ V.T is missing in U @ V.T - M"),
    (FRO, "U", "2*U@V.T@V", "the term -M is missing in U @ V.T - M"),
    (LD, "P", "inv(P)", "transposed: it is the transpose of the gradient"),
    (LD, "P", "det(P)*inv(P).T", "the factor det(P) is too many"),
    (
        LD,
        "P",
        "1/P",
        "1/P works element by element; inv(P) is meant, and then: transposed: it is the transpose of the gradient",
    ),
    (LD, "P", "1/det(P)", "the wrong shape: of shape (), where the variable has shape (n, n)"),
    (LD, "P", "-inv(P).T", "the sign is wrong: it is minus the gradient"),
    (INV, "P", "outer(inv(P).T@c, inv(P)@x)", "the sign is wrong: it is minus the gradient"),
    (INV, "P", "-outer(inv(P)@x, inv(P).T@c)", "transposed: it is the transpose of the gradient"),
    (INV, "x", "inv(P)@c", "inv(P) @ c should be inv(P).T @ c"),
    (NORM, "x", "x", "the factor 1/norm(x) is missing"),
    (NORM, "x", "2*x", "the factor 1/norm(x) is missing, and then it is off by a factor: 2 times the gradient"),
    (NORM, "x", "x/norm(x)**2", "1/norm(x)**2 should be 1/norm(x)"),
    (NORM, "x", "1/norm(x)", "the factor x is missing"),
    (LSE, "x", "exp(x)", "the factor 1/sum(exp(x)) is missing"),
    (LSE, "x", "1/sum(exp(x))", "the factor exp(x) is missing"),
    (LSE, "x", "log_softmax(x)", "log_softmax(x) stands where softmax(x) should"),
    (
        LSE,
        "x",
        "exp(x)/n",
        "the factor 1/sum(exp(x)) is missing, and then it is off by a factor: 1/n times the gradient",
    ),
    (
        TANH,
        "w",
        "2*X.T@(tanh(X@w)-y)/m",
        "the chain rule at (tanh(X @ w) - y)**2: the derivative of tanh(X @ w) - y, 1 - tanh(X @ w)**2, is missing",
    ),
    (TANH, "w", "2*X.T@((tanh(X@w)-y)*(1-tanh(X@w)))/m", "tanh(X @ w) stands where tanh(X @ w)**2 should"),
    (
        TANH,
        "w",
        "2*X.T@((tanh(X@w)-y)*(1+tanh(X@w)**2))/m",
        "the sign of the term tanh(X @ w)**2 is wrong in tanh(X @ w)**2 + 1",
    ),
    (TANH, "w", "2*X.T@((X@w-y)*(1-tanh(X@w)**2))/m", "X @ w stands where tanh(X @ w) should"),
    (MLP, "W1", "X.T@((relu(X@W1)@W2-T)@W2.T)/m", "the factor 1[X @ W1 >= 0] is missing"),
    (MLP, "W2", "(X@W1).T@(relu(X@W1)@W2-T)/m", "X @ W1 stands where relu(X @ W1) should"),
    (MLP, "W2", "2*relu(X@W1).T@(relu(X@W1)@W2-T)/m", "2 times the gradient; a factor 1/2 is lost"),
    (TR, "A", "P", "transposed: it is the transpose of the gradient"),
    (TR, "A", "P@A", "another function"),
    (COS, "x", "c/(norm(x)*norm(c))", "the term -(c @ x)*x/(norm(c)*norm(x)**3) is missing"),
    (EXPQ, "x", "exp(-(x@x)/2)", "the factor x is missing, and the sign is wrong"),
    (EXPQ, "x", "x*exp(-(x@x)/2)", "the sign is wrong: it is minus the gradient"),
    (EXPQ, "x", "-x", "the factor exp(-sum(x**2)/2) is missing"),
    (SC, "b", "3*b**2", "the term 2*lam is missing"),
    (SC, "b", "3*b**2+2", "the term 2 should be 2*lam: the factor lam is missing"),
    (SC, "b", "b**2+2*lam", "the term b**2 is 1/3 times what it should be: a factor 3 is lost (the power rule at b**3"),
    (SC, "b", "3*b+2*lam", "the term 3*b should be 3*b**2: the factor b is missing"),
    (SC, "lam", "2", "1/b times the gradient; a factor b is lost"),
    (
        PROD,
        "b",
        "cos(b)",
        "the product rule at b*sin(b), (u*v)' = u'*v + u*v', multiplies no derivatives with each other",
    ),
    (SINC, "b", "cos(b)/b + sin(b)/b**2", "the sign of the term sin(b)/b**2 is wrong (the quotient rule at sin(b)/b"),
    (SINC, "b", "cos(b) - sin(b)/b**2", "the term cos(b) should be cos(b)/b: the factor 1/b is missing"),
    (
        SINC,
        "b",
        "cos(b)",
        "the quotient rule at sin(b)/b, (u/v)' = (u'*v - u*v')/v**2, does not divide the derivatives",
    ),
    (b**lam, "b", "lam*b**lam-1", "lam*b**lam - 1 stands where lam*b**(lam - 1) should: parentheses are missing"),
    (sn.sqrt(b), "b", "1/2*sqrt(b)", "sqrt(b)/2 stands where 1/(2*sqrt(b)) should: parentheses are missing"),
    (sn.sin(3 * b), "b", "cos(3*b)", "1/3 times the gradient; a factor 3 is lost (the chain rule at sin(3*b)"),
    (2**b, "b", "b*2**(b-1)", "2**b is no power with a fixed exponent: the rule for u**n does not hold"),
    (
        sn.sum(sn.exp(X @ w) ** 2),
        "w",
        "2*X.T@exp(X@w)",
        "the chain rule at exp(X @ w)**2: the derivative of exp(X @ w)",
    ),
    (x @ S @ x, "x", "S@x", "1/2 times the gradient; a factor 2 is lost"),
    (QUAD, "x", "A@x - A.T@x", "the sign of the term -A.T @ x is wrong"),
    (QUAD / 2 - c @ x, "x", "A@x - c", "the term A @ x should be (A + A.T) @ x/2"),
    (sn.sum(sn.softmax(x) * c), "x", "softmax(x)*c", "the term -sum(c*softmax(x))*softmax(x) is missing"),
]


@pytest.mark.parametrize(
    ("loss", "wrt", "mine", "reason"), WRONG, ids=[f"{mine} by {wrt}" for _, wrt, mine, _ in WRONG]
)
def test_a_wrong_answer_is_told_how_it_is_wrong(loss: Any, wrt: str, mine: str, reason: str) -> None:
    verdict = sn.check(mine, loss, wrt)
    assert not verdict.right and verdict.reason.startswith(reason), verdict.reason
    assert verdict.counterexample is not None and "for example" in str(verdict)


def test_a_claim_whose_shapes_do_not_fit_says_what_was_meant() -> None:
    with pytest.raises(ShapeError, match=r"Transpose the left operand"):
        sn.check("2*X@(X@w - y)/m", MSE, "w")


@pytest.mark.parametrize("loss", [MSE, RIDGE, QUAD, LOG, SM, FRO, LD, LSE, TANH, MLP, COS], ids=str)
def test_every_slip_changes_one_place_and_keeps_the_shape(loss: Any) -> None:
    target = next(leaf for leaf in leaves(loss) if leaf.name in ("w", "x", "W", "U", "P", "W1"))
    (truth,) = simplify([sn.grad(loss, target)])
    found = list(slips(truth))
    assert len(found) >= (1 if loss is LD else 3)
    assert all(slip.whole.shape == truth.shape and slip.whole is not truth for slip in found)
    assert {slip.kind for slip in found} <= {"factor", "term", "sign", "part", "number", "slope"}


@pytest.mark.parametrize("seed", range(4))
def test_a_slip_of_the_gradient_is_found_out(seed: int) -> None:
    """Whatever single slip is made, the verdict names one, and not merely another function."""
    loss, target = [(MSE, w), (LOG, w), (TANH, w), (FRO, V)][seed]
    (truth,) = simplify([sn.grad(loss, target)])
    data = random_instance([loss], np.random.default_rng(seed), sizes([loss], 1), "unit")
    known, told = leaves(loss), 0
    for slip in slips(truth):
        off = np.abs(evaluate(slip.whole, data, leaves=known) - evaluate(truth, data, leaves=known)).max()
        verdict = sn.check(slip.whole, loss, target)
        assert verdict.right == bool(off < 1e-9), slip
        told += not verdict.right and not verdict.reason.startswith("another function")
        assert verdict.right or not verdict.reason.startswith("another function"), slip
    assert told >= 5


def test_products_element_by_element_may_be_meant_as_matrix_products() -> None:
    meant = [(str(stands), str(for_)) for stands, for_, _ in matrix_operations(A * x)]
    assert ("A*x", "A @ x") in meant or ("x*A", "A @ x") in meant, meant
    assert [str(for_) for _, for_, _ in matrix_operations(1 / P)] == ["inv(P)"]
    assert [str(for_) for _, for_, _ in matrix_operations(P**2)] == ["P @ P"]
