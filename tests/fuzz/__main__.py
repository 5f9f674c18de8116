"""`python -m tests.fuzz --minutes 60 --compile`: random graphs through every floor for an hour; see `session.py`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzz.session import Plan, session, work


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0, help="how long; 0 runs the one batch of the seed")
    parser.add_argument("--seed", type=int, default=0, help="of the first batch; the next has the next seed")
    parser.add_argument("--graphs", type=int, default=50, help="in a batch")
    parser.add_argument("--compile", action="store_true", help="run native code too")
    parser.add_argument("--out", type=Path, default=Path("fuzz-failures"), help="where failures are written")
    parser.add_argument("--worker", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--isolated", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    plan = Plan(args.seed, args.graphs, args.minutes, args.compile, args.out)
    if args.worker:
        work(plan, args.worker, args.isolated)
        return 0
    summary = session(plan)
    print(summary)
    return 1 if summary.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
