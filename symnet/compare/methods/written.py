"""The loss as a function of another library: the source that symnet writes for it, run.

In: a `LossAtPoint`, a library.  Out: a Python function of its arrays.
The text is that of `f.source(…)`: the loss in the algebra form, with the library's own stable log-sum-exp and softmax;
no derivative of symnet's is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symnet.compare.problem import LossAtPoint
from symnet.errors import DependencyError, explain
from symnet.expr.nodes.symbols import leaves
from symnet.expr.sympy.bodies import opened
from symnet.source.dialects import DIALECTS
from symnet.source.module import WRITERS, source
from symnet.source.writer import FunctionWriter


def loss_text(problem: LossAtPoint, library: str) -> str:
    """A module of the library's with one function, `loss`, of all leaves: first those that are differentiated by."""
    return source("loss", library, [problem.root], ordered(problem), ["value"], 0, problem.dtype)


def loss_as_written(problem: LossAtPoint, library: str) -> str:
    """The same without any algebra: operation by operation what the user wrote."""
    writer = FunctionWriter(DIALECTS[library], WRITERS, ordered(problem), problem.dtype)
    return writer.module("loss", [problem.root], [opened(problem.root)], ["value"], 0)


def ordered(problem: LossAtPoint) -> list[Any]:
    """The leaves in the order of the arguments."""
    return [*problem.wrt, *(leaf for leaf in leaves(problem.root) if leaf not in problem.wrt)]


def loss_function(problem: LossAtPoint, library: str) -> Callable[..., Any]:
    """The function that the text defines."""
    namespace: dict[str, Any] = {}
    exec(compile(loss_text(problem, library), f"<the loss for {library}>", "exec"), namespace)
    found: Callable[..., Any] = namespace["loss"]
    return found


def flattened(found: Any) -> Sequence[Any]:
    """The arrays of tuples in tuples, in order."""
    return [a for each in found for a in flattened(each)] if isinstance(found, (tuple, list)) else [found]


def missing(package: str, error: ImportError) -> DependencyError:
    """What to install."""
    mend = "Run pip install 'symnet[compare]'."
    return DependencyError(explain("compare(…, against=…)", package, str(error), mend))
