"""Critical points as records, and their text.

In: filled by `critical_points.py`.  Out: `CriticalPoint`, one of them; `CriticalPoints`, all that were found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from symnet.expr.nodes.node import Node
from symnet.study.critical_points.families import mathematics


@dataclass(frozen=True)
class CriticalPoint:
    """One point where the gradient is zero.

    Attributes:
        at: symbol → value; of an array with symbolic extents leaf → formula.
        value: of the function there.
        hessian: a SymPy matrix; of such an array a formula.
        eigenvalues: of the Hessian, with repetitions, rising where they are numbers; none of a formula.
        verdict: of the Hessian: "minimum", "maximum", "saddle", "undecided (inflection possible)", or "undecided (it
            depends on parameters)"; on a family of points "minimum (not strict)", "maximum (not strict)", "constant";
            "piecewise constant" of a staircase.  At a kink of the comparison with both sides, besides "neither minimum
            nor maximum" and "undecided (there is a kink)"; there the Hessian is nan.  A minimum or maximum is local.
        higher: for one variable where f″ is zero: (order, value, verdict) of the first derivative that is not, the
            verdict "minimum", "maximum" or "inflection".
        residual: the norm of the gradient there, of a point found in floating point; None of an exact one.
        where: what free variables and parameters must fulfil: an interval, or where point and f are real and defined.
        slopes: at a kink, those on its left and right.
        kinks: of several variables, what is zero along the kinks that meet there.
        index: the integer by which the points of a family are counted.
        cases: where parameters decide: (condition, verdict) for each.
        names: what is printed for symbols: x[0] for x_0.
        equation: of a quotient of quadratic forms, the two sides of Ax = λBx, which every point fulfils.
    """

    at: Mapping[Any, Any]
    value: Any
    hessian: Any
    eigenvalues: tuple[sympy.Expr, ...]
    verdict: str
    higher: tuple[int, sympy.Expr, str] | None = None
    residual: float | None = None
    where: sympy.Basic = sympy.true
    slopes: tuple[sympy.Expr, sympy.Expr] | None = None
    kinks: tuple[sympy.Expr, ...] = ()
    index: sympy.Symbol | None = None
    cases: tuple[tuple[sympy.Basic, str], ...] = ()
    names: Mapping[sympy.Symbol, sympy.Symbol] = field(default_factory=dict)
    equation: tuple[Node, Node] | None = None

    def __str__(self) -> str:
        if self.names:
            return str(self._renamed())
        parts = [f"{self._place()}: {self._verdict()}, value {mathematics(self.value, self.index)}"]
        if isinstance(self.hessian, Node):
            return f"{parts[0]}; Hessian {self.hessian}"
        parts.append(self._slopes())
        if self.higher is not None:
            order, value, _ = self.higher
            parts.append(f"{_ordinal(order)} derivative {mathematics(value)}")
        if self.residual is not None:
            parts.append(f"numeric, gradient {self.residual:.0e}")
        return "; ".join(parts)

    def _renamed(self) -> CriticalPoint:
        def renamed(value: Any) -> Any:
            return value.xreplace(self.names)

        return replace(
            self,
            at={renamed(s): renamed(v) for s, v in self.at.items()},
            value=renamed(self.value),
            eigenvalues=tuple(map(renamed, self.eigenvalues)),
            where=renamed(self.where),
            kinks=tuple(map(renamed, self.kinks)),
            cases=tuple((renamed(where), verdict) for where, verdict in self.cases),
            names={},
        )

    def _place(self) -> str:
        if self.equation is not None:
            left, right = self.equation
            return f"every {', '.join(map(str, self.at))} other than 0 with {left} = {right}"
        sign = "=" if self.residual is None else "≈"
        places = [f"{s} {sign} {mathematics(v, self.index)}" if s != v else f"any {s}" for s, v in self.at.items()]
        counted = [] if self.index is None else [f"{self.index} an integer"]
        return ", ".join([*places, *counted]) + (f" with {_condition(self.where)}" if self.where != sympy.true else "")

    def _verdict(self) -> str:
        """The verdict; where a higher derivative decides, its verdict; where parameters do, one for each case."""
        if self.cases:
            return ", ".join(f"{verdict} where {_condition(where)}" for where, verdict in self.cases)
        return self.verdict if self.higher is None else self.higher[2]

    def _slopes(self) -> str:
        if self.slopes:
            return "a kink, slopes {} and {}".format(*map(mathematics, self.slopes))
        if self.kinks:
            kinks = " and ".join(f"{mathematics(e)} = 0" for e in self.kinks)
            return f"a kink along {kinks}, with 0 among the subgradients"
        found = ", ".join(mathematics(v, self.index) for v in self.eigenvalues)
        return f"{'eigenvalues of the Hessian' if len(self.at) > 1 else 'second derivative'} {found}"

    __repr__ = __str__


def _ordinal(order: int) -> str:
    return {3: "third", 4: "fourth", 5: "fifth", 6: "sixth"}.get(order, f"{order}th")


def _condition(where: sympy.Basic) -> str:
    parts: Sequence[Any] = sorted(where.args, key=str) if isinstance(where, sympy.And) else (where,)
    if len(parts) == 1 and parts[0].lhs.is_number:
        parts = [parts[0].reversed]
    parts = [p.reversed if p.rhs.is_integer and not p.rhs.is_number else p for p in parts]
    return " and ".join(f"{mathematics(p.lhs)} {p.rel_op} {mathematics(p.rhs)}" for p in parts)


@dataclass(frozen=True)
class CriticalPoints:
    """The critical points, as a sequence.

    Attributes:
        points: those that were found.
        gradient: the system that was solved; empty where it was not written out in SymPy.
        complete: whether these are all.
        note: why not, otherwise.
    """

    points: tuple[CriticalPoint, ...]
    gradient: tuple[sympy.Expr, ...]
    complete: bool
    note: str = ""

    def __iter__(self) -> Iterator[CriticalPoint]:
        return iter(self.points)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> CriticalPoint:
        return self.points[index]

    def __str__(self) -> str:
        lines = [str(point) for point in self.points] or [
            "no critical points" if self.complete else "no critical points found"
        ]
        return "\n".join([*lines, *([f"note: {self.note}"] if self.note else [])])

    __repr__ = __str__
