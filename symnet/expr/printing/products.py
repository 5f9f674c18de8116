r"""Products in two dimensions, for `latex.py` and `mathml.py`: 2/m Xᵀ(X w − y) with a fraction for 2/m.

In: a product as a `Form`, and what a markup writes.  Out: the text and how tightly it binds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from symnet.expr.printing.forms import HADAMARD, MATMUL, OPERATOR, POWER, PRODUCT, SUM, Form, FormPart
from symnet.expr.printing.layout import Show


@dataclass(frozen=True)
class Markup:
    """What products are made of.

    Attributes:
        one, minus, space, odot, dot: the number 1, a sign, what separates factors, ⊙ between arrays, · before a number.
        fraction: of what stands above and below.
        begins_with_digit: whether a text does.
    """

    one: str
    minus: str
    space: str
    odot: str
    dot: str
    fraction: Callable[[str, str], str]
    begins_with_digit: Callable[[str], bool]


def product(form: Form, show: Show, markup: Markup) -> tuple[str, int]:
    """Scalars over divisors, then arrays: (2/m) Xᵀ(X w − y)."""
    sign, count = form.data
    above, below = list(form.parts[:count]), form.parts[count:]
    tail = [p for p in above if p.rank or show(p).level == OPERATOR] if all(p.rank == 0 for p in below) else []
    head = [p for p in above if not (tail and (p.rank or show(p).level == OPERATOR))]
    if below and not head and tail and markup.begins_with_digit(show(tail[0]).text):
        head, tail = above, []
    pieces = [_fraction(head, below, show, markup, any(p.rank for p in tail))] if head or below else []
    if tail:
        tail.sort(key=lambda p: show(p).level == OPERATOR)
        pieces.append(_factors(tail, show, markup, alone=not pieces and sign > 0))
    level = HADAMARD if sum(p.rank > 0 for p in form.parts) > 1 and all(p.rank == 0 for p in below) else PRODUCT
    if below and not tail:
        level = POWER
    elif tail and show(tail[-1]).level == OPERATOR:
        level = OPERATOR
    text = markup.space.join(pieces)
    return (markup.minus + text, SUM) if sign < 0 else (text, level)


def is_open(levels: Sequence[int]) -> bool:
    """Whether the first of these terms may seem to go on in the second: Σ x before 1 or y."""
    return levels[0] == OPERATOR and len(levels) > 1 and levels[1] >= POWER


def _fraction(above: list[FormPart], below: Sequence[FormPart], show: Show, markup: Markup, followed: bool) -> str:
    """Scalars over divisors; `followed`: by an array, so that a scalar that is a product of vectors is in brackets."""
    if not below:
        return _factors(above, show, markup, loosest=PRODUCT if followed else MATMUL)
    top = _factors(above, show, markup, alone=True) if above else markup.one
    return markup.fraction(top, _factors(below, show, markup, alone=True))


def _factors(parts: Sequence[FormPart], show: Show, markup: Markup, alone: bool = False, loosest: int = MATMUL) -> str:
    if alone and len(parts) == 1:
        return str(show(parts[0]).text)
    lonely = sum(bool(p.rank) for p in parts) <= 1  # matrix products beside arrays stand in parentheses
    loosest = loosest if lonely else POWER
    number = max(loosest, PRODUCT) if any(p.rank for p in parts) else loosest  # (xᵀ y) A
    maths = [show(part) for part in parts]
    written = [math.within(loosest if p.rank else number) for p, math in zip(parts, maths[:-1], strict=False)]
    last = maths[-1]
    written.append(last.within(OPERATOR if last.level == OPERATOR else loosest))
    joined = str(written[0])
    for (before, part), text in zip(pairwise(parts), written[1:], strict=True):
        between = markup.dot if markup.begins_with_digit(text) else markup.space
        joined += (markup.odot if before.rank and part.rank else between) + text
    return joined
