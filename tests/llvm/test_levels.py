"""Code for several levels of x86-64 in one module: which is chosen, that it is chosen once, and its bits."""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm import loading
from symnet.backends.llvm.detection import BITS, LEVELS, WORDS, level_number, masks
from symnet.backends.llvm.named_machines import machine
from symnet.backends.llvm.targets import PORTABLE_LEVELS, host_target, portable_target, target_for
from symnet.errors import CompileError
from symnet.export.pattern import pattern
from symnet.export.processor import LINUX_NAMES, lacking, needs
from symnet.runtime.function import NativeFunction
from symnet.runtime.template import flat
from symnet.schedule.target import Target
from tests.llvm.fake_processor import ALL, Pretender, highest, pretending

on_x86 = pytest.mark.skipif(host_target().architecture != "x86_64", reason="runs code of x86-64")
needs_cpuinfo = pytest.mark.skipif(not lacking(["no such set"]), reason="Linux alone says what the processor has")

m = sn.dim("m")
X, W, b = sn.tensor("X", m, 5), sn.tensor("W", 5, 4), sn.tensor("b", 4)
t, k, x, A = sn.labels("t", m, classes=4), sn.tensor("k", m, dtype="int64"), sn.tensor("x", 40), sn.tensor("A", 4, 4)
LARGE = np.arange(5 * 800.0).reshape(5, 800) / 512
MANY = [sn.exp, sn.log, sn.tanh, sn.sin, sn.cos, sn.tan, sn.erf, sn.sqrt, sn.log1p, sn.expm1, sn.sigmoid, sn.gelu]
FUNCTIONS = {
    "network": lambda o: sn.value_and_grad(sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W) + b), t)), [W, b], **o),
    "gathered": lambda o: sn.value_and_grad(sn.sum(sn.tanh(sn.take(W, k))), W, **o),
    "elementary": lambda o: sn.compile([f(x * 8) for f in MANY], **o),
    "called": lambda o: sn.compile([sn.tanh(x * (1 + n)) + sn.floor(x * n) for n in range(40)], **o),
    "integers": lambda o: sn.compile([k * k - 3 * k, sn.sum(k), sn.cumsum(k), sn.argmax(X, 1)], **o),
    "reductions": lambda o: sn.compile([sn.prod(X, 1), sn.mean(X), sn.logsumexp(X, axis=1), sn.norm(X)], **o),
    "matrices": lambda o: sn.compile([sn.inv(A + 3 * sn.eye(4)), sn.det(A + sn.eye(4))], **o),
    "constants": lambda o: sn.compile(sn.sum(sn.exp(X @ LARGE), 1), **o),
    "nothing": lambda o: sn.compile(x, **o),
}


def made(f: sn.CompiledFunction) -> Pretender:
    return Pretender(f.name, f.llvm_ir, f.stages.target, f.program.constants)


def of_levels(cpus: Iterable[str], triple: str = "") -> Target:
    """A target of these levels."""
    first, *rest = (target_for(triple or host_target().triple, cpu) for cpu in cpus)
    return replace(first, higher=tuple(rest))


@pytest.fixture(scope="module")
def portable() -> Pretender:
    """Code for all levels."""
    return made(sn.compile(sn.sum(x), name="total", target=of_levels(LEVELS)))


# --------------------------------------------------------------------------- which


@on_x86
@pytest.mark.parametrize("cpu", LEVELS)
def test_a_processor_with_all_that_a_level_needs_is_of_that_level(portable: Pretender, cpu: str) -> None:
    portable.pretend_level(cpu)
    assert portable.processor() == level_number(cpu)


@on_x86
@pytest.mark.parametrize("name", BITS)
def test_a_processor_without_one_of_them_is_of_a_level_below(portable: Pretender, name: str) -> None:
    word, bit = BITS[name]
    words = {**ALL, word: ALL[word] & ~(1 << bit)}
    portable.pretend(**words)
    assert portable.processor() == level_number(highest(words)) < level_number("x86-64-v4")


@on_x86
def test_any_words_give_the_level_of_the_table(portable: Pretender, rng: np.random.Generator) -> None:
    for _ in range(2000):
        absent = [int(rng.integers(2**32)) & int(rng.integers(2**32)) & -int(rng.integers(2)) for _ in WORDS]
        words = {word: ALL[word] & ~bits for word, bits in zip(WORDS, absent, strict=True)}
        portable.pretend(**words)
        assert portable.processor() == level_number(highest(words))


@on_x86
def test_what_a_leaf_beyond_the_last_answers_counts_for_nothing(portable: Pretender) -> None:
    portable.pretend(last=6, **ALL)
    assert portable.processor() == level_number("x86-64-v2")
    portable.pretend(last=7, **ALL)
    assert portable.processor() == level_number("x86-64-v4")


@on_x86
def test_the_system_is_asked_only_where_it_lets_itself_be_asked(portable: Pretender) -> None:
    portable.pretend(**{**ALL, "one": ALL["one"] & ~(1 << BITS["osxsave"][1])})
    assert portable.processor() == level_number("x86-64-v2")
    assert not portable.system_was_asked()
    portable.pretend(**ALL)
    assert portable.processor() == level_number("x86-64-v4")
    assert portable.system_was_asked()


@on_x86
@pytest.mark.parametrize(
    ("saved", "level"),
    [(0b0, 2), (0b11, 2), (0b101, 2), (0b111, 3), (0b110_0111, 3), (0b1110_0111, 4), (0b1110_0000, 2)],
)
def test_registers_that_the_system_does_not_save_are_not_used(portable: Pretender, saved: int, level: int) -> None:
    portable.pretend(**{**ALL, "state": saved})  # x87, xmm, ymm, two for MPX, masks, zmm, zmm16 to zmm31
    assert portable.processor() == level


@on_x86
def test_the_level_is_found_once(portable: Pretender) -> None:
    portable.pretend_level("x86-64-v3")
    assert portable.processor() == 3
    assert portable.system_was_asked()
    text = sn.compile(sn.sum(x), name="total", target="x86-64-portable").llvm_ir
    asks = re.search(r"define internal i32 @total\.chosen.*?\n}", text, re.DOTALL)
    assert asks and asks[0].count("@total.ask(") == 1
    assert "br i1 %unknown, label %ask, label %known" in asks[0]


@on_x86
def test_threads_that_ask_at_once_agree(portable: Pretender) -> None:
    for cpu in [*LEVELS] * 5:
        portable.pretend_level(cpu)
        ready, found = threading.Barrier(4), []

        def ask(ready=ready, found=found) -> None:
            ready.wait()
            found.append(portable.processor())

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [level_number(cpu)] * 4


@on_x86
@needs_cpuinfo
def test_the_instructions_say_of_this_processor_what_linux_says() -> None:
    f = sn.compile(sn.sum(x), name="total", target=of_levels(LEVELS))
    module = loading.load(f.object_code)
    found = ctypes.CFUNCTYPE(ctypes.c_int32)(module.address("total_processor"))()
    fits = [cpu for cpu in LEVELS if not lacking(needs(target_for(host_target().triple, cpu)))]
    assert found == level_number(fits[-1])


def test_each_level_needs_what_the_one_below_needs() -> None:
    for below, above in zip(list(LEVELS), list(LEVELS)[1:], strict=False):
        assert all(masks(below)[word] & masks(above)[word] == masks(below)[word] for word in WORDS)


def test_all_that_load_asks_for_is_asked_for_by_the_code_itself() -> None:
    for cpu, names in LEVELS.items():
        assert set(needs(machine(cpu, ""))) <= {LINUX_NAMES.get(name) for name in names}


# --------------------------------------------------------------------------- bits


@on_x86
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_level_has_the_bits_sizes_and_phases_of_a_module_of_its_own(name: str, dtype: str) -> None:
    f = FUNCTIONS[name]({"name": "f", "dtype": dtype, "target": "x86-64-portable"})
    pretender = made(f)
    g = NativeFunction(f.signature, pretender.module, template=f.template)
    for cpu in PORTABLE_LEVELS:
        if not loading.runs_here(machine(cpu, "")):
            continue
        alone = FUNCTIONS[name]({"name": "f", "dtype": dtype, "target": cpu})
        pretender.pretend_level(cpu)
        for extent in (1, 3, 70, 1000):
            dims = dict.fromkeys(f.signature.dims, extent)
            assert sizes(g, dims) == sizes(alone, dims)
            inputs = pattern(f.signature, dims)
            for one, other in zip(flat(g(**inputs, **dims)), flat(alone(**inputs, **dims)), strict=True):
                np.testing.assert_array_equal(one, other)
        assert pretender.processor() == level_number(cpu)


def sizes(f: NativeFunction, dims: dict[str, int]) -> tuple[int, ...]:
    """Bytes of workspace, and the units of every phase."""
    values = (ctypes.c_int64 * 2)(*dims.values())
    phases = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(f.native.phases)
    units = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int32)(f.native.units)
    return f.workspace_bytes(**dims), *(units(values, phase) for phase in range(phases(values)))


def test_constant_arrays_stand_in_the_object_once() -> None:
    f = FUNCTIONS["constants"]({"name": "f", "dtype": "float64", "target": "x86-64-portable"})
    assert f.object_code.count(LARGE.tobytes()) == 1
    assert len(f.object_code) < 2 * LARGE.nbytes


def test_each_level_is_compiled_for_its_processor() -> None:
    target = portable_target("x86_64-unknown-linux-gnu")
    f = FUNCTIONS["network"]({"name": "f", "dtype": "float32", "target": target})
    _, *parts = re.split(r"\n\t\.type\t(\S+),@function\n", f.assembly)
    texts = dict.fromkeys(("v1", "v3", "v4", ""), "")
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        level = re.search(r"\.(v\d)\b", name)
        texts[level[1] if level else ""] += text
    widest = {level: max(re.findall(r"%([xyz])mm", text), default="") for level, text in texts.items()}
    assert widest == {"v1": "x", "v3": "y", "v4": "z", "": ""}
    assert {level: "vfmadd" in text for level, text in texts.items()} == {"v1": 0, "v3": 1, "v4": 1, "": 0}
    assert not re.search(r"\tv[a-z]+[sp][sd]\b", texts["v1"])


# --------------------------------------------------------------------------- other machines, and what is refused


@pytest.mark.parametrize(
    ("triple", "begins"),
    [
        ("x86_64-unknown-linux-gnu", b"\x7fELF"),
        ("x86_64-unknown-linux-musl", b"\x7fELF"),
        ("x86_64-pc-windows-gnu", b"\x64\x86"),
        ("x86_64-apple-macosx12.0.0", b"\xcf\xfa\xed\xfe"),
    ],
)
def test_every_system_of_x86_64_has_it(triple: str, begins: bytes) -> None:
    f = FUNCTIONS["network"]({"name": "f", "dtype": "float32", "target": portable_target(triple)})
    assert f.object_code.startswith(begins)
    assert b"f_processor" in f.object_code


@pytest.mark.parametrize(
    "cpus", [("x86-64", "haswell"), ("x86-64-v3", "x86-64"), ("", "x86-64-v3"), ("x86-64", "x86-64")]
)
def test_what_are_no_ascending_levels_is_refused(cpus: tuple[str, ...]) -> None:
    expected = rf"expected ascending levels of one x86-64 machine.*got {cpus[0] or 'no CPU'} of .*portable_target"
    with pytest.raises(CompileError, match=expected):
        sn.compile(sn.sum(x), target=of_levels(cpus, "x86_64-unknown-linux-gnu"))


def test_a_module_for_one_processor_asks_nobody() -> None:
    text = sn.compile(sn.sum(x), target="x86-64-v3").llvm_ir
    assert "cpuid" not in text and "_processor" not in text and "global" not in text
    with pytest.raises(AssertionError, match="asks no processor"):
        pretending(text)
