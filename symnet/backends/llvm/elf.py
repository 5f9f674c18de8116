"""Relocatable ELF for x86-64 → memory of this process that can be run, without LLVM.

In: an object file whose references all stay inside it, as the code generator and the runtime make them.  Out: an
`Image`.

The sections stand in one mapping, in three groups of whole pages: code, constants, variables.  They are copied and
their references filled in while the mapping can be written; then code can be run and not written, and constants can
only be read.

Not handled: references to other libraries, thread-local variables, tables for unwinding; other systems and processors.
`elf_format.py` has the layout.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from functools import lru_cache
from typing import final

import numpy as np

from symnet.backends.llvm.elf_format import (
    ABSOLUTE,
    ALLOCATED,
    CALL,
    RELATIVE,
    RESERVED,
    RUN,
    WRITTEN,
    ZEROS,
    ObjectTables,
    UnsupportedObject,
    rounded,
)

__all__ = ["Image", "UnsupportedObject", "is_possible"]

_READ = getattr(mmap, "PROT_READ", 0)
_PROTECTION = {RUN: _READ | getattr(mmap, "PROT_EXEC", 0), 0: _READ}  # by group


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
        found = ObjectTables(code)
        places, groups = _placed(found.sections)
        self._memory = mmap.mmap(-1, max(mmap.PAGESIZE, groups[-1][-1]))
        base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        image = np.frombuffer(self._memory, np.uint8)
        _copy(found, image, places)
        for _, section, references in found.references():
            _refer(image, int(places[section]), references, found.symbols, places, base)
        _protect(base, groups)
        exported = found.symbols[found.defined()]
        self._addresses = {found.text(s): base + int(places[s["section"]]) + int(s["value"]) for s in exported}

    def address(self, name: str) -> int:
        """Where a function starts; 0 where there is none of that name."""
        return self._addresses.get(name, 0)


def _placed(sections: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int, int]]]:
    """Where every section stands in the mapping, and the flags, begin and end of every group."""
    places, groups, end = np.zeros(len(sections), np.uint64), [], 0
    for flags in (RUN, 0, WRITTEN):
        begin = end
        for k, section in enumerate(sections):
            if section["flags"] & ALLOCATED and section["flags"] & (WRITTEN | RUN) == flags:
                end = rounded(end, max(1, int(section["align"])))
                places[k], end = end, end + int(section["size"])
        end = rounded(end, mmap.PAGESIZE)
        groups.append((flags, begin, end))
    return places, groups


def _copy(found: ObjectTables, image: np.ndarray, places: np.ndarray) -> None:
    """Copy what the sections hold to their places."""
    for place, section in zip(map(int, places), found.sections, strict=True):
        if section["flags"] & ALLOCATED and section["kind"] != ZEROS:
            image[place : place + int(section["size"])] = np.frombuffer(found.content(section), np.uint8)


def _refer(
    image: np.ndarray, place: int, references: np.ndarray, symbols: np.ndarray, places: np.ndarray, base: int
) -> None:
    """Fill in the references of the section at `place`."""
    meant = symbols[references["symbol"]]
    if ((meant["section"] == 0) | (meant["section"] >= RESERVED)).any():
        raise UnsupportedObject("a reference to another library")
    values = places[meant["section"]] + meant["value"] + references["addend"].astype(np.uint64)
    at = np.uint64(place) + references["offset"]
    absolute = references["kind"] == ABSOLUTE
    relative = (references["kind"] == RELATIVE) | (references["kind"] == CALL)
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


def _store(image: np.ndarray, at: np.ndarray, values: np.ndarray, size: int) -> None:
    """Little-endian numbers of `size` bytes at any places."""
    octets = np.ascontiguousarray(values, "<u8").view(np.uint8).reshape(-1, 8)[:, :size]
    image[at[:, None].astype(np.intp) + np.arange(size)] = octets
