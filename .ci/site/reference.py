"""The public names and their docstrings → the pages of the reference.

In: `docs/functions.md`, whose tables say which name stands under which heading, and symnet itself.  Out: a page of
Markdown for each heading, with call, text, arguments, errors and example of every name.

Read from the objects, not from the files: `exp` and its kind are made from a table, and no file has a `def exp`.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

import symnet as sn

ROW = re.compile(r"^\| `sn\.(\w+)` \|", re.MULTILINE)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
SECTION = re.compile(r"(Args|Attributes|Returns|Raises|Error|Source|Example|Examples|Warns):(?:$|\s+(.*))")
ENTRY = re.compile(r"([\w*, ]+): +(.*)")
WIDTH = 78  # of a call: what a narrow page shows without scrolling
LABELS = {"Args": "Arguments", "Error": "Accuracy", "Examples": "Example"}


def chapters(page: str) -> dict[str, list[str]]:
    """Heading → the names under it.

    Raises:
        ValueError: a public name stands nowhere, or twice.
    """
    heads = list(HEADING.finditer(page))
    ends = [*(head.start() for head in heads[1:]), len(page)]
    found = {head[1]: ROW.findall(page, head.end(), end) for head, end in zip(heads, ends, strict=True)}
    listed = sorted(name for names in found.values() for name in names)
    if listed != sorted(sn.__all__):
        wrong = sorted(set(listed) ^ set(sn.__all__)) or sorted(name for name in listed if listed.count(name) > 1)
        raise ValueError(f"docs/functions.md must name every public name once; look at {', '.join(wrong)}")
    return {head: names for head, names in found.items() if names}


def address(heading: str) -> str:
    """`Linear algebra` → `linear-algebra`."""
    return re.sub(r"\W+", "-", heading.lower()).strip("-")


def page(heading: str, names: list[str]) -> str:
    """One chapter."""
    return "\n\n".join([f"# {heading}", *(entry(name) for name in names)]) + "\n"


def entry(name: str) -> str:
    """One name: how it is called and what its docstring says."""
    thing = getattr(sn, name)
    parts = [f"## sn.{name} {{ #{name} }}", f"```python\n{call(name, thing)}\n```", text(inspect.getdoc(thing) or "")]
    if inspect.isclass(thing) and not issubclass(thing, Exception):
        parts += [member(name, each) for each in members(thing)]
    return "\n\n".join(parts)


def call(name: str, thing: Any) -> str:
    """`sn.grad(L, w, absent='error')`; of a class that one does not build, what it is: types are in the text."""
    if inspect.isfunction(thing) or hasattr(thing, "__dataclass_params__"):
        return signature(f"sn.{name}", thing)
    bases = ", ".join(base.__name__ for base in thing.__bases__ if not base.__name__.startswith("_"))
    return f"class sn.{name}({bases})" if issubclass(thing, Exception) else f"class sn.{name}"


def signature(start: str, function: Any) -> str:
    """How it is called, without types and without self, in lines that a narrow page shows."""
    parameters = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    bare = inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in parameters])
    return "\n".join(textwrap.wrap(f"{start}{bare}", WIDTH, subsequent_indent=" " * 4, break_long_words=False))


def members(thing: type) -> list[tuple[str, Any]]:
    """The public methods and properties that symnet documents, in their order."""
    owners = [owner for owner in reversed(thing.__mro__) if owner.__module__.startswith("symnet")]
    found = {name: value for owner in owners for name, value in vars(owner).items() if not name.startswith("_")}
    kinds = (property, classmethod, staticmethod)
    return [
        (name, value)
        for name, value in found.items()
        if (inspect.isfunction(value) or isinstance(value, kinds)) and inspect.getdoc(value)
    ]


def member(owner: str, each: tuple[str, Any]) -> str:
    """A method, with its call, or a property."""
    name, value = each
    function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
    heading = f"### {owner}.{name} {{ #{owner}.{name} }}"
    lines = [] if isinstance(value, property) else [f"```python\n{signature(f'.{name}', function)}\n```"]
    return "\n\n".join([heading, *lines, text(inspect.getdoc(value) or "")])


# --------------------------------------------------------------------------- docstrings


def text(docstring: str) -> str:
    """A docstring as Markdown: prose, lists of arguments and errors, an example that is highlighted."""
    parts: list[str] = []
    label, lines = "", []
    for line in [*docstring.splitlines(), "Returns:"]:
        found = SECTION.fullmatch(line)
        if not found:
            lines.append(line)
            continue
        parts += section(label, lines)
        label, lines = found[1], [f"    {found[2]}"] if found[2] else []
    return "\n\n".join(parts)


def section(label: str, lines: list[str]) -> list[str]:
    """One part of a docstring, the label being empty for what stands before the first."""
    body = inspect.cleandoc("\n".join(["", *lines])).strip("\n")
    if not body:
        return []
    if not label:
        return [prose(body)]
    title = f"**{LABELS.get(label, label)}**"
    if label.startswith("Example"):
        return [title, f"```pycon\n{body}\n```"]
    return [title, entries(body) if label in ("Args", "Attributes", "Raises") else prose(body)]


def entries(body: str) -> str:
    """`name: text`, with the lines that continue it, as a list."""
    items: list[str] = []
    for line in body.splitlines():
        found = None if line.startswith(" ") else ENTRY.fullmatch(line)
        if found:
            items.append(f"- `{found[1]}`: {prose(found[2])}")
        elif items:
            items[-1] += f" {prose(line.strip())}"
        else:
            items.append(prose(line))
    return "\n".join(items)


def prose(words: str) -> str:
    """Text with formulas in it: what Markdown would read as emphasis, a link or a tag is itself; code stays code."""
    return "\n".join(line if line.startswith("    ") else _escaped(line) for line in words.splitlines())


def _escaped(line: str) -> str:
    pieces = line.split("`")
    for k in range(0, len(pieces), 2):
        pieces[k] = re.sub(r"([*_\[\]|])", r"\\\1", pieces[k].replace("<", "&lt;"))
    return "`".join(pieces)
