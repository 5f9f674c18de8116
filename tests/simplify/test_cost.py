"""Operation counts: polynomials in the extents, each distinct node once."""

from __future__ import annotations

import sympy

from symnet.calculus import grad
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
from symnet.simplify.cost import flops, saves

m, n, k = map(dim, "mnk")
A, B, x, y = tensor("A", m, n), tensor("B", n, k), tensor("x", n), tensor("y", n)


def test_a_matrix_product_counts_a_product_and_a_sum_per_element_of_its_index_space():
    assert flops([matmul(A, B)]) == 2 * m * n * k
    assert flops([total(A, 1)]) == m * n
    assert flops([transpose(A)]) == 0


def test_elementwise_operations_count_their_operands_less_one():
    assert flops([x + y]) == n
    assert flops([x - y]) == n
    assert flops([x / y]) == n
    assert flops([exp(x)]) == n
    assert flops([-x]) == n
    assert flops([expand(x, (m, n), (1,))]) == 0
    assert flops([logsumexp(A, 1)]) == 3 * m * n


def test_shared_nodes_count_once():
    h = tanh(matmul(A, x))
    assert flops([h, h * 2]) == 2 * m * n + 2 * m
    assert flops([h]) + m == flops([h, h * 2])


def test_the_gradient_of_a_softmax_layer_costs_two_more_products():
    W, D = tensor("W", n, k), tensor("D", m, k, one_hot=True)
    loss = mean(cross_entropy(softmax(matmul(A, W)), D))
    (simple,) = simplify([loss])
    extra = sympy.expand(flops([simple, grad(loss, W)]) - flops([simple]))
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
        return sympy.Poly(flops(simplify([node])), n).degree()

    assert cost(total(matmul(S, T))) == 2
    assert cost(trace(matmul(S, T))) == 2
    assert cost(matmul(identity(n) * v, S)) == 2
    assert cost(matmul(outer(v, v), w)) == 1
