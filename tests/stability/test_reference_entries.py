"""Log-sum-exps taken relative to one of their entries, moved, joined or guarded at any place inside, with their slopes.

The slope by the reference entry is its probability, and what stands beside it must cancel exactly: 1 less the sum of
all probabilities, laid among zeros in another way than they are, chosen by other masks.
In: spellings × places × moves × guards of `tests/fuzz/contexts.py`, in turn.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from tests.fuzz.contexts import Member, group, places, problems
from tests.stability import measuring
from tests.stability.spellings import FAMILIES

SPELLINGS = {
    "first": ("log-sum-exp", "log(sum(exp(Z - Z[:, 0:1]), axis=1)) + Z[:, 0]"),
    "third": ("log-sum-exp", "Z[:, 2] + log(sum(exp(Z - Z[:, 2:3]), axis=1))"),
    "last": ("log-sum-exp", "log(sum(exp(Z - Z[:, 4:]), axis=1)) - sum(-Z[:, 4:], axis=1)"),
    "of all": ("log-softmax", "Z - Z[:, 1:2] - log(sum(exp(Z - Z[:, 1:2]), axis=1, keepdims=1))"),
}
GUARDS = ("", "where, first", "where, second", "nested", "weighted sum")
MOVES = ("joined and cut", "backwards", "taken", "of a stack")


def every() -> list[tuple[str, int, str, str]]:
    """Spelling, place, move and guard."""
    counts = {name: len(places(measuring.written(text))) for name, (_, text) in SPELLINGS.items()}
    return [
        (n, k, move, g) for n, c in counts.items() for k in range(c) for move, g in itertools.product(MOVES, GUARDS)
    ]


SAMPLE = random.Random(3).sample(every(), 32)


@pytest.mark.parametrize(("name", "place", "move", "guard"), SAMPLE)
def test_the_slope_by_the_reference_entry_keeps_its_digits(name, place, move, guard):
    family_name, spelling = SPELLINGS[name]
    (family,) = (f for f in FAMILIES if f.name == family_name)
    bounds = next(iter(family.rows.values()))
    rng = np.random.default_rng(place)
    dtype = ("float64", "float32")[place % 2]
    shared = group(rng, replace(family, points="logits apart", rows={spelling: bounds}), spelling, dtype)
    member = Member(family_name, spelling, move, place, "as it is", guard, False, place % 3 > 0, dtype, False)
    assert list(problems(shared, member, rng)) == []
