"""Programs made of exported files alone train, with the bits of the process; and tools that find mistakes find none.

XOR, the circle and the digits network take steps of training in C, C++ and Rust, in place; under valgrind, with the
sanitizers for addresses, undefined behaviour and threads; two at once; with units shared by threads and by OpenMP.
A tool that is missing skips its test, and says so.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet as sn

CC, CXX = shutil.which("gcc") or shutil.which("cc"), shutil.which("g++") or shutil.which("c++")
VALGRIND, RUSTC, NM = map(shutil.which, ("valgrind", "rustc", "nm"))
pytestmark = [
    pytest.mark.skipif(CC is None, reason="no C compiler"),
    pytest.mark.skipif(sys.platform != "linux", reason="the tools are those of Linux"),
]
STEPS = 5
m = sn.dim("m")
X = sn.tensor("X", m, 2)


def _xor() -> tuple[Any, list[Any], dict[str, np.ndarray]]:
    y, W, b, v = sn.tensor("y", m), sn.tensor("W", 2, 4), sn.tensor("b", 4), sn.tensor("v", 4)
    loss = sn.mean((sn.tanh(X @ W + b) @ v - y) ** 2)
    return loss, [W, b, v], {"X": np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), "y": np.array([0, 1, 1, 0])}


def _circle() -> tuple[Any, list[Any], dict[str, np.ndarray]]:
    y, W, b, v = sn.tensor("y", m), sn.tensor("W", 2, 16), sn.tensor("b", 16), sn.tensor("v", 16)
    loss = sn.mean(sn.binary_cross_entropy(sn.sigmoid(sn.tanh(X @ W + b) @ v), y))
    points = np.random.default_rng(1).uniform(-1, 1, (200, 2))
    return loss, [W, b, v], {"X": points, "y": (points**2).sum(1) < 0.5}


def _digits() -> tuple[Any, list[Any], dict[str, np.ndarray]]:
    P, D = sn.tensor("P", m, 64), sn.tensor("D", m, 10, one_hot=True)
    W1, b1, W2, b2 = sn.tensor("W1", 64, 32), sn.tensor("b1", 32), sn.tensor("W2", 32, 10), sn.tensor("b2", 10)
    loss = sn.mean(sn.cross_entropy(sn.softmax(sn.relu(P @ W1 + b1) @ W2 + b2), D))
    rng = np.random.default_rng(2)
    return loss, [W1, b1, W2, b2], {"P": rng.uniform(0, 1, (300, 64)), "D": np.eye(10)[rng.integers(0, 10, 300)]}


CASES = {"xor": _xor, "circle": _circle, "digits": _digits}


@cache
def step_of(name: str) -> tuple[Any, dict[str, np.ndarray]]:
    """A step of Adam for this machine, and what it begins with, in the order of its inputs."""
    loss, params, data = CASES[name]()
    step = sn.train_step(loss, params, sn.Adam(), dtype="float32", name="step", threads=1)
    rng, rows = np.random.default_rng(0), len(next(iter(data.values())))
    begin = {}
    for buffer in step.signature.inputs:
        shape = [getattr(extent, "value", rows) for extent in buffer.shape]
        kept = np.zeros(shape) if "_" in buffer.name else rng.standard_normal(shape) * 0.5
        begin[buffer.name] = np.array(data.get(buffer.name, kept), np.float32)
    begin["lr"] = np.array(0.05, np.float32)
    return step, begin


@cache
def wanted(name: str) -> bytes:
    """The outputs after some steps in this process, the arrays one after another."""
    step, begin = step_of(name)
    arrays = {key: array.copy() for key, array in begin.items()}
    bound = step.bind(**arrays)
    for _ in range(STEPS):
        found = bound()
    return b"".join(np.asarray(value).tobytes() for value in found.values())


MAIN = """
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "step.h"

enum { INPUTS = @INPUTS@, OUTPUTS = @OUTPUTS@, STEPS = @STEPS@, THREADS = 3 };
static const size_t input_bytes[INPUTS] = {@INPUT_BYTES@}, output_bytes[OUTPUTS] = {@OUTPUT_BYTES@};
static const int donor[OUTPUTS] = {@DONORS@}; /* the input whose array it is, or -1 */
static const int64_t dims[] = {@ROWS@};

typedef struct {
    const void *in[INPUTS];
    void *out[OUTPUTS], *workspace;
    size_t bytes;
    int32_t code;
} Job;

static void *reserve(size_t bytes)
{
    void *found = NULL;
    if (posix_memalign(&found, 64, bytes + (bytes == 0))) exit(3);
    return found;
}

static void begin(Job *job)
{
    FILE *file = fopen("in.bin", "rb");
    if (!file) exit(4);
    for (int k = 0; k < INPUTS; ++k) {
        void *array = reserve(input_bytes[k]);
        if (fread(array, 1, input_bytes[k], file) != input_bytes[k]) exit(5);
        job->in[k] = array;
    }
    fclose(file);
    for (int k = 0; k < OUTPUTS; ++k)
        job->out[k] = donor[k] < 0 ? reserve(output_bytes[k]) : (void *)(uintptr_t)job->in[donor[k]];
    job->bytes = step_workspace_bytes(dims);
    job->workspace = reserve(job->bytes);
    job->code = 0;
}

#if defined(SHARED)
static pthread_barrier_t barrier;
static Job shared;

static void *work(void *number)
{
    const int64_t me = *(const int *)number;
    for (int k = 0; k < STEPS; ++k)
        for (int32_t phase = 0; phase < step_phases(dims); ++phase) {
            const int64_t units = step_units(dims, phase);
            for (int64_t unit = units - 1 - me; unit >= 0; unit -= THREADS)
                if (step(shared.in, shared.out, dims, shared.workspace, shared.bytes, phase, unit, unit + 1)) exit(6);
            pthread_barrier_wait(&barrier);
        }
    return NULL;
}
#else
static void *run(void *given)
{
    Job *job = (Job *)given;
    for (int k = 0; k < STEPS && !job->code; ++k) {
#if defined(OPENMP)
        for (int32_t phase = 0; phase < step_phases(dims); ++phase) {
            const int64_t units = step_units(dims, phase);
#pragma omp parallel for schedule(dynamic)
            for (int64_t unit = 0; unit < units; ++unit)
                if (step(job->in, job->out, dims, job->workspace, job->bytes, phase, unit, unit + 1)) exit(6);
        }
#else
        job->code = step_run(job->in, job->out, dims, job->workspace, job->bytes);
#endif
    }
    return NULL;
}
#endif

static void end(Job *job, const char *name)
{
    FILE *file = fopen(name, "wb");
    if (!file || job->code) exit(7);
    for (int k = 0; k < OUTPUTS; ++k) fwrite(job->out[k], 1, output_bytes[k], file);
    fclose(file);
    for (int k = 0; k < OUTPUTS; ++k)
        if (donor[k] < 0) free(job->out[k]);
    for (int k = 0; k < INPUTS; ++k) free((void *)(uintptr_t)job->in[k]);
    free(job->workspace);
}

int main(void)
{
    if (strcmp(step_digest, step_DIGEST) != 0) return 2;
#if defined(SHARED)
    pthread_t threads[THREADS];
    int numbers[THREADS];
    begin(&shared);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int k = 0; k < THREADS; ++k) numbers[k] = k;
    for (int k = 0; k < THREADS; ++k) pthread_create(&threads[k], NULL, work, &numbers[k]);
    for (int k = 0; k < THREADS; ++k) pthread_join(threads[k], NULL);
    pthread_barrier_destroy(&barrier);
    end(&shared, "out.bin");
#elif defined(TWO)
    Job jobs[2];
    pthread_t threads[2];
    for (int k = 0; k < 2; ++k) begin(&jobs[k]);
    for (int k = 0; k < 2; ++k) pthread_create(&threads[k], NULL, run, &jobs[k]);
    for (int k = 0; k < 2; ++k) pthread_join(threads[k], NULL);
    end(&jobs[0], "other.bin");
    end(&jobs[1], "out.bin");
#else
    Job job;
    begin(&job);
    run(&job);
    end(&job, "out.bin");
#endif
    return 0;
}
"""


def main_text(name: str) -> str:
    step, begin = step_of(name)
    inputs, outputs = step.signature.inputs, step.signature.outputs
    places = {b.name: k for k, b in enumerate(inputs)}
    donors = {result: places[source] for source, result in step.signature.donated}
    given = [begin[b.name].nbytes for b in inputs]
    made = [given[donors[b.name]] if b.name in donors else 4 for b in outputs]
    words = {"INPUTS": len(inputs), "OUTPUTS": len(outputs), "STEPS": STEPS, "ROWS": len(next(iter(begin.values())))}
    words |= {"INPUT_BYTES": ", ".join(map(str, given)), "OUTPUT_BYTES": ", ".join(map(str, made))}
    words |= {"DONORS": ", ".join(str(donors.get(b.name, -1)) for b in outputs)}
    text = MAIN
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    return text


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A folder for each case: what was exported for this machine, the program, and what it begins with."""

    @cache
    def of(name: str, target: str = "native") -> Path:
        folder = tmp_path_factory.mktemp(f"{name}_{target}".replace("-", "_"))
        step, begin = step_of(name)
        step.export(folder / "step", target=target, files=["o", "a", "h", "c", "rs"])
        (folder / "main.c").write_text(main_text(name))
        (folder / "in.bin").write_bytes(b"".join(array.tobytes() for array in begin.values()))
        return folder

    return of


WARNINGS = ["-Wall", "-Wextra", "-Werror"]


def build(folder: Path, *options: str, compiler: str | None = CC, code: str = "step.o") -> None:
    """Compile a program of main.c and what was exported; skip where the compiler lacks what is asked for."""
    if compiler is None:
        pytest.skip("no such compiler")
    command = [compiler, "-O1", *WARNINGS, *options, "main.c", "-x", "none", code, "-lm", "-pthread", "-o", "main"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if "cannot find" in done.stderr or "libgomp" in done.stderr:
        pytest.skip(f"{compiler} has no library for {' '.join(options)}")
    assert done.returncode == 0, done.stderr


def trained(folder: Path, command: list[str], **options: Any) -> bytes:
    (folder / "out.bin").unlink(missing_ok=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, **options)
    assert done.returncode == 0, (done.returncode, done.stderr[-3000:])
    return (folder / "out.bin").read_bytes()


@pytest.mark.parametrize("language", ["c", "c++"])
@pytest.mark.parametrize("name", CASES)
def test_programs_train_with_the_bits_of_the_process(shipped, name, language):
    folder = shipped(name)
    if language == "c":
        build(folder, "-std=c99")
    else:
        build(folder, "-std=c++17", "-x", "c++", compiler=CXX)
    assert trained(folder, ["./main"]) == wanted(name)


def test_steps_make_the_loss_smaller():
    for name in CASES:
        step, begin = step_of(name)
        arrays = {key: array.copy() for key, array in begin.items()}
        bound = step.bind(**arrays)
        first, *_, last = [float(bound()["loss"]) for _ in range(60)]
        assert last < 0.8 * first, name


def test_an_object_asks_for_nothing_but_two_functions_of_c(shipped):
    if NM is None:
        pytest.skip("no nm")
    for name in CASES:
        asked = subprocess.run([NM, "-u", "step.o"], cwd=shipped(name), capture_output=True, text=True, check=True)
        assert {line.split()[-1] for line in asked.stdout.splitlines() if line.strip()} <= {"memcpy", "memset"}


@pytest.mark.parametrize("name", CASES)
def test_valgrind_finds_nothing(shipped, name):
    if VALGRIND is None:
        pytest.skip("no valgrind")
    folder = shipped(name, "x86-64-v3")  # valgrind knows no AVX-512
    build(folder)
    command = [VALGRIND, "--quiet", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=all", "./main"]
    loss = np.frombuffer(trained(folder, command)[:4], np.float32)
    np.testing.assert_allclose(loss, np.frombuffer(wanted(name)[:4], np.float32), rtol=1e-4)


@pytest.mark.parametrize("kinds", ["address,undefined", "thread"])
def test_sanitizers_find_nothing_in_the_c(shipped, kinds):
    """The C99 in the object's place, so that what it does is examined, too; threads share the units of each phase."""
    folder = shipped("digits")
    shared = ["-DSHARED"] if kinds == "thread" else []
    checks = ["-g", f"-fsanitize={kinds}", "-fno-sanitize-recover=all", "-ffp-contract=off", "-march=native"]
    build(folder, *checks, *shared, code="step.c")
    assert trained(folder, ["./main"]) == wanted("digits")


@pytest.mark.parametrize("how", ["TWO", "SHARED", "OPENMP"])
def test_threads_have_the_bits_of_one(shipped, how):
    """Two calls at once, units shared by threads that run them backwards, and by OpenMP."""
    folder = shipped("digits")
    build(folder, f"-D{how}", *(["-fopenmp"] if how == "OPENMP" else ["-pthread"]))
    assert trained(folder, ["./main"]) == wanted("digits")
    if how == "TWO":
        assert (folder / "other.bin").read_bytes() == wanted("digits")


RUST = """
#![allow(non_snake_case)]
mod step;
use std::io::{Read, Write};

fn read(file: &mut std::fs::File, count: usize) -> Vec<f32> {
    let mut bytes = vec![0u8; 4 * count];
    file.read_exact(&mut bytes).unwrap();
    bytes.chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn main() -> Result<(), step::Error> {
    let mut file = std::fs::File::open("in.bin").unwrap();
@READ@
    let mut workspace = step::Workspace::new();
    for _ in 0..@STEPS@ {
        step::in_place(@CALL@, step::Extents { m: @ROWS@ }, &mut workspace)?;
    }
    let mut file = std::fs::File::create("out.bin").unwrap();
    for each in [@WRITE@] {
        for value in each {
            file.write_all(&value.to_le_bytes()).unwrap();
        }
    }
    Ok(())
}
"""


@pytest.mark.parametrize("name", CASES)
def test_rust_trains_in_place_with_the_bits_of_the_process(shipped, name):
    if RUSTC is None:
        pytest.skip("no Rust compiler")
    folder, (step, begin) = shipped(name), step_of(name)
    inputs, outputs = step.signature.inputs, step.signature.outputs
    donors = {result: source for source, result in step.signature.donated}
    reads = [f"    let mut i_{b.name} = read(&mut file, {begin[b.name].size});" for b in inputs]
    reads.append("    let mut o_loss = [0f32];")
    call = []
    for buffer in inputs:
        taken = "&mut " if buffer.name in donors.values() else "&" * bool(buffer.shape)
        call.append(f"{taken}i_{buffer.name}" + "[0]" * (not buffer.shape))
    call.append("&mut o_loss[0]")
    words = {"READ": "\n".join(reads), "STEPS": STEPS, "CALL": ", ".join(call), "ROWS": len(next(iter(begin.values())))}
    words["WRITE"] = ", ".join(f"&i_{donors[b.name]}[..]" if b.name in donors else "&o_loss[..]" for b in outputs)
    text = RUST
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    (folder / "main.rs").write_text(text)
    command = [RUSTC, "--edition", "2021", "-A", "unused_mut", "-L", ".", "main.rs"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if "linker" in done.stderr and "not found" in done.stderr:
        pytest.skip("Rust has no linker")
    assert done.returncode == 0, done.stderr
    assert trained(folder, ["./main"]) == wanted(name)
