"""Differentiation: tables of rules, reverse mode, forward mode, and extra axes for Jacobians.

In: graphs.  Out: graphs.  Nothing is simplified here.
"""

from symnet.diff.batching import basis, batch
from symnet.diff.forward import pushforward
from symnet.diff.reverse import BackwardEdge, pullback

__all__ = ["BackwardEdge", "basis", "batch", "pullback", "pushforward"]
