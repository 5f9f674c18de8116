"""A slice of the session with phases that wait for one another."""

from __future__ import annotations

from tests.fuzz.schedules import session


def test_phases_that_wait_for_one_another_give_the_values_of_the_reference() -> None:
    counts, wrong = session(0, 600, 25)
    assert not wrong
    assert counts["members"] == 25
