"""Exports for every x86-64 processor: what the files say, that the highest level is chosen that runs, and its numbers.

Other processors than this one are QEMU's (Debian: qemu-user), where it is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.detection import BITS, level_number
from symnet.backends.llvm.named_machines import machine
from symnet.backends.llvm.targets import PORTABLE_LEVELS, host_target
from symnet.cli.main import main
from symnet.export.header import header_text
from symnet.export.load import load
from symnet.export.metadata import find_metadata
from symnet.export.processor import lacking, needs
from symnet.loops.ir import Buffer, IntConst, IntVar

CC = shutil.which("cc") or shutil.which("gcc")
pytestmark = [
    pytest.mark.skipif(host_target().architecture != "x86_64", reason="this machine is another"),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests link as on Linux"),
    pytest.mark.skipif(CC is None, reason="no C compiler"),
]
QEMU = shutil.which("qemu-x86_64")
PROCESSORS = {
    "qemu64": "x86-64",
    "Nehalem": "x86-64",
    "SandyBridge": "x86-64",
    "Haswell": "x86-64-v3",
    "max": "x86-64-v3",
}
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"]

m = sn.dim("m")
X, D = sn.tensor("X", m, 12), sn.tensor("D", m, 10, one_hot=True)
W, b, s = sn.tensor("W", 12, 10), sn.tensor("b", 10), sn.tensor("s", 12)
x = sn.tensor("x", 40)
L = sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X * s) @ W + b), D))


def built(folder: Path, *command: object) -> Path:
    done = subprocess.run([CC, *map(str, command), "-o", "program"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "program"


def printed(*command: object) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def here() -> str:
    """The highest level that this processor is of, as Linux says it."""
    return [cpu for cpu in PORTABLE_LEVELS if not lacking(needs(machine(cpu, "")))][-1]


@pytest.fixture(scope="module")
def function() -> sn.CompiledFunction:
    return sn.value_and_grad(L, [W, b, s], dtype="float32", name="net")


@pytest.fixture(scope="module")
def files(function, tmp_path_factory):
    return function.export(tmp_path_factory.mktemp("portable") / "net")


# --------------------------------------------------------------------------- what it is, and what the files say


def test_an_export_is_for_every_processor_unless_one_is_named(function, files, tmp_path):
    assert b"net_processor" in files.object.read_bytes()
    for target in ("native", "x86-64-v3"):
        one = function.export(tmp_path / target / "net", target=target)
        assert b"net_processor" not in one.object.read_bytes()
        assert find_metadata(_code(one.stub))["levels"] == ()
    named = sn.value_and_grad(L, [W, b, s], dtype="float32", name="net", target="native")
    assert b"net_processor" not in named.export(tmp_path / "named" / "net").object.read_bytes()
    again = function.export(tmp_path / "again" / "net", target="x86-64-portable")
    assert again.object.read_bytes() == files.object.read_bytes()


def _code(stub: Path) -> str:
    """A stub's code, which stands in comments."""
    return "\n".join(line.removeprefix("#: ") for line in stub.read_text().splitlines() if line.startswith("#: "))


def test_the_files_say_which_levels_are_inside_and_that_nothing_is_needed(files):
    head = " ".join(files.header.read_text().split("#ifndef")[0].split())
    assert "Holds code for x86-64, x86-64-v3 and x86-64-v4; the first call chooses" in head
    assert "Needs a processor" not in head
    assert "int32_t net_processor(void);" in files.header.read_text()
    metadata = find_metadata(_code(files.stub))
    assert (metadata["needs"], metadata["levels"]) == ((), PORTABLE_LEVELS)


def test_more_is_needed_where_more_is_named(function, tmp_path):
    files = function.export(tmp_path / "net", target="x86-64-portable+avx2+fma")
    head = " ".join(files.header.read_text().split())
    assert "it chose. Needs a processor with fma, avx2. " in head
    assert find_metadata(_code(files.stub))["needs"] == ("fma", "avx2")


@pytest.mark.parametrize("threads", [1, 2])
def test_it_is_loaded_where_linux_says_that_nothing_is_there(files, function, threads, monkeypatch):
    monkeypatch.setattr("symnet.export.load.lacking", lambda asked: list(asked))
    loaded, inputs = load(files.object.with_suffix(""), threads=threads), example()
    for one, other in zip(function(**inputs)[1], loaded(**inputs)[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def example():
    rng = np.random.default_rng(0)
    shapes = {"X": (40, 12), "W": (12, 10), "b": (10,), "s": (12,)}
    real = {name: rng.normal(size=shape).astype("f4") for name, shape in shapes.items()}
    return {**real, "D": np.eye(10, dtype="f4")[rng.integers(0, 10, 40)]}


def test_the_stub_says_which_processor_it_found(files):
    program = "import net; print(net.processor())"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=files.stub.parent, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{here()}\n", "")


def test_the_stub_of_one_processor_says_none(function, tmp_path):
    function.export(tmp_path / "net", target="x86-64")
    command = [sys.executable, "-c", "import net; print(net.processor())"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "None\n", "")


def test_the_command_line_exports_for_every_processor(tmp_path, capsys):
    assert main(["export", "sum(exp(x))", f"{tmp_path}/total", "--shapes", "x:n"]) in (0, None)
    assert "Holds code for x86-64, x86-64-v3" in (tmp_path / "total.h").read_text()
    assert main(["export", "sum(exp(x))", f"{tmp_path}/native/total", "--shapes", "x:n", "--target", "native"]) in (
        0,
        None,
    )
    assert "Holds code" not in (tmp_path / "native" / "total.h").read_text()


def test_the_workspace_of_the_header_is_enough_for_every_level():
    f = sn.compile(sn.sum(x), name="total", target="x86-64-portable")
    buffers = [(Buffer("t", "float64", (IntConst(size),), "workspace"),) for size in (8, 24, 16)]
    programs = [replace(f.program, workspace=workspace) for workspace in buffers]
    assert "#define total_WORKSPACE_BYTES 192 " in header_text(f.signature, programs)
    grows = replace(f.program, workspace=(Buffer("t", "float64", (IntVar("m"),), "workspace"),))
    assert "WORKSPACE_BYTES" not in header_text(f.signature, [*programs, grows]).replace("WORKSPACE_BYTES_", "")


# --------------------------------------------------------------------------- the object


@pytest.mark.parametrize("name", [name for name in BITS if BITS[name][0] != "state"])
def test_the_bits_are_those_of_the_compilers_header(name, tmp_path):
    macro = {"cx16": "CMPXCHG16B", "sahf": "LAHF_LM"}.get(name, name.upper().replace(".", "_"))
    (tmp_path / "bit.c").write_text(
        f'#include <cpuid.h>\n_Static_assert(bit_{macro} == 1u << {BITS[name][1]}, "{name}");'
    )
    printed(CC, "-c", tmp_path / "bit.c", "-o", tmp_path / "bit.o")


@pytest.mark.skipif(shutil.which("nm") is None, reason="no nm")
def test_the_object_needs_nothing_and_has_one_word_of_memory(files):
    symbols = printed("nm", files.object)
    assert set(re.findall(r" U (\S+)", symbols)) <= {"memcpy", "memset", "_GLOBAL_OFFSET_TABLE_"}
    suffixes = ("", "_run", "_workspace_bytes", "_phases", "_units", "_processor")
    assert set(re.findall(r" T (\S+)", symbols)) == {f"net{suffix}" for suffix in suffixes}
    assert re.findall(r" [BDCVWbdvw] (\S+)", symbols) == ["net.level"]


def test_the_size_is_that_of_its_levels(files, function, tmp_path):
    alone = [
        len(function.export(tmp_path / cpu / "net", target=cpu, library=False).object.read_bytes())
        for cpu in PORTABLE_LEVELS
    ]
    assert len(files.object.read_bytes()) < 1.1 * sum(alone)


PROCESSOR = """
#include <stdio.h>
#include "net.h"

int main(void)
{
    int level = 1;
#if defined __GNUC__ && !defined __clang__ && __GNUC__ >= 12 /* asked by the compiler's own library */
    level = __builtin_cpu_supports("x86-64-v4") ? 4 : __builtin_cpu_supports("x86-64-v3") ? 3 : 1;
    if (level != net_processor()) return 1;
#endif
    printf("%d\\n", (int)net_processor());
    return level == 0;
}
"""


@pytest.mark.parametrize("linked", ["object", "static", "archive", "library"])
def test_a_c_program_runs_the_highest_level_that_this_processor_has(files, function, linked, tmp_path):
    folder = files.object.parent
    how: dict[str, list[object]] = {
        "object": [files.object],
        "static": ["-static", files.object],
        "archive": [tmp_path / "libnet.a"],
        "library": [files.library, f"-Wl,-rpath,{folder}"],
    }
    if linked == "archive":
        printed("ar", "rc", tmp_path / "libnet.a", files.object)
    (tmp_path / "processor.c").write_text(PROCESSOR)
    flags = [*WARNINGS, "-std=c99", f"-I{folder}"]
    assert printed(built(tmp_path, *flags, "processor.c", *how[linked])) == f"{level_number(here())}\n"
    program = built(tmp_path, *flags, files.test, *how[linked])
    one = function.export(tmp_path / "one" / "net", target=here(), library=False)
    alone = built(tmp_path / "one", *flags[:-1], one.test, one.object)
    assert printed(program, 33) == printed(alone, 33) != ""


RUST = """
#[link(name = "net", kind = "static")]
extern "C" { fn net_processor() -> i32; fn net_phases(dims: *const i64) -> i32; }
fn main() { let dims = [5i64]; unsafe { println!("{} {}", net_processor(), net_phases(dims.as_ptr()) > 0); } }
"""


def test_the_c_source_stands_for_the_object_and_says_its_level(function, tmp_path):
    files = function.export(tmp_path / "net", files=["h", "c"])
    (tmp_path / "t.c").write_text(
        '#include <stdio.h>\n#include "net.h"\nint main(void) { printf("%d\\n", (int)net_processor()); return 0; }'
    )
    strict = [*WARNINGS, "-std=c99", "-Wmissing-prototypes", "-ffp-contract=off", "-fno-math-errno"]
    assert printed(built(tmp_path, *strict, "t.c", files.files["c"])) == "1\n"
    assert "_processor" not in function.source("c", target="x86-64-v3")


def test_every_function_that_the_header_declares_is_in_object_and_c_source(function, tmp_path):
    files = function.export(tmp_path / "net", files=["h", "c", "o"])
    declared = set(re.findall(r"^\w+ (net\w*)\(", files.header.read_text(), re.MULTILINE))
    defined = re.findall(r"^\w+ (net\w*)\([^;{]*\)\n{", files.files["c"].read_text(), re.MULTILINE)
    assert "net_processor" in declared and declared <= set(defined)


@pytest.mark.skipif(shutil.which("rustc") is None, reason="no Rust compiler")
def test_a_rust_program_links_the_archive(files, tmp_path):
    (tmp_path / "main.rs").write_text(RUST)
    printed("ar", "rc", tmp_path / "libnet.a", files.object)
    done = subprocess.run(["rustc", "-L", ".", "main.rs"], cwd=tmp_path, capture_output=True, text=True)
    if "linker" in done.stderr and "not found" in done.stderr:
        pytest.skip("Rust has no linker")
    assert done.returncode == 0, done.stderr
    assert printed(tmp_path / "main") == f"{level_number(here())} true\n"


RACE = """
#include <pthread.h>
#include <stdio.h>
#include "net.h"

static pthread_barrier_t barrier;
static int32_t found[THREADS];
static size_t bytes[THREADS];

static void *ask(void *number)
{
    const int64_t dims[] = {77};
    const int order = *(int *)number;
    pthread_barrier_wait(&barrier);
    bytes[order] = net_workspace_bytes(dims);
    found[order] = net_processor();
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int k = 0; k < THREADS; ++k) {
        numbers[k] = k;
        pthread_create(&threads[k], NULL, ask, &numbers[k]);
    }
    for (int k = 0; k < THREADS; ++k) pthread_join(threads[k], NULL);
    for (int k = 0; k < THREADS; ++k)
        if (found[k] != found[0] || bytes[k] != bytes[0]) return 1;
    printf("%d\\n", (int)found[0]);
    return 0;
}
"""


@pytest.mark.parametrize("checked", ["", "-fsanitize=thread"])
def test_threads_that_call_first_at_once_find_one_level(files, checked, tmp_path):
    (tmp_path / "race.c").write_text(RACE)
    flags = [
        "-DTHREADS=8",
        "-D_GNU_SOURCE",
        "-std=c99",
        "-pthread",
        f"-I{files.object.parent}",
        *filter(None, [checked]),
    ]
    done = subprocess.run([CC, *flags, "race.c", files.object, "-o", "program"], cwd=tmp_path, capture_output=True)
    if checked and done.returncode:
        pytest.skip("no thread sanitizer")
    for _ in range(20):
        done = subprocess.run([tmp_path / "program"], capture_output=True, text=True)
        if checked and "unexpected memory mapping" in done.stderr:
            pytest.skip("the thread sanitizer does not run here")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{level_number(here())}\n", "")


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind")
def test_valgrind_finds_nothing(files, tmp_path):
    program = built(tmp_path, "-g", "-O1", files.test, files.object)
    command = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full", program, "13"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# --------------------------------------------------------------------------- other processors


@pytest.mark.skipif(QEMU is None, reason="no qemu-x86_64")
@pytest.mark.parametrize("processor", PROCESSORS)
def test_an_older_processor_runs_its_level_and_gives_its_numbers(files, function, processor, tmp_path):
    (tmp_path / "processor.c").write_text(PROCESSOR)
    folder, cpu = files.object.parent, PROCESSORS[processor]
    emulated = [QEMU, "-cpu", processor]
    found = _emulated(*emulated, built(tmp_path, "-static", f"-I{folder}", "processor.c", files.object))
    assert found == f"{level_number(cpu)}\n"
    one = function.export(tmp_path / "one" / "net", target=cpu, library=False)
    program = built(tmp_path, "-static", "-O1", files.test, files.object)
    alone = built(tmp_path / "one", "-static", "-O1", one.test, one.object)
    assert _emulated(*emulated, program, 9) == _emulated(*emulated, alone, 9) != ""


def _emulated(*command: object) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr  # QEMU warns of what it does not emulate
    return done.stdout


@pytest.mark.skipif(QEMU is None, reason="no qemu-x86_64")
def test_code_for_this_processor_alone_would_end_there(function, tmp_path):
    if here() == "x86-64":
        pytest.skip("this processor has no more than every other")
    one = function.export(tmp_path / "net", target=here(), library=False)
    program = built(tmp_path, "-static", "-O1", one.test, one.object)
    done = subprocess.run([QEMU, "-cpu", "qemu64", program, "9"], capture_output=True, text=True)
    assert done.returncode != 0
