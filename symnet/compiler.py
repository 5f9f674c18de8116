"""The tour: every stage from an expression to a native function, in order.

0. `differentiate`  graph → graph      gradients, if asked for (`calculus/grad.py`); `dtype=` retypes the real leaves
1. `simplify`       graph → graph      the algebra form: what people read (`simplify/algebra/table.py`)
2. `numeric`        graph → graph      the numeric form: what computes well (`simplify/numeric/passes.py`)
3. `lower`          graph → nests      one loop nest for each stored value (`lower/program.py`)
4. `schedule`       nests → program    register tiles, streaming over the batch, shares for threads
                                       (`schedule/program.py`)
5. `emit`           program → LLVM IR  (`backends/llvm/program.py`)
6. `assemble`       LLVM IR → object code → `CompiledFunction` (`compiled.py`)

A call becomes a `Request` (`request.py`).  In `stages.py`, `run` does stage 0 (`begun`), then the rows of the table
`STAGES`, which are 1 to 5.  `stop_after=` returns what one of these gives: "simplify", "numeric", "loops" (the nests of
stage 3, written as plain loops over whole arrays), "schedule" or "llvm" (the text of stage 5).  Where machine code is
wanted, stage 6 works on what stage 5 has written while that writes on.

A warm start does none of this: it takes the object code from the cache (`runtime/cache.py`), by a key made of the
expression as written.  So it does not load the stages either: they are imported where one of them is to run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import symnet.request as requests  # `from symnet import` would ask for a name of the library first
from symnet.collector import RARELY
from symnet.compiled import CompiledFunction, CrossCompiled
from symnet.errors import one_of
from symnet.locks import BUILDING
from symnet.request import Request, cache_key
from symnet.runtime.cache import default_cache
from symnet.runtime.entry import Entry
from symnet.runtime.template import flat, refilled
from symnet.schedule.target import Target

if TYPE_CHECKING:
    from symnet.stages import Stages


def compile(
    outputs: Any,
    *,
    dtype: Any = None,
    inputs: Sequence[Any] | None = None,
    name: str = "symnet_function",
    threads: int | None = None,
    check_finite: bool = False,
    compressed: bool = False,
    stop_after: str | None = None,
    target: Target | str | None = None,
    donate: Any = None,
) -> Any:
    """A native function of an expression, or of a list or dict of them.

    Args:
        outputs: an expression (the function returns an array), a list (a tuple), or a dict (a dict with its keys).
        dtype: float32 or float64: retypes the real leaves; by default they keep their own.
        inputs: leaves that come first, in that order, and may be passed by position; all are passed by keyword
            otherwise.  A leaf that the outputs do not contain may be listed, and is then taken and left unread: the
            Hessian of a quadratic.  The others, or all, follow in the order in which one meets them reading the
            outputs; C has the same order (`print(f.signature)`).
        name: the C name.
        threads: how many threads a call uses, the caller's among them.  None is as many as pay, which the extents of
            the call decide, and never more than there are processors.  The bits of the result do not depend on it.
        check_finite: refuse NaN and infinity in arguments, at every call (of `bind`, when the buffers are bound).
        compressed: for Jacobians, whose factors are in part identity matrices: compute the others alone.  Calls return
            `CompressedArray`s, with `dense()`, `matvec(v)` and `factors`, in the place of arrays.
        stop_after: "simplify", "numeric", "loops", "schedule" or "llvm": return what that stage gives, no function.
        target: another machine: the function is exported or looked at, not called.  A name, such as "x86-64-v3",
            "cortex-m4", "wasm32+simd128" or "native", or a triple, "aarch64-linux-gnu".  "x86-64-portable" is code for
            several levels of x86-64 that chooses where it runs.
        donate: `{"W": "W_new"}`: outputs that may be computed in the arrays of inputs, so that an update needs no
            second set of weights; an output by its key, name or position.  `bind` then updates the bound arrays, a call
            does so where `out=` says it, and C may pass one pointer for both.  Refused where an element of the input
            could be read after it is overwritten.

    Returns:
        `CompiledFunction`, called by keyword with NumPy arrays; for another machine `CrossCompiled`, which is exported.

    Raises:
        ArgumentError: two leaves of one name, an unknown stage, an input that cannot be donated, and why.
        DependencyError: llvmlite is not installed.

    Example:
        >>> import numpy as np, symnet as sn
        >>> x = sn.tensor("x", sn.dim("n"))
        >>> f = sn.compile(sn.sum(x * x))
        >>> f(x=np.array([3.0, 4.0]))
        np.float64(25.0)
    """
    given = {"dtype": dtype, "name": name, "target": target, "threads": threads, "check_finite": check_finite}
    request = requests.of_outputs(outputs, inputs, compressed, given)
    return _answer(requests.with_donated(request, donate), stop_after)


def compile_in_place(outputs: Any, pairs: dict[str, str], inputs: Sequence[Any] | None, **given: Any) -> Any:
    """As `compile` with `donate=pairs`; an output that would come too early is computed apart and copied at the end."""
    options = {"dtype": None, "target": None, "threads": None, "check_finite": False} | given
    request = requests.of_outputs(outputs, inputs, False, options)
    return _answer(requests.with_donated(request, pairs, copies=True), None)


def value_and_grad(
    L: Any,
    params: Any,
    *,
    absent: str = "error",
    dtype: Any = None,
    inputs: Sequence[Any] | None = None,
    name: str = "symnet_gradient",
    threads: int | None = None,
    check_finite: bool = False,
    stop_after: str | None = None,
    target: Target | str | None = None,
) -> Any:
    """A native function that returns a scalar and its gradients.

    Args:
        L: rank 0.
        params: what to differentiate by: a node, a list or a dict; the gradients have the same structure.
        absent: "error", or "zero": what the gradient by a parameter is that L does not contain; the parameter is an
            input all the same, marked unused.
        dtype: float32 or float64; see `compile` for this and all that follow.
        inputs: leaves that come first and may be passed by position.  The others follow: data in the order in which
            one meets them reading L, then the parameters in that of `params`.
        name: the C name.
        threads: how many threads a call uses; None for as many as pay.
        check_finite: refuse NaN and infinity in arguments.
        stop_after: return what a stage gives.
        target: another machine, by name.

    Returns:
        `CompiledFunction`: calls return (value, gradients).

    Raises:
        ShapeError: L is no scalar.  ArgumentError: L does not contain a parameter, unless absent="zero".

    Example:
        >>> import numpy as np, symnet as sn
        >>> w, x = sn.tensor("w", 2), sn.tensor("x", 2)
        >>> f = sn.value_and_grad(sn.sum(w * x), [w])
        >>> f(w=np.ones(2), x=np.array([3.0, 4.0]))
        (np.float64(7.0), [array([3., 4.])])
    """
    given = {"dtype": dtype, "name": name, "target": target, "threads": threads, "check_finite": check_finite}
    return _answer(requests.of_gradient(L, params, inputs, absent, given), stop_after)


# --------------------------------------------------------------------------- from a request to a function


def _answer(request: Request, stop: str | None) -> Any:
    """What the caller asked for: a function, or what stands after a stage."""
    requests.check(request)
    if stop is None:
        requests.check_machine(request)
        return _function(request)
    from symnet.stages import STOPS, shown

    one_of(f"{request.call}(…, stop_after={stop!r})", stop, STOPS, "one of " + ", ".join(STOPS), "Choose a stage.")
    if stop == STOPS[-1]:
        requests.check_machine(request)
    return shown(request, stop)


def _function(request: Request, earlier: Callable[[], Stages] | None = None) -> CompiledFunction | CrossCompiled:
    """Object code from the cache or from the stages, as a function; `earlier` has those of the same one elsewhere."""
    with BUILDING:  # no other thread forks in the middle of this import
        from symnet.backends.llvm import loading

    request.inputs()  # a warm start refuses what a cold one would
    cache = default_cache()
    key = cache_key(request) if cache else ""
    entry = cache.get(key) if cache else None
    from_cache = entry is not None
    stages: Callable[[], Stages] = lambda: _stages(request, earlier)
    if entry is None:
        done = _stages(request, earlier, assembled=True)
        entry = _entry(done)
        stages = lambda: done
        if cache:
            cache.put(key, entry)
    template = refilled(request.template, entry.template)  # how a call hands its outputs back: tuple, list, dict
    made = entry.signature, entry.object_code, stages, template
    function: CompiledFunction | CrossCompiled
    if request.target is None or loading.runs_here(request.target):
        function = CompiledFunction(loading.load(entry.object_code), *made, work=entry.work, **request.options)
    else:
        function = CrossCompiled(*made, request.options["positional"])
    function.from_cache = from_cache
    function.recipe = (_function, (request,))  # a pickle holds this, and compiles it anew
    return function


def _stages(request: Request, earlier: Callable[[], Stages] | None, assembled: bool = False) -> Stages:
    """What every stage gives, as far as LLVM's text or machine code."""
    from symnet.stages import resumed, run

    with RARELY:  # the garbage collector would walk all of SymPy and find nothing
        if earlier is None:
            return run(request, assembled=assembled)
        return resumed(earlier(), request, assembled)


def _entry(done: Stages) -> Entry:
    """What the cache keeps of a compilation."""
    assert done.lowered is not None and done.work is not None
    return Entry(done.object_code, done.lowered.signature, flat(done.template), done.work)
