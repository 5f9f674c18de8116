"""Expression swell, measured: how large derivatives become, and how long they take, by how they are held.

    python tests/benchmarks/expression_swell.py [--families chain speelpenning …] [--plot swell.png] [--csv swell.csv]

A value of growing size is differentiated by all of its variables.  For each way the operations of value and gradient
together, in those of the value as a graph (`sn.operations`, a call of a function one):

    naive    SymPy's `diff` of the expression, written out without sharing, as a tree
    CSE      the same after `sympy.cse`
    symnet   the formulas of `sn.grad`, equal parts once
    tape     what a tape executes, counted by its arrays

and the seconds that it takes to make the derivative, and to evaluate value and gradient once: by `lambdify` of the tree
and of what `cse` found, by symnet's compiled code, by the tape.  A dot: too large for SymPy, which walks trees.

Source: Griewank and Walther, "Evaluating derivatives", 2nd ed., 2008, chapters 1 and 4; Laue, "On the equivalence of
automatic and symbolic differentiation", 2019.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import sympy

import symnet as sn
from symnet.compare.counting import Count, counted
from symnet.compare.tape import TapeProgram

LARGEST_VALUE = 1_000  # operations of a value, as a tree, that SymPy is asked to differentiate
LARGEST_TREE = 20_000  # those of a derivative that its `cse` and `lambdify` are asked for
BOUND = 5.0  # of reverse mode, in operations of the value (Griewank and Walther, section 4.6)


# --------------------------------------------------------------------------- families: functions of scalars


def chain(xs: Sequence[Any], n: int, tanh: Callable[[Any], Any]) -> Any:
    """The logistic map, n times: u ← 4·u·(1 - u)."""
    u = xs[0]
    for _ in range(n):
        u = 4 * u * (1 - u)
    return u


def sums_of_products(xs: Sequence[Any], n: int, tanh: Callable[[Any], Any]) -> Any:
    """∏ over rows of Σ x[j]·(j + row + 1): a product of n sums of n products."""
    total: Any = 1
    for row in range(n):
        total = total * sum(((j + row + 1) * x for j, x in enumerate(xs)), 0)
    return total


def deep_network(xs: Sequence[Any], n: int, tanh: Callable[[Any], Any]) -> Any:
    """n layers of two tanh units, whose four weights all layers share."""
    a, b = 0.3, 0.7
    for _ in range(n):
        a, b = tanh(xs[0] * a + xs[1] * b), tanh(xs[2] * a + xs[3] * b)
    return a + b


def speelpenning(xs: Sequence[Any], n: int, tanh: Callable[[Any], Any]) -> Any:
    """∏ x[k], the product whose gradient is n products of n - 1 factors."""
    return math.prod(xs[1:], start=xs[0])


def determinant(xs: Sequence[Any], n: int, tanh: Callable[[Any], Any]) -> Any:
    """det of an n × n matrix by minors of growing size, each computed once (2ⁿ of them)."""
    minors: dict[frozenset[int], Any] = {frozenset({j}): xs[j] for j in range(n)}
    for row in range(1, n):
        larger: dict[frozenset[int], Any] = {}
        for columns, minor in minors.items():
            for j in set(range(n)) - columns:
                term = xs[n * row + j] * minor * (-1) ** sum(c > j for c in columns)
                key = columns | {j}
                larger[key] = larger[key] + term if key in larger else term
        minors = larger
    return minors[frozenset(range(n))]


@dataclass(frozen=True)
class Family:
    """A function of scalars that grows: how many variables it has at a size, and the sizes that are measured."""

    value: Callable[[Sequence[Any], int, Callable[[Any], Any]], Any]
    variables: Callable[[int], int]
    sizes: tuple[int, ...]


FAMILIES = {
    "chain": Family(chain, lambda n: 1, (2, 4, 6, 8, 12, 16, 32, 64)),
    "sums of products": Family(sums_of_products, lambda n: n, (2, 3, 4, 6, 8, 12, 16)),
    "deep network": Family(deep_network, lambda n: 4, (1, 2, 3, 4, 6, 8, 16, 32)),
    "speelpenning": Family(speelpenning, lambda n: n, (4, 8, 16, 32, 64, 128)),
    "determinant": Family(determinant, lambda n: n * n, (2, 3, 4, 5, 6)),
}


# --------------------------------------------------------------------------- measuring


@dataclass(frozen=True)
class Swell:
    """One size of one family; a figure that was not measured is None.

    Attributes:
        family, size: which.
        value: operations of the value, as a graph.
        naive, cse, symnet, tape: operations of value and gradient.
        diff_seconds, cse_seconds, grad_seconds: to make the derivative.
        naive_evaluation, cse_evaluation, symnet_evaluation, tape_evaluation: to evaluate value and gradient once.
    """

    family: str
    size: int
    value: int
    naive: float | None
    cse: int | None
    symnet: int
    tape: int
    diff_seconds: float | None
    cse_seconds: float | None
    grad_seconds: float
    naive_evaluation: float | None
    cse_evaluation: float | None
    symnet_evaluation: float
    tape_evaluation: float


class Tree:
    """Counts the operations of an expression as a tree, while it is written down."""

    def __init__(self, size: float = 0) -> None:
        self.size = size

    def _with(self, other: Any) -> Tree:
        return Tree(self.size + 1 + (other.size if isinstance(other, Tree) else 0))

    __add__ = __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = _with

    def function(self) -> Tree:
        return Tree(self.size + 1)


def tree_size(value: Any) -> float:
    return value.size if isinstance(value, Tree) else 0


def tree_operations(expression: Any, known: dict[Any, float]) -> float:
    """Operations of an expression written out as a tree, without walking it as one."""
    waiting = [expression]
    while waiting:
        e = waiting[-1]
        unknown = [a for a in e.args if a not in known]
        if e in known or not unknown:
            waiting.pop()
            own = len(e.args) - 1 if e.is_Add or e.is_Mul else bool(e.args)
            known.setdefault(e, own + sum(known[a] for a in e.args))
        else:
            waiting.extend(unknown)
    return known[expression]


def measure(name: str, size: int) -> Swell:
    """All ways at one size."""
    family = FAMILIES[name]
    count = family.variables(size)
    point = [0.2 + 0.6 * (k + 1) / (count + 1) for k in range(count)]
    leaves = [sn.scalar(f"x{k}") for k in range(count)]
    value = family.value(leaves, size, sn.tanh)
    begin = time.perf_counter()
    slopes = sn.grad(value, leaves)
    grad_seconds = time.perf_counter() - begin
    data = {leaf.name: np.float64(p) for leaf, p in zip(leaves, point, strict=True)}
    step = sn.value_and_grad(value, leaves).bind(**{n: np.array(a) for n, a in data.items()})
    program, seen = TapeProgram(value, leaves, {}, "float64"), Count()
    program.value_and_grad({n: counted(a, seen) for n, a in data.items()})
    by_sympy = _by_sympy(family, size, point)
    expected = np.array([step()[0], *step()[1]], dtype=float)
    for found in by_sympy.pop("values"):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)
    return Swell(
        name, size, int(sn.operations(value).total), symnet=int(sn.operations([value, *slopes]).total),
        tape=int(seen.seen.total), grad_seconds=grad_seconds, symnet_evaluation=evaluation(step),
        tape_evaluation=evaluation(lambda: program.value_and_grad(data)), **by_sympy,
    )  # fmt: skip


def _by_sympy(family: Family, size: int, point: Sequence[float]) -> dict[str, Any]:
    """The same by SymPy: derivatives of the tree, with and without common subexpressions."""
    symbols = sympy.symbols(f"x:{len(point)}", real=True)
    found: dict[str, Any] = dict.fromkeys(("naive", "diff_seconds", "cse", "cse_seconds"))
    found |= {"naive_evaluation": None, "cse_evaluation": None, "values": []}
    if tree_size(family.value([Tree()] * len(point), size, Tree.function)) > LARGEST_VALUE:
        return found
    form = sympy.sympify(family.value(symbols, size, sympy.tanh))
    begin = time.perf_counter()
    forms = [form, *(form.diff(x) for x in symbols)]
    found["diff_seconds"] = time.perf_counter() - begin
    known: dict[Any, float] = {}
    found["naive"] = sum(tree_operations(f, known) for f in forms)
    if found["naive"] > LARGEST_TREE:
        return found
    steps, results = sympy.cse(forms)
    found["cse_seconds"] = time.perf_counter() - begin
    known = {}
    found["cse"] = int(sum(tree_operations(e, known) for e in [*(e for _, e in steps), *results]))
    for key, shared in (("naive_evaluation", False), ("cse_evaluation", True)):
        function = sympy.lambdify(symbols, forms, "math", cse=shared)
        found["values"].append(np.array(function(*point), dtype=float))
        found[key] = evaluation(lambda function=function: function(*point))  # type: ignore[misc]  # bound now
    return found


def evaluation(call: Callable[[], Any], least: float = 0.02) -> float:
    """Seconds of a call: the best of a few bursts."""
    call()
    begin = time.perf_counter()
    call()
    burst = max(1, int(least / max(time.perf_counter() - begin, 1e-7)))
    best = math.inf
    for _ in range(3):
        begin = time.perf_counter()
        for _ in range(burst):
            call()
        best = min(best, (time.perf_counter() - begin) / burst)
    return best


# --------------------------------------------------------------------------- reports


def text(number: float | None, unit: str = "") -> str:
    if number is None:
        return "."
    return f"{number:.3g}{unit}" if number < 1e6 else f"{number:.0e}{unit}"


def lines(found: Sequence[Swell]) -> list[str]:
    """A table: operations in those of the value, and microseconds of an evaluation."""
    head = ("size", "value", "naive", "CSE", "symnet", "tape", "diff s", "CSE s", "grad s")
    head += ("naive µs", "CSE µs", "symnet µs", "tape µs")
    out = ["".join(f"{h:>11}" for h in head)]
    for s in found:
        sizes = [text(None if n is None else n / s.value) for n in (s.naive, s.cse, s.symnet, s.tape)]
        seconds = [text(n) for n in (s.diff_seconds, s.cse_seconds, s.grad_seconds)]
        times = (s.naive_evaluation, s.cse_evaluation, s.symnet_evaluation, s.tape_evaluation)
        micro = [text(None if n is None else 1e6 * n) for n in times]
        out.append("".join(f"{c:>11}" for c in (str(s.size), str(s.value), *sizes, *seconds, *micro)))
    return out


COLOURS = {"naive": "C3", "cse": "C1", "symnet": "C0", "tape": "C2"}


def plot(found: Sequence[Swell], path: str) -> None:
    """Operations above, times of an evaluation below, a column for each family."""
    from matplotlib import pyplot

    names = list(dict.fromkeys(s.family for s in found))
    figure, axes = pyplot.subplots(2, len(names), figsize=(3.6 * len(names), 6.4), layout="constrained", squeeze=False)
    for column, name in enumerate(names):
        rows = [s for s in found if s.family == name]
        for way, colour in COLOURS.items():
            sizes = [(s.size, getattr(s, way) / s.value) for s in rows if getattr(s, way) is not None]
            key = f"{way}_evaluation"
            times = [(s.size, getattr(s, key)) for s in rows if getattr(s, key) is not None]
            for row, points in enumerate((sizes, times)):
                axes[row, column].plot(*np.transpose(points), "o-", color=colour, label=way, markersize=4)
        axes[0, column].axhline(BOUND, color="0.5", linewidth=1, linestyle=":")
        axes[0, column].set_title(name)
        axes[1, column].set_xlabel("size")
        for row in (0, 1):
            axes[row, column].set_yscale("log")
            axes[row, column].set_xscale("log", base=2)
            axes[row, column].xaxis.set_major_formatter("{x:.3g}")
            axes[row, column].grid(visible=True, alpha=0.3)
    axes[0, 0].set_ylabel("operations of value and gradient\nin those of the value")
    axes[1, 0].set_ylabel("seconds of an evaluation")
    axes[0, 0].legend(fontsize="small")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--plot", metavar="OUT.png")
    parser.add_argument("--csv", metavar="OUT.csv")
    options = parser.parse_args()
    found: list[Swell] = []
    for name in options.families:
        rows = [measure(name, size) for size in FAMILIES[name].sizes]
        print(f"\n{name}: {(FAMILIES[name].value.__doc__ or '').strip()}", *lines(rows), sep="\n", flush=True)
        found += rows
    worst = max(found, key=lambda s: s.symnet / s.value)
    print(f"\nthe largest ratio of symnet's formulas: {worst.symnet / worst.value:.2f} ({worst.family}, {worst.size})")
    if options.csv:
        with Path(options.csv).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [f.name for f in fields(Swell)])
            writer.writeheader()
            writer.writerows(asdict(s) for s in found)
    if options.plot:
        plot(found, options.plot)


if __name__ == "__main__":
    main()
