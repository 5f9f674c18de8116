"""The pages of the site that are not in docs/: home, contributing, changes, the reference, the examples.

In: MkDocs, which calls the functions below by their names.  Out: pages made while the site is built; nothing that is
made here is kept in the repository.

The texts are those of README.md, CONTRIBUTING.md and CHANGELOG.md, with their links as they are from inside the site.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".ci" / "site")]

import gallery  # noqa: E402  (they stand beside this file)
import reference  # noqa: E402

TEXTS = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
PLACES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "LICENSE": "license.md",
    "examples/": "examples/index.md",
}  # path in the repository → in the site
LINK = re.compile(r"(?<=\]\()(?!https?:)([^)#\s]+)")
WIDE = re.compile(r"<table>.*?</table>", re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made, and what the navigation needs of them."""
    made = {there: _inside((ROOT / here).read_text(encoding="utf-8")) for there, here in TEXTS.items()}
    made["license.md"] = "# License\n\n```text\n" + (ROOT / "LICENSE").read_text(encoding="utf-8") + "```\n"
    made["assets/site.css"] = (ROOT / ".ci" / "site" / "site.css").read_text(encoding="utf-8")
    chapters = _chapters(config)
    made |= {f"reference/{reference.address(head)}.md": reference.page(head, chapters[head]) for head in chapters}
    examples = sorted((ROOT / "examples").glob("*.py"))
    made |= _examples(examples)
    for path, content in made.items():
        files.append(File.generated(config, path, content=content))
    _extend(config.nav, "Reference", [{head: f"reference/{reference.address(head)}.md"} for head in chapters])
    _extend(config.nav, "Examples", [{gallery.title(path): f"examples/{path.stem}.md"} for path in examples])
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """What is particular about some pages.

    Names on the page of functions lead to the reference, which is found first; a page without neighbours needs no list
    of them.
    """
    if page.file.src_uri.startswith("reference/"):
        page.meta["search"] = {"boost": 4}
    if page.parent is None:
        page.meta["hide"] = ["navigation"]
    if page.file.src_uri != "functions.md":
        return markdown
    for head, names in _chapters(config).items():
        for name in names:
            place = f"reference/{reference.address(head)}.md#{name}"
            markdown = markdown.replace(f"| `sn.{name}` |", f"| [`sn.{name}`]({place}) |", 1)
    return markdown


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """A wide table scrolls by itself."""
    return WIDE.sub(lambda found: f'<div class="wide">{found[0]}</div>', html)


def _chapters(config: Any) -> dict[str, list[str]]:
    try:
        return reference.chapters((Path(config.docs_dir) / "functions.md").read_text(encoding="utf-8"))
    except ValueError as error:
        raise PluginError(str(error)) from error


def _examples(paths: list[Path]) -> dict[str, str]:
    """Their pages, the derivations that go with them, and the page that lists them all."""
    made: dict[str, str] = {}
    lines = ["# Examples", "Short programs that run as they stand; what is shown was printed when this site was built."]
    for path in paths:
        run = gallery.recorded(path)
        made[f"examples/{path.stem}.md"] = gallery.page(path, run)
        if run.derivation:
            made[f"examples/derivation-{path.stem}.html"] = run.derivation
        about = path.read_text(encoding="utf-8").split('"""', 2)[1].strip().splitlines()[0]
        lines.append(f"- [{gallery.title(path)}]({path.stem}.md): {about.split(':')[-1].strip()}")
    return {"examples/index.md": "\n\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:]) + "\n", **made}


def _inside(markdown: str) -> str:
    """Links of a text in the repository's root, as they are in the site: `docs/tour.md` → `tour.md`."""
    return LINK.sub(lambda found: PLACES.get(found[1], found[1].removeprefix("docs/")), markdown)


def _extend(nav: list[Any], title: str, pages: list[Any]) -> None:
    """More pages under one heading of the navigation; building again does not add them twice."""
    (entry,) = (each for each in nav if title in each)
    entry[title] = [each for each in entry[title] if each not in pages] + pages
