"""An hour of random graphs: batch after batch in a worker process, which is started again when it dies.

In: seeds, minutes, how far to check.  Out: a `Summary`, and a file for each failure.
The worker says on its standard output, a line of JSON each, which batch it begins and how it ended; a batch that kills
it, or stays silent too long, is run again with every graph in a process of its own (`isolation.py`), which finds and
shrinks the graph that does it.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.batch import Batch, Failure
from tests.fuzz.checks import check
from tests.fuzz.graphs import RandomGraph
from tests.fuzz.isolation import isolated, timed

SILENCE = 600.0  # seconds after which a worker is taken to hang (shrinking a failure may take minutes)
LIFE = 60  # batches until a worker is replaced by a fresh one


@dataclass
class Plan:
    """What to run: batches of `number` graphs from `seed` on, until `minutes` have passed (0: one batch)."""

    seed: int
    number: int
    minutes: float
    compiled: bool
    out: Path

    def arguments(self, seed: int, batches: int, alone: bool = False) -> list[str]:
        """The command line of a worker."""
        options = ["--worker", str(batches), "--seed", str(seed), "--graphs", str(self.number)]
        return [*options, *(["--compile"] if self.compiled else []), *(["--isolated"] if alone else [])]


@dataclass
class Summary:
    """What a session found."""

    begun: float = field(default_factory=time.monotonic)
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def __str__(self) -> str:
        spent = time.monotonic() - self.begun
        rate = 3600 * self.counts["graphs"] / max(spent, 1e-9)
        head = f"{spent / 60:.1f} min, {self.counts['graphs']} graphs ({rate:.0f}/h), {len(self.failures)} failures"
        return "\n".join([head, *(f"  {n:8} {what}" for what, n in sorted(self.counts.items()))])


def work(plan: Plan, batches: int, alone: bool) -> None:
    """In the worker: batches, and a line about each."""

    def verdict(graph: RandomGraph) -> Counter[str]:
        return check(graph, compiled=plan.compiled, single=plan.compiled)

    for seed in range(plan.seed, plan.seed + batches):
        _say(begun=seed)
        try:
            counts = Batch(seed, plan.number, isolated(timed(verdict)) if alone else timed(verdict)).run()
            _say(ended=seed, counts=counts)
        except Failure as found:
            _say(ended=seed, failure=dict(vars(found)))


def _say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def session(plan: Plan) -> Summary:
    """Run, print progress, write what fails."""
    summary, seed = Summary(), plan.seed
    deadline = summary.begun + 60 * plan.minutes
    while seed == plan.seed or time.monotonic() < deadline:
        batches = LIFE if plan.minutes else 1
        seed = _supervise(plan, seed, batches, deadline, summary)
    return summary


def _supervise(plan: Plan, seed: int, batches: int, deadline: float, summary: Summary) -> int:
    """One worker, until its end or the deadline; the seed to go on with."""
    message, current = None, None
    with _worker(plan.arguments(seed, batches)) as messages:
        for message in messages:
            current = message.get("begun")
            if "ended" in message:
                seed = message["ended"] + 1
                record(plan, message, summary)
                if plan.minutes and time.monotonic() > deadline:
                    break
    if message is None:
        raise RuntimeError("the worker ended before its first batch; what it wrote stands above")
    if current is None:
        return seed
    print(f"seed {current}: the worker died; once more, each graph in a process of its own", flush=True)
    with _worker(plan.arguments(current, 1, alone=True)) as messages:
        for message in messages:
            if "ended" in message:
                record(plan, message, summary)
    return int(current) + 1


@contextmanager
def _worker(arguments: list[str]) -> Iterator[Iterator[dict[str, Any]]]:
    """What a worker says; it is gone when that has been read."""
    with _start(arguments) as process:
        yield _messages(process)
        process.kill()


def _start(arguments: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.fuzz", *arguments], stdout=subprocess.PIPE, bufsize=0)


def _messages(worker: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """What a worker says, until it ends or has been silent too long."""
    assert worker.stdout is not None
    while True:
        ready, _, _ = select.select([worker.stdout], [], [], SILENCE)
        line = worker.stdout.readline() if ready else b""
        if not line:
            return
        yield json.loads(line)


def record(plan: Plan, message: dict[str, Any], summary: Summary) -> None:
    """Count a batch, print how it went, write its failure."""
    summary.counts.update(message.get("counts", {}))
    found = message.get("failure")
    if found is None:
        print(f"seed {message['ended']}: {str(summary).splitlines()[0]}", flush=True)
        return
    summary.failures.append(found)
    plan.out.mkdir(parents=True, exist_ok=True)
    path = plan.out / f"seed_{found['seed']}.py"
    path.write_text(failure_text(found, plan.compiled))
    print(f"seed {found['seed']}: FAILED on {found['floor']}, see {path}\n{found['detail']}", flush=True)


def failure_text(found: dict[str, Any], compiled: bool) -> str:
    """A Python file that fails as the batch did."""
    again = f"python -m tests.fuzz --seed {found['seed']} --graphs {found['number']}" + " --compile" * compiled
    detail = "\n".join(f"#   {line}" for line in found["detail"].splitlines())
    return (
        f"# {found['floor']}: found by `{again}`\n{detail}\n{found['source']}\n\n"
        "from tests.fuzz.checks import check\nfrom tests.fuzz.graphs import RandomGraph\n\n"
        f"check(RandomGraph(roots, data, dims), compiled={compiled}, single={compiled})\n"
    )
