"""Calls that differ in numbers alone are written once: 200 equal layers are called by the code of one.

before: call f(workspace + 0, in[1])          after: for k in 200: call f(workspace + 128·k, in[2·k + 1])
        call f(workspace + 128, in[3])
        …

In: calls of functions, described: what each passes, as numbers in a form.  Out: the calls, those that are repeated as a
loop; and of bodies one of which a number chooses, such as the units of a phase, equal ones as one.
Numbers that grow evenly are computed, others are read from a table.  A run of several calls may be what is repeated.
Functions of hundreds of calls cost LLVM more than all that is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from symnet.backends.llvm.emitter import EmitBody, Emitter
from symnet.backends.llvm.integers import evaluate
from symnet.backends.llvm.polynomials import integer, opaque
from symnet.backends.llvm.types import V, constant
from symnet.loops.ir import Body, If, IntExpr
from symnet.loops.kernels import calls_among
from symnet.loops.polynomials import Poly, add, known, multiply
from symnet.loops.polynomials import constant as number

LEAST, LONGEST = 4, 24  # times that a run of so many calls is repeated


class Argument(NamedTuple):
    """What is passed.

    kind: "%in" or "%out", an array of the caller's, by its place; "%workspace", so many bytes after its beginning; "",
        an integer; anything else is the text itself, with its type.
    form: the monomials of which the numbers are coefficients.
    """

    kind: str
    form: tuple[tuple[str, ...], ...] = ()
    numbers: tuple[int, ...] = ()


class KernelCall(NamedTuple):
    """A call: the text before its arguments, these, and the aliases of what it stores."""

    head: str
    arguments: tuple[Argument, ...]
    stored: frozenset[str]

    @property
    def shape(self) -> tuple[object, ...]:
        """All but the numbers, and what is stored, of which loops only need to know some."""
        return self.head, *((a.kind, a.form) for a in self.arguments)

    @property
    def numbers(self) -> list[int]:
        return [n for a in self.arguments for n in a.numbers]


Columns: TypeAlias = Sequence[Poly]  # the numbers of calls, one after another


def of_poly(kind: str, poly: Poly) -> Argument:
    """An argument that is a polynomial."""
    return Argument(kind, tuple(poly), tuple(poly.values()))


# --------------------------------------------------------------------------- one after another


def write_calls(e: Emitter, calls: Sequence[KernelCall]) -> None:
    """The calls in order, what is repeated as a loop."""
    for begin, period, times in runs([call.shape for call in calls]):
        block = calls[begin : begin + period]
        if times == 1:
            _write_block(e, block, _same(block))
        else:
            rows = [calls[begin + k * period : begin + (k + 1) * period] for k in range(times)]
            _write_loop(e, block, rows)


def runs(shapes: Sequence[object]) -> list[tuple[int, int, int]]:
    """(where it begins, how many calls it has, how often it is repeated) of every run; 1, 1 for a call alone."""
    places: dict[object, int] = {}
    keys = [places.setdefault(shape, len(places)) for shape in shapes]
    found, begin = [], 0
    while begin < len(keys):
        period, times = _repeated(keys, begin)
        found.append((begin, period, times))
        begin += period * times
    return found


def _repeated(keys: Sequence[int], begin: int) -> tuple[int, int]:
    """Of the runs that begin here and are repeated the one that most calls are in, the shortest of these."""
    best = 1, 1
    for period in range(1, min(LONGEST, (len(keys) - begin) // LEAST) + 1):
        end = begin + period
        while end < len(keys) and keys[end] == keys[end - period]:
            end += 1
        times = (end - begin) // period
        if times >= LEAST and times * period > best[0] * best[1]:
            best = period, times
    return best


def _write_loop(e: Emitter, block: Sequence[KernelCall], rows: Sequence[Sequence[KernelCall]]) -> None:
    count = constant(len(rows), e.index)
    e.text.loop(count, True, _stored(rows), False, lambda k: _write_block(e, block, _columns(e, rows, k)))


def _stored(rows: Sequence[Sequence[KernelCall]]) -> frozenset[str]:
    return frozenset(alias for row in rows for call in row for alias in call.stored)


def _write_block(e: Emitter, block: Sequence[KernelCall], columns: Columns) -> None:
    at = 0
    for call in block:
        texts = []
        for argument in call.arguments:
            texts.append(_text(e, argument, columns[at : at + len(argument.numbers)]))
            at += len(argument.numbers)
        e.text.line(f"{call.head}({', '.join(texts)})")
        for alias in call.stored:
            e.text.wrote(alias)


def _text(e: Emitter, argument: Argument, numbers: Columns) -> str:
    """An argument with its type."""
    if argument.kind not in _NUMBERED:
        return argument.kind
    value: Poly = {}
    for monomial, coefficient in zip(argument.form, numbers, strict=True):
        value = add(value, multiply({monomial: 1}, coefficient))
    return _NUMBERED[argument.kind](e, value).typed


def _in_workspace(e: Emitter, offset: Poly) -> V:
    return e.text.define("ptr", 0, f"getelementptr i8, ptr %workspace, {integer(e, offset).typed}")


def _of_caller(arrays: str, e: Emitter, place: Poly) -> V:
    order = known(place)
    step = integer(e, place).typed if order is None else f"i32 {order}"
    where = e.text.define("ptr", 0, f"getelementptr ptr, ptr {arrays}, {step}")
    return e.text.define("ptr", 0, f"load ptr, ptr {where.text}")


_NUMBERED: dict[str, Callable[[Emitter, Poly], V]] = {
    "": integer,
    "%workspace": _in_workspace,
    **{arrays: partial(_of_caller, arrays) for arrays in ("%in", "%out")},
}


def address(e: Emitter, argument: Argument) -> V:
    """An argument that is an address, by itself."""
    return V(_text(e, argument, [number(n) for n in argument.numbers]).removeprefix("ptr "), "ptr")


# --------------------------------------------------------------------------- numbers


def _same(block: Sequence[KernelCall]) -> Columns:
    return [number(n) for call in block for n in call.numbers]


def _columns(e: Emitter, rows: Sequence[Sequence[KernelCall]], k: V) -> Columns:
    """The numbers of the calls of row k: what is computed of k, and what is read from a table."""
    e.atoms[k.text] = k
    e.unsigned.add(k.text)
    columns = list(zip(*([n for call in row for n in call.numbers] for row in rows), strict=True))
    uneven = [column for column in columns if not _is_even(column)]
    table = e.table([n for row in zip(*uneven, strict=True) for n in row]) if uneven else ""
    found, read = [], 0
    for column in columns:
        if _is_even(column):
            step = column[1] - column[0]
            found.append(add(number(column[0]), {(k.text,): step} if step else {}))
        else:
            place = integer(e, {(k.text,): len(uneven), (): read} if read else {(k.text,): len(uneven)})
            where = e.text.define("ptr", 0, f"getelementptr {e.index}, ptr {table}, {place.typed}")
            found.append(opaque(e, e.text.define(e.index, 0, f"load {e.index}, ptr {where.text}"), False))
            read += 1
    return found


def _is_even(column: Sequence[int]) -> bool:
    return all(b - a == column[1] - column[0] for a, b in pairwise(column))


# --------------------------------------------------------------------------- one of many


class ChosenCalls(NamedTuple):
    """What is chosen where a number is from `least` on, and less than `bound` (None: not known here): calls alone, or
    any other body.
    """

    least: Poly | None
    bound: Poly | None
    body: Body
    calls: Sequence[KernelCall] | None


def choices(e: Emitter, stmt: If) -> list[ChosenCalls]:
    """What a tree of conditions on one number chooses from, in order; nothing where it is small."""
    found = list(_leaves((stmt,), stmt, None, None))
    if len(found) < LEAST:
        return []
    return [ChosenCalls(_poly(e, least), _poly(e, bound), body, _calls(e, body)) for least, bound, body in found]


def _poly(e: Emitter, bound: IntExpr | None) -> Poly | None:
    return None if bound is None else evaluate(e, bound)


def _leaves(
    body: Body, root: If, least: IntExpr | None, bound: IntExpr | None
) -> Iterator[tuple[IntExpr | None, IntExpr | None, Body]]:
    stmt = body[0] if len(body) == 1 else None
    if isinstance(stmt, If) and stmt.condition.op == "lt" and stmt.condition.left == root.condition.left:
        middle = stmt.condition.right
        yield from _leaves(stmt.then, root, least, middle)
        yield from _leaves(stmt.orelse, root, middle, bound)
    else:
        yield least, bound, body


def _calls(e: Emitter, body: Body) -> list[KernelCall] | None:
    """The calls that a body is made of; None where anything else is in it."""
    found = [call for _, call in calls_among(body, e.calls)]
    return None if None in found else [call(e) for call in found if call is not None]


def write_choices(e: Emitter, which: Poly, of: Sequence[ChosenCalls], emit_body: EmitBody) -> None:
    """What a number chooses from, several that differ in numbers alone as one."""
    groups: list[Sequence[ChosenCalls]] = []
    shapes = [_shape(each) for each in of]
    begin = 0
    while begin < len(of):
        end = begin + 1
        while shapes[begin] is not None and end < len(of) and shapes[end] == shapes[begin]:
            end += 1
        end = end if end - begin >= LEAST else begin + 1
        groups.append(of[begin:end])
        begin = end
    _write_halves(e, which, groups, emit_body)


def _shape(choice: ChosenCalls) -> object:
    """What those have in common that are written as one, each for one number; None for others."""
    least, bound, _, calls = choice
    if not calls or least is None or bound is None or known(add(bound, multiply(number(-1), least))) != 1:
        return None
    return tuple(call.shape for call in calls)


def _write_halves(e: Emitter, which: Poly, groups: Sequence[Sequence[ChosenCalls]], emit_body: EmitBody) -> None:
    if len(groups) == 1:
        _write_group(e, which, groups[0], emit_body)
        return
    half = len(groups) // 2
    bound = groups[half - 1][-1].bound
    assert bound is not None
    before = e.text.binary("icmp slt", integer(e, which), integer(e, bound), "i1")
    then, orelse = (partial(_write_halves, e, which, side, emit_body) for side in (groups[:half], groups[half:]))
    e.text.branch(before, then, orelse)


def _write_group(e: Emitter, which: Poly, group: Sequence[ChosenCalls], emit_body: EmitBody) -> None:
    least, _, body, calls = group[0]
    if calls is None:
        emit_body(e, body)
    elif len(group) == 1:
        write_calls(e, calls)
    else:
        assert least is not None
        order = integer(e, add(which, multiply(number(-1), least)))
        rows = [choice.calls for choice in group if choice.calls is not None]
        _write_block(e, calls, _columns(e, rows, order))
        for alias in _stored(rows):
            e.text.wrote(alias)
