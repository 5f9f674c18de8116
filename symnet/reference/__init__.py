"""The NumPy meaning of every node: the oracle that every other floor is held against.

In: nodes and arrays.  Out: arrays (`evaluate`).  Written for clearness; nothing here is fast, and nothing compiled
ever runs through it.
"""

from symnet.reference.evaluation import evaluate
from symnet.reference.symbols import bind_dims

__all__ = ["bind_dims", "evaluate"]
