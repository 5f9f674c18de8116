"""The C header of an exported function: error codes, entry points, metadata as data, a typed serial call.

In: a `Signature` (and, for a workspace that does not grow, the `Program`).  Out: the text of `NAME.h`, valid C99
and C++.

Source: docs/c-abi.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

from symnet.backends.c99.names import c_names
from symnet.backends.c99.types import C_TYPE
from symnet.dtypes import ITEMSIZE
from symnet.export.extents import SATURATED, c_count, c_saturated, python_text
from symnet.loops.abi import ALIGNMENT, CODES, STAMP_BYTES
from symnet.loops.ir import Buffer, Program
from symnet.loops.limits import limit
from symnet.loops.signature import Signature

_SAID = {
    "OK": "done",
    "WORKSPACE_TOO_SMALL": "workspace_bytes is less than {name}_workspace_bytes(dims)",
    "BAD_PHASE": "no such phase",
    "BAD_EXTENT": "an extent is negative, too small for the function, or too large ({name}_call)",
    "INDEX_OUT_OF_RANGE": "a label or an index is out of range: the outputs mean nothing",
    "WORKSPACE_MISALIGNED": "the workspace is not aligned to {alignment} bytes ({name}_call)",
    "SINGULAR_MATRIX": "equations with a singular matrix: the outputs mean nothing",
}


_SUFFIXES = (
    "call",
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
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The arguments of the typed call: one identifier per dim, input and output."""

    dims: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, signature: Signature) -> Parameters:
        """Dims first, so that shapes read as they were written."""
        ours = [signature.name, *(f"{signature.name}_{suffix}" for suffix in _SUFFIXES)]
        dims = c_names(signature.dims, ours)
        arrays = c_names([b.name for b in (*signature.inputs, *signature.outputs)], [*ours, *dims])
        return cls(dims, arrays[: len(signature.inputs)], arrays[len(signature.inputs) :])

    def dim_names(self, signature: Signature) -> dict[str, str]:
        """The identifier of each dim."""
        return dict(zip(signature.dims, self.dims, strict=True))


def header_text(signature: Signature, program: Program | None = None, stamp: str = "") -> str:
    """The whole header; `stamp` is what the object's `NAME_digest` says."""
    name = signature.name
    guard = f"SYMNET_{name}_H"
    parts = (
        f"/* {name}: {_summary(signature)}\n\n   Written by symnet, whose docs/c-abi.md describes the interface. */",
        f"#ifndef {guard}\n#define {guard}\n\n#include <stddef.h>\n#include <stdint.h>",
        '#ifdef __cplusplus\nextern "C" {\n#endif',
        _codes(name),
        _prototypes(name),
        _digest(name, stamp),
        _workspace_constant(name, program),
        _metadata(signature),
        _typed_call(signature),
        "#ifdef __cplusplus\n}\n#endif",
        "#endif",
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(signature: Signature) -> str:
    def listed(buffers: Iterable[Buffer]) -> str:
        return ", ".join(f"{b.name} {c_shape_text(b)} {b.dtype}" for b in buffers) or "nothing"

    return f"{listed(signature.inputs)}\n   -> {listed(signature.outputs)}.".replace("*/", "* /")


def c_shape_text(buffer: Buffer) -> str:
    """`[m, 64]`."""
    return f"[{', '.join(python_text(extent) for extent in buffer.shape)}]"


def _codes(name: str) -> str:
    lines = []
    for code, value in CODES.items():
        comma, text = "," * (value < len(CODES) - 1), _SAID[code]
        lines.append(f"    {name}_{code} = {value}{comma} /* {text.format(name=name, alignment=ALIGNMENT)} */")
    return "\n".join([f"enum {name}_code {{", *lines, "};"])


def _prototypes(name: str) -> str:
    arrays = (
        "const void *const *in, void *const *out, const int64_t *dims,\n    void *workspace, size_t workspace_bytes"
    )
    return f"""\
/* Units unit_begin .. unit_end-1 of one phase.  Phases run in order; the units of a phase are independent and may
   run on any threads at once.  Re-entrant: writes nothing but out and workspace. */
int32_t {name}({arrays},
    int32_t phase, int64_t unit_begin, int64_t unit_end);

/* All phases on this thread. */
int32_t {name}_run({arrays});

/* (size_t)-1 where an extent is negative or a size cannot be addressed: then no workspace is large enough. */
size_t {name}_workspace_bytes(const int64_t *dims);
int32_t {name}_phases(const int64_t *dims);
int64_t {name}_units(const int64_t *dims, int32_t phase);"""


def _digest(name: str, stamp: str) -> str:
    """The lines that bind this header to its object."""
    return f"""\
/* The object of this header has these words: strcmp({name}_digest, {name}_DIGEST) is 0. */
extern const char {name}_digest[{STAMP_BYTES}];
#define {name}_DIGEST "{stamp}\""""


def _workspace_constant(name: str, program: Program | None) -> str:
    """The workspace's size as a macro, where it does not grow with the extents."""
    total = constant_workspace_bytes(program) if program else None
    return "" if total is None else f"#define {name}_WORKSPACE_BYTES {total} /* enough for any extents */"


def constant_workspace_bytes(program: Program) -> int | None:
    """The largest size in bytes, or None where it grows with the extents."""
    total = 0
    for buffer in program.workspace:
        if buffer.view_of is None:
            extents = [most for extent in buffer.shape if (most := limit(extent)) is not None]
            if len(extents) != len(buffer.shape):
                return None
            total += -(-prod(extents) * ITEMSIZE[buffer.dtype] // ALIGNMENT) * ALIGNMENT
    return total


def _metadata(signature: Signature) -> str:
    name = signature.name
    return "\n".join(
        [
            f"struct {name}_argument {{",
            "    const char *name, *dtype;",
            "    int32_t rank;",
            '    const char *shape; /* extents separated by ", " */',
            "    int32_t used;      /* 0: simplified away, never read */",
            "};",
            _table(f"{name}_inputs", name, signature.inputs, signature.unused),
            _table(f"{name}_outputs", name, signature.outputs, frozenset()),
            f"static const char *const {name}_dims[] = {{{', '.join([*map(_quoted, signature.dims), '0'])}}};",
        ]
    )


def _table(table: str, name: str, buffers: Sequence[Buffer], unused: frozenset[str]) -> str:
    rows = [
        f"    {{{_quoted(b.name)}, {_quoted(b.dtype)}, {len(b.shape)}, {_quoted(c_shape_text(b)[1:-1])}, "
        f"{int(b.name not in unused)}}},"
        for b in buffers
    ]
    return "\n".join([f"static const struct {name}_argument {table}[] = {{", *rows, "    {0, 0, 0, 0, 0}", "};"])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# --------------------------------------------------------------------------- the typed call


def _typed_call(signature: Signature) -> str:
    name, parameters = signature.name, Parameters.of(signature)
    arguments = [
        *map(_input, signature.inputs, parameters.inputs),
        *(f"{C_TYPE[b.dtype]} *{c}" for b, c in zip(signature.outputs, parameters.outputs, strict=True)),
        *(f"int64_t {c}" for c in parameters.dims),
        "void *workspace",
        "size_t workspace_bytes",
    ]
    addresses = [("" if b.shape else "&") + c for b, c in zip(signature.inputs, parameters.inputs, strict=True)]
    body = [
        f"    const void *const in[] = {{{', '.join(addresses) or '0'}}};",
        f"    void *const out[] = {{{', '.join(parameters.outputs) or '0'}}};",
        f"    const int64_t dims[] = {{{', '.join(parameters.dims) or '0'}}};",
        *_checks(signature, parameters),
        f"    return {name}_run(in, out, dims, workspace, workspace_bytes);",
    ]
    comment = (
        "/* Checks what it can and runs all phases on this thread.  Arrays are row-major; the workspace is aligned\n"
        f"   to {ALIGNMENT} bytes. */"
    )
    indented = ",\n    ".join(arguments)
    helpers = [SATURATED.format(name=name) + "\n"] if any(f"{name}_{h}(" in b for b in body for h in _HELPERS) else []
    return "\n".join([*helpers, comment, f"static inline int32_t {name}_call(\n    {indented})", "{", *body, "}"])


_HELPERS = ("plus", "times")


def _input(buffer: Buffer, identifier: str) -> str:
    """A parameter of the typed call: a pointer, or the number itself for rank 0."""
    return f"const {C_TYPE[buffer.dtype]} {'*' * bool(buffer.shape)}{identifier}"


def _checks(signature: Signature, parameters: Parameters) -> list[str]:
    name, dims = signature.name, parameters.dim_names(signature)
    bad = [f"{dims[dim]} < 0" for dim in signature.dims]
    bad += [f"{c_saturated(need.extent, dims, name)} < {need.at_least}" for need in signature.requirements]
    lines = [f"    if ({' || '.join(bad)}) return {name}_BAD_EXTENT;"] if bad else []
    if signature.dims:
        lines.append(f"    if ({name}_workspace_bytes(dims) == (size_t)-1) return {name}_BAD_EXTENT;")
    lines.append(f"    if ((uintptr_t)workspace % {ALIGNMENT}) return {name}_WORKSPACE_MISALIGNED;")
    identifiers = dict(zip([b.name for b in signature.inputs], parameters.inputs, strict=True))
    buffers = {b.name: b for b in signature.inputs}
    for bound in signature.index_bounds:
        label = identifiers[bound.name]
        shape = buffers[bound.name].shape
        element = f"{label}[i]" if shape else label
        end = c_saturated(bound.extent, dims, name)
        low = f"-{end}" if bound.wraps else "0"
        test = f"if ({element} < {low} || {element} >= {end}) return {name}_INDEX_OUT_OF_RANGE;"
        lines.append(
            f"    for (int64_t i = 0; i < {c_count(shape, dims)}; ++i)\n        {test}" if shape else f"    {test}"
        )
    return lines
