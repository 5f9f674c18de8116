"""Operations of derivatives against depth: ours, a tape's, and SymPy's after its search for common subexpressions.

    python tests/benchmarks/chain_operations.py [--depths 4 8 16 32] [--minors 3 4 5 6] [--sympy 16]

In: depths.  Out: a table: operations of the value as written, and of value and gradient together in those of the value
(`symnet/loops/weights.py` says what counts; a call of a function one),

    ours    of the loops that are executed
    tape    as a tape runs them, counted by its arrays (`symnet/compare/counting.py`)
    SymPy   of the expression and its derivatives by SymPy after `sympy.cse`; left out where the depth is beyond --sympy
    hvp     of a product with the Hessian alone, ours
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence

import numpy as np
import sympy

import symnet as sn
from symnet.compare.counting import Count, counted
from symnet.compare.tape import TapeProgram
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.loops.operations import operations
from tests.growing_chains import FAMILIES

CHAINS = ("Speelpenning", "scalar: logistic map", "scalar: Runge and Kutta")
QUICK = CHAINS[:2]  # what SymPy differentiates in seconds
_LABELS = (f"_{n}" for n in itertools.count())


def executed(roots: Sequence[Node]) -> int:
    return int(operations(sn.compile(list(roots), stop_after="schedule")).total)


def tape_operations(value: Node, leaves: Sequence[Tensor]) -> int:
    count = Count()
    program = TapeProgram(value, leaves, {}, "float64")
    program.value_and_grad({leaf.name: counted(np.float64(0.3), count) for leaf in leaves})
    return int(count.seen.total)


def sympy_operations(value: Node, leaves: Sequence[Tensor]) -> int:
    """Operations of the value and its derivatives, shared by `cse`; a power by a number counts one, as ours do."""
    formula = sn.to_sympy(value)
    by = [sn.to_sympy(leaf) for leaf in leaves]
    steps, results = sympy.cse([formula, *(formula.diff(x) for x in by)])
    return int(sum(sympy.count_ops(e) for _, e in steps) + sum(sympy.count_ops(e) for e in results))


def row(name: str, depth: int, deepest: int) -> str:
    value, leaves = FAMILIES[name](depth, next(_LABELS))
    written = int(sn.flops(value))
    vectors = [sn.tensor(f"v{leaf.name}") for leaf in leaves]
    ours = executed([value, *sn.grad(value, leaves)]) / written
    product = executed(sn.hvp(value, leaves, vectors)) / written
    theirs = f"{sympy_operations(value, leaves) / written:.1f}" if depth <= deepest else "–"
    label = name.removeprefix("scalar: ")
    tape = tape_operations(value, leaves) / written
    return f"| {label} | {depth} | {written} | **{ours:.1f}** | {tape:.1f} | {theirs} | {product:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="operations of derivatives against depth")
    parser.add_argument("--depths", type=int, nargs="+", default=(4, 8, 16, 32))
    parser.add_argument("--minors", type=int, nargs="+", default=(3, 4, 5, 6))
    parser.add_argument(
        "--sympy", type=int, default=8, help="the greatest depth that SymPy is given, where it is quick"
    )
    args = parser.parse_args()
    print("| chain | depth | value | ours | tape | SymPy, cse | hvp |\n|---|---|---|---|---|---|---|")
    for name in CHAINS:
        for depth in args.depths:
            print(row(name, depth, args.sympy if name in QUICK else 0), flush=True)
    for order in args.minors:
        print(row("determinant by minors", order, 6), flush=True)


if __name__ == "__main__":
    main()
