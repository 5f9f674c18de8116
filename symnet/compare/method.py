"""What every way to a derivative offers to the comparison.

In: a `LossAtPoint`.  Out: a `Method`: an answer, calls to be timed, and what they cost.  A new peer (another framework)
is one more subclass in a file of its own under `methods/`, and one more line in `methods/registry.py`.

Making a method prepares it: what is done there is timed as preparation, apart from `load`, which imports what it needs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symnet.arrays import Array
from symnet.compare.memory import peak_bytes
from symnet.loops.weights import Operations


@dataclass(frozen=True)
class FoundDerivatives:
    """What a method found.

    Attributes:
        value: the loss.
        arrays: one for each of `LossAtPoint.results`.
        computed: which elements were computed, one array of truth values for each; None where all were.
    """

    value: float
    arrays: Sequence[Array]
    computed: Sequence[Array] | None = None


class Method(ABC):
    """A way to compute a value and derivatives.

    Attributes:
        name: for the table.
        family: "symbolic", "reverse", "forward", "differences" or "given".
        how: one sentence: what runs.
        offers: of `KINDS`, those that it computes.
        needs: the package that it needs beside symnet; the empty string if none.
        note: what a reader must know of its figures; the empty string if nothing.
    """

    name: str
    family: str
    how: str
    offers: tuple[str, ...] = ("gradient",)
    needs: str = ""
    note: str = ""

    @classmethod
    def load(cls) -> None:
        """Import what it needs.

        Raises:
            DependencyError: it is not installed.
        """
        return

    @abstractmethod
    def call(self) -> Any:
        """Do once the work that is timed, to its very end."""

    @abstractmethod
    def answer(self) -> FoundDerivatives:
        """Value and derivatives."""

    @property
    def loss_call(self) -> Callable[[], Any] | None:
        """What computes the loss alone by the same means; None where nothing does."""
        return None

    @property
    def calls(self) -> float:
        """How often the timed work runs for all derivatives."""
        return 1.0

    @property
    def operations(self) -> Operations | None:
        """Operations of all derivatives and the value, as they are executed (`loops/weights.py` says what counts)."""
        return None

    @property
    def loss_operations(self) -> Operations | None:
        """Operations of the loss alone."""
        return None

    @property
    def peak_bytes(self) -> int | None:
        """The most bytes that were allocated at once, arguments apart; None where they cannot be measured."""
        return peak_bytes(self.allocate)

    def close(self) -> None:
        """Put back what was set for the time of the comparison."""
        return

    def allocate(self) -> Any:
        """From arguments to results, all memory included: what `peak_bytes` looks at."""
        return self.call()
