"""What `derive` gives: the steps of a derivative as data, and their text, LaTeX, page and slides.

In: a root as written and its variables (`derive.py` finds the steps).  Out: `Derivation`.
"""

from symnet.calculus.derivation.model import Derivation, Edge, Rewriting, Route, Step, Value

__all__ = ["Derivation", "Edge", "Rewriting", "Route", "Step", "Value"]
