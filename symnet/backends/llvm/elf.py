"""Relocatable ELF for x86-64 → memory of this process that can be run, without LLVM.

In: an object file whose references all stay inside it, as the code generator and the runtime make them.  Out: an
`Image`.

The sections stand in one mapping, in three groups of whole pages: code, constants, variables.  They are copied and
their references filled in while the mapping can be written; then code can be run and not written, and constants can
only be read.

Not handled: references to other libraries, thread-local variables, tables for unwinding; other systems and processors.
Source: System V Application Binary Interface, AMD64 Architecture Processor Supplement, chapter 4.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, final

import numpy as np

__all__ = ["Image", "UnsupportedObject", "is_possible"]

_HEADER = np.dtype({"names": ["magic", "kind", "machine", "sections", "size", "count"],
                    "formats": ["V6", "<u2", "<u2", "<u8", "<u2", "<u2"],
                    "offsets": [0, 16, 18, 40, 58, 60], "itemsize": 64})  # fmt: skip
_SECTION = np.dtype([("name", "<u4"), ("kind", "<u4"), ("flags", "<u8"), ("address", "<u8"), ("offset", "<u8"),
                     ("size", "<u8"), ("link", "<u4"), ("info", "<u4"), ("align", "<u8"), ("each", "<u8")])  # fmt: skip
_SYMBOL = np.dtype([("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"),
                    ("size", "<u8")])  # fmt: skip
_RELOCATION = np.dtype([("offset", "<u8"), ("kind", "<u4"), ("symbol", "<u4"), ("addend", "<i8")])

_MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little-endian
_RELOCATABLE, _X86_64 = 1, 62  # kinds of file and machine
_SYMBOLS, _REFERENCES, _ZEROS = 2, 4, 8  # kinds of section: SHT_SYMTAB, SHT_RELA, SHT_NOBITS
_WRITTEN, _ALLOCATED, _RUN, _THREADS = 1, 2, 4, 0x400  # flags of a section
_ABSOLUTE, _RELATIVE, _CALL = 1, 2, 4  # kinds of reference: R_X86_64_64, R_X86_64_PC32, R_X86_64_PLT32
_RESERVED = 0xFF00  # sections from here on are none
_READ = getattr(mmap, "PROT_READ", 0)
_PROTECTION = {_RUN: _READ | getattr(mmap, "PROT_EXEC", 0), 0: _READ}  # by group


class UnsupportedObject(Exception):
    """An object file with something in it that this loader does not know."""


@lru_cache(maxsize=1)
def is_possible() -> bool:
    """Whether this is a system whose objects can be loaded here."""
    return sys.platform == "linux" and os.uname().machine == "x86_64" and sys.maxsize > 2**32


@final
class Image:
    """An object file in memory, unmapped with this object.

    Raises:
        UnsupportedObject: for what this loader does not know.
        OSError: the system has no memory for it, or runs no code that a process makes.
    """

    def __init__(self, code: bytes) -> None:
        found = _Tables(code)
        places, groups = _placed(found.sections)
        self._memory = mmap.mmap(-1, max(mmap.PAGESIZE, groups[-1][-1]))
        base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        image = np.frombuffer(self._memory, np.uint8)
        found.copy(image, places)
        for section, references in found.references():
            _refer(image, int(places[section]), references, found.symbols, places, base)
        _protect(base, groups)
        self._addresses = {name: base + int(places[section]) + value for name, section, value in found.exported()}

    def address(self, name: str) -> int:
        """Where a function starts; 0 where there is none of that name."""
        return self._addresses.get(name, 0)


class _Tables:
    """The tables of an object file: its sections, symbols and references."""

    def __init__(self, code: bytes) -> None:
        if len(code) < _HEADER.itemsize:
            raise UnsupportedObject("no ELF")
        header = np.frombuffer(code, _HEADER, 1)[0]
        made_for = bytes(header["magic"]), int(header["kind"]), int(header["machine"]), int(header["size"])
        if made_for != (_MAGIC, _RELOCATABLE, _X86_64, _SECTION.itemsize):
            raise UnsupportedObject("no relocatable object for x86-64")
        self._code = code
        self.sections = np.frombuffer(code, _SECTION, int(header["count"]), int(header["sections"]))
        (tables,) = np.nonzero(self.sections["kind"] == _SYMBOLS)
        if len(tables) != 1 or (self.sections["flags"] & _THREADS).any():
            raise UnsupportedObject("sections of another kind")
        table = self.sections[tables[0]]
        self.symbols = self._entries(table, _SYMBOL)
        self._names = self._content(self.sections[table["link"]])

    def copy(self, image: np.ndarray, places: np.ndarray) -> None:
        """Copy what the sections hold to their places."""
        for place, section in zip(map(int, places), self.sections, strict=True):
            if section["flags"] & _ALLOCATED and section["kind"] != _ZEROS:
                image[place : place + int(section["size"])] = np.frombuffer(self._content(section), np.uint8)

    def references(self) -> Iterator[tuple[int, np.ndarray]]:
        """The number of a section, and the references in it."""
        for section in self.sections[self.sections["kind"] == _REFERENCES]:
            if self.sections[section["info"]]["flags"] & _ALLOCATED:
                yield int(section["info"]), self._entries(section, _RELOCATION)

    def exported(self) -> Iterator[tuple[str, int, int]]:
        """Of every symbol that others may use: its name, section, and place in that."""
        exported = (self.symbols["info"] >> 4 != 0) & (self.symbols["section"] != 0)
        for name, section, value in self.symbols[exported][["name", "section", "value"]].tolist():
            yield self._names[name : self._names.index(b"\0", name)].decode(), section, value

    def _content(self, section: Any) -> bytes:
        begin = int(section["offset"])
        return self._code[begin : begin + int(section["size"])]

    def _entries(self, section: Any, layout: np.dtype) -> np.ndarray:
        return np.frombuffer(self._code, layout, int(section["size"]) // layout.itemsize, int(section["offset"]))


def _placed(sections: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int, int]]]:
    """Where every section stands in the mapping, and the flags, begin and end of every group."""
    places, groups, end = np.zeros(len(sections), np.uint64), [], 0
    for flags in (_RUN, 0, _WRITTEN):
        begin = end
        for k, section in enumerate(sections):
            if section["flags"] & _ALLOCATED and section["flags"] & (_WRITTEN | _RUN) == flags:
                end = _rounded(end, max(1, int(section["align"])))
                places[k], end = end, end + int(section["size"])
        end = _rounded(end, mmap.PAGESIZE)
        groups.append((flags, begin, end))
    return places, groups


def _refer(
    image: np.ndarray, place: int, references: np.ndarray, symbols: np.ndarray, places: np.ndarray, base: int
) -> None:
    """Fill in the references of the section at `place`."""
    meant = symbols[references["symbol"]]
    if ((meant["section"] == 0) | (meant["section"] >= _RESERVED)).any():
        raise UnsupportedObject("a reference to another library")
    values = places[meant["section"]] + meant["value"] + references["addend"].astype(np.uint64)
    at = np.uint64(place) + references["offset"]
    absolute = references["kind"] == _ABSOLUTE
    relative = (references["kind"] == _RELATIVE) | (references["kind"] == _CALL)
    if not (absolute | relative).all():
        raise UnsupportedObject("a reference of another kind")
    _store(image, at[absolute], values[absolute] + np.uint64(base), 8)
    _store(image, at[relative], (values - at)[relative], 4)  # a mapping is smaller than 2 GiB: 32 bits hold them


def _protect(base: int, groups: list[tuple[int, int, int]]) -> None:
    """Code that can be run and not written, constants that can be read alone."""
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for flags, begin, end in groups:
        if flags in _PROTECTION and end > begin and protect(base + begin, end - begin, _PROTECTION[flags]):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def _rounded(place: int, to: int) -> int:
    return -(-place // to) * to


def _store(image: np.ndarray, at: np.ndarray, values: np.ndarray, size: int) -> None:
    """Little-endian numbers of `size` bytes at any places."""
    octets = np.ascontiguousarray(values, "<u8").view(np.uint8).reshape(-1, 8)[:, :size]
    image[at[:, None].astype(np.intp) + np.arange(size)] = octets
