"""The checker of the documentation's Python blocks, checked against documents that are wrong."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).resolve().parents[2] / ".ci" / "check_docs.py"


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_docs", SOURCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fenced(*blocks: tuple[str, str]) -> str:
    return "\n\n".join(f"```{language}\n{code}\n```" for language, code in blocks)


@pytest.mark.parametrize(
    "text",
    [
        fenced(("python", "x = 1 +\\\n 1"), ("sh", "not python (")),
        fenced(("python", ">>> 1 + 1\n2")),
        fenced(("python", "x = 2"), ("python", "print(x, 'a   b')"), ("text", "2 a b")),
        fenced(("python", "raise SystemError('never run')")),
        fenced(("python", "print(0.123456)"), ("text", "0.12...")),
    ],
)
def test_true_documents_pass(checker: ModuleType, text: str) -> None:
    assert list(checker.problems(text, "doc.md")) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (fenced(("python", "x = (")), "SyntaxError"),
        (fenced(("python", ">>> 1 + 1\n3")), "Expected"),
        (fenced(("python", "print(1)"), ("text", "2")), "the document shows\n2\n\nbut the block prints\n1"),
        (fenced(("python", "1 / 0"), ("text", "")), "ZeroDivisionError"),
    ],
)
def test_false_documents_are_caught(checker: ModuleType, text: str, said: str) -> None:
    problems = list(checker.problems(text, "doc.md"))
    assert len(problems) == 1
    assert problems[0].startswith("doc.md:2: ")
    assert said in problems[0]
