"""Nests to schedule, and a golden text of what a step of scheduling makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.loops import interpreter
from symnet.loops.ir import Buffer, IntConst, Program
from symnet.loops.printer import to_text
from symnet.loops.verifier import verify
from symnet.lower.nest import Nest
from symnet.lower.program import Lowered, lower, naive_program
from tests.golden import check_golden

GOLDEN = Path(__file__).parent / "golden"


def lowered(*roots: Node, real: str = "float64") -> Lowered:
    return lower("f", list(roots), [f"out{k}" for k in range(len(roots))], leaves(*roots), real)


def last_nest(*roots: Node) -> Nest:
    """The nest of the last value that is stored."""
    return lowered(*roots).nests[-1]


def plain(whole: Lowered, nests: Sequence[Nest], more: Sequence[Buffer] = ()) -> Program:
    """The nests as plain loops, with more buffers to work in."""
    program = naive_program(replace(whole, nests=tuple(nests), workspace=(*whole.workspace, *more)))
    verify(program)
    return program


def check_step(name: str, before: Program, after: Program) -> None:
    """Golden text of a program before and after a step."""
    check_golden(GOLDEN / f"{name}.txt", f"before:\n{to_text(before)}\n\nafter:\n{to_text(after)}\n")


def values(program: Program, rng: np.random.Generator, **dims: int) -> list[np.ndarray]:
    """What a program gives for random numbers, and for the same ones whenever it is asked with an equal `rng`."""
    data = {}
    for buffer in program.inputs:
        shape = [n.value if isinstance(n, IntConst) else dims[str(n.name)] for n in buffer.shape]  # type: ignore[attr-defined]
        data[buffer.name] = rng.normal(size=shape).astype(buffer.dtype)
    found = interpreter.run(program, data, dims=dims)
    return [found[b.name] for b in program.outputs]
