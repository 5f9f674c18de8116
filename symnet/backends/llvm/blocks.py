"""The text of one function under construction: nested regions, value numbering, hoisting.

In: instructions, one at a time, from the emitters.  Out: the lines of a function body.

A *region* is a stretch of code entered at its top: the function itself, a loop's body, the guarded space
before a loop, an arm of a conditional.  Open regions form a stack; a value's `depth` is the index of the
region that defines it.  A pure instruction is written into the region of its deepest operand, once: that is
common-subexpression elimination and loop-invariant motion while writing, so that LLVM's optimiser has little
left to do.  Loads are moved out of a loop only when the loop surely runs and nothing in it stores there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from symnet.backends.llvm.types import V, constant, splat_text, suffix, vector


class Region:
    """One open region of a function, to which code can be added.

    `loads_leave`: a load at its top level may move to the enclosing region; `stored`: the alias classes that
    its code stores to; `entry` and `label`: its first basic block and the one being
    written; `open`: code can still be added.
    """

    __slots__ = ("entry", "label", "lines", "loads_leave", "memo", "open", "stored")

    def __init__(self, label: str, loads_leave: bool = False, stored: frozenset[str] = frozenset()) -> None:
        self.lines: list[str] = []
        self.memo: dict[object, V] = {}
        self.loads_leave = loads_leave
        self.stored = stored
        self.entry = self.label = label
        self.open = True


class FunctionText:
    """A function body being written.  `declarations` is shared by the functions of a module."""

    def __init__(self, declarations: dict[str, str]) -> None:
        self.declarations = declarations
        self._allocas: list[str] = []
        self._frames: dict[str, tuple[V, int, int]] = {}
        self.regions = [Region("entry")]
        self.versions: Counter[str] = Counter()
        self._count = 0

    # ---- writing

    def name(self, hint: str = "t") -> str:
        self._count += 1
        return f"%{hint}{self._count}"

    @property
    def depth(self) -> int:
        return len(self.regions) - 1

    def line(self, text: str) -> None:
        self.regions[-1].lines.append(text)

    def define(self, scalar: str, lanes: int, rhs: str) -> V:
        """Write an instruction that stays where it is, and give its value."""
        name = self.name()
        self.regions[-1].lines.append(f"{name} = {rhs}")
        return V(name, scalar, lanes, len(self.regions) - 1)

    def pure(self, scalar: str, lanes: int, rhs: str, depth: int) -> V:
        """An instruction without effects, written once, in the region of its deepest operand."""
        region = self.regions[depth]
        found = region.memo.get(rhs)
        if found is None:
            name = self.name()
            region.lines.append(f"{name} = {rhs}")
            found = region.memo[rhs] = V(name, scalar, lanes, depth)
        return found

    def binary(self, instruction: str, left: V, right: V, result: str | None = None) -> V:
        """`instruction left, right` on scalars or vectors; `result` is the result's scalar type if it differs."""
        left, right = self.unify(left, right)
        depth = left.depth if left.depth > right.depth else right.depth
        rhs = f"{instruction} {left.type} {left.text}, {right.text}"
        return self.pure(result or left.scalar, left.lanes, rhs, depth)

    def call(self, function: str, scalar: str, lanes: int, *args: V) -> V:
        """A call of a function without effects, declared on first use unless the module defines it."""
        if function not in self.declarations:
            types = ", ".join(arg.type for arg in args)
            self.declarations[function] = f"declare {vector(scalar, lanes)} @{function}({types})"
        text = ", ".join(arg.typed for arg in args)
        depth = max((arg.depth for arg in args), default=0)
        return self.pure(scalar, lanes, f"call {vector(scalar, lanes)} @{function}({text})", depth)

    def intrinsic(self, stem: str, *args: V) -> V:
        """`llvm.STEM` overloaded on the type of its arguments, lanes unified."""
        unified = self.unify(*args)
        first = unified[0]
        return self.call(f"llvm.{stem}.{suffix(first.scalar, first.lanes)}", first.scalar, first.lanes, *unified)

    def select(self, condition: V, yes: V, no: V) -> V:
        yes, no = self.unify(yes, no)
        if condition.lanes or yes.lanes:
            lanes = condition.lanes or yes.lanes
            condition, yes, no = (self.splat(v, lanes) for v in (condition, yes, no))
        depth = max(condition.depth, yes.depth, no.depth)
        return self.pure(yes.scalar, yes.lanes, f"select {condition.typed}, {yes.typed}, {no.typed}", depth)

    def convert(self, instruction: str, value: V, scalar: str) -> V:
        """A conversion instruction (`sext`, `sitofp`, …) of a value to `scalar`."""
        rhs = f"{instruction} {value.typed} to {vector(scalar, value.lanes)}"
        return self.pure(scalar, value.lanes, rhs, value.depth)

    # ---- lanes

    def splat(self, value: V, lanes: int) -> V:
        """A scalar in every lane; a vector stays."""
        if value.lanes or not lanes:
            return value
        if value.constant:
            return V(splat_text(value.text, value.scalar, lanes), value.scalar, lanes)
        wide = vector(value.scalar, lanes)
        lone = self.pure(value.scalar, lanes, f"insertelement {wide} poison, {value.typed}, i32 0", value.depth)
        rhs = f"shufflevector {wide} {lone.text}, {wide} poison, <{lanes} x i32> zeroinitializer"
        return self.pure(value.scalar, lanes, rhs, value.depth)

    def unify(self, *values: V) -> tuple[V, ...]:
        """All scalars, or all vectors of the same lanes."""
        lanes = 0
        for value in values:
            if value.lanes:
                lanes = value.lanes
        return tuple(self.splat(value, lanes) for value in values) if lanes else values

    def extract(self, value: V, lane: int) -> V:
        return self.pure(value.scalar, 0, f"extractelement {value.typed}, i32 {lane}", value.depth)

    # ---- memory

    def alloca(self, type_text: str, alignment: int, count: int = 1) -> V:
        """Space in the frame, reserved in the entry block so that it can become registers."""
        name = self.name("slot")
        array = f"[{count} x {type_text}]" if count > 1 else type_text
        self._allocas.append(f"{name} = alloca {array}, align {alignment}")
        return V(name, "ptr")

    def frame(self, key: str, size: int, alignment: int) -> V:
        """So many bytes in the frame, which all that is called so shares: as much as the largest of it needs."""
        place, most, least = self._frames.get(key) or (V(self.name("frame"), "ptr"), 0, 1)
        self._frames[key] = place, max(most, size), max(least, alignment)
        return place

    @property
    def allocas(self) -> list[str]:
        """The lines that reserve the frame."""
        frames = self._frames.values()
        return [*self._allocas, *(f"{v.text} = alloca [{size} x i8], align {to}" for v, size, to in frames)]

    def load(self, scalar: str, lanes: int, rhs: str, depth: int, alias: str) -> V:
        """A load of `alias` memory, whose operands live at `depth`: once, as far out as is safe."""
        regions = self.regions
        place = len(regions) - 1
        while place > depth and regions[place].loads_leave and alias not in regions[place].stored:
            place -= 1
        key = (rhs, self.versions[alias])
        for region in regions[depth : place + 1]:
            if key in region.memo:
                return region.memo[key]
        name = self.name()
        regions[place].lines.append(f"{name} = {rhs}")
        regions[place].memo[key] = V(name, scalar, lanes, place)
        return regions[place].memo[key]

    def wrote(self, alias: str) -> None:
        """Forget loads of `alias`: memory has changed."""
        self.versions[alias] += 1

    # ---- control

    def loop(self, count: V, surely: bool, stored: frozenset[str], innermost: bool, body: Callable[[V], None]) -> None:
        """Run `body` for 0 … count-1; `surely` says that count ≥ 1 is known."""
        for alias in stored:
            self.wrote(alias)
        if not surely:
            condition = self.binary("icmp sgt", count, constant(0, count.scalar), "i1")
            self.regions.append(Region(self.name("pre")[1:]))
        head = self.name("loop")[1:]
        self.regions.append(Region(head, innermost, stored))
        variable = V(self.name("i"), count.scalar, 0, self.depth)
        body(variable)
        self._close_loop(head, variable, count)
        if not surely:
            self._close_arms(condition, self._pop(), None)
        for alias in stored:
            self.wrote(alias)

    def _close_loop(self, head: str, variable: V, count: V) -> None:
        region = self._pop()
        outer = self.regions[-1]
        following, again, done = self.name("next"), self.name("again"), self.name("done")[1:]
        kind = count.scalar
        outer.lines += [
            f"br label %{head}",
            f"{head}:",
            f"{variable.text} = phi {kind} [ 0, %{outer.label} ], [ {following}, %{region.label} ]",
            *region.lines,
            f"{following} = add nuw nsw {kind} {variable.text}, 1",
            f"{again} = icmp slt {kind} {following}, {count.text}",
            f"br i1 {again}, label %{head}, label %{done}",
            f"{done}:",
        ]
        outer.label = done

    def branch(
        self, condition: V, then: Callable[[], None], orelse: Callable[[], None] | None = None, likely: bool = False
    ) -> None:
        """Run `then` or `orelse` by a scalar condition, which nearly always holds if it is `likely`."""
        taken = self._arm(then)
        self._close_arms(condition, taken, self._arm(orelse) if orelse else None, likely)

    def _arm(self, write: Callable[[], None]) -> Region:
        self.regions.append(Region(self.name("arm")[1:]))
        write()
        return self._pop()

    def _pop(self) -> Region:
        region = self.regions.pop()
        region.open = False
        return region

    def _close_arms(self, condition: V, then: Region, orelse: Region | None, likely: bool = False) -> None:
        outer = self.regions[-1]
        weights = ", !prof !0" if likely else ""
        if likely:
            self.declarations["!0"] = '!0 = !{!"branch_weights", i32 1000000, i32 1}'
        done = self.name("join")[1:]
        other = done if orelse is None else orelse.entry
        outer.lines.append(f"br i1 {condition.text}, label %{then.entry}, label %{other}{weights}")
        for region in (then, orelse):
            if region is not None:
                outer.lines += [f"{region.entry}:", *region.lines, f"br label %{done}"]
        outer.lines.append(f"{done}:")
        outer.label = done
