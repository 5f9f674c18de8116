"""Zeros that repeat: x = π/2 + 2kπ, k an integer.

In: a set of SymPy's, as `solveset` gives it.  Out: the values in it, with one letter for the integer, or None where it
is no such set.
Not handled: values with two integers; sets that SymPy cannot write out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

LETTERS = ("k", "n", "j", "l", "p", "q")


def as_quotients(value: sympy.Expr) -> sympy.Expr:
    """Tangents and cotangents as quotients of sines and cosines: SymPy 1.14 takes tan(kπ + 3π/4) for 1, and finds no
    root of 1/tan(x).
    """
    plain = value.replace(sympy.tan, lambda x: sympy.sin(x) / sympy.cos(x))
    return plain.replace(sympy.cot, lambda x: sympy.cos(x) / sympy.sin(x))


def letter(*expressions: Any) -> sympy.Symbol:
    """A symbol for an integer, of a name that stands in none of the expressions."""
    taken = {s.name for e in expressions for s in e.free_symbols}
    name = next((name for name in LETTERS if name not in taken), None)
    return sympy.Symbol(name, integer=True) if name else sympy.Dummy("k", integer=True)


def family(found: Any, k: sympy.Symbol) -> list[sympy.Expr] | None:
    """The values of a set, those that repeat as functions of the integer k; None of another set."""
    parts = found.args if isinstance(found, sympy.Union) else (found,)
    values: list[sympy.Expr] = []
    for part in parts:
        if isinstance(part, sympy.FiniteSet):
            values.extend(part)
        elif part is sympy.S.EmptySet:
            continue
        elif _repeats(part):
            values.append(sympy.expand(part.lamda(k)))
        else:
            return None
    return values


def _repeats(part: Any) -> bool:
    return isinstance(part, sympy.ImageSet) and part.base_sets == (sympy.S.Integers,)


def described(found: Any, x: sympy.Symbol) -> str | None:
    """A set of zeros in words; None of one that has no plain words."""
    if isinstance(found, sympy.Interval):
        return f"all {x} with {_inequalities(found, x)}"
    k = letter(sympy.Tuple(x))
    plain, bounds = _without_interval(found)
    values = family(plain, k)
    if values is None or len(bounds) > 1:
        return None
    written = " and ".join(f"{x} = {mathematics(value, k)}" for value in values)
    return f"{written}, {k} an integer" + "".join(f" with {_inequalities(b, x)}" for b in bounds)


def _without_interval(found: Any) -> tuple[Any, set[Any]]:
    """A set whose parts are met with an interval without it, and the intervals."""
    parts = found.args if isinstance(found, sympy.Union) else (found,)
    met = [p.args if isinstance(p, sympy.Intersection) else (p,) for p in parts]
    bounds = {a for args in met for a in args if isinstance(a, sympy.Interval)}
    rest = [[a for a in args if not isinstance(a, sympy.Interval)] for args in met]
    plain = [args[0] if len(args) == 1 else sympy.Intersection(*args, evaluate=False) for args in rest]
    return sympy.Union(*plain, evaluate=False) if len(plain) > 1 else plain[0], bounds


def _inequalities(interval: Any, x: sympy.Symbol) -> str:
    low, high = interval.start, interval.end
    sides = [f"{x} {'>' if interval.left_open else '>='} {mathematics(low)}"] if low.is_finite else []
    sides += [f"{x} {'<' if interval.right_open else '<='} {mathematics(high)}"] if high.is_finite else []
    return " and ".join(sides)


class _TextWithBars(StrPrinter):
    """SymPy's text, with |x|."""

    def _print_Abs(self, expr: Any) -> str:
        return f"|{self._print(expr.args[0])}|"


_PRINTER = _TextWithBars()


def mathematics(value: Any, k: sympy.Symbol | None = None) -> str:
    """A value as one writes it: π, and multiples of it by k last."""
    if k is not None and k in getattr(value, "free_symbols", ()):
        written = _progression(value, k)
        if written:
            return written
    if not isinstance(value, sympy.Float) and isinstance(value, sympy.Expr) and value.has(sympy.Float):
        value = value.xreplace({f: sympy.Float(f"{float(f):.10g}", 10) for f in value.atoms(sympy.Float)})
    written = f"{float(value):.10g}" if isinstance(value, sympy.Float) else _PRINTER.doprint(value)
    return re.sub(r"(?<=\d)\*π", "π", re.sub(r"\bpi\b", "π", written))


def periods(expr: Any, variables: Sequence[sympy.Symbol]) -> str:
    """With which periods a function repeats, in words; nothing where it does not."""
    found = [(x, sympy.periodicity(expr, x)) for x in variables if expr.has(x)]
    known = [f"{mathematics(period)} in {x}" for x, period in found if period]
    return f"; it repeats, with period {' and '.join(known)}" if known else ""


def _progression(value: sympy.Expr, k: sympy.Symbol) -> str:
    """a + kb, where b is a multiple of π by a fraction."""
    start, step = value.subs(k, 0), sympy.expand(value).coeff(k, 1)
    ratio = step / sympy.pi
    if not ratio.is_Rational or sympy.expand(start + k * step - value) != 0:
        return ""
    times = "".join(_factors(abs(ratio.p), f"{k}π"))
    term = times + (f"/{ratio.q}" if ratio.q != 1 else "")
    if start == 0:
        return term if ratio > 0 else f"-{term}"
    return f"{mathematics(start)} {'+' if ratio > 0 else '-'} {term}"


def _factors(count: int, of: str) -> Iterator[str]:
    if count != 1:
        yield str(count)
    yield of
