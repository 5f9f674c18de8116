"""Where a long formula goes on in the next line.

In: a formula as pieces from left to right, each with its width and how well a line begins with it.  Out: its lines.
A line is filled as far as it goes and ends before the best piece in it: outside of brackets rather than inside, before
a sign rather than before ⊙, before ⊙ rather than between factors.  `latex_lines.py` and `mathml_lines.py` make the
pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

TERM, OPERATION, FACTOR, NEVER = range(4)  # what a piece is as the first of a line
INDENT = 2.0  # em: of every line but the first, and half of it more for each bracket that is open
_COST = {TERM: 0.0, OPERATION: 1.0, FACTOR: 2.5}
_DEEPER = 1.5  # for each bracket around the place
_POOR = 4.0  # a place where only what is far too wide is cut
_FILLED, _SHORT = 0.35, 2.0  # a line filled less than that costs so much


@dataclass
class Piece:
    """What no line break divides.

    Attributes:
        text: in its notation.
        width: in em.
        depth: how many brackets are open around it.
        begins: TERM, OPERATION or FACTOR where a line may begin with it.
        pair: of a bracket the same object as of the one that closes it.
        height: in em.
    """

    text: str
    width: float
    depth: int = 0
    begins: int = NEVER
    pair: object = None
    height: float = 1.2


def lines(pieces: Sequence[Piece], first: float, rest: float) -> list[list[Piece]]:
    """The pieces line by line.

    Args:
        pieces: from left to right.
        first: em that the first line has room for.
        rest: em for every other line, its indent among them.
    """
    ends = [0.0, *accumulate(piece.width for piece in pieces)]
    found: list[list[Piece]] = []
    start, room = 0, first
    while ends[-1] - ends[start] > room:
        cut = _best(pieces, ends, start, room)
        if cut is None:
            break
        found.append(list(pieces[start:cut]))
        start, room = cut, rest - indent(pieces[cut])
    return [*found, list(pieces[start:])]


def chunks(pieces: Sequence[Piece], size: float, poorly: bool = False) -> list[list[Piece]]:
    """The pieces in parts between which a line may end: at the best places, and where a part is wider than `size` em
    at the best ones in it; at poor ones only if it is twice as wide, or `poorly` asks for it.
    """
    places = [k for k in range(1, len(pieces)) if pieces[k].begins != NEVER]
    wide = sum(piece.width for piece in pieces)
    best = min((_cost(pieces[k]) for k in places), default=_POOR)
    if not places or wide <= size or (best >= _POOR and wide <= 2 * size and not poorly):
        return [list(pieces)]
    cuts = [0, *(k for k in places if _cost(pieces[k]) == best), len(pieces)]
    return [part for a, b in pairwise(cuts) for part in chunks(pieces[a:b], size, poorly)]


def _cost(piece: Piece) -> float:
    return _COST[piece.begins] + _DEEPER * piece.depth


def indent(piece: Piece) -> float:
    """How far the line that begins with a piece is indented, in em."""
    return INDENT * (1 + piece.depth / 2)


def _best(pieces: Sequence[Piece], ends: Sequence[float], start: int, room: float) -> int | None:
    """The piece before which a line that begins at `start` ends; None where it cannot end."""
    places = [k for k in range(start + 1, len(pieces)) if pieces[k].begins != NEVER]
    fitting = [k for k in places if ends[k] - ends[start] <= room]
    if not fitting:
        return places[0] if places else None

    def cost(k: int) -> tuple[float, int]:
        short = _SHORT if ends[k] - ends[start] < _FILLED * room else 0.0
        return _cost(pieces[k]) + short, -k

    return min(fitting, key=cost)
