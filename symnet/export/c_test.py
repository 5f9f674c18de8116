"""A C program that calls an exported function on recorded inputs and compares its answers with those recorded.

In: a `Signature`, a `Recording`.  Out: the text of `NAME_test.c`, whose exit status is 0 only if all agree; with
arguments, which are extents, it prints what the function answers for these.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from math import isfinite, isnan

from symnet.backends.c99.types import C_TYPE
from symnet.export.extents import c_count
from symnet.export.pattern import PLAIN, pattern_text, pattern_words
from symnet.export.recording import CHANGES, SAFETY, UNITS, RecordedOutput, Recording
from symnet.export.typed_call import Parameters
from symnet.loops.abi import ALIGNMENT
from symnet.loops.signature import Signature

FIRST_DIM = 3  # extents where nothing was recorded: 3, 4, …
_LINE = 108  # letters of a row of numbers
_FORMAT = {
    "bool": '"{} %d\\n"',
    "int32": '"{} %" PRId32 "\\n"',
    "int64": '"{} %" PRId64 "\\n"',
    "float32": '"{} %.9g\\n"',
    "float64": '"{} %.17g\\n"',
}


def c_test_text(signature: Signature, recording: Recording | None) -> str:
    """The whole program."""
    name, parameters = signature.name, Parameters.of(signature)
    dims = parameters.dim_names(signature)
    fill = recording.fill if recording else PLAIN
    known = [recording.dims[dim] if recording else FIRST_DIM + k for k, dim in enumerate(signature.dims)]
    body = [
        *(
            f"    const int64_t {c} = argc > {k + 1} ? atoll(argv[{k + 1}]) : {extent};"
            for k, (c, extent) in enumerate(zip(parameters.dims, known, strict=True))
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
        value = pattern_text(signature, number, dims, fill)
        body.append(f"    for (i = 0; i < {c_count(buffer.shape, dims)}; ++i) {c}[i] = {value};")
    inputs = [c if b.shape else f"{c}[0]" for b, c in zip(signature.inputs, parameters.inputs, strict=True)]
    arguments = ", ".join([*inputs, *parameters.outputs, *parameters.dims, "workspace", "workspace_bytes"])
    body.append(f"    code = {name}_call({arguments});")
    body.append(f'    if (code != {name}_OK) {{ fprintf(stderr, "{name}: %s\\n", {name}_strerror(code)); return 1; }}')
    body += ["    if (argc > 1) {", *_printed(signature, parameters), "    } else {"]
    body += [*_compared(name, parameters, recording), "    }"]
    body += [f"    free({c});" for c in ("memory", *parameters.inputs, *parameters.outputs)]
    return _PROGRAM.format(
        name=name,
        words=_words(parameters, recording),
        functions="".join(_FUNCTIONS[kind] for kind in _FUNCTIONS if f"{kind}(" in "\n".join(body)),
        body="\n".join([*([] if parameters.dims else ["    (void)argv;"]), *body]),
        pad=ALIGNMENT,
    )


def _printed(signature: Signature, parameters: Parameters) -> Iterator[str]:
    """The statements that print a line `output value` for each element."""
    dims = parameters.dim_names(signature)
    for buffer, c in zip(signature.outputs, parameters.outputs, strict=True):
        element = f"(double){c}[i]" if buffer.dtype == "float32" else f"{c}[i]"
        show = f"printf({_FORMAT[buffer.dtype].format(c)}, {element});"
        yield f"        for (i = 0; i < {c_count(buffer.shape, dims)}; ++i) {show}"


def _compared(name: str, parameters: Parameters, recording: Recording | None) -> Iterator[str]:
    """The statements that compare."""
    if recording is None:
        yield f'        fprintf(stderr, "{name}: no inputs were found that the function takes\\n");'
        yield "        return 1;"
        return
    yield "        int wrong = 0;"
    for output, c in zip(recording.outputs, parameters.outputs, strict=True):
        if output.values.size:
            yield from _compared_output(output, c)
    count = sum(output.values.size for output in recording.outputs)
    yield f'        if (wrong) {{ fprintf(stderr, "{name}: %d of {count} numbers differ\\n", wrong); return 1; }}'
    yield f'        puts("{name}: {count} numbers agree");'


def _compared_output(output: RecordedOutput, c: str) -> Iterator[str]:
    dtype, count = output.values.dtype.name, output.values.size
    real = dtype.startswith("float")
    numbers = ", ".join(_number(value, dtype) for value in output.values.tolist())
    rows = textwrap.wrap(numbers, _LINE, break_long_words=False, break_on_hyphens=False)
    kind, compare = ("double", "disagree") if real else ("int64_t", "differ")
    place = f"i * {output.step} % {output.size}" if output.step > 1 else "i"
    got = f"(double){c}[{place}]" if dtype == "float32" else f"{c}[{place}]"
    tolerance = f", {output.relative!r}, {output.absolute!r}" if real else ""
    yield f"        {{\n            static const {kind} expected[] = {{"
    yield from (f"                {row}" for row in rows)
    yield "            };"
    yield f"            for (i = 0; i < {count}; ++i)"
    yield f'                wrong += {compare}("{c}", {place}, {got}, expected[i]{tolerance});'
    yield "        }"


def _number(value: float, dtype: str) -> str:
    """A number as C reads it, as many digits as tell it from its neighbours."""
    if not dtype.startswith("float"):
        return f"INT64_C({value})" if dtype == "int64" else str(int(value))
    if isnan(value):
        return "(double)NAN"
    return f"{value:.{9 if dtype == 'float32' else 17}g}" if isfinite(value) else f"{'-' * (value < 0)}(double)INFINITY"


def _words(parameters: Parameters, recording: Recording | None) -> str:
    """What the program does, as its first comment."""
    fill, dims = (recording.fill, recording.dims.values()) if recording else (PLAIN, ())
    extents = ", ".join(f"{c} = {n}" for c, n in zip(parameters.dims, dims, strict=False))
    arguments = f"With arguments, {' '.join(parameters.dims)}," if parameters.dims else "With an argument"
    sentences = [
        f"{arguments} it prints the outputs, and compares nothing.",
        f"The inputs: {pattern_words(fill)}." + f" Extents: {extents}." * bool(extents),
        f"Numbers agree where they differ by no more than a part of what was recorded, and {SAFETY} times what a change"
        f" of every real input by up to {UNITS} units in its last place made, of {CHANGES} that were tried: the last"
        " two numbers of each comparison. Integers agree where they are equal.",
    ]
    return "\n\n".join(textwrap.fill(s, 110, initial_indent="   ", subsequent_indent="   ") for s in sentences)


_FUNCTIONS = {
    "disagree": """
/* Whether a number is another one than was recorded; NaN agrees with NaN. */
static int disagree(const char *output, int64_t place, double got, double expected, double part, double more)
{
    const double error = got > expected ? got - expected : expected - got;
    const double size = expected < 0 ? -expected : expected;
    if (got == expected || (got != got && expected != expected)) return 0;
    if (size <= DBL_MAX && error <= part * size + more) return 0;
    fprintf(stderr, "%s[%" PRId64 "] is %.17g, and was %.17g\\n", output, place, got, expected);
    return 1;
}
""",
    "differ": """
/* Whether an integer is another one than was recorded. */
static int differ(const char *output, int64_t place, int64_t got, int64_t expected)
{
    if (got == expected) return 0;
    fprintf(stderr, "%s[%" PRId64 "] is %" PRId64 ", and was %" PRId64 "\\n", output, place, got, expected);
    return 1;
}
""",
}
_PROGRAM = """\
/* Calls {name} and compares its outputs with those that were recorded when it was exported: the exit status is 0
   only if they agree.

   cc -O2 {name}_test.c {name}.o -o {name}_test && ./{name}_test

{words} */
#define __STDC_FORMAT_MACROS
#include <float.h>
#include <inttypes.h>
#include <math.h>
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
{functions}
int main(int argc, char **argv)
{{
    int64_t i;
    int32_t code;
    if (strcmp({name}_digest, {name}_DIGEST) || {name}_abi != {name}_ABI) {{
        fprintf(stderr, "{name}: header and object are of different exports\\n");
        return 1;
    }}
{body}
    return 0;
}}
"""
