"""What is imported is declared, with a lowest version: an installation from a clean environment works."""

import ast
import importlib.util
import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MODULES = {"scikit-learn": "sklearn"}  # packages whose module has another name
GROUPS = {"run-time": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
NAME = re.compile(r"[A-Za-z0-9_.-]+")


def modules(requirements: list[str]) -> set[str]:
    """The modules that requirements such as `numpy>=2.1` provide."""
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


DECLARED = set().union(*map(modules, GROUPS.values()))


def test_every_package_that_is_imported_is_declared() -> None:
    found = {path: foreign_imports(path.read_text()) - DECLARED for path in sorted((ROOT / "symnet").rglob("*.py"))}
    assert {str(path): names for path, names in found.items() if names} == {}


def test_the_examples_need_the_demo_extra_at_most() -> None:
    allowed = modules(PROJECT["dependencies"]) | modules(PROJECT["optional-dependencies"]["demo"])
    for path in sorted((ROOT / "examples").glob("*.py")):
        assert foreign_imports(path.read_text()) <= allowed, path.name


def test_an_import_inside_a_function_is_seen() -> None:
    assert foreign_imports("def f():\n    from gone.away import x\nimport os, symnet.expr") == {"gone"}


@pytest.fixture(scope="module")
def lowest() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lowest", ROOT / ".ci" / "lowest.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numbers(text: str) -> tuple[int, ...]:
    """A version, to compare."""
    return tuple(int(part) for part in re.findall(r"\d+", text.split("+")[0]))


@pytest.mark.parametrize("extra", GROUPS)
def test_every_dependency_has_a_lowest_version(lowest: ModuleType, extra: str) -> None:
    for requirement in GROUPS[extra]:
        name, floor = lowest.pin(requirement).split("==")
        assert requirement.startswith(f"{name}>={floor}") and numbers(floor) > (0,)


def test_one_package_has_one_lowest_version(lowest: ModuleType) -> None:
    pins = lowest.pins(PROJECT, *PROJECT["optional-dependencies"])
    names = [pin.split("==")[0] for pin in pins]
    assert len(names) == len(set(names))
    assert {"numpy", "sympy", "llvmlite", "pytest", "scikit-learn"} <= set(names)


def test_what_is_installed_is_no_older_than_the_lowest_version(lowest: ModuleType) -> None:
    for pin in lowest.pins(PROJECT, "test"):
        name, floor = pin.split("==")
        assert numbers(version(name)) >= numbers(floor), pin


@pytest.mark.parametrize(
    "requirement", ["numpy", "numpy<3", "numpy==2.1", "numpy>2.1", "numpy>=2.1; python_version<'4'"]
)
def test_a_requirement_without_a_lowest_version_is_refused(lowest: ModuleType, requirement: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(repr(requirement))} in pyproject.toml: expected name>=version"):
        lowest.pin(requirement)


def test_what_runs_with_the_lowest_versions_is_there() -> None:
    named = re.findall(r"\btests/[\w/.]+", (ROOT / ".ci" / "run").read_text())
    assert len(named) > 10 and [path for path in named if not (ROOT / path).exists()] == []
