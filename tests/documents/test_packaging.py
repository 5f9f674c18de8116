"""What is imported is declared: an installation from a clean environment works."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MODULES = {"scikit-learn": "sklearn"}  # packages whose module has another name
NAME = re.compile(r"[A-Za-z0-9_.-]+")


def modules(requirements: list[str]) -> set[str]:
    """The modules that requirements such as `numpy>=1.26` provide."""
    names = (NAME.match(requirement)[0] for requirement in requirements)  # type: ignore[index]
    return {MODULES.get(name, name) for name in names}


def foreign_imports(source: str) -> set[str]:
    """Top-level modules that are neither ours nor Python's, wherever in the file they are imported."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"symnet"}


DECLARED = modules(PROJECT["dependencies"]).union(*map(modules, PROJECT["optional-dependencies"].values()))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "symnet").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT / "symnet"))
)
def test_every_package_that_is_imported_is_declared(path: Path) -> None:
    assert foreign_imports(path.read_text()) <= DECLARED


def test_the_examples_need_the_demo_extra_at_most() -> None:
    allowed = modules(PROJECT["dependencies"]) | modules(PROJECT["optional-dependencies"]["demo"])
    for path in sorted((ROOT / "examples").glob("*.py")):
        assert foreign_imports(path.read_text()) <= allowed, path.name


def test_an_import_inside_a_function_is_seen() -> None:
    assert foreign_imports("def f():\n    from gone.away import x\nimport os, symnet.expr") == {"gone"}
