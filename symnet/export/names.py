"""Names of a function and its arguments as C spells them.

In: names as the user chose them (Unicode, keywords, anything).  Out: distinct C identifiers: `θ` becomes `theta`,
`W₁` becomes `W1`, `float` becomes `float_`.
"""

from __future__ import annotations

import keyword
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from symnet.errors import ArgumentError, explain

_RESERVED_WORDS = """
    auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    alignas alignof and and_eq asm bitand bitor bool catch class co_await co_return co_yield compl concept
    const_cast consteval constexpr constinit decltype delete dynamic_cast explicit export false friend mutable
    namespace new noexcept not not_eq nullptr operator or or_eq private protected public reinterpret_cast requires
    static_assert static_cast template this thread_local throw true try typeid typename using virtual wchar_t xor
    xor_eq NULL errno I main stdin stdout stderr linux unix
"""
_KEYWORDS = frozenset(_RESERVED_WORDS.split())
_OURS = frozenset(("in", "out", "dims", "workspace", "workspace_bytes", "phase", "unit_begin", "unit_end"))
_TEST_PROGRAM = frozenset(("i", "code", "memory", "argc", "argv", "reserve"))  # its local names
# What native code itself calls; and "llvm.…" are LLVM's own functions.
_NOT_FUNCTIONS = _KEYWORDS | {"memcpy", "memset", "memmove", "memcmp", "llvm"}
LONGEST = 128  # letters of a function's name: files and symbols are longer by a few
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


def c_names(names: Iterable[str], taken: Iterable[str] = ()) -> tuple[str, ...]:
    """One distinct C identifier per name, none of them a keyword or in `taken`."""
    used = {*_KEYWORDS, *_OURS, *_TEST_PROGRAM, *taken}
    found = []
    for name in names:
        identifier = _spell(name)
        while identifier in used:
            identifier += "_"
        used.add(identifier)
        found.append(identifier)
    return tuple(found)


def _spell_all(name: str) -> str:
    return "".join(map(_spell_letter, unicodedata.normalize("NFKC", name)))


def _spell(name: str) -> str:
    text = _spell_all(name)
    return text if text[:1].isalpha() else f"v{text}"


def _spell_letter(letter: str) -> str:
    if letter.isascii() and (letter.isalnum() or letter == "_"):
        return letter
    words = unicodedata.name(letter, "").split()
    if words[:1] == ["GREEK"]:
        return words[-1].capitalize() if letter.isupper() else words[-1].lower()
    return "_"


def check_name(name: object, call: str) -> None:
    """Refuse what is no name of a function in C: it becomes the name of symbols and files.

    Raises:
        ArgumentError: naming an identifier like it.
    """
    if isinstance(name, str) and _IDENTIFIER.match(name) and len(name) <= LONGEST and name not in _NOT_FUNCTIONS:
        return
    near = _spell_all(name)[:LONGEST].strip("_") if isinstance(name, str) else ""
    near = f"f_{near}" if near in _NOT_FUNCTIONS or not _IDENTIFIER.match(near) else near
    expected = f"an identifier of C, of at most {LONGEST} letters, as the name"
    got = repr(name) if len(repr(name)) <= LONGEST else f"one of {len(repr(name))} letters"
    mend = f'Write name="{near if near != "f_" else "model"}".'
    raise ArgumentError(explain(call, expected, got, mend))


def path_text(path: Any, call: str) -> str:
    """A path with slashes, as messages write it.

    Raises:
        ArgumentError: for what is no path.
    """
    if not isinstance(path, (str, Path)):
        mend = f'Write {call}("build/model").'
        raise ArgumentError(explain(f"{call}(…)", "a path as text or a Path", type(path).__name__, mend))
    return Path(path).as_posix()


def split_path(path: str | Path, call: str) -> tuple[Path, str]:
    """The folder, and the function's name: `build/mlp` → `build`, `mlp`.

    Raises:
        ArgumentError: when the name cannot be a function's name in C and in Python.
    """
    folder, name = Path(path).parent, Path(path).name
    if str(path).endswith(("/", os.sep)):
        folder, name = Path(path), ""
    if not _IDENTIFIER.match(name) or name in _NOT_FUNCTIONS or keyword.iskeyword(name) or len(name) > LONGEST:
        suggestion = re.sub(r"\W", "_", name.split(".")[0])[:LONGEST] or "model"
        if not _IDENTIFIER.match(suggestion) or suggestion in _NOT_FUNCTIONS or keyword.iskeyword(suggestion):
            suggestion = f"f_{suggestion}"
        expected = "a path that ends in a C and Python identifier, which names the function"
        raise ArgumentError(explain(call, expected, repr(name), f'Write "{(folder / suggestion).as_posix()}".'))
    return folder, name
