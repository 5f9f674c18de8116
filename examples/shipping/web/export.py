"""Writes the page in which a browser learns to read digits:  python export.py build, then open build/index.html

The steps are WebAssembly made by symnet; it and the digits stand in the page as text, so that it works from a file.
Needs wasm-ld (Debian: lld) or Rust's rust-lld, and scikit-learn for its digits.
"""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import symnet as sn

HIDDEN, ROWS = 32, 32
here, folder = Path(__file__).parent, Path(sys.argv[1] if len(sys.argv) > 1 else "build")

m = sn.dim("m")
X, D = sn.tensor("X", m, 64), sn.tensor("D", m, 10, one_hot=True)
W1, b1, W2, b2 = sn.tensor("W1", 64, HIDDEN), sn.tensor("b1", HIDDEN), sn.tensor("W2", HIDDEN, 10), sn.tensor("b2", 10)
Y = sn.softmax(sn.relu(X @ W1 + b1) @ W2 + b2)
learn = sn.train_step(sn.mean(sn.cross_entropy(Y, D)), [W1, b1, W2, b2], sn.Adam(), dtype="float32", name="learn")
predict = sn.compile(Y.named("Y"), inputs=[X, W1, b1, W2, b2], dtype="float32", name="predict")


def linker() -> list[str]:
    """The command of a linker for WebAssembly."""
    inside: list[Path] = []
    if shutil.which("rustc"):
        sysroot = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True).stdout
        inside = sorted(Path(sysroot.strip()).glob("lib/rustlib/*/bin/rust-lld"))
    for found in (shutil.which("wasm-ld"), shutil.which("wasm-ld-14"), *map(str, inside)):
        if found:
            return [found, "-flavor", "wasm"] if found.endswith("rust-lld") else [found]
    sys.exit("export.py needs wasm-ld: install lld")


def wasm() -> bytes:
    """Both functions in one module."""
    chosen = {"target": "wasm32+simd128", "files": ["o"], "overwrite": True}
    objects = [f.export(folder / f.name, **chosen) for f in (learn, predict)]
    entries = [f"--export={f.name}{end}" for f in (learn, predict) for end in ("_run", "_workspace_bytes")]
    options = ["--no-entry", "--allow-undefined", "--import-memory", "--export=__heap_base", *entries]
    command = [*linker(), *options, *(str(each.object) for each in objects), "-o", str(folder / "digits.wasm")]
    subprocess.run(command, check=True)
    return (folder / "digits.wasm").read_bytes()


def text(array: np.ndarray) -> str:
    """Bytes as base64."""
    return base64.b64encode(array.tobytes()).decode()


folder.mkdir(parents=True, exist_ok=True)
digits = load_digits()
order = np.random.default_rng(0).permutation(len(digits.target))
shapes = {b.name: [getattr(extent, "value", "m") for extent in b.shape] for b in learn.signature.inputs}
results = [b.name for b in learn.signature.outputs]
data = {
    "module": base64.b64encode(wasm()).decode(),
    "pixels": text(digits.data[order].astype("uint8")),
    "labels": text(digits.target[order].astype("uint8")),
    "inputs": shapes,
    "outputs": results,
    "donated": {result: source for source, result in learn.signature.donated},
    "predict": list(predict.inputs),
    "rows": ROWS,
    "hidden": HIDDEN,
}
(folder / "digits.js").write_text(f"const DIGITS = {json.dumps(data)};\n")
for name in ("index.html", "learn.js"):
    shutil.copy(here / name, folder / name)
    print(folder / name)
