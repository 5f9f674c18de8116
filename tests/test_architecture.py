"""The shape of the house: which floor may import which, what stays unloaded, how long a file may be.

Also that every path which the documentation, a docstring, a comment or an error names exists.  The checkers are pure
functions, so that they are themselves checked against houses that are wrong.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "symnet"
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "dtypes", "version", "locks", "arrays", "collector", "processors", "elementary"),
    ("expr",),
    ("diff", "simplify", "nn", "reference"),
    ("calculus", "source", "reading", "lower", "loops"),
    ("schedule",),
    ("backends",),
    ("runtime",),
    ("export",),
    ("roofline",),
    ("compiler", "compiled", "stages", "request", "factoring"),
    ("train", "compare", "study", "lambdify"),
    ("cli", "__init__", "__main__"),  # the face: exports everything, lazily
)
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
SIDEWAYS = {
    ("dtypes", "errors"),
    ("arrays", "errors"),
    ("arrays", "dtypes"),
    ("lower", "loops"),
    ("compiler", "compiled"),
    ("compiler", "stages"),
    ("compiler", "request"),
    ("compiled", "stages"),
    ("compiled", "request"),
    ("stages", "request"),
    ("stages", "factoring"),
    ("cli", "__init__"),
    ("__main__", "cli"),
}  # (from, to) on one floor
LONGEST = 450  # lines of one file under symnet/
GRAB_BAGS = {"utils", "util", "helpers", "misc", "common", "manager"}
HEAVY = ("numpy", "sympy", "llvmlite", "jax", "torch", "sklearn", "matplotlib", "pytest", "hypothesis")

MODULES = sorted(PACKAGE.rglob("*.py"))
DOCUMENTS = [
    path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))) if path.exists()
]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --------------------------------------------------------------------------- imports


def part_of(module: str) -> str:
    """The part of the house a dotted module name stands in: `symnet.expr.nodes.node` → `expr`."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def module_name(path: Path) -> str:
    names = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


SOURCES = {module_name(path): path for path in MODULES}


def bound(source: str, module: str) -> set[str]:
    """The names that a source binds at its top, but for submodules of its own that it imports as such."""
    body = ast.parse(source).body
    made = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    taken = [node for node in body if isinstance(node, ast.ImportFrom) and node.module != module]
    return made | {alias.asname or alias.name for node in taken for alias in node.names}


BOUND = {module: bound(path.read_text(), module) for module, path in SOURCES.items()}


def imported(source: str, module: str, is_package: bool, files: Mapping[str, Container[str]] = BOUND) -> Iterator[str]:
    """Every symnet module that a source imports, wherever in the file the import stands.

    `from package import name` is an import of the file `package/name.py` where there is one, of the package where
    there is none, and of both where the package's own source binds the name too; `files` are all modules, each with the
    names that it binds.
    """
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "symnet")
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            if origin.split(".")[0] == "symnet":
                for name in (alias.name for alias in node.names):
                    is_file = f"{origin}.{name}" in files
                    yield from (f"{origin}.{name}",) if is_file else ()
                    yield from (origin,) if not is_file or name in files.get(origin, ()) else ()


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    """Imports that go upward, or sideways where that is not agreed."""
    here = part_of(module)
    wrong = []
    for target in imported(source, module, is_package):
        there = part_of(target)
        if there not in FLOOR_OF:
            wrong.append(f"{module} imports {target}, which stands on no floor of tests/test_architecture.py")
        elif here != there and FLOOR_OF[there] >= FLOOR_OF[here] and (here, there) not in SIDEWAYS:
            wrong.append(f"{module} (floor {FLOOR_OF[here]}) imports {target} (floor {FLOOR_OF[there]})")
    return wrong


def test_imports_go_downward() -> None:
    assert [name for name in SOURCES if part_of(name) not in FLOOR_OF] == [], "they stand on no floor; give them one"
    found = {name: violations(path.read_text(), name, path.name == "__init__.py") for name, path in SOURCES.items()}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import symnet.backends.llvm.emitter", "symnet.loops.ir"),
        ("def f():\n    from symnet.compiler import compile", "symnet.expr.nodes.node"),
        ("from symnet import simplify", "symnet.diff.rules"),
        ("from symnet.diff import rules", "symnet.simplify.algebra.table"),
        ("from ..diff import rules", "symnet.simplify.engine"),
        ("from .. import diff", "symnet.reference.movement"),
        ("import symnet as sn", "symnet.train.fit"),
        ("from symnet import grad", "symnet.export.files"),
        ("if TYPE_CHECKING:\n    from symnet.lower import nest", "symnet.loops.printer"),
        ("import symnet.attic", "symnet.cli.main"),
    ],
)
def test_an_import_upward_or_sideways_is_caught(source: str, module: str) -> None:
    assert len(violations(source, module)) == 1


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("from symnet.errors import explain\nfrom symnet import dtypes", "symnet.expr.nodes.node"),
        ("from . import node\nfrom .node import Node", "symnet.expr.nodes.graph"),
        ("from symnet.loops import ir", "symnet.lower.nest"),
        ("import sympy, numpy", "symnet.expr.nodes.node"),
        ("import symnet as sn\nfrom symnet import grad", "symnet.cli.main"),
    ],
)
def test_an_import_downward_passes(source: str, module: str) -> None:
    assert violations(source, module) == []


ROOMS = {
    "expr": (("nodes",), ("facts",), ("sympy", "numpy"), ("printing",)),
    "simplify": (("forms",), ("algebra", "numeric", "machine")),
}  # rooms of a folder, from the bottom: none imports one that stands higher


@pytest.mark.parametrize("folder", ROOMS)
def test_rooms_of_a_folder_stand_in_their_order(folder: str) -> None:
    height = {room: level for level, rooms in enumerate(ROOMS[folder]) for room in rooms}
    for name, path in SOURCES.items():
        inside = name.removeprefix(f"symnet.{folder}.").split(".")[0] if name.startswith(f"symnet.{folder}.") else ""
        if inside in height:
            for target in imported(path.read_text(), name, path.name == "__init__.py"):
                there = target.removeprefix(f"symnet.{folder}.").split(".")[0]
                assert height.get(there, 0) <= height[inside], f"{name} imports {target}, which stands above it"


# --------------------------------------------------------------------------- circles


def import_graph(sources: Mapping[str, tuple[str, bool]]) -> dict[str, list[str]]:
    """What every file imports of the others; a source is (text, whether it is a package's `__init__`)."""
    names = {module: bound(text, module) for module, (text, _) in sources.items()}
    return {
        module: sorted({target for target in imported(text, module, is_package, names) if target in sources} - {module})
        for module, (text, is_package) in sources.items()
    }


def circles(graph: Mapping[str, list[str]]) -> list[str]:
    """The files that import each other, directly or by way of others: one line for each circle, with its arrows."""
    reached = {module: _reached_from(module, graph) for module in graph}
    tied = {m: frozenset(n for n in reached[m] if m in reached[n]) for m in graph if m in reached[m]}
    return sorted("; ".join(_arrows(circle, graph)) for circle in set(tied.values()))


def _reached_from(start: str, graph: Mapping[str, list[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting.extend(graph[module])
    return found


def _arrows(circle: frozenset[str], graph: Mapping[str, list[str]]) -> list[str]:
    return [f"{module} → {', '.join(t for t in graph[module] if t in circle)}" for module in sorted(circle)]


def test_no_files_import_each_other() -> None:
    sources = {name: (path.read_text(), path.name == "__init__.py") for name, path in SOURCES.items()}
    assert circles(import_graph(sources)) == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (
            {"symnet.a": "from symnet.b import x", "symnet.b": "import symnet.a"},
            ["symnet.a → symnet.b; symnet.b → symnet.a"],
        ),
        (
            {"symnet.a": "from symnet.b import x", "symnet.b": "def f():\n    from symnet.a import y"},
            ["symnet.a → symnet.b; symnet.b → symnet.a"],
        ),
        (
            {"symnet.a": "if TYPE_CHECKING:\n    from symnet import b", "symnet.b": "from . import a"},
            ["symnet.a → symnet.b; symnet.b → symnet.a"],
        ),
        (
            {"symnet.p": "from symnet.p.a import x", "symnet.p.a": "from symnet.p import x"},
            ["symnet.p → symnet.p.a; symnet.p.a → symnet.p"],
        ),
        (
            {
                "symnet.a": "import symnet.b",
                "symnet.b": "import symnet.c",
                "symnet.c": "import symnet.a",
                "symnet.d": "import symnet.a, symnet.e",
                "symnet.e": "from symnet.d import x",
            },
            [
                "symnet.a → symnet.b; symnet.b → symnet.c; symnet.c → symnet.a",
                "symnet.d → symnet.e; symnet.e → symnet.d",
            ],
        ),
        (  # the package binds a function of that name, which is what the other file gets
            {
                "symnet.p": "from symnet.p.a import a\nimport symnet.p.b",
                "symnet.p.a": "",
                "symnet.p.b": "from symnet.p import a",
            },
            ["symnet.p → symnet.p.b; symnet.p.b → symnet.p"],
        ),
        ({"symnet.a": "import symnet.b, symnet.c", "symnet.b": "import symnet.c", "symnet.c": "import os"}, []),
        ({"symnet.p": "from symnet.p.a import x", "symnet.p.a": "from symnet.p import b", "symnet.p.b": ""}, []),
    ],
)
def test_a_circle_of_imports_is_caught(sources: dict[str, str], expected: list[str]) -> None:
    packages = {name.rpartition(".")[0] for name in sources}
    assert circles(import_graph({name: (text, name in packages) for name, text in sources.items()})) == expected


def test_only_the_face_imports_by_name() -> None:
    """What is imported by its name as text, no graph shows: the face alone does so, and nothing imports the face."""
    by_name = {name for name, path in SOURCES.items() if re.search(r"import_module|__import__", path.read_text())}
    assert by_name == {"symnet"}


def test_the_loop_language_stands_alone() -> None:
    """Its integers are in a file of their own, its codes among the numbers of the interface: these stand alone, too."""
    below = {"symnet.loops.abi", "symnet.loops.integers"}
    for file in ("ir", "abi", "integers"):
        found = set(imported((PACKAGE / "loops" / f"{file}.py").read_text(), f"symnet.loops.{file}", False))
        assert found <= (below if file == "ir" else set())


def test_elementary_functions_stand_alone() -> None:
    """They are written for lanes of any sort: of a back end they know nothing, nor of the rest of the house."""
    files = [name for name in SOURCES if part_of(name) == "elementary"]
    targets = {target for name in files for target in imported(SOURCES[name].read_text(), name, name.count(".") == 1)}
    assert {part_of(target) for target in targets} == {"elementary"}


def test_importing_symnet_loads_neither_llvmlite_nor_anything_optional() -> None:
    code = f"import sys, symnet; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_the_face_has_every_elementwise_function() -> None:
    """They stand in the face as text, so that it need not load them to know their names."""
    import symnet
    from symnet.expr.nodes.elementwise import PUBLIC

    assert [name for name in PUBLIC if getattr(symnet, name, None) is None or name not in symnet.__all__] == []


# --------------------------------------------------------------------------- names

SAME_WORD = {"Value"}  # a scalar of the loop language, and what a lane of an elementary function holds
TITLED = re.compile(r"_?[A-Z]\w*[a-z]\w*")  # the spelling of classes and of names for types


def types_made(source: str) -> set[str]:
    """The classes and names for types that a source makes at its top.

    `Value = ir.Value` makes nothing: it is the same thing under the same name.
    """
    made = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {t.id for t in targets if isinstance(t, ast.Name) and TITLED.fullmatch(t.id)}
            made |= names - {ast.unparse(node.value).rpartition(".")[2]}
    return made


def homonyms(sources: Mapping[str, str]) -> list[str]:
    """`Name: file, file` for every type whose name more than one file gives to a type of its own."""
    files: dict[str, list[str]] = {}
    for module, source in sources.items():
        for name in types_made(source):
            files.setdefault(name, []).append(module)
    return sorted(f"{name}: {', '.join(sorted(where))}" for name, where in files.items() if len(where) > 1)


def test_a_type_has_a_name_of_its_own() -> None:
    """One word means one thing in the whole house: what two files need is imported, another idea gets another name."""
    found = homonyms({name: path.read_text() for name, path in SOURCES.items()})
    assert [line for line in found if line.split(":")[0] not in SAME_WORD] == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({"a": "class Step: ...", "b": "class Step: ..."}, ["Step: a, b"]),
        ({"a": "class Part: ...", "b": "Part = tuple[int, str]"}, ["Part: a, b"]),
        ({"a": "Part: TypeAlias = int", "b": "x = 1\nPart = str\n"}, ["Part: a, b"]),
        ({"a": "class _Scope: ...", "b": "class _Scope: ..."}, ["_Scope: a, b"]),
        ({"a": "class Step: ...", "b": "from a import Step", "c": "import a\nStep: TypeAlias = a.Step"}, []),
        ({"a": "LONGEST = 4", "b": "LONGEST = 5"}, []),
        ({"a": "def f():\n    class Local: ...", "b": "class Local: ..."}, []),
    ],
)
def test_two_types_of_one_name_are_caught(sources: dict[str, str], expected: list[str]) -> None:
    assert homonyms(sources) == expected


# --------------------------------------------------------------------------- files


def test_a_file_is_read_in_one_sitting() -> None:
    assert [relative(path) for path in MODULES if len(path.read_text().splitlines()) > LONGEST] == []
    assert [relative(path) for path in MODULES if path.stem in GRAB_BAGS] == [], "name them after what they are about"


IGNORED = re.compile(r"# type: ignore(\[[\w, -]+\])?(  # \w.*)?")


def test_a_type_that_is_not_checked_has_a_reason() -> None:
    """`# type: ignore[code]  # reason`: mypy says which are needed, not why."""
    found = {relative(path): IGNORED.findall(path.read_text()) for path in MODULES}
    assert sum(map(len, found.values())) > 0
    assert [name for name, each in found.items() if not all(code and reason for code, reason in each)] == []


# --------------------------------------------------------------------------- paths in the documentation

ENDINGS = "py|md|toml|yaml|yml|c|h|sh|txt|json|ipynb"
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
PATH = re.compile(rf"^\.?[\w*][\w*./-]*(?:\.(?:{ENDINGS})|/)$|^\.ci/\w+$")
FROM_ROOT = re.compile(rf"\b(?:symnet|tests|docs|examples)/[\w*./-]+\.(?:{ENDINGS})\b")
FENCE = re.compile(r"^```.*?^```[ \t]*$", re.MULTILINE | re.DOTALL)
MADE_BY_USERS = ("build/", "dist/", "fuzz-failures/", "FILE")  # what commands write, and placeholders


def named_paths(text: str) -> list[str]:
    """The paths a document names, in code spans and in links to this repository."""
    prose = FENCE.sub("", text)
    spans = [span for span in CODE.findall(prose) if PATH.match(span)]
    links = [link for link in LINK.findall(prose) if "://" not in link and not link.startswith("mailto:")]
    return [path for path in (*spans, *links) if not path.startswith(MADE_BY_USERS)]


def exists(path: str, document: Path) -> bool:
    """True where a path exists seen from the root, the package, the document, or anywhere for a bare file name."""
    for base in (ROOT, PACKAGE, document.parent):
        if any(base.glob(path.rstrip("/"))) if not path.startswith("..") else (base / path).exists():
            return True
    return "/" not in path and any(ROOT.glob(f"symnet/**/{path}"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_every_path_that_documents_name_exists(document: Path) -> None:
    missing = [path for path in named_paths(document.read_text()) if not exists(path, document)]
    assert missing == []


def test_every_path_that_code_names_exists() -> None:
    """In docstrings, comments and errors, which tell users what file to edit."""
    found = {relative(path): missing_paths(path) for path in MODULES}
    assert {name: missing for name, missing in found.items() if missing} == {}


def missing_paths(path: Path) -> list[str]:
    """The paths that a file names and that do not exist."""
    text = path.read_text()
    spans = [span for span in CODE.findall(text) if PATH.match(span) and not span.startswith(MADE_BY_USERS)]
    spans = [span for span in spans if "/" in span]  # the others may be files of an export
    return [named for named in (*spans, *FROM_ROOT.findall(text)) if not exists(named, path)]


def test_paths_of_errors_are_found() -> None:
    assert FROM_ROOT.findall('"Add it to WRITERS in symnet/expr/gone.py."') == ["symnet/expr/gone.py"]


def test_paths_are_found_in_prose_and_links_only() -> None:
    text = "See `expr/gone.py`, [the tour](docs/tour.md#start), `a/b`, `build/mlp.h`, [x](https://y.z/w.md)\n```\n`no.py`\n```\n"
    assert named_paths(text) == ["expr/gone.py", "docs/tour.md"]
    assert not exists("expr/gone.py", ROOT / "README.md")
    assert exists("loops/ir.py", ROOT / "README.md")
    assert exists("ir.py", ROOT / "README.md")
    assert exists("tests/loops/*.py", ROOT / "README.md")


# --------------------------------------------------------------------------- the map of the tests


def test_the_map_of_the_tests_names_every_folder_and_every_test_of_the_root() -> None:
    """`tests/README.md`: a new folder says there what it proves, and one that is gone is not named any more."""
    text = (ROOT / "tests" / "README.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = [folder.removesuffix("/") for row in rows for folder in CODE.findall(row)]
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/*.py")}
    assert sorted(named) == sorted(folders)
    assert {path.name for path in (ROOT / "tests").glob("test_*.py")} <= set(CODE.findall(text))
