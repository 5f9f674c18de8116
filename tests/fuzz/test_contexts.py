"""A slice of `contexts`: spellings and seeds whose moved, joined, selected or masked members once lost digits.

`python -m tests.fuzz contexts --minutes N --seed S` draws others.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.fuzz.contexts import group_problems
from tests.stability.spellings import FAMILIES

EACH = 6  # members of a group
GROUPS = (  # (seed, family, spelling)
    (7, "log cosh", "log((exp(x) + exp(-x))/2)"),  # smallest of two
    (11, "square root", "x/sqrt(x)"),  # joined with a part
    (1014, "slope of tanh", "4/(exp(x) + exp(-x))**2"),  # joined with a part
    (1018, "logit by a reciprocal", "-log(1/x - 1)"),  # backwards, taken
    (1031, "softmax", "exp(log_softmax(Z))"),  # columns backwards
    (1035, "log1p beside exp", "exp(log(1 + x)) - 1"),  # joined; folded and transposed
    (1043, "softmax", "exp(Z)/sum(exp(Z), axis=1, keepdims=1)"),  # joined and cut
    (1046, "entropy", "-sum(softmax(Z)*log_softmax(Z), axis=1)"),  # joined and cut
    (1050, "log-softmax", "Z - logsumexp(Z, axis=1, keepdims=1)"),  # joined and cut
    (1059, "log-softmax", "log(exp(Z)/sum(exp(Z), axis=1, keepdims=1))"),  # taken
    (1060, "log(exp(a) + exp(b)) by hand", "a + log(1 + exp(b - a))"),  # transposed inside a mask
    (1071, "log-softmax", "log_softmax(Z)"),  # taken
    (1076, "square root", "exp(log(x)/2)"),  # folded and transposed
    (91014, "tanh", "(exp(x) - exp(-x))/(exp(x) + exp(-x))"),  # a slice under a mask
    (70013, "the normal distribution's logarithm", "log((1 + erf(x/sqrt(2)))/2)"),  # a quotient chosen by a mask
    (70015, "x log x", "x*log(x)"),  # an element: the slope of the others is infinite
    (70021, "log(exp(a) - exp(b))", "log(exp(a) - exp(b))"),  # joined and cut inside a choice
    (70025, "log-softmax at a label", "log(sum(D*softmax(Z), axis=1))"),  # joined and cut
    (70035, "log(1 - x), logit", "log(1 + x) - log(1 - x)"),  # joined and cut
    (70040, "weighted log-sum-exp", "log(sum(exp(Z)*P, axis=1)/sum(P, axis=1))"),  # repeated inside a choice
    (70043, "log1p", "log(x + 1)"),  # joined and cut beside a mask
    (70061, "x log x", "x**2*log(x)"),  # folded inside a choice
    (70068, "softmax", "exp(Z)/sum(exp(Z), axis=1, keepdims=1)"),  # backwards beside a mask
    (70083, "weighted log-sum-exp", "log(sum(where(P > 0, P*exp(Z), 0), axis=1))"),  # nested choices
    (70151, "sinh, cosh", "exp(x) - exp(-x)"),  # an element: the slope of the others overflows
    (70155, "softmax", "exp(Z)/sum(exp(Z), axis=1, keepdims=1)"),  # folded and transposed
    (71077, "log(exp(a) + exp(b))", "logsumexp(stack([a, b]), axis=0)"),  # a piece of a softmax of what is joined
    (91006, "squares and complements of softmax", "softmax(Z) - D"),  # rows backwards
    (80018, "logistic", "exp(x/2)/(exp(x/2) + exp(-x/2))"),  # every other: two gradients among the same zeros
    (80152, "log(1 - x), logit", "log((1 + x)/(1 - x))"),  # a slice of minus x
    (81001, "log(1 - x), logit", "log((1 + x)/(1 - x))"),  # joined with a part, joined and cut
    (81016, "logistic", "1 - 1/(1 + exp(x))"),  # a slice: two gradients among the same zeros
    (70121, "log(exp(a) + exp(b)) by hand", "log(2*exp(a) + 2*exp(b)) - log(2)"),  # one of the exponentials taken
    (70121, "x log x", "log(x)*x"),  # both taken below a choice
    (80071, "running log-sum-exp", "log(cumsum(exp(Z), axis=1))"),  # rows taken inside
    (80073, "softplus", "maximum(x, 0) + log(1 + exp(-abs(x)))"),  # the corner taken, its rounding inside
    (80074, "log(exp(a) + exp(b)) by hand", "log(2*exp(a) + 2*exp(b)) - log(2)"),  # taken inside a choice
    (80096, "weighted log-sum-exp", "log(sum(exp(Z)*P, axis=1)/sum(P, axis=1))"),  # the sum a slice, its slope repeated
    (81018, "log-sum-exp, scaled and weighted", "log(sum(P*exp(Z), axis=1))"),  # every other of the sums
    (80058, "root of a square", "(x**4)**(1/4)"),  # joined between the powers
    (91003, "softplus", "x - log(sigmoid(x))"),  # both ways below a choice: masks of the parts met as one
    (81013, "softplus", "x - log(sigmoid(x))"),  # joined and cut beside a mask
    (932029, "log(exp(a) + exp(b)) by hand", "a + log(1 + exp(b - a))"),  # a condition that is moved part by part
    (5016, "logistic", "exp(x/2)/(exp(x/2) + exp(-x/2))"),  # stacked both ways
    (640000, "log-softmax", "Z - logsumexp(Z, axis=1, keepdims=1)"),  # sums of one column joined beside rows
    (640018, "softplus", "(x + abs(x))/2 + log1p(exp(-abs(x)))"),  # a sum inside a piece of what is joined
    (640032, "logit by a reciprocal", "-log(1/x - 1)"),  # a column, backwards, minus: four steps above the reciprocal
    (640051, "slope of logistic", "1/(2 + exp(x) + exp(-x))"),  # a sum with a number moved twice
    (640057, "squares and complements of softmax", "1 - softmax(Z)"),  # some classes
    (750020, "softplus", "-log(1 - sigmoid(x))"),  # zeros read before they were laid
    (
        750132,
        "log-softmax with a temperature",
        "Z/2 - logsumexp(Z/2, axis=1, keepdims=1)",
    ),  # the sums of a slice joined
    (932140, "log1p of a square", "log(1 + x*x)"),  # a quotient by squares that are moved, chosen, joined both ways
    (1310041, "x log x", "x**2*log(x)"),  # an element beside the slice that it is of
    (750156, "squares and complements of softmax", "softmax(Z) - D"),  # stacked inside the exponential
    (325549, "log1p of a square", "log(1 + x*x)"),  # the square read backwards, and its slope again
    (325602, "log(exp(a) + exp(b))", "logsumexp(stack([a, b]), axis=0)"),  # a condition of one rank beside another
    (325819, "logit", "log(x/(1 - x))"),  # every other below a mask: 1 - 1/x beside 1/(1 - x)
    (414234, "x log x", "x*log(2*x)"),  # joined and cut beside weights: slopes laid side by side
    (414237, "log(1 - x), logit", "log((1 + x)/(1 - x))"),  # an element of each of the two
    (414277, "log(exp(a) + exp(b)) by hand", "a + log(1 + exp(b - a))"),  # ones laid side by side are 1
    (821702, "the normal distribution's logarithm", "log((1 + erf(x/sqrt(2)))/2)"),  # sliced in a choice
    (822281, "log(exp(a) + exp(b)) by hand", "a + softplus(b - a)"),  # taken inside a choice: a count beside it
    (821747, "the normal distribution's logarithm", "log(1 - (1 - erf(x/sqrt(2)))/2)"),  # a sum of two choices
    (414253, "log cosh, with log 2 apart", "softplus(2*x) - x - log(2)"),  # weights in a choice and beside it
    (414539, "log cosh, with log 2 apart", "softplus(2*x) - x - log(2)"),  # weights laid among zeros in turns
    (932046, "log cosh, with log 2 apart", "softplus(2*x) - x - log(2)"),  # joined with a part, beside a mask
    (414563, "log(exp(a) + exp(b)) by hand", "a + log(1 + exp(b - a))"),  # the weights of a choice, a sum of two masks
    (414553, "expm1", "exp(x)*(1 - exp(-x))"),  # minus what is joined, five functions deep in a weighted product
    (1042, "log cosh, with log 2 apart", "softplus(2*x) - x - log(2)"),  # minus ones among zeros
    (1046, "log cosh, with log 2 apart", "softplus(2*x) - x - log(2)"),  # masks laid side by side, short of the ends
    (1082, "log cosh, with log 2 apart", "softplus(2*x) - x - log(2)"),  # taken: a count of what is chosen
    (1129, "log cosh, with log 2 apart", "x + log(1 + exp(-2*x)) - log(2)"),  # a mask folded and transposed
    (1193, "log cosh, with log 2 apart", "x + log(1 + exp(-2*x)) - log(2)"),  # weights that are joined, read backwards
    (1409, "log cosh, with log 2 apart", "softplus(2*x) - x - log(2)"),  # ones among zeros, read backwards
    (1441, "log cosh, with log 2 apart", "x + log(1 + exp(-2*x)) - log(2)"),  # an element of a row of two
    (5067, "log(exp(a) + exp(b)) by hand", "a + softplus(b - a)"),  # laid among zeros, then repeated
    (515377, "log(exp(a) + exp(b)) by hand", "a + softplus(b - a)"),  # a column of conditions, read backwards
    (515518, "x log x", "x*log(x)"),  # choices joined inside a choice by what is joined alike
    (516218, "log-softmax with a temperature", "Z/2 - logsumexp(Z/2, axis=1, keepdims=1)"),  # conditions of two ranks
    (516571, "running log-sum-exp", "log(cumsum(exp(Z), axis=1))"),  # joined inside the running sum
    (516643, "log-softmax at a label", "log(sum(D*exp(Z), axis=1)/sum(exp(Z), axis=1))"),  # transposed
    (515713, "running log-sum-exp", "log(cumsum(exp(Z), axis=1))"),  # a slice below weights
    (515295, "log(exp(a) - exp(b))", "log(exp(a) - exp(b))"),  # an exponential beside a sum of two choices of quotients
    (516009, "logit", "log(x/(1 - x))"),  # 1/x - 1, chosen
    (325837, "hypotenuse", "norm(stack([a, b]), axis=0)"),  # a condition of one rank beside another
)


@pytest.mark.parametrize(("seed", "name", "spelling"), GROUPS)
def test_a_spelling_keeps_its_digits_in_every_context(seed, name, spelling):
    (family,) = (f for f in FAMILIES if f.name == name and spelling in f.rows)
    counts = Counter()
    assert list(group_problems(seed, family, spelling, EACH, counts)) == []
    assert counts["members"] == EACH
    assert not [what for what in counts if what.startswith("refused")]
