"""The examples in docstrings and in the documentation are run: what users copy works, and prints what it says.

Docstrings: every module of symnet, but for those that need an optional package which is not installed.
Documents: README.md, CONTRIBUTING.md and docs/, by the rules of `.ci/check_docs.py`.
"""

import doctest
import importlib
import importlib.util
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import symnet

ROOT = Path(__file__).resolve().parents[2]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
OPTIONAL = {"llvmlite", "jax", "torch", "sklearn", "matplotlib"}
MODULES = ["symnet", *sorted(info.name for info in pkgutil.walk_packages(symnet.__path__, "symnet."))]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def load(name: str) -> ModuleType:
    """The module; the test is skipped where an optional package is missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name in OPTIONAL:
            pytest.skip(f"{name} needs {error.name}")
        raise


def failures(module: ModuleType) -> tuple[int, str]:
    """How many examples fail, and the report."""
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for example in doctest.DocTestFinder(exclude_empty=True).find(module):
        runner.run(example, out=report.append)
    return runner.failures, "".join(report)


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_docs", ROOT / ".ci" / "check_docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name: str) -> None:
    count, report = failures(load(name))
    assert count == 0, report


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_examples_of_a_document_hold(checker: ModuleType, document: Path) -> None:
    assert list(checker.problems(document.read_text(), document.name)) == []


def test_an_example_that_does_not_hold_is_caught() -> None:
    module = ModuleType("wrong", ">>> 1 + 1\n3\n")
    count, report = failures(module)
    assert count == 1
    assert "Expected:\n    3\nGot:\n    2" in report
