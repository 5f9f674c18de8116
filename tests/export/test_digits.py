"""The gradient of the digits network in a C program without Python, against the one in process.

The call is the one that stands in docs/c-abi.md, word for word.
"""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import symnet as sn

CC = shutil.which("cc") or shutil.which("gcc")
pytestmark = pytest.mark.skipif(CC is None, reason="no C compiler")

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mlp.h"

static float *array_from(FILE *file, size_t count)
{
    float *memory = malloc(count * sizeof(float));
    if (!memory || fread(memory, sizeof(float), count, file) != count) exit(2);
    return memory;
}

static void print(const char *name, const float *values, int count)
{
    for (int i = 0; i < count; ++i) printf("%s %.9g\n", name, values[i]);
}

int main(int argc, char **argv)
{
    FILE *file = fopen(argv[argc - 1], "rb");
    if (!file) return 2;
    float *X = array_from(file, ROWS * 64), *D = array_from(file, ROWS * 10);
    float *W1 = array_from(file, 64 * 32), *b1 = array_from(file, 32);
    float *W2 = array_from(file, 32 * 10), *b2 = array_from(file, 10);
    static float loss, gW1[64 * 32], gb1[32], gW2[32 * 10], gb2[10];
    THE CALL OF THE DOCS
    print("loss", &loss, 1);
    print("W1", gW1, 64 * 32);
    print("b1", gb1, 32);
    print("W2", gW2, 32 * 10);
    print("b2", gb2, 10);
    return 0;
}
"""
DOCS = Path(__file__).parents[2] / "docs" / "c-abi.md"


def program(rows):
    """The C program, with the block of the docs that calls `mlp_call`, and its number of rows."""
    first, second, *_ = re.findall(r"```c\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert "int64_t m = 32;" in first and "mlp_call_args(" in second
    clear = "memset(gW1, 0, sizeof gW1); memset(gb2, 0, sizeof gb2); loss = 0;\n"  # the second call fills them again
    block = (first + clear + second).replace('#include "mlp.h"', "").replace("int64_t m = 32;", f"int64_t m = {rows};")
    return PROGRAM.replace("THE CALL OF THE DOCS", block).replace("ROWS", str(rows))


@pytest.fixture(scope="module")
def gradient():
    m = sn.dim("m")
    X, D = sn.tensor("X", m, 64), sn.tensor("D", m, 10, one_hot=True)
    W1, b1, W2, b2 = sn.tensor("W1", 64, 32), sn.tensor("b1", 32), sn.tensor("W2", 32, 10), sn.tensor("b2", 10)
    Y = sn.softmax(sn.tanh(X @ W1 + b1) @ W2 + b2)
    return sn.value_and_grad(sn.mean(sn.cross_entropy(Y, D)), [W1, b1, W2, b2], dtype="float32")


@pytest.fixture(scope="module")
def data():
    datasets = pytest.importorskip("sklearn.datasets")
    images, classes = datasets.load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    real = {
        "X": images / 16,
        "D": np.eye(10)[classes],
        "W1": rng.normal(size=(64, 32)) / 8,
        "b1": rng.normal(size=32) / 8,
        "W2": rng.normal(size=(32, 10)) / 6,
        "b2": rng.normal(size=10) / 8,
    }
    return {name: np.ascontiguousarray(array, "float32") for name, array in real.items()}


def test_a_c_program_prints_the_digits_gradient(gradient, data, tmp_path):
    files = gradient.export(tmp_path / "mlp")
    (tmp_path / "main.c").write_text(program(len(data["X"])))
    with open(tmp_path / "data", "wb") as file:
        for name in ("X", "D", "W1", "b1", "W2", "b2"):
            data[name].tofile(file)
    warnings = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
    command = [CC, *warnings, tmp_path / "main.c", files.object, "-o", tmp_path / "main"]
    built = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert (built.returncode, built.stderr) == (0, "")
    done = subprocess.run([str(tmp_path / "main"), str(tmp_path / "data")], capture_output=True, text=True)
    assert done.returncode == 0
    printed = {}
    for line in done.stdout.splitlines():
        name, value = line.split()
        printed.setdefault(name, []).append(value)
    loss, gradients = gradient(**data)
    in_process = dict(zip(("loss", "W1", "b1", "W2", "b2"), (loss, *gradients), strict=True))
    assert printed == {name: [f"{value:.9g}" for value in np.ravel(array)] for name, array in in_process.items()}


def test_the_loaded_library_computes_the_digits_gradient(gradient, data, tmp_path):
    gradient.export(tmp_path / "digits")
    loaded = sn.load(tmp_path / "digits")
    for left, right in zip(gradient(**data)[1], loaded(**data)[1], strict=True):
        np.testing.assert_array_equal(left, right)
