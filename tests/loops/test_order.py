"""Programs whose statements stand in the wrong order are noticed; those of the compiler never do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import symnet as sn
from symnet.errors import CompileError
from symnet.loops import ir
from symnet.loops.accesses import reads, writes
from symnet.loops.order import check_order, early_read
from symnet.lower.nest import Nest
from symnet.schedule import stream
from tests.cases import CASES
from tests.loops.programs import buffer, load, loop, program, store

m = sn.dim("m")
X = sn.tensor("X", m, 5)


def test_a_read_before_every_write_is_refused_and_quoted() -> None:
    w, y = buffer("w", 3), buffer("y", 3, space="output")
    late = program([], [y], loop("i", 3, store(y, ("i",), load(w, "i"))), workspace=[w])
    with pytest.raises(CompileError, match=r"reads of what earlier statements wrote; got nothing stored to w"):
        check_order(late)


def test_an_array_without_elements_is_never_read() -> None:
    """A sum over rows of no columns was refused: what its totals lost is stored by no loop that runs."""
    w, y = buffer("w", 0), buffer("y", 0, space="output")
    check_order(program([], [y], loop("i", 0, store(y, ("i",), load(w, "i"))), workspace=[w]))
    nothing = sn.tensor("p", 0) + sn.tensor("C", m, 1)
    check_order(sn.compile(sn.sum(nothing, axis=0), stop_after="schedule"))


@pytest.mark.parametrize("where", ["index", "index of an index", "number", "store index", "condition", "extent"])
def test_a_read_is_found_wherever_it_stands(where: str) -> None:
    w, x = buffer("w", 1, dtype="int32"), buffer("x", 3, space="input")
    k, y = buffer("k", 3, space="input", dtype="int64"), buffer("y", 3, space="output")
    at = ir.IntLoad(w, (ir.IntConst(0),))
    zero = (ir.IntConst(0),)
    one = ir.Store(y, zero, ir.Const(1.0, "float64"))
    statements: dict[str, ir.Stmt] = {
        "index": ir.Store(y, zero, ir.Load(x, (at,))),
        "index of an index": ir.Store(y, zero, ir.Load(x, (ir.IntLoad(k, (at,)),))),
        "number": ir.Store(y, zero, ir.FromInt(at, "float64")),
        "store index": ir.Store(y, (at,), ir.Const(1.0, "float64")),
        "condition": ir.If(ir.IntCondition("lt", at, ir.IntConst(2)), (one,)),
        "extent": ir.For("i", at, (one,)),
    }
    stmt = statements[where]
    assert "w" in {b.name for b, _ in reads((stmt,))} and {s.buffer.name for s in writes((stmt,))} == {"y"}
    found = early_read(program([x, k], [y], stmt, workspace=[w]))
    assert found is not None and found.buffer is w


DEPENDENT = {
    "argmax as an index": sn.take(sn.eye(5), sn.argmax(X / sn.sum(X * X), 1), axis=0),
    "argmax of sums as an index": sn.take(sn.arange(5), sn.argmax(sn.sum(X, 0), 0).reshape(1)) * 2,
    "an index of an index": sn.take(X, sn.take(sn.argmax(X / sn.sum(X), 1), sn.argmax(sn.sum(X, 0), 0).reshape(1))),
    "a label of a sum": sn.one_hot(sn.argmax(sn.tanh(X - sn.mean(X, axis=0)), 1), 5) @ sn.sum(X, axis=0),
    "a number made of an index": sn.argmax(X / sn.sum(X), 1) * sn.sum(X),
}


@pytest.mark.parametrize("name", DEPENDENT)
def test_consumers_through_indices_run_after_their_producers(name: str) -> None:
    x = np.random.default_rng(0).normal(size=(700, 5))
    from symnet.reference import evaluate

    formula = DEPENDENT[name]
    np.testing.assert_allclose(sn.compile(formula)(X=x), evaluate(formula, {"X": x}), rtol=1e-12)


def test_programs_with_two_statements_exchanged_are_caught() -> None:
    caught = 0
    for case in CASES:
        whole = sn.compile(case.roots, stop_after="loops")
        assert early_read(whole) is None
        (group,) = whole.groups or (None,)
        phases = list(group.phases) if group else []
        for k in range(len(phases) - 1):
            swapped = replace(group, phases=(*phases[:k], phases[k + 1], phases[k], *phases[k + 2 :]))
            caught += early_read(replace(whole, groups=(swapped,))) is not None
    assert caught >= 10


# --------------------------------------------------------------------------- corrupted schedules

W = sn.tensor("W", 5, 3)
H = sn.tanh(X @ W)
STREAMED = {
    **DEPENDENT,
    "a second sweep": H / sn.sqrt(sn.sum(H * H)),
    "a third sweep": sn.sum((H - sn.mean(H, axis=0)) ** 2 / sn.sum(H), axis=0),
    "rows against rows": H @ H.T,
    "rows of other rows": sn.tanh(H[::-1]) + H,
}


def _values_only(nest: Nest, writers: dict[str, list[Nest]]) -> list[Nest]:
    """The fault that the checks were built for: loads inside indices are not seen."""
    values = {s.buffer.name for s in stream.stores(nest)}
    for stmt in ir.walk((*nest.inner, *nest.outer)):
        values |= {v.buffer.name for v in _operands(getattr(stmt, "value", None)) if isinstance(v, ir.Load)}
    return [w for name, found in writers.items() if name in values for w in found]


def _operands(value: object) -> list[object]:
    return [value, *(o for a in value.args for o in _operands(a))] if isinstance(value, ir.Op) else [value]


CORRUPTED = {
    "producers through indices are missed": ("_producers", _values_only),
    "no producer is seen": ("_producers", lambda nest, writers: []),
    "what runs once does not wait for rows": ("LATER", {**stream.LATER, stream.ROW: (0, 0)}),
    "what runs once does not wait for sums": ("LATER", {**stream.LATER, stream.REDUCE: (0, 1)}),
    "rows do not wait for sums": ("LATER", {**stream.LATER, stream.REDUCE: (1, 0)}),
    "rows of an earlier sweep are not computed again": ("_recompute", lambda *_: None),
    "nothing is stored whole": ("_read_whole", lambda nests, kinds: frozenset()),
}


def _early(name: str) -> bool:
    return early_read(sn.compile(STREAMED[name], stop_after="schedule")) is not None


def test_schedules_of_the_compiler_are_in_order() -> None:
    assert not any(map(_early, STREAMED))


@pytest.mark.parametrize("corruption", CORRUPTED)
def test_a_corrupted_plan_is_caught_by_the_order_alone(corruption: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No number is computed: the program itself shows that a value is read before it is there."""
    monkeypatch.setenv("SYMNET_VERIFY", "0")
    part, wrong = CORRUPTED[corruption]
    monkeypatch.setattr(stream, part, wrong)
    assert any(map(_early, STREAMED))


def test_scheduled_phases_and_groups_in_another_order_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, formula in STREAMED.items():
        whole = sn.compile(formula, stop_after="schedule")
        groups = whole.groups
        turned = [replace(g, phases=g.phases[::-1]) for g in groups]
        orders = [(*groups[1:], groups[0]), groups[::-1]] if len(groups) > 1 else []
        orders += [(*groups[:k], t, *groups[k + 1 :]) for k, t in enumerate(turned) if len(t.phases) > 1]
        assert not orders or any(early_read(replace(whole, groups=tuple(order))) for order in orders), name
