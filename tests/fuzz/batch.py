"""A batch of random graphs from one seed: checked, and on a failure shrunk by hypothesis.

In: a seed, a number of graphs, how far to check them.  Out: counts of what was compared; or a `Failure` that holds the
smallest graph found and the first floor that disagrees.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import hypothesis
from hypothesis import HealthCheck, Phase

from tests.chain import Disagreement
from tests.fuzz.checks import check
from tests.fuzz.graphs import RandomGraph, graphs

Check = Callable[[RandomGraph], "Counter[str]"]


class Failure(AssertionError):
    """What a batch found.

    Attributes:
        seed, number: of the batch, and how many graphs it was to check.
        floor: the first that disagrees, or the error that was raised.
        detail: the message.
        source: Python text that builds the shrunk graph.
    """

    def __init__(self, seed: int, number: int, floor: str, detail: str, source: str) -> None:
        super().__init__(f"seed {seed}, {floor}: {detail}\n{source}")
        self.seed, self.number, self.floor, self.detail, self.source = seed, number, floor, detail, source


@dataclass
class Batch:
    """`number` graphs drawn from `seed`."""

    seed: int
    number: int
    check: Check = check

    def run(self) -> Counter[str]:
        """Check them all.

        Raises:
            Failure: with the shrunk graph.
        """
        counts: Counter[str] = Counter()
        failed: list[tuple[RandomGraph, BaseException]] = []

        @hypothesis.seed(self.seed)
        @hypothesis.settings(
            max_examples=self.number,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            verbosity=hypothesis.Verbosity.quiet,
        )
        @hypothesis.given(graphs())
        def every_floor_agrees(graph: RandomGraph) -> None:
            try:
                counts.update(self.check(graph))
            except Exception as error:
                failed[:] = [(graph, error)]
                raise

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*encountered.*", RuntimeWarning)
            try:
                every_floor_agrees()
            except Exception as error:
                if not failed:
                    raise
                raise self._failure(*failed[0]) from error
        return counts

    def _failure(self, graph: RandomGraph, error: BaseException) -> Failure:
        floor = error.floor if isinstance(error, Disagreement) else type(error).__name__
        return Failure(self.seed, self.number, floor, str(error), repr(graph))
