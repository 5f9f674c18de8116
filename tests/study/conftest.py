"""Time enough on a machine that is busy with other tests: what `critical_points` finds must not depend on that."""

from __future__ import annotations

import pytest

import symnet as sn


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test says `seconds=`."""
    monkeypatch.setitem(sn.critical_points.__kwdefaults__, "seconds", 120.0)
