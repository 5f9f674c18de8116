"""Optimisers: how a parameter moves, given its gradient.

In: formulas of (w, g, state, hyperparameters).  Out: a `Rule`, which `step.py` compiles together with the gradient
into one native function; and an `Optimizer`, which says what the hyperparameters are at each step.

A rule is a symnet expression and nothing else: no array is touched here.  Hyperparameters enter as rank-0 leaves, so
a schedule changes them without compiling again.  All rules go down the gradient; `fit(…, maximize=True)` hands them
its negative.
Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013 (momentum,
Nesterov); Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1 (state as running means,
written m + (1 - b)(g - m)); Loshchilov and Hutter, "Decoupled weight decay regularization", 2019 (AdamW, whose decay
is a share of the step).
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from symnet.errors import ArgumentError, ValueDomainError, explain
from symnet.expr.nodes.elementwise import sign, sqrt
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import scalar

Nodes = Mapping[str, Node]
Rate = float | Callable[[int], float]  # a number, or its value at step 0, 1, 2, …


@dataclass(frozen=True)
class Rule:
    """How one parameter moves.

    Attributes:
        name: for messages.
        update: (w, g, states by name, hyperparameters by name) -> (new w, *new states).
        hyperparameters: names of the rank-0 leaves, in the order of `Optimizer.at`.
        states: names of the arrays of w's shape that are carried from step to step, beginning with zeros.
        positive: the hyperparameters that are positive at every step.
    """

    name: str
    update: Callable[[Node, Node, Nodes, Nodes], tuple[Node, ...]]
    hyperparameters: tuple[str, ...]
    states: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()


def sgd_update(w: Node, g: Node, s: Nodes, h: Nodes) -> tuple[Node, ...]:
    """w - lr·g."""
    return (w - h["lr"] * g,)


def sign_update(w: Node, g: Node, s: Nodes, h: Nodes) -> tuple[Node, ...]:
    """w - lr·sign(g)."""
    return (w - h["lr"] * sign(g),)


def momentum_update(w: Node, g: Node, s: Nodes, h: Nodes) -> tuple[Node, ...]:
    """v' = β·v + g, w - lr·v'."""
    v = h["beta"] * s["velocity"] + g
    return w - h["lr"] * v, v


def nesterov_update(w: Node, g: Node, s: Nodes, h: Nodes) -> tuple[Node, ...]:
    """v' = β·v + g, w - lr·(g + β·v')."""
    v = h["beta"] * s["velocity"] + g
    return w - h["lr"] * (g + h["beta"] * v), v


def adam_update(w: Node, g: Node, s: Nodes, h: Nodes) -> tuple[Node, ...]:
    """m' = m + rest1·(g - m), v' = v + rest2·(g² - v), w - lr·(m'·fix1)/(√(v'·fix2) + eps).

    rest = 1 - b, and fix = 1/(1 - bᵗ) undoes the bias towards zero of the first steps.
    """
    mean = s["mean"] + h["rest1"] * (g - s["mean"])
    square = s["square"] + h["rest2"] * (g * g - s["square"])
    return w - h["lr"] * (mean * h["fix1"]) / (sqrt(square * h["fix2"]) + h["eps"]), mean, square


def adamw_update(w: Node, g: Node, s: Nodes, h: Nodes) -> tuple[Node, ...]:
    """Adam's, from w - lr·decay·w instead of w."""
    return adam_update(w - h["lr"] * h["decay"] * w, g, s, h)


SGD_RULE = Rule("SGD", sgd_update, ("lr",))
SIGN_RULE = Rule("SignDescent", sign_update, ("lr",))
MOMENTUM_RULE = Rule("Momentum", momentum_update, ("lr", "beta"), ("velocity",))
NESTEROV_RULE = Rule("Momentum(nesterov=True)", nesterov_update, ("lr", "beta"), ("velocity",))
ADAM_RULE = Rule("Adam", adam_update, ("lr", "rest1", "rest2", "fix1", "fix2", "eps"), ("mean", "square"), ("eps",))
ADAMW_RULE = Rule("AdamW", adamw_update, (*ADAM_RULE.hyperparameters, "decay"), ADAM_RULE.states, ADAM_RULE.positive)


# --------------------------------------------------------------------------- what users write


class Optimizer(ABC):
    """A rule, and its hyperparameters at every step."""

    @property
    @abstractmethod
    def rule(self) -> Rule:
        """The formulas by which the optimiser moves a parameter."""

    @abstractmethod
    def at(self, step: int) -> tuple[float, ...]:
        """The hyperparameters at step 0, 1, 2, …, in the order of `rule.hyperparameters`."""

    def formulas(self) -> tuple[Node, ...]:
        """The rule as expressions of scalars: the new w, then the new states.

        Example:
            >>> import symnet as sn
            >>> sn.SGD(0.1).formulas()
            (w - g*lr,)
        """
        rule = self.rule
        states = {name: scalar(name) for name in rule.states}
        return rule.update(scalar("w"), scalar("g"), states, {name: scalar(name) for name in rule.hyperparameters})


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: w - lr·g.  With `batch_size=1` one sample at a time, without it the full batch.

    Args:
        lr: the step, a number or a function of the step's number 0, 1, 2, ….
    """

    lr: Rate = 0.1
    rule: ClassVar[Rule] = SGD_RULE

    def __post_init__(self) -> None:
        _check_rate(f"SGD(lr={self.lr!r})", self.lr)

    def at(self, step: int) -> tuple[float, ...]:
        return (rate_at(self.lr, step),)


@dataclass(frozen=True)
class SignDescent(Optimizer):
    """A step of one length in every coordinate: w - lr·sign(g).

    Args:
        lr: the step, a number or a function of the step's number.
    """

    lr: Rate = 0.001
    rule: ClassVar[Rule] = SIGN_RULE

    def __post_init__(self) -> None:
        _check_rate(f"SignDescent(lr={self.lr!r})", self.lr)

    def at(self, step: int) -> tuple[float, ...]:
        return (rate_at(self.lr, step),)


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Gradient descent with a velocity: v' = β·v + g, w - lr·v'.

    Args:
        lr: the step, a number or a function of the step's number.
        beta: how much of the velocity stays, in [0, 1).
        nesterov: look ahead: w - lr·(g + β·v').
    """

    lr: Rate = 0.01
    beta: float = 0.9
    nesterov: bool = False

    def __post_init__(self) -> None:
        call = f"Momentum(lr={self.lr!r}, beta={self.beta!r})"
        _check_rate(call, self.lr)
        _check_share(call, "beta", self.beta)

    @property
    def rule(self) -> Rule:
        return NESTEROV_RULE if self.nesterov else MOMENTUM_RULE

    def at(self, step: int) -> tuple[float, ...]:
        return rate_at(self.lr, step), self.beta


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: steps scaled by running means of the gradient and of its square.

    Args:
        lr: the step, a number or a function of the step's number.
        b1, b2: how much of the running means stays, in [0, 1).
        eps: keeps the quotient finite.
    """

    lr: Rate = 0.001
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    rule: ClassVar[Rule] = ADAM_RULE

    def __post_init__(self) -> None:
        call = f"Adam(lr={self.lr!r}, b1={self.b1!r}, b2={self.b2!r}, eps={self.eps!r})"
        _check_rate(call, self.lr)
        _check_share(call, "b1", self.b1)
        _check_share(call, "b2", self.b2)
        if not (_is_number(self.eps) and self.eps > 0):
            raise ValueDomainError(explain(call, "eps > 0", f"eps={self.eps!r}", "Leave it at 1e-8."))

    def at(self, step: int) -> tuple[float, ...]:
        """lr, 1 - b1, 1 - b2, 1/(1 - b1ᵗ), 1/(1 - b2ᵗ), eps with t = step + 1."""
        t = step + 1
        rest1, rest2 = 1 - self.b1, 1 - self.b2
        return rate_at(self.lr, step), rest1, rest2, 1 / (1 - self.b1**t), 1 / (1 - self.b2**t), self.eps


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with weights that decay beside it: each step also takes lr·weight_decay of a weight away.

    Every parameter decays, offsets too.

    Args:
        lr: the step, a number or a function of the step's number.
        b1, b2: how much of the running means stays, in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: what is taken away, as a share of lr; 0 for Adam.
    """

    weight_decay: float = 0.01
    rule: ClassVar[Rule] = ADAMW_RULE

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (_is_number(self.weight_decay) and self.weight_decay >= 0):
            call, got = f"AdamW(weight_decay={self.weight_decay!r})", f"weight_decay={self.weight_decay!r}"
            raise ValueDomainError(explain(call, "weight_decay >= 0", got, "Write weight_decay=0.01."))

    def at(self, step: int) -> tuple[float, ...]:
        """Adam's, and the decay."""
        return *super().at(step), float(self.weight_decay)


def rate_at(rate: Rate, step: int) -> float:
    """The learning rate at a step."""
    return float(rate(step)) if callable(rate) else float(rate)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _check_rate(call: str, rate: Any) -> None:
    if callable(rate):
        return
    if not _is_number(rate):
        mend = "Write lr=0.1, or lr=lambda step: 0.1 / (1 + step)."
        raise ArgumentError(explain(call, "a number or a function of the step as lr", f"{rate!r}", mend))
    if not rate > 0:
        mend = "Take a positive step; fit(…, maximize=True) goes up the gradient."
        raise ValueDomainError(explain(call, "lr > 0", f"lr={rate!r}", mend))


def _check_share(call: str, name: str, value: Any) -> None:
    if not (_is_number(value) and 0 <= value < 1):
        raise ValueDomainError(explain(call, f"{name} in [0, 1)", f"{name}={value!r}", f"Write {name}=0.9."))
