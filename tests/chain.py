"""The chain of oracles: one expression through every floor, and the first floor that disagrees, by name.

reference == algebra form == numeric form == loops interpreted == scheduled loops interpreted == native code
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from symnet.backends.llvm import codegen
from symnet.backends.llvm.targets import host_target
from symnet.expr.nodes.node import Node
from symnet.loops import interpreter
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
from symnet.stages import begun

Arrays = list[np.ndarray]
TOLERANCE = {"float64": 2e-10, "float32": 2e-3}


class Disagreement(AssertionError):
    """Carries the floor where the chain broke."""

    def __init__(self, floor: str, detail: str) -> None:
        super().__init__(f"the floor {floor!r} disagrees with the reference: {detail}")
        self.floor = floor


def floors(
    roots: Sequence[Node], data: dict[str, Any], dims: dict[str, int], real: str, target: Target | None = None
) -> Iterator[tuple[str, Arrays]]:
    """(floor, outputs) from the top of the house to the bottom."""
    names = tuple(f"out{k}" for k in range(len(roots)))
    c = begun(Request("chain", tuple(roots), (), names, tuple(range(len(roots))), real, "chain", target))
    data = {leaf.name: np.asarray(data[leaf.name]).astype(leaf.dtype) for leaf in c.leaves}
    yield "reference", evaluate(c.written, data, dtype=real, leaves=c.leaves)
    algebra = simplify(c.written)
    yield "algebra", evaluate(algebra, data, dtype=real, leaves=c.leaves)
    computed = numeric(algebra)
    yield "numeric", evaluate(computed, data, dtype=real, leaves=c.leaves)
    lowered = lower("chain", computed, c.outputs, c.leaves, real, c.written)
    naive = naive_program(lowered)
    yield "loops", interpreted(naive, data, dims)
    program = schedule(lowered, target or host_target())
    yield "schedule", interpreted(program, data, dims)
    yield "native", native(reused(program), lowered.signature, data, dims)


def interpreted(program: Program, data: dict[str, Any], dims: dict[str, int]) -> Arrays:
    verify(program)
    found = interpreter.run(program, data, dims=dims, check=False)
    return [found[b.name] for b in program.outputs]


def native(program: Program, signature: Any, data: dict[str, Any], dims: dict[str, int]) -> Arrays:
    code = codegen.compile_object(codegen.emit_ir(program), constants=program.constants)
    function = NativeFunction(signature, codegen.load(code), template=tuple(range(len(program.outputs))))
    return [np.asarray(a) for a in function(**data)]


def check(stages: Iterator[tuple[str, Arrays]], tolerance: float) -> None:
    """Compare every floor with the first one.

    Raises:
        Disagreement: naming the first floor whose shapes or values differ.
    """
    _, wanted = next(stages)
    for floor, got in stages:
        for number, (w, g) in enumerate(zip(wanted, got, strict=True)):
            w, g = np.asarray(w), np.asarray(g)
            if w.shape != g.shape:
                raise Disagreement(floor, f"output {number} has shape {g.shape}, not {w.shape}")
            known = (
                np.isfinite(w) if w.dtype.kind == "f" else np.ones(w.shape, bool)
            )  # elsewhere rewrites may do better
            w, g = w[known], g[known]
            scale = np.max(np.abs(w), initial=1.0) if w.dtype.kind == "f" else 1.0
            if not np.allclose(g, w, rtol=tolerance, atol=tolerance * scale):
                worst = np.max(np.abs(np.asarray(g, float) - np.asarray(w, float)))
                raise Disagreement(floor, f"output {number} is off by {worst:.3g}")
