"""Names of functions that something else has already: what a file would hide, or be hidden by.

In: the name of a function that is exported, the kinds of its files.  Out: nothing, or an error with a name that is
free.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Collection

from symnet.backends.c99.reserved import LIBRARY
from symnet.errors import ArgumentError, explain

_RUST = """
    as async await become box break const continue crate do dyn else enum extern false final fn for gen if impl in let
    loop macro match mod move mut override priv pub ref return self static struct super trait true try type typeof union
    unsafe unsized use virtual where while yield abstract core std alloc
"""
_LIBRARIES = "c m dl rt util pthread crypt resolv nsl gcc gcc_s gomp atomic symnet z ssl crypto python3"
_TARGETS = """
    all help clean test install package package_source edit_cache rebuild_cache list_install_components depend
    preinstall ALL_BUILD RUN_TESTS INSTALL PACKAGE ZERO_CHECK
"""
_STUB = """
    METADATA Path annotations ctypes hashlib np numbers processor struct sys sysconfig workspace_bytes
"""
STUB = frozenset(_STUB.split())
RUST = frozenset(_RUST.split())
RUST_ITEMS = frozenset(
    ("ABI", "Block", "DIGEST", "Error", "Extents", "Workspace", "extent", "in_place", "length", "same_export")
)
_LINKED = frozenset(_LIBRARIES.split())
_CMAKE = frozenset(_TARGETS.split())
_MODULES = frozenset({*sys.stdlib_module_names, "numpy"})

# of a kind of file: the names that are taken, and by what
TAKEN: dict[str, tuple[tuple[frozenset[str], str], ...]] = {
    "a": ((_LINKED, "a library of the system"),),
    "so": ((_LINKED, "a library of the system"),),
    "py": (
        (STUB, "a name of the stub"),
        (frozenset(dir(builtins)), "a builtin of Python"),
        (_MODULES, "a module of Python, which the stub would hide"),
    ),
    "rs": ((RUST, "a keyword of Rust"), (RUST_ITEMS, "a name of the module for Rust")),
    "cmake": ((_CMAKE, "a target of CMake"),),
}


def refuse_collision(name: str, kinds: Collection[str], call: str) -> None:
    """Refuse the name of a function that is taken in one of the files.

    Raises:
        ArgumentError: saying by what, and a name that is free.
    """
    everywhere = ((LIBRARY, "a name of C's library, in whose place the function would be linked"),)
    for taken, what in (*everywhere, *(each for kind in kinds for each in TAKEN.get(kind, ()))):
        if name in taken:
            expected = "a name of a function that is free in C and in the files"
            mend = f'Export it as "f_{name}", or leave out the files in which it is taken.'
            raise ArgumentError(explain(call, expected, f"{name!r}, {what}", mend))
