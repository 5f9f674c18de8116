"""The names of the ways to a derivative.

In: what the user passed as `against`.  Out: a factory for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from symnet.compare.method import Method
from symnet.compare.methods.complex_step import ComplexStep
from symnet.compare.methods.differences import Differences, ProductDifferences, Richardson
from symnet.compare.methods.duals import DualNumbers
from symnet.compare.methods.jax_peers import JaxEager, JaxForward, JaxJit
from symnet.compare.methods.own import Own
from symnet.compare.methods.scalar_tape import ScalarTaped
from symnet.compare.methods.tape import Taped
from symnet.compare.methods.torch_peers import TorchCompiled, TorchEager, TorchForward
from symnet.compare.problem import LossAtPoint
from symnet.errors import ArgumentError, explain

METHODS: dict[str, type[Method]] = {
    "tape": Taped,
    "scalar tape": ScalarTaped,
    "dual numbers": DualNumbers,
    "complex step": ComplexStep,
    "differences": Differences,
    "richardson": Richardson,
    "product differences": ProductDifferences,
    "jax": JaxJit,
    "jax eager": JaxEager,
    "jax forward": JaxForward,
    "torch": TorchEager,
    "torch compile": TorchCompiled,
    "torch forward": TorchForward,
}
USUAL = {
    "gradient": ("tape", "differences"),
    "hvp": ("tape", "product differences"),
    "hessian": ("tape",),
}

Factory = Callable[[LossAtPoint], Method]


def chosen(against: Any, of: str) -> list[tuple[type[Method], Factory]]:
    """Class and factory of each method that is asked for.

    Args:
        against: None for the usual ones; a name of `METHODS`, several, separated by commas or in a list; "all", which
            are those that need nothing to be installed; or a dict {name: function}; or a list of names and dicts.
        of: what is compared, by which the usual ones go.

    Raises:
        ArgumentError: an unknown name, or something that cannot be called.
    """
    return [found for each in _listed(against, of) for found in _one(each, of)]


def _listed(against: Any, of: str) -> list[Any]:
    if against is None:
        return list(USUAL[of])
    if isinstance(against, str):
        return [name.strip() for name in against.split(",") if name.strip()]
    if isinstance(against, Mapping) or not isinstance(against, Iterable):
        return [against]
    return list(against)


def _one(each: Any, of: str) -> list[tuple[type[Method], Factory]]:
    if isinstance(each, Mapping):
        return [(Own, partial(Own, str(name), _callable(name, function))) for name, function in each.items()]
    if each == "all":
        return [(kind, kind) for kind in METHODS.values() if not kind.needs and of in kind.offers]
    if each not in METHODS:
        expected = ", ".join(map(repr, METHODS))
        mend = 'Write against=["tape", {"mine": function}].'
        raise ArgumentError(explain("compare(…, against=…)", f"{expected}, or functions by name", repr(each), mend))
    return [(METHODS[each], METHODS[each])]


def _callable(name: Any, function: Any) -> Callable[..., Any]:
    if callable(function):
        return function  # what it takes and gives is checked when it answers
    call = f"compare(…, against={{{name!r}: …}})"
    mend = "Give a function of the leaves by keyword that returns (loss, gradients)."
    raise ArgumentError(explain(call, "a function", type(function).__name__, mend))
