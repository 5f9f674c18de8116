"""A module's text → texts of several modules that together are it, so that LLVM can work on them at the same time.

In: the LLVM assembly of a program, or chunks of it as they are written.  Out: the texts, in order; where they are cut
depends on the text alone, and not on the machine, so that an object has the same bytes wherever it is made.  The first
are short, so that LLVM begins early; later ones are longer, as each costs LLVM a millisecond or two.

before: @abi = constant i32 2                after: @abi = constant i32 2
        define internal void @f() {…}               declare hidden void @f()
        define i32 @run() { call void @f() }        define i32 @run() { call void @f() }
                                              and:  define hidden void @f() {…}

A function that is always inlined is in every piece that calls it; everything else is in one, and others know it as
hidden.  `elf_joined.py` makes one object of the objects of the pieces, in which the hidden is internal again.

Not handled: aliases and comments; a text that has something of the kind stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

PIECE, SHARE, MOST = 12_000, 6, 100_000  # characters, inlined functions counted at every call; of what went before

_ITEM = re.compile(r"^(define (?s:.*?)\n}|declare .*|@\S+ = (?!.*\balias ).*|(?:attributes|target|!).*)$", re.M)
_SYMBOL = re.compile(r'@(?:"([^"]+)"|([\w.$]+))')
_GLOBAL = re.compile(r"@\S+ = (internal )?.*?(constant|global) (\[[^\]]*\]|<\{.*?\}>|\w+) ")


def pieces(text: str) -> list[str]:
    """The texts; one, the text itself, where it is short or has something else in it."""
    items = _items(text) if len(text) >= PIECE else None
    if items is None:
        return [text]
    module = _ModuleItems()
    found = list(module.cut(module.added(items)))
    return found if len(found) > 1 else [text]


def pieces_of(chunks: Iterable[str]) -> Iterator[str]:
    """The texts, each as soon as its own chunks are there: no chunk names what comes in later ones.

    They are those of the whole text.
    """
    module = _ModuleItems()
    return module.cut(item for chunk in chunks for item in module.added(_own_items(chunk)))


def _items(text: str) -> list[_Item] | None:
    """What stands in a text, one by one; nothing where that is not all."""
    *between, rest = _ITEM.split(text)
    if "".join([*between[::2], rest]).strip():
        return None
    return [_Item(found) for found in between[1::2]]


def _own_items(chunk: str) -> list[_Item]:
    """What stands in text that was written here, where nothing else does."""
    found = _items(chunk)
    assert found is not None, chunk
    return found


@dataclass(frozen=True, eq=False)
class _Item:
    """What stands at the top of a module: a function, a global, a declaration, or words for all."""

    text: str

    @cached_property
    def symbols(self) -> list[str]:
        """The names in it, in order; a definition's own is the first."""
        return [quoted or plain for quoted, plain in _SYMBOL.findall(self.text)]

    @cached_property
    def head(self) -> str:
        """The first line of a function, without its brace."""
        return self.text.split("\n", 1)[0].rstrip("{ ")

    @property
    def is_for_all(self) -> bool:
        """Whether it says something of the whole module, or stands there for whoever names it."""
        return self.text.startswith(("attributes", "target", "!"))

    @property
    def is_inlined(self) -> bool:
        return self.text.startswith("define") and " alwaysinline" in self.head

    @property
    def is_placed(self) -> bool:
        """Whether it stands in one piece."""
        return self.text.startswith(("define", "@")) and not self.is_inlined

    def defined(self) -> str:
        """The definition, as the other pieces may use it."""
        if self.text.startswith("@"):
            return self.text.replace(" = internal ", " = hidden ", 1)
        return self.text.replace("define internal ", "define hidden ", 1)

    def declared(self) -> str:
        """The declaration of what another piece defines."""
        if self.text.startswith("@"):
            found = _GLOBAL.match(self.text)
            assert found is not None
            internal, kind, shape = found.groups()
            return f'@"{self.symbols[0]}" = external {"hidden " if internal else ""}{kind} {shape}'
        head = self.head.split(" prologue ")[0]
        return head.replace("define internal ", "declare hidden ", 1).replace("define ", "declare ", 1)


class _ModuleItems:
    """The items of a module, as far as they are there."""

    def __init__(self) -> None:
        self.items: dict[_Item, None] = {}
        self.known: dict[str, _Item] = {}
        self._works: dict[_Item, int] = {}

    def added(self, items: list[_Item]) -> list[_Item]:
        """The items of a chunk, all of them known from here on."""
        self.items |= dict.fromkeys(items)
        self.known |= {item.symbols[0]: item for item in items if not item.is_for_all}
        return items

    def cut(self, items: Iterable[_Item]) -> Iterator[str]:
        """The texts of the pieces; the last one, which is what is left, is all where it is the only one."""
        chosen: set[_Item] = set()
        size = done = 0
        for item in items:
            if item.is_placed:
                if size >= max(PIECE, min(done // SHARE, MOST)):
                    yield self.text(chosen)
                    chosen, size, done = set(), 0, done + size
                chosen.add(item)
                size += self.work(item)
        yield self.text(chosen) if done else "\n".join([*(item.text for item in self.items), ""])

    def work(self, item: _Item) -> int:
        """Characters, those of what is inlined at every call."""
        if item not in self._works:
            inlined = (self.known[name] for name in item.symbols[1:] if name in self.known)
            self._works[item] = len(item.text) + sum(self.work(each) for each in inlined if each.is_inlined)
        return self._works[item]

    def text(self, chosen: set[_Item]) -> str:
        """The piece that has these items, and what they need."""
        needed = self._needed(chosen)
        lines: list[str] = []
        for item in self.items:
            if item in chosen:
                lines.append(item.defined())
            elif item.is_for_all or (item in needed and not item.is_placed):
                lines.append(item.text)
            elif item in needed:
                lines.append(item.declared())
        return "\n".join([*lines, ""])

    def _needed(self, chosen: set[_Item]) -> set[_Item]:
        """What is called or read by these, and by what is inlined into them."""
        found: set[_Item] = set()
        todo = list(chosen)
        while todo:
            for each in self._used(todo.pop()):
                if each not in found:
                    found.add(each)
                    todo += [each] * each.is_inlined
        return found

    def _used(self, item: _Item) -> Iterator[_Item]:
        return (self.known[name] for name in item.symbols[1:] if name in self.known)
