"""For the rewrites of exponentials, logarithms and roots that keep digits: expressions on which each fires."""

from __future__ import annotations

import sympy

from symnet.expr.nodes import elementwise as ew
from symnet.expr.nodes.constants import identity
from symnet.expr.nodes.contraction import contract, mean
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.cumulative import cumsum, cumulate
from symnet.expr.nodes.elementwise import exp, log, sigmoid, sqrt, tanh, where, xlogy
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.indexing import take, taken_rows
from symnet.expr.nodes.movement import concat, pad
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import argmax, log_softmax, logsumexp, softmax
from symnet.expr.nodes.symbols import tensor
from symnet.expr.sympy.whole import ROOT, whole

m = dim("m")
x, y, w = tensor("x", 4), tensor("y", 4), tensor("w", 4)
a = tensor("a")
q = tensor("q", 4, nonnegative=True)
u = tensor("u", 4, unit=True)
Q, A4 = tensor("Q", 4, 4), tensor("A4", 3, 4, nonnegative=True)
Z, P = tensor("Z", m, 4), tensor("P", m, 4, positive=True)
D = tensor("D", m, 4, one_hot=True)
E, W = tensor("E", 4, 4), tensor("W", 4, 4, nonnegative=True)
best = argmax(Q, 1)


def outer_of(u: Node, v: Node) -> Node:
    """u·vᵀ with another matrix added, so that its elements are those of a sum."""
    return contract([[0], [1]], [0, 1], u, v) + E


def rows(u: Node) -> Node:
    """(4,) repeated along four columns."""
    return expand(u, (*u.shape, 4), (0,))


HYPERBOLIC: dict[str, list[Node]] = {
    "log_of_chosen_element": [log(total(D * softmax(Z), 1)), log(total(D * P, 1))],
    "sum_of_opposite_exponentials": [exp(x) + exp(-x), exp(x) - exp(-x) + y, y * exp(-x) - y * exp(x)],
    "exponential_over_cosine_is_logistic": [exp(x) / (exp(x) + exp(-x)), exp(-x) / ew.cosh(x)],
    "exponential_over_sum_of_two_is_logistic": [
        exp(x) / (exp(x) + exp(y)),
        y * exp(x) ** 2 / (exp(y) ** 2 + exp(x) ** 2),
    ],
    "difference_over_sum_is_tanh": [
        (exp(x) - exp(y)) / (exp(x) + exp(y)),
        (exp(2 * x) - 1) / (exp(2 * x) + 1),
        (1 - exp(-x)) / (1 + exp(-x)),
    ],
    "exponential_times_difference": [exp(x) * (1 - exp(-x)), (exp(x) - exp(y)) / exp(x)],
    "sine_over_one_and_cosine_is_tangent": [ew.sinh(x) / (1 + ew.cosh(x)), ew.sin(x) / (1 + ew.cos(x))],
}

STABLE: dict[str, list[Node]] = {
    "difference_of_squares_under_a_power": [y / (1 - x**2), 1 / sqrt(x**2 - 1)],
    "multiply_by_roots_one_by_one": [y / sqrt(x**2 - 1)],
    "one_less_erf_is_erfc": [
        1 - ew.erf(x),
        x * (1 + ew.erf(x / 2)),
        y + 2 - 2 * ew.erf(x),
        2 - ew.erfc(x),
        y * (1 - ew.erfc(x) / 2),
    ],
    "gammas_by_their_logarithms": [
        ew.gamma(q + 2) / (ew.gamma(q + 1) * ew.gamma(u + 1)),
        x * ew.gamma(y) ** 2 / ew.gamma(2 * y),
    ],
    "log_of_gammas": [log(ew.gamma(x)), log(3 * ew.gamma(q + 1) / ew.gamma(u + 1))],
    "difference_over_one_denominator": [
        1 - x**2 / (x**2 + 1),
        x - x**2 / (x + 3),
        x / (x + y) - 1 + w,
        2 * x / (x + y + 1) - 2 * x,
    ],
    "leave_out_what_is_symmetric": [
        outer_of(x + y, y)[2, 1] - outer_of(x + y, y)[1, 2],
        outer_of(x, x + y)[0, 3] - outer_of(x, x + y)[3, 0] + a,
    ],
    "one_and_tanh_is_logistic": [1 + tanh(x), 2 - 2 * tanh(x)],
    "logistic_about_its_middle_is_tanh": [
        *(2 * sigmoid(x) - 1, 1 - 2 * sigmoid(x)),
        2 * y * sigmoid(x) - y + 3,
    ],
    "one_and_cosine_by_half_angle": [1 + ew.cosh(x), 1 - ew.cosh(x), 1 - ew.cos(x), 1 + ew.cos(x)],
    "log_of_hyperbolic_cosine": [log(ew.cosh(x)), log(exp(x) + exp(-x)), log(3 * ew.cosh(x))],
    "log_of_quotient_near_one": [log((4 + x) / (4 - x)), log((y + x + 9) / (y + 9))],
    "log_of_reciprocal_less_one": [log(1 / u - 1), -log(2 / P - 2)],
    "weighted_log_of_one_plus": [q * log(1 - u), xlogy(1 - u, 1 - u)],
    "log_of_sum_of_exponentials_by_its_largest": [
        log(exp(x) + exp(y)),
        log(exp(x) + 2 * exp(y) + exp(w)),
        log(2 + exp(x)),
        log(1 + total(exp(Z), 1)),
        log(3 * exp(x) + 3 * exp(y)),
    ],
    "log_of_difference_of_exponentials": [log(exp(q + 1) - exp(-q)), log(exp(q + 1) - 1), log(2 - 2 * exp(-q - 1))],
    "weight_of_zero_leaves_out_its_logarithm": [x * log(sigmoid(y)), D * log_softmax(Z) * w],
    "contracted_weight_of_zero_leaves_out_its_logarithm": [w[:2] @ log_softmax(Z[:2])],
    "weight_of_zero_leaves_out_its_logit": [logsumexp(Z, 1) - total(D * Z, 1), logsumexp(x) - 2 * y @ x],
    "log_of_complementary_error_function": [log(ew.erfc(x)), log((1 + ew.erf(x / sqrt(2))) / 2)],
    "bell_over_complementary_error_function": [
        exp(-(x**2)) / ew.erfc(x),
        y * exp(-(x**2) / 2) / (1 + ew.erf(x / sqrt(2))),
        exp(y - 2 * x**2) / ew.erfc(x) ** 2,
    ],
    "bell_into_sum_of_quotients": [exp(-(x**2)) * (y / ew.erfc(x) - w / (1 + ew.erf(x)))],
    "bell_into_choice_of_quotients": [exp(-(x**2)) * where(y > 0, 0, 1 / ew.erfc(x))],
    "log_of_difference_of_error_functions": [log(ew.erf(q + 1) - ew.erf(q)), log(2 * ew.erfc(q) - 2 * ew.erfc(q + 1))],
    "bell_over_difference_of_error_functions": [
        y * exp(-(x**2)) / (ew.erf(y) - ew.erf(x)),
        exp(-(y**2)) / (ew.erf(y) - ew.erf(x)) ** 2,
    ],
    "difference_of_error_functions_below_each_term": [
        (exp(-(y**2)) - w * exp(-(x**2))) / (ew.erf(y) - ew.erf(x)),
    ],
    "log_of_product_with_sums_of_exponentials": [log(total(q * exp(x)) / total(q))],
    "weight_into_sum": [
        total(w) - total(w * sigmoid(x)),
        total(w) / 2 - contract([(0,), (0,)], (), w, exp(x)) / 2,
        total(E, axis=1) - E @ sigmoid(x),
        (E @ (1 - sigmoid(x)) - total(E, axis=1)) / m,
        total(E * W, axis=0) - contract([(0, 1), (0, 1), (0,)], (1,), E, W, sigmoid(x)),
        total(taken_rows(best, 4), axis=0) - taken_rows(best, 4).T @ sigmoid(total(Q, axis=1)),
    ],
    "constant_into_sum": [
        mean(1 - sigmoid(x)),
        2 * total(exp(P) - 1, axis=1) + y[0],
        total(1 - ew.cos(x)) / 3,
        total(1 + tanh(x)),
        mean(sqrt(1 + x * x) - 1),
        3 * total(1 - ew.erf(x)),
        mean(1 / x - 1),
    ],
    "log_of_running_sum_of_exponentials": [log(cumsum(exp(x))), log(cumulate(exp(x), 0, True) / 2)],
    "running_mean_by_scan": [cumsum(exp(x) * y) / cumsum(exp(x))],
    "exponential_of_piece_meets_its_reverse_sum": [
        exp(Q) * cumulate(1 / cumsum(exp(concat([Q, E])), 1), 1, True)[:4],
        w * exp(E) * cumulate(1 / cumsum(exp(concat([Q, E])), 1), 1, True)[4:],
    ],
    "exponential_times_reverse_sum_by_scan": [
        exp(x) * cumulate(y / cumsum(exp(x)), 0, True),
        exp(Q[1:]) * cumulate(E[1:] * (1 / cumsum(exp(Q), 1))[1:], 1, True),
        exp(Q)[::-1] * cumulate(E * (1 / cumsum(exp(Q), 1))[::-1], 1, True),
    ],
    "numerator_less_its_denominator": [
        y * (x**2 - y**2) / (x**2 + y**2) ** 2,
        (x**2 + 1 - y**2) / (x**2 + y**2 + 1),
        (2 * x**2 - y**2) / (y**2 + x**2) * w,
    ],
    "root_less_its_neighbour": [
        sqrt(x**2 + 1) - x,
        sqrt(x + 1) - sqrt(x),
        1 - sqrt(1 - x**2),
        x + y - sqrt((x + y) ** 2 - 1),
    ],
    "exponential_joins_what_is_added_by_index": [
        exp(E) * (taken_rows(best, 4).T @ (W / rows(total(W * exp(take(E, best)), 1)))),
        w * exp(x) * (taken_rows(best, 4).T @ (1 / (2 + exp(take(x, best))))),
        exp(x) * (taken_rows(best, 4).T @ (1 / (2 + exp(take(x[::-1], best)))))[::-1],
    ],
    "exponential_joins_terms_that_are_added_by_index": [
        exp(x) * (y * (taken_rows(best, 4).T @ (1 / (2 + exp(take(x, best))))) - w),
        exp(x)
        * (
            y * (taken_rows(best, 4).T @ (1 / (2 + exp(take(x, best)))))
            - taken_rows(best, 4).T @ (1 / (3 + exp(take(x, best))))
        ),
    ],
    "exponential_joins_its_difference": [
        exp(x) * where(y > 0, w / (exp(y) - exp(x)), 0),
        exp(y[0]) * (where(w[0] > 0, 1 / (exp(y[0]) - exp(x[0])), 0) + w[1] / (exp(y[0]) - exp(x[0]))),
        exp(x) * (where(y > 0, 1 / (exp(y) - exp(x)), 0) + where(w > 0, 0, 1 / (exp(y) - exp(x)))),
        w * exp(x) * where(w > 0, (1 / (exp(y) - exp(x)))[::-1], 0)[::-1],
        exp(x) * exp(y) * where(w > 0, 1 / (exp(x) - exp(y)) ** 2, 0),
    ],
    "reciprocal_less_one": [1 / x - 1, 2 + 2 / x, (1 / E)[1:, 0] - 1],
    "exponential_over_difference": [
        exp(x) / (exp(x) - 1),
        exp(x) * exp(y) / (exp(x) - exp(y)) ** 2,
        exp(x) / (exp(x) - exp(y)) ** 2,
        exp(x) ** 3 * exp(y) / (exp(x) - exp(y)) ** 4,
    ],
    "nothing_over_root_of_nothing": [y / sqrt(q), where(x > 0, y, 0) / sqrt(q)],
    "exponential_joins_power_of_its_product": [exp(x) / (P[0] * exp(x)) ** 8, exp(-2 * x) * y * (y * exp(x)) ** 5],
    "multiply_in_turns": [x**2 * y**2, 2 * x * q**2, x**2 / P[0] ** 3],
    "kept_delta_is_a_choice": [contract([[0, 2], [0, 1]], [0, 1, 2], Q, identity(4))],
    "delta_beside_factors_is_a_choice": [Q * identity(4)],
    "mask_beside_factors_is_a_choice": [Q * (1 - identity(4)), 2 * Q * (identity(4) - 1)],
    "logarithm_joins_its_power": [log(q) * xlogy(q**y, q), 2 * log(q) * q**y * x],
    "slope_by_the_exponent_of_zero": [xlogy(q**y, q), xlogy(y * q ** (y - 1), q)],
}

NESTED: dict[str, list[Node]] = {
    "quotients": [
        exp(x) / (exp(x) + exp(y) + exp(w)),
        (exp(x) - 2) / (exp(x) + 2),
        P * exp(Z) / total(P * exp(Z), 1, keepdims=True),
        exp(x) * exp(y) / (exp(x) + exp(y) + 2) ** 2,
    ],
    "sums of quotients": [
        exp(x) * (y / (exp(x) + exp(w) + 2) - w),
        exp(x) * (pad(1 / (exp(x[:2]) + exp(y[:2])), [(0, 2)]) + x),
        exp(x) * where(y > 0, 1 / (exp(x) + exp(y)), 0),
    ],
    "contractions of quotients": [
        exp(x) * (1 / (A4 @ exp(x)) @ A4),
        exp(x) * (1 / (exp(A4[:, 0]) + A4[0] @ exp(x)) @ A4[:, 1]),
        1 / (exp(A4) @ y) @ exp(A4),
    ],
    "logarithms of weighted sums": [log(total(P * exp(Z), 1))],
    "logarithms of sums of sums": [log(exp(y) * total(exp(x)) + exp(x)), log((exp(x) + exp(y)) * (exp(w) + 2) + 1)],
}

# Quotients whose poles cancel, for the pass that looks for them in whole graphs.
REMOVABLE: dict[str, list[Node]] = {
    "divisors_of_what_is_joined": [concat([ew.sin(a) * x, ew.cos(a) * w]) / a, concat([(1 - ew.cos(a)) * x, w]) / a**2],
    "evaluated_wholes": [
        whole(sympy.sin(ROOT) / ROOT, x),
        y * whole((1 - sympy.cos(ROOT)) / ROOT**2, total(x**2)),
        whole(sympy.cos(ROOT) / ROOT**2 - sympy.sin(ROOT) / ROOT**3, x**2),
    ],
    "limits_of_removable_singularities": [ew.cos(x) / x - ew.sin(x) / x**2, x / tanh(x), (exp(x) - 1 - x) / x**2],
    "powers_by_log1p_near_one": [(1 + x * y) ** (-1 / x), (1 + y * x) ** (-2 - 1 / y), w * (1 + x / 3) ** (1 / x)],
}

SHIFTED: dict[str, list[Node]] = {
    "quotients_by_shifted_squares": [
        y / (1 + x**2),
        w * y * x**3 / (1 + x**2) ** 2,
        x * y**2 / (3 + y**2 / 4),
        (1 - x**2) / (1 + x**2) ** 2,
        y * x * (x**4 - 6 * x**2 + 1) / (3 + x**2 / 4) ** 3,
        y / (1 + (x / (1 + y**2)) ** 2) + x * y * (1 + (x / (1 + y**2)) ** 2) ** (-2),
    ],
}
