"""The chain of oracles: one expression through every floor, and the first floor that disagrees, by name.

reference == algebra form == numeric form == loops interpreted == scheduled loops interpreted, with the reference's
functions and with the machine's == native code == the shared library of an export, where a folder for it is given.
Native code has the bits that its loops have with the machine's functions and roundings, and the export has its bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symnet.backends.llvm import codegen, loading
from symnet.backends.llvm.targets import host_target
from symnet.export.files import export
from symnet.export.load import load
from symnet.expr.nodes.node import Node
from symnet.loops import interpreter
from symnet.loops.arithmetic import REFERENCE, Arithmetic
from symnet.loops.ir import Program
from symnet.loops.verifier import verify
from symnet.lower.program import lower, naive_program
from symnet.reference import evaluate
from symnet.request import Request
from symnet.runtime.function import NativeFunction
from symnet.schedule.program import schedule
from symnet.schedule.reuse import reused
from symnet.schedule.target import Target
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric
from symnet.stages import Stages, begun
from tests import rounding
from tests.llvm.native import arithmetic_of, differing

Arrays = list[np.ndarray]
BITWISE = {"native": "its loops interpreted", "export": "native code"}  # whose bits are those of the floor above
Bounds = Callable[[Arrays], Arrays]  # what the reference gave → how far off each element may be


class Disagreement(AssertionError):
    """Carries the floor where the chain broke."""

    def __init__(self, floor: str, detail: str) -> None:
        super().__init__(f"the floor {floor!r} disagrees with the reference: {detail}")
        self.floor = floor


def floors(
    roots: Sequence[Node],
    data: dict[str, Any],
    dims: dict[str, int],
    real: str,
    target: Target | None = None,
    folder: Path | None = None,
) -> Iterator[tuple[str, Arrays]]:
    """(floor, outputs) from the top of the house to the bottom, the export in `folder` where there is one."""
    c = _begun(roots, real, target)
    data = _retyped(data, c)
    yield "reference", evaluate(c.written, data, dtype=real, leaves=c.leaves)
    algebra = simplify(c.written)
    yield "algebra", evaluate(algebra, data, dtype=real, leaves=c.leaves)
    computed = numeric(algebra)
    yield "numeric", evaluate(computed, data, dtype=real, leaves=c.leaves, identities=True)
    lowered = lower("chain", computed, c.outputs, c.leaves, real, c.written)
    naive = naive_program(lowered)
    yield "loops", interpreted(naive, data, dims)
    program = schedule(lowered, target or host_target())
    yield "schedule", interpreted(program, data, dims)
    program = reused(program)
    yield "arithmetic", interpreted(program, data, dims, arithmetic_of(target))
    if target is not None and not loading.runs_here(target):
        return
    code = codegen.compile_object(codegen.emit_ir(program, target), target, program.constants)
    yield "native", native(program, lowered.signature, code, data)
    if folder is not None:
        template = tuple(range(len(program.outputs)))
        export(folder / "chain", lowered.signature, program, object_code=code, template=template)
        yield "export", [np.asarray(a) for a in load(folder / "chain")(**data)]


def interpreted(
    program: Program, data: dict[str, Any], dims: dict[str, int], arithmetic: Arithmetic = REFERENCE
) -> Arrays:
    verify(program)
    found = interpreter.run(program, data, dims=dims, check=False, arithmetic=arithmetic)
    return [found[b.name] for b in program.outputs]


def native(program: Program, signature: Any, code: bytes, data: dict[str, Any]) -> Arrays:
    function = NativeFunction(signature, loading.load(code), template=tuple(range(len(program.outputs))))
    return [np.asarray(a) for a in function(**data)]


def rounded(roots: Sequence[Node], data: dict[str, Any], real: str) -> Bounds:
    """Each element as near as the roundings on its own way allow (`rounding.py`)."""
    c = _begun(roots, real)
    return lambda wanted: rounding.allowed(c.written, _retyped(data, c), real, c.leaves, wanted)


def within(tolerance: float) -> Bounds:
    """Each element as near as `tolerance`, relative to it and to the largest of its array: for random graphs, which are
    rarely well conditioned.
    """
    return lambda wanted: [_relative(np.asarray(w), tolerance) for w in wanted]


def _relative(wanted: np.ndarray, tolerance: float) -> np.ndarray:
    if wanted.dtype.kind != "f":
        return np.zeros(wanted.shape)
    size = np.where(np.isfinite(wanted), np.abs(wanted), 0.0)
    return tolerance * (size + np.max(size, initial=1.0))


def check(stages: Iterator[tuple[str, Arrays]], bounds: Bounds, undefined: bool | None = False) -> None:
    """Compare every floor with the first one, wherever that is finite: elsewhere rewrites may do better.

    Args:
        stages: what `floors` gives.
        bounds: `rounded(…)` or `within(…)`.
        undefined: whether a result of the reference is finite nowhere, which is checked; None: it may be.

    Raises:
        Disagreement: naming the first floor whose shapes or values differ.
        AssertionError: when a result is finite nowhere, so that nothing of it is compared, and nobody said so.
    """
    _, wanted = next(stages)
    wanted = [np.asarray(w) for w in wanted]
    nowhere = [number for number, w in enumerate(wanted) if w.size and not _known(w).any()]
    assert undefined is None or bool(nowhere) == undefined, f"results {nowhere} of the reference are finite nowhere"
    furthest = bounds(wanted)
    above: Arrays = []
    for floor, got in stages:
        got = [np.asarray(g) for g in got]
        for number, (w, g, bound) in enumerate(zip(wanted, got, furthest, strict=True)):
            if w.shape != g.shape:
                raise Disagreement(floor, f"output {number} has shape {g.shape}, not {w.shape}")
            _compare(floor, number, w, g, bound)
        if floor in BITWISE:
            _compare_bits(floor, above, got)
        above = got


def _compare_bits(floor: str, above: Arrays, got: Arrays) -> None:
    for number, (a, g) in enumerate(zip(above, got, strict=True)):
        wrong = differing(g, a)
        if wrong.any():
            pair = f"{g[wrong][0]} is not {a[wrong][0]}"
            raise Disagreement(floor, f"output {number} lacks the bits of {BITWISE[floor]}: {pair}")


def _known(wanted: np.ndarray) -> np.ndarray:
    return np.isfinite(wanted) if wanted.dtype.kind == "f" else np.ones(wanted.shape, bool)


def _compare(floor: str, number: int, wanted: np.ndarray, got: np.ndarray, bound: np.ndarray) -> None:
    if wanted.dtype.kind != "f":
        distance = (got != wanted).astype(float)  # whole numbers beyond 2**53 are compared as they are
    else:
        with np.errstate(invalid="ignore"):
            distance = np.abs(got.astype(float) - wanted.astype(float))
    wrong = _known(wanted) & ~(distance <= bound)
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        detail = f"output {number} is {got[at]!r} at {at}, not {wanted[at]!r} ± {bound[at]:.3g}"
        raise Disagreement(floor, f"{detail}; {int(wrong.sum())} of {wanted.size} elements differ so")


def _begun(roots: Sequence[Node], real: str, target: Target | None = None) -> Stages:
    names = tuple(f"out{k}" for k in range(len(roots)))
    return begun(Request("chain", tuple(roots), (), names, tuple(range(len(roots))), real, "chain", target))


def _retyped(data: dict[str, Any], c: Stages) -> dict[str, Any]:
    """The data in the dtypes of the leaves that are compiled."""
    return {leaf.name: np.asarray(data[leaf.name]).astype(leaf.dtype) for leaf in c.leaves}
