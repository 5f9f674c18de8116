"""Published identities: symnet's result is equal to the form in print, and takes no more operations."""

from __future__ import annotations

from dataclasses import replace

import pytest

import symnet as sn
from tests.identities.elements import ELEMENTS
from tests.identities.identity import Identity, largest_difference, operations
from tests.identities.learning import LEARNING
from tests.identities.linear_algebra import LINEAR_ALGEBRA
from tests.identities.matrices import MATRICES, S, x
from tests.identities.mixtures import MIXTURES
from tests.identities.networks import NETWORKS
from tests.identities.quotients import QUOTIENTS
from tests.identities.statistics import STATISTICS

IDENTITIES = [*MATRICES, *LEARNING, *LINEAR_ALGEBRA, *NETWORKS, *STATISTICS, *ELEMENTS, *QUOTIENTS, *MIXTURES]
TOLERANCE = 1e-10  # relative to the largest element: rounding of sums of a few terms


@pytest.mark.parametrize("row", IDENTITIES, ids=repr)
def test_the_result_equals_the_published_form(row: Identity):
    assert max(largest_difference(row, seed) for seed in (0, 1)) < TOLERANCE


@pytest.mark.parametrize("row", [row for row in IDENTITIES if not row.longer_by], ids=repr)
def test_the_result_takes_no_more_operations_than_the_published_form(row: Identity):
    ours, published = row.ours(), row.published()
    assert operations(ours) <= operations(published), f"{ours} is longer than {published}"


@pytest.mark.parametrize("row", [row for row in IDENTITIES if row.longer_by], ids=repr)
def test_what_is_said_to_be_longer_still_is(row: Identity):
    assert operations(row.ours()) > operations(row.published()), "no longer: delete its longer_by"


@pytest.mark.parametrize("row", [row for row in IDENTITIES if row.prints], ids=repr)
def test_the_result_reads_as_it_is_to_read(row: Identity):
    assert str(row.ours()) == row.prints


@pytest.mark.parametrize("row", IDENTITIES, ids=repr)
def test_the_result_is_settled(row: Identity):
    ours = row.ours()
    assert sn.simplify(ours) is ours


def test_there_are_sixty_identities_and_more_and_no_name_twice():
    assert len({row.name for row in IDENTITIES}) == len(IDENTITIES) >= 60


def test_a_wrong_identity_and_a_longer_one_are_caught():
    (row,) = [row for row in IDENTITIES if row.name == "symmetric quadratic form"]
    wrong = replace(row, published=lambda: S @ x)
    assert largest_difference(wrong, 0) == pytest.approx(1.0)
    assert operations(S @ x + S @ (2 * x)) > operations(row.published())
