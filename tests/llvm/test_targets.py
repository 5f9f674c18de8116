"""Machines: what is known of them, and code for others than the host."""

import re

import pytest

from symnet.backends.llvm.codegen import assembly, compile_object, emit_ir
from symnet.backends.llvm.machines import check_target
from symnet.backends.llvm.targets import host_target, target_for
from symnet.errors import CompileError
from symnet.loops import ir
from symnet.schedule.target import Target
from tests.llvm.native import cut
from tests.llvm.test_gemm import product
from tests.llvm.test_program import two_groups
from tests.loops.programs import buffer, load, loop, op, program, store


@pytest.mark.parametrize(
    ("triple", "cpu", "features", "bits", "fma", "masks", "registers"),
    [
        ("x86_64-pc-linux-gnu", "", "", 128, False, False, 16),
        ("x86_64-pc-linux-gnu", "x86-64-v3", "", 256, True, False, 16),
        ("x86_64-pc-linux-gnu", "znver4", "", 512, True, True, 32),
        ("x86_64-pc-linux-gnu", "", "+avx2,-fma", 256, False, False, 16),
        ("x86_64-pc-windows-msvc", "x86-64-v4", "", 512, True, True, 32),
        ("aarch64-linux-gnu", "", "", 128, True, False, 32),
        ("armv7-linux-gnueabihf", "", "+neon", 128, False, False, 16),
        ("thumbv6m-none-eabi", "cortex-m0", "", 0, False, False, 16),
        ("riscv64-linux-gnu", "", "+d", 0, True, False, 32),
        ("wasm32-unknown-unknown", "", "+simd128", 128, False, False, 16),
        ("sparc-unknown-linux", "", "", 0, False, False, 16),
    ],
)
def test_targets_are_described_by_triple_cpu_and_features(triple, cpu, features, bits, fma, masks, registers):
    found = target_for(triple, cpu, features)
    assert (found.vector_bits, found.fma, found.masks, found.registers) == (bits, fma, masks, registers)
    assert found.lanes("float32") == max(1, bits // 32)


def test_the_host_is_known_once():
    assert host_target() is host_target()
    assert host_target().architecture in host_target().triple


def sample() -> ir.Program:
    """A bit of everything: math, a tail, a mask, a floor, a division."""
    x, y = buffer("x", "n", dtype="float32", space="input"), buffer("y", "n", dtype="float32", space="output")
    value = op("floor", op("maximum", op("fma", op("tanh", load(x, "i")), load(x, "i"), load(x, "i")), load(x, "i")))
    total = buffer("total", dtype="float32", space="output")
    nest = loop("i", "n", store(y, ("i",), value), store(total, (), load(x, "i"), "max"), kind="vector")
    return program([x], [y, total], store(total, (), ir.Const(0.0, "float32")), nest, dims=["n"], name="sample")


FOREIGN = {
    "x86_64-unknown-linux-gnu": b"\x7fELF",
    "x86_64-pc-windows-msvc": b"\x64\x86",
    "aarch64-unknown-linux-gnu": b"\x7fELF",
    "arm64-apple-macosx13.0.0": b"\xcf\xfa\xed\xfe",
    "thumbv6m-none-eabi": b"\x7fELF",
    "riscv64-unknown-linux-gnu": b"\x7fELF",
    "wasm32-unknown-unknown": b"\0asm",
}


@pytest.mark.parametrize("triple", FOREIGN)
def test_objects_for_other_machines_have_their_format(triple):
    target = target_for(triple)
    assert compile_object(emit_ir(cut(sample(), target), target), target).startswith(FOREIGN[triple])


@pytest.mark.parametrize(
    ("triple", "cpu", "features"),
    [
        ("x86_64-unknown-linux-gnu", "x86-64", ""),
        ("x86_64-unknown-linux-gnu", "x86-64-v3", ""),
        ("aarch64-unknown-linux-gnu", "", ""),
        ("riscv64-unknown-linux-gnu", "", "+d,+f,+m"),
    ],
)
def test_machine_code_calls_nothing_but_itself(triple, cpu, features):
    target = target_for(triple, cpu, features)
    for made in (sample(), product(5, 7, 10, 4, 8)):
        text = assembly(emit_ir(cut(made, target), target), target)
        called = set(re.findall(r"^\s*(?:callq?|bl|call|tail)\s+([\w.$@]+)", text, re.MULTILINE))
        assert {name for name in called if not name.startswith(("sample", "gemm"))} == set()


@pytest.mark.parametrize("triple", ["thumbv6m-none-eabi", "wasm32-unknown-unknown", "i686-unknown-linux-gnu"])
def test_addresses_of_32_bits_are_computed_in_32_bits(triple):
    target = target_for(triple)
    text = emit_ir(two_groups(), target)
    assert "getelementptr double, ptr %b0, i64" not in text
    assert compile_object(text, target)


@pytest.mark.parametrize("cpu", ["", "i586", "pentium4"])
@pytest.mark.parametrize("triple", ["i386-unknown-linux-gnu", "i686-pc-windows-msvc"])
def test_x86_of_32_bits_never_computes_in_80_bits(triple, cpu):
    """Rounding by adding 1.5·2⁵² does not round there: exp(0.0376) came out as 0.99988."""
    target = target_for(triple, cpu)
    text = assembly(emit_ir(cut(sample(), target), target), target)
    assert re.search(r"\bmul[sp][sd]\b", text) and not re.search(r"\bf(ld|st|add|mul|sub|div|ild|ist)\w*\s", text)


@pytest.mark.parametrize("triple", ["i686-unknown-linux-gnu", "x86_64-unknown-linux-gnu", "i386-none"])
@pytest.mark.parametrize("features", ["-sse2", "-sse", "+avx2,-sse2"])
def test_x86_without_sse2_is_refused(triple, features):
    with pytest.raises(CompileError, match=r"expected x86 with SSE2; got -sse2?\. Leave it out"):
        target_for(triple, features=features)
    if triple.startswith("i"):
        bare = Target(triple, "", "", 0, False, False, 8)
        with pytest.raises(CompileError, match=r"expected x86 with SSE2; got features ''\. Write target_for"):
            check_target(bare, "compile(…, target=…)")


def test_a_target_that_llvm_does_not_have_is_named():
    target = target_for("quantum-unknown-none")
    with pytest.raises(CompileError, match='target="quantum-unknown-none"'):
        compile_object(emit_ir(cut(sample(), target), target), target)
