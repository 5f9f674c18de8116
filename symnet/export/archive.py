"""A static library of one object: the archive that `ar` would write, with its index of symbols.

In: the object code, the symbols that it exports, the machine.  Out: the bytes of the archive, the same ones at every
time and place.

Two formats: that of System V, which ELF, COFF and WebAssembly have, and that of BSD for Mach-O.
Not handled: an import library for a DLL; more than 4 GiB.

Source: System V Interface Definition, `ar(4)`; Apple's `ar(5)` and `ranlib.h`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from symnet.schedule.target import Target

_MAGIC = b"!<arch>\n"
_HEADER = 60  # bytes before each member
_LONGEST = 15  # letters of a name that stands in its header


def archive(code: bytes, member: str, symbols: Sequence[str], target: Target) -> bytes:
    """The library that holds an object.

    Args:
        code: the object.
        member: its file's name.
        symbols: what it exports, as C names them.
        target: the machine that it is for.
    """
    names = [_decoration(target) + symbol for symbol in symbols]
    return (_bsd if _is_apple(target) else _system_v)(code, member, names)


def _is_apple(target: Target) -> bool:
    return any(word in target.triple for word in ("apple", "darwin", "macos"))


def _decoration(target: Target) -> str:
    """What stands before the names of C in objects of the machine."""
    old = target.architecture in ("i386", "i486", "i586", "i686") and "windows" in target.triple
    return "_" if old or _is_apple(target) else ""


def _system_v(code: bytes, member: str, symbols: Sequence[str]) -> bytes:
    short = len(member) <= _LONGEST
    names = b"" if short else _member("//", f"{member}/\n".encode())
    texts = b"".join(f"{symbol}\0".encode() for symbol in symbols)
    size = 4 + 4 * len(symbols) + len(texts)
    begin = len(_MAGIC) + _HEADER + size + size % 2 + len(names)
    index = struct.pack(f">{1 + len(symbols)}I", len(symbols), *[begin] * len(symbols)) + texts
    return _MAGIC + _member("/", index) + names + _member(f"{member}/" if short else "/0", code)


def _bsd(code: bytes, member: str, symbols: Sequence[str]) -> bytes:
    ordered = sorted(symbols)
    texts = b"".join(f"{symbol}\0".encode() for symbol in ordered)
    texts += b"\0" * (-len(texts) % 8)
    ranlibs = 8 * len(ordered)
    begin = len(_MAGIC) + len(_bsd_member("__.SYMDEF SORTED", bytes(4 + ranlibs + 4 + len(texts))))
    index = struct.pack("<I", ranlibs)
    for order in range(len(ordered)):
        index += struct.pack("<II", sum(len(symbol) + 1 for symbol in ordered[:order]), begin)
    index += struct.pack("<I", len(texts)) + texts
    return _MAGIC + _bsd_member("__.SYMDEF SORTED", index) + _bsd_member(member, code)


def _bsd_member(name: str, content: bytes) -> bytes:
    """A member whose name stands before its content, so that this begins at a multiple of 8."""
    size = len(name) + 1
    size += -(_HEADER + len(_MAGIC) + size) % 8
    content += b"\n" * (-len(content) % 8)
    return _member(f"#1/{size}", name.encode().ljust(size, b"\0") + content)


def _member(name: str, content: bytes) -> bytes:
    """A header and what follows it; times and owners are 0."""
    header = f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
    assert len(header) == _HEADER
    return header + content + b"\n" * (len(content) % 2)
