"""Compiled functions on disk, so that a warm start does no algebra and no code generation.

In: a key (a digest of everything that the object code depends on, made by the caller) and an `Entry`.  Out: the
entry again, in this process or another; None where there is none or it is damaged.

Entries are written to a temporary file and renamed, carry a checksum, and are removed, oldest use first, when all
of them together pass the limit.  A folder that cannot be written is no error: there is just no cache.

Environment: SYMNET_CACHE_DIR names the folder (default: the user's cache folder of the system), SYMNET_CACHE=0
turns the cache off.

Not handled: entries that someone with access to the folder forged; the checksum finds damage, not malice (though
reading an entry constructs nothing but symnet's own plain data).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symnet.errors import ArgumentError, explain
from symnet.loops.signature import Signature
from symnet.runtime.structure import Template

LIMIT = 256 << 20  # bytes, of all entries together
SUFFIX = ".symnet"
_MAGIC = b"symnet entry 1\n"
_DIGEST_BYTES = 32
_KEY = re.compile(r"[0-9A-Za-z_-]{8,128}\Z")
_STALE_SECONDS = 3600.0  # a temporary file this old belongs to a process that died
# Modules whose classes an entry may hold.
_CLASSES = ("symnet.loops.ir", "symnet.loops.signature", "symnet.runtime.compressed")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a function needs to be made again.

    Args:
        object_code: for the machine that the key names.
        signature: as `NativeFunction` takes it.
        structure: the template of its result.
        facts: anything plain that the function shows: text, numbers, tuples, dicts.
    """

    object_code: bytes
    signature: Signature
    structure: Template = None
    facts: dict[str, Any] = field(default_factory=dict)


class Cache:
    """A folder of entries.

    Args:
        folder: made when the first entry is written.
        limit: bytes; the least recently used entries go first.
    """

    def __init__(self, folder: str | Path, limit: int = LIMIT) -> None:
        self.folder = Path(folder)
        self.limit = limit

    def get(self, key: str) -> Entry | None:
        """The entry of a key; a damaged one is removed."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        entry = _decode(content)
        if entry is None:
            path.unlink(missing_ok=True)
        else:
            self._touch(path)
        return entry

    def put(self, key: str, entry: Entry) -> bool:
        """Write an entry in one step; False where the folder cannot be written."""
        path = self._path(key)
        content = _encode(entry)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, path)
        except OSError:
            return False
        self.prune()
        return True

    def prune(self) -> None:
        """Remove the least recently used entries above the limit, and what dead processes left behind."""
        for path in self.folder.glob("*.tmp"):
            if time.time() - _stat(path)[0] > _STALE_SECONDS:
                path.unlink(missing_ok=True)
        total = 0
        for _, size, path in sorted(((*_stat(path), path) for path in self.entries()), reverse=True):
            total += size
            if total > self.limit:
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove every entry."""
        for path in self.entries():
            path.unlink(missing_ok=True)

    def entries(self) -> list[Path]:
        """The files."""
        return list(self.folder.glob(f"*{SUFFIX}"))

    def _path(self, key: str) -> Path:
        if not _KEY.match(key):
            expected = "8 to 128 letters, digits, - and _, such as a hexadecimal digest"
            raise ArgumentError(explain(f"Cache[{key!r}]", expected, repr(key), "Pass digest.hexdigest()."))
        return self.folder / f"{key}{SUFFIX}"

    @staticmethod
    def _touch(path: Path) -> None:
        """Note the use; the time of the last change counts, since many file systems keep no time of access."""
        with contextlib.suppress(OSError):  # a folder of someone else, or the file is gone: nothing to note
            os.utime(path)


def default_cache() -> Cache | None:
    """The cache that the environment asks for; None where it is turned off."""
    if os.environ.get("SYMNET_CACHE", "1").lower() in ("0", "off", "no", "false"):
        return None
    folder = os.environ.get("SYMNET_CACHE_DIR")
    if not folder:
        from platformdirs import user_cache_dir

        folder = user_cache_dir("symnet", appauthor=False)
    return Cache(folder)


def _stat(path: Path) -> tuple[float, int]:
    """Time of the last use and size in bytes; zeros for a file that just went."""
    try:
        found = path.stat()
    except OSError:
        return 0.0, 0
    return found.st_mtime, found.st_size


def _encode(entry: Entry) -> bytes:
    plain = (entry.object_code, entry.signature, entry.structure, entry.facts)
    payload = pickle.dumps(plain, protocol=5)
    return _MAGIC + hashlib.sha256(payload).digest() + payload


def _decode(content: bytes) -> Entry | None:
    """The entry, if every byte is as it was written."""
    start = len(_MAGIC) + _DIGEST_BYTES
    payload = content[start:]
    if content[: len(_MAGIC)] != _MAGIC or hashlib.sha256(payload).digest() != content[len(_MAGIC) : start]:
        return None
    try:
        return Entry(*_PlainUnpickler(io.BytesIO(payload)).load())
    except Exception:  # written by another version: whatever goes wrong, the entry is of no use
        return None


class _PlainUnpickler(pickle.Unpickler):
    """Constructs plain dataclasses, of the loop language and of patterns, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if module in _CLASSES or (module, name) == ("builtins", "frozenset"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"an entry may not hold {module}.{name}")
