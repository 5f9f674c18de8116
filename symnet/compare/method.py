"""What every way of computing a gradient offers to the comparison.

In: a `LossAtPoint`.  Out: a `Method`: gradients, a call to be timed, and what it costs.  A new peer (another
framework) is one more subclass in a file of its own, and one more line in `METHODS` of `comparison.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symnet.arrays import Array
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.loops.weights import Operations


@dataclass(frozen=True)
class LossAtPoint:
    """A loss at a point.

    Attributes:
        root: rank 0, as the user wrote it.
        wrt: the leaves to differentiate by.
        data: name → contiguous array of `dtype` (integers as they are), for every leaf.
        dims: the value of every symbolic extent.
        dtype: float32 or float64.
    """

    root: Node
    wrt: tuple[Tensor, ...]
    data: Mapping[str, Array]
    dims: Mapping[Dim, int]
    dtype: str

    @property
    def in_float64(self) -> dict[str, Array]:
        return {name: a.astype("float64") if a.dtype.kind == "f" else a for name, a in self.data.items()}

    @property
    def parameters(self) -> int:
        """How many numbers the gradient has."""
        return sum(self.data[leaf.name].size for leaf in self.wrt)


class Method(ABC):
    """A way to compute a value and a gradient.

    Attributes:
        name: for the table.
        note: what a reader must know of its figures; the empty string if nothing.
    """

    name: str
    note: str = ""

    @abstractmethod
    def call(self) -> None:
        """Do once the work that is timed."""

    @abstractmethod
    def value(self) -> float:
        """The loss."""

    @abstractmethod
    def gradients(self) -> Sequence[Array]:
        """One array per leaf; NaN where a coordinate was not computed."""

    @property
    @abstractmethod
    def operations(self) -> Operations:
        """Operations of a whole gradient, as they are executed (`loops/weights.py` says what counts)."""

    @property
    @abstractmethod
    def kept(self) -> tuple[int, int]:
        """Intermediate values that are held in memory during a gradient: (how many arrays, bytes)."""

    @property
    def calls_per_gradient(self) -> float:
        """How often the timed work runs for a whole gradient."""
        return 1.0
