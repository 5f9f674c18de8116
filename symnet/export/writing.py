"""Files that replace one another: nothing foreign is overwritten, and all of them change or none.

In: paths and the contents for them.  Out: the files, with the permissions that the user's umask leaves.

The files are written to a folder of their own beside the old ones and then renamed, one after the other; where a rename
is refused, those before it are undone.  A process that is killed between two renames leaves files of two exports, which
their digests tell (`digest.py`).

A text of ours begins with a line that has the function's name and a checksum of the rest, an object or a library holds
a stamp.  What has neither was written by somebody else, or changed since, and is not replaced without
`overwrite=True`; nor is a file of another function's export (every README is called so), a link or a file
that cannot be written.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from symnet.backends.llvm.stamp import holds_stamp
from symnet.errors import ExistingFileError, FileError, explain

_DIGITS = 16
_MARK = "symnet export of {}, digest {}: replaced by the next one, unless it is changed. Checksum"
_BEFORE, _BETWEEN, _AFTER = map(re.escape, _MARK.split("{}"))
_FIRST_LINE = re.compile(rf"\W+{_BEFORE}(\w+){_BETWEEN}[0-9a-f]+{_AFTER}\W+([0-9a-f]{{{_DIGITS}}})\W*$".encode())
_WRITABLE = 0o222


def marked(text: str, name: str, digest: str, begin: str, end: str = "", joint: str = " ") -> bytes:
    """A text under a first line that says of which function's export it is.

    Args:
        text: the rest.
        name: the function's.
        digest: of the export.
        begin: what the language of the text wants before the words.
        end: what it wants at the end of the line.
        joint: what it wants before the checksum.
    """
    rest = text.encode()
    return f"{begin}{_MARK.format(name, digest)}{joint}{_short(rest)}{end}\n".encode() + rest


def refuse_foreign(paths: Iterable[Path], name: str, overwrite: bool, call: str) -> None:
    """Refuse to replace what no export of this function wrote.

    Raises:
        ExistingFileError: naming the first such file.
    """
    for path in paths:
        reason = _reason(path, name, overwrite)
        if reason:
            replaceable = path.is_symlink() or path.is_file()
            mend = "Pass overwrite=True (--overwrite) to replace it, or choose another name or folder."
            expected = f"no file {path.as_posix()}, or one that export wrote"
            raise ExistingFileError(explain(call, expected, reason, mend if replaceable else "Choose another name."))


def _reason(path: Path, name: str, overwrite: bool) -> str:
    """Why a file must stay; empty where it may go."""
    try:
        found = os.lstat(path).st_mode
        if not (stat.S_ISREG(found) or stat.S_ISLNK(found)):
            return "a folder" if stat.S_ISDIR(found) else "a device, a pipe or a socket"
        if overwrite:
            return ""
        if stat.S_ISLNK(found):
            return "a symbolic link"
        if not found & _WRITABLE:
            return "a file that is read-only"
        owner = owner_of(path.read_bytes())
        if owner is None:
            return "a file that export did not write, or that was changed since"
        return "" if owner in ("", name) else f"one of the export of {owner}"
    except (FileNotFoundError, NotADirectoryError):  # of the latter, making the folder says more
        return ""
    except OSError as error:
        return f"one that cannot be read ({error.strerror})"


def owner_of(content: bytes) -> str | None:
    """The function of whose export a file is, as it was written: "" where only that it is one is known, None for what
    is none.
    """
    first, _, rest = content.partition(b"\n")
    found = _FIRST_LINE.match(first)
    if found:
        return found[1].decode() if found[2].decode() == _short(rest) else None
    return "" if holds_stamp(content) else None


def _short(rest: bytes) -> str:
    return sha256(rest).hexdigest()[:_DIGITS]


class Replacement:
    """New files in a folder of their own, until they are put in place.

    Used as a context: what was not put in place is removed at its end, with the folders that were made for it.
    """

    def __init__(self, folder: Path, call: str) -> None:
        self.folder, self.call = folder, call
        self._made: list[Path] = []  # folders, the inner before the outer
        self._room: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Replacement:
        self._made = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._room = tempfile.TemporaryDirectory(dir=self.folder, prefix=".symnet-", ignore_cleanup_errors=True)
            self.room = Path(self._room.name)
            (self.room / "old").mkdir()
        except OSError as error:
            self.__exit__()
            raise self._refused(self.folder, error) from error
        return self

    def __exit__(self, *exception: object) -> None:
        if self._room is not None:
            self._room.cleanup()
        for folder in self._made:
            with suppress(OSError):  # it was never made, or holds the files
                folder.rmdir()

    def path(self, final: Path) -> Path:
        """The path at which a file waits to be put in place."""
        return self.room / final.name

    def write(self, final: Path, content: bytes) -> None:
        """Write a file that waits to be put in place."""
        try:
            self.path(final).write_bytes(content)
        except OSError as error:
            raise self._refused(final, error) from error

    def put_in_place(self, finals: Sequence[Path]) -> None:
        """All files where they belong, or the old ones as they were."""
        done: list[Path] = []
        final = self.folder
        try:
            for final in finals:
                if final.is_symlink() or final.exists():
                    _keep(final, self.room / "old" / final.name)
            for final in finals:
                done.append(final)
                os.replace(self.path(final), final)
        except BaseException as error:
            self._undo(done)
            if isinstance(error, OSError):
                raise self._refused(final, error) from error
            raise

    def _undo(self, done: Sequence[Path]) -> None:
        for final in done:
            old = self.room / "old" / final.name
            if old.is_symlink() or old.exists():
                os.replace(old, final)
            elif not self.path(final).exists():  # it was put in place, where nothing was
                final.unlink(missing_ok=True)

    def _refused(self, path: Path, error: OSError) -> FileError:
        mend = "Make room and see that the folder may be written, or choose another."
        return FileError(explain(self.call, f"to write {path.as_posix()}", error.strerror or str(error), mend))


def _keep(path: Path, copy: Path) -> None:
    """Another name for a file; a copy where the system has no such thing."""
    try:
        os.link(path, copy, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(path, copy, follow_symlinks=False)
