"""Names of functions and of machines, right and wrong: an error at the door, or a function that works."""

import re
import subprocess
import sys

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.targets import host_target, target_for
from symnet.errors import ArgumentError, CompileError, SymnetError

x = sn.tensor("x", 3)
L = sn.sum(sn.tanh(x) * sn.exp(x) + sn.sin(x) ** 3.5)
WRONG = [
    "my model",
    "é",
    "",
    "2nd",
    "a-b",
    "for",
    "class",
    "int",
    "main",
    "memcpy",
    "memset",
    "a" * 10_000,
    "a\0b",
    "a\nb",
    "_x",
]
WRONG += ["_x", "llvm", '"', "a.b", "模型", "θ", "$", "%s", "a;b", "..", "/tmp/x", "a" * 129, None, 3, b"f", ["f"]]


@pytest.mark.parametrize("name", WRONG, ids=range(len(WRONG)))
@pytest.mark.parametrize(
    "make", [sn.compile, lambda y, **options: sn.value_and_grad(y, [x], **options)], ids=["f", "g"]
)
def test_a_wrong_name_is_refused_with_one_that_would_do(name, make):
    with pytest.raises(ArgumentError, match=r"\(…, name=.*\): expected an identifier of C, .*; got .*Write") as raised:
        make(L, name=name)
    assert len(str(raised.value)) < 600
    suggested = re.search(r'Write name="(\w+)"', str(raised.value))[1]
    assert make(L, name=suggested, stop_after="simplify") is not None


@pytest.mark.parametrize(
    "name",
    [
        "f",
        "exp",
        "sin",
        "tanh",
        "pow",
        "malloc",
        "symnet_step",
        "stage0",
        "a" * 128,
        "F_9",
        "lambda",
        "run",
        "digest",
    ],
)
def test_any_identifier_names_a_function(name):
    f = sn.compile(L, name=name)
    v = np.linspace(0.1, 1, 3)
    assert f(x=v) == pytest.approx(np.sum(np.tanh(v) * np.exp(v) + np.sin(v) ** 3.5))


HOST = host_target()
MACHINES = [
    (HOST.triple, "haswel", "", r"expected a CPU of .*; got 'haswel'\. Did you mean 'haswell'\?"),
    (HOST.triple, "nonsense", "", r"expected a CPU of .*; got 'nonsense'\. LLVM knows "),
    (HOST.triple, "x86-64-v3", "+avx22", r"expected features of .*; got 'avx22'\. Did you mean 'avx2'\?"),
    (HOST.triple, "x86-64-v3", "avx2", r"expected features with \+ or -; got 'avx2'\. Write \"\+avx2\""),
    ("x86_65-pc-linux-gnu", "", "", r"a triple that LLVM knows; got 'x86_65-pc-linux-gnu'\. Did you mean \"x86_64-pc-"),
    ("nonsense", "", "", r"a triple that LLVM knows; got 'nonsense'\. Write architecture-vendor-system"),
    (
        "aarch64-linux-gnu",
        "cortex-a533",
        "",
        r"a CPU of aarch64-linux-gnu; got 'cortex-a533'\. Did you mean 'cortex-a5",
    ),
    ("thumbv7em-none-eabi", "cortex-m77", "", r"got 'cortex-m77'\. Did you mean 'cortex-m7'"),
]


@pytest.mark.skipif("x86_64" not in HOST.triple, reason="the names are of x86-64")
@pytest.mark.parametrize(("triple", "cpu", "features", "message"), MACHINES, ids=range(len(MACHINES)))
def test_a_machine_that_llvm_does_not_know_is_refused_with_the_nearest(triple, cpu, features, message):
    with pytest.raises(ArgumentError, match=r"compile\(…, target=…\): .*" + message):
        sn.compile(L, target=target_for(triple, cpu, features))


DEADLY = """
import sys
import symnet as sn
from symnet.backends.llvm.targets import host_target, target_for
x = sn.tensor("x", 3)
for cpu in sys.argv[1:]:
    try:
        sn.compile(sn.sum(sn.exp(x)), target=target_for(host_target().triple, cpu))
    except sn.SymnetError as error:
        assert "expected" in str(error) and "; got" in str(error)
print("alive")
"""


@pytest.mark.skipif("x86_64" not in HOST.triple, reason="the names are of x86-64")
def test_no_cpu_ends_the_process():
    cpus = ["i386", "pentium", "haswell", "x86-64-v2", "haswel", "help", "generic", " ", "native", "é"]
    done = subprocess.run([sys.executable, "-c", DEADLY, *cpus], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


@pytest.mark.parametrize("target", [3, b"x86_64", {"triple": "x"}])
def test_a_target_is_a_target(target):
    with pytest.raises(ArgumentError, match=r"compile\(…, target=…\): expected a machine by name.*; got .* Write"):
        sn.compile(L, target=target)


def test_known_machines_pass():
    for triple, cpu in (("aarch64-linux-gnu", "cortex-a53"), ("wasm32-unknown-unknown", ""), (HOST.triple, HOST.cpu)):
        assert sn.compile(L, target=target_for(triple, cpu)).object_code
    assert issubclass(CompileError, SymnetError)
