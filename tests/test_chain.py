"""Every case of the shared list through every floor of the house, in both real dtypes; and its gradient likewise.

Then the testers are tested: a corrupted floor must be caught, and named.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from symnet import dtypes
from symnet.calculus.grad import grad
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import tensor
from symnet.loops.ir import IntConst
from symnet.lower import elementwise as lowered_elementwise
from symnet.reference import elementwise as reference_elementwise
from symnet.schedule import register_tiles
from symnet.schedule.target import Target
from tests import chain
from tests.cases import CASES, Case, case_named

CC = shutil.which("cc")  # what exports are linked with
BASELINE = Target("x86_64-unknown-linux-gnu", "x86-64", "", vector_bits=128, registers=16)
AVX2 = Target("x86_64-unknown-linux-gnu", "haswell", "", vector_bits=256, fma=True, registers=16)


def agree(
    roots: list[Node],
    case: Case,
    rng: np.random.Generator,
    real: str = "float64",
    target: Target | None = None,
    undefined: bool = False,
    folder: Path | None = None,
) -> None:
    """Every floor agrees on every element of the roots, over the data of a case, and the export in `folder` too."""
    data = case.data(rng)
    floors = chain.floors(roots, data, case.dims, real, target, folder)
    chain.check(floors, chain.rounded(roots, data, real), undefined)


@pytest.mark.parametrize("real", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_every_floor_agrees_with_the_reference(case: Case, real: str, rng: np.random.Generator, tmp_path: Path) -> None:
    folder = tmp_path if real == "float64" and CC else None
    agree(case.roots, case, rng, real, undefined=real in case.undefined, folder=folder)


def loss_of(roots: list[Node]) -> Node:
    """A scalar that depends on every real root in a different way."""
    reals = [r for r in roots if dtypes.is_real(r.dtype)]
    return sum(
        (total(r * r) * (k + 1) + total(r) for k, r in enumerate(reals[1:], 1)), start=total(reals[0] * reals[0])
    )


@pytest.mark.parametrize("case", [c for c in CASES if c.wrt], ids=repr)
def test_every_floor_agrees_on_the_gradient(case: Case, rng: np.random.Generator) -> None:
    gradients = grad(loss_of(case.roots), case.targets)
    agree(gradients, case, rng)


@pytest.mark.parametrize("target", [BASELINE, AVX2], ids=["128 bits", "256 bits"])
@pytest.mark.parametrize("name", ["affine layer", "tanh network", "take rows", "softmax", "sums along axes"])
def test_schedules_for_other_machines_agree(name: str, target: Target, rng: np.random.Generator) -> None:
    case = case_named(name)
    data = case.data(rng)
    floors = chain.floors(case.roots, data, case.dims, "float64", target)
    chain.check(floors, chain.rounded(case.roots, data, "float64"))


def test_a_wrong_operation_in_the_lowering_is_caught_and_named(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setitem(lowered_elementwise._EMIT, "tanh", lowered_elementwise._direct("sinh"))
    case = case_named("tanh")
    with pytest.raises(chain.Disagreement, match="the floor 'loops' disagrees") as caught:
        agree(case.roots, case, rng)
    assert caught.value.floor == "loops"


def test_an_off_by_one_tile_is_caught_and_named(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    monkeypatch.setattr(
        register_tiles, "int_mod", lambda value, divisor: IntConst(0)
    )  # the rest of the rows is forgotten
    case = case_named("affine layer")
    with pytest.raises(chain.Disagreement, match="the floor 'schedule' disagrees"):
        agree(case.roots, case, rng)


def test_a_wrong_reference_is_caught_by_the_floors_below(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setitem(reference_elementwise.MEANING, "tanh", np.sinh)
    case = case_named("tanh")
    with pytest.raises(chain.Disagreement, match="the floor 'loops' disagrees"):
        agree(case.roots, case, rng)


X = tensor("x", 4)
ROW = np.array([1e6, 3.0, 1e-3, 1e-9])


def differing(got: np.ndarray, real: str = "float32", wanted: np.ndarray = ROW) -> None:
    """A floor that gives these numbers where the reference gives others, of x + 0."""
    floors = iter([("reference", [wanted.astype(real)]), ("broken", [got.astype(real)])])
    chain.check(floors, chain.rounded([X + 0], {"x": ROW}, real))


def test_the_same_numbers_agree() -> None:
    differing(ROW)


@pytest.mark.parametrize("real", ["float32", "float64"])
@pytest.mark.parametrize("lost", range(4))
def test_one_lost_element_is_caught_however_small_it_is(lost: int, real: str) -> None:
    with pytest.raises(chain.Disagreement, match=rf"'broken' disagrees .* at \({lost},\), .* 1 of 4 elements"):
        differing(np.where(np.arange(4) == lost, 0.0, ROW), real)


@pytest.mark.parametrize("got", [np.nan, np.inf])
def test_no_number_in_the_place_of_one_is_caught(got: float) -> None:
    with pytest.raises(chain.Disagreement, match="1 of 4"):
        differing(np.where(ROW == 3.0, got, ROW))


def test_native_code_of_other_bits_than_its_loops_is_caught() -> None:
    beside = np.nextafter(ROW, np.inf)
    floors = iter([("reference", [ROW]), ("arithmetic", [ROW]), ("native", [beside])])
    with pytest.raises(chain.Disagreement, match=r"'native' disagrees.*bits.*: 1000000\.0000000001 is not"):
        chain.check(floors, chain.within(1e-9))


def test_numbers_where_the_reference_has_none_are_allowed() -> None:
    differing(ROW, wanted=np.where(ROW == 3.0, np.nan, ROW))


def test_a_reference_without_a_number_is_no_agreement() -> None:
    with pytest.raises(AssertionError, match="finite nowhere"):
        differing(ROW, wanted=np.full(4, np.nan))


def test_what_is_said_to_be_undefined_is() -> None:
    with pytest.raises(AssertionError):
        chain.check(iter([("reference", [ROW])]), chain.within(1e-9), undefined=True)


def test_roundings_of_large_numbers_leave_room_only_where_they_meet() -> None:
    """In (x + 1e6) - 1e6 digits cancel; in x·1e6 none do."""
    (cancelled,) = chain.rounded([(X + 1e6) - 1e6], {"x": ROW}, "float64")([ROW])
    (scaled,) = chain.rounded([X * 1e6], {"x": ROW}, "float64")([ROW * 1e6])
    assert (cancelled[1:] > 1e-11).all()
    assert (scaled < 1e-13 * ROW * 1e6).all()


@pytest.mark.skipif(CC is None, reason="no C compiler")
def test_an_export_of_other_bits_is_caught(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, tmp_path: Path
) -> None:
    def next_numbers(path):
        function = load(path)
        return lambda **data: [np.nextafter(a, np.inf) for a in function(**data)]

    load = chain.load
    monkeypatch.setattr(chain, "load", next_numbers)
    with pytest.raises(chain.Disagreement, match=r"the floor 'export' disagrees.*bits"):
        agree(case_named("tanh").roots, case_named("tanh"), rng, folder=tmp_path)
