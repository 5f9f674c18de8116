"""Operation counts: polynomials in the extents, each distinct node once."""

from __future__ import annotations

import sympy

from symnet.calculus.grad import grad
from symnet.expr.nodes.constants import identity
from symnet.expr.nodes.contraction import matmul, mean, outer, trace, transpose
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import exp, tanh
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.reduction import logsumexp, softmax
from symnet.expr.nodes.symbols import tensor
from symnet.nn import cross_entropy
from symnet.simplify.algebra.table import simplify
from symnet.simplify.cost import operation_count, saves

m, n, k = map(dim, "mnk")
A, B, x, y = tensor("A", m, n), tensor("B", n, k), tensor("x", n), tensor("y", n)


def test_a_matrix_product_counts_a_product_and_a_sum_per_element_of_its_index_space():
    assert operation_count([matmul(A, B)]) == 2 * m * n * k
    assert operation_count([total(A, 1)]) == m * n
    assert operation_count([transpose(A)]) == 0


def test_elementwise_operations_count_their_operands_less_one():
    assert operation_count([x + y]) == n
    assert operation_count([x - y]) == n
    assert operation_count([x / y]) == n
    assert operation_count([exp(x)]) == n
    assert operation_count([-x]) == n
    assert operation_count([expand(x, (m, n), (1,))]) == 0
    assert operation_count([logsumexp(A, 1)]) == 3 * m * n


def test_shared_nodes_count_once():
    h = tanh(matmul(A, x))
    assert operation_count([h, h * 2]) == 2 * m * n + 2 * m
    assert operation_count([h]) + m == operation_count([h, h * 2])


def test_the_gradient_of_a_softmax_layer_costs_two_more_products():
    W, D = tensor("W", n, k), tensor("D", m, k, one_hot=True)
    loss = mean(cross_entropy(softmax(matmul(A, W)), D))
    (simple,) = simplify([loss])
    extra = sympy.expand(operation_count([simple, grad(loss, W)]) - operation_count([simple]))
    assert extra.coeff(m * n * k) == 2
    assert sympy.degree(extra, m) == 1 and extra.coeff(n * k, 1).subs({m: 0}) == 1  # the scale 1/m


def test_saving_compares_what_differs():
    a, b, c = tensor("a", 3), tensor("b", 3), tensor("c", 3)
    assert saves(a * (b + c), a * b + a * c)
    assert not saves(a * b + a * c, a * (b + c))
    assert not saves(a * b, a * b)


def test_traps_of_contraction_order_are_avoided():
    """1ᵀA1, tr(AB), diag(v)A, x xᵀ y: nothing of the size of a product of matrices."""
    S, T, v, w = tensor("S", n, n), tensor("T", n, n), tensor("v", n), tensor("w", n)

    def cost(node):
        return sympy.Poly(operation_count(simplify([node])), n).degree()

    assert cost(total(matmul(S, T))) == 2
    assert cost(trace(matmul(S, T))) == 2
    assert cost(matmul(identity(n) * v, S)) == 2
    assert cost(matmul(outer(v, v), w)) == 1
