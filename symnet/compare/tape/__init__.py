"""Automatic differentiation as frameworks do it, in miniature: a define-by-run tape over NumPy.

In: a graph and arrays.  Out: a value and its gradients, computed as the program runs; no formula is ever seen.
It shares nothing with `diff/` and `simplify/`: its adjoint rules are NumPy functions of its own, so that the two can
be held against each other.
Source: Griewank and Walther, "Evaluating derivatives", 2nd ed., 2008, chapter 3; Maclaurin, "Modeling, inference and
optimization with composable differentiable procedures", 2016, chapter 4.
"""

from symnet.compare.tape.program import TapeProgram
from symnet.compare.tape.var import Tape, TapeValue

__all__ = ["Tape", "TapeProgram", "TapeValue"]
