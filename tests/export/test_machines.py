"""Exports for other machines, run there by an emulator: the numbers are this machine's.

Needs a C compiler of the machine and QEMU's emulation of its programs (Debian: gcc-arm-linux-gnueabihf,
gcc-i686-linux-gnu, qemu-user); skipped where they are not installed.
"""

import shutil
import subprocess

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.targets import target_for
from symnet.errors import SymnetError
from symnet.export.pattern import pattern
from symnet.runtime.template import flat

MACHINES = {
    "armv7 with neon": ("armv7-unknown-linux-gnueabihf", "", "+neon,+vfp3", "arm-linux-gnueabihf", "arm"),
    "armv7 without": ("armv7-unknown-linux-gnueabihf", "cortex-a9", "-neon,+vfp3", "arm-linux-gnueabihf", "arm"),
    "i686": ("i686-unknown-linux-gnu", "", "", "i686-linux-gnu", "i386"),
}
m = sn.dim("m")
X, W, b = sn.tensor("X", m, 5), sn.tensor("W", 5, 4), sn.tensor("b", 4)
t, i, k = sn.labels("t", m, classes=4), sn.tensor("i", m, dtype="int64"), sn.tensor("k", m, dtype="int32")
E, x, A, B = sn.tensor("E", 7, 3), sn.tensor("x", 6), sn.tensor("A", 4, 4), sn.tensor("B", m, dtype="bool")
ELEMENTARY = [sn.exp, sn.log, sn.tanh, sn.sin, sn.cos, sn.tan, sn.erf, sn.sqrt, sn.log1p, sn.expm1, sn.sigmoid, sn.gelu]
FUNCTIONS = {
    "network": lambda o: sn.value_and_grad(sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W) + b), t)), [W, b], **o),
    "gathered": lambda o: sn.value_and_grad(sn.sum(sn.tanh(sn.take(E, i))), E, **o),
    "integers": lambda o: sn.compile([i * i - 3 * i, k + 1, sn.sum(i), sn.cumsum(k), sn.argmax(X, 1), i**3], **o),
    "elementary": lambda o: sn.compile([f(x * 8) for f in ELEMENTARY], **o),
    "reductions": lambda o: sn.compile([sn.prod(X, 1), sn.mean(X), sn.logsumexp(X, axis=1), sn.norm(X)], **o),
    "matrices": lambda o: sn.compile([sn.inv(A + 3 * sn.eye(4)), sn.det(A + sn.eye(4))], **o),
    "powers": lambda o: sn.compile([x % 0.01, x**2.5, x**x], **o),
    "choices": lambda o: sn.compile([sn.where(B, X[:, 0], X[:, 1]), X[:, 0] > X[:, 1]], **o),
    "second order": lambda o: sn.compile(sn.hessian(sn.sum(sn.sin(x) * x) ** 2, x), **o),
    "constants": lambda o: sn.compile(X @ np.arange(20.0).reshape(5, 4) + np.ones(4), **o),
    "pairs": lambda o: sn.compile(sn.sum(sn.tanh(X @ X.T), 0), **o),
}


def numbers(found):
    """Every element, as C prints them."""
    return np.concatenate([np.asarray(part, np.float64).ravel() for part in flat(found)])


@pytest.mark.parametrize("machine", MACHINES)
def test_another_machine_computes_the_same(tmp_path, machine):
    triple, cpu, features, prefix, emulated = MACHINES[machine]
    compiler, emulator = shutil.which(f"{prefix}-gcc"), shutil.which(f"qemu-{emulated}")
    if compiler is None or emulator is None:
        pytest.skip(f"no {prefix}-gcc, or no qemu-{emulated}")
    for number, make in enumerate(FUNCTIONS.values()):
        name, dtype = f"f{number}", ("float64", "float32")[(number + len(machine)) % 2]
        here = make({"dtype": dtype, "name": name})
        make({"dtype": dtype, "name": name, "target": target_for(triple, cpu, features)}).export(tmp_path / name)
        command = [compiler, "-O1", "-Wall", "-Wextra", "-Werror", f"{name}_test.c", f"{name}.o", "-static", "-o", name]
        subprocess.run(command, cwd=tmp_path, check=True)
        for extent in (3, 0, 300):
            dims = dict.fromkeys(here.signature.dims, extent)
            command = [emulator, f"./{name}", *map(str, dims.values() or ["print"])]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
            try:
                expected = numbers(here(**pattern(here.signature, dims), **dims))
            except SymnetError:  # the mean of nothing
                assert done.returncode
                continue
            got = np.array([float(line.split()[1]) for line in done.stdout.splitlines()])
            close = 1e-12 if dtype == "float64" else 3e-5
            np.testing.assert_allclose(got, expected, rtol=close, atol=close * np.abs(expected).max(initial=0))
