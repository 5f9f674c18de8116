"""The parts of the documentation's site that are made when it is built: the reference, the examples, the links."""

from __future__ import annotations

import importlib.util
import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import symnet as sn

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".ci" / "site"
FUNCTIONS = (ROOT / "docs" / "functions.md").read_text(encoding="utf-8")


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A file of the site; it is known by its name only as long as the test runs."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load("reference", monkeypatch)


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load("gallery", monkeypatch)


# --------------------------------------------------------------------------- the reference


def test_every_public_name_has_its_call_its_sentence_and_its_example(reference: ModuleType) -> None:
    pages = "".join(reference.page(head, names) for head, names in reference.chapters(FUNCTIONS).items())
    for name in sn.__all__:
        assert pages.count(f"## sn.{name} {{ #{name} }}") == 1, name
        thing = getattr(sn, name)
        assert inspect.getdoc(thing), name
        for line in inspect.getdoc(thing).splitlines():
            assert ">>>" not in line or line.strip() in pages, (name, line)


def test_a_name_that_is_missing_or_listed_twice_stops_the_site(reference: ModuleType) -> None:
    row = next(line for line in FUNCTIONS.splitlines(keepends=True) if line.startswith("| `sn.grad` |"))
    for wrong in (FUNCTIONS.replace(row, ""), FUNCTIONS.replace(row, row + row)):
        with pytest.raises(ValueError, match="must name every public name once; look at grad"):
            reference.chapters(wrong)


def test_a_docstring_becomes_lists_and_highlighted_examples(reference: ModuleType) -> None:
    docstring = """The slope of a*b*c by `a*b`, in x[0](y).

    Args:
        a, b: rank 0, and
            more of it.
        c: _any_ <shape>.

    Returns:
        a node.

    Example:
        >>> 1 + 1
        2
    """
    assert reference.text(inspect.cleandoc(docstring)) == "\n\n".join(
        [
            r"The slope of a\*b\*c by `a*b`, in x\[0\](y).",
            "**Arguments**",
            "- `a, b`: rank 0, and more of it.\n" + r"- `c`: \_any\_ &lt;shape>.",
            "**Returns**",
            "a node.",
            "**Example**",
            "```pycon\n>>> 1 + 1\n2\n```",
        ]
    )


def test_a_call_shows_its_defaults_and_a_class_its_members(reference: ModuleType) -> None:
    assert reference.call("grad", sn.grad) == "sn.grad(L, w, absent='error')"
    assert reference.call("ShapeError", sn.ShapeError) == "class sn.ShapeError(SymnetError, ValueError)"
    first, *more = reference.call("compile", sn.compile).splitlines()
    assert first.startswith("sn.compile(outputs, *, dtype=None,") and more and all(x.startswith("    ") for x in more)
    entry = reference.entry("CompiledFunction")
    assert "```python\nclass sn.CompiledFunction\n```" in entry
    assert "### CompiledFunction.report { #CompiledFunction.report }\n\n```python\n.report(step=None, " in entry
    assert reference.call("SGD", sn.SGD) == "sn.SGD(lr=0.1)"


# --------------------------------------------------------------------------- examples

EXAMPLE = '''"""Add: two numbers.

More about it.
"""

import symnet as sn

x = sn.scalar("x")
for slope in (sn.grad(x * x * x, x),):
    print("slope", slope)
y = (x * x).named("y")
loss = y + 1
'''


def test_an_example_is_shown_with_its_formulas_its_derivation_and_its_output(
    gallery: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "adding_up.py"
    path.write_text(EXAMPLE)
    run = gallery.record(path)
    assert run.printed == "slope 3*x**2\n" and list(run.formulas) == ["y", "loss"] and not run.curves
    assert "<svg" in run.derivation
    page = gallery.page(path, run)
    assert page.startswith("# Adding up\n\nAdd: two numbers.\n\nMore about it.\n\n## The formulas\n\n")
    assert "```text\nslope 3*x**2\n```" in page and "```python\nimport symnet as sn\n" in page
    assert "](derivation-adding_up.html)" in page and page.count("<math") == 2


def test_a_run_is_drawn(gallery: ModuleType) -> None:
    assert 'points="60.0,20.0 320.0,100.0 580.0,180.0"' in gallery.curve([100.0, 10.0, 1.0])
    assert 'points="60.0,20.0 320.0,180.0 580.0,20.0"' in gallery.curve([2.0, 0.0, 2.0])


def test_a_record_is_that_of_the_same_source(
    gallery: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "RECORDS", tmp_path)
    path = tmp_path / "one.py"
    path.write_text('"""One: it prints."""\n\nprint(1)\n')
    gallery.main(path)
    assert gallery.recorded(path).printed == "1\n"
    kept = tmp_path / "one.json"
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"printed": "kept"}))
    assert gallery.recorded(path).printed == "kept"
    path.write_text('"""One: it prints."""\n\nprint(2)\n')
    ran: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **options: ran.append(command))
    gallery.recorded(path)
    assert [command[1:] for command in ran] == [[gallery.__file__, str(path)]]


def test_an_example_that_fails_fails_its_step(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text('"""Wrong: it asserts."""\n\nassert 1 == 2\n')
    done = subprocess.run([sys.executable, FOLDER / "gallery.py", path], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "AssertionError" in done.stderr


# --------------------------------------------------------------------------- links


def test_links_of_the_root_lead_to_the_same_text_inside_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mkdocs")
    load("gallery", monkeypatch), load("reference", monkeypatch)
    inside = load("hooks", monkeypatch)._inside
    assert (
        inside("[a](docs/tour.md), [b](examples/) [c](LICENSE)")
        == "[a](tour.md), [b](examples/index.md) [c](license.md)"
    )
    assert (
        inside("[a](https://semver.org/) [b](docs/derive.md#steps)") == "[a](https://semver.org/) [b](derive.md#steps)"
    )


def test_an_extended_navigation_stays_the_same_when_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mkdocs")
    load("gallery", monkeypatch), load("reference", monkeypatch)
    extend = load("hooks", monkeypatch)._extend
    nav = [{"Home": "index.md"}, {"Reference": [{"All": "functions.md"}]}]
    for _ in range(2):
        extend(nav, "Reference", [{"Leaves": "reference/leaves.md"}])
    assert nav[1] == {"Reference": [{"All": "functions.md"}, {"Leaves": "reference/leaves.md"}]}
