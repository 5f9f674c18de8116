"""The page of rewrites is what the tables say: every rewrite of the algebra and the numeric form, by pass and file.

`SYMNET_UPDATE_GOLDEN=1 pytest tests/simplify/test_index.py` writes the page again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from symnet.simplify.algebra.table import ALGEBRA
from symnet.simplify.engine import Rewrite
from symnet.simplify.numeric.passes import PASSES
from tests.golden import check_golden

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rewrites.md"
HEAD = """# Rewrites

Every rewrite of the two forms, in the order in which it is tried: its name, what it is tried on, and the first sentence
of its docstring, before → after. The conditions and the reasons stand there too, in the file that is named. Traces and
derivations name rewrites by these names. The numeric form has two passes more that look at whole graphs and are no
tables: sums of exponentials inside one another (`simplify/numeric/exponentials/scaled_values.py`), and limits at
removable singularities (`simplify/numeric/singularities/removable.py`).

This page is generated from the tables (`tests/simplify/test_index.py`).
"""


def first_sentence(meaning: str) -> str:
    """Up to the first full stop, or colon at the end of a line; its lines joined."""
    text = " ".join(line.strip() for line in meaning.split("\n\n")[0].splitlines())
    return re.split(r"(?<=[^.…])\.(?:\s|$)", text)[0].rstrip(".:").replace("|", "\\|")


def file_of(rewrite: Rewrite) -> str:
    return rewrite.apply.__module__.removeprefix("symnet.").replace(".", "/") + ".py"


def rows(rewrites: tuple[Rewrite, ...]) -> Iterator[str]:
    for file, group in groupby(rewrites, key=file_of):
        yield f"\n`{file}`\n"
        yield "| rewrite | on | before → after |\n|---|---|---|"
        for rewrite in group:
            yield f"| `{rewrite.name}` | {', '.join(rewrite.on) or 'every node'} | {first_sentence(rewrite.meaning)} |"


def page() -> str:
    parts = [HEAD, "\n## The algebra form\n", *rows(ALGEBRA), "\n## The numeric form\n"]
    for number, rewrites in enumerate(PASSES, 1):
        parts += [f"\n### Pass {number}\n", *rows(rewrites)]
    return "\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def test_the_page_lists_every_rewrite() -> None:
    check_golden(PAGE, page())


def test_every_rewrite_says_what_it_does() -> None:
    every = [*ALGEBRA, *(r for rewrites in PASSES for r in rewrites)]
    assert [r.name for r in every if "→" not in first_sentence(r.meaning)] == []
    assert len(every) > 200
