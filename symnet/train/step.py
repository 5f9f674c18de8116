"""One step of training as one native function: the loss, its gradient and the update rule compiled together.

In: a loss, its parameters, a `Rule`.  Out: `StepFunction`: a compiled function
    (data, parameters, states, hyperparameters) -> (loss, [‖∇L‖²], new parameters, new states)
and the names that say which is which.

New parameters and states are computed in the arrays of the old ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from symnet.calculus.grad import grad
from symnet.compiled import CompiledFunction
from symnet.compiler import compile_in_place
from symnet.expr.nodes.contraction import sum
from symnet.expr.nodes.elementwise import negative
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, check_leaves, tensor
from symnet.train.optimizers import Rule

FUNCTIONS_KEPT = 8  # compiled steps remembered, so that the same fit with other numbers compiles nothing


@dataclass(frozen=True)
class StepFunction:
    """A compiled step of training, and the names of what it takes and gives.

    Attributes:
        function: the native function; its outputs are the loss, the squared norm of the gradient if it is measured,
            the new parameters, the new states.
        params: names of the parameters, in order.
        states: names of the state arrays, each with the parameter whose shape it has, in the order of the outputs.
        hyperparameters: names of the rank-0 inputs, in the order of `Optimizer.at`.
        measures_gradient: whether the norm is among the outputs.
    """

    function: CompiledFunction
    params: tuple[str, ...]
    states: tuple[tuple[str, str], ...]
    hyperparameters: tuple[str, ...]
    measures_gradient: bool


@lru_cache(maxsize=FUNCTIONS_KEPT)
def step_function(
    root: Node,
    params: tuple[Tensor, ...],
    rule: Rule,
    dtype: str,
    *,
    maximize: bool = False,
    measure_gradient: bool = False,
    threads: int | None = None,
) -> StepFunction:
    """Compile a step.

    Args:
        root: the loss, rank 0, its real leaves in `dtype`.
        params: the leaves to be trained.
        rule: how each moves.
        dtype: float32 or float64.
        maximize: go up: the rule is handed the negative gradient.
        measure_gradient: also give ‖∇L‖² over all parameters.
        threads: of the native function.
    """
    taken = {leaf.name for leaf in check_leaves("fit(L, …)", [root])}
    hyper = {name: _leaf(name, (), dtype, taken, name in rule.positive) for name in rule.hyperparameters}
    states = [{s: _leaf(f"{w.name}_{s}", w.shape, dtype, taken) for s in rule.states} for w in params]
    gradients = grad(root, list(params))
    ways = [negative(g) for g in gradients] if maximize else gradients
    moved = [rule.update(w, g, s, hyper) for w, g, s in zip(params, ways, states, strict=True)]
    outputs = [root.named("loss")]
    if measure_gradient:
        outputs.append(squared_norm(gradients).named("squared_norm"))
    outputs += [new[0].named(f"new_{w.name}") for w, new in zip(params, moved, strict=True)]
    outputs += [
        value.named(f"new_{leaf.name}")
        for state, new in zip(states, moved, strict=True)
        for leaf, value in zip(state.values(), new[1:], strict=True)
    ]
    moving = [*params, *(leaf for state in states for leaf in state.values())]
    pairs = {leaf.name: f"new_{leaf.name}" for leaf in moving}
    return StepFunction(
        compile_in_place(outputs, pairs, None, dtype=dtype, name="symnet_step", threads=threads),
        tuple(w.name for w in params),
        tuple((leaf.name, w.name) for w, state in zip(params, states, strict=True) for leaf in state.values()),
        tuple(leaf.name for leaf in hyper.values()),
        measure_gradient,
    )


def squared_norm(gradients: Iterable[Node]) -> Node:
    """Σ g² over all elements of all gradients."""
    squares = [sum(g * g) for g in gradients]
    total = squares[0]
    for square in squares[1:]:
        total = total + square
    return total


def _leaf(name: str, shape: Sequence[object], dtype: str, taken: set[str], positive: bool = False) -> Tensor:
    """A leaf whose name no other has."""
    fresh, number = name, 2
    while fresh in taken:
        fresh, number = f"{name}_{number}", number + 1
    taken.add(fresh)
    return tensor(fresh, *shape, dtype=dtype, positive=True) if positive else tensor(fresh, *shape, dtype=dtype)
