"""What is not looked into for removable singularities has none: the form is the one that looking everywhere gives."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.expr.facts.assumptions import known
from symnet.simplify.algebra.table import simplify
from symnet.simplify.forms.shifted import Shifted, is_total
from symnet.simplify.numeric.passes import numeric
from symnet.simplify.numeric.singularities import removable, variables
from tests.cases import CASES
from tests.fuzz.graphs import seeded
from tests.stability.test_removable import FORMULAS, NodeFunctions

m = sn.dim("m")
x, g = sn.tensor("x", m), sn.tensor("g", m)
Z = sn.tensor("Z", m, 5)


def both(roots):
    """The numeric form, as it is and where everything is looked into."""
    algebra = simplify(roots)
    plain = numeric(algebra)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(variables, "_may_meet", lambda node: True)
        for module in (variables, removable):
            patch.setattr(module, "may_be_zero", lambda core: core.kind not in ("number", "size"))
        return plain, numeric(algebra)


@pytest.mark.parametrize("name", FORMULAS)
def test_of_formulas_and_their_slopes(name):
    y = FORMULAS[name][0](NodeFunctions(), x)
    first, second = both([y, sn.grad(sn.sum(g * y), x)])
    assert first == second


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_of_every_case(case):
    first, second = both(list(case.roots))
    assert first == second


@pytest.mark.parametrize("seed", range(900, 960))
def test_of_random_graphs(seed):
    first, second = both(list(seeded(seed).roots))
    assert first == second


@pytest.mark.parametrize(
    "y", [sn.softmax(Z), sn.log_softmax(Z), sn.softmax(Z / (1 + Z * Z)), sn.tanh(Z) * sn.softmax(Z)]
)
def test_of_softmax_beside_others(y):
    first, second = both([y, sn.grad(sn.sum(sn.sin(y) * Z), Z)])
    assert first == second


def test_a_total_of_shifted_exponentials_is_known_by_all_its_parts():
    t = Shifted(Z, (1,)).excess
    assert is_total(1 + t)
    assert not is_total(2 + t) and not is_total(t) and not is_total(1 + Shifted(Z, (0,)).excess * 2)
    assert not is_total(1 + sn.sum(sn.where(Z > 0, 0, sn.exp(Z)), axis=1))
    assert not known(1 + t, "positive")  # nothing is, where all of a row are -∞
