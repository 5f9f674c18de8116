"""The examples of `examples/shipping/` are built from exported files alone, run, and do what they say.

Each needs tools of its own, and is skipped where one is missing: a C compiler; CMake; Cargo; Debian's gcc-arm-none-eabi
and qemu-system-arm; a linker for WebAssembly, and Node.js or Chromium.
"""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHIPPING = Path(__file__).resolve().parents[2] / "examples" / "shipping"
CC = shutil.which("cc") or shutil.which("gcc")
STRICT = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def need(*commands: str | None) -> None:
    for command in commands:
        if command is None or shutil.which(command) is None:
            pytest.skip(f"no {command or 'C compiler'}")


def export(script: str, *arguments: object) -> None:
    """Run what writes the files, in this process: its imports are there already."""
    before = sys.argv
    sys.argv = [script, *map(str, arguments)]
    try:
        runpy.run_path(str(SHIPPING / script), run_name="__main__")
    finally:
        sys.argv = before


def run(command: list[object], folder: Path, **options: object) -> str:
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_a_circle_is_learned_in_c(tmp_path):
    need(CC)
    export("circle/export.py", tmp_path)
    objects = [tmp_path / "learn.o", tmp_path / "predict.o"]
    run([CC, *STRICT, "-I.", SHIPPING / "circle/main.c", *objects, "-o", "circle"], tmp_path)
    said = run(["./circle"], tmp_path)
    assert re.search(r"right on 2[45]\d of 256 new points", said)
    losses = [float(word) for word in re.findall(r"loss (\S+)", said)]
    assert losses[-1] < 0.2 * losses[0]


def test_a_control_loop_allocates_nothing(tmp_path):
    need(CC, "nm")
    export("control/export.py", tmp_path)
    run([CC, *STRICT, "-I.", "-c", SHIPPING / "control/main.c", "-o", "main.o"], tmp_path)
    run([CC, "main.o", "plan_cost.o", "-lm", "-o", "control"], tmp_path)
    assert "after two seconds" in run(["./control"], tmp_path)
    asked = run(["nm", "-u", "main.o", "plan_cost.o"], tmp_path)
    assert not re.search(r"alloc|free|mmap|sbrk", asked)


def test_a_project_of_cmakes_takes_an_export_in(tmp_path):
    need(CC, "cmake")
    shutil.copytree(SHIPPING / "cmake", tmp_path, dirs_exist_ok=True)
    export("model.py", tmp_path / "mlp" / "mlp", "--files", "o,h,c,test,cmake")
    run(["cmake", "-S", ".", "-B", "build"], tmp_path)
    run(["cmake", "--build", "build"], tmp_path)
    assert "step 2000" in run(["./build/learn_xor"], tmp_path)


def test_a_crate_of_rust_takes_an_export_in(tmp_path):
    need("cargo", CC)
    shutil.copytree(SHIPPING / "rust", tmp_path, dirs_exist_ok=True)
    export("model.py", tmp_path / "mlp" / "mlp", "--files", "a,rs")
    told = {**os.environ, "RUSTFLAGS": "-D warnings"}
    assert "step 2000" in run(["cargo", "run", "--quiet", "--release", "--offline"], tmp_path, env=told)


def test_an_image_for_a_microcontroller_fits_and_answers(tmp_path, capsys):
    need("arm-none-eabi-gcc", "arm-none-eabi-size")
    export("cortex_m/export.py", tmp_path)
    here = re.search(r"answers here: (\S+) (\S+)", capsys.readouterr().out)
    source = (SHIPPING / "cortex_m/main.c").read_text()
    written = re.search(r"arm-none-eabi-gcc (.*?)\n +arm-none-eabi-size", source, re.DOTALL)
    options = written[1].replace("\\\n", " ").replace("build/", f"{tmp_path}/").replace("-Ibuild", f"-I{tmp_path}")
    folder = SHIPPING / "cortex_m"
    image = tmp_path / "wake_word.elf"
    run(["arm-none-eabi-gcc", "-Wall", "-Wextra", "-Werror", *options.split()[:-1], image], folder)
    code, data, zeros = map(int, run(["arm-none-eabi-size", image], folder).splitlines()[1].split()[:3])
    assert code + data < 32 << 10
    assert data + zeros < 16 << 10
    need("qemu-system-arm")
    emulator = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-semihosting", "-kernel", image]
    done = subprocess.run(emulator, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
    said = done.stdout + done.stderr  # QEMU's semihosting writes to the second
    assert [float(word) for word in said.split()] == pytest.approx([float(here[1]), float(here[2])], abs=2e-6)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The folder of the page that learns digits."""
    pytest.importorskip("sklearn")
    rust = shutil.which("rustc") is not None
    if not (shutil.which("wasm-ld") or shutil.which("wasm-ld-14") or rust):
        pytest.skip("no linker for WebAssembly")
    folder = tmp_path_factory.mktemp("web")
    export("web/export.py", folder)
    return folder


NODE = """
const said = {};
const pen = { clearRect() {}, beginPath() {}, lineTo() {}, stroke() {} };
globalThis.document = { getElementById: (id) => (said[id] ??= { width: 9, height: 9, getContext: () => pen }) };
const { readFileSync } = require("fs");
const [digits, learn] = ["digits.js", "learn.js"].map((name) => readFileSync(name, "utf8"));
(0, eval)(digits.replace("const DIGITS", "globalThis.DIGITS") + learn);
process.on("exit", () => console.log(JSON.stringify(Object.fromEntries(
  ["state", "step", "loss", "accuracy"].map((id) => [id, said[id]?.textContent])))));
"""


def test_digits_are_learned_in_webassembly(page):
    need("node")
    said = run(["node", "-e", NODE], page)
    assert '"state":"done","step":1200' in said
    assert float(re.search(r'"accuracy":"(\S+) %"', said)[1]) > 96
    assert float(re.search(r'"loss":"(\S+?)"', said)[1]) < 0.1


def test_digits_are_learned_in_a_browser(page):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    need(browser or "chromium")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={page / 'profile'}"]
    command = [browser, *options, "--virtual-time-budget=60000", "--dump-dom", (page / "index.html").as_uri()]
    said = run(command, page)
    assert '<p id="state">done</p>' in said
    assert float(re.search(r'id="accuracy">(\S+) %', said)[1]) > 96
