"""One compiled function as bytes: a fixed head, a description in JSON, object code.

In: an `Entry` and its key.  Out: bytes, and the entry again; None where any byte is not as it was written, or the
bytes belong to another key.  All numbers are little-endian:

    offset  bytes  what
    0       8      "symnet" CR LF
    8       4      version of this layout: 4
    12      4      d, the length of the description
    16      8      c, the length of the object code
    24      32     SHA-256 of bytes 0 … 23, the description and the object code
    56      d      the description: JSON in UTF-8, an object with "key", "signature", "template", "work"
    56 + d  c      the object code

Nothing follows.  The description is read by the types of `Signature` and of a template (`plain.py`), and holds no code;
what is run is the object code alone, which the checksum and the folder's owner (`cache.py`) stand for.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass, field

from symnet.dtypes import ITEMSIZE
from symnet.loops.signature import Signature
from symnet.loops.work import Work
from symnet.runtime.plain import PlainDataError, from_plain, template_from_plain, template_to_plain, to_plain
from symnet.runtime.template import Template

MAGIC = b"symnet\r\n"  # a transfer that changes the ends of lines damages it
VERSION = 5
_LENGTHS = struct.Struct("<8sIIQ")
_CHECKSUM = hashlib.sha256
HEAD_BYTES = _LENGTHS.size + _CHECKSUM().digest_size
_KEYS = {"key", "signature", "template", "work"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a function needs to be made again.

    Args:
        object_code: for the machine that the key names.
        signature: as `NativeFunction` takes it.
        template: the template of its result.
        work: what its phases take.
    """

    object_code: bytes
    signature: Signature
    template: Template = None
    work: Work = field(default_factory=Work)


def encode(key: str, entry: Entry) -> bytes:
    """The bytes of an entry.

    Raises:
        PlainDataError: when its template has keys that are neither text nor numbers.
    """
    plain = {
        "key": key,
        "signature": to_plain(entry.signature, Signature),
        "template": template_to_plain(entry.template),
        "work": to_plain(entry.work, Work),
    }
    description = json.dumps(plain, separators=(",", ":")).encode()
    lengths = _LENGTHS.pack(MAGIC, VERSION, len(description), len(entry.object_code))
    return b"".join((lengths, _checksum(lengths, description, entry.object_code), description, entry.object_code))


def decode(key: str, content: bytes) -> Entry | None:
    """The entry of a key, if every byte is as `encode` gave it."""
    if len(content) < HEAD_BYTES:
        return None
    magic, version, described, coded = _LENGTHS.unpack_from(content)
    end = HEAD_BYTES + described
    if (magic, version, end + coded) != (MAGIC, VERSION, len(content)):
        return None
    description, code = content[HEAD_BYTES:end], content[end:]
    if _checksum(content[: _LENGTHS.size], description, code) != content[_LENGTHS.size : HEAD_BYTES]:
        return None
    try:
        return _described(key, json.loads(description), code)
    except (ValueError, RecursionError):  # not what `encode` writes, though the checksum holds: no entry of ours
        return None


def _checksum(lengths: bytes, description: bytes, code: bytes) -> bytes:
    return _CHECKSUM(b"".join((lengths, description, code))).digest()


def _described(key: str, plain: object, code: bytes) -> Entry:
    if type(plain) is not dict or plain.keys() != _KEYS or plain["key"] != key:
        raise PlainDataError("a description of another form, or of another key")
    signature = from_plain(plain["signature"], Signature)
    buffers = (*signature.inputs, *signature.outputs)
    if any(buffer.dtype not in ITEMSIZE for buffer in buffers):
        raise PlainDataError("an unknown dtype")
    return Entry(code, signature, template_from_plain(plain["template"]), from_plain(plain["work"], Work))
