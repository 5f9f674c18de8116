"""Programs over numbers one by one: each scalar operation is an entry of a tape of its own.

In: a graph, arrays, a system of numbers (`numbers.py`).  Out: a value and its gradients, in floats or with any number
of digits.  The derivatives of the primitives stand in one table (`slopes.py`), written for numbers of any kind.
"""

from symnet.compare.scalars.numbers import Numbers, exact, machine
from symnet.compare.scalars.program import ScalarProgram

__all__ = ["Numbers", "ScalarProgram", "exact", "machine"]
