"""The page of rewrites is what the tables say: every rewrite of the three forms, by pass and file, and its claims.

`SYMNET_UPDATE_GOLDEN=1 pytest tests/simplify/test_index.py` writes the page again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from symnet.expr.nodes.primitives import functions
from symnet.simplify.rewrite import DOMAINS, NEEDS, ROLES, Claims, Rewrite
from tests.golden import check_golden
from tests.simplify.firing import EVERY, FORMS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rewrites.md"
HEAD = """# Rewrites

Every rewrite of the three forms, in the order in which it is tried: its name, what it is tried on, the first sentence
of its docstring, before → after, and what is claimed of it. The conditions and the reasons stand in the docstring, in
the file that is named. Traces and derivations name rewrites by these names; one that is tried on "the graph" looks at
all values at once.

This page is generated from the tables (`tests/simplify/test_index.py`).

"""


def glossary() -> Iterator[str]:
    """What the words in the columns mean."""
    yield "**needs**: facts without which the rewrite, or a case of it, would be wrong.\n"
    yield from (f"- `{name}`: {meaning}" for name, meaning in NEEDS.items())
    yield "\n**domain**: where it has a value.\n"
    yield from (f"- `{name}`: {meaning}" for name, meaning in DOMAINS.items())
    yield "\n**role**: what it is for.\n"
    yield from (f"- `{name}`: {meaning}" for name, meaning in ROLES.items())


def first_sentence(meaning: str) -> str:
    """Up to the first full stop, or colon at the end of a line; its lines joined."""
    text = " ".join(line.strip() for line in meaning.split("\n\n")[0].splitlines())
    return re.split(r"(?<=[^.…])\.(?:\s|$)", text)[0].rstrip(".:").replace("|", "\\|")


def file_of(rewrite: Claims) -> str:
    return rewrite.apply.__module__.removeprefix("symnet.").replace(".", "/") + ".py"


FUNCTIONS = [p.name for p in functions()]


def tried_on(rewrite: Claims) -> str:
    if not isinstance(rewrite, Rewrite):
        return "the graph"
    if len(set(FUNCTIONS) - set(rewrite.on)) > 2:
        return ", ".join(rewrite.on) or "every node"
    missing = " and ".join(name for name in FUNCTIONS if name not in rewrite.on)
    others = [name for name in rewrite.on if name not in FUNCTIONS]
    return ", ".join(["every function of one variable" + f" but {missing}" * bool(missing), *others])


def row(rewrite: Claims) -> str:
    needs = ", ".join(rewrite.needs) or "nothing"
    said = [f"`{rewrite.name}`", tried_on(rewrite), first_sentence(rewrite.meaning), needs]
    return f"| {' | '.join([*said, rewrite.domain, rewrite.role])} |"


def rows(rewrites: Iterable[Claims]) -> Iterator[str]:
    for file, group in groupby(rewrites, key=file_of):
        yield f"\n`{file}`\n"
        yield "| rewrite | on | before → after | needs | domain | role |\n|---|---|---|---|---|---|"
        yield from map(row, group)


def page() -> str:
    parts = [HEAD, *glossary()]
    for title, rewrites in FORMS.items():
        parts += [f"\n{'###' if title.startswith('Pass') else '##'} {title}\n", *rows(rewrites)]
    return "\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def test_the_page_lists_every_rewrite() -> None:
    check_golden(PAGE, page())


def test_every_rewrite_says_what_it_does() -> None:
    assert [r.name for r in EVERY if "→" not in first_sentence(r.meaning)] == []
    assert len(EVERY) == len({r.name for r in EVERY}) > 200


def test_every_claim_is_made_in_words_that_exist() -> None:
    for rewrite in EVERY:
        assert set(rewrite.needs) <= NEEDS.keys(), rewrite.name
        assert rewrite.domain in DOMAINS and rewrite.role in ROLES, rewrite.name


def test_every_word_is_used() -> None:
    assert {need for rewrite in EVERY for need in rewrite.needs} <= NEEDS.keys()
    assert {r.domain for r in EVERY} == DOMAINS.keys() and {r.role for r in EVERY} == ROLES.keys()
