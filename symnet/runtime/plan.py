"""What the shapes of the arguments determine, found before native code runs.

In: extents by name, found in the arguments (`arguments.py`).  Out: `CallPlan`, which a function keeps by shapes
(`function.py`) and a bound step keeps for good (`bind.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symnet.runtime.threads import Job


@dataclass(slots=True)
class CallPlan:
    """The sizes of one call.

    `dims`: the extents by name; `inputs` and `shapes`: the shapes of the inputs and of the outputs; `c_dims`: the
    extents as native code takes them; `run`: a call (in, out, dims, workspace, workspace_bytes) → code; `job`: how
    threads share it, None where one runs it; `repeat`: the call that takes arrays of these sizes alone (`repeated.py`),
    if there is one, once it is `tried`.
    """

    dims: dict[str, int]
    inputs: tuple[tuple[int, ...], ...]
    shapes: tuple[tuple[int, ...], ...]
    c_dims: Any
    workspace_bytes: int
    run: Callable[..., int]
    job: Job | None = None
    repeat: Callable[[Any], Any] | None = None
    tried: bool = False
