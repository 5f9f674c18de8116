"""The callable that `lambdify` gives: positional arguments, nested as they were declared.

In: symbols, an `Arrangement`, what runs.  Out: `Lambdified`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from keyword import iskeyword
from typing import Any, final

from symnet.errors import ArgumentError, explain
from symnet.lambdify.arguments import Arrangement
from symnet.locks import BUILDING
from symnet.runtime.numbers import NumbersBuiltin


def _unknown(*values: Any) -> None:
    """Stands for `_direct` until a first call on floats alone has found whether there is a short way."""


@final
class Lambdified:
    """A native function of positional arguments.

    Attributes:
        names: of the arguments, for calls by keyword.
        compiled: the native functions made so far, by (which arguments are arrays, dtype).
    """

    recipe: Callable[[], Lambdified]

    def __init__(self, specs: list[Any], symbols: list[Any], plan: Arrangement, run: Any, text: str) -> None:
        self.names = tuple(str(s) if not isinstance(s, list) else f"arg{k}" for k, s in enumerate(specs))
        self.specs, self.symbols, self.plan, self.run = specs, symbols, plan, run
        self.nested = any(isinstance(s, list) for s in specs)
        self.__name__ = "lambdified"
        self.__doc__ = f"f({', '.join(self.names)}) = {text}\n\nMade by symnet.lambdify: native code."
        if all(n.isidentifier() and not iskeyword(n) for n in self.names) and len(set(self.names)) == len(self.names):
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            self.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in self.names])
        self.numbers: NumbersBuiltin | None = None
        self._direct: Callable[..., Any] = _unknown  # of floats, by position; None: not for these arguments
        self._single = plan.is_single

    def __reduce__(self) -> Any:
        """How it was made: symbols and expressions."""
        return self.recipe, ()

    def __copy__(self) -> Lambdified:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Lambdified:
        return self

    @property
    def compiled(self) -> dict[Any, Any]:
        return self.run.variants

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        """The values; see `lambdify`.

        Raises:
            ArgumentError: a missing, unknown or repeated argument.
            DTypeError: complex numbers or objects.
        """
        if not keywords:
            found = self._direct(*args)
            if found is not None:
                return found if self._single else self.plan.build(found)
        plain = not keywords and not self.nested and len(args) == len(self.specs)
        found = self._of_any(args if plain else self._flat(args, keywords))
        return found[0] if self._single else self.plan.build(found)

    def _flat(self, args: Sequence[Any], keywords: dict[str, Any]) -> list[Any]:
        """The values of the arguments, one for each symbol, in order."""
        if keywords or len(args) != len(self.specs):
            args = self._by_name(args, keywords)
        return [v for s, a in zip(self.specs, args, strict=True) for v in self._unpack(s, a)]

    def _of_any(self, values: Sequence[Any]) -> list[Any]:
        """The values of the cells; the first call on floats alone makes the short way for those that follow."""
        if not values or type(values[0]) is not float or not all(type(v) is float for v in values):
            return self.run(values)
        if self.numbers is None:
            with BUILDING:
                self.numbers = self.numbers or self.run.of_numbers()
        found = self.numbers.call(*values) if self.numbers else None
        if found is None:
            return self.run(values)
        if self.numbers and not self.nested:
            self._direct = self.numbers.call
        return list(found) if isinstance(found, tuple) else [found]

    def _by_name(self, args: Sequence[Any], keywords: dict[str, Any]) -> Sequence[Any]:
        call = f"f({', '.join(self.names)})"
        given = dict(zip(self.names, args, strict=False))
        unknown = [k for k in keywords if k not in self.names or k in given]
        missing = [n for n in self.names if n not in given and n not in keywords]
        if len(args) > len(self.names) or unknown or missing:
            got = f"{len(args)} by position" + (f" and {', '.join(keywords)} by keyword" if keywords else "")
            mend = f"Give {', '.join(missing)}." if missing else "Give each argument once."
            raise ArgumentError(explain(call, f"{len(self.names)} arguments", got, mend))
        return [given[n] if n in given else keywords[n] for n in self.names]

    def _unpack(self, spec: Any, value: Any) -> list[Any]:
        if not isinstance(spec, list):
            return [value]
        if not hasattr(value, "__len__") or len(value) != len(spec):
            got = f"{len(value)}" if hasattr(value, "__len__") else type(value).__name__
            raise ArgumentError(explain(f"f(…{spec}…)", f"{len(spec)} values", got, "Give one value per symbol."))
        return [v for s, part in zip(spec, value, strict=True) for v in self._unpack(s, part)]

    def __repr__(self) -> str:
        return f"<lambdified f({', '.join(self.names)}) of {len(self.plan.cells)} expressions>"
