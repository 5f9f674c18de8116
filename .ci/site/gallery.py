"""An example → what it prints, the formulas and losses it ends with, and a page about it.

In: `examples/NAME.py`.  Out: `build/examples/NAME.json` (a `Record`), which `page` turns into Markdown.  CI runs every
example once, by `python .ci/site/gallery.py examples/NAME.py`, which fails when the example does; the site takes that
record, and runs the example itself where there is none of the same source.

The formulas are the expressions that the example gives a name, in MathML that symnet writes; the curves are the losses
of its runs; the derivation is that of its last loss, with the graph drawn.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import hashlib
import io
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RECORDS = ROOT / "build" / "examples"
LONGEST = 150  # characters of a formula that is shown
LARGEST = 400_000  # characters of a derivation that one would read
POINTS = 300  # of a curve: as many as there are places on the screen


@dataclasses.dataclass
class Record:
    """One run of an example.

    Attributes:
        source: a digest of the file that ran.
        printed: its standard output.
        formulas: name → MathML.
        curves: name → the loss of every epoch, thinned.
        derivation: a page of its own, or nothing.
    """

    source: str
    printed: str
    formulas: dict[str, str]
    curves: dict[str, list[float]]
    derivation: str


class _Tee(io.StringIO):
    """Keeps what is printed, and prints it."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)
        return super().write(text)


def digest(path: Path) -> str:
    """Of the example's text."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def record(path: Path) -> Record:
    """Run an example in this process."""
    printed = _Tee()
    with contextlib.redirect_stdout(printed):
        names = runpy.run_path(str(path), run_name="__main__")
    kept = {name: names[name] for name in assigned(path.read_text(encoding="utf-8")) if name in names}
    return Record(digest(path), printed.getvalue(), formulas(kept), curves(kept), derivation(kept))


def assigned(source: str) -> list[str]:
    """The names that the example gives by a statement of their own, in that order; a loop's variable is none."""
    statements = [each for each in ast.parse(source).body if isinstance(each, ast.Assign)]
    names = [each for statement in statements for target in statement.targets for each in ast.walk(target)]
    return list(dict.fromkeys(each.id for each in names if isinstance(each, ast.Name)))


def recorded(path: Path) -> Record:
    """The record of this very source; the example runs, in a process of its own, where there is none."""
    kept = RECORDS / f"{path.stem}.json"
    if not kept.exists() or json.loads(kept.read_text())["source"] != digest(path):
        subprocess.run([sys.executable, __file__, str(path)], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return Record(**json.loads(kept.read_text()))


def formulas(names: dict[str, Any]) -> dict[str, str]:
    """The expressions that the example named, leaves left out, in MathML."""
    from symnet.expr.nodes.node import Node
    from symnet.expr.printing.markup import math_element, name_mathml, op
    from symnet.expr.printing.mathml import mathml

    found = {
        name: node
        for name, node in names.items()
        if isinstance(node, Node) and node.operands and len(str(node)) <= LONGEST
    }
    return {
        name: math_element(name_mathml(name) + op("=") + mathml(_opened(node)), block=True)
        for name, node in found.items()
    }


def _opened(node: Any) -> Any:
    """What a name at the top stands for: `z = …`, not `z = z`."""
    return node.operands[0] if node.kind == "named" else node


def curves(names: dict[str, Any]) -> dict[str, list[float]]:
    """The losses of the runs of `fit`."""
    from symnet.train.history import Run

    runs = {name: run.history for name, run in names.items() if isinstance(run, Run)}
    losses = {name: h.loss if len(h.loss) > 1 else h.step_loss for name, h in runs.items()}
    return {
        name: [float(x) for x in loss[:: len(loss) // POINTS + 1]] for name, loss in losses.items() if len(loss) > 1
    }


def derivation(names: dict[str, Any]) -> str:
    """The derivation of the loss, as a page; nothing where it is too long to be read.

    The loss is the first expression of rank 0 that no other is made of: c = a + b is no loss beside d = a·c.
    """
    import symnet as sn
    from symnet.expr.nodes.graph import topological
    from symnet.expr.nodes.node import Node

    scalars = [node for node in names.values() if isinstance(node, Node) and node.operands and node.shape == ()]
    losses = [x for x in scalars if not any(x in topological(other) for other in scalars if other is not x)]
    if not losses:
        return ""
    written = sn.derive(losses[0]).html()
    return written if len(written) <= LARGEST else ""


def curve(values: list[float]) -> str:
    """A loss by its epochs, as a drawing that takes the page's own colours.

    The scale is logarithmic where all losses are positive.
    """
    import math

    logarithmic = min(values) > 0
    heights = [math.log10(v) if logarithmic else v for v in values]
    low, high = min(heights), max(heights)
    points = [
        (60 + 520 * k / (len(heights) - 1), 20 + 160 * (high - h) / ((high - low) or 1)) for k, h in enumerate(heights)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        '<svg class="curve" viewBox="0 0 600 210" role="img" aria-label="the loss falls">'
        '<path d="M60 12V180H588" fill="none" stroke="currentColor" stroke-opacity=".4"/>'
        f'<polyline points="{line}" fill="none" stroke="var(--md-accent-fg-color)" stroke-width="2"/>'
        f'<text x="54" y="25" text-anchor="end">{max(values):.3g}</text>'
        f'<text x="54" y="184" text-anchor="end">{min(values):.3g}</text>'
        f'<text x="324" y="203" text-anchor="middle">{"loss, on a logarithmic scale" if logarithmic else "loss"},'
        " from the first step to the last</text></svg>"
    )


def title(path: Path) -> str:
    """`logic_gates` → `Logic gates`."""
    return path.stem.replace("_", " ").capitalize()


def page(path: Path, run: Record) -> str:
    """The example as a page: what it is about, what came out, and its code."""
    text, code = _split(path.read_text(encoding="utf-8"))
    parts = [f"# {title(path)}", text]
    if run.formulas:
        parts += ["## The formulas", *(f'<div class="formula">{formula}</div>' for formula in run.formulas.values())]
    if run.derivation:
        parts.append(f"[The derivation, with the graph drawn](derivation-{path.stem}.html){{ .md-button }}")
    if run.curves:
        parts += ["## How it learns", *(curve(values) for values in run.curves.values())]
    parts += ["## What it prints", f"```text\n{run.printed.strip(chr(10))}\n```"]
    parts += ["## The code", f"`examples/{path.name}`", f"```python\n{code}```"]
    return "\n\n".join(parts) + "\n"


def _split(source: str) -> tuple[str, str]:
    """The docstring, and what follows it."""
    _, text, code = source.split('"""', 2)
    return text.strip(), code.lstrip("\n")


def main(path: Path) -> None:
    """Run one example and keep its record."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    sys.path.insert(0, str(ROOT))
    RECORDS.mkdir(parents=True, exist_ok=True)
    kept = dataclasses.asdict(record(path))
    (RECORDS / f"{path.stem}.json").write_text(json.dumps(kept), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
