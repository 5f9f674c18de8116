"""Comparisons: the symbolic derivative against other ways to the same numbers."""

from symnet.compare.comparison import Comparison, Row, compare

__all__ = ["Comparison", "Row", "compare"]
