"""A signature as Python literals and back: what the stub checks by and what `load` reads.

In: a `Signature`, the template of its result.  Out: a dict of strings, numbers and tuples, and the same again.

    {"abi": 2, "name": "mlp", "dims": ("m",),
     "inputs": (("X", "float32", ("m", 64)), …), "outputs": (("loss", "float32", ()), …),
     "unused": (), "requirements": (("m", 1, "mean over m"),), "index_bounds": (("t", 10, "labels", False, ("m",)),),
     "index_checks": (("i + 1", 10, "an index", True, ("m",)),), "donated": (("W", "W_new"),),
     "template": (0, (1, 2)), "positional": (), "needs": ("avx2", "fma"), "levels": ()}
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symnet.export.extents import python_names, python_text, read
from symnet.export.processor import ANY, Processor
from symnet.loops.abi import ABI
from symnet.loops.integers import Buffer, IntConst, IntExpr
from symnet.loops.signature import IndexBound, Requirement, Signature
from symnet.runtime.template import Template


def to_metadata(
    signature: Signature, template: Template, positional: Sequence[str] = (), processor: Processor = ANY
) -> dict[str, Any]:
    """Everything a caller must know, as literals; extents are called as Python allows."""
    names = python_names(signature.dims)
    return {
        "abi": ABI,
        "name": signature.name,
        "dims": tuple(names.values()),
        "inputs": _buffers(signature.inputs, names),
        "outputs": _buffers(signature.outputs, names),
        "unused": tuple(sorted(signature.unused)),
        "requirements": tuple((_extent(r.extent, names), r.at_least, r.reason) for r in signature.requirements),
        "index_bounds": tuple(_bound(b, names) for b in signature.index_bounds),
        "index_checks": tuple(_bound(b, names) for b in signature.index_checks),
        "donated": tuple(signature.donated),
        "template": _literal(template),
        "positional": tuple(positional),
        "needs": processor.needs,
        "levels": processor.levels,
    }


def from_metadata(metadata: dict[str, Any]) -> Signature:
    """The signature that `to_metadata` was given."""
    return Signature(
        name=metadata["name"],
        dims=metadata["dims"],
        inputs=tuple(_read_buffers(metadata["inputs"], "input")),
        outputs=tuple(_read_buffers(metadata["outputs"], "output")),
        unused=frozenset(metadata["unused"]),
        requirements=tuple(Requirement(read(e), least, why) for e, least, why in metadata["requirements"]),
        index_bounds=tuple(map(_read_bound, metadata["index_bounds"])),
        index_checks=tuple(map(_read_bound, metadata["index_checks"])),
        donated=tuple(map(tuple, metadata.get("donated", ()))),
    )


def _bound(bound: IndexBound, names: Mapping[str, str]) -> tuple[Any, ...]:
    shape = tuple(_extent(extent, names) for extent in bound.shape)
    return bound.name, _extent(bound.extent, names), bound.reason, bound.wraps, shape


def _read_bound(item: Sequence[Any]) -> IndexBound:
    name, extent, reason, wraps, shape = item
    return IndexBound(name, read(extent), reason, wraps, tuple(map(read, shape)))


def metadata_text(metadata: dict[str, Any]) -> str:
    """The dict as readable Python: one line per argument."""
    lines = ["{"]
    for key, value in metadata.items():
        if key in ("inputs", "outputs") and value:
            lines += [f'    "{key}": (', *(f"        {item!r}," for item in value), "    ),"]
        else:
            lines.append(f'    "{key}": {value!r},')
    return "\n".join([*lines, "}"])


def find_metadata(source: str) -> dict[str, Any]:
    """The value of `METADATA = {…}` in a stub's text, read without running it, nor the lines before and after."""
    begin = re.search(r"^METADATA = ", source, re.MULTILINE)
    if begin is None:
        return {}
    end = re.search(r"\}$", source[begin.end() :], re.MULTILINE)
    found: dict[str, Any] = ast.literal_eval(source[begin.end() :][: end.end() if end else 0])
    return found


def _buffers(buffers: Iterable[Buffer], names: Mapping[str, str]) -> tuple[Any, ...]:
    return tuple((b.name, b.dtype, tuple(_extent(extent, names) for extent in b.shape)) for b in buffers)


def _read_buffers(items: Iterable[Any], space: str) -> Iterable[Buffer]:
    return (Buffer(name, dtype, tuple(map(read, shape)), space) for name, dtype, shape in items)


def _extent(expr: IntExpr, names: Mapping[str, str]) -> int | str:
    return expr.value if isinstance(expr, IntConst) else python_text(expr, names)


def _literal(template: Template) -> Template:
    """The template with keys that are literals."""
    if isinstance(template, dict):
        return {key if isinstance(key, str | int) else str(key): _literal(inner) for key, inner in template.items()}
    return type(template)(map(_literal, template)) if isinstance(template, tuple | list) else template
