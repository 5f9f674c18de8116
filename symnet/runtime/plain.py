"""Frozen dataclasses and named tuples as plain data (what JSON can say) and back, by the types of their fields.

In: a value and its declared type.  Out: numbers, strings, lists and dicts of them; and the value again, or
`PlainDataError` where the data are not of that type.  Nothing is constructed that the type does not name.

    Signature(name="mlp", dims=("m",), …)  ↔  {"name": "mlp", "dims": ["m"], …}
    IntAdd(IntVar("m"), IntConst(1))       ↔  {"IntAdd": {"left": {"IntVar": {"name": "m"}}, "right": …}}
    (0, {"W": 1})  as a `Template`         ↔  {"tuple": [0, {"dict": [["W", 1]]}]}

Not handled: types beyond those of a signature and of a template; keys of a template that are neither text nor numbers.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from dataclasses import is_dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from symnet.loops.integers import IntAdd, IntConst, IntExpr, IntFloorDiv, IntMin, IntMod, IntMul, IntVar
from symnet.runtime.template import Template

if TYPE_CHECKING:
    from symnet.runtime.compressed import Pattern

_EXTENTS: dict[str, type] = {
    kind.__name__: kind for kind in (IntConst, IntVar, IntAdd, IntMul, IntMin, IntFloorDiv, IntMod)
}
_KEYS = (str, int, float, bool, type(None))  # of a dict in a template


class PlainDataError(ValueError):
    """Data that are not of the declared type, or a value that plain data cannot say."""


Coder = Callable[[Any], Any]


def to_plain(value: Any, kind: Any) -> Any:
    """A value of a type as plain data."""
    return _coders(kind)[0](value)


def from_plain(plain: Any, kind: Any) -> Any:
    """The value that `to_plain` was given.

    Raises:
        PlainDataError: when the data are of another form.
    """
    return _coders(kind)[1](plain)


def _refuse(found: Any, kind: Any) -> PlainDataError:
    return PlainDataError(f"a {type(found).__name__} where {getattr(kind, '__name__', kind)} belongs")


@lru_cache(maxsize=256)
def _coders(kind: Any) -> tuple[Coder, Coder]:
    """What writes values of a type, and what reads them: made once, since a signature has hundreds of values."""
    return _fields(kind) if is_dataclass(kind) or hasattr(kind, "_fields") else _CODERS[get_origin(kind) or kind](kind)


# --------------------------------------------------------------------------- one type of data each


def _same(kind: Any) -> tuple[Coder, Coder]:
    """A text or a number, exactly of its type."""

    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise _refuse(value, kind)
        return value

    return check, check


def _number(kind: Any) -> tuple[Coder, Coder]:
    def check(value: Any) -> Any:
        if type(value) not in (int, float):
            raise _refuse(value, kind)
        return value

    return check, check


def _tuple(kind: Any) -> tuple[Coder, Coder]:
    """A tuple of any length, or one with a type for every place."""
    kinds = get_args(kind)
    if kinds[-1:] == (...,):
        write, read = _coders(kinds[0])
        return lambda value: list(map(write, value)), lambda plain: tuple(map(read, _listed(plain, kind)))
    writers, readers = zip(*map(_coders, kinds), strict=True)

    def each(coders: Iterable[Coder], items: Any) -> list[Any]:
        if len(items) != len(kinds):
            raise _refuse(items, kind)
        return [coder(item) for coder, item in zip(coders, items, strict=True)]

    return lambda value: each(writers, value), lambda plain: tuple(each(readers, _listed(plain, kind)))


def _set(kind: Any) -> tuple[Coder, Coder]:
    write, read = _coders(get_args(kind)[0])
    return lambda value: list(map(write, sorted(value))), lambda plain: frozenset(map(read, _listed(plain, kind)))


def _listed(plain: Any, kind: Any) -> list[Any]:
    if type(plain) is not list:
        raise _refuse(plain, kind)
    return plain


def _union(kind: Any) -> tuple[Coder, Coder]:
    """None, or a value of the one type that stands beside it."""
    write, read = _coders(next(each for each in get_args(kind) if each is not type(None)))

    def unless_none(coder: Coder) -> Coder:
        return lambda value: None if value is None else coder(value)

    return unless_none(write), unless_none(read)


# --------------------------------------------------------------------------- records


def _fields(kind: Any) -> tuple[Coder, Coder]:
    coders = {name: _coders(of) for name, of in get_type_hints(kind).items()}
    readers = [(name, read) for name, (_, read) in coders.items()]

    def write(value: Any) -> dict[str, Any]:
        if type(value) is not kind:
            raise _refuse(value, kind)
        return {name: to(getattr(value, name)) for name, (to, _) in coders.items()}

    def read(plain: Any) -> Any:
        if type(plain) is not dict or plain.keys() != coders.keys():
            raise _refuse(plain, kind)
        return kind(**{name: read(plain[name]) for name, read in readers})

    return write, read


def _extent(kind: Any) -> tuple[Coder, Coder]:
    """An integer expression: one key, the name of its class."""

    def write(value: Any) -> dict[str, Any]:
        name = type(value).__name__
        return {name: to_plain(value, _named(name, kind))}

    def read(plain: Any) -> Any:
        name, inner = _tagged(plain, kind)
        found = from_plain(inner, _named(name, kind))
        if isinstance(found, IntFloorDiv | IntMod) and found.divisor < 1:
            raise _refuse(plain, kind)
        return found

    return write, read


def _named(name: str, kind: Any) -> type:
    if name not in _EXTENTS:
        raise PlainDataError(f"{name} where {kind.__name__} belongs")
    return _EXTENTS[name]


def _tagged(plain: Any, kind: Any) -> tuple[str, Any]:
    """The one key of a dict, and its value."""
    if type(plain) is not dict or len(plain) != 1:
        raise _refuse(plain, kind)
    return next(iter(plain.items()))


# --------------------------------------------------------------------------- templates


def template_to_plain(template: Template) -> Any:
    """A template of `runtime/template.py`; None stands for the usual one."""
    if template is None or type(template) is int:
        return template
    if type(template) in (tuple, list):
        return {type(template).__name__: list(map(template_to_plain, template))}
    if type(template) is not dict:
        return {"pattern": to_plain(template, _pattern())}
    if not all(type(key) in _KEYS for key in template):
        raise _refuse(template, "a template")
    return {"dict": [[key, template_to_plain(inner)] for key, inner in template.items()]}


def template_from_plain(plain: Any) -> Template:
    """The template that `template_to_plain` was given."""
    if plain is None or type(plain) is int:
        return plain
    tag, inner = _tagged(plain, "a template")
    if tag == "pattern":
        return from_plain(inner, _pattern())
    if type(inner) is not list or tag not in ("tuple", "list", "dict"):
        raise _refuse(plain, "a template")
    if tag == "dict":
        return {_key(pair): template_from_plain(pair[1]) for pair in inner}
    return (tuple if tag == "tuple" else list)(map(template_from_plain, inner))


def _pattern() -> type[Pattern]:
    """Of a compressed array; with it comes what only such arrays need."""
    from symnet.runtime.compressed import Pattern

    return Pattern


def _key(pair: Any) -> Any:
    if type(pair) is not list or len(pair) != 2 or type(pair[0]) not in _KEYS:
        raise _refuse(pair, "a key and its template")
    return pair[0]


_CODERS: dict[Any, Callable[[Any], tuple[Coder, Coder]]] = {
    **dict.fromkeys((str, int, bool), _same),
    float: _number,
    tuple: _tuple,
    frozenset: _set,
    types.UnionType: _union,
    IntExpr: _extent,
}
