"""When to stop: thresholds on the change of the loss and on the gradient.

In: the losses of the epochs and the norm of the gradient.  Out: the name of the rule that holds, or None.
A number of epochs is the other way to stop; `fit` counts it.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass

from symnet.errors import ArgumentError, ValueDomainError, explain


@dataclass(frozen=True)
class Stop:
    """Stop when |f(xᵏ⁺¹) - f(xᵏ)| < loss_change, or when ‖∇f(xᵏ)‖ < gradient_norm.

    Judged once an epoch, which is one step for a full batch.  With mini-batches f is the mean of the batches' losses
    and ‖∇f‖ the mean of the norms of the batches' gradients, each weighted by its number of samples.

    Args:
        loss_change: a threshold ε₁ > 0; None: not used.
        gradient_norm: a threshold ε₂ > 0 on the Euclidean norm over all parameters; None: not used.

    Example:
        >>> import symnet as sn
        >>> sn.Stop(loss_change=1e-6).reached([0.5, 0.4999999], None)
        'loss_change'
    """

    loss_change: float | None = None
    gradient_norm: float | None = None

    def __post_init__(self) -> None:
        call = f"Stop(loss_change={self.loss_change!r}, gradient_norm={self.gradient_norm!r})"
        if self.loss_change is None and self.gradient_norm is None:
            raise ArgumentError(explain(call, "a threshold", "none", "Write Stop(loss_change=1e-6)."))
        for name, value in (("loss_change", self.loss_change), ("gradient_norm", self.gradient_norm)):
            if value is not None and not (isinstance(value, numbers.Real) and value > 0):
                raise ValueDomainError(explain(call, f"{name} > 0", f"{value!r}", f"Write {name}=1e-6."))

    @property
    def measures_gradient(self) -> bool:
        return self.gradient_norm is not None

    def reached(self, losses: Sequence[float], gradient_norm: float | None) -> str | None:
        """The rule that holds after an epoch.

        Args:
            losses: of all epochs so far.
            gradient_norm: of the last epoch; None when it was not measured.
        """
        if self.gradient_norm is not None and gradient_norm is not None and gradient_norm < self.gradient_norm:
            return "gradient_norm"
        if self.loss_change is not None and len(losses) > 1 and abs(losses[-1] - losses[-2]) < self.loss_change:
            return "loss_change"
        return None
