"""`python -m tests.fuzz [KIND] --minutes 60`: what nobody wrote, for as long as it is told.

Without a kind: random graphs through every floor (`session.py`), with `--compile` in native code too.  The other kinds
stand in `kinds.py`; `all` runs each of them for that time.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzz import kinds
from tests.fuzz.session import Plan, session, work


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("kind", nargs="?", default="graphs", choices=["graphs", *kinds.MODULES, "all"], help="of what")
    parser.add_argument("--minutes", type=float, default=0, help="how long; 0 runs the one batch of the seed")
    parser.add_argument("--seed", type=int, default=0, help="of the first batch; the next has the next seed")
    parser.add_argument("--graphs", type=int, default=50, help="in a batch of graphs")
    parser.add_argument("--compile", action="store_true", help="run native code of graphs too")
    parser.add_argument("--out", type=Path, default=Path("fuzz-failures"), help="where failures of graphs are written")
    parser.add_argument("--members", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--worker", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--isolated", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.members:
        kinds.work(args.kind, args.seed, args.members)
        return 0
    plan = Plan(args.seed, args.graphs, args.minutes, args.compile, args.out)
    if args.worker:
        work(plan, args.worker, args.isolated)
        return 0
    chosen = list(kinds.MODULES) if args.kind == "all" else [args.kind]
    wrong = sum(_report(name, args.seed, args.minutes) for name in chosen if name != "graphs")
    if args.kind in ("graphs", "all"):
        summary = session(plan)
        print(summary)
        wrong += len(summary.failures)
    return 1 if wrong else 0


def _report(name: str, seed: int, minutes: float) -> int:
    """One kind, and what was found."""
    counts, wrong = kinds.run(name, seed, minutes)
    print(
        f"{name}: {len(wrong)} failures; " + ", ".join(f"{n} {what}" for what, n in counts.most_common(12)), flush=True
    )
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
