"""Object code → shared library, by the system's compiler.

In: the path of an object file.  Out: a library beside it.

Not handled: linking for another machine than this one.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from symnet.errors import CompileError, DependencyError, explain

COMPILERS = ("cc", "gcc", "clang")
_FLAGS = {  # programs find the library by its own name, wherever it lies when they are linked
    "linux": ["-Wl,-z,noexecstack", "-Wl,-soname,{}"],
    "darwin": ["-Wl,-install_name,@rpath/{}"],
}


def find_compiler(call: str) -> list[str]:
    """The command of the system's C compiler: $CC, or the first of cc, gcc and clang.

    Raises:
        DependencyError: when there is none.
    """
    for candidate in (os.environ.get("CC", ""), *COMPILERS):
        command = shlex.split(candidate)
        if command and shutil.which(command[0]):
            return command
    expected = f"a C compiler ($CC or one of {', '.join(COMPILERS)}) to link the shared library"
    mend = "Install one (apt install gcc), or pass library=False for the object and the header alone."
    raise DependencyError(explain(call, expected, "none on the PATH", mend))


def link(objects: Sequence[Path], library_path: Path, call: str) -> None:
    """Make a shared library of objects."""
    flags = next((flags for system, flags in _FLAGS.items() if sys.platform.startswith(system)), [])
    flags = [flag.format(library_path.name) for flag in flags]
    command = [*find_compiler(call), "-shared", *flags, "-o", str(library_path), *map(str, objects)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        got = done.stderr.strip()[-400:] or f"exit status {done.returncode}"
        mend = "Set CC to a compiler for this machine, or pass library=False."
        raise CompileError(explain(call, f"`{shlex.join(command)}` to succeed", got, mend))
