"""Forward mode with dual numbers, many directions at once.

In: a graph, arrays, directions.  Out: the value and the slope along each direction, from one run.
Source: Griewank and Walther, "Evaluating derivatives", 2nd ed., 2008, section 3.1 (vector mode).
"""

from symnet.compare.duals.dual import Dual
from symnet.compare.duals.program import DualProgram

__all__ = ["Dual", "DualProgram"]
