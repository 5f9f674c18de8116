"""Relocatable ELF objects for x86-64 → one object, as a linker's `-r` makes it.

In: objects of one program, which refer to each other's hidden functions and data by name.  Out: one object; what was
hidden is local to it, so that it exports what the program as one module would.

Every section stays a section of its own, under its old name.  Equal constants of different objects are left to whoever
links the result for good.

Not handled: what `elf_format.py` does not; sections without contents in the process other than the stack's note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from symnet.backends.llvm.elf_format import (
    ALLOCATED,
    GROUP,
    HEADER,
    ORDERED,
    RESERVED,
    SECTION,
    SYMBOL,
    ZEROS,
    ObjectTables,
    UnsupportedObject,
    rounded,
)

_HIDDEN, _VISIBILITY = 2, 3  # STV_HIDDEN, and the bits of a symbol's `other` that say it
_STACK_NOTE = ".note.GNU-stack"
_LABEL = b".L"


def joined(objects: Sequence[bytes]) -> bytes:
    """The objects as one.

    Raises:
        UnsupportedObject: for what is not handled here; two definitions of one name.
    """
    if len(objects) == 1:
        return objects[0]
    tables = [ObjectTables(code) for code in objects]
    names = np.cumsum([0, *(len(found.names) for found in tables)])[:-1]  # where each object's begin
    symbols, file = _Symbols.of(tables), _File(objects[0])
    places = [file.take(found, begin) for found, begin in zip(tables, names, strict=True)]
    table = len(file.sections) + sum(len(list(found.references())) for found in tables)
    for found, begin, sections, numbers in zip(tables, names, places, symbols.numbers, strict=True):
        file.refer(found, begin, sections, numbers, table)
    texts = bytearray().join(found.names for found in tables)
    entries, local = symbols.table(tables, places, names, texts)
    first = tables[0].sections
    file.add(first[tables[0].table], 0, entries.tobytes(), link=table + 1, info=local)
    file.add(first[int(first[tables[0].table]["link"])], 0, bytes(texts))
    return file.finished()


@dataclass(slots=True)
class _Symbols:
    """The symbols of all objects in one table: local ones first.

    Attributes:
        numbers: of each object, the new numbers of its symbols.
        local, exported: for each object, which of its symbols stand in the two parts; `missing`: those that no object
            defines, by object and number.
    """

    numbers: list[np.ndarray]
    local: list[np.ndarray]
    exported: list[np.ndarray]
    missing: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, tables: Sequence[ObjectTables]) -> _Symbols:
        numbers = [np.zeros(len(found.symbols), np.uint32) for found in tables]
        hidden = [(found.symbols["other"] & _VISIBILITY == _HIDDEN) & found.defined() for found in tables]
        local = [(found.symbols["info"] >> 4 == 0) | h for found, h in zip(tables, hidden, strict=True)]
        for each in local:
            each[0] = False  # the first symbol of a table is none
        exported = [found.defined() & ~own for found, own in zip(tables, local, strict=True)]
        made, end = cls(numbers, local, exported), 1
        for part in (local, exported):
            for each, mask in zip(numbers, part, strict=True):
                count = int(mask.sum())
                each[mask] = np.arange(end, end + count)
                end += count
        made._resolve(tables, end)
        return made

    def _resolve(self, tables: Sequence[ObjectTables], end: int) -> None:
        """Give what an object does not define the number of its definition."""
        known: dict[str, int] = {}
        for found, numbers in zip(tables, self.numbers, strict=True):
            for number in np.flatnonzero(found.defined()):
                name = found.text(found.symbols[number])
                if name in known:
                    raise UnsupportedObject(f"two definitions of {name}")
                known[name] = int(numbers[number])
        for order, (found, numbers) in enumerate(zip(tables, self.numbers, strict=True)):
            undefined = (found.symbols["info"] >> 4 != 0) & (found.symbols["section"] == 0)
            for number in np.flatnonzero(undefined):
                name = found.text(found.symbols[number])
                if name not in known:
                    known[name] = end + len(self.missing)
                    self.missing.append((order, int(number)))
                numbers[number] = known[name]

    def table(
        self, tables: Sequence[ObjectTables], places: Sequence[np.ndarray], names: np.ndarray, texts: bytearray
    ) -> tuple[np.ndarray, int]:
        """The table, and how many of its entries are local.

        Args:
            tables: the objects'.
            places: of each object, its sections' new numbers.
            names: where the names of each begin.
            texts: all names, to which new ones are added.
        """
        parts = [np.zeros(1, SYMBOL)]
        for part in (self.local, self.exported, self._undefined(tables)):
            for found, mask, sections, begin in zip(tables, part, places, names, strict=True):
                symbols = found.symbols[mask]
                symbols["name"] += np.uint32(begin)
                inside = symbols["section"] < RESERVED
                symbols["section"][inside] = sections[symbols["section"][inside]]
                parts.append(symbols)
        local = slice(1, 1 + sum(int(mask.sum()) for mask in self.local))
        table = np.concatenate(parts)
        table["info"][local] &= 0xF  # STB_LOCAL, of the same type
        table["other"][local] = 0
        table["name"][local] = _apart(table["name"][local].tolist(), texts)
        return table, local.stop

    def _undefined(self, tables: Sequence[ObjectTables]) -> list[np.ndarray]:
        masks = [np.zeros(len(found.symbols), bool) for found in tables]
        for order, number in self.missing:
            masks[order][number] = True
        return masks


def _apart(names: Sequence[int], texts: bytearray) -> list[int]:
    """Where names stand, labels with a number before those that had one name: LLVM's loader goes by the name."""
    seen: set[bytes] = set()
    found: list[int] = []
    for begin in names:
        name = bytes(texts[begin : texts.index(0, begin)])
        if name.startswith(_LABEL) and name in seen:
            name = b"%s%d.%s" % (_LABEL, len(found), name[len(_LABEL) :])
            begin = len(texts)
            texts += name + b"\0"
        seen.add(name)
        found.append(begin)
    return found


class _File:
    """The object that is being written: its bytes, and its table of sections."""

    def __init__(self, first: bytes) -> None:
        self.content = bytearray(first[: HEADER.itemsize])
        self.sections = [np.zeros(1, SECTION)]
        self._noted = False

    def take(self, found: ObjectTables, names: int) -> np.ndarray:
        """Copy the sections of an object that the process gets; by old number, the new ones, 0 for those left out."""
        numbers = np.zeros(len(found.sections), np.uint16)
        for number, section in enumerate(found.sections):
            if section["kind"] == GROUP or section["flags"] & ORDERED:
                raise UnsupportedObject("groups of sections")
            note = not self._noted and found.text(section) == _STACK_NOTE
            if note or section["flags"] & ALLOCATED:
                self._noted |= note
                content = b"" if section["kind"] == ZEROS else found.content(section)
                numbers[number] = self.add(section, names, content)
        return numbers

    def refer(self, found: ObjectTables, names: int, places: np.ndarray, numbers: np.ndarray, table: int) -> None:
        """Add the references inside an object's sections, by the new numbers of sections and symbols."""
        for holder, inside, references in found.references():
            new = references.copy()
            new["symbol"] = numbers[references["symbol"]]
            self.add(found.sections[holder], names, new.tobytes(), link=table, info=int(places[inside]))

    def add(self, section: np.ndarray, names: int, content: bytes, link: int = 0, info: int = 0) -> int:
        """Write a section, of the kind and name of one of an object's; its number."""
        begin = rounded(len(self.content), max(1, int(section["align"])))
        self.content += bytes(begin - len(self.content)) + content
        new = np.array([section], SECTION)
        new["name"] += np.uint32(names)
        new["offset"], new["link"], new["info"] = begin, link, info
        if section["kind"] != ZEROS:
            new["size"] = len(content)
        self.sections.append(new)
        return len(self.sections) - 1

    def finished(self) -> bytes:
        """The file, of which the last section has the names."""
        begin = rounded(len(self.content), 8)
        self.content += bytes(begin - len(self.content)) + np.concatenate(self.sections).tobytes()
        header = np.frombuffer(self.content, HEADER, 1)
        header["sections"], header["count"], header["names"] = begin, len(self.sections), len(self.sections) - 1
        return bytes(self.content)
