"""The C header of an exported function: error codes, entry points, metadata as data; `typed_call.py` has the call.

In: a `Signature` (and, for a workspace that does not grow, the `Program`).  Out: the text of `NAME.h`, valid C99
and C++.

Source: docs/c-abi.md.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from symnet.export.documented import documented
from symnet.export.extents import python_text
from symnet.export.processor import ANY, Processor
from symnet.export.typed_call import typed_call_text
from symnet.loops.abi import ABI, ALIGNMENT, CODES, STAMP_BYTES
from symnet.loops.ir import Buffer, Program
from symnet.loops.signature import Signature
from symnet.schedule.budget import workspace_limit

_SAID = {
    "OK": "done",
    "WORKSPACE_TOO_SMALL": "workspace_bytes is less than {name}_workspace_bytes(dims)",
    "BAD_PHASE": "no such phase",
    "BAD_EXTENT": "an extent is negative, too small for the function, or too large ({name}_call)",
    "INDEX_OUT_OF_RANGE": "a label or an index is out of range: the outputs mean nothing",
    "WORKSPACE_MISALIGNED": "the workspace is not aligned to {alignment} bytes ({name}_call)",
    "SINGULAR_MATRIX": "equations with a singular matrix: the outputs mean nothing",
    "NULL_ARGUMENT": "an array or the workspace is null ({name}_call)",
    "ARGUMENT_MISALIGNED": "an array is not aligned to its elements ({name}_call)",
}


def header_text(
    signature: Signature,
    programs: Sequence[Program] = (),
    stamp: str = "",
    processor: Processor = ANY,
    said: str = "",
) -> str:
    """The whole header; `programs` are those that the object holds, `stamp` is what its `NAME_digest` says, `said` what
    `documented.py` has of the arguments.
    """
    name = signature.name
    guard = f"SYMNET_{name}_H"
    parts = (
        f"/* {name}, with arrays row-major and numbers without brackets:\n\n{said or documented(signature)}\n\n"
        f"{_asked(name, processor)}"
        "   Written by symnet, whose docs/c-abi.md describes the interface. */",
        f"#ifndef {guard}\n#define {guard}\n\n#include <stddef.h>\n#include <stdint.h>",
        _macros(name),
        '#ifdef __cplusplus\nextern "C" {\n#endif',
        _codes(name),
        _prototypes(name),
        _processor_prototype(name, processor),
        _digest(name, stamp),
        _workspace_constant(name, programs),
        _metadata(signature),
        typed_call_text(signature),
        "#ifdef __cplusplus\n}\n#endif",
        "#endif",
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _asked(name: str, processor: Processor) -> str:
    """What the processor must have; without it the first such instruction ends the process."""
    *most, last = processor.levels or ("",)
    sentences = [
        f"Holds code for {', '.join(most)} and {last}; the first call chooses by what the processor and the operating "
        f"system have, and {name}_processor() says what it chose." * bool(most),
        f"Needs a processor with {', '.join(processor.needs)}." * bool(processor.needs),
    ]
    lines = [line for sentence in sentences for line in textwrap.wrap(sentence, 105)]
    return "".join(f"   {line}\n" for line in lines) + "\n" * bool(lines)


def c_shape_text(buffer: Buffer) -> str:
    """`[m, 64]`."""
    return f"[{', '.join(python_text(extent) for extent in buffer.shape)}]"


def _macros(name: str) -> str:
    """What C and C++ write differently."""
    return f"""\
#if defined(__cplusplus) && __cplusplus >= 201103L
#define {name}_NULL nullptr
#else
#define {name}_NULL NULL
#endif
#ifdef __cplusplus
#define {name}_ADDRESS(pointer) reinterpret_cast<uintptr_t>(pointer)
#else
#define {name}_ADDRESS(pointer) ((uintptr_t)(pointer))
#endif"""


def _codes(name: str) -> str:
    lines = []
    for code, value in CODES.items():
        comma = "," * (value < len(CODES) - 1)
        lines.append(f"    {name}_{code} = {value}{comma} /* {_said(code, name)} */")
    return "\n".join([f"enum {name}_code {{", *lines, "};", "", *_strerror(name)])


def _strerror(name: str) -> list[str]:
    """What a code means, as a function of the header."""
    return [
        f"static inline const char *{name}_strerror(int32_t code)",
        "{",
        "    switch (code) {",
        *(f'    case {name}_{code}: return "{_said(code, name)}";' for code in CODES),
        '    default: return "no code of this function";',
        "    }",
        "}",
    ]


def _said(code: str, name: str) -> str:
    return _SAID[code].format(name=name, alignment=ALIGNMENT)


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

/* SIZE_MAX where an extent is negative or a size cannot be addressed: then no workspace is large enough. */
size_t {name}_workspace_bytes(const int64_t *dims);
int32_t {name}_phases(const int64_t *dims);
int64_t {name}_units(const int64_t *dims, int32_t phase);"""


def _processor_prototype(name: str, processor: Processor) -> str:
    """The function that an object for several processors has."""
    if not processor.levels:
        return ""
    return f"""\
/* The level of x86-64 whose code runs here: 1 for the baseline, 3 for x86-64-v3 and so on. */
int32_t {name}_processor(void);"""


def _digest(name: str, stamp: str) -> str:
    """The lines that bind this header to its object."""
    return f"""\
/* The object of this header has these words: strcmp({name}_digest, {name}_DIGEST) is 0. */
extern const char {name}_digest[{STAMP_BYTES}];
#define {name}_DIGEST "{stamp}"

/* The number of the interface that this header describes; that of the object: {name}_abi. */
extern const int32_t {name}_abi;
#define {name}_ABI {ABI}"""


def _workspace_constant(name: str, programs: Sequence[Program]) -> str:
    """The workspace's size as a macro, where it grows with the extents in none of the programs."""
    sizes = [size for program in programs if (size := workspace_limit(program)) is not None]
    if not sizes or len(sizes) < len(programs):
        return ""
    return f"#define {name}_WORKSPACE_BYTES {max(sizes)} /* enough for any extents */"


def _metadata(signature: Signature) -> str:
    name = signature.name
    dims = ", ".join([*map(_quoted, signature.dims), f"{name}_NULL"])
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
            f"static const char *const {name}_dims[] = {{{dims}}};",
        ]
    )


def _table(table: str, name: str, buffers: Sequence[Buffer], unused: frozenset[str]) -> str:
    rows = [
        f"    {{{_quoted(b.name)}, {_quoted(b.dtype)}, {len(b.shape)}, {_quoted(c_shape_text(b)[1:-1])}, "
        f"{int(b.name not in unused)}}},"
        for b in buffers
    ]
    return "\n".join(
        [
            f"static const struct {name}_argument {table}[] = {{",
            *rows,
            f"    {{{name}_NULL, {name}_NULL, 0, {name}_NULL, 0}}",
            "};",
        ]
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
