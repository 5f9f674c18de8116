"""The state of emission: a unit with its functions, and the function that is being written.

In: bindings made by statements, loops and entry points.  Out: looked up by the files that do the writing; each imports
this file, and this file none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from symnet.backends.c99.names import IdentifierTable
from symnet.backends.c99.types import CAddend, CValue
from symnet.loops.ir import Buffer
from symnet.loops.polynomials import Poly
from symnet.schedule.target import Target

INDENT = "    "
PREFIX = "sn_"
LINE = 116  # letters
_WORD = re.compile(r"[A-Za-z_]\w*")
_VALUE = re.compile(r" *const \w+ (\w+) = ")
_ARRAY = re.compile(r"( *)\w+ (\w+)(?:\[\d+\])+(?:;| = )")
_STORED = re.compile(r" *\w+(?:\[\w+\])+ = ")


class CUnit:
    """What the functions of a unit share: the target, identifiers, and the small functions that are used."""

    def __init__(self, name: str, target: Target) -> None:
        self.name, self.target = name, target
        self.prefix = f"{name}_{PREFIX}" if name.startswith(PREFIX) else PREFIX
        self.names = IdentifierTable(self.prefix)
        self.functions: dict[str, str] = {}

    @property
    def fused(self) -> bool:
        """Whether a product is rounded with the sum that it goes into, once."""
        return self.target.fma

    def own(self, stem: str) -> str:
        """The name of a function that only this unit has; the program's names begin otherwise."""
        return self.prefix + stem


@dataclass(slots=True)
class CArray:
    """Where a buffer lies: the pointer to its first element, and elements to step per axis."""

    pointer: str
    strides: tuple[Poly, ...]
    dtype: str


class SumsOfLanes(Protocol):
    """What takes the combining stores of a vector loop into elements that all lanes share (`reductions.py`)."""

    def accumulate(self, e: CEmitter, element: str, how: str, addend: CAddend, dtype: str, /) -> None:
        """Take one value of the lane that is being written."""


@dataclass
class CEmitter:
    """Everything in scope while a function is written.

    Names that have left their scope may linger: a verified program does not look at them, and binding a name again
    replaces it.  `natural` holds the atoms of polynomials that are never negative; `lane` is the variable of the
    vector loop that is being written, `reductions` what takes its sums; `status` is where a failure is noted; `calls`
    holds, by the identity of a statement, how many from it on are a function of their own, and what writes its call;
    `pointers` says what arrays are called here that have another name elsewhere.
    """

    unit: CUnit
    lines: list[str] = field(default_factory=list)
    depth: int = 1
    integers: dict[str, Poly] = field(default_factory=dict)
    values: dict[str, CValue] = field(default_factory=dict)
    places: dict[str, CArray] = field(default_factory=dict)
    natural: set[str] = field(default_factory=set)
    lane: str = ""
    reductions: SumsOfLanes | None = None
    status: str = "status"
    calls: Mapping[int, tuple[int, Callable[[CEmitter], None]]] = field(default_factory=dict)
    pointers: dict[str, str] = field(default_factory=dict)

    def line(self, text: str) -> None:
        self.lines.append(INDENT * self.depth + text)

    @contextmanager
    def block(self, head: str = "") -> Iterator[None]:
        """Braces around what is written inside."""
        self.line(f"{head} {{".lstrip())
        self.depth += 1
        yield
        self.depth -= 1
        self.line("}")

    def bind(self, name: str, value: str | int) -> None:
        """An integer name becomes a number, or a variable that is never negative."""
        if isinstance(value, int):
            self.integers[name] = {(): value} if value else {}
        else:
            self.natural.add(value)
            self.integers[name] = {(value,): 1}

    def variable(self, name: str) -> str:
        """The identifier of a loop variable or an extent, bound to it."""
        identifier = self.unit.names.of("integer", name)
        self.bind(name, identifier)
        return identifier

    def place(self, buffer: Buffer) -> CArray:
        return self.places[buffer.name]

    def words(self) -> frozenset[str]:
        """Every identifier in what is written so far, comments left out."""
        return words(self.lines)


def words(lines: list[str]) -> frozenset[str]:
    """Every identifier in lines of C, comments left out."""
    return frozenset(_WORD.findall(re.sub(r"/\*.*?\*/", "", "\n".join(lines), flags=re.DOTALL)))


def needed(lines: list[str]) -> list[str]:
    """Lines of a function without the values that nothing reads; of an array that is never read it is said so."""
    kept: list[str] = []
    read: set[str] = set()
    for line in reversed(lines):
        value, array = _VALUE.match(line), _ARRAY.match(line)
        if value is not None and value[1] not in read:
            continue
        if array is not None and array[2] not in read:
            kept.append(f"{array[1]}(void){array[2]};")
        kept.append(line)
        defined = value[1] if value is not None else array[2] if array is not None else ""
        read = (read - {defined}) | words([line.split(" = ", 1)[-1]] if _STORED.match(line) else [line]) - {defined}
    return kept[::-1]


def wrapped(head: str, parts: list[str], close: str) -> list[str]:
    """A call or a head of a function, its arguments on further lines where they are many."""
    one = f"{head}{', '.join(parts)}{close}"
    if len(one) <= LINE:
        return [one]
    found = [INDENT]
    for part in parts:
        if len(found[-1]) + len(part) > LINE:
            found.append(INDENT)
        found[-1] += f"{part}, "
    found[-1] = found[-1][:-2] + close
    return [head, *(line.rstrip() for line in found)]


def comment(text: str) -> str:
    """A text that may stand in a comment."""
    return text.replace("*/", "* /").replace("/*", "/ *")
