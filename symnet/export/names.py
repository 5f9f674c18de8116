"""Names of exported functions and of their files.

In: names and paths as the user gave them.  Out: nothing, or the folder and the name; an error for what cannot be the
name of a function in C and in Python.
"""

from __future__ import annotations

import keyword
import os
import re
import sys
from pathlib import Path
from typing import Any

from symnet.backends.c99.names import KEYWORDS, spelled
from symnet.errors import ArgumentError, explain

# What native code itself calls; and "llvm.…" are LLVM's own functions.
_NOT_FUNCTIONS = KEYWORDS | {"memcpy", "memset", "memmove", "memcmp", "llvm"}
LONGEST = 128  # letters of a function's name: files and symbols are longer by a few
LIBRARY_PATTERN = {"darwin": "lib{}.dylib", "win32": "{}.dll"}.get(sys.platform, "lib{}.so")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


def library_name(name: str) -> str:
    """`libmlp.so`: Python would take `mlp.so` beside `mlp.py` for an extension module."""
    return LIBRARY_PATTERN.format(name)


def check_name(name: object, call: str) -> None:
    """Refuse what is no name of a function in C: it becomes the name of symbols and files.

    Raises:
        ArgumentError: naming an identifier like it.
    """
    if isinstance(name, str) and _IDENTIFIER.match(name) and len(name) <= LONGEST and name not in _NOT_FUNCTIONS:
        return
    near = spelled(name)[:LONGEST].strip("_") if isinstance(name, str) else ""
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
