"""Machines by name: what a name stands for, in Python and on the command line, and what is said of one that is none."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.named_machines import machine, normalized
from symnet.backends.llvm.targets import host_target, target_for

x = sn.tensor("x", sn.dim("n"))
L = sn.sum(sn.exp(x))
NAMES = {  # a name: triple, CPU, vector bits, fused multiply-add
    "x86-64-v3": ("x86_64", "x86-64-v3", 256, True),
    "x86-64-v4": ("x86_64", "x86-64-v4", 512, True),
    "x86-64": ("x86_64", "x86-64", 128, False),
    "x86-64+avx2+fma": ("x86_64", "x86-64", 256, True),
    "aarch64": ("aarch64-unknown-linux-gnu", "", 128, True),
    "aarch64-linux-gnu": ("aarch64-unknown-linux-gnu", "", 128, True),
    "cortex-a72": ("aarch64-unknown-linux-gnu", "cortex-a72", 128, True),
    "cortex-m4": ("thumbv7em-unknown-none-eabi", "cortex-m4", 0, False),
    "cortex-m0": ("thumbv6m-unknown-none-eabi", "cortex-m0", 0, False),
    "wasm32": ("wasm32-unknown-unknown", "", 0, False),
    "wasm32+simd128": ("wasm32-unknown-unknown", "", 128, False),
    "riscv64": ("riscv64-unknown-linux-gnu", "", 0, True),
    "riscv64-linux-gnu": ("riscv64-unknown-linux-gnu", "", 0, True),
    "armv7-linux-gnueabihf": ("armv7-unknown-linux-gnueabihf", "", 0, False),
    "x86_64-w64-windows-gnu": ("x86_64-w64-windows-gnu", "", 128, False),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stands_for_a_machine_that_llvm_makes_code_for(name: str) -> None:
    triple, cpu, bits, fused = NAMES[name]
    f = sn.compile(L, target=name)
    made = f.stages.target
    assert made.triple.startswith(triple)
    assert (made.cpu, made.vector_bits, made.fma) == (cpu, bits, fused)
    assert f.object_code


@pytest.mark.parametrize("rest", ["linux-gnu", "linux-musl"])
@pytest.mark.parametrize("architecture", ["aarch64", "riscv64"])
def test_triples_of_three_and_four_parts_give_the_same_code(architecture: str, rest: str) -> None:
    three, four = f"{architecture}-{rest}", f"{architecture}-unknown-{rest}"
    assert normalized(three) == four == normalized(four)
    assert sn.compile(L, target=three).object_code == sn.compile(L, target=four).object_code


def test_native_is_this_machine_and_is_called() -> None:
    assert sn.compile(L, target="native")(x=np.zeros(3)) == 3.0
    assert machine("native", "") == host_target()


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("x86-64-v5", r'Did you mean "x86-64-v'),
        ("cortex-m5", r'Did you mean "cortex-m'),
        ("wasm", r'Did you mean "wasm32"'),
        ("", r'Write a triple, as "aarch64-linux-gnu"'),
        ("aarch46-linux-gnu", r'Did you mean "aarch64-unknown-linux-gnu"'),
        ("wasm32+simd182", r"Did you mean 'simd128'"),
        ("x86-64; rm", r"Did you mean"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_nearest(name: str, mend: str) -> None:
    with pytest.raises(sn.ArgumentError, match=rf"compile\(…, target=…\): expected .*{mend}"):
        sn.compile(L, target=name)


def test_an_export_is_made_for_another_machine(tmp_path: object) -> None:
    f = sn.compile(L, name="total")
    files = f.export(f"{tmp_path}/total", target="aarch64-linux-gnu", library=False)
    made = sn.compile(L, name="total", target=target_for("aarch64-unknown-linux-gnu"))
    again = made.export(f"{tmp_path}/again/total", library=False)
    assert files.object.read_bytes() == again.object.read_bytes()
    with pytest.raises(sn.ArgumentError, match=r"total\.export\('.*', target=…\): expected a triple"):
        f.export(f"{tmp_path}/total", target="arch")


def test_the_c_of_another_machine_is_asked_for_by_name() -> None:
    f = sn.compile(L)
    assert f.source("c", target="wasm32") == f.source("c", target=target_for("wasm32-unknown-unknown"))
