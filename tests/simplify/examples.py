"""For every rewrite, expressions on which it fires; completeness is tested."""

from __future__ import annotations

import numpy as np
import sympy

from symnet.expr.nodes import elementwise as ew
from symnet.expr.nodes.constants import Size, identity, number, size
from symnet.expr.nodes.contraction import contract, einsum, matmul, transpose
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.cumulative import cumsum, cumulate
from symnet.expr.nodes.elementwise import elementwise, exp, log, maximum, sigmoid, where, xlogy
from symnet.expr.nodes.expansion import expand, fill
from symnet.expr.nodes.extents import dim, ints_arg, shape_arg
from symnet.expr.nodes.indexing import take, taken_rows
from symnet.expr.nodes.linalg import det, inv, logdet, solve
from symnet.expr.nodes.movement import Place, concat, pad, reshape, stack
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.norms import norm
from symnet.expr.nodes.recurrence import cumprod, linear_recurrence
from symnet.expr.nodes.reduction import argmax, log_softmax, logsumexp, prod, softmax
from symnet.expr.nodes.reduction import max as largest
from symnet.expr.nodes.symbols import Sealed, tensor
from tests.simplify.stable_examples import HYPERBOLIC, STABLE

m = dim("m")
half = sympy.Rational(1, 2)
a, b, s = tensor("a"), tensor("b"), tensor("s")
x, y, w = tensor("x", 4), tensor("y", 4), tensor("w", 3)
p, q, t = tensor("p", 4, positive=True), tensor("q", 4, nonnegative=True), tensor("t", positive=True)
k = tensor("k", 4, integer=True)
v = tensor("v", m)
Z, G = tensor("Z", m, 4), tensor("G", m, 4)
D = tensor("D", m, 4, one_hot=True)
P, T = tensor("P", m, 4, positive=True), tensor("T", m, 4, simplex=True)
A, B, C = tensor("A", 4, 3), tensor("B", 3, 4), tensor("C", 4, 3)
S = tensor("S", 4, 4, symmetric=True)
V = tensor("V", 4, 2)
M, K, U = tensor("M", 4, 4), tensor("K", 4, 4), tensor("U", 3, 4, 4)
M2, M3 = tensor("M2", 2, 2), tensor("M3", 3, 3)


shifted = argmax(V, 1)
w4, u = tensor("w4", 4), tensor("u", 7)
joint = concat([x > 0, w > 0])
joined = concat([ew.indicator(x > 0), ew.indicator(w > 0)])
count = total(ew.indicator(M > 0), 0)
counts = matmul(D.T, ew.indicator(G > 0))
signs = ew.indicator(x > 0) + ew.indicator(y > 0)
denied = ew.indicator(ew.logical_not(x > 0)) + ew.indicator(ew.logical_not(y > 0))
some = ew.logical_or(x > 0, pad(w > 0, [(0, 1)]))
masks = ew.indicator(x > 0) + pad(ew.indicator(w > 0), [(0, 1)])


def rows_of(u: Node) -> Node:
    """(4,) repeated along three columns."""
    return expand(u, (*u.shape, 3), (0,))


def rows(u: Node) -> Node:
    """A column of values repeated along the classes."""
    return expand(u, Z.shape, (0,))


def place_backwards(u: Node) -> Node:
    """The adjoint of u[::-1]."""
    return Place(u, shape_arg(u.shape), shape_arg((3,)), ints_arg((-1,)))  # type: ignore[return-value]


EXAMPLES: dict[str, list[Node]] = {
    "open_nested_sums_and_products": [(a + x) + (x + y), x - (y - a), (x * y) * (a * x)],
    # constant arrays
    "unseal_what_does_not_open": [Sealed(exp(x)), x * Sealed(2 * y), Sealed(number(2)), Sealed(3 * (x + y * y)) * x],
    "write_regular_arrays": [
        x + np.ones(4),
        np.eye(4) @ x,
        np.full((4, 4), 0.5) * M,
        M + np.eye(4, dtype=int),
        total(np.zeros((2, 4)) * x),
        concat([x, np.zeros(3)]) + tensor("x7", 7),
    ],
    # elementwise
    "repeat_after_computing": [exp(rows(v)), maximum(Z, fill(0, Z.shape)), where(rows(v) > 0, Z, rows(v))],
    "evaluate_at_number": [exp(number(0)) * x, log(number(2)) + x, ew.tanh(number(0)) + x],
    "take_sign_out_of_odd_function": [ew.tanh(-x), ew.sin(-2 * x), ew.tanh(x - y)],
    "function_of_its_inverse": [ew.atanh(ew.tanh(x)), 2 * ew.sin(ew.asin(x)), ew.acosh(ew.cosh(x - y))],
    "drop_sign_in_even_function": [ew.cos(-x), abs(-x), ew.cosh(x - y)],
    "complement_sigmoid_of_negative": [sigmoid(-x), sigmoid(x - y)],
    "drop_abs_of_nonnegative": [abs(p), abs(exp(x))],
    "sign_of_positive_is_one": [ew.sign(p), ew.sign(exp(x))],
    "floor_of_integer_is_itself": [ew.floor(k)],
    "cube_of_cube_root": [ew.cbrt(x) ** 3, ew.cbrt(x - y) ** 3 * a],
    "drop_clipping_at_zero": [maximum(p, 0), maximum(0, softmax(Z))],
    "drop_choice_between_equals": [maximum(x, x), where(x > 0, y, y), maximum(a, fill(a, (4,)))],
    "where_of_one_and_zero_is_indicator": [where(x > 0, 1, 0), where(x > 0, 0, 1), where(x > 0, -1, 0)],
    "drop_choice_of_what_is_zero_beyond": [
        where(ew.logical_or(x > 0, y > 0), ew.indicator(x > 0) - 2 * where(y > 0, log(y), 0), 0),
        where(pad(w > 0, [(1, 0)]), pad(where(w > 0, 1 / w, 0), [(1, 0)]), 0),
        where(count > 0, 3 * count, 0),
    ],
    "indicator_above_zero_is_its_condition": [
        where(ew.indicator(x > 0) > 0, x, y),
        where(5 * ew.indicator(x > 0) > 0, x, y),
    ],
    "settle_comparison_in_its_own_branch": [
        where(x >= 0, 1, ew.indicator(x <= 0) * exp(x)),
        where(x < y, ew.indicator(x <= y), y),
        where(x > y, ew.indicator(x <= y) * w[0], w[1]),
    ],
    "settle_condition_in_its_own_branch": [
        where(x < y, ew.indicator(x < y), y),
        where(x >= 0, 1, exp(ew.minimum(x, 0))),
        where(y < x, maximum(x, y) * a, log(ew.minimum(y, x))),
        where(x > 0, 1 + where(x > 0, y, x) * 2, where(x > 0, a, exp(where(x > 0, a, b)))),
        where(elementwise("and", x > 0, y > 0), where(x > 0, x, y), where(y > 0, x, y)),
        where(elementwise("or", x > 0, y > 0), a, where(x > 0, x, y)),
        where(joint, u * concat([where(x > 0, y, 1), ew.indicator(w > 0) * w]), 0),
        where(pad(w > 0, [(1, 0)]), x - pad(where(w > 0, w, 1), [(1, 0)]), 0),
        where(reshape(transpose(M > 0), 16), 1 - reshape(transpose(ew.indicator(M > 0)), 16) * a, 0),
    ],
    "connect_conditions_in_order": [
        where((y > 0) & ((x > 0) & (y > 0)), x, y),
        where((y > 0) | (x > 0), x, y),
    ],
    "connect_before_negating": [where(~(x > 0) & ~(y > 0), x, y), where(~(x > 0) | ~(y > 0), x, y)],
    "where_not_is_where_turned": [where(ew.logical_not(x > 0), x, y)],
    "drop_branch_that_is_never_taken": [
        where(ew.logical_or(x > 0, ew.logical_not(x > 0)), x, y),
        where(ew.logical_and(ew.logical_and(x > 0, y > 0), ew.logical_not(x > 0)), x, y),
        ew.indicator(ew.logical_or(ew.logical_not(x > 0), ew.logical_or(y > 0, x > 0))) + x,
    ],
    "multiply_into_choice_to_cancel": [
        x * where(y > 0, a / x, y),
        sigmoid(x) * (1 - sigmoid(x)) * where(y > 0, 1 / sigmoid(x), -1 / (1 - sigmoid(x))),
        x * where(y > 0, y * (a / x + 1), 0) / s,
        where(y > 0, x * sigmoid(y), 0) / sigmoid(y),
        (sigmoid(x) * y)[1:] * where(w > 0, (1 / sigmoid(x))[1:], 0),
    ],
    "choose_before_placing": [
        where(pad(w > 0, [(1, 0)]), pad(ew.indicator(w > 0) * exp(w), [(1, 0)]), 0),
        where(pad(w > 0, [(1, 0)]), -s * pad(1 / w, [(1, 0)]), 0),
    ],
    "take_common_scalar_out_of_where": [where(x > 0, s * x, s * y), where(x > 0, 2 * x, 0), where(x > 0, t * x, 0)],
    "compare_with_number_on_the_right": [ew.indicator(ew.less(0, x)), ew.indicator(ew.greater(y, x))],
    "drop_double_negation": [ew.indicator(elementwise("not", elementwise("not", x > 0)))],
    # exponentials and logarithms
    "log_of_exponential": [log(exp(x))],
    "exponential_of_log": [
        exp(log(p)),
        exp(2 * log(p)),
        exp(x + log(p)),
        exp(x + 2 * log(y)),
        exp(Z - rows(log(total(P, 1)))),
    ],
    "log_of_product": [log(p * exp(x)), log(p**2), log(3 * x * exp(y))],
    "log_of_sum_of_exponentials": [log(total(exp(Z), 1)), log(total(exp(x)))],
    "log_of_one_plus_exponential": [log(1 + exp(x))],
    "spell_log1p_as_log": [ew.log1p(p)],
    "spell_expm1_as_exp": [ew.expm1(x)],
    "xlogy_of_zero_or_one": [xlogy(D, D), xlogy(x, 1), xlogy(0, p)],
    "take_scalars_out_of_xlogy": [xlogy(2 * x, abs(y))],
    "split_xlogy_of_positive": [xlogy(x, p)],
    "zero_one_times_its_log": [ew.indicator(x > 0) * log(ew.indicator(x > 0)) + x],
    "logistic_of_reciprocal": [1 / (1 + exp(-x)), (1 + exp(x)) ** -2],
    "merge_exponentials_of_one_argument": [exp(x) * exp(-2 * x), exp(x) * y / exp(3 * x)],
    "merge_exponentials_that_cancel": [exp(x - y) * exp(y), exp(x + y) / exp(y - 1)],
    "exponential_times_logistic": [exp(-x) * sigmoid(x), exp(x) * (1 - sigmoid(x)), exp(x) / (1 + exp(x))],
    "exponential_over_its_sum_is_softmax": [
        exp(Z) / total(exp(Z), 1, keepdims=True),
        exp(x) / total(exp(x)),
        exp(transpose(V)) / total(exp(transpose(V)), 1, keepdims=True),
    ],
    "weighted_sum_of_exponentials_over_their_sum": [
        total(B * exp(transpose(A)), 1) / total(exp(transpose(A)), 1),
        total(G * exp(Z), 1) / total(exp(Z), 1),
        matmul(exp(Z), V) / total(exp(Z), 1, keepdims=True),
    ],
    # sums
    "factor_common_factors": [x * y + x * a, Z * rows(v) - rows(v), x - x**2, x / p + y / p],
    "collect_like_terms": [x + y + x, 2 * x - y - 2 * x, Z + rows(v) + Z, 2 * x / s + y / s + a, 3 + x - 3],
    "gather_terms_into_their_sum": [
        (x + y) * a + x + y,
        2 * where(ew.logical_or(x > 0, y > 0), signs * sigmoid(w4), 0) - signs,
        2 * where(count > 0, count * sigmoid(x), 0) - count,
        b - where(ew.logical_and(x > 0, y > 0), 0, a * w4 * denied) + 3 * denied,
    ],
    "gather_terms_among_zeros": [
        pad(2 * where(count > 0, count * sigmoid(x), 0), [(1, 2)]) - pad(count, [(1, 2)]),
        2 * pad(x * (y + pad(w, [(0, 1)])) - y / 2, [(1, 2)]) - pad(w, [(1, 3)]),
        pad(2 * where(some, masks * sigmoid(x), 0) - ew.indicator(x > 0), [(2, 0)])
        - pad(ew.indicator(w > 0), [(2, 1)]),
        pad(x * (1 + pad(w, [(1, 0)])) + 1, [(1, 2)]) + pad(w, [(2, 2)]) + tensor("x7", 7),
    ],
    "contract_beside_choice": [
        counts - where(counts > 0, matmul(D.T, where(G > 0, sigmoid(Z), 0)), 0),
        3 * where(counts > 0, matmul(D.T, where(G > 0, Z, 0)), 0) + M - 3 * counts,
    ],
    "join_choices_by_one_condition": [
        where(x > 0, y, 0) + where(x > 0, 0, 2 * x),
        ew.indicator(x > 0) + where(x > 0, 0, exp(x)) + y,
        where(x > 0, y, x) - 2 * where(x > 0, 0, y) + a,
        reshape(where(G > 0, Z, 0), (4 * m,)) + ew.indicator(reshape(G > 0, (4 * m,))),
        reshape(ew.indicator(G > 0) * Z, (4 * m,)) - ew.indicator(reshape(G > 0, (4 * m,))),
    ],
    "collect_products_bracketed_differently": [
        (M @ K) @ A + M @ (K @ A),
        (S @ A) @ B + A.T.T @ B + S @ (A @ B),
        ((A.T @ S) @ V).T * a - V.T @ (S @ A) * a * 3,
    ],
    "contract_sum_of_operands": [
        A @ w + C @ w,
        total(Z, 0) - total(G, 0),
        x @ (A @ B) + (A @ B) @ x,
    ],
    "join_what_is_laid_side_by_side": [
        pad(x, [(0, 3)]) + s * pad(w, [(4, 0)]) + tensor("u", 7),
        pad(Z[:, :1], [(0, 0), (0, 3)]) - pad(G[:, 1:], [(0, 0), (1, 0)]),
        pad(v[:2], [(0, m - 2)]) + pad(v[2:], [(2, 0)]),
        pad(x, [(1, 5)]) - pad(w, [(5, 2)]) + a * pad(y, [(1, 5)]),
        ew.indicator(ew.logical_or(pad(x > 0, [(0, 3)]), ew.logical_or(tensor("u", 7) > 0, pad(w > 0, [(4, 0)])))),
    ],
    "expand_to_cancel": [y * (1 - x) - x * (1 - y), (x + y) ** 2 - x**2, (a + x) * (a - x) - a**2],
    # products
    "distribute_number_over_sum": [2 * (a + 2 * x), -(x - y)],
    "collect_powers": [
        x * y * x,
        p / p * x,
        (x * y) ** 2,
        (p**half) ** 2,
        x * elementwise("pow", p, a) / p,
        elementwise("pow", p, x - 1) / elementwise("pow", p, x),
        (p * q) ** half,
        elementwise("pow", elementwise("pow", p, x), 1 / x),
        x * y / x,
        size(10 * m) * x,
        Size(10 * m * m) * v,
        (2 * x - 2 * y) * p,
        expand(x, (3, 4), (1,)) * expand(w, (3, 4), (0,)),
    ],
    "powers_of_zero_and_one_are_themselves": [D * D, D**3 * Z],
    "square_root_of_square": [(x**2) ** half],
    "collect_powers_of_absolute_value": [
        abs(x) ** 2,
        ew.sign(x) * abs(x) ** 3,
        ew.sign(x) * x**2 * y,
        x / abs(x),
        x**2 * abs(x),
        x**3 * abs(x) ** half,
        ew.sign(x) * abs(x) ** half * x,
        ew.sign(x) / abs(x),
        Z * abs(rows(v)) * rows(v) * ew.sign(rows(v)),
    ],
    "quotient_of_sine_and_cosine": [ew.sinh(x) / ew.cosh(x), ew.sin(x) ** 2 * y / ew.cos(x)],
    "factor_beside_delta_takes_its_last_axis": [identity(4) * expand(x, (4, 4), (0,))],
    "multiply_out_delta": [x * (identity(4) - S)],
    "gather_into_mask": [
        K - K * identity(4),
        2 * K * S - M - 2 * K * identity(4) * S,
        K - contract([[0, 0], [0, 1]], [0, 1], K, identity(4)),
    ],
    "cancel_sum_divided_by_its_denominator": [
        (1 - 1 / x) / (1 - x),
        (2 * x + 2 / x) * s / (x**2 + 1) ** 2,
        (Z - 1 / v[:, None]) / (Z * v[:, None] - 1),
    ],
    "quotients_over_one_denominator": [
        (1 - 2 * x**2 / (x**2 + 1)) / (x**2 + 1),
        (1 - abs(x) / (1 + abs(x))) / (1 + abs(x)),
        ((x + 1) / (x - 1) - 1) / (x - 1),
        (1 - x**2 / (x**2 + y**2)) * (x**2 + y**2) ** -half,
        (1 - 2 / (1 + x)) / (1 + x),
        (v[:, None] - Z * v[:, None] / (Z + 1)) / (Z + 1),
    ],
    "distribute_to_cancel": [p * (x / p + y), sigmoid(x) * (1 - sigmoid(x)) * (y / sigmoid(x) - a / (1 - sigmoid(x)))],
    # contractions
    "split_delta_from_product": [
        total(identity(4) * x, 1),
        einsum("ij,jk->ik", identity(4) * x, A),
        total(identity(4) * M * U, 1),
        total(exp(M) * einsum("ijk,jk,kk->ijk", U, identity(4), K), 1),
    ],
    "contract_delta": [identity(4) @ A, einsum("ij,jk,ik->i", identity(4), A, A), einsum("ii->", identity(4)) * x],
    "total_of_distribution_is_one": [
        total(D, 1) * v,
        total(softmax(Z, axis=0), 0) * x,
        total(softmax(Z)) * x,
        total(where(rows(v > 0), softmax(Z), 0), 1) * v,
        total(pad(softmax(M)[2:], [(2, 0), (0, 0)]), 1) * x,
        total(concat([softmax(M)[2:], D[:2]]), 1) * x,
    ],
    "sum_terms_apart": [
        total(1 - D, 1),
        total(Z - total(Z, 1, keepdims=True) / 4, 1),
        total(G + 3 * T, 1),
        total(M - where(expand(x > 0, (4, 4), (0,)), softmax(K), 0), 1),
    ],
    "contract_delta_term_apart": [
        matmul(identity(4) - S, x),
        matmul(A, transpose(A) @ (s * identity(4) + S + V @ transpose(V))),
    ],
    "expectation_of_number_is_itself": [
        total(softmax(x) * (log_softmax(x) + 1)),
        total(softmax(Z) * (G - 2), 1) * v,
        total(T * (G - 2), 1) * v,
    ],
    "sum_before_placing": [total(pad(A, [(1, 2), (0, 0)]), 0), total(pad(x, [(0, 3)]))],
    "sum_before_reshaping": [total(reshape(A, 12)), total(reshape(Z, 2 * m, 2)) * x],
    "sum_what_was_joined_apart": [total(concat([x, w])), total(concat([A, 2 * C], axis=1), 1)],
    "take_common_factors_out_of_operand": [
        einsum("ikl,im->klm", Z[:, :, None] * (identity(4) - P[:, None, :]), G),
        einsum("ijkl,km->ijlm", einsum("ki,jl,kl->ijkl", G, identity(4), Z) - einsum("ki,kj,kl->ijkl", G, P, Z), D),
        *(  # in one of the orders of its terms the first holds the delta twice, the other once
            einsum(
                "ijk,il->ljk",
                identity(4) * einsum("i,ikk,jk->ijk", c, U, identity(4)) + identity(4) * U * c[:, None, None],
                A.T,
            )
            for c in (w, tensor("c", 3))
        ),
    ],
    "drop_idle_contraction": [einsum("ij->ij", Z)],
    "take_scalars_out_of_contraction": [matmul(s * A, w), einsum(",i->", s, x)],
    "take_sign_out_of_contraction": [matmul(A - 2 * C, w), matmul(transpose(A - C), x)],
    "contract_repeated_operand_once": [total(expand(x, (3, 4), (1,)), 0), matmul(rows(v), A)],
    "contract_through_transposition": [matmul(transpose(A), x), einsum("ij,j->i", einsum("i,j->ij", x, w), w)],
    "contract_through_reordered_sum": [matmul(einsum("jki->ij", U), B)],
    "turn_each_outer_product_of_sum": [
        (einsum("i,j->ij", x, y) * 2 + a * einsum("i,j->ij", w4, x)).T,
        transpose(einsum("ij,k->ijk", M, x) - einsum("i,j,k->ijk", x, y, w4), (2, 0, 1)),
    ],
    "sum_a_sum_at_once": [total(total(Z, 1)), transpose(A @ B)],
    "order_indices_of_symmetric_operand": [transpose(S) @ x, transpose(S) * 2],
    "take_unsummed_factors_out_of_contraction": [total(Z * rows(v), 1), einsum("i,ij,jk->ik", x, A, B)],
    "sum_lonely_axes_first": [total(A @ B, 0), einsum("ij,k->i", A, x)],
    "product_instead_of_idle_contraction": [einsum("i,ij->ij", x, A), einsum("i,i->i", x, x**-2)],
    "multiply_operands_of_equal_indices": [einsum("ij,ji->", A, B), x @ y, einsum("ki,kj,kj->ij", V, A, C)],
    "order_operands_by_output": [einsum("jk,ij->ik", B, A)],
    "order_equal_operands": [einsum("i,j,ji->", x, x, tensor("z", 4, 4))],
    "contract_separate_parts_apart": [einsum("ij,j,kl,l->ik", M, x, K, y)],
    # linear algebra
    "multiply_by_inverse": [solve(M, x), solve(M, V), solve(M, M @ V)],
    "inverse_of_inverse": [inv(inv(M))],
    "inverse_of_identity": [inv(identity(4)), inv(2 * identity(4))],
    "take_scalars_out_of_inverse": [inv(2 * M), inv(a * b * M), inv(M / 3) @ x],
    "take_sign_out_of_inverse": [inv(M - K) + inv(K - M)],
    "inverse_of_transpose": [inv(M.T), inv(transpose(M)) @ x],
    "inverse_of_product": [inv(M @ K), inv(M @ K) @ M @ K, inv(M @ K @ M.T)],
    "inverse_of_diagonal": [inv(identity(4) * x), inv(contract([[0], [0, 1]], [0, 1], x, identity(4)))],
    "repeat_after_inverting": [inv(expand(M, (3, 4, 4), (1, 2))), inv(expand(M, (2, 4, 4), (1, 2))) @ V],
    "repeat_after_eliminating": [det(expand(M, (3, 4, 4), (1, 2))), logdet(expand(M, (2, 4, 4), (1, 2))) + a],
    "determinant_of_identity": [det(identity(4)) + a, logdet(identity(4)) + a],
    "determinant_of_transpose": [det(M.T), logdet(M.T)],
    "determinant_of_inverse": [det(inv(M)), logdet(inv(M)) + logdet(M)],
    "determinant_of_product": [det(M @ K), logdet(M @ K @ M.T), det(M @ K) / det(K)],
    "take_scalars_out_of_determinant": [det(2 * M), logdet(a * M), det(a * b * M)],
    "take_sign_out_of_logdet": [logdet(M - K) - logdet(K - M)],
    "determinant_of_diagonal": [det(identity(4) * x), logdet(identity(4) * p)],
    "log_of_determinant": [log(abs(det(M)))],
    "cancel_inverse": [
        inv(M) @ M @ V,
        M.T @ inv(M).T,
        S @ inv(S).T @ V,
        inv(A.T @ A) @ (A.T @ A),
        inv(M) @ (M @ V),
        einsum("ij,kj->ik", inv(S), S) @ V,
    ],
    "cancel_inverse_of_product": [
        inv(A.T @ A) @ (A.T @ (A @ w)),
        inv(M) @ (M @ x),
        inv(S) @ (S.T @ x) + 1,
        inv(A.T @ S @ B.T).T @ (B @ (S @ (A @ w))),
        A @ inv(A.T @ A) @ A.T @ A @ w,
        3 * inv(A.T @ (p[:, None] * A)) @ (A.T @ (p * (A @ w))),
    ],
    "take_value_into_its_correction": [
        w - solve(A.T @ A, A.T @ (A @ w - x)),
        x - inv(M) @ (M @ x - y),
        x - inv(M).T @ (M.T @ x - a * y),
        x - 2 * inv(M + M.T) @ ((M + M.T) @ x / 2 - y),
        y + x - inv(S + t * identity(4)) @ (S @ x + t * x - y),
        C - solve(S, S @ C - A),
        w - inv(A.T @ S @ B.T).T @ (B @ (S @ (A @ w)) - total(A, 0)),
    ],
    # movement
    "move_nothing": [pad(x, [(0, 0)]), reshape(reshape(A, 12), 4, 3)],
    "repeat_at_once": [expand(expand(x, (3, 4), (1,)), (2, 3, 4), (1, 2))],
    "reshape_at_once": [reshape(reshape(A, 2, 6), 12)],
    "place_zeros": [pad(fill(0, (4,)), [(1, 1)]) + tensor("u", 6)],
    "meet_among_zeros": [
        pad(sum((n * pad(x * y**n, [(n, 3 - n)]) for n in range(4)), pad(x, [(0, 3)]))[:, None], [(0, 0), (0, 40)])
        - pad(x[:, None], [(0, 3), (0, 40)]),
        pad((pad(x, [(1, 0)]) + 2 * pad(y, [(0, 1)]))[:, None], [(0, 0), (0, 2)]) - pad(x[:, None], [(1, 0), (0, 2)]),
    ],
    "add_before_placing": [
        pad(x, [(1, 1)]) - 2 * pad(y, [(1, 1)]),
        reshape(pad(x, [(1, 1)]), 2, 3) - 2 * reshape(pad(y, [(1, 1)]), 2, 3),
        pad(1 - sigmoid(x)[2:], [(2, 0)]) - pad(sigmoid(x)[2:], [(2, 0)]),
        pad(A, [(1, 0), (0, 0)]) - rows_of(pad(x, [(1, 0)])),
    ],
    "move_a_constant": [reshape(fill(s, (4, 3)), 12), fill(s, (4,))[1:]],
    "take_scalars_out_of_movement": [
        *(rows(s * v), (s * x)[1:], pad(2 * x, [(1, 0)]), reshape(s * A, 12)),
        pad(fill(-1, (2,)), [(1, 0)]) + w,
    ],
    "reshape_without_new_axes": [reshape(expand(x, (4, 1), (0,)), (2, 2))],
    "drop_axes_by_reshape": [contract([(0, 1, 2)], (0, 1), reshape(x, (2, 2, 1)))],
    "drop_axes_before_joining": [
        contract([(0, 1)], (0,), concat([reshape(x, (4, 1)), reshape(w, (3, 1))])),
    ],
    "join_the_conditions": [concat([ew.indicator(x > 0), ew.indicator(w > 0)]), where(joint, joined * exp(u), 0)],
    "move_before_negating": [where(elementwise("not", elementwise("lt", y, x))[1:], w, 0)],
    "multiply_before_placing": [pad(x, [(1, 2)]) * tensor("u", 7), pad(w, [(0, 1)]) * A.T * exp(s)],
    "slice_one_of_what_is_joined": [(concat([x, w]) * tensor("u", 7))[4:], sigmoid(concat([x, w]) + s)[:4]],
    "reduce_before_joining": [total(concat([exp(M), exp(K)]), 1), largest(concat([sigmoid(M), K], 1), 0)],
    "take_sign_out_of_movement": [(x - 2 * y)[1:]],
    "slice_what_was_placed": [pad(x, [(1, 2)])[1:5]],
    "slice_one_of_the_joined": [concat([x, w])[4:], concat([x, w])[:4]],
    "join_parts_of_one": [concat([x[:2], x[2:]]), concat([Z[1:, 2:3], Z[1:, 3:]], 1), concat([v[:1], v[1:2], v])],
    "join_a_constant": [concat([fill(a, (2,)), fill(a, (2,))]) * x],
    "take_common_scalar_out_of_concat": [concat([s * x, s * w])],
    # cumulative sums
    "sum_nothing_up": [cumsum(fill(0, (4,))) + x, cumsum(tensor("u", 6, 1), 1)],
    "take_scalars_out_of_cumsum": [cumsum(s * x), cumsum(-x), cumulate(2 * a * A, 1, True)],
    "repeat_after_cumulating": [cumsum(rows(v), 1), cumsum(rows(v), 0), cumulate(fill(s, (4,)), 0, True)],
    "multiply_nothing_up": [
        cumprod(fill(1, (4,)), exclusive=True) + x,
        cumprod(fill(0, (4,))) * x,
        cumprod(tensor("u", 6, 1), 1),
        cumprod(tensor("u", 6, 1), 1, exclusive=True),
    ],
    "recur_without_steps": [
        linear_recurrence(0, x),
        linear_recurrence(x, 0),
        linear_recurrence(x[:1], tensor("u", 6, 1), reverse=True),
        linear_recurrence(s, tensor("u", 6, 1), exclusive=True),
    ],
    "recurrence_of_ones_is_cumsum": [linear_recurrence(1, x), linear_recurrence(1, A, 0, reverse=True)],
    "take_scalars_out_of_recurrence": [linear_recurrence(x, s * y), linear_recurrence(A, -2 * a * C, exclusive=True)],
    "repeat_after_recurring": [
        cumprod(rows(v), 0),
        linear_recurrence(rows(exp(v)), rows(v), 0, reverse=True),
        linear_recurrence(s, rows(v), 0),
    ],
    "recur_before_reversing": [
        cumprod(x[::-1], exclusive=True)[::-1],
        linear_recurrence(x[::-1], y[::-1]),
        linear_recurrence(s, Z[:, ::-1], reverse=True),
    ],
    "cumulate_before_reversing": [cumsum(x[::-1])[::-1], cumsum(Z[:, ::-1], 1)],
    "move_what_is_repeated": [rows(v)[:, 1:], take(expand(w, (4, 3), (1,)), shifted), take(rows_of(x), shifted)],
    "compare_before_turning": [
        where(elementwise("lt", transpose(A), 2), 1, transpose(A)),
        where(elementwise("lt", transpose(A), transpose(C)), 1, 0),
        where(
            elementwise("and", elementwise("lt", reshape(x, (2, 2)), 0), elementwise("lt", reshape(y, (2, 2)), 1)), 2, 3
        ),
    ],
    "move_the_condition": [
        ew.indicator(x > 0)[1:],
        reshape(ew.indicator(x > 0), 2, 2),
        ew.indicator(A > 0)[:, :1][:, 0],
    ],
    "slice_at_once": [x[::-1][::-1], x[1:][::2], Z[1:, 1:][:, ::-1]],
    "place_what_was_turned": [cumsum(place_backwards(x)), Place(w, shape_arg((8,)), shape_arg((6,)), ints_arg((-2,)))],
    "slice_before_dropping_axes": [Z[:, 1][2:], M[1:, 0][::-1], where(reshape((M > 0)[:, 1:2], 4)[::-1], x, 0)],
    "place_at_once": [
        pad(pad(x, [(1, 0)]), [(2, 3)]),
        pad(expand(pad(x, [(1, 0)]), (1, 5), (1,)), [(1, 2), (0, 0)]),
    ],
    "place_before_repeating": [pad(rows(v), [(1, 2), (0, 0)]), pad(fill(2, (3, 4)), [(0, 0), (1, 0)])],
    # logarithms of what is moved or selected
    "compute_before_moving": [
        log(1 - transpose(sigmoid(Z))),
        log(sigmoid(Z)[1:, 2]),
        log(concat([sigmoid(x), 1 - sigmoid(y)])),
        1 + reshape(exp(x), 2, 2),
        exp(Z)[1:] * rows(exp(v))[1:],
    ],
    "cumulate_before_moving": [cumsum(exp(Z)[1:], 1), cumsum(take(exp(A), shifted), 1)],
    "cumulate_before_placing": [
        cumsum(pad(Z, [(1, 2), (0, 0)]), 1),
        cumulate(pad(A[:, :2] * B[:2, 0], [(0, 0), (1, 0)]), 0, True),
    ],
    "cumulate_before_joining": [log(cumsum(concat([exp(M), K[::-1]]), 1))],
    "reduce_before_moving": [
        log(total(exp(Z)[1:], 1)),
        largest(sigmoid(Z)[1:], 1),
        total(take(exp(A), shifted), 1),
    ],
    "read_operand_in_its_own_order": [
        contract([[0, 1], [0, 2]], [1, 2], sigmoid(transpose(V)) + 2, transpose(V)),
        contract([[0, 1], [0, 2]], [1, 2], 1 / (2 + transpose(C)), B),
    ],
    "undo_move_below_functions": [
        (1 - sigmoid(M[0, ::-1]))[::-1],
        (1 / (1 + (x**2)[::-1]))[::-1],
        transpose(sigmoid(transpose(Z)) + 2),
        (sigmoid(2 * u[::-1]) * (concat([w, x[::-1]]) + pad(y, [(1, 2)])))[::-1],
        (sigmoid(x[::-1]) * ew.indicator(exp(y) > 2)[:])[::-1],
        reshape(sigmoid(reshape(Z, *Z.shape[::-1])), *Z.shape),
    ],
    "meet_through_movement": [
        logsumexp((G - G[:, :1])[::-1], 1) + G[::-1, 0],
        (1 + x)[1:] - 1,
        (x**2)[1] / x[1],
        (1 - 1 / x)[1:] / (1 - x[1:]),
        (x**2)[1] / x[1:2],
        (x**4)[1:] ** (1 / 4),
        (x + abs(x))[1:] + 2 * ew.softplus(-abs(x)[1:]),
        concat([x**2, (x**2)[:2]]) ** (1 / 2),
        maximum(x, 0)[1:] + log(1 + exp(-abs(x)[1:])),
        A[2:] - rows_of(logsumexp(A[1:], 1)[1:]),
        concat([x, x[:2]]) * concat([1 / x, (1 / x)[:2]]),
        1 / (exp(-concat([x, w])) + concat([exp(x), exp(w)])),
        log((p**2)[1:]),
        log(concat([total(D * P, 1), v])),
    ],
    "softplus_beside_its_argument": [
        x + ew.softplus(-x),
        x - log(sigmoid(x)),
        2 * x - 2 * y - 2 * ew.softplus(x - y) + a,
    ],
    "log_of_products_so_far": [
        log(cumprod(sigmoid(Z), 1)),
        log(cumprod(P * exp(Z), 0, reverse=True)),
        log(sigmoid(x) * cumprod(1 - sigmoid(x), exclusive=True)),
    ],
    "log_of_reduction": [log(largest(sigmoid(Z), 1)), log(prod(softmax(Z), 1)), log(largest(P * sigmoid(Z), 1))],
    "log_of_choice": [
        log(where(x > 0, sigmoid(x), 0)),
        log(where(y > 0, sigmoid(x), 1 - sigmoid(x))),
        log(maximum(sigmoid(x), exp(y))),
    ],
    "log_of_difference_of_logistics": [log(sigmoid(x) - sigmoid(y)), log(2 * sigmoid(x + 1) - 2 * sigmoid(x))],
    "log_of_complements_of_classes": [log(1 - softmax(x)), xlogy(y, 1 - softmax(x)[::-1])],
    "log_of_some_probabilities": [
        log(softmax(Z)[:, 0] + softmax(Z)[:, 2]),
        log(1 - softmax(Z)[:, 1]),
        log(1 - total(D * softmax(Z), 1)),
        log(total(softmax(Z)[:, 1:], 1)),
    ],
    # reductions
    "reduce_before_repeating": [logsumexp(x[None], 1), largest(rows_of(x), 0)],
    "reduce_repeated_operand_once": [largest(rows(v), 1), logsumexp(rows(v), 1), prod(rows(v))],
    "logsumexp_of_log_softmax": [logsumexp(log_softmax(Z), 1) + v],
    "take_constant_terms_out_of_reduction": [logsumexp(Z + rows(v), 1), largest(Z + a, 1), logsumexp(x + 2)],
    "reduce_what_was_joined_apart": [
        largest(stack([x, y]), 0),
        -largest(-2 * stack([x, y], 1), 1),
        prod(concat([A, 2 * C]), 0),
        prod(stack([x, fill(1, (4,))]), 0),
    ],
    "reduce_at_once": [largest(largest(Z, 1)), logsumexp(logsumexp(Z, 0))],
    "logsumexp_of_log": [logsumexp(log(P), 1)],
}

NUMERIC: dict[str, list[Node]] = {
    "convert_whole_numbers_among_reals": [np.arange(4) * x, x + np.arange(4), np.arange(12).reshape(3, 4) @ x],
    "complement_of_logistic": [
        1 - sigmoid(x),
        2 - 2 * sigmoid(x),
        y + 3 - y * sigmoid(x),
    ],
    "logistic_minus_target": [sigmoid(x) - y, y - sigmoid(x)],
    "one_less_squares_of_softmax": [
        1 - total(softmax(Z) ** 2, 1),
        2 * x[0] - 3 * total(softmax(x) ** 2) + 3,
        softmax(x) - total(softmax(x) ** 2),
    ],
    "softmax_minus_target": [
        softmax(Z) - D,
        rows(total(G, 1)) * softmax(Z) - G,
        softmax(Z, axis=0) - G,
        1 - softmax(Z)[:, 1:],
        1 - softmax(x),
    ],
    "softmax_by_shifted_exponentials": [softmax(Z), softmax(Z, axis=0), softmax(x)],
    "difference_of_logsumexps": [logsumexp(x) - logsumexp(y)],
    "difference_from_logsumexp": [
        A[:, ::-1] - rows_of(logsumexp(A, 1)),
        A[2:] / 2 - rows_of(logsumexp(A[1:] / 2, 1)[1:]),
    ],
    "log_softmax_by_shifted_exponentials": [log_softmax(Z), log_softmax(Z, axis=0), 2 * log_softmax(Z) + rows(v) - G],
    "logsumexp_by_shifted_exponentials": [logsumexp(Z, 1), logsumexp(Z), logsumexp(contract([[0, 1]], [1, 0], Z), 0)],
    "log_of_logistic": [log(sigmoid(x)), log(1 - sigmoid(x))],
    "log_of_one_plus_is_log1p": [log(1 + p), log(1 + p + s**2)],
    "exponential_minus_one_is_expm1": [exp(x) - 1, 3 - 3 * exp(x), exp(x) + y - 1],
    "scale_before_repeating": [2 * rows(v) + Z, Z - rows(total(Z, 1)) / 4, Z + s * rows(v)],
    "factor_times_log_is_xlogy": [x * log(p), x * log(q), D * log(P), 2 * s * x * log(p)],
    "cofactors_instead_of_inverses": [
        det(M) * inv(M).T,
        det(M3) * inv(M3).T,
        det(M3) ** 2 * inv(M3)[0, 1],
        s * det(M2) * (inv(M2) + inv(M2).T),
    ],
    "solve_instead_of_inverting": [
        inv(M) @ x,
        x @ inv(M) @ y,
        inv(M) @ V,
        x @ inv(M),
        inv(M) @ inv(K),
    ],
    "power_below_a_zero_exponent": [a * x ** (a - 1), y * x ** (y - 1), total(y * s ** (y - 1))],
    "nothing_over_a_positive_variable": [y / p, s * y / p],
    "one_less_square_of_cotangent": [1 - elementwise("tanh", x) ** -2, 2 - 2 / elementwise("tanh", s) ** 2 + a],
    "root_of_squares": [
        norm(x),
        norm(Z, axis=1),
        elementwise("pow", s**2 + 2 * a**2, half),
        norm(x, ord=3),
        total(p * x**2) ** half,
    ],
    "log_of_even_power": [log(x**2), 3 * log(s**-4)],
    "root_of_whole_squares": [norm(x * y), 1 / norm(x**2 / (1 + s**2)), elementwise("pow", s**4 + 2 * a**2, half)],
    "log_of_whole_squares": [log(total((x * y) ** 2)), log(s**4 + a**2 * b**2)],
    "quotient_by_squares": [
        a / (a**2 + b**2),
        (w[:2] * x[:2]) * (y[:2] ** 2 + x[:2] ** 2) ** (-3 * half),
        a * s / total(p * x**2),
    ],
    "multiply_before_asking": [
        where(Z > 0, G, 0) @ where(ew.greater(total(ew.indicator(Z > 0), 0), 0), M, 0).T,
        ew.indicator(Z > 0) @ where(ew.greater(total(ew.indicator(Z > 0), 0), 0), V.T, 0).T,
    ],
    "multiply_into_choice_of_quotient": [
        a * where(b > 0, a / (1 + a**2) ** 2, 0),
        x * (where(y > 0, x / (1 + x**2) ** 2, 0) + where(x > y, y / (x**2 + y**2) ** 2, 0)),
    ],
    "scalar_product_over_norm": [x @ y / norm(x), total(x * y) / (norm(x) * norm(y))],
    "log_of_squares": [log(total(Z**2, 1)), log(a**2 + b**2), log(total(p * x**2))],
    "slope_of_norm_of_order": [
        x * abs(x) / norm(x, ord=3) ** 2,
        x * abs(x) * p / total(p * abs(x) ** 3) ** sympy.Rational(2, 3),
    ],
    "zero_of_squares": [x / norm(x), total(p * x * y) / total(p * x**2) ** half],
    "slope_of_norm_at_zero": [
        x / norm(x),
        Z / norm(Z, axis=1, keepdims=True),
        x * (y @ x) / norm(x),
        -x / norm(x),
        (x - M @ x) / norm(M @ x - x),
        x * (x @ y) / total(x**2),
    ],
    "curvature_of_norm_at_zero": [
        (y - x * (x @ y) / total(x**2)) / norm(x),
        y / norm(x) - x * (x @ y) / norm(x) ** 3,
    ],
}

largest_place = argmax(y)
EXAMPLES |= {
    "choose_instead_of_summing_zeros": [
        matmul(pad(x[:1], [(1, 2)]), A),
        matmul(pad(x[2:3] * y[:1], [(3, 0)]), M),
        einsum("ij,jk->ik", pad(M[:, 1:2], [(0, 0), (2, 1)]), A),
        einsum("i,ij,ik->jk", pad(s * fill(1, (1,)), [(0, 3)]), A, M),
    ],
    "take_instead_of_summing_one_hot": [
        matmul(taken_rows(largest_place, 4), A),
        einsum("i,ij,ik->jk", taken_rows(largest_place, 4), A, M),
        total(s * taken_rows(largest_place, 4) * exp(x)),
    ],
    "extreme_with_rounded_corner": [
        maximum(x, y) + log(1 + exp(-abs(x - y))),
        elementwise("minimum", a, 0) - log(1 + exp(-abs(a))),
        where(s > 0, s, 0) + log(1 + exp(-abs(s))),
        2 * maximum(x, 0) - x * y + 2 * log(1 + exp(-abs(x))),
    ],
    "rounded_corners_in_sums": [
        total(maximum(x, 0)) + total(log(1 + exp(-abs(x)))),
        total(abs(A), 1) / 3 + total(log(1 + exp(-2 * abs(A))), 1) / 3,
        total(maximum(x, 0)) - total(log(sigmoid(abs(x)))),
        total(y * maximum(x, 0)) + total(y * log(1 + exp(-abs(x)))),
    ],
    "absolute_with_rounded_corner": [
        (x + abs(x)) / 2 + log(1 + exp(-abs(x))),
        abs(a) + log(1 + exp(-2 * abs(a))),
    ],
}
EXAMPLES |= HYPERBOLIC
NUMERIC |= STABLE
