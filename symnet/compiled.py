"""What compiling gives: a native function that shows how it came to be.

In: the stages (`compiler.py`) or an entry of the cache.  Out: `CompiledFunction`.
A function that came from the cache did no algebra; the stages run when somebody asks to see them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

from symnet.errors import CompileError, explain
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.loops.ir import Program
from symnet.loops.printer import to_text
from symnet.loops.signature import Signature
from symnet.lower.program import Lowered
from symnet.runtime.arguments import Arguments
from symnet.runtime.bind import BoundStep
from symnet.runtime.function import NativeFunction
from symnet.runtime.structure import Template, factors_only
from symnet.schedule.target import Target
from symnet.simplify.cost import flops
from symnet.simplify.machine.arrangement import arrange


@dataclass(repr=False)
class Stages:
    """What every stage gave.

    Attributes:
        name, outputs, leaves, real: of the function: C name, output names, inputs in order, dtype of weak values.
        structure: how the outputs are handed back.
        written, formula, numeric: the roots as written, in algebra form, in numeric form.
        asked: the expressions that the call named; their factors are the roots where they are compressed.
        lowered, program, llvm_ir, object_code: the floors below.
        seconds: time of each stage.
    """

    name: str
    outputs: tuple[str, ...]
    leaves: tuple[Tensor, ...]
    real: str
    target: Target | None
    written: list[Node]
    structure: Template = 0
    asked: list[Node] = field(default_factory=list)
    formula: list[Node] = field(default_factory=list)
    numeric: list[Node] = field(default_factory=list)
    lowered: Lowered | None = None
    program: Program | None = None
    llvm_ir: str = ""
    object_code: bytes = b""
    seconds: dict[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        times = ", ".join(f"{stage} {1e3 * s:.0f} ms" for stage, s in self.seconds.items())
        return f"<stages of {self.name}({', '.join(leaf.name for leaf in self.leaves)}): {times}>"

    def timed(self, stage: str, work: Callable[[], Any]) -> Any:
        """Run a stage and note its time."""
        begin = time.perf_counter()
        result = work()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - begin
        return result


@final
class CompiledFunction(NativeFunction):
    """A native function that also shows how it came to be.

    Attributes:
        inputs, outputs: names, in order.
        formula: the simplified expressions, one per output.
        loops: the scheduled loops, as text.
        llvm_ir: LLVM assembly before LLVM's own passes.
        assembly: machine assembly.
        flops: floating-point operations of one call, a SymPy polynomial in the extents.
        stages: every stage's result, and its time in seconds.
        from_cache: whether the code was read from disk.
    """

    def __init__(
        self, signature: Signature, native: Any, object_code: bytes, stages: Callable[[], Stages], **options: Any
    ) -> None:
        if native is not None:
            super().__init__(signature, native, **options)
        else:  # made for another machine: to be exported, not called
            self.signature, self.structure = signature, options.get("structure")
            self.arguments = Arguments(signature, options.get("positional", ()))
            self.positional = tuple(options.get("positional", ()))
        self.is_native = native is not None
        self.object_code = object_code
        self.from_cache = False
        self._stages = stages

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        """Run once: see `NativeFunction`.

        Raises:
            CompileError: when the function was compiled for another machine.
        """
        self._require_native("(…)")
        return super().__call__(*args, **keywords)

    def bind(self, /, *args: Any, **keywords: Any) -> BoundStep:
        """Fix the buffers once: see `NativeFunction.bind`."""
        self._require_native(".bind(…)")
        return super().bind(*args, **keywords)

    def workspace_bytes(self, /, **dims: int) -> int:
        """Scratch memory of one call in bytes, for given extents."""
        self._require_native(".workspace_bytes(…)")
        return super().workspace_bytes(**dims)

    def _require_native(self, call: str) -> None:
        if not self.is_native:
            target = self.stages.target
            got = f"code for {target.triple}" if target else "code for another machine"
            mend = 'Write it to files with .export("build/name"), or compile it again without target=.'
            raise CompileError(explain(f"{self.name}{call}", "code for this machine", got, mend))

    @cached_property
    def stages(self) -> Stages:
        return self._stages()

    @property
    def formula(self) -> Any:
        found = self.stages.formula
        return found[0] if len(found) == 1 else tuple(found)

    @property
    def program(self) -> Program:
        """The scheduled loops."""
        assert self.stages.program is not None
        return self.stages.program

    @property
    def loops(self) -> str:
        return to_text(self.program)

    @property
    def llvm_ir(self) -> str:
        return self.stages.llvm_ir

    @cached_property
    def assembly(self) -> str:
        from symnet.backends.llvm.codegen import assembly

        return assembly(self.stages.llvm_ir, self.stages.target)

    @cached_property
    def flops(self) -> Any:
        return flops(arrange(self.stages.numeric))

    def source(self, library: str = "numpy") -> str:
        """Readable source of the same function: a module that needs that library and nothing of symnet.

        Args:
            library: "numpy", "jax" or "torch".

        Raises:
            ArgumentError: for another library.
        """
        from symnet.source.module import source

        s = self.stages
        return source(self.name, library, s.written, s.leaves, s.outputs, factors_only(self.structure), s.real)

    def report(self) -> str:
        """What was compiled: inputs, outputs, kernels, operations, workspace, times."""
        return report(self)

    def export(self, path: str, **options: Any) -> Any:
        """Write object, shared library, C header, Python stub and C test: see `export/files.py`.

        Args:
            path: folder and name, as "build/mlp".
            **options: as of `symnet.export.export`.
        """
        from symnet.export import export

        given = {"structure": factors_only(self.structure), "positional": self.positional} | options
        return export(path, self.signature, self.program, self.stages.target, self.object_code, **given)


def report(f: CompiledFunction) -> str:
    """What was compiled, as text."""
    stages, lowered, target = f.stages, f.stages.lowered, f.stages.target
    assert lowered is not None and target is not None
    phases = [stage.name for _, stage in f.program.phases()]
    times = ", ".join(f"{stage} {1e3 * s:.0f} ms" for stage, s in stages.seconds.items())
    lines = [
        f"{f.name}({', '.join(f.inputs)}) -> {', '.join(f.outputs)}",
        f"kernels     {len(lowered.nests)} loop nests in {len(phases)} stages",
        f"FLOPs       {f.flops}",
        f"workspace   {_workspace_line(f)}",
        f"machine     {target.cpu or target.triple}, {target.vector_bits}-bit vectors",
        f"object code {len(f.object_code)} bytes" + (", from the cache" if f.from_cache else ""),
        f"stages      {times}",
        *(f"note: {note}" for note in f.program.notes),
        *(f"note: {name} is unused" for name in sorted(f.signature.unused)),
    ]
    return "\n".join(lines)


def _workspace_line(f: CompiledFunction) -> str:
    if not f.is_native:
        return "to be asked of the machine it was compiled for"
    dims = f.signature.dims
    if not dims:
        return f"{f.workspace_bytes()} bytes"
    small, large = (dict.fromkeys(dims, n) for n in (1000, 1_000_000))
    sizes = f.workspace_bytes(**small), f.workspace_bytes(**large)
    name = ", ".join(dims)
    if sizes[0] == sizes[1]:
        return f"{sizes[0]} bytes, whatever {name}"
    return f"{sizes[0]} bytes at {name} = 1000, {sizes[1]} at 1000000"
