"""Outputs in the arrays of inputs: what is allowed has the bits of separate arrays, and what is refused has not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm import codegen, loading
from symnet.compiler import compile_in_place
from symnet.errors import ArgumentError
from symnet.loops.ir import Program
from symnet.runtime.function import NativeFunction
from symnet.schedule.donation import late_read
from symnet.schedule.reuse import reused
from tests.cases import CASES, Case
from tests.schedule.donation_programs import PROGRAMS

m = sn.dim("m")


def of(outputs: Any, target: str | None = None) -> Program:
    return reused(sn.compile(outputs, dtype="float32", target=target).stages.program)


def late(outputs: Any, pairs: dict[str, str], target: str | None = None) -> list[str]:
    program = of(outputs, target)
    return [source for source, result in pairs.items() if late_read(program, source, result) is not None]


@pytest.mark.parametrize("target", [None, "x86-64-v3", "cortex-m4"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_updates_may_be_in_place(name, target):
    outputs, pairs = PROGRAMS[name]()
    assert late(outputs, pairs, target) == []


x, S, X = sn.tensor("x", 50), sn.tensor("S", 40, 40), sn.tensor("X", m, 5)
REFUSED = {
    "reversed": (x[::-1] * 2, "x"),
    "transposed": (S.T * 2, "S"),
    "product": (S @ S, "S"),
    "shifted": (sn.concat([x[1:], x[:1]]), "x"),
    "gram": (sn.tanh(S @ S.T) + S, "S"),
    "rows and others": (X + X[::-1], "X"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_read_what_is_overwritten_is_refused(name):
    node, source = REFUSED[name]
    assert late({"new": node}, {source: "new"}) == [source]


def native(outputs: Any, donated: tuple[tuple[str, str], ...]) -> NativeFunction:
    """The function with pairs that nobody has examined."""
    s = sn.compile(outputs, dtype="float32").stages
    program = reused(s.program)
    code = codegen.compile_object(codegen.emit_ir(program, s.target, donated), s.target, program.constants)
    template = tuple(range(len(program.outputs)))
    signature = replace(s.lowered.signature, donated=donated)
    return NativeFunction(signature, loading.load(code), template=template, threads=2)


@pytest.mark.parametrize("name", ["reversed", "transposed", "product", "shifted"])
def test_what_is_refused_differs_in_place(name, rng):
    """The tester is tested: these cannot be computed in place, and native code shows it."""
    node, source = REFUSED[name]
    f = native({"new": node}, ((source, "new"),))
    shape = [e.value for e in f.signature.inputs[0].shape]
    array = rng.standard_normal(shape).astype("float32")
    wanted = f(**{source: array})[0] if isinstance(f(**{source: array}), tuple) else f(**{source: array})
    assert not np.array_equal(f.bind(**{source: array.copy()})()[0], wanted)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_bound_step_in_place_has_the_bits_of_separate_arrays(name, rng):
    outputs, pairs = PROGRAMS[name]()
    options = {"dtype": "float32", "threads": 2}
    separate, in_place = sn.compile(outputs, **options), sn.compile(outputs, donate=pairs, **options)
    for rows in (1, 5, 300, 1100):
        compare(separate, in_place, pairs, rows, rng)


def compare(
    separate: NativeFunction, in_place: NativeFunction, pairs: dict[str, str], rows: int, rng: np.random.Generator
) -> None:
    data = {}
    for buffer in separate.signature.inputs:
        shape = [getattr(extent, "value", rows) for extent in buffer.shape]
        data[buffer.name] = (np.abs(rng.standard_normal(shape)) * 0.5).astype(buffer.dtype)
    wanted = separate(**data)
    mine = {key: value.copy() for key, value in data.items()}
    step = in_place.bind(**mine)
    got = step()
    for key in wanted:
        np.testing.assert_array_equal(np.asarray(got[key]), np.asarray(wanted[key]))
    for source, result in pairs.items():
        assert got[result] is mine[source]
    again = separate(**{**data, **{source: wanted[result] for source, result in pairs.items()}})
    for key, value in step().items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(again[key]))
    for key in wanted:
        np.testing.assert_array_equal(np.asarray(in_place(**data)[key]), np.asarray(wanted[key]))


FITTING = [case for case in CASES if {root.shape for root in case.roots} & {leaf.shape for leaf in case.leaves}]


@pytest.mark.parametrize("case", FITTING[::4], ids=repr)
def test_what_is_allowed_is_right_for_every_case(case: Case, rng: np.random.Generator) -> None:
    """Every root of the shared cases, in the array of every leaf of its shape and dtype, if that is allowed."""
    f = sn.compile(list(case.roots), dtype="float64", threads=1)
    program = reused(f.stages.program)
    data = {name: np.asarray(a) for name, a in case.data(rng).items()}
    arrays = {b.name: np.array(data[b.name], b.dtype) for b in f.signature.inputs if b.name in data}
    said = repr([b.shape for b in f.signature.inputs])
    alone = {name: extent for name, extent in case.dims.items() if name in f.signature.dims and name not in said}
    wanted = f(**arrays, **alone)
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    for source in f.signature.inputs:
        for k, result in enumerate(f.signature.outputs):
            if (source.dtype, source.shape) != (result.dtype, result.shape):
                continue
            if late_read(program, source.name, result.name) is not None:
                continue
            pair = ((source.name, result.name),)
            code = codegen.compile_object(
                codegen.emit_ir(program, f.stages.target, pair), f.stages.target, program.constants
            )
            template = tuple(range(len(program.outputs)))
            signature = replace(f.signature, donated=pair)
            g = NativeFunction(signature, loading.load(code), template=template, threads=1)
            mine = {name: a.copy() for name, a in arrays.items()}
            got = g.bind(**mine, **alone)()
            assert got[k] is mine[source.name]
            for one, other in zip(got, wanted, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_right_where_it_is_computed_apart(name, rng):
    node, source = REFUSED[name]
    f = compile_in_place({"new": node}, {source: "new"}, [], dtype="float32", name="apart")
    data = {
        b.name: rng.standard_normal([getattr(e, "value", 6) for e in b.shape]).astype("float32")
        for b in f.signature.inputs
    }
    wanted = sn.compile({"new": node}, dtype="float32")(**data)["new"]
    assert f.bind(**data)()["new"] is data[source]
    np.testing.assert_array_equal(data[source], wanted)


def test_an_update_that_runs_first_is_caught():
    """The tester is tested: the phases of a step in another order."""
    outputs, pairs = PROGRAMS["network, SGD"]()
    program = of(outputs)
    stream = next(g for g in program.groups if len(g.phases) > 1 and any("rows" in p.name for p in g.phases))
    turned = replace(stream, phases=stream.phases[::-1])
    wrong = replace(program, groups=tuple(turned if g is stream else g for g in program.groups))
    late_ones = [source for source, result in pairs.items() if late_read(wrong, source, result) is not None]
    assert "W1" in late_ones


def random_updates(rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, str]]:
    """Outputs of products, sums and maps over leaves and rows, and the leaf in whose array each may be."""
    n = int(rng.choice([3, 17]))
    leaves = {
        "nn": [sn.tensor("A", n, n), sn.tensor("B", n, n)],
        "n": [sn.tensor("v", n)],
        "mn": [sn.tensor("X", m, n)],
    }
    pool = {kind: list(found) for kind, found in leaves.items()}

    def pick(kind: str) -> Any:
        return pool[kind][int(rng.integers(len(pool[kind])))]

    grow = [
        lambda: pool["nn"].append(pick("nn") @ pick("nn") * 0.1),
        lambda: pool["mn"].append(sn.tanh(pick("mn") @ pick("nn"))),
        lambda: pool["nn"].append(pick("mn").T @ pick("mn") * 0.01),
        lambda: pool["n"].append(pick("nn") @ pick("n") * 0.1),
        lambda: pool["n"].append(sn.sum(pick("mn"), axis=0) * 0.01),
        lambda: pool["n"].append(sn.sigmoid(pick("n"))[::-1]),
        lambda: pool["nn"].append(pick("nn").T * pick("n")),
        lambda: pool["mn"].append(sn.softmax(pick("mn") * pick("n"))),
    ]
    for k in rng.integers(len(grow), size=6):
        grow[k]()
    every = [(kind, leaf) for kind, found in leaves.items() for leaf in found]
    chosen = [pair for pair in every if rng.random() < 0.7] or every
    outputs = {f"new_{leaf.name}": (leaf if rng.random() < 0.5 else pick(kind)) + pick(kind) for kind, leaf in chosen}
    return outputs, {leaf.name: f"new_{leaf.name}" for _, leaf in chosen}


@pytest.mark.parametrize("seed", range(8))
def test_random_updates_have_the_bits_of_separate_arrays(seed):
    """Those that are allowed in place, and all of them where the others are computed apart."""
    rng = np.random.default_rng(seed)
    outputs, pairs = random_updates(rng)
    separate = sn.compile(outputs, dtype="float32", threads=1)
    pairs = {source: result for source, result in pairs.items() if source in separate.inputs}
    refused = late(outputs, pairs)
    allowed = {source: result for source, result in pairs.items() if source not in refused}
    rows = 300
    data = {
        b.name: rng.standard_normal([getattr(e, "value", rows) for e in b.shape]).astype("float32")
        for b in separate.signature.inputs
    }
    wanted = separate(**data)
    options = {"dtype": "float32", "threads": 3, "name": "updates"}
    for chosen in (allowed, pairs):
        mine = {key: value.copy() for key, value in data.items()}
        got = compile_in_place(outputs, chosen, [], **options).bind(**mine)()
        for key in wanted:
            np.testing.assert_array_equal(got[key], wanted[key])
        for source, result in chosen.items():
            assert got[result] is mine[source]


z = sn.tensor("x", 7)
MESSAGES = [
    ({"x": "nope"}, r"outputs among new, other; got 'nope'\. Did you mean"),
    ({"y": "new"}, r"donate=\{'y': 'new'\}\): expected inputs among x; got 'y'\. Did you mean 'x'\?"),
    ({"x": "other"}, r"two arrays of one dtype and shape, as x: float64\[7\] is; got other: float64\[\]\."),
    (["x"], r"a dict of inputs and the outputs in their place; got list\. Write donate=\{"),
    ({"x": "new", z: 0}, r"each input and output once; got x and 0 again\. Drop one\."),
    ({"x": True}, r"outputs among new, other; got True"),
    (
        {"x": "new"},
        r"every element of x to be read before its place in new is written; got `let .* = x\[6 - \w+\]` in phase .*,"
        r" after writes of phase .*, perhaps\. Leave 'x' out of donate=",
    ),
]


@pytest.mark.parametrize(("donate", "message"), MESSAGES)
def test_pairs_that_are_none_are_refused(donate, message):
    with pytest.raises(ArgumentError, match=message):
        sn.compile({"new": z[::-1], "other": sn.sum(z)}, donate=donate)


def test_arrays_may_share_memory_as_declared_and_in_no_other_way():
    f = sn.compile({"new": 2 * z, "other": sn.sum(sn.tensor("u", 3))}, donate={z: "new"})
    u, array = np.ones(3), np.arange(8.0)
    assert f(u=u, x=array[:7])["new"][1] == 2  # a call without out= leaves its arguments alone
    assert array[1] == 1
    with pytest.raises(ArgumentError, match="output new in memory of its own; got memory shared with input x"):
        f(u=u, x=array[:7], out={"new": array[1:]})
    with pytest.raises(ArgumentError, match="output new in memory of its own"):
        sn.compile({"new": 2 * z})(x=array[:7], out={"new": array[:7]})
    assert np.shares_memory(f(u=u, x=array[:7], out={"new": array[:7]})["new"], array)
    assert array[1] == 2
    apart = np.empty(7)
    step = f.bind(u=u, x=array[:7], out={"new": apart})
    assert step()["new"] is apart
    array.flags.writeable = False
    with pytest.raises(ArgumentError, match="a writable array for output new; got a read-only array"):
        f.bind(u=u, x=array[:7])
