"""A layered drawing of a graph: where its boxes stand and how its lines run.

In: boxes with sizes, links between them (from above to below) with the sizes of their labels.  Out: `Drawing`: the
centre of every box and label, the way of every link, the whole size.
Method: layers by longest path, inputs just above their first user; every link has a place of its own in each layer it
crosses, and its label has one, so that nothing overlaps; orders by barycentres, positions by least squares under
minimum distances (pool adjacent violators).
Source: K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures", 1981.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

BoxKey = Hashable
BoxSize = tuple[float, float]
Point = tuple[float, float]
Side = list[tuple[BoxKey, float]]
Neighbours = dict[BoxKey, tuple[Side, Side]]

_GAP = 26.0  # between neighbours in a layer
_RISE = 20.0  # between a layer of boxes and the next layer of labels
_SWEEPS = 12
_LOOSE = 0.01  # how firmly a place stands that nothing draws


@dataclass(frozen=True)
class Link:
    """A line from a box down to a later one."""

    above: BoxKey
    below: BoxKey
    label: BoxSize = (0.0, 0.0)
    pull: float = 1.0  # how strongly it draws its ends towards each other


@dataclass(frozen=True)
class Drawing:
    """Centres of boxes; for each link its label's centre and its points from top to bottom; the whole size."""

    boxes: dict[BoxKey, Point]
    labels: list[Point]
    ways: list[list[Point]]
    size: BoxSize


def draw(boxes: Mapping[BoxKey, BoxSize], links: Sequence[Link]) -> Drawing:
    """Lay out an acyclic graph, whose boxes are given operands first."""
    layers, chains, sizes = _layers(boxes, links)
    neighbours = _neighbours(chains, [link.pull for link in links])
    spans = {p: len(chain) for chain in chains for p in chain[1:-1]}
    layers = _ordered(layers, neighbours, spans)
    across = _positions(layers, neighbours, sizes)
    heights = [max((sizes[p][1] for p in layer), default=0.0) for layer in layers]
    centres: list[float] = []
    top = 0.0
    for k, height in enumerate(heights):
        top += _RISE if k else 0.0
        centres.append(top + height / 2)
        top += height
    place = {p: (across[p], centres[k]) for k, layer in enumerate(layers) for p in layer}
    left = min(across[p] - sizes[p][0] / 2 for p in across)
    right = max(across[p] + sizes[p][0] / 2 for p in across)
    place = {p: (x - left, y) for p, (x, y) in place.items()}
    half = {p: heights[k] / 2 for k, layer in enumerate(layers) for p in layer}
    ways = []
    for link, chain in zip(links, chains, strict=True):
        (x, y), (nx, ny) = place[link.above], place[link.below]
        between = [(place[p][0], place[p][1] + side * half[p]) for p in chain[1:-1] for side in (-1, 1)]
        ways.append([(x, y + boxes[link.above][1] / 2), *between, (nx, ny - boxes[link.below][1] / 2)])
    return Drawing({b: place[b] for b in boxes}, [place[chain[-2]] for chain in chains], ways, (right - left, top))


def _layers(
    boxes: Mapping[BoxKey, BoxSize], links: Sequence[Link]
) -> tuple[list[list[BoxKey]], list[list[BoxKey]], dict[BoxKey, BoxSize]]:
    """Places by layer (boxes in even layers, labels in odd ones), each link's places, all sizes."""
    depth = dict.fromkeys(boxes, 0)
    for box in boxes:
        depth[box] = max((depth[link.above] + 1 for link in links if link.below == box), default=0)
    fed = {link.below for link in links}
    for box in boxes:
        if box not in fed:
            depth[box] = min((depth[link.below] - 1 for link in links if link.above == box), default=0)
    layers: list[list[BoxKey]] = [[] for _ in range(2 * max(depth.values(), default=0) + 1)]
    sizes: dict[BoxKey, BoxSize] = dict(boxes)
    for box in boxes:
        layers[2 * depth[box]].append(box)
    chains: list[list[BoxKey]] = []
    for number, link in enumerate(links):
        first, last = 2 * depth[link.above], 2 * depth[link.below]
        chain: list[BoxKey] = [link.above]
        for layer in range(first + 1, last):
            place = ("way", number, layer)
            layers[layer].append(place)
            sizes[place] = link.label if layer == last - 1 else (8.0, 0.0)
            chain.append(place)
        chains.append([*chain, link.below])
    return layers, chains, sizes


def _neighbours(chains: Sequence[Sequence[BoxKey]], pulls: Sequence[float]) -> Neighbours:
    """place → (its neighbours above, its neighbours below), each with the pull of the link."""
    found: Neighbours = {}
    for chain, pull in zip(chains, pulls, strict=True):
        for above, below in pairwise(chain):
            found.setdefault(above, ([], []))[1].append((below, pull))
            found.setdefault(below, ([], []))[0].append((above, pull))
    return found


def _ordered(
    layers: Sequence[Sequence[BoxKey]], neighbours: Neighbours, spans: Mapping[BoxKey, int]
) -> list[list[BoxKey]]:
    """Every layer sorted so that few links cross: the best found from a few beginnings (long links left, or right)."""
    starts = [[_by_span(layer, spans, sign) for layer in layers] for sign in (0, -1, 1)]
    return min((_sorted(start, neighbours) for start in starts), key=lambda order: _crossings(order, neighbours))


def _by_span(layer: Sequence[BoxKey], spans: Mapping[BoxKey, int], sign: int) -> list[BoxKey]:
    return sorted(layer, key=lambda p: sign * spans.get(p, 0))


def _sorted(start: Sequence[Sequence[BoxKey]], neighbours: Neighbours) -> list[list[BoxKey]]:
    """Layers by the mean position of their neighbours, down and up in turn; the fewest crossings are kept."""
    layers = [list(layer) for layer in start]
    best, fewest = [list(layer) for layer in layers], _crossings(layers, neighbours)
    for sweep in range(_SWEEPS):
        side = sweep % 2
        for k in range(1, len(layers)) if side == 0 else range(len(layers) - 2, -1, -1):
            rank = {p: n for n, p in enumerate(layers[k - 1 if side == 0 else k + 1])}
            now = {p: n for n, p in enumerate(layers[k])}
            mean = {p: _mean([rank[q] for q, _ in neighbours.get(p, ([], []))[side]], now[p]) for p in layers[k]}
            layers[k].sort(key=mean.__getitem__)
        _swap(layers, neighbours)
        crossings = _crossings(layers, neighbours)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _swap(layers: list[list[BoxKey]], neighbours: Neighbours) -> None:
    """Exchange neighbours in a layer wherever that undoes crossings."""
    for k, layer in enumerate(layers):
        ranks = [{p: n for n, p in enumerate(layers[j])} if 0 <= j < len(layers) else {} for j in (k - 1, k + 1)]
        for n in range(len(layer) - 1):
            p, q = layer[n], layer[n + 1]
            if sum(_gain(p, q, side, ranks[side], neighbours) for side in (0, 1)) > 0:
                layer[n], layer[n + 1] = q, p


def _gain(p: BoxKey, q: BoxKey, side: int, rank: Mapping[BoxKey, int], neighbours: Neighbours) -> int:
    """Crossings of the links of p, left, and q, right, less those of the exchanged order."""
    ps, qs = ([rank[r] for r, _ in neighbours.get(each, ([], []))[side]] for each in (p, q))
    return sum((a > b) - (a < b) for a in ps for b in qs)


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _strongest(links: Side) -> list[BoxKey]:
    """The neighbours by the strongest links: what a constant is used for does not bend the way of a derivative."""
    most = max((pull for _, pull in links), default=0.0)
    return [p for p, pull in links if pull == most]


def _crossings(layers: list[list[BoxKey]], neighbours: Neighbours) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        rank = {p: n for n, p in enumerate(lower)}
        ends = [
            rank[q] for p in upper for q in sorted((q for q, _ in neighbours.get(p, ([], []))[1]), key=rank.__getitem__)
        ]
        total += sum(b < a for k, a in enumerate(ends) for b in ends[k + 1 :])
    return total


def _positions(
    layers: list[list[BoxKey]], neighbours: Neighbours, sizes: Mapping[BoxKey, BoxSize]
) -> dict[BoxKey, float]:
    """x of every place: near its neighbours, in order, apart."""
    x: dict[BoxKey, float] = {}
    for layer in layers:
        x.update(_apart(layer, dict.fromkeys(layer, 0.0), sizes, dict.fromkeys(layer, 1.0)))
    for sweep in range(2 * _SWEEPS + 1):
        side = sweep % 2
        for layer in layers if side == 0 else reversed(layers):
            wanted = {p: _mean([x[q] for q in _strongest(neighbours.get(p, ([], []))[side])], x[p]) for p in layer}
            firm = {p: 1.0 if neighbours.get(p, ([], []))[side] else _LOOSE for p in layer}
            x.update(_apart(layer, wanted, sizes, firm))
    return x


def _apart(
    layer: Sequence[BoxKey],
    wanted: Mapping[BoxKey, float],
    sizes: Mapping[BoxKey, BoxSize],
    firm: Mapping[BoxKey, float],
) -> dict[BoxKey, float]:
    """The positions closest to those wanted that keep the order and the distances."""
    offsets: list[float] = []
    reach = 0.0
    for k, p in enumerate(layer):
        if k:
            reach += (sizes[layer[k - 1]][0] + sizes[p][0]) / 2 + _GAP
        offsets.append(reach)
    pools: list[tuple[float, float, int]] = []  # (mean, weight, how many)
    for p, offset in zip(layer, offsets, strict=True):
        mean, weight, count = wanted[p] - offset, firm[p], 1
        while pools and pools[-1][0] > mean:
            other, heavy, more = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + more
        pools.append((mean, weight, count))
    level = [mean for mean, _, count in pools for _ in range(count)]
    return {p: base + offset for p, base, offset in zip(layer, level, offsets, strict=True)}
