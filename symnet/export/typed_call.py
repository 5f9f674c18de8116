"""The typed call of a header: a function with one parameter for each argument, and the same with a struct.

In: a `Signature`.  Out: C99 and C++, which checks what can be seen before the function runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symnet.backends.c99.names import c_names
from symnet.backends.c99.types import C_TYPE
from symnet.export.extents import SATURATED, c_count, c_saturated
from symnet.loops.abi import ALIGNMENT, CODES
from symnet.loops.ir import Buffer, IntConst
from symnet.loops.signature import Signature

SUFFIXES = (
    "call",
    "args",
    "call_args",
    "strerror",
    "plus",
    "times",
    "run",
    "workspace_bytes",
    "phases",
    "units",
    "inputs",
    "outputs",
    "dims",
    "argument",
    "code",
    "digest",
    "abi",
    "processor",
    "DIGEST",
    "ABI",
    "WORKSPACE_BYTES",
    "NULL",
    "ADDRESS",
    *CODES,
)
_HELPERS = ("plus", "times")
PIECES = 4  # of a condition, on a line
_WORKSPACE = ("void *workspace", "size_t workspace_bytes")


@dataclass(frozen=True, slots=True)
class Parameters:
    """The arguments of the typed call: one identifier per dim, input and output."""

    dims: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, signature: Signature) -> Parameters:
        """Dims first, so that shapes read as they were written."""
        ours = [signature.name, *(f"{signature.name}_{suffix}" for suffix in SUFFIXES)]
        dims = c_names(signature.dims, ours)
        arrays = c_names([b.name for b in (*signature.inputs, *signature.outputs)], [*ours, *dims])
        return cls(dims, arrays[: len(signature.inputs)], arrays[len(signature.inputs) :])

    def dim_names(self, signature: Signature) -> dict[str, str]:
        """The identifier of each dim."""
        return dict(zip(signature.dims, self.dims, strict=True))

    def declared(self, signature: Signature) -> list[str]:
        """The declaration of every argument, in the order of the call."""
        return [
            *map(_input, signature.inputs, self.inputs),
            *(f"{C_TYPE[b.dtype]} *{c}" for b, c in zip(signature.outputs, self.outputs, strict=True)),
            *(f"int64_t {c}" for c in self.dims),
            *_WORKSPACE,
        ]


def typed_call_text(signature: Signature) -> str:
    """`NAME_call`, `struct NAME_args` and `NAME_call_args`."""
    parameters = Parameters.of(signature)
    call = _call(signature, parameters)
    helped = any(f"{signature.name}_{helper}(" in call for helper in _HELPERS)
    helpers = [SATURATED.format(name=signature.name)] if helped else []
    return "\n\n".join([*helpers, call, _struct(signature, parameters)])


def _call(signature: Signature, parameters: Parameters) -> str:
    name = signature.name
    addresses = [("" if b.shape else "&") + c for b, c in zip(signature.inputs, parameters.inputs, strict=True)]
    indented = ",\n    ".join(parameters.declared(signature))
    checks = "\n".join(_checks(signature, parameters))
    return f"""\
/* Checks what it can and runs all phases on this thread.  Arrays are row-major; the workspace is aligned
   to {ALIGNMENT} bytes. */
static inline int32_t {name}_call(
    {indented})
{{
    const void *const in[] = {{{", ".join(addresses) or f"{name}_NULL"}}};
    void *const out[] = {{{", ".join(parameters.outputs) or f"{name}_NULL"}}};
    const int64_t dims[] = {{{", ".join(parameters.dims) or "0"}}};
{checks}
    return {name}_run(in, out, dims, workspace, workspace_bytes);
}}"""


def _struct(signature: Signature, parameters: Parameters) -> str:
    name = signature.name
    members = "\n".join(f"    {_member(declared)};" for declared in parameters.declared(signature))
    given = [*parameters.inputs, *parameters.outputs, *parameters.dims, "workspace", "workspace_bytes"]
    passed = ",\n        ".join(f"args->{member}" for member in given)
    return f"""\
/* The same arguments by name: an array that is left out is null, and refused, and so is null in the place of them. */
struct {name}_args {{
{members}
}};

static inline int32_t {name}_call_args(const struct {name}_args *args)
{{
    if (!args) return {name}_NULL_ARGUMENT;
    return {name}_call(
        {passed});
}}"""


def _member(declared: str) -> str:
    """A parameter as a member, which can be assigned: numbers are not const."""
    return declared if "*" in declared else declared.removeprefix("const ")


def _input(buffer: Buffer, identifier: str) -> str:
    """A parameter of the typed call: a pointer, or the number itself for rank 0."""
    return f"const {C_TYPE[buffer.dtype]} {'*' * bool(buffer.shape)}{identifier}"


def _checks(signature: Signature, parameters: Parameters) -> Iterator[str]:
    """The statements that refuse: extents first, for the number of elements is made of them."""
    name, dims = signature.name, parameters.dim_names(signature)
    bad = [f"{dims[dim]} < 0" for dim in signature.dims]
    bad += [f"{c_saturated(need.extent, dims, name)} < {need.at_least}" for need in signature.requirements]
    if bad:
        yield f"    if ({' || '.join(bad)}) return {name}_BAD_EXTENT;"
    if signature.dims:
        yield f"    if ({name}_workspace_bytes(dims) == SIZE_MAX) return {name}_BAD_EXTENT;"
    yield f"    if ({name}_ADDRESS(workspace) % {ALIGNMENT}) return {name}_WORKSPACE_MISALIGNED;"
    yield f"    if (!workspace && {name}_workspace_bytes(dims) > 0) return {name}_NULL_ARGUMENT;"
    yield from _pointer_checks(signature, parameters)
    yield from _index_checks(signature, parameters)


def _pointer_checks(signature: Signature, parameters: Parameters) -> Iterator[str]:
    """Arrays that are read or written are somewhere, at a multiple of an element's size."""
    name, dims = signature.name, parameters.dim_names(signature)
    taken = [(b, c) for b, c in zip(signature.inputs, parameters.inputs, strict=True) if b.shape]
    arrays = [*taken, *zip(signature.outputs, parameters.outputs, strict=True)]
    arrays = [(b, c) for b, c in arrays if b.name not in signature.unused]
    nulls = [text for b, c in arrays if (text := _is_null(b, c, dims))]
    if nulls:
        yield f"    if ({_folded(nulls, ' || ')}) return {name}_NULL_ARGUMENT;"
    for kind in dict.fromkeys(C_TYPE[b.dtype] for b, _ in arrays):
        addresses = [f"{name}_ADDRESS({c})" for b, c in arrays if C_TYPE[b.dtype] == kind]
        if kind != "uint8_t":
            yield f"    if (({_folded(addresses, ' | ')}) % sizeof({kind})) return {name}_ARGUMENT_MISALIGNED;"


def _is_null(buffer: Buffer, identifier: str, dims: Mapping[str, str]) -> str:
    """The condition under which an array that has elements is null; "" where it has none."""
    extents = [extent.value for extent in buffer.shape if isinstance(extent, IntConst)]
    if 0 in extents:
        return ""
    known = len(extents) == len(buffer.shape)
    return f"!{identifier}" if known else f"(!{identifier} && {c_count(buffer.shape, dims)} > 0)"


def _folded(pieces: list[str], joint: str) -> str:
    """Pieces joined, some to a line."""
    lines = [joint.join(pieces[k : k + PIECES]) for k in range(0, len(pieces), PIECES)]
    return f"{joint.rstrip()}\n        ".join(lines)


def _index_checks(signature: Signature, parameters: Parameters) -> Iterator[str]:
    name, dims = signature.name, parameters.dim_names(signature)
    identifiers = dict(zip([b.name for b in signature.inputs], parameters.inputs, strict=True))
    buffers = {b.name: b for b in signature.inputs}
    for bound in signature.index_bounds:
        label = identifiers[bound.name]
        shape = buffers[bound.name].shape
        element = f"{label}[i]" if shape else label
        end = c_saturated(bound.extent, dims, name)
        low = f"-{end}" if bound.wraps else "0"
        test = f"if ({element} < {low} || {element} >= {end}) return {name}_INDEX_OUT_OF_RANGE;"
        yield f"    for (int64_t i = 0; i < {c_count(shape, dims)}; ++i)\n        {test}" if shape else f"    {test}"
