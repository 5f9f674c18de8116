"""What machine code asks of a processor: said in the files, and asked before the library is opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.named_machines import machine
from symnet.backends.llvm.targets import host_target, target_for
from symnet.errors import CompileError
from symnet.export import processor
from symnet.export.processor import lacking, needs

x = sn.tensor("x", 3)
SECOND = ("pni", "ssse3", "sse4_1", "sse4_2", "popcnt")
THIRD = (*SECOND, "avx", "f16c", "fma", "bmi1", "bmi2", "abm", "movbe", "avx2")
OLD = f"processor\t: 0\nmodel name\t: old\nflags\t\t: fpu {' '.join(SECOND)}\n\nprocessor\t: 1\nflags\t\t: fpu\n"


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("x86-64", ()),
        ("x86-64-v2", SECOND),
        ("x86-64-v3", THIRD),
        ("x86-64+avx2+fma", ("fma", "avx2")),
        ("aarch64-linux-gnu", ()),
        ("wasm32+simd128", ()),
    ],
)
def test_a_machine_needs_the_instruction_sets_of_its_level(name: str, asked: tuple[str, ...]) -> None:
    assert needs(machine(name, "")) == asked


def test_a_feature_that_is_left_out_is_not_asked_for() -> None:
    assert "fma" not in needs(target_for("x86_64-unknown-linux-gnu", "haswell", "-fma"))


def test_this_machine_has_what_its_code_needs() -> None:
    assert lacking(needs(host_target())) == []


def test_what_a_processor_lacks_is_read_where_linux_says_it(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(OLD)
    assert lacking(("ssse3", "avx2", "avx512f"), str(tmp_path / "cpuinfo")) == ["avx2", "avx512f"]
    assert lacking(("avx2",), str(tmp_path / "none")) == []
    (tmp_path / "cpuinfo").write_text("Features : fp asimd\n")
    assert lacking(("avx2",), str(tmp_path / "cpuinfo")) == []


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    sn.compile(sn.exp(x), name="powers").export(f"{tmp_path}/powers", target="native")
    return tmp_path / "powers"


needs_linux_on_x86 = pytest.mark.skipif(not needs(host_target()), reason="code for this machine needs nothing")


@needs_linux_on_x86
def test_the_header_says_it(exported: Path) -> None:
    head = exported.with_suffix(".h").read_text()
    assert " ".join(head.split()).count(f"Needs a processor with {', '.join(needs(host_target()))}. ") == 1


@needs_linux_on_x86
def test_load_refuses_before_it_opens_the_library(
    exported: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert sn.load(exported)(x=np.zeros(3)).tolist() == [1.0, 1.0, 1.0]
    (tmp_path / "cpuinfo").write_text(OLD)
    monkeypatch.setattr("symnet.export.load.lacking", lambda asked: processor.lacking(asked, str(tmp_path / "cpuinfo")))
    monkeypatch.setattr("symnet.export.load._opened", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(
        CompileError, match=r'load\(".*powers"\): expected a processor with .*; got one without avx.*"x86-64-portable"'
    ):
        sn.load(exported)


@needs_linux_on_x86
def test_the_stub_refuses_too(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(OLD)
    program = (
        "import pathlib\n"
        "read = pathlib.Path.read_text\n"
        f"pathlib.Path.read_text = lambda p, *a, **k: {OLD!r} if str(p) == '/proc/cpuinfo' else read(p, *a, **k)\n"
        "import powers"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "ImportError: powers: expected a processor with" in done.stderr, done.stderr
    assert "got one without avx" in done.stderr
    done = subprocess.run([sys.executable, "-c", "import powers"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
