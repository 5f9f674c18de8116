"""An export as data: signature, formulas, operations, machine and versions.

In: what `contents.py` has of a function.  Out: a dict of what JSON has; the text of `NAME.json`.

JSON has no comments, so the first member is the marker that says whose the file is (`writing.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata as installed
from typing import Any

from symnet.backends.c99.types import C_TYPE
from symnet.export.extents import python_text
from symnet.export.typed_call import Parameters
from symnet.expr.nodes.node import Node
from symnet.expr.printing.latex import latex
from symnet.expr.printing.text import text
from symnet.loops.abi import ABI, ALIGNMENT, CODES
from symnet.loops.ir import Buffer, Program
from symnet.loops.operations import filled, operations
from symnet.loops.signature import IndexBound, Signature
from symnet.runtime.baked import Baked
from symnet.schedule.budget import workspace_limit
from symnet.schedule.target import Target
from symnet.version import VERSION

PACKAGES = ("llvmlite", "numpy", "sympy")


def described(
    signature: Signature,
    programs: Sequence[Program],
    target: Target,
    metadata: Mapping[str, Any],
    files: Mapping[str, str],
    formula: Sequence[Node],
    baked: Baked = (),
) -> dict[str, Any]:
    """What is known of an export, as JSON has it."""
    parameters = Parameters.of(signature)
    counted = operations(programs[0])
    formulas = [{"text": text(node, full=True), "latex": latex(node)} for node in formula]
    formulas += [{}] * (len(signature.outputs) - len(formulas))
    inputs = [
        {**_buffer(b, c), "used": b.name not in signature.unused}
        for b, c in _pairs(signature.inputs, parameters.inputs)
    ]
    outputs = [
        _buffer(b, c) | known
        for (b, c), known in zip(_pairs(signature.outputs, parameters.outputs), formulas, strict=True)
    ]
    return {
        "name": signature.name,
        "abi": ABI,
        "digest": metadata["digest"],
        "signature": str(signature),
        "call": f"int32_t {signature.name}_call({', '.join(parameters.declared(signature))})",
        "extents": [{"name": dim, "c": c} for dim, c in zip(signature.dims, parameters.dims, strict=True)],
        "inputs": inputs,
        "outputs": outputs,
        "constants": [{"name": name, "dtype": each.dtype, "shape": list(each.shape)} for name, each in baked],
        "requirements": [
            {"extent": python_text(r.extent), "at_least": r.at_least, "reason": r.reason}
            for r in signature.requirements
        ],
        "donated": [{"input": source, "output": result} for source, result in signature.donated],
        "indices": [*map(_bound, (*signature.index_bounds, *signature.index_checks))],
        "operations": {
            "arithmetic": str(counted.arithmetic),
            "functions": str(counted.transcendental),
            "flops": str(counted.total),
            "flops_of_filled": filled(counted.total),
        },
        "workspace": {"alignment": ALIGNMENT, "bytes": workspace_limit(programs[0])},
        "codes": dict(CODES),
        "target": {
            "triple": target.triple,
            "cpu": target.cpu,
            "features": [each for each in target.features.split(",") if each.startswith("+")],
            "levels": list(metadata["levels"]),
            "needs": list(metadata["needs"]),
        },
        "versions": _versions(),
        "files": dict(files),
    }


def description_text(facts: Mapping[str, Any]) -> str:
    """The text behind the brace and the marker of the first line."""
    return json.dumps(facts, indent=2, ensure_ascii=False).removeprefix("{\n") + "\n"


def _pairs(buffers: Iterable[Buffer], identifiers: Iterable[str]) -> Iterable[tuple[Buffer, str]]:
    return zip(buffers, identifiers, strict=True)


def _buffer(buffer: Buffer, identifier: str) -> dict[str, Any]:
    shape = [python_text(extent) for extent in buffer.shape]
    kind = {"dtype": buffer.dtype, "c_type": C_TYPE[buffer.dtype]}
    return {"name": buffer.name, "c": identifier, **kind, "shape": [int(e) if e.isdecimal() else e for e in shape]}


def _bound(bound: IndexBound) -> dict[str, Any]:
    return {"of": bound.name, "extent": python_text(bound.extent), "from_the_end": bound.wraps, "reason": bound.reason}


def _versions() -> dict[str, str]:
    """Those of symnet and of what makes the code, where that is installed as a package."""
    found = {"symnet": VERSION}
    for package in PACKAGES:
        try:
            found[package] = installed.version(package)
        except installed.PackageNotFoundError:
            continue
    return found
