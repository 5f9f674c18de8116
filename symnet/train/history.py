"""What a run leaves behind: its history, and the result of `fit`.

In: numbers, step by step and epoch by epoch.  Out: `History` and `Run`, plain data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symnet.arrays import Array
from symnet.compiled import CompiledFunction


@dataclass(repr=False)
class History:
    """The course of a run; all lists grow by one an epoch, but for `step_loss`.

    Attributes:
        step_loss: the loss of every step, before its update.
        loss: the mean of the batches' losses in an epoch, weighted by their numbers of samples.
        validation_loss: after an epoch; empty without validation data.
        gradient_norm: ‖∇L‖, the weighted mean over the batches; empty unless `Stop(gradient_norm=…)` asks for it.
        seconds: of each epoch, validation included.
    """

    step_loss: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        return len(self.loss)

    @property
    def steps(self) -> int:
        return len(self.step_loss)

    @property
    def course(self) -> str:
        """`loss 2.3 → 0.1`, for one line."""
        return f"loss {self.loss[0]:.6g} → {self.loss[-1]:.6g}" if self.loss else "no loss"

    def __repr__(self) -> str:
        return f"<history of {self.epochs} epochs, {self.steps} steps: {self.course}>"


@dataclass
class Run:
    """A fitted model.

    Attributes:
        params: name → array: the parameters after the last step (after the last good one, if `stopped_by` is
            "not_finite").
        history: losses and times.
        stopped_by: "epochs", "loss_change", "gradient_norm", "callback" or "not_finite".
        seconds: of the training loop.
        compile_seconds: of making the native step; near 0 when an earlier run had made it.
        step: the native function of one step: what it was made of, and its report.
    """

    params: dict[str, Array]
    history: History
    stopped_by: str
    seconds: float
    compile_seconds: float
    step: CompiledFunction

    def __getstate__(self) -> dict[str, Any]:
        """Data: the native step as its recipe."""
        state = dict(self.__dict__)
        step = state.pop("step", None)
        return state if step is None else {**state, "_recipe": step.recipe}

    def __getattr__(self, name: str) -> Any:
        """Reached for a run from a pickle: its step is made when somebody asks for it."""
        if name == "step" and "_recipe" in self.__dict__:
            make, arguments = self._recipe
            self.step = make(*arguments)
            return self.step
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        h = self.history
        length = f"{h.epochs} epochs, {h.steps} steps in {self.seconds:.3g} s"
        return f"<run of {length}: {h.course}, stopped by {self.stopped_by}>"
