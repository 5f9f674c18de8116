"""An exported function back in Python, with everything a compiled one can do: threads, `bind`, `out=`.

In: the path that was given to `export`; reads the stub's metadata and the shared library.  Out: a
`NativeFunction`.  Needs neither SymPy nor LLVM (more than one thread needs LLVM).

Not handled: objects without a library, and libraries of other machines.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from symnet.errors import ArgumentError, explain
from symnet.export.linker import library_name
from symnet.export.metadata import ABI, find_metadata, from_metadata
from symnet.export.names import split_path
from symnet.runtime.function import NativeFunction
from symnet.runtime.native import open_library


def load(path: str | Path, *, threads: int = 1, check_finite: bool = False) -> NativeFunction:
    """An exported function.

    Args:
        path: as given to `export`: `build/mlp`.
        threads: how many threads a call may use.
        check_finite: refuse NaN and infinity in arguments.

    Raises:
        ArgumentError: when the stub or the library is not there, or not of this version.
    """
    call = f'load("{Path(path).as_posix()}")'
    folder, name = split_path(path, call)
    stub, library = folder / f"{name}.py", folder / library_name(name)
    for file in (stub, library):
        if not file.is_file():
            mend = f'Export it there first: f.export("{Path(path).as_posix()}").'
            raise ArgumentError(explain(call, f"the file {file.as_posix()}", "no such file", mend))
    metadata = find_metadata(stub.read_text(encoding="utf-8"))
    if metadata.get("abi") != ABI:
        got = f"version {metadata.get('abi')}"
        mend = "Export the function again with this version of symnet."
        raise ArgumentError(explain(call, f"a stub of ABI version {ABI}", got, mend))
    native = open_library(_fresh_name(library), name)
    return NativeFunction(
        from_metadata(metadata),
        native,
        threads=threads,
        structure=metadata["structure"],
        positional=metadata["positional"],
        check_finite=check_finite,
    )


_LOADS = itertools.count(1)


def _fresh_name(library: Path) -> str:
    """Another spelling of the path at every load: the system's loader knows libraries by the names they were
    opened under, and would hand out the old code after a second export to the same path.
    """
    return os.path.join(library.parent.resolve(), *["."] * next(_LOADS), library.name)
