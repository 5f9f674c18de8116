"""What compiling gives: a native function, or code for another machine, that shows how it came to be.

In: an entry (machine code and what is handed back) and the record of the stages (`stages.py`), or how to come by it.
Out: `CompiledFunction`, which is called; `CrossCompiled`, which is exported.
A function that came from the cache did no algebra; the stages run when somebody asks to see them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, final

from symnet.errors import CompileError, explain
from symnet.loops.signature import Signature
from symnet.processors import usable_processors
from symnet.request import check_bytes, check_machine, default_export, host, machine
from symnet.runtime.arguments import Arguments
from symnet.runtime.baked import baked
from symnet.runtime.described import Described
from symnet.runtime.donated import donated, refuse_constant
from symnet.runtime.function import NativeFunction
from symnet.runtime.template import Template, factors_only
from symnet.schedule.target import Target

if TYPE_CHECKING:  # a warm start loads neither loops nor stages
    from symnet.loops.ir import Program
    from symnet.loops.weights import Operations
    from symnet.runtime.bind import BoundStep
    from symnet.stages import Stages

Remake = tuple[Callable[..., Any], tuple[Any, ...]] | None  # a function and its arguments that make it again


class Shown(Described, ABC):
    """What callable and exportable functions both show of how they came to be.

    Attributes:
        inputs, outputs: names, in order.
        formula: the simplified expressions, one per output.
        loops: the scheduled loops, as text.
        llvm_ir: LLVM assembly before LLVM's own passes.
        assembly: machine assembly.
        object_code: machine code.
        flops: floating-point operations of one call, as its loops execute them: an expression in the extents.
        operations: the same, arithmetic and calls of functions apart (`symnet/loops/weights.py` says what counts).
        stages: every stage's result, and its time in seconds.
        from_cache: whether the code was read from disk.
    """

    template: Template
    positional: tuple[str, ...]
    object_code: bytes
    from_cache: bool
    recipe: Remake
    _stages: Callable[[], Stages]

    @cached_property
    def stages(self) -> Stages:
        return self._stages()

    @property
    def formula(self) -> Any:
        found = self.stages.formula
        return found[0] if len(found) == 1 else found

    @property
    def program(self) -> Program:
        """The scheduled loops."""
        assert self.stages.program is not None
        return self.stages.program

    @property
    def loops(self) -> str:
        from symnet.loops.printer import to_text

        return to_text(self.program)

    @property
    def llvm_ir(self) -> str:
        return self.stages.llvm_ir

    @cached_property
    def assembly(self) -> str:
        from symnet.backends.llvm.codegen import assembly

        return assembly(self.stages.llvm_ir, self.stages.target)

    @cached_property
    def operations(self) -> Operations:
        from symnet.loops.operations import operations

        return operations(self.program)

    @property
    def flops(self) -> Any:
        return self.operations.total

    def source(self, library: str = "numpy", target: Target | str | None = None) -> str:
        """Readable source of the same function: a module that needs that library and nothing of symnet.

        Args:
            library: "numpy", "jax", "torch", or "c": one unit of C99 with the interface of the object code, and its
                bits (`docs/c-abi.md`).
            target: the machine that the C is for, instead of the one that was compiled for.

        Raises:
            ArgumentError: for another library; for a target that is none, or of another library than "c".
        """
        from symnet.source.module import source
        from symnet.stages import check_source_target, unit_of

        s, call = self.stages, f"{self.name}.source({library!r}, target=…)"
        if target is not None:
            check_source_target(call, library, target)
        if isinstance(library, str) and library == "c":
            return unit_of(s, machine(target, call))
        return source(self.name, library, s.written, s.leaves, s.outputs, factors_only(self.template), s.real)

    def report(self) -> str:
        """What was compiled: inputs, outputs, kernels, operations, workspace, times of the stages."""
        from symnet.loops.operations import filled

        stages, lowered, target = self.stages, self.stages.lowered, self.stages.target
        assert lowered is not None and target is not None
        phases, calls = list(self.program.phases()), self.operations.transcendental
        times = ", ".join(f"{stage} {1e3 * s:.0f} ms" for stage, s in stages.seconds.items())
        lines = [
            f"{self.name}({', '.join(self.inputs)}) -> {', '.join(self.outputs)}",
            f"kernels     {len(lowered.nests)} loop nests in {len(phases)} phases",
            f"FLOPs       {filled(self.flops)}"
            + (f", {filled(calls)} of them calls of functions" if calls != 0 else ""),
            f"workspace   {self._workspace()}",
            *(f"threads     {text}" for text in self._threads()),
            f"machine     {_machine_text(target)}",
            f"object code {len(self.object_code)} bytes" + (", from the cache" if self.from_cache else ""),
            f"stages      {times}",
            *(f"note: {note}" for note in self.program.notes),
            *(f"note: {name} is unused" for name in sorted(self.signature.unused)),
        ]
        return "\n".join(lines)

    def export(
        self,
        path: str,
        *,
        target: Target | str | None = None,
        constants: Mapping[str, Any] | None = None,
        max_workspace: int | None = None,
        donate: Mapping[Any, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Write object, shared library, C header, Python stub and C test, or other files: see docs/c-abi.md.

        Where no machine was named, the files are for every x86-64 processor on such a machine: they hold code for
        several levels and choose where they run.  On other architectures they are for this machine.

        Args:
            path: folder and name, as "build/mlp".
            target: the machine, by name: "native", "x86-64-v3", "cortex-m4".
            constants: arrays for inputs, by name, which become part of the code: trained weights. The files know these
                inputs no more.
            max_workspace: bytes that the workspace may have, whatever the extents; fewer rows of the batch are then
                computed at a time, which changes the order of sums, and so roundings.
            donate: inputs, and outputs that may be computed in their arrays, as of `compile`.
            **options: `files=` (which ones: `["h", "a"]`, "all"), `overwrite=` (also what export did not write),
                `library=` (False: nothing that must be linked).

        Returns:
            `Exported`, with the path of each file.

        Raises:
            ArgumentError: no machine has this name, or no file this word; no workspace is so small, and which is.
            ExistingFileError: a file of that name is somebody else's.
        """
        from symnet.export.files import export

        f = self._for_export(path, target, constants or {}, max_workspace, donate)
        given = {"template": factors_only(self.template), "positional": f.positional, "higher": f.stages.higher}
        given |= {"formula": f.stages.formula, "baked": f.stages.baked, "donated": f.signature.donated}
        return export(path, f.signature, f.program, f.stages.target, f.object_code, **given | options)

    def _for_export(
        self,
        path: str,
        target: Target | str | None,
        constants: Mapping[str, Any],
        max_workspace: int | None,
        donate: Mapping[Any, Any] | None,
    ) -> Shown:
        """The same function for the machine that its files are for, under the name that they will have."""
        from symnet.export.names import path_text, split_path

        assert self.recipe is not None
        made, (request,) = self.recipe
        if constants:
            given = baked(self.signature, constants, f"{self.name}.export({path!r}, constants=…)")
            rest = tuple(name for name in self.positional if name not in constants)
            request = replace(request, baked=given, options={**request.options, "positional": rest})
        if max_workspace is not None:
            request = replace(request, max_workspace=check_bytes(max_workspace, f"{self.name}.export({path!r}"))
        if donate is not None:
            call = f"{self.name}.export({path!r}"
            names = [b.name for b in self.signature.outputs]
            request = replace(request, donated=donated(donate, self.inputs, names, self.template, call))
        refuse_constant(request.donated, constants, f"{self.name}.export({path!r}, constants=…)")
        _, name = split_path(path, f'export("{path_text(path, "export")}")')
        named = machine(target, f"{self.name}.export({path!r}, target=…)")
        other = replace(request, name=name, target=named or request.target or default_export())
        if named is not None:
            check_machine(other)
        other_code = constants or max_workspace is not None or donate is not None
        if not other_code and (other.name, other.target) == (request.name, request.target or host()):
            return self
        found: Shown = made(other, lambda: self.stages)
        return found

    @abstractmethod
    def _workspace(self) -> str:
        """The size of the workspace, as the report says it."""

    def _threads(self) -> tuple[str, ...]:
        """How many threads a call uses, as the report says it, where that is known."""
        return ()


def _machine_text(target: Target) -> str:
    """The machine of a report, or the several of which one is chosen."""
    each = [f"{t.cpu or t.triple}, {t.vector_bits}-bit vectors" for t in (target, *target.higher)]
    return "; ".join(each) + " (chosen where it runs)" * (len(each) > 1)


@final
class CompiledFunction(Shown, NativeFunction):
    """A native function that also shows how it came to be."""

    def __init__(
        self,
        native: Any,
        signature: Signature,
        object_code: bytes,
        stages: Callable[[], Stages],
        template: Template,
        **options: Any,
    ) -> None:
        NativeFunction.__init__(self, signature, native, template=template, **options)
        self.object_code, self.from_cache, self._stages = object_code, False, stages

    def report(self, step: BoundStep | None = None, /, *, plot: Any = False, **dims: int) -> str:
        """What was compiled, and where the time of a call goes: `f.report(m=256)`, `f.report(step)`.

        The second part is there for a step or extents, and where there are no extents: phase by phase the operations,
        the bytes of arrays, the time on one thread, and what of the machine's limit that is, which is measured too.

        Args:
            step: a step of this function, `f.bind(…)`, whose arrays are used and whose outputs are overwritten; arrays
                are made up where there is none.
            plot: True draws the roofline in a new figure, axes of matplotlib's are drawn in (extra `[plot]`).
            **dims: the extents.

        Raises:
            ArgumentError: extents are missing for a plot, or unknown.
            DependencyError: a plot without matplotlib.
        """
        text = Shown.report(self)
        given = bool(dims) or plot is not False or not self.signature.dims
        if step is None and not given:
            return text + f"\nphases      .report({', '.join(f'{d}=…' for d in self.signature.dims)}) shows their times"
        from symnet.roofline.measure import example_step, measured
        from symnet.roofline.plot import draw, new_axes

        step = step or example_step(self, self.arguments.given_dims(dims, ".report"))
        axes = new_axes(f"{self.name}.report(plot=True)") if plot is True else plot
        found = measured(self, self.program, step)
        if plot is not False:
            draw(found, axes)
        return f"{text}\n\n{found.text()}"

    def _workspace(self) -> str:
        return self._of_extents(self.workspace_bytes, "bytes")

    def _threads(self) -> tuple[str, ...]:
        asked = "as asked for" if self.threads is not None else f"of {usable_processors()}"
        return (self._of_extents(self.threads_used, asked),)

    def _of_extents(self, count: Callable[..., int], unit: str) -> str:
        """A number that may depend on extents, at small and at large ones."""
        dims = self.signature.dims
        if not dims:
            return f"{count()} {unit}"
        small, large = (count(**dict.fromkeys(dims, n)) for n in (1000, 1_000_000))
        name = ", ".join(dims)
        if small == large:
            return f"{small} {unit}, whatever {name}"
        return f"{small} {unit} at {name} = 1000, {large} at 1000000"


@final
class CrossCompiled(Shown):
    """Code for another machine: to be looked at and exported, not called."""

    def __init__(
        self,
        signature: Signature,
        object_code: bytes,
        stages: Callable[[], Stages],
        template: Template,
        positional: tuple[str, ...],
    ) -> None:
        self.signature, self.object_code, self._stages = signature, object_code, stages
        self.arguments = Arguments(signature, positional)
        self.template, self.positional = template, positional
        self.from_cache = False

    def __call__(self, /, *args: Any, **keywords: Any) -> NoReturn:
        """Refused.

        Raises:
            CompileError: it says for which machine the code is.
        """
        self._refuse("(…)")

    def bind(self, /, *args: Any, **keywords: Any) -> NoReturn:
        """Refused, as calls are."""
        self._refuse(".bind(…)")

    def workspace_bytes(self, /, **dims: int) -> NoReturn:
        """Refused: the code that knows runs on the other machine."""
        self._refuse(".workspace_bytes(…)")

    def _refuse(self, call: str) -> NoReturn:
        target = self.stages.target
        got = f"code for {target.triple}" if target else "code for another machine"
        mend = 'Write it to files with .export("build/name"), or compile it again without target=.'
        raise CompileError(explain(f"{self.name}{call}", "code for this machine", got, mend))

    def _workspace(self) -> str:
        return "to be asked of the machine it was compiled for"

    def __reduce__(self) -> Any:
        """The recipe by which a pickle makes it again."""
        return self.recipe
