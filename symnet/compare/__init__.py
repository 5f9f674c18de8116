"""Comparisons: the symbolic derivative against other ways to the same numbers."""

from symnet.compare.comparison import Comparison, compare
from symnet.compare.row import Row

__all__ = ["Comparison", "Row", "compare"]
