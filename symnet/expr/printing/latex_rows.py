r"""Rows of `aligned` and `align*`, none wider than a text block where there is any place to break it.

In: equations, and why they hold.  Out: rows with their `&`, without `\\`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symnet.expr.printing.latex_lines import TEXT_WIDTH, broken, width

_HEAD = 4.0  # em left of the equals signs; a longer left side stands in a line with the right
_ROOM = TEXT_WIDTH - _HEAD - 1.0


def row(written: str, indented: float = 0, said: str = "") -> Iterator[str]:
    """One formula that begins left, and why, over as many rows as it takes.

    Args:
        written: the formula.
        indented: by how much, in em.
        said: why; in a row of its own where it does not fit beside the formula.
    """
    room = TEXT_WIDTH - 1.0 - indented
    lead = "&" + r"\qquad" * round(indented / 2) + (" " if indented else "")
    found = broken(written, room, room)
    beside = len(found) == 1 and (not said or width(found[0]) + width(said) <= room)
    yield lead + found[0] + (said if beside else "")
    yield from (lead + line for line in found[1:])
    if said and not beside:
        yield from (lead + r"\qquad" + line for line in broken(_alone(said), room - 2, room - 2))


def equation(head: str, body: str, said: str = "") -> Iterator[str]:
    """`head = body`, and why, over as many rows as it takes."""
    if width(head) > _HEAD:
        yield from row(f"{head} = {body}", 0, said)
        return
    found = broken(body, _ROOM, _ROOM)
    beside = len(found) == 1 and width(body) + width(said) <= _ROOM
    yield f"{head} &= {found[0]}" + (said if beside else "")
    yield from (f"&{line}" for line in found[1:])
    if said and not beside:
        yield from (rf"&\qquad\qquad{line}" for line in broken(_alone(said), _ROOM - 4, _ROOM - 4))


def _alone(said: str) -> str:
    """A reason that stands in a row of its own."""
    return said.strip().removeprefix(r"\qquad").strip()


def aligned(rows: Iterable[str], between: str = " ") -> str:
    r"""Rows as one formula for math mode."""
    return rf"\begin{{aligned}}{between}" + rf" \\{between}".join(rows) + rf"{between}\end{{aligned}}"


def paged(rows: Iterable[str]) -> str:
    r"""Rows for the text of a document, as `align*` that breaks over pages."""
    body = " \\\\\n".join(rows)
    return f"{{\\allowdisplaybreaks\n\\begin{{align*}}\n{body}\n\\end{{align*}}}}"


def displayed(latex: str, head: str = "", room: float = TEXT_WIDTH) -> str:
    """A formula, or an equation `head = latex`, in one line where that has room, in em; else aligned."""
    rows = list(equation(head, latex)) if head else ["&" + line for line in broken(latex, room, room)]
    if len(rows) == 1:
        return f"{head} = {latex}" if head else latex
    return aligned(rows)
