"""The workloads of `examples/workloads/`, compared: `python -m tests.compare.workloads [--markdown] [NAME …]`.

Prints JSON, or the table of `docs/compare.md`.  JAX takes part where it is installed.
"""

from __future__ import annotations

import argparse
import json
import runpy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import symnet as sn
from symnet.compare.report.numbers import count_text, error_text, time_text

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "workloads"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


def compared(name: str, repeats: int) -> Any:
    """The comparison of a workload."""
    names = runpy.run_path(str(FOLDER / f"{name}.py"))
    against = ["tape", "jax"] if find_spec("jax") else ["tape"]
    of = names.get("of", "gradient")
    return sn.compare(names["L"], names["params"], names["data"], of=of, against=against, repeats=repeats)


def row(name: str, found: Any) -> str:
    """A line of the table."""
    ours, tape, *rest = found.rows
    jax = rest[0] if rest else None
    parts = [
        name.replace("_", " "),
        {"gradient": "gradient", "hvp": "H·v", "hessian": "Hessian"}[found.of],
        f"{found.parameters:,}",
        *(error_text(r.error, found.truth.floor) if r else "?" for r in (ours, tape, jax)),
        *(count_text(r.operations) for r in (ours, tape)),
        *(time_text(r.seconds) if r else "?" for r in (ours, tape, jax)),
        *(time_text(r.cold) if r else "?" for r in (ours, jax)),
    ]
    return f"| {' | '.join(parts)} |"


HEAD = (
    "workload", "what", "parameters", "error, symnet", "tape", "JAX", "operations, symnet", "tape",
    "warm, symnet", "tape", "JAX", "cold, symnet", "JAX",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=[])
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    if options.markdown:
        print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    found: dict[str, Any] = {}
    for name in options.names or NAMES:
        comparison = compared(name, 15 if options.markdown else 1)
        found[name] = {r.method: [r.value_error, r.error, r.failed] for r in comparison.rows}
        if options.markdown:
            print(row(name, comparison), flush=True)
    if not options.markdown:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
