"""Constant arrays as read-only globals of a module, and their bytes in object code.

In: a program's constants.  Out: the text of a global for each; for the large ones, object code with their bytes put in.

A small array is written as LLVM constants.  The text of a large one would be several times its size, so a marker stands
in its place, of the right size and otherwise zero, and `fill` writes the bytes over it where it lies in the object.
The optimiser is told that such a global is initialised elsewhere, and so reads nothing into it.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from symnet.backends.llvm.types import MEMORY, literal
from symnet.errors import CompileError, explain
from symnet.loops.abi import ALIGNMENT
from symnet.loops.ir import Constant

MOST_WRITTEN = 4096  # bytes of an array that is written out
_MARKER = 28  # bytes of a digest, after a 1 that tells the order of bytes
_HEAD = 4 + _MARKER
_ELSEWHERE = "externally_initialized constant"


def global_name(program: str, number: int) -> str:
    """What the array is called in the module."""
    return f'@"{program}.constant{number}"'


def global_text(program: str, number: int, constant: Constant, whole: bool = False) -> str:
    """The text that defines the array as a global of the module; `whole`: with its elements, whatever its size."""
    memory = MEMORY[constant.buffer.dtype]
    array = constant.contents.array
    begin = f"{global_name(program, number)} = internal"
    if whole or array.nbytes <= MOST_WRITTEN:
        elements = ", ".join(f"{memory} {literal(v, memory)}" for v in array.reshape(-1).tolist())
        return f"{begin} unnamed_addr constant [{array.size} x {memory}] [{elements}], align {ALIGNMENT}\n"
    rest = array.nbytes - _HEAD
    parts = f'<{{ i32, [{_MARKER} x i8], [{rest} x i8] }}> <{{ i32 1, [{_MARKER} x i8] c"{_escaped(constant)}"'
    return f"{begin} {_ELSEWHERE} {parts}, [{rest} x i8] zeroinitializer }}>, align {ALIGNMENT}\n"


def written_out(text: str, program: str, constants: Iterable[Constant]) -> str:
    """A module that needs no `fill`: the text with the elements of the large arrays, too."""
    for number, constant in enumerate(constants):
        text = text.replace(global_text(program, number, constant), global_text(program, number, constant, whole=True))
    return text


def fill(code: bytes, text: str, constants: Iterable[Constant]) -> bytes:
    """Object code in which the large arrays have their elements.

    Args:
        code: made from `text`.
        text: the module.
        constants: of its program.

    Raises:
        CompileError: when an array of the module is not among the constants, or its place is not found.
    """
    large = [constant for constant in constants if constant.contents.array.nbytes > MOST_WRITTEN]
    if text.count(_ELSEWHERE) != len(large):
        got = f"{len(large)} of {text.count(_ELSEWHERE)}"
        mend = "Pass constants=program.constants."
        raise CompileError(explain("compile_object(text)", "the module's large constant arrays", got, mend))
    if not large:
        return code
    filled = bytearray(code)
    for constant in large:
        at = code.find(_marker(constant))
        if at < 0:
            expected, mend = f"a place for {constant.buffer.name} in the object code", "Report the target."
            raise CompileError(explain("compile_object(text)", expected, "none", mend))
        data = _bytes(constant.contents.array, little=code[at - 4 : at] == b"\1\0\0\0")
        filled[at - 4 : at - 4 + len(data)] = data
    return bytes(filled)


def _bytes(array: Any, little: bool) -> bytes:
    return bytes(array.astype(array.dtype.newbyteorder("<" if little else ">"), copy=False).tobytes())


def _marker(constant: Constant) -> bytes:
    return blake2b(b"symnet constant" + constant.contents.digest, digest_size=_MARKER).digest()


def _escaped(constant: Constant) -> str:
    return "".join(f"\\{byte:02X}" for byte in _marker(constant))
