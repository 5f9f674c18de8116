"""Are the Python blocks in the documentation true?

In: README.md, CONTRIBUTING.md, docs/*.md.  Out: exit status 1 and a list of what is wrong.

Every ```python block must parse.  A block with `>>>` is a doctest.  A ```text block right after a ```python block is
what that block prints: both the block and every ```python block before it in the file are run, in one namespace.

Not handled: links to other sites; paths, which `tests/test_architecture.py` checks.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the checkout, also where symnet is not installed
FENCE = re.compile(r"^```([\w-]*)[^\n]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def documents() -> list[Path]:
    """The files that users read."""
    return [
        path
        for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md")))
        if path.exists()
    ]


def blocks(text: str) -> list[tuple[str, str, int]]:
    """Language, code and line of every fenced block."""
    return [(found[1], found[2], text.count("\n", 0, found.start()) + 2) for found in FENCE.finditer(text)]


def problems(text: str, name: str) -> Iterator[str]:
    """What is wrong with one document."""
    found = blocks(text)
    expected = {i: after[1] for i, after in enumerate(found[1:]) if after[0] == "text" and found[i][0] == "python"}
    namespace: dict[str, object] = {"__name__": "__main__"}
    for i, (language, code, line) in enumerate(found):
        if language != "python":
            continue
        try:
            if ">>>" in code:
                yield from _doctest(code, namespace, f"{name}:{line}")
                continue
            compiled = compile("\n" * (line - 1) + code, name, "exec", dont_inherit=True)
            if any(later >= i for later in expected):
                yield from _run(compiled, namespace, expected.get(i), f"{name}:{line}")
        except Exception:
            yield f"{name}:{line}: {traceback.format_exc(limit=-1)}"


def _doctest(code: str, namespace: dict[str, object], where: str) -> Iterator[str]:
    report = io.StringIO()
    test = doctest.DocTestParser().get_doctest(code, namespace, where, where, 0)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    runner.run(test, out=report.write, clear_globs=False)
    namespace.update(test.globs)
    if runner.summarize(verbose=False).failed:
        yield f"{where}: {report.getvalue()}"


def _run(compiled: object, namespace: dict[str, object], expected: str | None, where: str) -> Iterator[str]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compiled, namespace)  # type: ignore[arg-type]
    if expected is not None and not doctest.OutputChecker().check_output(expected, printed.getvalue(), FLAGS):
        yield f"{where}: the document shows\n{expected}\nbut the block prints\n{printed.getvalue()}"


def main() -> int:
    """Check every document."""
    wrong = [problem for path in documents() for problem in problems(path.read_text(), str(path.relative_to(ROOT)))]
    print("\n".join(wrong) if wrong else f"{len(documents())} documents: every block holds")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
