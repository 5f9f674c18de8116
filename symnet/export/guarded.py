"""Code that finds out whether it was cut off or changed: the form in which a stub is written.

In: Python code and what it is.  Out: a module that Python can read wherever it ends, and the code again.

Python reads a whole file before it runs the first line, so code that was cut off would be a SyntaxError, or would run
where it was cut between two statements.  So the code stands behind `#: `, as comments, under a head that compares it
with its checksum before it runs any of it; line numbers in tracebacks are those of the file.

Not handled: a file that ends within the head, its first lines; there Python's own words are all there is.
"""

from __future__ import annotations

from hashlib import sha256

_BEHIND = "#: "
_DIGITS = 32
_MEND = "Export the function again, and copy its files together."
_HEAD = '''\
"""{words}"""

import hashlib
from pathlib import Path


def _code(path):
    """The lines behind `#: `, in their places; an ImportError where they are not as they were exported."""
    expected, mend = f"{name}: expected the file {{path}} as it was exported", "{mend}"
    try:
        lines = path.read_text("utf-8").split("\\n")
    except (OSError, ValueError) as error:
        raise ImportError(f"{{expected}}; got one that cannot be read ({{error}}). {{mend}}") from error
    code = "\\n".join(line[3:] if line.startswith("#:") else "" for line in lines)
    if hashlib.sha256(code.strip().encode()).hexdigest()[:{digits}] != "{checksum}":
        raise ImportError(f"{{expected}}; got one that was cut off or changed. {{mend}}")
    return compile(code, str(path), "exec")


exec(_code(Path(__file__)))

'''


def guarded(name: str, words: str, code: str) -> str:
    """A module that runs the code if it is whole.

    Args:
        name: of what the code defines, in the error.
        words: the module's docstring.
        code: Python.
    """
    head = _HEAD.format(name=name, words=words, mend=_MEND, digits=_DIGITS, checksum=_checksum(code))
    return head + "".join(f"{_BEHIND}{line}".rstrip() + "\n" for line in code.strip().split("\n"))


def guarded_code(text: str) -> str:
    """The code of such a module, which is not run.

    Raises:
        ValueError: when it is not as it was written.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    code = "\n".join(line[len(_BEHIND) :] if line.startswith(_BEHIND.rstrip()) else "" for line in lines)
    if _checksum(code) not in text:
        raise ValueError("cut off or changed")
    return code


def _checksum(code: str) -> str:
    return sha256(code.strip().encode()).hexdigest()[:_DIGITS]
