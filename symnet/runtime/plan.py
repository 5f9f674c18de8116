"""What the shapes of the arguments determine, found before native code runs.

In: extents by name, found in the arguments (`arguments.py`).  Out: `CallPlan`, which a function keeps by shapes
(`function.py`) and a bound step keeps for good (`bind.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class CallPlan:
    """The sizes of one call.

    `dims`: the extents by name; `inputs` and `shapes`: the shapes of the inputs and of the outputs; `c_dims`: the
    extents as native code takes them; `repeat`: the call that takes arrays of these sizes alone (`repeated.py`), if
    there is one, once it is `tried`.
    """

    dims: dict[str, int]
    inputs: tuple[tuple[int, ...], ...]
    shapes: tuple[tuple[int, ...], ...]
    c_dims: Any
    workspace_bytes: int
    repeat: Callable[[Any], Any] | None = None
    tried: bool = False
