"""How outputs are handed back: one array, a tuple, a dict, or a nest of them, as plain data.

In: a *template*, whose leaves are positions in the list of outputs.  Out: the same nest of arrays.

    0                           one array
    (0, (1, 2))                 (loss, (g1, g2))
    (0, {"W": 1, "b": 2})       (loss, {"W": g1, "b": g2})

A template can be pickled and written into files, so cached and exported functions answer like fresh ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Template = Any  # int | tuple[Template, ...] | list[Template] | dict[key, Template]


def default_template(count: int) -> Template:
    """One output stands alone; several make a tuple."""
    return 0 if count == 1 else tuple(range(count))


def arrange(template: Template, leaves: Sequence[Any]) -> Any:
    """The template with every position replaced by that leaf."""
    return _ARRANGE[type(template)](template, leaves)


_ARRANGE: dict[type, Callable[[Any, Sequence[Any]], Any]] = {
    int: lambda template, leaves: leaves[template],
    tuple: lambda template, leaves: tuple([arrange(inner, leaves) for inner in template]),
    list: lambda template, leaves: [arrange(inner, leaves) for inner in template],
    dict: lambda template, leaves: {key: arrange(inner, leaves) for key, inner in template.items()},
}
