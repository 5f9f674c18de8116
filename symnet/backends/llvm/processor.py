"""Which processor this is, and which llvmlite makes its code, without asking LLVM: for the keys of caches.

In: what the system says of the first processor.  Out: a text from which everything follows that LLVM would say of the
host (`targets.host_target`); where there is no such text, what LLVM says.

Not handled: machines whose processors have different instructions, which Linux for x86-64 does not run on.
"""

from __future__ import annotations

import contextlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from symnet.backends.llvm.elf import is_possible
from symnet.backends.llvm.targets import require_llvmlite

_LINES = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags")  # not those that change, as MHz does
_ENOUGH = 1 << 14  # bytes of the first processor's description


@lru_cache(maxsize=1)
def this_processor() -> str:
    """What decides, beside llvmlite's version, the code that is made for this machine."""
    found = _described() if is_possible() else ""
    if found:
        return found
    from symnet.backends.llvm.targets import host_target

    return repr(host_target())


@lru_cache(maxsize=1)
def llvmlite_version() -> str:
    """The version that is installed.

    Raises:
        DependencyError: none is.
    """
    try:
        return version("llvmlite")
    except PackageNotFoundError:
        require_llvmlite()
        raise


def _described() -> str:
    """The lines of the system's description, if all are there."""
    with contextlib.suppress(OSError, UnicodeDecodeError), open("/proc/cpuinfo", "rb") as file:
        first = file.read(_ENOUGH).split(b"\n\n", 1)[0].decode()
        fields = dict(line.partition(":")[::2] for line in first.splitlines())
        lines = {key.strip(): value.strip() for key, value in fields.items()}
        if all(lines.get(name) for name in _LINES):
            return "".join(f"{name}: {lines[name]}\n" for name in _LINES)
    return ""
