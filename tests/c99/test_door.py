"""`f.source("c")` and the command line: the C of a function, for this machine or another."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.backends.c99.program import emit_program
from symnet.backends.llvm.targets import host_target, target_for
from symnet.cli.main import main
from symnet.errors import ArgumentError

x = sn.tensor("x", sn.dim("n"))
ARM = target_for("aarch64-linux-gnu")


def test_the_source_is_that_of_the_program_that_runs() -> None:
    f = sn.compile(sn.sum(x * x), name="squares")
    assert f(x=np.array([3.0, 4.0])) == 25.0
    assert f.source("c") == emit_program(f.program, host_target())
    assert f.source("c", target=host_target()) == f.source("c")


def test_no_name_of_the_unit_is_the_program_s() -> None:
    text = sn.compile(sn.sum(sn.exp(x)), name="sn_exp_float64").source("c")
    assert "/* exp: e^x. */\nstatic inline double sn_exp_float64_sn_exp_float64(double x)" in text


def test_the_source_for_another_machine_is_scheduled_for_it() -> None:
    text = sn.compile(sn.sum(x * x)).source("c", target=ARM)
    assert "For aarch64-linux-gnu, with fused multiply-add." in text
    assert text == sn.compile(sn.sum(x * x), target=ARM).source("c")


def test_a_target_that_is_none_is_refused() -> None:
    f = sn.compile(sn.sum(x), name="total")
    with pytest.raises(
        ArgumentError, match=r"total\.source\('c', target=…\): expected a triple.*; got 'arm46'\. Did you"
    ):
        f.source("c", target="arm46")
    with pytest.raises(ArgumentError, match=r"total\.source\('c', target=…\): expected a machine by name.*; got 3"):
        f.source("c", target=3)
    with pytest.raises(ArgumentError, match=r"expected a target with \"c\" alone; got 'numpy'"):
        f.source(target=ARM)


def test_the_command_line_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "sum(tanh(x))", "--shapes", "x:n", "--source", "c"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("/* symnet_function: x: float64[n]\n") and "int32_t symnet_function_run(" in printed
    assert main(["compile", "sum(tanh(x))", "--shapes", "x:n", "--source", "c", "--target", "wasm32"]) == 0
    assert "For wasm32-unknown-unknown" in capsys.readouterr().out
    assert main(["compile", "sum(tanh(x))", "--shapes", "x:n", "--source", "numpy"]) == 0
    assert "np.tanh(x)" in capsys.readouterr().out


def test_what_is_no_name_is_refused_with_a_target_too() -> None:
    f = sn.compile(sn.sum(sn.tensor("x", 3)))
    with pytest.raises(ArgumentError, match=r'a target with "c" alone'):
        f.source(np.ones(2), target=host_target())  # type: ignore[arg-type]  # that it is none is tried
