"""What binds the files of one export: a digest that stands in the object, the header and the stub.

In: metadata, object code.  Out: the metadata with the digest; checks of what is read again.

The digest is of the metadata, and these hold a digest of the object code before its stamp was filled in; so it tells
two exports apart by what they compute and by how they are called.  A library is not made of the object alone, so the
stub also has a checksum of the library's bytes, which finds a truncated or damaged one before it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

from symnet.errors import FileError, explain
from symnet.loops.abi import STAMP_DIGITS, STAMP_WORDS

_OUTSIDE = ("digest", "library")  # what the digest does not cover: itself, and what is known later


def with_digest(metadata: Mapping[str, Any], code: bytes) -> dict[str, Any]:
    """The metadata of an export of that object code (its stamp still blank)."""
    whole = {**metadata, "code": sha256(code).hexdigest()}
    return {**whole, "digest": metadata_digest(whole)}


def metadata_digest(metadata: Mapping[str, Any]) -> str:
    """The digest of everything that the metadata say; the same in every version of Python."""
    covered = {key: value for key, value in metadata.items() if key not in _OUTSIDE}
    return blake2b(ascii(covered).encode(), digest_size=STAMP_DIGITS // 2).hexdigest()


def stamp_of(metadata: Mapping[str, Any]) -> str:
    """What `NAME_digest` says."""
    return f"{STAMP_WORDS}{metadata['digest']}"


def checksum(content: bytes) -> str:
    """The checksum of a library's bytes."""
    return sha256(content).hexdigest()


def refuse(call: str, path: Path, expected: str, got: str) -> FileError:
    """The error for a file that does not fit."""
    mend = "Export the function again, and copy its files together."
    return FileError(explain(call, expected.format(f"the file {path.as_posix()}"), got, mend))
