"""Compiled functions on disk, so that a warm start does no algebra and no code generation.

In: a key (a digest of everything that the object code depends on, made by the caller) and an `Entry`.  Out: the
entry again, in this process or another; None where there is none, it is damaged, or anything at all went wrong.

Entries (`entry.py` has the layout) are written to a temporary file and renamed, carry a checksum, and are removed,
oldest use first, when all of them together pass the limit.  What the system refuses is no error: there is just no
cache.

What is read is run, so the folder must be the user's own: a folder, no link, of mode 0700.  A new one is made so; one
that others may read, and that holds nothing but entries, is made so; any other is left alone and not used.  An entry
is a plain file of the same user, which nobody else may write.  `docs/cache.md` says the same to users.

Environment: SYMNET_CACHE_DIR names the folder (default: the user's cache folder of the system), SYMNET_CACHE=0
turns the cache off.

Not handled: entries that the user or the system's administrator forged.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from symnet.errors import ArgumentError, explain
from symnet.runtime.entry import HEAD_BYTES, Entry, decode, encode

LIMIT = 256 << 20  # bytes, of all entries together
SUFFIX = ".symnet"
_TEMPORARY = SUFFIX + ".tmp"
_PRIVATE = 0o700
_OTHERS = 0o077  # the permissions of group and world
_KEY = re.compile(r"[0-9A-Za-z_-]{8,128}\Z")
_STALE_SECONDS = 60.0  # a temporary file this old belongs to a process that died; writing one takes milliseconds
_USER = getattr(os, "geteuid", None)  # None where files have no owner in this sense
# Never wait (for the other end of a pipe), never follow a link.
_READ = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | sum(getattr(os, f, 0) for f in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"))


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
        if not self.is_usable():
            return None
        try:
            content = _content(path, self.limit)
        except FileNotFoundError:
            return None
        except OSError:
            content = b""
        entry = decode(key, content)
        with contextlib.suppress(OSError):  # the folder cannot be written, or a folder stands there
            if entry is None:
                path.unlink()
            else:
                os.utime(path)  # the use; many file systems keep no time of access
        return entry

    def put(self, key: str, entry: Entry) -> bool:
        """Write an entry in one step; False where that cannot be."""
        path = self._path(key)
        try:
            content = encode(key, entry)
        except (ValueError, RecursionError):  # a template that plain data cannot say
            return False
        try:
            self.folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            written = self.is_usable() and len(content) <= self.limit
            if written:
                _replace(path, content)
        except OSError:
            written = False
        self.prune()
        return written

    def is_usable(self) -> bool:
        """Whether the folder is the user's own."""
        return self.reason() == ""

    def reason(self) -> str:
        """Why the folder is not used; empty where it is."""
        try:
            found = os.lstat(self.folder)
            if not stat.S_ISDIR(found.st_mode):
                return "no folder"
            if _USER is None:
                return ""
            if found.st_uid != _USER():
                return "a folder of another user"
            if found.st_mode & _OTHERS and not self._closed():
                return "a folder that others may enter"
        except FileNotFoundError:
            return "no such folder"
        except OSError as error:
            return error.strerror or "it cannot be read"
        return ""

    def _closed(self) -> bool:
        """Make the folder private, if it holds nothing but entries; whether that worked."""
        if any(not name.endswith((SUFFIX, _TEMPORARY)) for name in os.listdir(self.folder)):
            return False
        os.chmod(self.folder, _PRIVATE)
        return not os.lstat(self.folder).st_mode & _OTHERS

    def prune(self) -> None:
        """Remove the least recently used entries above the limit, and what dead processes left behind."""
        for path in self._files(_TEMPORARY):
            if time.time() - _stat(path)[0] > _STALE_SECONDS:
                _remove(path)
        total = 0
        for _, size, path in sorted(((*_stat(path), path) for path in self.entries()), reverse=True):
            total += size
            if total > self.limit:
                _remove(path)

    def clear(self) -> None:
        """Remove every entry."""
        for path in self.entries():
            _remove(path)

    def entries(self) -> list[Path]:
        """The files of all entries."""
        return self._files(SUFFIX)

    def _files(self, suffix: str) -> list[Path]:
        if not self.is_usable():
            return []
        try:
            return [self.folder / name for name in os.listdir(self.folder) if name.endswith(suffix)]
        except OSError:
            return []

    def _path(self, key: str) -> Path:
        if not _KEY.match(key):
            expected = "8 to 128 letters, digits, - and _, such as a hexadecimal digest"
            raise ArgumentError(explain(f"Cache[{key!r}]", expected, repr(key), "Pass digest.hexdigest()."))
        return self.folder / f"{key}{SUFFIX}"


_off: ContextVar[bool] = ContextVar("_off", default=False)


@contextlib.contextmanager
def without_cache() -> Iterator[None]:
    """Inside, this thread compiles as if nothing had been compiled before, and leaves nothing behind."""
    token = _off.set(True)
    try:
        yield
    finally:
        _off.reset(token)


def default_cache() -> Cache | None:
    """The cache that the environment asks for; None where it is turned off, there or by `without_cache`."""
    if _off.get():
        return None
    if os.environ.get("SYMNET_CACHE", "1").lower() in ("0", "off", "no", "false"):
        return None
    return Cache(os.environ.get("SYMNET_CACHE_DIR") or _user_folder())


def _user_folder() -> str:
    """Where the system keeps the user's caches; on Linux known without `platformdirs`, a tenth of a warm start."""
    if sys.platform == "linux" and "ANDROID_DATA" not in os.environ:
        base = os.environ.get("XDG_CACHE_HOME", "")
        return os.path.join(base if os.path.isabs(base) else os.path.expanduser("~/.cache"), "symnet")
    from platformdirs import user_cache_dir

    return user_cache_dir("symnet", appauthor=False)


def _stat(path: Path) -> tuple[float, int]:
    """Time of the last use and size in bytes; zeros for a file that just went."""
    try:
        found = path.lstat()
    except OSError:
        return 0.0, 0
    return found.st_mtime, found.st_size


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _content(path: Path, most: int) -> bytes:
    """All bytes of an entry's file.

    Raises:
        OSError: no such file; one that is no plain file, not the user's own, or too large for an entry.
    """
    handle = os.open(path, _READ)
    try:
        found = os.fstat(handle)
        own = _USER is None or (found.st_uid == _USER() and not found.st_mode & 0o022)
        if not (stat.S_ISREG(found.st_mode) and own and HEAD_BYTES <= found.st_size <= most):
            raise OSError("no entry")
        with open(handle, "rb", closefd=False) as file:
            return file.read(found.st_size)
    finally:
        os.close(handle)


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step; nothing is left behind where that fails."""
    temporary = path.with_name(f"{os.urandom(8).hex()}{_TEMPORARY}")
    try:
        with os.fdopen(os.open(temporary, _CREATE, 0o600), "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:  # an interrupt too
        _remove(temporary)
        raise
