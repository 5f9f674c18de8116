"""What the shapes of the arguments determine, found before native code runs.

In: extents by name, found in the arguments (`arguments.py`).  Out: `CallPlan`, which a function keeps by shapes
(`function.py`) and a bound step keeps for good (`bind.py`).
"""

from __future__ import annotations

from typing import Any, NamedTuple


class CallPlan(NamedTuple):
    """The sizes of one call.

    `dims`: the extents by name; `shapes`: of the outputs; `c_dims`: the extents as native code takes them.
    """

    dims: dict[str, int]
    shapes: tuple[tuple[int, ...], ...]
    c_dims: Any
    workspace_bytes: int
