"""A step of training as a function to be exported: state in, state out, and nothing kept between calls.

In: a loss, its parameters, an optimiser.  Out: a compiled function of data, parameters, states and the rate `lr`, which
gives the loss, the new parameters and the new states; each of these may be written over the old one (`donate=`).

All states begin with zeros.  Adam's correction of the first steps is state, too: the share of a running mean that is
not yet there, q' = b·q + (1 - b), by whose end the mean is divided; so no caller counts steps.
Not handled: schedules of the rate, which the caller passes at every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symnet.calculus.grad import grad
from symnet.calculus.structure import flatten
from symnet.compiler import compile_in_place
from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, check_leaves, scalar, tensor
from symnet.schedule.target import Target
from symnet.train.optimizers import Adam, Optimizer

_RATE = "lr"


def train_step(
    L: Any,
    params: Any,
    optimizer: Optimizer,
    *,
    dtype: Any = None,
    name: str = "train_step",
    threads: int | None = None,
    target: Target | str | None = None,
) -> Any:
    """A native step of training, to be called from Python or exported for a device that learns.

    Args:
        L: the loss, rank 0.
        params: the leaves that are trained: one, a list or a dict.
        optimizer: `sn.SGD()`, `sn.Momentum()`, `sn.Adam()`, `sn.SignDescent()`; its numbers become part of the code,
            but for the rate, which is the input `lr` of every call.
        dtype: float32 or float64.
        name: the C name.
        threads: how many threads a call uses; None for as many as pay.
        target: another machine, by name.

    Returns:
        A compiled function of the data, the parameters, the states (`W_velocity`, …, zeros at first) and `lr`.  It
        gives a dict: `loss`, `new_W` for each parameter and state `W`.  Bound, it updates these arrays themselves.

    Raises:
        ArgumentError: params that are no leaves, or no optimizer.

    Example:
        >>> import numpy as np, symnet as sn
        >>> w, x, y = sn.tensor("w", 2), sn.tensor("x", 2), sn.scalar("y")
        >>> step = sn.train_step((sn.dot(w, x) - y) ** 2, w, sn.SGD(), dtype="float64")
        >>> weights = np.zeros(2)
        >>> bound = step.bind(x=np.ones(2), y=np.array(3.0), w=weights, lr=np.array(0.1))
        >>> float(bound()["loss"]), weights
        (9.0, array([0.6, 0.6]))
    """
    call = "train_step(L, params, optimizer)"
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(explain(call, "an optimiser", repr(optimizer), "Write sn.SGD() or sn.Adam()."))
    loss, leaves = as_node(L), _parameters(call, params)
    taken = {leaf.name for leaf in check_leaves(call, [loss])}
    if _RATE in taken:
        mend = "Give the leaf another name."
        raise ArgumentError(explain(call, "no leaf called lr, which is the step's rate", "one", mend))
    shares, hyper = _hyperparameters(optimizer)
    states = [{s: tensor(f"{w.name}_{s}", *w.shape) for s in optimizer.rule.states} for w in leaves]
    outputs: dict[str, Node] = {"loss": loss}
    pairs: dict[str, str] = {}

    def gives(leaf: Tensor, value: Node) -> None:
        outputs[f"new_{leaf.name}"] = value
        pairs[leaf.name] = f"new_{leaf.name}"

    for leaf, g, own in zip(leaves, grad(loss, list(leaves)), states, strict=True):
        for place, value in zip((leaf, *own.values()), optimizer.rule.update(leaf, g, own, hyper), strict=True):
            gives(place, value)
    for share, value in shares:
        gives(share, value)
    order = [*(x for x in check_leaves(call, [loss]) if x not in leaves), *leaves]
    order += [leaf for own in states for leaf in own.values()] + [share for share, _ in shares] + [hyper[_RATE]]
    given = {"dtype": dtype, "name": name, "threads": threads, "target": target}
    return compile_in_place(outputs, pairs, order, **given)


def _parameters(call: str, params: Any) -> Sequence[Tensor]:
    leaves, _ = flatten(call, params)
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            mend = "Pass tensors, as sn.tensor gives them."
            raise ArgumentError(explain(call, "leaves as params", repr(leaf), mend))
    return leaves


def _hyperparameters(optimizer: Optimizer) -> tuple[list[tuple[Tensor, Node]], dict[str, Node]]:
    """Shares that are states, each with its new value; and what stands for each hyperparameter."""
    hyper: dict[str, Node] = {
        name: as_node(value) for name, value in zip(optimizer.rule.hyperparameters, optimizer.at(0), strict=True)
    }
    hyper[_RATE] = scalar(_RATE)
    if not isinstance(optimizer, Adam):
        return [], hyper
    shares: list[tuple[Tensor, Node]] = []
    for kept, fix, name in ((optimizer.b1, "fix1", "mean_share"), (optimizer.b2, "fix2", "square_share")):
        share = scalar(name)
        new = as_node(kept * share + (1 - kept))
        hyper[fix] = as_node(1 / new)
        shares.append((share, new))
    return shares, hyper
