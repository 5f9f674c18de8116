"""The layout of relocatable ELF for x86-64, and the tables of an object file in it.

In: an object file, as the code generator makes them.  Out: `ObjectTables`, its sections, symbols and references as
NumPy arrays.

Not handled: thread-local variables, groups of sections, more than one table of symbols; other processors.
Source: System V Application Binary Interface, chapter 4, and its AMD64 Architecture Processor Supplement, chapter 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

HEADER = np.dtype({"names": ["magic", "kind", "machine", "sections", "size", "count", "names"],
                   "formats": ["V6", "<u2", "<u2", "<u8", "<u2", "<u2", "<u2"],
                   "offsets": [0, 16, 18, 40, 58, 60, 62], "itemsize": 64})  # fmt: skip
SECTION = np.dtype([("name", "<u4"), ("kind", "<u4"), ("flags", "<u8"), ("address", "<u8"), ("offset", "<u8"),
                    ("size", "<u8"), ("link", "<u4"), ("info", "<u4"), ("align", "<u8"), ("each", "<u8")])  # fmt: skip
SYMBOL = np.dtype([("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"),
                   ("size", "<u8")])  # fmt: skip
RELOCATION = np.dtype([("offset", "<u8"), ("kind", "<u4"), ("symbol", "<u4"), ("addend", "<i8")])

MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little-endian
RELOCATABLE, X86_64 = 1, 62  # kinds of file and machine
SYMBOLS, REFERENCES, ZEROS, GROUP = 2, 4, 8, 17  # kinds of section: SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_GROUP
WRITTEN, ALLOCATED, RUN, ORDERED, THREADS = 1, 2, 4, 0x80, 0x400  # flags of a section
ABSOLUTE, RELATIVE, CALL = 1, 2, 4  # kinds of reference: R_X86_64_64, R_X86_64_PC32, R_X86_64_PLT32
RESERVED = 0xFF00  # sections from here on are none


class UnsupportedObject(Exception):
    """An object file with something in it that is not handled here."""


class ObjectTables:
    """The tables of an object file.

    Attributes:
        sections, symbols: `SECTION`s and `SYMBOL`s, of which the first is none.
        table: the number of the section that holds the symbols; names: the text in which all names stand.

    Raises:
        UnsupportedObject: for what is not handled here.
    """

    def __init__(self, code: bytes) -> None:
        if len(code) < HEADER.itemsize:
            raise UnsupportedObject("no ELF")
        header = np.frombuffer(code, HEADER, 1)[0]
        made_for = bytes(header["magic"]), int(header["kind"]), int(header["machine"]), int(header["size"])
        if made_for != (MAGIC, RELOCATABLE, X86_64, SECTION.itemsize):
            raise UnsupportedObject("no relocatable object for x86-64")
        self._code = code
        self.sections = np.frombuffer(code, SECTION, int(header["count"]), int(header["sections"]))
        (tables,) = np.nonzero(self.sections["kind"] == SYMBOLS)
        if len(tables) != 1 or (self.sections["flags"] & THREADS).any():
            raise UnsupportedObject("sections of another kind")
        self.table = int(tables[0])
        if self.sections[self.table]["link"] != header["names"]:
            raise UnsupportedObject("names of symbols apart from those of sections")
        self.symbols = self._entries(self.sections[self.table], SYMBOL)
        self.names = self.content(self.sections[self.sections[self.table]["link"]])

    def references(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """The numbers of the section that holds references and of the one that they are in, and the references."""
        for (number,) in np.argwhere(self.sections["kind"] == REFERENCES):
            inside = int(self.sections[number]["info"])
            if self.sections[inside]["flags"] & ALLOCATED:
                yield int(number), inside, self._entries(self.sections[number], RELOCATION)

    def defined(self) -> np.ndarray:
        """Which symbols others may use, and are defined here."""
        found: np.ndarray = (self.symbols["info"] >> 4 != 0) & (self.symbols["section"] != 0)
        return found

    def text(self, named: Any) -> str:
        """What a symbol or a section is called."""
        begin = int(named["name"])
        return self.names[begin : self.names.index(b"\0", begin)].decode()

    def content(self, section: Any) -> bytes:
        """What a section holds in the file."""
        begin = int(section["offset"])
        return self._code[begin : begin + int(section["size"])]

    def _entries(self, section: Any, layout: np.dtype) -> np.ndarray:
        return np.frombuffer(self._code, layout, int(section["size"]) // layout.itemsize, int(section["offset"]))


def rounded(place: int, to: int) -> int:
    """The first multiple of `to` from a place on."""
    return -(-place // to) * to
