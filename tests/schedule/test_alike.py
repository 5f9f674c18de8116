"""Nests that differ in names alone are scheduled once, and no program shows it: not a name, and no byte of its code."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

import symnet as sn
from symnet.backends.c99.program import emit_program
from symnet.backends.llvm.codegen import emit_ir
from symnet.expr.nodes.node import Node
from symnet.loops import ir
from symnet.loops.facts import facts_of, hand_over
from symnet.loops.forms import statement_form
from symnet.loops.printer import to_text
from symnet.loops.renaming import Renaming, find_out
from symnet.loops.substitute import substitute
from symnet.lower.nest import Nest
from symnet.lower.program import Lowered
from symnet.schedule import alike
from symnet.schedule.alike import Alike
from symnet.schedule.nest_forms import NestForm
from symnet.schedule.program import schedule
from symnet.schedule.reuse import reused
from symnet.schedule.target import Target
from symnet.schedule.work import work
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric
from tests.cases import CASES
from tests.fuzz.graphs import seeded
from tests.schedule.nests import lowered

TARGET = Target("x86_64-unknown-linux-gnu", "", "", vector_bits=256, fma=True, masks=True, registers=16)
m = sn.dim("m")


class _Everything(set):
    """A set that has everything in it."""

    def __contains__(self, _: object) -> bool:
        return True


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every plain nest counts as one that was met before."""
    before = Alike.__init__

    def begin(self: Alike, *given: object) -> None:
        before(self, *given)  # type: ignore[arg-type]
        self.met = _Everything()

    monkeypatch.setattr(Alike, "__init__", begin)


def apart(whole: Lowered) -> ir.Program:
    """The program in which every nest is scheduled by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alike, "NestForm", lambda nest, carry: None)
        return schedule(whole, TARGET)


def perceptron(depth: int) -> list[Node]:
    """Loss and gradients of equal layers."""
    h, params = sn.tensor("X", m, 24), []
    for k in range(depth):
        params += [sn.tensor(f"W{k}", 24, 24), sn.tensor(f"b{k}", 24)]
        h = sn.tanh(h @ params[-2] + params[-1])
    loss = sn.mean(sn.sum(h * h, axis=1))
    return [loss, *sn.grad(loss, params)]


def unrolled(steps: int) -> list[Node]:
    """Loss and gradients of a recurrence, written out."""
    X, W, b = sn.tensor("X", steps, m, 8), sn.tensor("W", 24, 16), sn.tensor("b", 16)
    h = sn.tensor("h", m, 16)
    for t in range(steps):
        h = sn.sigmoid(sn.concat([X[t], h], axis=1) @ W + b) * h
    loss = sn.sum(h)
    return [loss, *sn.grad(loss, [W, b])]


DEEP = {
    "layers": lambda: perceptron(5),
    "many layers": lambda: perceptron(20),
    "steps": lambda: unrolled(6),
    "stacked matrices": lambda: [sn.tensor(f"A{k}", 7, 9) @ sn.tensor(f"B{k}", 9, m) for k in range(4)],
    "sums": lambda: [sn.sum(sn.tensor(f"x{k}", m) ** 2) for k in range(5)],
}


def check(roots: list[Node]) -> None:
    """The program is the one whose nests are scheduled apart; so are its estimate, and what back ends make of it."""
    whole = lowered(*numeric(simplify(roots)))
    got, wanted = schedule(whole, TARGET), apart(whole)
    assert got == wanted, to_text(got)
    assert work(got) == work(wanted)
    got, wanted = reused(got), reused(wanted)
    assert got == wanted
    assert emit_ir(got, TARGET) == emit_ir(wanted, TARGET)
    assert emit_program(got, TARGET) == emit_program(wanted, TARGET)
    check_known(got)


def check_known(program: ir.Program) -> None:
    """What statements were handed is what is found out of copies of them, which were handed nothing."""
    for _, phase in program.phases():
        for stmt, twin in enclosing(phase.body, substitute(phase.body, {})):
            facts, found = facts_of(stmt), facts_of(twin)
            form, fresh = statement_form(stmt, phase.unit_var), statement_form(twin, phase.unit_var)
            assert form == fresh
            facts.form = found.form = None
            assert facts == found


def enclosing(body: ir.Body, copies: ir.Body) -> Iterator[tuple[ir.Enclosing, ir.Enclosing]]:
    for stmt, twin in zip(body, copies, strict=True):
        if isinstance(stmt, ir.Enclosing):
            assert isinstance(twin, ir.Enclosing)
            yield stmt, twin
            for inside, copied in zip(ir.children(stmt), ir.children(twin), strict=True):
                yield from enclosing(inside, copied)


@pytest.mark.parametrize("name", DEEP)
def test_a_program_of_equal_layers_is_the_one_whose_layers_are_scheduled_apart(name: str) -> None:
    check(DEEP[name]())


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_renamed_nest_is_the_one_that_is_scheduled_under_its_names(case) -> None:  # type: ignore[no-untyped-def]
    check(list(case.roots))


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("seed", range(400, 460))
def test_a_renamed_nest_of_a_random_graph_is_the_one_that_is_scheduled_under_its_names(seed: int) -> None:
    check(seeded(seed).roots)


def test_equal_layers_are_scheduled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: dict[int, int] = {}
    plain = alike.scheduled

    def counted(*given: object) -> ir.Body:
        counts[depth] = counts.get(depth, 0) + 1
        return plain(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(alike, "scheduled", counted)
    for depth in (16, 48):
        schedule(lowered(*numeric(perceptron(depth))), TARGET)
    assert counts[48] == counts[16]


def made(statements: ir.Body) -> list[bool]:
    """Of every loop, whether its body is there; those of others are not looked into."""
    found = []
    for stmt in statements:
        if isinstance(stmt, ir.For):
            there = ir.For.__dict__["body"]  # the slot itself, which makes nothing
            try:
                inside = there.__get__(stmt)
            except AttributeError:
                found.append(False)
            else:
                found += [True, *made(inside)]
        elif isinstance(stmt, ir.If):
            found += made(stmt.then) + made(stmt.orelse)
    return found


def test_loops_of_equal_layers_have_no_bodies_but_where_code_is_written_for_them() -> None:
    counts = {}
    for depth in (16, 48):
        program = reused(schedule(lowered(*numeric(perceptron(depth))), TARGET))
        emit_ir(program, TARGET)
        counts[depth] = sum(sum(made(phase.body)) for _, phase in program.phases())
        assert sum(not there for _, phase in program.phases() for there in made(phase.body)) > depth
    assert counts[48] < 1.5 * counts[16], counts  # short ones without a loop are written where they stand


def test_a_loop_whose_body_is_made_later_is_one_like_any_other() -> None:
    inside = (ir.Store(ir.Buffer("A", "float64", (), "workspace"), (), ir.Const(1.0, "float64")),)
    whole = ir.For("i", ir.IntConst(3), inside, "vector", 3, None, ir.LaneCut(4, 0, "narrow"))
    for ask in (hash, repr, pickle.dumps, copy.deepcopy, lambda loop: loop == whole, lambda loop: loop.body):
        later = ir.For.deferred(whole, whole.extent, lambda: inside)
        assert made((later,)) == [False]
        ask(later)
        assert made((later,)) == [True]
        assert later == whole and hash(later) == hash(whole) and repr(later) == repr(whole)
        assert pickle.loads(pickle.dumps(later)) == whole
    with pytest.raises(AttributeError, match="no_such"):
        ir.For.deferred(whole, whole.extent, lambda: inside).no_such


# --------------------------------------------------------------------------- what is alike


def of(*roots: Node) -> tuple[Nest, NestForm]:
    nest = lowered(*roots).nests[-1]
    return nest, NestForm(nest, None)


x, y, w, n = sn.tensor("x", m), sn.tensor("y", m), sn.tensor("w", m), sn.dim("n")
UNLIKE = {
    "the number": (x * 2 + y, x * 3 + y),
    "the sign of nothing": (sn.where(x > 0.0, x, y), sn.where(x > sn.reshape(-0.0 * sn.ones(()), ()), x, y)),
    "which is read twice": (x * y + x, x * y + y),
    "one array or two": (x * x + y, x * w + y),
    "the operation": (x - y, x + y),
    "the extent": (x + y, sn.tensor("x", n) + sn.tensor("y", n)),
    "the dtype": (x + y, sn.tensor("x", m, dtype="float32") + sn.tensor("y", m, dtype="float32")),
    "the order of axes": (sn.tensor("A", 3, 4) + 1, sn.tensor("A", 4, 3).T + 1),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_nests_that_differ_in_more_than_names_are_not_alike(name: str) -> None:
    (_, first), (_, second) = (of(root) for root in UNLIKE[name])
    assert first.key != second.key


def test_names_alone_make_no_difference() -> None:
    (_, first), (_, second) = of(x * y + x), of(w * x + w)
    assert first.key == second.key and first.names != second.names


def test_zeros_of_both_signs_differ() -> None:
    nest = lowered(x + y).nests[-1]
    out = nest.outer[-1]
    assert isinstance(out, ir.Store)
    forms = [
        NestForm(Nest("f", nest.parallel, (ir.Store(out.buffer, out.index, ir.Const(zero, "float64")),)), None)
        for zero in (0.0, -0.0)
    ]
    assert forms[0].key != forms[1].key


def test_facts_of_a_loop_whose_unit_is_counted_on_are_those_of_the_loop() -> None:
    u, A = ir.IntVar("u"), ir.Buffer("A", "float64", (ir.IntConst(64),), "workspace", None, 0, 1)
    store = ir.Store(A, (ir.IntVar("i") + u * 16,), ir.Const(1.0, "float64"))
    body: ir.Body = (ir.For("i", ir.int_min(16, ir.IntVar("m") - u * 16), (store,), "vector"),)
    find_out(body, "u")
    rule = Renaming(lambda name: f"{name}_new", {"u": u - 3})
    (new,) = rule.known_as_of(body, rule.body(body))
    (fresh,) = substitute((new,), {})
    assert isinstance(new, ir.For) and isinstance(fresh, ir.For)
    assert statement_form(new, "u") == statement_form(fresh, "u")
    assert facts_of(new) == facts_of(fresh)


def test_facts_are_no_part_of_a_statement() -> None:
    loop = ir.For("i", ir.IntConst(3), ())
    same = ir.For("i", ir.IntConst(3), ())
    hand_over(facts_of(loop), loop)
    assert loop == same and hash(loop) == hash(same) and repr(loop) == repr(same)


def test_what_is_no_plain_nest_is_scheduled_by_itself() -> None:
    A = sn.tensor("A", 4, 4)
    whole = lowered(sn.solve(A, sn.tensor("b", 4)))
    assert not all(nest.is_ordinary for nest in whole.nests)
    assert schedule(whole, TARGET) == apart(whole)
