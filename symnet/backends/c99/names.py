"""C identifiers: what names are called that users chose freely.

In: names as they come (Unicode, keywords, anything).  Out: distinct C identifiers: `θ` becomes `theta`,
`W₁` becomes `W1`, `float` becomes `float_`, as do names of C's library (`reserved.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from symnet.backends.c99.reserved import PATTERNS, STANDARD

_RESERVED_WORDS = """
    auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    alignas alignof and and_eq asm bitand bitor bool catch class co_await co_return co_yield compl concept
    const_cast consteval constexpr constinit decltype delete dynamic_cast explicit export false friend mutable
    namespace new noexcept not not_eq nullptr operator or or_eq private protected public reinterpret_cast requires
    static_assert static_cast template this thread_local throw true try typeid typename using virtual wchar_t xor
    xor_eq NULL errno I main stdin stdout stderr linux unix
"""
KEYWORDS = frozenset(_RESERVED_WORDS.split())
_OURS = frozenset(("in", "out", "dims", "workspace", "workspace_bytes", "phase", "unit_begin", "unit_end"))
_TEST_PROGRAM = frozenset(
    ("i", "code", "memory", "argc", "argv", "reserve", "wrong", "expected", "differ", "disagree")
)  # its local names


def c_names(names: Iterable[str], taken: Iterable[str] = ()) -> tuple[str, ...]:
    """One distinct C identifier per name, none of them a keyword, a name of C's library or in `taken`."""
    used = {*KEYWORDS, *STANDARD, *_OURS, *_TEST_PROGRAM, *taken}
    found = []
    for name in names:
        identifier = _spell(name)
        while identifier in used or PATTERNS.match(identifier):
            identifier += "_"
        used.add(identifier)
        found.append(identifier)
    return tuple(found)


def spelled(name: str) -> str:
    """The letters that C allows, and others by names of theirs."""
    return "".join(map(_spell_letter, unicodedata.normalize("NFKC", name)))


def _spell(name: str) -> str:
    text = spelled(name)
    return text if text[:1].isalpha() else f"v{text}"


def _spell_letter(letter: str) -> str:
    if letter.isascii() and (letter.isalnum() or letter == "_"):
        return letter
    words = unicodedata.name(letter, "").split()
    if words[:1] == ["GREEK"]:
        return words[-1].capitalize() if letter.isupper() else words[-1].lower()
    return "_"


_LIBRARY = re.compile(
    r"\w+_t\Z|U?INT\w*_(MIN|MAX|C)\Z|(DBL|FLT|LDBL|DECIMAL|SIZE|PTRDIFF|WCHAR|SIG)_\w+\Z|offsetof\Z|_"
)
_LOCAL = frozenset(("repeat", "begin", "end", "status", "run", "total", "needed", "excess", "units", "address"))


class IdentifierTable:
    """The identifiers of one unit: each name of the program has its own, none is a function's or a macro's."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._found: dict[tuple[str, str], str] = {}
        self._used = {*KEYWORDS, *_OURS, *_LOCAL}

    def of(self, kind: str, name: str) -> str:
        """The identifier of a name; an array and a loop variable of one name have two."""
        found = self._found.get((kind, name))
        if found is None:
            found = self._found[kind, name] = self._new(_spell(name))
        return found

    def _new(self, identifier: str) -> str:
        if identifier.startswith(self.prefix) or _LIBRARY.match(identifier):
            identifier = f"v_{identifier}"
        while identifier in self._used:
            identifier += "_"
        self._used.add(identifier)
        return identifier
