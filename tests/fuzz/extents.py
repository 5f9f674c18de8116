"""Extents whose products lie near 2³¹, 2³², 2⁶³ and 2⁶⁴, or are 0: what cannot be addressed is refused, never wrapped.

In: a seed.  Out: how many calls were tried, and what was wrong.  `NAME_workspace_bytes` of a program of the extents m
and n must be, in code for 64-bit targets and for 32-bit ones, the sum that Python's integers give, or the largest
number where an extent, an array or the sum leaves the signed range; what a call in Python says must agree with it.
Code for 32-bit targets runs here in an interpreter of the few instructions that the entry point has.
Not handled: arrays of such sizes with elements in them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import symnet as sn
from symnet.backends.llvm.targets import target_for
from symnet.dtypes import ITEMSIZE
from symnet.errors import AllocationError, RangeError
from symnet.loops.affine import names, walk_int
from symnet.loops.ir import Buffer, For, IntExpr, Program, walk
from symnet.runtime.extents import evaluate
from tests.fuzz.seeds import over_seeds

m, n, k = sn.dim("m"), sn.dim("n"), sn.dim("k")
x, y, a = sn.tensor("x", m), sn.tensor("y", n), sn.tensor("a")
X, Y = sn.tensor("X", m, k), sn.tensor("Y", n, k)
NEAR = (2**15, 2**16, 2**28, 2**30, 2**31, 2**32, 2**40, 2**59, 2**60, 2**61, 2**62, 2**63)

EXPRESSIONS: dict[str, Callable[[], Any]] = {
    "an outer sum": lambda: sn.cumsum(sn.tanh(x[:, None] + y[None, :]), 0),
    "a product over an empty axis": lambda: sn.sum(sn.tanh(X @ Y.T)),
    "a square": lambda: sn.sum(sn.tanh(X @ X.T)),
    "a count": lambda: sn.sum(sn.arange(m) * a),
    "a count of pairs": lambda: sn.sum(sn.arange(m * n) * a),
    "a flattened sum": lambda: sn.cumsum((x[:, None] * y[None, :]).reshape(m * n)),
    "a streamed loss": lambda: sn.mean(sn.tanh(X @ sn.tensor("W", k, 7)) ** 2),
    "rows joined": lambda: sn.concat([sn.cumsum(sn.tanh(x)), sn.cumsum(sn.exp(y))], 0),
    "a cube": lambda: sn.cumsum(sn.tanh(x[:, None, None] + x[None, :, None] * y[None, None, :]), 1),
    "a product of rows": lambda: sn.cumprod(sn.tanh(x[:, None] + y[None, :]), 1, exclusive=True),
    "a recurrence": lambda: sn.linear_recurrence(sn.tanh(x)[:, None], y[None, :], 0, reverse=True),
    "integers": lambda: sn.cumsum(sn.tensor("i", m, 3, dtype="int32"), 0) * 2,
}
TARGETS = {
    64: target_for("x86_64-unknown-linux-gnu"),
    32: target_for("armv7-unknown-linux-gnueabihf", cpu="cortex-a9"),
}


@dataclass(frozen=True)
class Compiled:
    """One expression for one width of addresses: its program, and its entry point's text."""

    program: Program
    entry: str
    bits: int


@cache
def compiled(name: str, bits: int) -> Compiled:
    options: dict[str, Any] = {"name": "f", "target": TARGETS[bits]}
    program = sn.compile(EXPRESSIONS[name](), stop_after="schedule", **options)
    text = sn.compile(EXPRESSIONS[name](), stop_after="llvm", **options)
    found = re.search(r"define internal i\d+ @f.needed\(.*?\n}", text, re.DOTALL)  # what `f_workspace_bytes` says
    assert found is not None
    return Compiled(program, found[0], bits)


@cache
def native(name: str) -> Any:
    return sn.compile(EXPRESSIONS[name](), name="f")


def drawn(rng: np.random.Generator) -> int:
    """0, a small number, or one near a power of two."""
    kind = rng.random()
    if kind < 0.15:
        return 0
    if kind < 0.3:
        return int(rng.integers(1, 100))
    return max(0, int(NEAR[int(rng.integers(len(NEAR)))] >> int(rng.integers(0, 3))) + int(rng.integers(-2, 3)))


def expected(program: Program, dims: dict[str, int], bits: int) -> int | None:
    """The workspace's bytes; None where a size leaves the range, by Python's integers."""
    limit = 2 ** (bits - 1)
    arrays = (*program.inputs, *program.outputs, *program.workspace)
    sizes = [_bytes(b, dims) for b in arrays]
    extents = [evaluate(e, dims) for e in (*(e for b in arrays for e in b.shape), *_counts(program))]
    total = sum(-(-_bytes(b, dims) // 64) * 64 for b in program.workspace if b.view_of is None)
    phases = sum(evaluate(g.repeat, dims) * len(g.phases) for g in program.groups)
    inside = max([*dims.values(), *sizes, *extents, total, 0]) < limit and phases < 2**31
    return total if inside else None


def _counts(program: Program) -> list[IntExpr]:
    """What loops and units count to, and every part of that, where it is known before they run."""
    loops = [stmt.extent for _, phase in program.phases() for stmt in walk(phase.body) if isinstance(stmt, For)]
    counts = [*loops, *(phase.units for _, phase in program.phases()), *(group.repeat for group in program.groups)]
    parts = dict.fromkeys(part for count in counts for part in walk_int(count))
    return [part for part in parts if names(part) <= set(program.dims)]


def _bytes(buffer: Buffer, dims: dict[str, int]) -> int:
    size = ITEMSIZE[buffer.dtype]
    for extent in buffer.shape:
        size *= evaluate(extent, dims)
    return size


def problems(name: str, given: dict[str, int]) -> list[str]:
    """What is wrong with one call's sizes."""
    found = []
    for bits in TARGETS:
        program = compiled(name, bits)
        dims = {d: given[d] for d in program.program.dims}
        wanted = expected(program.program, dims, bits)
        got = run(program, list(dims.values())) if max(dims.values()) < 2**63 else 2**bits - 1
        if wanted is None and got != 2**bits - 1:
            found.append(f"{name} {dims}, {bits} bits: {got} bytes in place of a refusal")
        if wanted is not None and got != wanted and not (got == 2**bits - 1 and _nearly(program.program, dims, bits)):
            found.append(f"{name} {dims}, {bits} bits: {got} bytes in place of {wanted}")
    return found + in_python(name, given)


def _nearly(program: Program, dims: dict[str, int], bits: int) -> bool:
    """Whether blocks, paddings or the product of some extents of an empty array reach the limit: refused too."""
    limit = 2 ** (bits - 1)
    nonzero = {d: max(v, 1) for d, v in dims.items()}
    arrays = (*program.inputs, *program.outputs, *program.workspace)
    return 2 * max([*nonzero.values(), *(_bytes(b, nonzero) for b in arrays)]) + 1024 >= limit


def in_python(name: str, given: dict[str, int]) -> list[str]:
    """The call of `workspace_bytes` here, and of the function where it takes no large array."""
    function = native(name)
    dims = {d: given[d] for d in function.signature.dims}
    program = compiled(name, 64).program
    wanted = None if max(dims.values()) >= 2**63 else expected(program, dims, 64)
    try:
        got: Any = function.workspace_bytes(**dims)
    except RangeError as error:
        large = [str(v) for v in dims.values() if v >= 2**63]
        if not large or any(v in str(error) for v in large):  # the first of them is named
            got = None
        else:
            return [f"{name} {dims}: an error without the sizes: {error}"]
    if wanted is None and got is not None:
        return [f"{name} {dims}: {got} bytes, and no refusal in Python"]
    if got is not None and got > 2**40 and "X" in function.inputs and dims.get("k") == 0 and dims["m"] < 2**60:
        return _call_refused(name, function, dims)
    return []


def _call_refused(name: str, function: Any, dims: dict[str, int]) -> list[str]:
    """A call whose arrays are empty and whose workspace is not."""
    arrays = {b.name: np.empty([evaluate(e, dims) for e in b.shape], b.dtype) for b in function.signature.inputs}
    try:
        function(**arrays)
    except (AllocationError, RangeError):
        return []
    return [f"{name} {dims}: a call that should not have found memory"]


# --------------------------------------------------------------------------- the entry point, interpreted


def run(program: Compiled, dims: list[int]) -> int:
    """What the entry point returns, unsigned: its instructions one after the other."""
    values: dict[str, Any] = {"%dims": 0, "true": 1, "false": 0}
    for line in program.entry.splitlines()[1:]:
        line = line.strip()
        if line.startswith("ret"):
            kind, operand = line.split()[1:]
            return int(_value(values, operand)) % 2 ** int(kind[1:])
        if " = " in line:
            target, right = line.split(" = ", 1)
            values[target] = _instruction(values, right, dims)
    raise AssertionError(program.entry)


def _value(values: dict[str, Any], text: str) -> Any:
    text = text.rstrip(",")
    return values[text] if text in values else int(text)


def _signed(value: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return (value + half) % (2 * half) - half


_RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "gt": int.__gt__, "ge": int.__ge__, "lt": int.__lt__, "le": int.__le__, "eq": int.__eq__, "ne": int.__ne__,
}  # fmt: skip
_BINARY: dict[str, Callable[[int, int], int]] = {
    "add": int.__add__, "sub": int.__sub__, "mul": int.__mul__, "or": int.__or__, "and": int.__and__,
    "udiv": int.__floordiv__,
}  # fmt: skip


def _instruction(values: dict[str, Any], text: str, dims: list[int]) -> Any:
    words = text.replace(",", " ").split()
    match words[0]:
        case "load":
            return dims[_value(values, words[3])]
        case "getelementptr":
            return _value(values, words[-1])
        case "trunc":
            return _signed(_value(values, words[2]), int(words[-1][1:]))
        case "sext" | "zext":
            return _value(values, words[2])
        case "select":
            return _value(values, words[4] if _value(values, words[2]) else words[6])
        case "extractvalue":
            return _value(values, words[-2])[int(words[-1])]
        case "icmp":
            bits = int(words[2][1:])
            left, right = (_signed(_value(values, w), bits) for w in words[3:5])
            if words[1][0] == "u":
                left, right = left % 2**bits, right % 2**bits
            return int(_RELATIONS[words[1][-2:]](left, right))
        case "call":
            return _called(values, text)
        case name:
            bits = int(words[1][1:])
            left, right = (_value(values, w) for w in words[2:4])
            if name == "udiv":
                left, right = left % 2**bits, right % 2**bits
            return _signed(_BINARY[name](left, right), bits) if bits > 1 else _BINARY[name](left, right)


def _called(values: dict[str, Any], text: str) -> Any:
    found = re.search(r"@llvm\.(\w+)[\w.]*\(i(\d+) ([%\w-]+), i\d+ ([%\w-]+)\)", text)
    assert found is not None, text
    name, bits = found[1], int(found[2])
    left, right = (_signed(_value(values, w), bits) for w in found.group(3, 4))
    if name in ("smin", "umin"):
        return min(left, right) if name == "smin" else _signed(min(left % 2**bits, right % 2**bits), bits)
    if name == "sadd":
        return _signed(left + right, bits), int(_signed(left + right, bits) != left + right)
    whole = (left % 2**bits) * (right % 2**bits)
    return _signed(whole, bits), int(whole >= 2**bits)


def session(seed: int, seconds: float, most: int = 0) -> tuple[Counter[str], list[str]]:
    """Random calls until the time is over.

    Args:
        seed: of the first call; the next has the next seed.
        seconds: how long.
        most: calls at most; 0 for no bound.

    Returns:
        how many calls of which expressions were tried; and what was wrong, with its seed.
    """
    return over_seeds(seed, seconds, most, call_problems)


def call_problems(seed: int, counts: Counter[str]) -> list[str]:
    """What is wrong with the call of a seed."""
    rng = np.random.default_rng(seed)
    name = str(rng.choice(list(EXPRESSIONS)))
    given = {d: drawn(rng) for d in ("m", "n", "k")}
    counts.update(("calls", name))
    return problems(name, given)
