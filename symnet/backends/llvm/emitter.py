"""The state of emission: names in scope, where buffers lie, and the lanes being written.

In: bindings made by statements, loops and entry points.  Out: looked up by `integers.py`, `memory.py`,
`ops.py` and `vectors.py`, which do the writing: each imports this file, and this file none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from symnet.backends.llvm.blocks import FunctionText, Region
from symnet.backends.llvm.types import SIZE, Addend, V, constant, first_lanes, lane_numbers
from symnet.errors import CompileError, explain
from symnet.loops.facts import BodyFacts, gather
from symnet.loops.ir import Body, Buffer, IntConst, IntExpr
from symnet.loops.polynomials import Poly
from symnet.schedule.target import Target

LinearOffset = tuple[tuple[str, int], ...]
"""A linear offset, Σ factor·name."""

LANE = "%lane"
"""The name that stands for the lane number in polynomials."""


@dataclass(slots=True)
class BufferPlace:
    """Where a buffer lies in memory, and what is known of it.

    `strides`: elements to step per axis; `alias`: its class of memory that may overlap; `alignment`: bytes, of
    the first element; `padded`: whole registers may be read and written past the last axis; `extent`: of the
    last axis, for register buffers; `forms`: linear offsets found before, by the identity of the index.
    """

    pointer: V
    strides: tuple[Poly, ...]
    alias: str
    scalar: str
    alignment: int
    padded: bool = False
    extent: int | None = None
    forms: dict[int, tuple[tuple[IntExpr, ...], LinearOffset | None]] = field(default_factory=dict)

    @property
    def memory(self) -> str:
        """The type of an element in memory."""
        return "i8" if self.scalar == "i1" else self.scalar

    @property
    def size(self) -> int:
        return SIZE[self.scalar]

    @property
    def in_frame(self) -> bool:
        """Whether it is a register buffer: LLVM makes registers of the frame's memory, where it sees all uses."""
        return self.padded


class ElementAddress(NamedTuple):
    """An element's address, lane by lane.

    `step` is 0 (all lanes share it), 1 (lanes are neighbours), -1 (the other way round), 2 (every second element), or
    None: `offsets` then holds each lane's distance from `pointer` in elements, and `distinct` says that no two lanes
    meet; where the distance is a factor times one value, `factor` and the name of the `atom`.
    """

    pointer: V
    step: int | None
    offsets: V | None
    alignment: int
    distinct: bool = True
    factor: int = 0
    atom: str = ""


class Reductions(Protocol):
    """What takes the combining stores of a vector loop into elements that all lanes share (`reductions.py`)."""

    def accumulate(self, e: Emitter, place: BufferPlace, where: ElementAddress, how: str, addend: Addend, /) -> None:
        """Take one value per lane."""

    def finish(self, e: Emitter, /) -> None:
        """Update each element once."""


@dataclass
class Emitter:
    """Everything in scope while a function is written.

    Names that have left their scope may linger: a verified program does not look at them, and binding a name
    again replaces it.

    `lanes` is 0 outside vector loops; `mask` selects the lanes that count, the first `real` ones (None: all); `number`
    is the chunk's, and chooses the sum that it adds to; `whole` is the constant extent of the vector loop; `accesses`
    remembers addresses while the region that computes them is open; `stored_indices` says where the neighbouring
    elements stand that a vector of indices was loaded from; `calls` holds, by the identity of a statement, how many
    from it on are a function of their own, and what describes its call (`call_runs.py`); `table` makes an array of
    numbers, which it names; `pointers` holds the memory of buffers that is an
    argument of the function, by the name of its root; `layout` holds the offsets of the workspace buffers in bytes and
    their sum; `turned` has the vectors of loads, by their identity, that were read for
    several iterations together (`turning.py`).
    """

    target: Target
    text: FunctionText
    aliases: dict[str, str] = field(default_factory=dict)
    integers: dict[str, Poly] = field(default_factory=dict)
    values: dict[str, V] = field(default_factory=dict)
    places: dict[str, BufferPlace] = field(default_factory=dict)
    atoms: dict[str, V] = field(default_factory=dict)
    unsigned: set[str] = field(default_factory=set)
    lanes: int = 0
    mask: V | None = None
    real: V | None = None
    number: int = 0
    whole: int | None = None
    reductions: Reductions | None = None
    accesses: dict[tuple[object, ...], tuple[ElementAddress, Region]] = field(default_factory=dict)
    stored_indices: dict[str, tuple[BufferPlace, ElementAddress]] = field(default_factory=dict)
    calls: Mapping[int, tuple[int, Callable[[Emitter], Any]]] = field(default_factory=dict)
    table: Callable[[Sequence[int]], str] = repr
    pointers: dict[str, V] = field(default_factory=dict)
    layout: tuple[dict[str, Poly], Poly] | None = None
    turned: Mapping[int, V] = field(default_factory=dict)
    _facts: dict[int, tuple[Body, BodyFacts]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.index = "i32" if self.target.is_narrow else "i64"

    def facts(self, body: Body) -> BodyFacts:
        """`gather`, once per body (kept beside its facts, so that the id stays its own)."""
        found = self._facts.get(id(body))
        if found is None:
            found = self._facts[id(body)] = (body, gather(body))
        return found[1]

    def stored(self, body: Body) -> frozenset[str]:
        """The alias classes that a body writes."""
        return frozenset(self.alias(name) for name in self.facts(body).stored)

    def alias(self, name: str) -> str:
        """The class of memory that may overlap with a buffer; register buffers overlap with nothing else."""
        return self.aliases.get(name, name)

    def bind(self, name: str, value: V | int, unsigned: bool = True) -> None:
        """An integer name becomes a constant or an SSA value (never negative, if `unsigned`)."""
        if isinstance(value, int):
            self.integers[name] = {(): value} if value else {}
            return
        self.atoms[value.text] = value
        self.integers[name] = {(value.text,): 1}
        if unsigned:
            self.unsigned.add(value.text)

    def enter_chunk(self, variable: str, start: Poly, lanes: int, real: V | None, number: int) -> None:
        """Write vectors of `lanes` elements from here on: `variable` is start, …, start + lanes - 1, of which the first
        `real` count.
        """
        self.lanes, self.real, self.number = lanes, real, number
        self.mask = None if real is None else self.first(real)
        self.integers[variable] = {**start, (LANE,): 1} if lanes else start
        if lanes:
            self.atoms[LANE] = lane_numbers(self.index, lanes)

    def first(self, count: V) -> V:
        """The first lanes; all of them when `count` is greater, none when it is negative."""
        if count.constant:
            return first_lanes(int(count.text), self.lanes)
        within = self.text.intrinsic("smin", count, constant(self.lanes, count.scalar))
        narrow = self.text.convert("trunc", within, "i32") if within.scalar == "i64" else within
        return self.text.binary("icmp slt", lane_numbers("i32", self.lanes), narrow, "i1")

    def leave_chunk(self) -> None:
        """Back to scalars: vector loops do not nest."""
        self.lanes, self.mask, self.real, self.number = 0, None, None, 0

    def place(self, buffer: Buffer) -> BufferPlace:
        return self.places[buffer.name]


EmitBody = Callable[[Emitter, Body], None]


def constant_shape(buffer: Buffer) -> tuple[int, ...]:
    """The shape of a register buffer."""
    return tuple(constant_extent(extent, buffer) for extent in buffer.shape)


def constant_extent(extent: IntExpr, buffer: Buffer) -> int:
    if isinstance(extent, IntConst):
        return extent.value
    raise CompileError(
        explain(
            f"Alloc({buffer.name})",
            "a register buffer of constant shape",
            f"{buffer.shape}",
            "Put a buffer of run-time extent into the workspace.",
        )
    )
