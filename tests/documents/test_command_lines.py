"""Every command line of symnet's that the documents and `--help` show runs as it is printed."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from symnet.cli import main as cli
from symnet.cli.usage import EXAMPLES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"^```(?:sh|bash|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SERVES = ("play", "demo")  # what runs until it is stopped, or for long
MODEL = """
import numpy as np
import symnet as sn

m = sn.dim("m")
X, D = sn.tensor("X", m, 4), sn.tensor("D", m, 3, one_hot=True)
W1, b1, w = sn.tensor("W1", 4, 3), sn.tensor("b1", 3), sn.tensor("w", 4)
L = sn.mean(sn.cross_entropy(sn.softmax(X @ W1 + b1), D)) + sn.sum(w**2)
rng = np.random.default_rng(0)
data = {"X": rng.normal(size=(5, 4)), "D": np.eye(3)[[0, 1, 2, 1, 0]], "W1": rng.normal(size=(4, 3)), "b1": np.ones(3)}
data["w"] = np.ones(4)
"""


def printed() -> list[str]:
    """The lines that begin with `symnet`, in blocks, in the text, and under `--help`, continued ones joined."""
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    blocks = [block for text in texts for block in FENCE.findall(text)] + list(EXAMPLES.values())
    lines = [line.strip() for block in blocks for line in re.sub(r"\\\n\s*", " ", block).splitlines()]
    inline = [code for text in texts for code in re.findall(r"`(symnet [^`\n]+)`", text)]
    found = dict.fromkeys(line for line in (*lines, *inline) if line.startswith("symnet "))
    return [line for line in found if line.split()[1] not in SERVES and is_whole(line)]


def is_whole(line: str) -> bool:
    """Whether it is more than the name of an option, as in `symnet export --overwrite`."""
    words = line.split()
    return words[1] == "info" or (
        len(words) > 2 and not words[2].startswith(("-", "…", "EXPRESSION")) and "…" not in line
    )


LINES = printed()


def test_there_are_lines_of_every_command() -> None:
    commands = {line.split()[1] for line in LINES}
    assert (
        len(LINES) > 20
        and {"derive", "check", "hessian", "critical-points", "compile", "export", "compare"} <= commands
    )


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_runs_as_it_is_printed(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    for name in ("jax", "torch"):
        if any(name in part.split(",") for part in arguments) and importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    if any("workloads/" in part for part in arguments):
        pytest.skip("tests/compare/test_workloads.py compares it")
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    namespace: dict[str, object] = {}
    exec(MODEL, namespace)
    np.savez(tmp_path / "data.npz", **namespace["data"])  # type: ignore[arg-type]  # a dict of arrays
    monkeypatch.chdir(tmp_path)
    status = cli.main(arguments)
    shown = capsys.readouterr()
    assert status in ((0, 1) if arguments[0] == "check" else (0, None)), shown.err
    assert shown.out
