"""How outputs are handed back: one array, a tuple, a dict, or a nest of them, as plain data.

In: a *template*, whose leaves are positions in the list of outputs, or patterns of compressed arrays.  Out: the same
nest of arrays.

    0                           one array
    (0, (1, 2))                 (loss, (g1, g2))
    (0, {"W": 1, "b": 2})       (loss, {"W": g1, "b": g2})

A template can be pickled and written into files, so cached and exported functions answer like fresh ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from symnet.runtime.compressed import Pattern  # with it comes what only compressed arrays need

Template = Any  # int | Pattern | tuple[Template, ...] | list[Template] | dict[key, Template]


def default_template(count: int) -> Template:
    """One output stands alone; several make a tuple."""
    return 0 if count == 1 else tuple(range(count))


def arrange(template: Template, leaves: Sequence[Any], dims: Mapping[str, int] | None = None) -> Any:
    """The template with every position replaced by that leaf, every pattern by a compressed array."""
    if is_pattern(template):
        return template.filled(leaves, dims or {})
    return _ARRANGE[type(template)](template, leaves, dims or {})


def is_pattern(template: Template) -> TypeGuard[Pattern]:
    """Whether a compressed array stands here: what is no position and no nest of templates."""
    return type(template) not in _ARRANGE


_ARRANGE: dict[type, Callable[[Any, Sequence[Any], Mapping[str, int]], Any]] = {
    int: lambda template, leaves, dims: leaves[template],
    tuple: lambda template, leaves, dims: tuple([arrange(inner, leaves, dims) for inner in template]),
    list: lambda template, leaves, dims: [arrange(inner, leaves, dims) for inner in template],
    dict: lambda template, leaves, dims: {key: arrange(inner, leaves, dims) for key, inner in template.items()},
}


def arranger(template: Template, ranks: Sequence[int]) -> Callable[[Sequence[Any]], Any] | None:
    """What `arrange` gives for fresh arrays of such ranks, those of rank 0 as NumPy's scalars; None where the template
    has patterns.  It is a display of Python's, such as `lambda a: (a[0][()], [a[1], a[2]])`.
    """
    leaves = flat(template)
    if not all(type(leaf) is int for leaf in leaves):
        return None
    parts: dict[str, Any] = {}
    named = refilled(template, [_Element(f"a[{k}]" if ranks[k] else f"a[{k}][()]") for k in leaves])
    display = _display(named, parts)
    made: Callable[[Sequence[Any]], Any] = eval(f"lambda a: {display}", parts)
    return made


class _Element(str):
    """The text that stands in a display for an element of a list."""


def copier(arranged: Any) -> Callable[[], Any] | None:
    """Gives an arrangement again and again, its lists and dicts afresh: what a caller does to one stays there.

    None where there is neither list nor dict.  It is a display of Python's, such as `lambda: (p0, [p1, p2])`: a bound
    step asks at every call.
    """
    parts: dict[str, Any] = {}
    display = _display(arranged, parts)
    made: Callable[[], Any] = eval(f"lambda {', '.join(f'{name}={name}' for name in parts)}: {display}", parts.copy())
    return made if "[" in display or "{" in display else None


def _display(arranged: Any, parts: dict[str, Any]) -> str:
    """The text of an arrangement over names; `parts` gets what they stand for."""
    if isinstance(arranged, dict):
        pairs = (f"{_display_part(key, parts)}: {_display(inner, parts)}" for key, inner in arranged.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(arranged, list):
        return f"[{', '.join(_display(inner, parts) for inner in arranged)}]"
    if type(arranged) is _Element:
        return arranged
    if type(arranged) is tuple:
        return f"({''.join(_display(inner, parts) + ', ' for inner in arranged)})"
    return _display_part(arranged, parts)


def _display_part(part: Any, parts: dict[str, Any]) -> str:
    name = f"p{len(parts)}"
    parts[name] = part
    return name


def factors_only(template: Template) -> Template:
    """The template with a tuple of its factors' positions for every pattern: what files can say."""
    if is_pattern(template):
        return template.positions
    if isinstance(template, dict):
        return {key: factors_only(inner) for key, inner in template.items()}
    return type(template)(map(factors_only, template)) if isinstance(template, tuple | list) else template


def flat(template: Template) -> tuple[Any, ...]:
    """The positions and patterns of a template, from left to right."""
    if isinstance(template, tuple | list | dict):
        inner = template.values() if isinstance(template, dict) else template
        return tuple(leaf for part in inner for leaf in flat(part))
    return (template,)


def refilled(template: Template, found: Sequence[Any]) -> Template:
    """The template with other leaves in the places of its own, from left to right."""
    supply = iter(found)

    def fill(part: Template) -> Template:
        if isinstance(part, dict):
            return {key: fill(inner) for key, inner in part.items()}
        return type(part)(map(fill, part)) if isinstance(part, tuple | list) else next(supply)

    return fill(template)
