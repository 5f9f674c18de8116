"""The kinds of files of an export: what each is called, what it is, and what must stand beside it.

In: what `files=` was given.  Out: the kinds to write, in the order in which they are put in place; an error for a
choice that cannot work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from symnet.errors import ArgumentError, explain
from symnet.export.names import LIBRARY_PATTERN


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes:
        word: what `files=` calls it.
        pattern: its file's name, with the function's in `{}`.
        what: what it is, for the README of an export.
        beside: other kinds without which it is of no use: of each tuple one.
        here: whether it can be made for this machine alone.
    """

    word: str
    pattern: str
    what: str
    beside: tuple[tuple[str, ...], ...] = ()
    here: bool = False

    def file_name(self, name: str) -> str:
        """The name of its file for a function."""
        return self.pattern.format(name)


_KINDS = (
    Kind("o", "{}.o", "object code, which needs nothing but `memcpy` and `memset`"),
    Kind("h", "{}.h", "the header for C99 and C++: types, checks, what each code means"),
    Kind("a", "lib{}.a", "the object as a static library"),
    Kind("c", "{}.c", "the same function as C99, to be compiled in the place of the object"),
    Kind("ll", "{}.ll", "the same as LLVM assembly"),
    Kind("s", "{}.s", "the same as the machine's assembly"),
    Kind("json", "{}.json", "signature, formulas, operations, machine and versions as data"),
    Kind("pc", "{}.pc", "what pkg-config says of the library", (("h",), ("a", "so"))),
    Kind("cmake", "CMakeLists.txt", "a project of CMake's, with an installation and the test", (("h",), ("o", "c"))),
    Kind("rs", "{}.rs", "a safe call from Rust, as a module", (("a", "so"),)),
    Kind("readme", "README.md", "what the files are, and how they are used"),
    Kind("test", "{}_test.c", "a program that compares the function's answers with recorded ones", (("h",),)),
    Kind("so", LIBRARY_PATTERN, "the object as a shared library", here=True),
    Kind("py", "{}.py", "the function in Python: needs NumPy and the shared library", (("so",),), here=True),
)
KINDS = {kind.word: kind for kind in _KINDS}
DEFAULT = ("o", "h", "test", "so", "py")


def chosen(files: Any, name: str, here: bool, call: str) -> tuple[str, ...]:
    """The words of the kinds to write.

    Args:
        files: None for the usual ones, "all", a word, words with commas between them, or a sequence of words; a word is
            a kind's (`"h"`), or the name of its file.
        name: the function's.
        here: whether the code is for this machine; otherwise the usual ones, and all, are those that need no linker.
        call: of the export, for messages.

    Raises:
        ArgumentError: for a word that is none, and a choice that cannot work.
    """
    call = call if files is None else f"{call[:-1]}, files={files!r})"
    if files is None or (isinstance(files, str) and files == "all"):
        asked = {word for word in (DEFAULT if files is None else KINDS) if here or not KINDS[word].here}
    else:
        asked = {_word(each, name, call) for each in _listed(files, call)}
    found = tuple(word for word in KINDS if word in asked)
    for word in found:
        _check(KINDS[word], asked, here, call)
    return found


def _listed(files: Any, call: str) -> Sequence[Any]:
    if isinstance(files, str):
        files = [each.strip() for each in files.split(",")]
    if not isinstance(files, (list, tuple, set, frozenset)) or not files:
        mend = 'Write files=["h", "a"], or leave it out.'
        raise ArgumentError(explain(call, 'kinds of files as words, or "all"', repr(files), mend))
    return list(files)


def _word(given: Any, name: str, call: str) -> str:
    """The kind that a word or the name of a file says."""
    for word, kind in KINDS.items():
        if isinstance(given, str) and given in (word, f".{word}", kind.file_name(name)):
            return word
    near = get_close_matches(str(given), KINDS, 1, 0.0)[0]
    raise ArgumentError(explain(call, f"words among {', '.join(KINDS)}", repr(given), f'Did you mean "{near}"?'))


def _check(kind: Kind, asked: set[str], here: bool, call: str) -> None:
    if kind.here and not here:
        mend = "Link the object on the other machine, or leave it out."
        raise ArgumentError(explain(call, f'"{kind.word}" where the code is for this machine', "another", mend))
    for choice in kind.beside:
        if not asked & set(choice):
            words = " or ".join(f'"{word}"' for word in choice)
            mend = f"Add {words}, or leave {kind.word!r} out.".replace("'", '"')
            raise ArgumentError(explain(call, f'{words} beside "{kind.word}"', "none", mend))
