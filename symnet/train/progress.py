"""The progress bar of a run.

In: losses as they come.  Out: a tqdm bar on stderr, redrawn at most ten times a second; nothing when it is off.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

REDRAW = 0.1  # seconds


class Progress:
    """A bar over steps.

    Args:
        show: None: only where stderr is a terminal.
        epochs: how many there are at most.
        steps: in one epoch.
    """

    def __init__(self, show: bool | None, epochs: int, steps: int) -> None:
        self.epochs, self.done, self.due = epochs, 0, time.perf_counter() + REDRAW
        self.bar: Any = None
        if _is_terminal(sys.stderr) if show is None else show:
            from tqdm import tqdm

            self.bar = tqdm(total=epochs * steps, unit="step", dynamic_ncols=True, leave=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.close()

    def steps(self, epoch: int, count: int, loss: float) -> None:
        """Show that steps are done."""
        if self.bar is None:
            return
        self.done += count
        now = time.perf_counter()
        if now >= self.due:
            self._draw(epoch, f"loss {loss:.4g}")
            self.due = now + REDRAW

    def epoch(self, epoch: int, loss: float, validation_loss: float | None) -> None:
        """Show that an epoch is done."""
        if self.bar is not None and (epoch + 1 == self.epochs or time.perf_counter() >= self.due):
            held_out = "" if validation_loss is None else f", held-out loss {validation_loss:.4g}"
            self._draw(epoch, f"loss {loss:.4g}{held_out}")

    def _draw(self, epoch: int, text: str) -> None:
        self.bar.set_description_str(f"epoch {epoch + 1}/{self.epochs}", refresh=False)
        self.bar.set_postfix_str(text, refresh=False)
        self.bar.update(self.done)
        self.done = 0


def _is_terminal(stream: Any) -> bool:
    """Whether a bar can be drawn there: not where a program has no stderr, or has closed it."""
    return stream is not None and not getattr(stream, "closed", False) and bool(stream.isatty())
