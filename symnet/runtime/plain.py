"""Frozen dataclasses as plain data (what JSON can say) and back, by the types of their fields.

In: a value and its declared type.  Out: numbers, strings, lists and dicts of them; and the value again, or
`PlainDataError` where the data are not of that type.  Nothing is constructed that the type does not name.

    Signature(name="mlp", dims=("m",), …)  ↔  {"name": "mlp", "dims": ["m"], …}
    IntAdd(IntVar("m"), IntConst(1))       ↔  {"IntAdd": {"left": {"IntVar": {"name": "m"}}, "right": …}}
    (0, {"W": 1})  as a `Template`         ↔  {"tuple": [0, {"dict": [["W", 1]]}]}

Not handled: types beyond those of a signature and of a template; keys of a template that are neither text nor numbers.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import lru_cache
from typing import Any, get_args, get_origin, get_type_hints

from symnet.loops.integers import IntAdd, IntConst, IntExpr, IntFloorDiv, IntMin, IntMod, IntMul, IntVar
from symnet.runtime.compressed import Pattern
from symnet.runtime.template import Template

_EXTENTS: dict[str, type] = {
    kind.__name__: kind for kind in (IntConst, IntVar, IntAdd, IntMul, IntMin, IntFloorDiv, IntMod)
}
_KEYS = (str, int, float, bool, type(None))  # of a dict in a template


class PlainDataError(ValueError):
    """Data that are not of the declared type, or a value that plain data cannot say."""


def to_plain(value: Any, kind: Any) -> Any:
    """A value of a type as plain data."""
    return _coder(kind)[0](value, kind)


def from_plain(plain: Any, kind: Any) -> Any:
    """The value that `to_plain` was given.

    Raises:
        PlainDataError: when the data are of another form.
    """
    return _coder(kind)[1](plain, kind)


def _refuse(found: Any, kind: Any) -> PlainDataError:
    return PlainDataError(f"a {type(found).__name__} where {getattr(kind, '__name__', kind)} belongs")


def _coder(kind: Any) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    if is_dataclass(kind):
        return _fields_to_plain, _fields_from_plain
    return _CODERS[get_origin(kind) or kind]


# --------------------------------------------------------------------------- one type of data each


def _same(value: Any, kind: Any) -> Any:
    """A text, a number, or None, exactly of its type."""
    if type(value) is not kind:
        raise _refuse(value, kind)
    return value


def _number(value: Any, kind: Any) -> Any:
    if type(value) not in (int, float):
        raise _refuse(value, kind)
    return value


def _tuple_to_plain(value: Any, kind: Any) -> list[Any]:
    return [to_plain(item, of) for item, of in zip(value, _item_kinds(value, kind), strict=True)]


def _tuple_from_plain(plain: Any, kind: Any) -> tuple[Any, ...]:
    if type(plain) is not list:
        raise _refuse(plain, kind)
    return tuple(from_plain(item, of) for item, of in zip(plain, _item_kinds(plain, kind), strict=True))


def _item_kinds(items: Any, kind: Any) -> list[Any]:
    kinds = get_args(kind)
    if kinds[-1:] == (...,):
        return [kinds[0]] * len(items)
    if len(kinds) != len(items):
        raise _refuse(items, kind)
    return list(kinds)


def _set_to_plain(value: Any, kind: Any) -> list[Any]:
    return [to_plain(item, get_args(kind)[0]) for item in sorted(value)]


def _set_from_plain(plain: Any, kind: Any) -> frozenset[Any]:
    if type(plain) is not list:
        raise _refuse(plain, kind)
    return frozenset(from_plain(item, get_args(kind)[0]) for item in plain)


def _union_to_plain(value: Any, kind: Any) -> Any:
    return None if value is None else to_plain(value, _member(kind))


def _union_from_plain(plain: Any, kind: Any) -> Any:
    return None if plain is None else from_plain(plain, _member(kind))


def _member(kind: Any) -> Any:
    """The one type that stands beside None in a union."""
    return next(each for each in get_args(kind) if each is not type(None))


# --------------------------------------------------------------------------- dataclasses


@lru_cache(maxsize=64)
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _fields(kind: Any) -> dict[str, Any]:
    """The fields of a dataclass, and their types."""
    return _hints(kind)


def _fields_to_plain(value: Any, kind: Any) -> dict[str, Any]:
    if type(value) is not kind:
        raise _refuse(value, kind)
    return {name: to_plain(getattr(value, name), of) for name, of in _fields(kind).items()}


def _fields_from_plain(plain: Any, kind: Any) -> Any:
    if type(plain) is not dict or plain.keys() != _fields(kind).keys():
        raise _refuse(plain, kind)
    return kind(**{name: from_plain(plain[name], of) for name, of in _fields(kind).items()})


def _extent_to_plain(value: Any, kind: Any) -> dict[str, Any]:
    name = type(value).__name__
    return {name: _fields_to_plain(value, _named(name, kind))}


def _extent_from_plain(plain: Any, kind: Any) -> Any:
    name, inner = _tagged(plain, kind)
    found = _fields_from_plain(inner, _named(name, kind))
    if isinstance(found, IntFloorDiv | IntMod) and found.divisor < 1:
        raise _refuse(plain, kind)
    return found


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
    if isinstance(template, Pattern):
        return {"pattern": to_plain(template, Pattern)}
    if type(template) in (tuple, list):
        return {type(template).__name__: list(map(template_to_plain, template))}
    if type(template) is not dict or not all(type(key) in _KEYS for key in template):
        raise _refuse(template, "a template")
    return {"dict": [[key, template_to_plain(inner)] for key, inner in template.items()]}


def template_from_plain(plain: Any) -> Template:
    """The template that `template_to_plain` was given."""
    if plain is None or type(plain) is int:
        return plain
    tag, inner = _tagged(plain, "a template")
    if tag == "pattern":
        return from_plain(inner, Pattern)
    if type(inner) is not list or tag not in ("tuple", "list", "dict"):
        raise _refuse(plain, "a template")
    if tag == "dict":
        return {_key(pair): template_from_plain(pair[1]) for pair in inner}
    return (tuple if tag == "tuple" else list)(map(template_from_plain, inner))


def _key(pair: Any) -> Any:
    if type(pair) is not list or len(pair) != 2 or type(pair[0]) not in _KEYS:
        raise _refuse(pair, "a key and its template")
    return pair[0]


_CODERS: dict[Any, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    **dict.fromkeys((str, int, bool), (_same, _same)),
    float: (_number, _number),
    tuple: (_tuple_to_plain, _tuple_from_plain),
    frozenset: (_set_to_plain, _set_from_plain),
    types.UnionType: (_union_to_plain, _union_from_plain),
    IntExpr: (_extent_to_plain, _extent_from_plain),
}
