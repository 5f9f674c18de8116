"""The tour: every stage from an expression to a native function, in order.

1. `retype`      graph → graph      real leaves take the requested dtype
2. `simplify`    graph → graph      the algebra form: what people read (`simplify/algebra.py`)
3. `numeric`     graph → graph      the numeric form: what computes well (`simplify/numeric.py`)
4. `lower`       graph → nests      one loop nest for each stored value (`lower/program.py`)
5. `schedule`    nests → loops      register tiles, streaming over row blocks, units (`schedule/program.py`)
6. `emit`        loops → LLVM IR    (`llvm/program.py`)
7. `assemble`    LLVM IR → object code → `NativeFunction` (`runtime/function.py`)

`value_and_grad` differentiates first (`calculus/grad.py`).  `stop_after=` returns what stands after a stage.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from symnet import dtypes
from symnet.calculus.grad import grad
from symnet.calculus.structure import flatten
from symnet.errors import ArgumentError, explain
from symnet.expr.constants import as_node
from symnet.expr.graph import substitute
from symnet.expr.node import Node
from symnet.expr.symbols import Named, Tensor, check_leaves
from symnet.loops.ir import Program
from symnet.loops.printer import to_text
from symnet.lower.program import Lowered, lower, naive_program
from symnet.runtime.function import NativeFunction
from symnet.runtime.structure import Template, default_template
from symnet.schedule.program import schedule
from symnet.schedule.target import Target
from symnet.simplify.algebra import simplify
from symnet.simplify.cost import flops
from symnet.simplify.numeric import numeric

STAGES = ("simplify", "numeric", "loops", "schedule", "llvm")


@dataclass
class Compilation:
    """What every stage gave, kept so that a function can show it."""

    name: str
    outputs: tuple[str, ...]
    leaves: tuple[Tensor, ...]
    real: str
    written: list[Node]
    formula: list[Node] = field(default_factory=list)
    numeric: list[Node] = field(default_factory=list)
    lowered: Lowered | None = None
    program: Program | None = None
    llvm_ir: str = ""
    object_code: bytes = b""
    target: Target | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def timed(self, stage: str, work: Callable[[], Any]) -> Any:
        begin = time.perf_counter()
        result = work()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - begin
        return result


class CompiledFunction(NativeFunction):
    """A native function that also shows how it came to be.

    Attributes:
        inputs, outputs: names, in order.
        formula: the simplified expressions, one per output.
        loops: the scheduled loops, as text; llvm_ir, assembly: the floors below.
        flops: floating-point operations of one call, a SymPy polynomial in the extents.
        compilation: every stage's result, and its time in seconds.
    """

    def __init__(self, compilation: Compilation, native: Any, **options: Any) -> None:
        assert compilation.lowered is not None
        super().__init__(compilation.lowered.signature, native, **options)
        self.compilation = compilation

    @property
    def formula(self) -> Any:
        found = self.compilation.formula
        return found[0] if len(found) == 1 else tuple(found)

    @property
    def loops(self) -> str:
        assert self.compilation.program is not None
        return to_text(self.compilation.program)

    @property
    def llvm_ir(self) -> str:
        return self.compilation.llvm_ir

    @cached_property
    def assembly(self) -> str:
        from symnet.llvm.codegen import assembly

        return assembly(self.compilation.llvm_ir, self.compilation.target)

    @cached_property
    def flops(self) -> Any:
        return flops(self.compilation.numeric)

    def report(self) -> str:
        """What was compiled: inputs, outputs, kernels, operations, workspace, times."""
        return report(self)

    def export(self, path: str, **options: Any) -> Any:
        """Write object, shared library, C header, Python stub and C test: see `export/`."""
        from symnet.export import export

        c = self.compilation
        assert c.program is not None
        return export(path, self.signature, c.program, c.target, c.object_code, structure=self.structure, **options)


def compile(
    outputs: Any,
    *,
    dtype: Any = None,
    inputs: Sequence[Any] | None = None,
    name: str = "symnet_function",
    threads: int = 1,
    check_finite: bool = False,
    stop_after: str | None = None,
    target: Target | None = None,
) -> Any:
    """A native function of an expression, or of a list of them.

    Args:
        outputs: an expression (the function returns an array), or a list (it returns a tuple).
        dtype: float32 or float64: retypes the real leaves; by default they keep their own.
        inputs: leaves that may be passed by position, in that order; all are passed by keyword otherwise.
        name: the C name.
        threads: how many threads a call may use; the bits of the result do not depend on it.
        check_finite: refuse NaN and infinity in arguments.
        stop_after: "simplify", "numeric", "loops", "schedule" or "llvm": return what stands there.
        target: another machine, with `stop_after` or for export.

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
    nodes = [as_node(o) for o in outputs] if isinstance(outputs, (list, tuple)) else [as_node(outputs)]
    template = tuple(range(len(nodes))) if isinstance(outputs, (list, tuple)) else default_template(1)
    names = _output_names(nodes)
    options = {"threads": threads, "check_finite": check_finite, "positional": _positional(inputs)}
    return _build("compile", nodes, names, template, dtype, name, stop_after, target, options)


def value_and_grad(
    L: Any,
    params: Any,
    *,
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
        ShapeError: L is no scalar.  ArgumentError: L does not contain a parameter.
    """
    root = as_node(L)
    targets, _ = flatten("value_and_grad(L, params)", params)
    begin = time.perf_counter()
    gradients = grad(root, targets)
    differentiation = time.perf_counter() - begin
    labels = [f"grad_{t.name}" if isinstance(t, (Tensor, Named)) else f"grad_{k}" for k, t in enumerate(targets)]
    template: Template = (0, _template(params))
    options = {"threads": threads, "check_finite": check_finite, "positional": _positional(inputs)}
    names = ["value", *_distinct(labels)]
    return _build(
        "value_and_grad", [root, *gradients], names, template, dtype, name, stop_after, target, options, differentiation
    )


def _template(params: Any) -> Template:
    if isinstance(params, dict):
        return {key: 1 + k for k, key in enumerate(params)}
    if isinstance(params, (list, tuple)):
        return [1 + k for k in range(len(params))]
    return 1


def _positional(inputs: Sequence[Any] | None) -> tuple[str, ...]:
    return tuple(as_node(i).name for i in inputs or ())  # type: ignore[attr-defined]


def _output_names(nodes: Sequence[Node]) -> list[str]:
    found = [n.name if isinstance(n, Named) else "" for n in nodes]
    return _distinct([name if name.isidentifier() else f"out{k}" for k, name in enumerate(found)])


def _distinct(names: Sequence[str]) -> list[str]:
    """Names made distinct by a suffix."""
    used: set[str] = set()
    result = []
    for name in names:
        fresh, number = name, 2
        while fresh in used:
            fresh, number = f"{name}_{number}", number + 1
        used.add(fresh)
        result.append(fresh)
    return result


# --------------------------------------------------------------------------- the stages


def _build(
    call: str,
    roots: list[Node],
    names: list[str],
    template: Template,
    dtype: Any,
    name: str,
    stop_after: str | None,
    target: Target | None,
    options: dict[str, Any],
    differentiation: float = 0.0,
) -> Any:
    if stop_after is not None and stop_after not in STAGES:
        raise ArgumentError(
            explain(
                f"{call}(…, stop_after={stop_after!r})",
                "one of " + ", ".join(STAGES),
                repr(stop_after),
                "Choose a stage.",
            )
        )
    c = _retyped(call, roots, names, dtype, name)
    c.seconds["differentiate"] = differentiation
    c.formula = c.timed("simplify", lambda: simplify(c.written))
    if stop_after == "simplify":
        return _single(c.formula, template)
    c.numeric = c.timed("numeric", lambda: numeric(c.formula))
    if stop_after == "numeric":
        return _single(c.numeric, template)
    c.lowered = c.timed("lower", lambda: lower(name, c.numeric, _apart(c), c.leaves, c.real, c.written))
    if stop_after == "loops":
        return naive_program(c.lowered)
    c.target = target or _host()
    c.program = c.timed("schedule", lambda: schedule(c.lowered, c.target))  # type: ignore[arg-type]
    if stop_after == "schedule":
        return c.program
    return _assemble(c, template, stop_after, options)


def _assemble(c: Compilation, template: Template, stop_after: str | None, options: dict[str, Any]) -> Any:
    from symnet.llvm import codegen

    c.llvm_ir = c.timed("emit", lambda: codegen.emit_ir(c.program, c.target))  # type: ignore[arg-type]
    if stop_after == "llvm":
        return c.llvm_ir
    c.object_code = c.timed("assemble", lambda: codegen.compile_object(c.llvm_ir, c.target))
    native = c.timed("load", lambda: codegen.load(c.object_code))
    return CompiledFunction(c, native, structure=template, **options)


def _host() -> Target:
    from symnet.llvm.targets import host_target

    return host_target()


def _single(nodes: list[Node], template: Template) -> Any:
    return nodes[0] if template == 0 else nodes


def _retyped(call: str, roots: list[Node], names: list[str], dtype: Any, name: str) -> Compilation:
    """The roots with the real leaves in the requested dtype."""
    leaves = check_leaves(call, roots)
    if dtype is None:
        reals = [leaf.dtype for leaf in leaves if leaf.dtype in dtypes.REAL]
        real = str(reals[0]) if reals else dtypes.DEFAULT_REAL
    else:
        real = dtypes.check(dtype, f"{call}(…, dtype={dtype!r})")
        if real not in dtypes.REAL:
            raise ArgumentError(
                explain(f"{call}(…, dtype={dtype!r})", "float32 or float64", real, 'Write dtype="float32".')
            )
        change = {leaf: leaf.retyped(real) for leaf in leaves if leaf.dtype in dtypes.REAL and leaf.dtype != real}
        roots = substitute(roots, change)
        leaves = [change.get(leaf, leaf) for leaf in leaves]
    return Compilation(name, tuple(names), tuple(leaves), real, roots)


def _apart(c: Compilation) -> list[str]:
    """Output names that differ from every input's."""
    taken = {leaf.name for leaf in c.leaves}
    return [name if name not in taken else f"{name}_out" for name in c.outputs]


# --------------------------------------------------------------------------- the report


def report(f: CompiledFunction) -> str:
    """What was compiled, as text."""
    c = f.compilation
    assert c.program is not None and c.lowered is not None
    stages = [stage.name for _, stage in c.program.phases()]
    lines = [
        f"{f.name}({', '.join(f.inputs)}) -> {', '.join(f.outputs)}",
        f"kernels     {len(c.lowered.nests)} loop nests in {len(stages)} stages",
        f"FLOPs       {f.flops}",
        f"workspace   {_workspace_line(f)}",
        f"machine     {c.target.cpu or c.target.triple}, {c.target.vector_bits}-bit vectors" if c.target else "",
        f"object code {len(c.object_code)} bytes",
        "compiled in " + ", ".join(f"{stage} {1e3 * s:.0f} ms" for stage, s in c.seconds.items()),
        *(f"note: {note}" for note in c.program.notes),
        *(f"note: {name} is unused" for name in sorted(c.lowered.signature.unused)),
    ]
    return "\n".join(line for line in lines if line)


def _workspace_line(f: CompiledFunction) -> str:
    dims = f.signature.dims
    if not dims:
        return f"{f.workspace_bytes()} bytes"
    small, large = (dict.fromkeys(dims, n) for n in (1000, 1_000_000))
    sizes = f.workspace_bytes(**small), f.workspace_bytes(**large)
    name = ", ".join(dims)
    if sizes[0] == sizes[1]:
        return f"{sizes[0]} bytes, whatever {name}"
    return f"{sizes[0]} bytes at {name} = 1000, {sizes[1]} at 1000000"
