"""The tour: every stage from an expression to a native function, in order.

1. `retype`      graph → graph      real leaves take the requested dtype
2. `simplify`    graph → graph      the algebra form: what people read (`simplify/algebra/table.py`)
3. `numeric`     graph → graph      the numeric form: what computes well (`simplify/numeric/passes.py`)
4. `lower`       graph → nests      one loop nest for each stored value (`lower/program.py`)
5. `schedule`    nests → loops      register tiles, streaming over row blocks, units (`schedule/program.py`)
6. `emit`        loops → LLVM IR    (`backends/llvm/program.py`)
7. `assemble`    LLVM IR → object code → `CompiledFunction` (`compiled.py`)

`value_and_grad` differentiates first (`calculus/grad.py`).  `stop_after=` returns what stands after a stage.
A warm start takes the object code from the cache (`runtime/cache.py`) by a key made of the expression as written,
before any of this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from symnet import dtypes
from symnet.calculus.grad import grad
from symnet.calculus.structure import flatten
from symnet.collector import RARELY
from symnet.compiled import CompiledFunction, Stages
from symnet.errors import ArgumentError, clipped, explain, one_of, truth
from symnet.export.names import check_name
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.graph import substitute
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Named, Tensor, check_leaves, reals
from symnet.factoring import factored
from symnet.locks import BUILDING
from symnet.lower.program import lower, naive_program
from symnet.runtime.cache import default_cache
from symnet.runtime.entry import Entry
from symnet.runtime.structure import Template, flat, refilled
from symnet.schedule.program import schedule
from symnet.schedule.reuse import reused
from symnet.schedule.target import Target
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric
from symnet.simplify.sealing import sealed

STAGES = ("simplify", "numeric", "loops", "schedule", "llvm")


@dataclass(frozen=True)
class Request:
    """What a caller asked for.

    Attributes:
        call: the public function's name, for messages.
        written: the expressions as written; `wrt` what they are differentiated by (none for `compile`).
        names: of the outputs; `template` arranges them.
        compressed: compute the factors of the expressions (`factoring.py`) in their place.
        options: of the runtime: threads, check_finite, positional.
    """

    call: str
    written: tuple[Node, ...]
    wrt: tuple[Node, ...]
    names: tuple[str, ...]
    template: Template
    dtype: Any
    name: str
    target: Target | None
    stop_after: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    compressed: bool = False
    absent: str = "error"

    def leafy(self) -> list[Node]:
        """What holds the inputs: the expressions, and parameters that need not be in them."""
        return [*self.written, *(self.wrt if self.absent == "zero" else ())]

    def roots(self) -> list[Node]:
        """The outputs: the expressions, and their gradients."""
        if not self.wrt:
            return list(self.written)
        return [*self.written, *grad(self.written[0], list(self.wrt), absent=self.absent)]


def compile(
    outputs: Any,
    *,
    dtype: Any = None,
    inputs: Sequence[Any] | None = None,
    name: str = "symnet_function",
    threads: int = 1,
    check_finite: bool = False,
    compressed: bool = False,
    stop_after: str | None = None,
    target: Target | None = None,
) -> Any:
    """A native function of an expression, or of a list or dict of them.

    Args:
        outputs: an expression (the function returns an array), a list (a tuple), or a dict (a dict with its keys).
        dtype: float32 or float64: retypes the real leaves; by default they keep their own.
        inputs: leaves that may be passed by position, in that order; all are passed by keyword otherwise.  A leaf that
            the outputs do not contain may be listed, and is then taken and left unread: the Hessian of a quadratic.
        name: the C name.
        threads: how many threads a call may use; the bits of the result do not depend on it.
        check_finite: refuse NaN and infinity in arguments, at every call (of `bind`, when the buffers are bound).
        compressed: compute the factors of each expression and leave its deltas as they are: calls return
            `CompressedArray`s, with `dense()`, `matvec(v)` and `factors`, in the place of arrays.
        stop_after: "simplify", "numeric", "loops", "schedule" or "llvm": return what stands there.
        target: another machine: the function is exported or looked at, not called.

    Returns:
        `CompiledFunction`, called by keyword with NumPy arrays.

    Raises:
        ArgumentError: two leaves of one name, an unknown stage.
        DependencyError: llvmlite is not installed.

    Example:
        >>> import numpy as np, symnet as sn
        >>> x = sn.tensor("x", sn.dim("n"))
        >>> f = sn.compile(sn.sum(x * x))
        >>> f(x=np.array([3.0, 4.0]))
        np.float64(25.0)
    """
    listed = list(outputs.values()) if isinstance(outputs, dict) else outputs
    many = isinstance(listed, (list, tuple))
    nodes = tuple(map(as_node, listed)) if many else (as_node(listed),)
    options = {"threads": threads, "check_finite": check_finite, "positional": _positional(inputs)}
    compressed = truth("compile(…)", "compressed", compressed)
    template: Template = tuple(range(len(nodes))) if many else 0
    if isinstance(outputs, dict):
        template = dict(zip(outputs, range(len(nodes)), strict=True))
    names = _output_names(nodes)
    return _answer(Request("compile", nodes, (), names, template, dtype, name, target, stop_after, options, compressed))


def value_and_grad(
    L: Any,
    params: Any,
    *,
    absent: str = "error",
    dtype: Any = None,
    inputs: Sequence[Any] | None = None,
    name: str = "symnet_gradient",
    threads: int = 1,
    check_finite: bool = False,
    stop_after: str | None = None,
    target: Target | None = None,
) -> Any:
    """A native function that returns a scalar and its gradients.

    Args:
        L: rank 0.
        params: what to differentiate by: a node, a list or a dict; the gradients have the same structure.
        absent: "error", or "zero": what the gradient by a parameter is that L does not contain; the parameter is an
            input all the same, marked unused.
        dtype: float32 or float64; see `compile` for this and all that follow.
        inputs: leaves that may be passed by position.
        name: the C name.
        threads: how many threads a call may use.
        check_finite: refuse NaN and infinity in arguments.
        stop_after: return what stands after a stage.
        target: another machine.

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
    targets, _ = flatten("value_and_grad(L, params)", params)
    labels = [f"grad_{t.name}" if isinstance(t, (Tensor, Named)) else f"grad_{k}" for k, t in enumerate(targets)]
    names = _distinct(["value", *labels])
    options = {"threads": threads, "check_finite": check_finite, "positional": _positional(inputs)}
    template: Template = (0, _template(params))
    written = (as_node(L),)
    asked = written, tuple(targets), names, template, dtype, name, target, stop_after, options
    return _answer(Request("value_and_grad", *asked, absent=absent))


def _template(params: Any) -> Template:
    if isinstance(params, dict):
        return {key: 1 + k for k, key in enumerate(params)}
    if isinstance(params, (list, tuple)):
        return [1 + k for k in range(len(params))]
    return 1


def _positional(inputs: Sequence[Any] | None) -> tuple[str, ...]:
    """The names of the leaves that may be passed by position."""
    if inputs is None:
        return ()
    if not isinstance(inputs, (list, tuple)):
        mend = "Write inputs=[X, W]: the order in which they are passed."
        raise ArgumentError(explain("compile(…, inputs=…)", "a list of leaves", type(inputs).__name__, mend))
    for given in inputs:
        if not isinstance(given, Tensor):
            call = "compile(…, inputs=[…])"
            raise ArgumentError(
                explain(call, "leaves, such as sn.tensor gives", repr(given), "Give the tensors themselves.")
            )
    return tuple(given.name for given in inputs)


def _output_names(nodes: Sequence[Node]) -> tuple[str, ...]:
    found = [n.name if isinstance(n, Named) else "" for n in nodes]
    return _distinct([name if name.isidentifier() else f"out{k}" for k, name in enumerate(found)])


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names made distinct by a suffix."""
    result: dict[str, None] = {}
    for name in names:
        fresh, number = name, 2
        while fresh in result:
            fresh, number = f"{name}_{number}", number + 1
        result[fresh] = None
    return tuple(result)


# --------------------------------------------------------------------------- the stages


def _answer(request: Request) -> Any:
    """What the caller asked for: a function, or what stands after a stage."""
    stop = request.stop_after
    check_name(request.name, f"{request.call}(…, name={clipped(repr(request.name))})")
    if request.target is not None and stop in (None, "llvm"):
        from symnet.backends.llvm.machines import check_target

        check_target(request.target, f"{request.call}(…, target=…)")
    if stop is None:
        return _function(request)
    one_of(f"{request.call}(…, stop_after={stop!r})", stop, STAGES, "one of " + ", ".join(STAGES), "Choose a stage.")
    stages = run(request, stop)
    single = request.template == 0 and not request.compressed
    shown: dict[str, Callable[[], Any]] = {
        "simplify": lambda: stages.formula[0] if single else stages.formula,
        "numeric": lambda: stages.numeric[0] if single else stages.numeric,
        "loops": lambda: naive_program(stages.lowered),  # type: ignore[arg-type]
        "schedule": lambda: stages.program,
        "llvm": lambda: stages.llvm_ir,
    }
    return shown[stop]()


def run(request: Request, stop: str = "llvm") -> Stages:
    """The stages in order, as far as `stop`."""
    s = retyped(request)
    s.formula = s.timed("simplify", lambda: simplify(sealed(s.written)))
    if stop == "simplify":
        return s
    s.numeric = s.timed("numeric", lambda: numeric(s.formula))
    if stop == "numeric":
        return s
    s.lowered = s.timed("lower", lambda: lower(s.name, s.numeric, s.outputs, s.leaves, s.real, s.asked))
    if stop == "loops":
        return s
    s.target = target = request.target or _host()
    s.program = program = s.timed("schedule", lambda: schedule(s.lowered, target))  # type: ignore[arg-type]
    if stop == "schedule":
        return s
    from symnet.backends.llvm import codegen

    s.program = program = s.timed("schedule", lambda: reused(s.program))  # type: ignore[arg-type]
    s.llvm_ir = s.timed("emit", lambda: codegen.emit_ir(program, target))
    return s


def retyped(request: Request) -> Stages:
    """Differentiation, and the real leaves in the requested dtype."""
    call, dtype = request.call, request.dtype
    stages = Stages(request.name, (), (), dtypes.DEFAULT_REAL, request.target, [])
    leaves = check_leaves(call, request.leafy())
    roots = stages.timed("differentiate", request.roots)
    if dtype is None:
        stages.real = next((str(x.dtype) for x in reals(*roots)), dtypes.DEFAULT_REAL)
    else:
        stages.real = _real(call, dtype)
        change: dict[Node, Node] = {x: x.retyped(stages.real) for x in reals(*roots, *leaves)}
        roots = substitute(roots, change)
        leaves = [change.get(leaf, leaf) for leaf in leaves]  # type: ignore[misc]
    names, stages.structure, stages.asked = request.names, request.template, roots
    if request.compressed:
        work = partial(factored, roots, names, request.template, stages.real)
        roots, names, stages.structure = stages.timed("simplify", work)
    taken = {leaf.name for leaf in leaves}
    stages.outputs = tuple(f"{name}_out" if name in taken else name for name in names)
    stages.written, stages.leaves = roots, tuple(leaves)
    return stages


def _real(call: str, dtype: Any) -> str:
    call = f"{call}(…, dtype={dtype!r})"
    real = dtypes.check(dtype, call)
    if real not in dtypes.REAL:
        raise ArgumentError(explain(call, "float32 or float64", real, 'Write dtype="float32".'))
    return real


def _host() -> Target:
    from symnet.backends.llvm.targets import host_target

    return host_target()


def _assemble(stages: Stages) -> bytes:
    from symnet.backends.llvm import codegen

    assert stages.program is not None
    return codegen.compile_object(stages.llvm_ir, stages.target, stages.program.constants)


def _function(request: Request) -> CompiledFunction:
    """Object code from the cache or from the stages, as a function."""
    with BUILDING:  # a fork waits until the module is whole
        from symnet.backends.llvm import codegen

    check_leaves(request.call, request.leafy())  # a warm start refuses what a cold one would
    cache = default_cache()
    key = cache_key(request) if cache else ""
    entry = cache.get(key) if cache else None
    from_cache = entry is not None
    stages: Callable[[], Stages] = lambda: run(request)
    if entry is None:
        with RARELY:
            done = run(request)
            done.object_code = done.timed("assemble", lambda: _assemble(done))
        assert done.lowered is not None
        entry = Entry(done.object_code, done.lowered.signature, flat(done.structure))
        stages = lambda: done
        if cache:
            cache.put(key, entry)
    native = codegen.load(entry.object_code) if codegen.runs_here(request.target or _host()) else None
    function = CompiledFunction(
        entry.signature,
        native,
        entry.object_code,
        stages,
        structure=refilled(request.template, entry.structure),
        **request.options,
    )
    function.from_cache = from_cache
    function.recipe = (_function, (request,))
    return function


# --------------------------------------------------------------------------- the key


def cache_key(request: Request) -> str:
    """A digest of everything that the object code depends on, taken before differentiation."""
    target = request.target or _host()
    content = hashlib.blake2b(digest_size=24)
    for node in (*request.written, *request.wrt):
        content.update(node.digest)
    asked = (request.call, len(request.wrt), request.names, request.template, request.compressed, request.absent)
    parts = (*asked, str(request.dtype), request.name, target)
    content.update(repr((parts, _versions())).encode())
    return content.hexdigest()


@lru_cache(maxsize=1)
def _versions() -> tuple[str, ...]:
    """Versions of what makes the code, and a stamp of symnet's own files, so that an edit is seen."""
    stamp = hashlib.blake2b(digest_size=16)
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        found = path.stat()
        stamp.update(f"{path.relative_to(root)} {found.st_size} {found.st_mtime_ns}\n".encode())
    return (stamp.hexdigest(), version("sympy"), version("llvmlite"))
