"""An exported function back in Python, with everything a compiled one can do: threads, `bind`, `out=`.

In: the path that was given to `export`; reads the stub's metadata and the shared library.  Out: a
`NativeFunction`.  Needs neither SymPy nor LLVM: what calls and threads go through, the library holds as well.

Not handled: objects without a library, and libraries of other machines.
"""

from __future__ import annotations

import itertools
import os
from functools import partial
from pathlib import Path
from typing import Any

from symnet.errors import ArgumentError, CompileError, explain
from symnet.export.digest import checksum, metadata_digest, refuse, stamp_of
from symnet.export.guarded import guarded_code
from symnet.export.metadata import find_metadata, from_metadata
from symnet.export.names import library_name, path_text, split_path
from symnet.export.processor import lacking
from symnet.loops.abi import ABI
from symnet.runtime.function import NativeFunction
from symnet.runtime.native import EntryPoints, open_library, read_text
from symnet.runtime.support import offer


def load(path: str | Path, *, threads: int = 1, check_finite: bool = False) -> NativeFunction:
    """An exported function.

    Args:
        path: as given to `export`: `build/mlp`.
        threads: how many threads a call may use.
        check_finite: refuse NaN and infinity in arguments.

    It can be pickled, as its path and digest: who unpickles it needs the same export at the same path.

    Raises:
        ArgumentError: when the stub or the library is not there, or not of this version.
        CompileError: when the code has instructions that this processor lacks.
        FileError: when one of them is damaged, or they are not of one export; the message names the file.
    """
    call = f'load("{path_text(path, "load")}")'
    folder, name = split_path(path, call)
    stub, library = folder / f"{name}.py", folder / library_name(name)
    for file in (stub, library):
        if not file.is_file():
            mend = f'Export it there first: f.export("{Path(path).as_posix()}").'
            raise ArgumentError(explain(call, f"the file {file.as_posix()}", "no such file", mend))
    metadata = _metadata(stub, call)
    if metadata.get("abi") != ABI:
        got = f"version {metadata.get('abi')}"
        mend = "Export the function again with this version of symnet."
        raise ArgumentError(explain(call, f"a stub of ABI version {ABI}", got, mend))
    try:
        if metadata["digest"] != metadata_digest(metadata) or metadata["name"] != name:
            raise refuse(call, stub, "{} as it was exported", "one that was changed")
        signature = from_metadata(metadata)
        template, positional = metadata["template"], metadata["positional"]
        absent = lacking(metadata["needs"])
        found = checksum(_bytes(library, call)) == metadata["library"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise refuse(call, stub, "{} with the metadata of an export", f"others ({error!r})") from error
    if not found:
        raise refuse(call, library, "{} of the same export as the stub", "another one, or one that is damaged")
    if absent:
        mend = 'Export it for this machine, or for every one of its kind: target="x86-64-portable".'
        wanted = f"a processor with {', '.join(metadata['needs'])}"
        raise CompileError(explain(call, wanted, f"one without {', '.join(absent)}", mend))
    native = _opened(library, name, stamp_of(metadata), call)
    function = NativeFunction(
        signature, native, threads=threads, template=template, positional=positional, check_finite=check_finite
    )
    again = partial(loaded_again, os.path.abspath(path), metadata["digest"])
    function.recipe = (again, (threads, check_finite))
    return function


def loaded_again(path: str, digest: str, threads: int, check_finite: bool) -> NativeFunction:
    """The function of a pickle.

    Raises:
        FileError: when at its path there is another export by now; otherwise as `load`.
    """
    function = load(path, threads=threads, check_finite=check_finite)
    found = function.__reduce__()[0].args[1]
    if found != digest:
        stub = Path(path).with_suffix(".py")
        expected = f"{{}} of the export that was pickled (digest {digest})"
        raise refuse(f'load("{Path(path).as_posix()}")', stub, expected, f"another export (digest {found})")
    return function


def _bytes(path: Path, call: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise refuse(call, path, "to read {}", error.strerror or "an error") from error


def _metadata(stub: Path, call: str) -> dict[str, Any]:
    """What a stub says of its function; the stub is not run."""
    try:
        text = _bytes(stub, call).decode("utf-8-sig")
        found = find_metadata(guarded_code(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise refuse(call, stub, "{} as it was exported", f"one that is damaged ({error})") from error
    if not isinstance(found, dict) or not found:
        raise refuse(call, stub, "{} with METADATA, as it was exported", "one without")
    return found


def _opened(library: Path, name: str, stamp: str, call: str) -> EntryPoints:
    try:
        spelled = _fresh_name(library)
        held = read_text(spelled, f"{name}_digest")
        native = open_library(spelled, name)
        offer(native.owner)
    except (OSError, AttributeError, ValueError) as error:
        raise refuse(call, library, "to open {}", str(error)) from error
    if held != stamp:
        raise refuse(call, library, "{} of the same export as the stub", "another one")
    return native


_LOADS = itertools.count(1)


def _fresh_name(library: Path) -> str:
    """Another spelling of the path at every load: the system's loader knows libraries by the names they were
    opened under, and would hand out the old code after a second export to the same path.
    """
    return os.path.join(library.parent.resolve(), *["."] * next(_LOADS), library.name)
