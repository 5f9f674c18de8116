"""The stamp of an object: a constant `NAME_digest`, by which files that were exported together know each other, and
`NAME_abi`, the number of the interface.

In: a function's name; object code.  Out: the definition of the constants, a text that says nothing yet; the object code
with the digest of an export in its place.

Not handled: what the digest is made of (`export/digest.py`).
"""

from __future__ import annotations

import re

from symnet.errors import CompileError, explain
from symnet.loops.abi import ABI, BLANK_STAMP, STAMP_BYTES, STAMP_DIGITS, STAMP_WORDS

_STAMP = re.compile(rb"%b[0-9a-f]{%d}\0" % (STAMP_WORDS.encode(), STAMP_DIGITS))


def stamp_text(name: str) -> str:
    """The definition of a module's stamp, and of the number of its interface."""
    number = f'@"{name}_abi" = constant i32 {ABI}, align 4'
    return f'@"{name}_digest" = constant [{STAMP_BYTES} x i8] c"{BLANK_STAMP}\\00"\n{number}\n'


def stamped(code: bytes, digest: str = "") -> bytes:
    """Object code with a digest of 32 hexadecimal digits in its stamp; a blank one without.

    Raises:
        CompileError: when the code has no stamp, or more than one.
    """
    found, count = _STAMP.subn((STAMP_WORDS + digest if digest else BLANK_STAMP).encode() + b"\0", code)
    if count != 1 or len(found) != len(code):
        mend = "Pass the object code that codegen.compile_object gave."
        raise CompileError(explain("export(…)", "object code with one stamp", f"{count} of them", mend))
    return found


def stamped_text(text: str, digest: str) -> str:
    """A source of the object, LLVM's, the machine's or C, with the digest in its stamp."""
    assert text.count(BLANK_STAMP) == 1
    return text.replace(BLANK_STAMP, STAMP_WORDS + digest)


def holds_stamp(content: bytes) -> bool:
    """Whether a file has a stamp inside."""
    return _STAMP.search(content) is not None
