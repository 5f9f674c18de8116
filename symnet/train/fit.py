"""`fit`: from a loss and data to a fitted model.

In: a rank-0 loss, parameters and data as arrays.  Out: a `Run`.

    admit (door.py) → split and batches (batches.py) → compile one step (step.py) → loop (loop.py) until a rule of
    stopping.py, a callback or the number of epochs says stop

Everything random comes from `seed`, and a step has the same bits for any number of threads: so does a run.
"""

from __future__ import annotations

import math
import numbers
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symnet.arrays import Array
from symnet.compiler import compile
from symnet.errors import ArgumentError, ValueDomainError, explain
from symnet.expr.nodes.symbols import Tensor
from symnet.reference.declared import check_assumptions
from symnet.runtime.domains import check_indices
from symnet.train.batches import Batches, split
from symnet.train.door import CALL, Admitted, admit, check_extents, check_samples, convert
from symnet.train.history import History, Run
from symnet.train.loop import MOST_STEPS, Loop
from symnet.train.optimizers import SGD, Optimizer
from symnet.train.progress import Progress
from symnet.train.step import step_function
from symnet.train.stopping import Stop

DEFAULT_OPTIMIZER = SGD(0.1)


@dataclass(frozen=True, repr=False)
class Epoch:
    """What a callback sees after an epoch.

    Attributes:
        number: 1 after the first epoch.
        history: so far.
        params: name → array, the arrays in use: copy what must last.
    """

    number: int
    history: History
    params: Mapping[str, Array]

    def __repr__(self) -> str:
        return f"<epoch {self.number}: {self.history.course}; parameters {', '.join(self.params)}>"


Callback = Callable[[Epoch], Any]


def fit(
    L: Any,
    params: Mapping[Any, Any],
    data: Mapping[Any, Any],
    *,
    optimizer: Optimizer = DEFAULT_OPTIMIZER,
    epochs: int = 10,
    batch_size: int | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
    seed: int = 0,
    validation: float | Mapping[Any, Any] | None = None,
    stop: Stop | None = None,
    maximize: bool = False,
    dtype: Any = None,
    threads: int | None = None,
    callbacks: Sequence[Callback] | Callback = (),
    progress: bool | None = None,
    samples: str | None = None,
) -> Run:
    """Train parameters by gradient descent.

    Each step computes the loss, its gradient and the optimiser's update in one native function.

    Args:
        L: rank 0: the loss of a batch, usually a mean over samples.
        params: name or leaf → starting value, such as `sn.nn.init([W, b], seed=0)`; left unchanged.
        data: name or leaf → array, for every other leaf.
        optimizer: SGD, Momentum, Adam or SignDescent.
        epochs: the largest number of passes over the data.
        batch_size: samples in a step; None: all of them; 1: one at a time.
        shuffle: a new order of the samples for every epoch.
        drop_last: leave out a last batch that is not full.
        seed: of the order and of the split; the same seed gives the same bits, whatever `threads` is.
        validation: a fraction of the samples to hold out, or data to take instead: `history.validation_loss`.
        stop: `Stop(loss_change=…, gradient_norm=…)`.
        maximize: go up the gradient.
        dtype: float32 or float64; by default float32 where all parameters, or all real data, are float32, and
            float64 otherwise.  Data and parameters are converted once, here.
        threads: how many threads a step uses; None for as many as pay.
        callbacks: functions of an `Epoch`, called after each; one that returns True stops the run.
        progress: a progress bar; None: where stderr is a terminal.
        samples: the name of the extent that counts the samples, where the data have several.

    Returns:
        `Run`: params, history, stopped_by, seconds.  When a loss is NaN or infinite, the run stops with a warning
        and gives the parameters of at most 64 steps before, whose loss was finite.

    Raises:
        ArgumentError, ShapeError, DTypeError, ValueDomainError, AssumptionError: for what was passed.

    Example:
        >>> import numpy as np, symnet as sn
        >>> x, w = sn.tensor("x", sn.dim("m")), sn.scalar("w")
        >>> run = sn.fit(sn.mean((x - w) ** 2), {w: 0.0}, {x: np.array([1.0, 2.0, 6.0])}, epochs=100)
        >>> round(float(run.params["w"]), 6), run.stopped_by
        (3.0, 'epochs')
    """
    _check_options(optimizer, epochs, batch_size, seed, stop)
    admitted = admit(L, params, data, dtype, samples)
    order, chosen = (np.random.default_rng([seed, stream]) for stream in (0, 1))
    training, held_out = _hold_out(admitted, validation, chosen)
    batches = _batches(admitted, training, batch_size, order, shuffle, drop_last)
    begin = time.perf_counter()
    step = step_function(
        admitted.root,
        tuple(admitted.leaves[name] for name in admitted.params),
        optimizer.rule,
        admitted.dtype,
        maximize=maximize,
        measure_gradient=stop is not None and stop.measures_gradient,
        threads=threads,
    )
    everything = {**admitted.params, **admitted.data}
    check_indices(step.function.signature, everything, admitted.dims, CALL, every=True)
    judge = _validation_loss(admitted, held_out, threads)
    loop = Loop(step, optimizer, batches, admitted.params, admitted.dtype)
    compile_seconds = time.perf_counter() - begin
    called = (callbacks,) if callable(callbacks) else tuple(callbacks)
    run = _Runner(loop, stop, called, judge)
    with Progress(progress, epochs, len(batches.sizes)) as bar:
        begin = time.perf_counter()
        stopped_by, found = run.all(epochs, bar)
    return Run(found, run.history, stopped_by, time.perf_counter() - begin, compile_seconds, step.function)


class _Runner:
    """Runs epoch after epoch, until something says stop."""

    def __init__(
        self,
        loop: Loop,
        stop: Stop | None,
        callbacks: Sequence[Callback],
        judge: Callable[[Mapping[str, Array]], float] | None,
    ) -> None:
        self.loop, self.stop, self.callbacks, self.judge = loop, stop, callbacks, judge
        self.history = History()
        self.saved = self.snapshot = self._copy()  # what to return when a loss is no number: its own loss is one
        self.saved_step = self.snapshot_step = 0

    def all(self, epochs: int, bar: Progress) -> tuple[str, dict[str, Array]]:
        """Run all epochs: what stopped the run, and the parameters."""
        for epoch in range(epochs):
            begin = time.perf_counter()
            if not self._epoch(epoch, bar):
                return "not_finite", self.snapshot
            validation = self.judge(self.loop.params) if self.judge else None
            if validation is not None:
                self.history.validation_loss.append(validation)
            self.history.seconds.append(time.perf_counter() - begin)
            bar.epoch(epoch, self.history.loss[-1], validation)
            reason = self._reason(epoch)
            if reason:
                return reason, self._copy()
        return "epochs", self._copy()

    def _epoch(self, epoch: int, bar: Progress) -> bool:
        """One pass over the data; False when a loss is no number."""
        loop, losses = self.loop, self.history.step_loss
        total = norms = count = 0.0
        for stretch in loop.epoch():
            losses += stretch.losses
            if math.isfinite(stretch.losses[0]):
                self.snapshot, self.snapshot_step = self.saved, self.saved_step
            if not math.isfinite(losses[-1]):
                self._warn(losses[-1])
                return False
            for size, loss in zip(stretch.sizes, stretch.losses, strict=True):
                total, count = total + loss * size, count + size
            for size, norm in zip(stretch.sizes, stretch.squared_norms, strict=False):
                norms += math.sqrt(norm) * size
            if loop.steps % MOST_STEPS == 0:
                self.saved, self.saved_step = self._copy(), loop.steps
            bar.steps(epoch, len(stretch.sizes), losses[-1])
        self.history.loss.append(total / count)
        if loop.step.measures_gradient:
            self.history.gradient_norm.append(norms / count)
        return True

    def _reason(self, epoch: int) -> str | None:
        """Why to stop after this epoch, if so."""
        norm = self.history.gradient_norm[-1] if self.history.gradient_norm else None
        seen = Epoch(epoch + 1, self.history, self.loop.params)
        asked = [callback(seen) is True for callback in self.callbacks]
        found = self.stop.reached(self.history.loss, norm) if self.stop else None
        return found or ("callback" if any(asked) else None)

    def _copy(self) -> dict[str, Array]:
        return {name: array.copy() for name, array in self.loop.params.items()}

    def _warn(self, loss: float) -> None:
        wrong = [name for name, array in self.loop.batches.data.items() if not np.isfinite(array).all()]
        mend = f"{wrong[0]} holds NaN or infinity: clean the data." if wrong else "Take a smaller learning rate."
        got = f"{loss} at step {self.loop.steps - 1}; stopped, with the parameters before step {self.snapshot_step}"
        warnings.warn(explain("fit(L, …)", "a finite loss", got, mend), RuntimeWarning, stacklevel=4)


# --------------------------------------------------------------------------- options


def _check_options(optimizer: Any, epochs: Any, batch_size: Any, seed: Any, stop: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        mend = "Write optimizer=sn.Adam(1e-3)."
        raise ArgumentError(explain("fit(…)", "an optimizer", f"optimizer={optimizer!r}", mend))
    if stop is not None and not isinstance(stop, Stop):
        raise ArgumentError(explain("fit(…)", "a Stop", f"stop={stop!r}", "Write stop=sn.Stop(loss_change=1e-6)."))
    _check_count("epochs", epochs, 0, "Write epochs=20.")
    _check_count("seed", seed, 0, "Write seed=0.")
    if batch_size is not None:
        _check_count("batch_size", batch_size, 1, "Write batch_size=32, or leave it out for the full batch.")


def _check_count(name: str, value: Any, least: int, mend: str) -> None:
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
        raise ValueDomainError(explain(f"fit(…, {name}={value!r})", f"an int of at least {least}", repr(value), mend))


def _batches(
    admitted: Admitted,
    training: dict[str, Array],
    batch_size: int | None,
    rng: np.random.Generator,
    shuffle: bool,
    drop_last: bool,
) -> Batches:
    found = admitted.samples
    if batch_size is not None:
        found = check_samples(found, f"batch_size={batch_size}")
    if found is None:
        return Batches(training, {}, 1, None, rng)
    check_samples(found, "")
    name, axis = next(iter(found.axes.items()))
    return Batches(training, found.axes, training[name].shape[axis], batch_size, rng, shuffle, drop_last)


# --------------------------------------------------------------------------- validation


def _hold_out(
    admitted: Admitted, validation: Any, rng: np.random.Generator
) -> tuple[dict[str, Array], dict[str, Array] | None]:
    """(training data, validation data or None)."""
    if validation is None:
        return admitted.data, None
    if isinstance(validation, Mapping):
        return admitted.data, _given_validation(admitted, validation)
    call = f"validation={validation!r}"
    if not isinstance(validation, numbers.Real) or isinstance(validation, bool) or not 0 < float(validation) < 1:
        mend = 'Write validation=0.2, or validation={"X": x, "D": d}.'
        raise ValueDomainError(explain(f"fit(…, {call})", "a fraction in (0, 1) or a dict", repr(validation), mend))
    found = check_samples(admitted.samples, call)
    held_out = round(float(validation) * found.count)
    if not 0 < held_out < found.count:
        expected, got = "samples on both sides", f"{found.count - held_out} for training and {held_out} held out"
        raise ValueDomainError(explain(f"fit(…, {call})", expected, got, "Choose another fraction."))
    return split(admitted.data, found.axes, found.count, held_out, rng)


def _given_validation(admitted: Admitted, given: Mapping[Any, Any]) -> dict[str, Array]:
    """Validation arrays; leaves that are left out and have no samples keep their training data."""
    named = {key.name if isinstance(key, Tensor) else key: value for key, value in given.items()}
    unknown = [name for name in named if name not in admitted.data]
    axes = admitted.samples.axes if admitted.samples else {}
    missing = [name for name in axes if name not in named]
    if unknown or missing:
        got = f"{unknown[0]!r}" if unknown else f"{', '.join(named) or 'nothing'}, without {', '.join(missing)}"
        expected = f"validation among the data {', '.join(admitted.data)}"
        raise ArgumentError(explain("fit(…, validation={…})", expected, got, "Give the same names as in data."))
    arrays = {name: convert(admitted.leaves[name], value, "validation") for name, value in named.items()}
    whole = {**admitted.data, **arrays}
    check_extents(admitted.leaves.values(), {**whole, **admitted.params})
    for name, array in arrays.items():
        check_assumptions(admitted.leaves[name], array, f"fit(…, validation={{{name!r}: …}})")
    return whole


def _validation_loss(
    admitted: Admitted, held_out: dict[str, Array] | None, threads: int | None
) -> Callable[[Mapping[str, Array]], float] | None:
    """The loss on the validation data as a function of the parameters."""
    if held_out is None:
        return None
    function = compile(admitted.root, dtype=admitted.dtype, name="symnet_validation", threads=threads)
    return lambda params: float(function(**held_out, **params))
