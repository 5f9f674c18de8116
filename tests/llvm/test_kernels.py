"""Equal pieces of a program are one function, and the text of a deep network grows with its depth alone."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.codegen import emit_ir
from symnet.loops import ir, kernels
from symnet.loops.forms import form
from tests.llvm.native import agree, cut, native
from tests.loops.programs import buffer, load, loop, op, store, v


def network(depth, width=32):
    h, params = sn.tensor("X", sn.dim("m"), width), []
    for k in range(depth):
        params += [sn.tensor(f"W{k}", width, width), sn.tensor(f"b{k}", width)]
        h = sn.tanh(h @ params[-2] + params[-1])
    return sn.mean(sn.sum(h * h, axis=1)), params


def text(depth):
    return sn.value_and_grad(*network(depth), dtype="float32", stop_after="llvm")


@pytest.fixture(scope="module")
def texts():
    """Of networks in which cotangents stay values of their own, as in all deep ones (`diff/closing.py`)."""
    return {depth: text(depth) for depth in (16, 32, 64)}


def test_a_network_of_any_depth_has_the_functions_of_a_shallow_one(texts):
    assert len({t.count("\ndefine") for t in texts.values()}) == 1


def test_the_text_grows_by_the_same_for_every_layer(texts):
    lines = {depth: t.count("\n") for depth, t in texts.items()}
    assert lines[64] - lines[32] <= 2.2 * (lines[32] - lines[16])
    assert lines[64] - lines[32] <= 32 * 120  # of calls and addresses: the loops of a layer are 1 000


def test_the_text_does_not_depend_on_the_process():
    code = "from tests.llvm.test_kernels import text; print(hash('x'), text(3))"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        for seed in ("1", "2")
    ]
    (first, one), (second, other) = (done.stdout.split(" ", 1) for done in runs)
    assert first != second and one == other and "define" in one


# --------------------------------------------------------------------------- what is equal

x, y, z = buffer("x", 64), buffer("y", 64), buffer("z", 64)


def adding(source, result, constant=1.0, at=0, extent=8, kind="serial", name="i", combine=None):
    """for i: result[8·u + i] = source[8·u + i] + constant."""
    index = v("u") + at if at else v("u")
    place = index * 8 + v(name)
    value = op("add", load(source, place), ir.Const(constant, "float64"))
    return (loop(name, extent, store(result, (place,), value, combine), kind=kind),)


def key(body, alignment=64):
    return form(body, "u", lambda b: (b.view_of or b.name, b.view_of or b.name, alignment)).key


def test_names_and_the_units_a_constant_away_do_not_matter():
    assert key(adding(x, y)) == key(adding(y, z, name="k"))
    assert key(adding(x, y, at=-3)) == key(adding(x, y, at=-5))
    assert form(adding(x, y, at=-3), "u", lambda b: (b.name, b.name, 0)).integers == (("u", -3),)


@pytest.mark.parametrize(
    "other",
    [
        adding(x, x),
        adding(x, y, constant=2.0),
        adding(x, y, extent=7),
        adding(x, y, kind="vector"),
        adding(x, y, combine="add"),
        adding(x, buffer("y", 65)),
        adding(x, buffer("y", 64, dtype="float32")),
        adding(x, replace(y, view_of="x")),
        adding(x, y, at=-1),
    ],
)
def test_what_changes_an_instruction_matters(other):
    assert key(adding(x, y)) != key(other)


def test_zeros_of_either_sign_are_two_constants_and_alignments_two_forms():
    assert key(adding(x, y, constant=0.0)) != key(adding(x, y, constant=-0.0))
    assert key(adding(x, y, constant=float("nan"))) == key(adding(x, z, constant=float("nan")))
    assert key(adding(x, y)) != key(adding(x, y), alignment=8)


# --------------------------------------------------------------------------- calls


def test_equal_loops_at_other_units_are_one_function_that_gives_the_right_numbers(rng):
    source, results = buffer("source", 64, space="input"), [buffer(f"r{k}", 64, space="output") for k in range(3)]
    body = ()
    for number, result in enumerate(results, 1):
        here = adding(source, result, at=-8 * number)
        inside = ir.If(ir.IntCondition("lt", v("u"), ir.IntConst(8 * number + 8)), here)
        body += (ir.If(ir.IntCondition("ge", v("u"), ir.IntConst(8 * number)), (inside,)),)
    group = ir.Group((ir.Phase("s", body, ir.IntConst(32)),))
    program = ir.Program("units", (), (source,), tuple(results), (), (group,))
    written = emit_ir(cut(program))
    assert written.count("call void @units.kernel0(") == 3 and written.count("define internal void @units.kernel") == 1
    agree(program, {"source": rng.standard_normal(64)})


def in_turn(*steps):
    """Results, each of the one before: that one plus a constant, as `steps` say, which have a phase each."""
    source, results = buffer("source", 64, space="input"), []
    phases = []
    for number, constants in enumerate(steps):
        body = ()
        for constant in constants:
            results.append(buffer(f"r{len(results)}", 64, space="output"))
            body += adding(results[-2] if len(results) > 1 else source, results[-1], constant, extent=64)
        phases.append(ir.Phase(f"s{number}", body))
    return ir.Program("turns", (), (source,), tuple(results), (), (ir.Group(tuple(phases)),))


def functions(program):
    return emit_ir(cut(program)).count("define internal void @turns.kernel")


def test_loops_that_always_follow_one_another_are_one_function(rng):
    together = in_turn((1.0, 2.0), (1.0, 2.0), (1.0, 2.0))
    text = emit_ir(cut(together))
    assert functions(together) == 1 and text.count("call void @turns.kernel0(") == 3
    agree(together, {"source": rng.standard_normal(64)})


@pytest.mark.parametrize("steps", [((1.0, 2.0), (1.0,)), ((1.0, 2.0), (2.0, 1.0)), ((1.0, 1.0, 2.0), (1.0, 2.0))])
def test_loops_that_follow_one_another_here_and_not_there_stay_two_functions(steps, rng):
    assert functions(in_turn(*steps)) == 2
    agree(in_turn(*steps), {"source": rng.standard_normal(64)})


def test_long_loops_that_follow_one_another_stay_functions_of_their_own(monkeypatch):
    monkeypatch.setattr(kernels, "JOINED", 1)
    assert functions(in_turn((1.0, 2.0), (1.0, 2.0))) == 2


def doubting(*more):
    """y = x + 1; if an element of x, or of a register, is not 0, z = x + 2 as well, and other statements."""
    seen = buffer("seen", 1, dtype="int64", space="register")
    source, asked = buffer("source", 64, space="input"), buffer("asked", 1, dtype="int64", space="input")
    first, second = buffer("first", 64, space="output"), buffer("second", 64, space="output")
    some = ir.IntCondition("ne", ir.IntLoad(seen, (ir.IntConst(0),)), ir.IntConst(0))
    body = (
        ir.Alloc(seen),
        store(seen, (0,), load(asked, 0)),
        *adding(source, first, extent=64, kind="vector"),
        ir.If(some, (*adding(source, second, 2.0, extent=64, kind="vector"), *(made(seen, second) for made in more))),
    )
    group = ir.Group((ir.Phase("s", body),))
    return ir.Program("doubt", (), (source, asked), (first, second), (), (group,))


def test_what_memory_decides_is_a_function_of_its_own(rng):
    """So the registers that it needs are not saved where it does not run."""
    written = emit_ir(cut(doubting()))
    assert written.count("define internal void @doubt.kernel") == 2
    kernel = written[written.index("define internal void @doubt.kernel0(") :]
    assert kernel[: kernel.index("\n}")].count("tail call void @doubt.kernel1(") == 1
    for asked in (0, 3):
        source = rng.standard_normal(64)
        got = native(doubting()).run({"source": source, "asked": np.array([asked])})
        np.testing.assert_array_equal(got["first"], source + 1)
        assert np.array_equal(got["second"], source + 2) == bool(asked)


def test_what_needs_a_register_of_the_statements_around_stays_there():
    def reading(seen, second):
        return store(second, (0,), ir.Op("cast", (load(seen, 0),), "float64"))

    written = emit_ir(cut(doubting(reading)))
    assert written.count("define internal void @doubt.kernel") == 1
    got = native(doubting(reading)).run({"source": np.ones(64), "asked": np.array([5])})
    assert list(got["second"][:2]) == [5, 3]


def test_every_result_of_a_deep_network_is_that_of_numpy(rng):
    loss, params = network(6, width=5)
    f = sn.value_and_grad(loss, params)
    arrays = {p.name: rng.standard_normal(p.shape) for p in params}
    data = rng.standard_normal((300, 5))
    value, gradients = f(X=data, **arrays)
    for p, gradient in zip(params[:2], gradients, strict=False):
        step = 1e-6 * rng.standard_normal(p.shape)
        more, _ = f(X=data, **(arrays | {p.name: arrays[p.name] + step}))
        less, _ = f(X=data, **(arrays | {p.name: arrays[p.name] - step}))
        assert (more - less) / 2 == pytest.approx(np.sum(gradient * step), rel=1e-4)
    assert np.isfinite(value)


# --------------------------------------------------------------------------- math functions


def sines(depth):
    y = x = sn.scalar("x")
    for _ in range(depth):
        y = sn.sin(y)
    return y, x


def test_math_functions_are_called_where_they_are_many_and_inlined_where_they_are_few():
    few, many = (sn.compile(sines(depth)[0], name="symnet", stop_after="llvm") for depth in (8, 60))
    assert few.count("call double @symnet.sin.f64(") == 8 and "symnet.called" not in few
    assert many.count("call double @symnet.called.sin.f64(") == 60
    assert many.count('double @"symnet.called.sin.f64"(double %".1") noinline') == 1


def test_called_functions_give_the_bits_of_inlined_ones():
    y, x = sines(60)
    step = sn.compile(sn.sin(x))
    value = 0.7
    for _ in range(60):
        value = step(x=np.float64(value))
    assert sn.compile(y)(x=np.float64(0.7)) == value


def test_a_long_chain_of_sines_is_written_in_short_loops_that_are_one():
    y = x = sn.tensor("x", sn.dim("n"))
    for _ in range(128):
        y = sn.sin(y)
    lines = [sn.compile(f, stop_after="llvm").count("\n") for f in (sn.sin(x), y)]
    assert lines[1] - lines[0] <= 128 * 8


def test_an_address_from_outside_of_a_loop_is_a_whole_inside():
    """LLVM's passes for loops try every sum of what they see of an address, for nothing."""
    seen = 0
    for function in re.findall(r"(?s)^define internal void @\S+\.kernel.*?^}", text(3), re.M):
        made, block = {}, "entry"
        for line in function.splitlines():
            block = re.sub(r"\s*([\w.]+):$", r"\1", line) if line.endswith(":") else block
            name, _, what = line.strip().partition(" = ")
            base = re.match(r"(?:getelementptr \S+|load .*|store .*), ptr (%t\d+)", what or name)
            if base and base[1] in made:
                kind, place, of_frame = made[base[1]]
                assert kind == "freeze" or place == block or of_frame, line
                seen += kind == "freeze"
            if what.startswith(("getelementptr", "freeze")):
                pointer = re.search(r"ptr (%\w+)", what)[1]
                of_frame = pointer.startswith(("%slot", "%frame")) or made.get(pointer, ("", "", False))[2]
                made[name] = what.split()[0], block, of_frame
    assert seen > 20
