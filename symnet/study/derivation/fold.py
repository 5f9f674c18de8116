"""Large graphs made small enough to be drawn: the layers in the middle become one box.

In: labels, operands first, and the pairs (operand, user).  Out: which labels stand in the box, none where all fit.
A band of layers is a convex part of the graph: no way leaves it and comes back, so what is left has no cycle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def middle(labels: Sequence[str], pairs: Sequence[tuple[str, str]], most: int, kept: int) -> list[str]:
    """The labels of the layers in the middle, where there are more than `most` boxes; at most `kept` are left.

    Args:
        labels: of all boxes, operands first.
        pairs: (operand, user).
        most: boxes that may all be drawn.
        kept: boxes drawn of a graph that has more.
    """
    if len(labels) <= most:
        return []
    depth = _depths(labels, pairs)
    sizes = Counter(depth.values())
    low, high, left = 0, max(sizes), 0
    while low <= high:  # a layer from above, then one from below, as long as they fit
        layer = low if low <= max(sizes) - high else high
        if left + sizes[layer] > kept:
            break
        left += sizes[layer]
        low, high = (low + 1, high) if layer == low else (low, high - 1)
    return [label for label in labels if low <= depth[label] <= high]


def _depths(labels: Sequence[str], pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Longest way from above; what has no operand stands just above its first user."""
    operands: dict[str, list[str]] = {label: [] for label in labels}
    users: dict[str, list[str]] = {label: [] for label in labels}
    for operand, user in pairs:
        operands[user].append(operand)
        users[operand].append(user)
    depth: dict[str, int] = {}
    for label in labels:
        depth[label] = 1 + max((depth[o] for o in operands[label]), default=-1)
    for label in labels:
        if not operands[label]:
            depth[label] = min((depth[user] for user in users[label]), default=1) - 1
    return depth
