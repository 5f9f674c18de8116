"""The algebra form from outside: barriers, shapes, signs, readable sums, the trace."""

from __future__ import annotations

import pytest
import sympy

from symnet.expr.nodes.constants import number, size
from symnet.expr.nodes.contraction import matmul, mean, transpose
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import elementwise, exp, log, sigmoid, tanh, where
from symnet.expr.nodes.expansion import expand, fill
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.movement import pad
from symnet.expr.nodes.reduction import softmax
from symnet.expr.nodes.symbols import Barrier, tensor
from symnet.simplify.algebra.table import simplify

m = dim("m")
a, b, c = tensor("a"), tensor("b"), tensor("c")
x, y = tensor("x", 4), tensor("y", 4)
A, B = tensor("A", 4, 4), tensor("B", 4, 4)


def one(node):
    return simplify([node])[0]


def test_nothing_looks_through_a_barrier():
    barred = Barrier(x + y)
    assert one(barred - x) is not one(y)
    assert barred in one(barred - x).operands
    assert one(log(Barrier(exp(x)))) is log(Barrier(exp(x)))


def test_what_a_barrier_holds_is_simplified_and_its_range_is_used_but_no_tie_between_its_elements():
    assert one(Barrier(x + x)) is Barrier(one(2 * x))
    assert one(abs(Barrier(exp(x)))) is Barrier(exp(x))
    assert one(total(Barrier(softmax(x)))) is total(one(Barrier(softmax(x))))  # 1, but its derivative is not 0
    assert one(transpose(Barrier(A + transpose(A)))) is transpose(Barrier(one(A + transpose(A))))


def test_the_shape_stays_when_the_operand_that_carried_it_goes():
    assert one(A - A + x).shape == (4, 4)
    assert one(A * 0 + a).shape == (4, 4)
    assert one(total(A - A, 1)).shape == (4,)
    assert one(exp(A) / exp(A)) is fill(number(1), (4, 4))


def test_a_sign_is_written_inside_the_sum_it_belongs_to():
    assert one(-(x - y)) is one(y - x)
    assert one((x - y) * -3) is one(3 * (y - x))
    assert one(-(x + y) * a) is elementwise("mul", number(-1), a, one(x + y))
    assert one((1 - y) * (x - 1)) is one(-((y - 1) * (x - 1)))


def test_means_and_small_constants_stay_readable():
    Z = tensor("Z", m, 10)
    centred = one(Z - mean(Z, 1, keepdims=True))
    assert one(2 * (Z - mean(Z, 1, keepdims=True))) is elementwise("mul", 2, centred)
    root = one((mean(Z, 1) + sympy.Rational(1, 100)) ** -1)
    assert number(sympy.Rational(1, 100)) in root.operands[0].operands


def test_scalars_stand_outside():
    X, s = tensor("X", m, 4), tensor("s")
    assert one(matmul(transpose(s * X), X / size(m))) is one(s / size(m) * matmul(transpose(X), X))
    assert one(s * x + s * y) is one(s * (x + y))
    assert one(s * x + s * y + x) is one(x + s * (y + x))
    assert one(expand(s * x, (3, 4), (1,))) is one(s * expand(x, (3, 4), (1,)))


def test_products_that_differ_in_one_matrix_become_one():
    assert one(matmul(A, x) + matmul(x, A)) is one(matmul(A + transpose(A), x))
    assert one(matmul(A, x) - matmul(B, x)) is one(matmul(A - B, x))
    S = tensor("S", 4, 4, symmetric=True)
    assert one(matmul(S, x) + matmul(transpose(S), x)) is one(2 * matmul(S, x))


def test_the_trace_names_every_step():
    trace = []
    simplify([sigmoid(-x) + sigmoid(x)], trace)
    assert "complement_sigmoid_of_negative" in {step.name for step in trace}
    assert trace[-1].result is fill(number(1), (4,))
    assert all(step.place is not step.result for step in trace)


def test_shared_parts_are_simplified_once_and_stay_shared():
    h = tanh(x + y + x)
    first, second = simplify([h * a, h + b])
    assert set(first.operands) & set(second.operands) == {one(h)}


def test_floats_and_exact_numbers_fold():
    assert one(elementwise("mul", 0.5, elementwise("mul", 2, x))) is x
    assert one(elementwise("pow", number(8), number(sympy.Rational(1, 3))) * x) is one(2 * x)
    assert one(elementwise("pow", number(0), number(-1)) * x).shape == (4,)  # 1/0 stays as it is


def test_a_rounded_number_taken_out_of_a_sum_leaves_exact_ones():
    u, r = tensor("u", 3), tensor("r", 3)
    (form,) = simplify([r @ ((0.8 - 0.8 * tanh(u) ** 2) / exp(u))])
    assert str(form) == "0.8*sum(r*(1 - tanh(u)**2)/exp(u))"


@pytest.mark.parametrize("condition", [tensor("w", 2) > 0, tensor("W", 3, 2) > 0])
@pytest.mark.parametrize("x", [tensor("x", 2), tensor("X", 3, 2)])
def test_a_choice_between_what_is_laid_among_zeros_and_zero_takes_any_ranks(condition, x):
    widths = [[(0, 0)] * (part.rank - 1) + [(1, 1)] for part in (condition, x)]
    choice = where(pad(condition, widths[0]), 3 * pad(x, widths[1]), 0)
    assert simplify([choice])[0].shape == choice.shape
