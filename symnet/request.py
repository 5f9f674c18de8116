"""What a caller of `compile` or `value_and_grad` asks for, checked and in one record.

In: the arguments of a call.  Out: `Request`; `cache_key`, a digest of everything that its machine code depends on,
taken before any differentiation.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sympy

from symnet.backends.llvm.processor import llvmlite_version, this_processor
from symnet.calculus.structure import flatten
from symnet.errors import ArgumentError, clipped, explain, truth
from symnet.export.names import check_name
from symnet.expr.nodes.abstract import refuse_abstract
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Named, Tensor, check_leaves
from symnet.runtime.donated import Donated, donated
from symnet.runtime.template import Template
from symnet.schedule.target import Target

if TYPE_CHECKING:
    from symnet.runtime.baked import Baked


@dataclass(frozen=True)
class Request:
    """What a caller asked for.

    Attributes:
        call: the public function's name, for messages.
        written: the expressions as written; `wrt` what they are differentiated by (none for `compile`).
        names: of the outputs; `template` arranges them.
        dtype: of the real leaves, as the caller wrote it; None for their own.
        name: the C name.
        target: the machine that was named; None for this one, where none was.
        options: of the runtime: threads, check_finite, positional.
        compressed: compute the factors of the expressions (`factoring.py`) in their place.
        absent: what the gradient by a parameter is that the expression does not contain: "error" or "zero".
        listed: the leaves of `inputs=`, which come first, in that order.
        baked: the leaves that are constants, with their elements: no inputs of the function, though of the formulas.
        donated: inputs whose arrays may hold an output, by name, and the positions of these.
        copies: compute those outputs apart, and copy them at the end, that would come too early; otherwise refuse them.
        max_workspace: bytes that the workspace may have, whatever the extents; None for as many as are good.
    """

    call: str
    written: tuple[Node, ...]
    wrt: tuple[Node, ...]
    names: tuple[str, ...]
    template: Template
    dtype: Any
    name: str
    target: Target | None
    options: dict[str, Any] = field(default_factory=dict)
    compressed: bool = False
    absent: str = "error"
    listed: tuple[Tensor, ...] = ()
    baked: Baked = ()
    donated: Donated = ()
    copies: bool = False
    max_workspace: int | None = None

    def inputs(self) -> list[Tensor]:
        """The leaves in the order of the call: those listed, then data as a reader of the expressions meets them, then
        parameters as they were given.

        Raises:
            ArgumentError: two leaves of one name differ in shape, dtype or assumptions.
        """
        found = check_leaves(self.call, [*self.listed, *self.written, *self.wrt])
        listed = set(self.listed)
        params = dict.fromkeys(x for x in self.wrt if isinstance(x, Tensor) and x not in listed)
        return [*(x for x in found if x not in params), *params]


def of_outputs(outputs: Any, inputs: Sequence[Any] | None, compressed: bool, given: dict[str, Any]) -> Request:
    """What `compile` is asked for; `given` are the dtype, name and target, and the options of the runtime."""
    listed = list(outputs.values()) if isinstance(outputs, dict) else outputs
    many = isinstance(listed, (list, tuple))
    nodes = tuple(map(as_node, listed)) if many else (as_node(listed),)
    template: Template = tuple(range(len(nodes))) if many else 0
    if isinstance(outputs, dict):
        template = dict(zip(outputs, range(len(nodes)), strict=True))
    compressed = truth("compile(…)", "compressed", compressed)
    return Request(
        "compile", nodes, (), _output_names(nodes, outputs), template, **_options(inputs, given), compressed=compressed
    )


def of_gradient(L: Any, params: Any, inputs: Sequence[Any] | None, absent: str, given: dict[str, Any]) -> Request:
    """What `value_and_grad` is asked for."""
    targets, _ = flatten("value_and_grad(L, params)", params)
    labels = [f"grad_{t.name}" if isinstance(t, (Tensor, Named)) else f"grad_{k}" for k, t in enumerate(targets)]
    asked = (as_node(L),), tuple(targets), _distinct(["value", *labels]), (0, _template(params))
    return Request("value_and_grad", *asked, **_options(inputs, given), absent=absent)


def with_donated(request: Request, donate: Any, copies: bool = False) -> Request:
    """The request with what a caller gave as `donate=`."""
    if donate is None:
        return request
    inputs, call = [leaf.name for leaf in request.inputs()], f"{request.call}(…"
    return replace(request, donated=donated(donate, inputs, request.names, request.template, call), copies=copies)


def check(request: Request) -> None:
    """Refuse a C name that no compiler takes and functions without a definition, before anything is done.

    Raises:
        ArgumentError: naming the argument.
        MissingRuleError: naming the function.
    """
    refuse_abstract(f"{request.call}(…)", request.written)
    check_name(request.name, f"{request.call}(…, name={clipped(repr(request.name))})")


def check_machine(request: Request) -> None:
    """Refuse a machine for which LLVM makes no code.

    Raises:
        CompileError: with what it says.
    """
    if request.target is not None:
        from symnet.backends.llvm.machines import check_target

        check_target(request.target, f"{request.call}(…, target=…)")


def check_bytes(given: object, call: str) -> int:
    """The number of bytes of a workspace, if it is one.

    Raises:
        ArgumentError: for anything but an int of 0 or more.
    """
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return given
    mend = "Write max_workspace=16384."
    raise ArgumentError(explain(f"{call}, max_workspace={given!r})", "a number of bytes", repr(given), mend))


def machine(target: Target | str | None, call: str) -> Target | None:
    """The machine that a caller named; None where none was.

    Raises:
        ArgumentError: no machine has this name.
    """
    if not isinstance(target, str):
        return target
    from symnet.backends.llvm.named_machines import machine as of_name

    return of_name(target, call)


def default_export() -> Target:
    """The machine that files are for where none was named."""
    from symnet.backends.llvm.named_machines import default_export as found

    return found()


def host() -> Target:
    """The target of the machine at hand."""
    from symnet.backends.llvm.targets import host_target

    return host_target()


# --------------------------------------------------------------------------- names and arrangement


def _options(inputs: Sequence[Any] | None, given: dict[str, Any]) -> dict[str, Any]:
    """The fields that both calls fill alike."""
    asked = {key: given[key] for key in ("dtype", "name")} | {
        "target": machine(given["target"], "compile(…, target=…)")
    }
    runtime = {key: given[key] for key in ("threads", "check_finite")}
    listed = _listed(inputs)
    return {**asked, "options": {**runtime, "positional": tuple(x.name for x in listed)}, "listed": listed}


def _template(params: Any) -> Template:
    if isinstance(params, dict):
        return {key: 1 + k for k, key in enumerate(params)}
    if isinstance(params, (list, tuple)):
        return [1 + k for k in range(len(params))]
    return 1


def _listed(inputs: Sequence[Any] | None) -> tuple[Tensor, ...]:
    """The leaves that may be passed by position."""
    if inputs is None:
        return ()
    call = "compile(…, inputs=[…])"
    if not isinstance(inputs, (list, tuple)):
        mend = "Write inputs=[X, W]: the order in which they are passed."
        raise ArgumentError(explain("compile(…, inputs=…)", "a list of leaves", type(inputs).__name__, mend))
    for number, given in enumerate(inputs):
        if not isinstance(given, Tensor):
            raise ArgumentError(
                explain(call, "leaves, such as sn.tensor gives", repr(given), "Give the tensors themselves.")
            )
        if given in inputs[:number]:
            raise ArgumentError(explain(call, "every leaf once", f"{given.name} twice", "List it in one place."))
    return tuple(inputs)


def _output_names(nodes: Sequence[Node], outputs: Any) -> tuple[str, ...]:
    """The names of named expressions, and the keys of a dict; the others are numbered."""
    keys = [key if isinstance(key, str) else "" for key in outputs] if isinstance(outputs, dict) else [""] * len(nodes)
    found = [n.name if isinstance(n, Named) else key for n, key in zip(nodes, keys, strict=True)]
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


# --------------------------------------------------------------------------- the key


def cache_key(request: Request) -> str:
    """A digest of everything that the object code depends on, taken before differentiation."""
    content = hashlib.blake2b(digest_size=24)
    for node in (*request.written, *request.wrt, *request.listed):
        content.update(node.digest)
    asked = (
        request.call,
        len(request.wrt),
        len(request.listed),
        request.names,
        request.template,
        request.compressed,
        request.absent,
        request.donated,
        request.copies,
        request.max_workspace,
        tuple((name, contents.digest) for name, contents in request.baked),
    )
    parts = (*asked, str(request.dtype), request.name, request.target or this_processor())
    content.update(repr((parts, _versions())).encode())
    return content.hexdigest()


@lru_cache(maxsize=1)
def _versions() -> tuple[str, ...]:
    """Versions of what makes the code, and a stamp of symnet's own files, so that an edit is seen."""
    files = repr(sorted(_files(os.path.dirname(__file__))))
    stamp = hashlib.blake2b(files.encode(), digest_size=16)
    return (stamp.hexdigest(), sympy.__version__, llvmlite_version())


def _files(root: str) -> Iterator[tuple[str, int, int]]:
    """Name, size and time of change of every Python file under a folder."""
    folders = [root]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    found = entry.stat()
                    yield entry.path[len(root) :], found.st_size, found.st_mtime_ns
                elif entry.is_dir():
                    folders.append(entry.path)
