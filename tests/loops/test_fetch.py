"""Fetches in the loop language: what they mean, how they read, what is refused, and what passes see of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from symnet.errors import CompileError
from symnet.loops import ir
from symnet.loops.accesses import reads, touches
from symnet.loops.facts import gather
from symnet.loops.interpreter import run
from symnet.loops.printer import stmt_line
from symnet.loops.substitute import substitute
from symnet.loops.verifier import verify
from tests.loops.programs import buffer, load, loop, program, store, v

x, k = buffer("x", 3, 5, space="input"), buffer("k", 4, dtype="int32", space="input")
y, note = buffer("y", 4, space="output"), buffer("note", 1, dtype="bool", space="output")
inside = buffer("inside", 1, dtype="bool", space="register")
AT = ir.IntLoad(k, (v("i"),))
FETCH = ir.Fetch("found", load(x, AT, 2), inside)


def fetching(fetch: ir.Stmt = FETCH, register: ir.Buffer = inside, kind: str = "vector") -> ir.Program:
    """y[i] = x[k[i], 2], and whether all of k was inside."""
    return program(
        [x, k],
        [y, note],
        ir.Alloc(register),
        store(register, (0,), ir.Const(True, register.dtype)),
        loop("i", 4, fetch, store(y, ("i",), ir.Var("found", "float64")), kind=kind),
        store(note, (0,), load(register, 0)),
    )


@pytest.mark.parametrize("kind", ["vector", "serial"])
@pytest.mark.parametrize("together", [True, False])
def test_a_fetch_loads_what_is_inside_and_notes_what_is_not(kind: str, together: bool) -> None:
    data = {"x": np.arange(15.0).reshape(3, 5)}
    for indices, meant in (([0, 2, 1, 0], True), ([0, 3, 1, 0], False), ([0, 0, 0, -1], False), ([9, 9, 9, 9], False)):
        found = run(fetching(kind=kind), {**data, "k": np.array(indices, "int32")}, together=together)
        assert found["note"] == [meant]
        if meant:
            np.testing.assert_array_equal(found["y"], data["x"][indices, 2])


def test_a_note_stays() -> None:
    """A later fetch whose index is inside does not take it back."""
    late = ir.Fetch("late", load(x, ir.IntLoad(k, (v("i"),)), 1), inside)
    good = fetching()
    phase = good.groups[0].phases[0]
    again = replace(phase, body=(*phase.body[:3], loop("i", 1, late), *phase.body[3:]))
    found = run(
        replace(good, groups=(ir.Group((again,)),)), {"x": np.ones((3, 5)), "k": np.array([0, 7, 0, 0], "int32")}
    )
    assert not found["note"]


def test_a_fetch_reads_as_a_let_with_a_condition() -> None:
    assert stmt_line(FETCH) == "let found = x[k[i], 2] if in range, else inside[0] = False"


def test_passes_see_both_loads_and_the_register() -> None:
    assert [b.name for b, _ in reads((FETCH,))] == ["x", "k"]
    assert set(touches((FETCH,))) == {"x", "k", "inside"}
    facts = gather((FETCH,))
    assert (facts.stored, set(facts.buffers), facts.gathered) == ({"inside"}, {"x", "k", "inside"}, {"i"})
    (moved,) = substitute((FETCH,), {"i": v("j") + 1})
    assert moved == ir.Fetch("found", load(x, ir.IntLoad(k, (v("j") + 1,)), 2), inside)


REFUSED = {
    "without an index that is loaded": (ir.Fetch("found", load(x, 1, 2), inside), "one index is an integer load"),
    "with two of them": (ir.Fetch("found", load(x, AT, AT), inside), "one index is an integer load"),
    "with one that is more": (ir.Fetch("found", load(x, AT + 1, 2), inside), "one index is an integer load"),
    "noted as a number": (replace(FETCH, inside=replace(inside, dtype="int32")), "declared inside: bool"),
    "noted outside of registers": (replace(FETCH, inside=note), "a register of bool"),
    "by one index for all lanes": (ir.Fetch("found", load(x, ir.IntLoad(k, (v("u"),)), 2), inside), "differs along i"),
    "out of range elsewhere": (ir.Fetch("found", load(x, AT, 5), inside), "0 <= 5 < 5 on axis 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_fetch_is_refused(name: str) -> None:
    bad, said = REFUSED[name]
    with pytest.raises(CompileError) as error:
        verify(fetching(bad))
    assert said in str(error.value)


def test_a_register_of_numbers_is_refused() -> None:
    number = replace(inside, dtype="int64")
    body = fetching(replace(FETCH, inside=number)).groups[0].phases[0].body
    one = store(number, (0,), ir.Const(1, "int64"))
    bad = program([x, k], [y], ir.Alloc(number), one, body[2])
    with pytest.raises(CompileError, match="a register of bool that says whether indices are inside"):
        verify(bad)


def test_its_name_is_bound_after_it_and_not_before() -> None:
    with pytest.raises(CompileError, match="a new name instead of found"):
        verify(program([x, k], [y], ir.Alloc(inside), loop("i", 4, FETCH, FETCH)))
    verify(fetching())


def test_a_vector_loop_does_not_read_what_its_fetches_note() -> None:
    early = store(note, (0,), load(inside, 0), "min")
    with pytest.raises(CompileError, match="independent iterations"):
        verify(program([x, k], [note], ir.Alloc(inside), loop("i", 4, FETCH, early, kind="vector")))
