"""A module of LLVM assembly: the functions of one program, or of one for each of several processors.

In: functions, constant arrays and declarations.  Out: the text of a module, in chunks, which LLVM may work on while the
rest is being written.

What stands in a module once (its triple, its stamp, constant arrays of the same contents) is written once.  Functions
for several processors have names of their own, by a `Scope`, and say for which processor they are; LLVM then compiles
each of them as a module for that processor would be.

Not handled: which of them runs (`levels.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from symnet.backends.llvm.stamp import stamp_text
from symnet.schedule.target import Target

_SHARED = re.compile(r'@("?)symnet\.')  # what symnet names itself: math functions and what they call
_BODY = re.compile(r"\s*\n?\{\n")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where the functions of a program stand: alone in a module, or beside those for other processors.

    `level` is in their names, and `group` numbers their attributes; alone they have none and 0.
    """

    level: str = ""
    group: int = 0

    @property
    def linkage(self) -> str:
        """Of the entry points: beside others they are called by the functions that choose."""
        return "internal " if self.level else ""

    def name(self, program: str) -> str:
        """What a program is called here: `mlp.v3`."""
        return f"{program}.{self.level}" if self.level else program

    def apart(self, text: str) -> str:
        """Text that calls, or defines, functions of symnet's own, these for this processor alone."""
        return _SHARED.sub(rf"@\1symnet.{self.level}.", text) if self.level else text

    def declaration(self, text: str) -> str:
        """A declaration as it is; a definition with the attributes of its scope."""
        return self.apart(_BODY.sub(f" #{self.group}\n{{\n", text, count=1)) if text.startswith("define") else text

    def attributes(self, target: Target) -> str:
        """The attributes of its functions, and of those that are not to be worked at long."""
        words = [_ALWAYS, *[f'"prefer-vector-width"="{target.vector_bits}"'] * bool(target.vector_bits)]
        if self.level:
            words += [f'"target-cpu"="{target.cpu}"']
            words += [f'"target-features"="{target.features}"'] * bool(target.features)
        unworked = target.architecture == "x86_64"  # elsewhere code that is not worked at may call what there is not
        groups = (self.group, words), (self.brief, [*["noinline optnone"] * unworked, *words])
        return "\n".join(f"attributes #{group} = {{ {' '.join(each)} }}" for group, each in groups)

    @property
    def brief(self) -> int:
        """The number of the attributes of what runs once a call: LLVM takes as long for it as for a kernel."""
        return self.group + _BRIEF


ALONE = Scope()
_BRIEF = 100  # added to the number of a scope's attributes; levels are fewer
_ALWAYS = 'nounwind nofree norecurse "no-trapping-math"="true"'


class EntryPoint(NamedTuple):
    """A function that is called from outside: its type, what its name is after the program's, its arguments."""

    kind: str
    suffix: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Part:
    """What one program adds to a module: attributes, and constant arrays, declarations and functions as they are
    written, each with its symbol and after what it names.  The entry points are known when all are written.
    """

    attributes: str
    chunks: Iterator[tuple[str, str]]
    entries: Sequence[EntryPoint]


def module_chunks(
    name: str, target: Target, parts: Sequence[Part], more: Callable[[], str] | None = None
) -> Iterator[str]:
    """The text of a module of these parts, chunk by chunk, and at last of what is to stand beside them."""
    yield f'target triple = "{target.triple}"\n'
    yield from (each.attributes for each in parts)
    yield f"\n{stamp_text(name)}"
    told: set[str] = set()
    for each in parts:
        for symbol, text in each.chunks:
            if symbol not in told:
                told.add(symbol)
                yield text
    if more is not None:
        yield more()


def module_text(chunks: Iterable[str]) -> str:
    """The text of which these are the chunks."""
    return "\n".join([*chunks, ""])
