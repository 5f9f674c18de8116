"""What can be fuzzed, by name: sessions of members from a seed on, in processes of their own.

In: a kind, a seed, minutes.  Out: counts of what was tried, and what was wrong, with seeds.
A slice of a session runs in a worker; one that dies or never ends is run again seed by seed, which finds the member
that does it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module

Found = tuple[Counter[str], list[str]]
Session = Callable[[int, float, int], Found]  # (first seed, seconds, members at most) → counts, what was wrong

MODULES = {
    "contexts": "every stable spelling moved, joined, selected, reduced, guarded, of rank 0",
    "integers": "operations and reductions of integers, against NumPy, bit for bit",
    "extents": "extents and sizes near 2**31, 2**32, 2**63, 2**64, and 0",
    "schedules": "phases that wait for one another through indices and totals, on several threads",
    "moves": "formulas of one matrix moved in several ways, zeros among its elements",
    "indices": "computed indices in range and out of it, between forbidden pages",
}
SLICE = 40  # members that one worker tries
SILENCE = 600.0  # seconds after which a worker is taken to hang


def kind(name: str) -> Session:
    """The session of a kind."""
    found: Session = import_module(f"tests.fuzz.{name}").session
    return found


def work(name: str, seed: int, most: int) -> None:
    """In a worker: some members, and a line of JSON about them."""
    counts, wrong = kind(name)(seed, SILENCE, most)
    print(json.dumps({"counts": counts, "wrong": wrong}), flush=True)


def run(name: str, seed: int, minutes: float) -> Found:
    """Slice after slice until the time is over (at least one); a line for each that found something."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    end = time.monotonic() + 60 * minutes
    while True:
        new, found = _slice(name, seed, SLICE)
        counts += new
        wrong += found
        for line in found:
            print(f"{name}: {line}", flush=True)
        seed += SLICE
        if time.monotonic() >= end:
            return counts, wrong


def _slice(name: str, seed: int, most: int) -> Found:
    """One worker; where it dies, its members one by one."""
    command = [sys.executable, "-m", "tests.fuzz", name, "--members", str(most), "--seed", str(seed)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SILENCE, check=False)
        died = f"it ended with {done.returncode}: {done.stderr[-300:]}" if done.returncode else ""
    except subprocess.TimeoutExpired:
        died = f"it did not end in {SILENCE:.0f} s"
    if not died:
        answer = json.loads(done.stdout.splitlines()[-1])
        return Counter(answer["counts"]), answer["wrong"]
    if most == 1:
        return Counter(members=1), [f"seed {seed}: {died}"]
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for single in range(seed, seed + most):
        new, found = _slice(name, single, 1)
        counts += new
        wrong += found
    return counts, wrong
