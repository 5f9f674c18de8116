"""A C program that calls an exported function and prints what it computes.

In: a `Signature`.  Out: the text of `NAME_test.c`; and `pattern`, the same inputs in Python.

Element i of input k is ((37·i + 11·k) mod 101 + 1)/1024: exact in every real dtype, positive, small enough to
leave activations unsaturated.  Integers are i mod 7, labels i mod their bound, booleans i mod 2.
"""

from __future__ import annotations

import numpy as np

from symnet.backends.c99.types import C_TYPE
from symnet.export.extents import c_count, c_text
from symnet.export.typed_call import Parameters
from symnet.loops.abi import ALIGNMENT
from symnet.loops.signature import Signature
from symnet.runtime.extents import Dims, evaluate, evaluate_shape

FIRST_DIM = 3  # default extents: 3, 4, …
_FORMAT = {
    "bool": '"{} %d\\n"',
    "int32": '"{} %" PRId32 "\\n"',
    "int64": '"{} %" PRId64 "\\n"',
    "float32": '"{} %.9g\\n"',
    "float64": '"{} %.17g\\n"',
}


def pattern(signature: Signature, dims: Dims) -> dict[str, np.ndarray]:
    """The inputs that the C program uses, by name."""
    bounds = {bound.name: evaluate(bound.extent, dims) for bound in signature.index_bounds + signature.index_checks}
    found = {}
    for number, buffer in enumerate(signature.inputs):
        shape = evaluate_shape(buffer.shape, dims)
        i = np.arange(int(np.prod(shape)))
        modulus = bounds.get(buffer.name, 2 if buffer.dtype == "bool" else 7)
        values = ((37 * i + 11 * number) % 101 + 1) / 1024 if buffer.dtype.startswith("float") else i % modulus
        found[buffer.name] = values.astype(buffer.dtype).reshape(shape)
    return found


def c_test_text(signature: Signature) -> str:
    """The whole program: `NAME_test [extents]` prints one line `output value` per element."""
    name, parameters = signature.name, Parameters.of(signature)
    dims = parameters.dim_names(signature)
    body = [
        *(
            f"    const int64_t {c} = argc > {k + 1} ? atoll(argv[{k + 1}]) : {FIRST_DIM + k};"
            for k, c in enumerate(parameters.dims)
        ),
        f"    const int64_t dims[] = {{{', '.join(parameters.dims) or '0'}}};",
        f"    const size_t workspace_bytes = {name}_workspace_bytes(dims);",
        "    char *memory = (char *)reserve(workspace_bytes);",
        f"    void *workspace = memory + ({ALIGNMENT} - (uintptr_t)memory % {ALIGNMENT}) % {ALIGNMENT};",
    ]
    buffers, identifiers = signature.inputs + signature.outputs, parameters.inputs + parameters.outputs
    for buffer, c in zip(buffers, identifiers, strict=True):
        kind = C_TYPE[buffer.dtype]
        body.append(f"    {kind} *{c} = ({kind} *)reserve((size_t)({c_count(buffer.shape, dims)}) * sizeof({kind}));")
    for number, (buffer, c) in enumerate(zip(signature.inputs, parameters.inputs, strict=True)):
        body.append(
            f"    for (i = 0; i < {c_count(buffer.shape, dims)}; ++i) {c}[i] = {_value(signature, number, dims)};"
        )
    inputs = [c if b.shape else f"{c}[0]" for b, c in zip(signature.inputs, parameters.inputs, strict=True)]
    arguments = ", ".join([*inputs, *parameters.outputs, *parameters.dims, "workspace", "workspace_bytes"])
    body.append(f"    code = {name}_call({arguments});")
    body.append(f'    if (code != {name}_OK) {{ fprintf(stderr, "{name}: %s\\n", {name}_strerror(code)); return 1; }}')
    for buffer, c in zip(signature.outputs, parameters.outputs, strict=True):
        show = f"printf({_FORMAT[buffer.dtype].format(c)}, {c}[i]);"
        body.append(f"    for (i = 0; i < {c_count(buffer.shape, dims)}; ++i) {show}")
    body += [f"    free({c});" for c in ("memory", *parameters.inputs, *parameters.outputs)]
    unused = [] if parameters.dims else ["    (void)argc;", "    (void)argv;"]
    return _PROGRAM.format(
        name=name, extents="".join(f" [{c}]" for c in parameters.dims), body="\n".join([*unused, *body]), pad=ALIGNMENT
    )


def _value(signature: Signature, number: int, dims: dict[str, str]) -> str:
    buffer = signature.inputs[number]
    kind = C_TYPE[buffer.dtype]
    if buffer.dtype.startswith("float"):
        return f"({kind})((37 * i + {11 * number}) % 101 + 1) / 1024"
    bounds = {bound.name: c_text(bound.extent, dims) for bound in signature.index_bounds + signature.index_checks}
    return f"({kind})(i % ({bounds.get(buffer.name, '2' if buffer.dtype == 'bool' else '7')}))"


_PROGRAM = """\
/* Calls {name} on a fixed pattern of inputs and prints its outputs.

   cc -O2 {name}_test.c {name}.o -o {name}_test && ./{name}_test{extents} */
#define __STDC_FORMAT_MACROS
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "{name}.h"

static void *reserve(size_t bytes)
{{
    void *memory = malloc(bytes + {pad});
    if (!memory) {{ fprintf(stderr, "{name}: out of memory\\n"); exit(1); }}
    return memory;
}}

int main(int argc, char **argv)
{{
    int64_t i;
    int32_t code;
    if (strcmp({name}_digest, {name}_DIGEST)) {{
        fprintf(stderr, "{name}: header and object are of different exports\\n");
        return 1;
    }}
{body}
    return 0;
}}
"""
