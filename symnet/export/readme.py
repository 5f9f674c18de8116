"""The README of an export: what the files are, and how one calls the function from C.

In: what `description.py` found, the kinds of files.  Out: the text of `README.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from symnet.export.kinds import KINDS
from symnet.export.typed_call import Parameters
from symnet.loops.signature import Signature


def readme_text(facts: Mapping[str, Any], signature: Signature, kinds: Collection[str], options: str) -> str:
    """The whole page; `options` are those with which the C is compiled."""
    name = signature.name
    formulas = [f"{each['name']} = {each['text']}" for each in facts["outputs"] if "text" in each]
    parts = [
        f"# {name}",
        "Written by symnet; its docs/c-abi.md describes the interface.",
        f"```text\n{facts['signature']}\n```",
        "```text\n{}\n```".format("\n".join(formulas)) if formulas else "",
        _constants(facts),
        _said(facts),
        "| file | what |\n|---|---|\n" + "\n".join(f"| `{facts['files'][k]}` | {KINDS[k].what} |" for k in kinds),
        _call(signature) if "h" in kinds else "",
        *(text for word, text in _uses(name, kinds, options) if word in kinds),
        f"One digest stands in all files that were written together, `{facts['digest']}`: files of different exports"
        " are refused where they meet.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _constants(facts: Mapping[str, Any]) -> str:
    """The names in the formulas that are no inputs."""
    names = ", ".join(f"`{each['name']}` {each['shape']}" for each in facts["constants"])
    return f"Constants, which are part of the code: {names}." if names else ""


def _said(facts: Mapping[str, Any]) -> str:
    """Machine and operations, in sentences."""
    target = facts["target"]
    levels, needs = target["levels"], target["needs"]
    machine = f"For {target['triple']}" + (f", {target['cpu']}" if target["cpu"] and not levels else "")
    sentences = [
        f"{machine}, with code for {', '.join(levels)}, of which the first call chooses." if levels else f"{machine}.",
        f"Needs a processor with {', '.join(needs)}." if needs else "",
        f"Operations of a call: {facts['operations']['flops_of_filled']}.",
        f"Interface: number {facts['abi']}.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _call(signature: Signature) -> str:
    name, parameters = signature.name, Parameters.of(signature)
    inputs = [c if b.shape else f"{c} /* a number */" for b, c in zip(signature.inputs, parameters.inputs, strict=True)]
    outputs = [c if b.shape else f"&{c}" for b, c in zip(signature.outputs, parameters.outputs, strict=True)]
    passed = ", ".join([*inputs, *outputs, *parameters.dims, "workspace", "bytes"])
    dims = f"const int64_t dims[] = {{{', '.join(parameters.dims) or '0'}}};"
    return f"""\
Arrays are row-major. The workspace is scratch memory; every call checks its arguments and says by a code what is wrong.

```c
#include "{name}.h"

{dims}
size_t bytes = {name}_workspace_bytes(dims);
void *workspace = aligned_alloc(64, (bytes + 64) / 64 * 64);
int32_t code = {name}_call({passed});
if (code != {name}_OK) puts({name}_strerror(code));
```"""


def _uses(name: str, kinds: Collection[str], options: str) -> list[tuple[str, str]]:
    """How each kind of file is used that wants words."""
    linked = next((file for word, file in (("o", f"{name}.o"), ("a", f"lib{name}.a")) if word in kinds), f"{name}.c")
    return [
        ("test", f"The test:\n\n```sh\ncc {name}_test.c {linked} -o {name}_test && ./{name}_test\n```"),
        ("c", f"The C99:\n\n```sh\ncc -std=c99 -O3 {options} -c {name}.c -o {name}_c.o\n```"),
        ("cmake", "CMake:\n\n```sh\ncmake -S . -B build && cmake --build build && ctest --test-dir build\n```"),
        ("pc", f"pkg-config:\n\n```sh\nPKG_CONFIG_PATH=. pkg-config --cflags --libs {name}\n```"),
        ("rs", f"Rust: `mod {name};`, whose documentation has the call, and\n\n```sh\nrustc -L . main.rs\n```"),
        ("py", f"Python:\n\n```python\nfrom {name} import {name}\n```"),
    ]
