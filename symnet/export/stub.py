"""The Python stub of an exported function: needs NumPy and the library beside it, nothing else.

In: the metadata of a function, the library's file name.  Out: the text of `NAME.py`.

The stub finds out whether it is whole (`guarded.py`), and opens the library of its own export and no other
(`digest.py`).  It makes the same checks as a call in process
and answers in the same structure; a call with arrays of the same sizes as the last one goes the short way that it has
in process (`runtime/array_call.py`).  It has no threads and no bound steps; `symnet.load` has.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from symnet.export.guarded import guarded
from symnet.export.metadata import metadata_text
from symnet.export.processor import lacking
from symnet.loops.abi import CODES, STAMP_BYTES, STAMP_WORDS
from symnet.runtime import array_call
from symnet.runtime.template import Template


def stub_text(metadata: dict[str, Any], library: str) -> str:
    """The text of the whole module."""
    name = metadata["name"]
    call = ", ".join(f"{item[0]}=…" for item in metadata["inputs"])
    words = f"{name}({call}), compiled by symnet: needs NumPy and {library} beside this file."
    data = f"METADATA = {metadata_text(metadata)}"
    parts = _IMPORTS, data, _CHECKS, _asked_of_processor(), _array_call(), _calls(metadata, library)
    code = "\n".join(parts)
    return guarded(name, words, code)


def _asked_of_processor() -> str:
    """The function that finds out what a processor lacks, without its annotations."""
    source = inspect.getsource(lacking).replace(lacking.__name__, "_lacking", 1)
    return "\n" + source.replace("needed: Iterable[str], told: str", "needed, told").replace(") -> list[str]:", "):", 1)


def _array_call() -> str:
    """What `runtime/array_call.py` defines, under names that no function has."""
    source = inspect.getsource(array_call)
    body = [node for node in ast.parse(source).body if not isinstance(node, ast.Expr | ast.Import | ast.ImportFrom)]
    names = {each.name for each in body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    names |= {node.id for each in body if isinstance(each, ast.Assign | ast.AnnAssign) for node in _stored(each)}
    code = "\n".join(source.split("\n")[body[0].lineno - 1 :])
    return "\n" + re.sub(rf"(?<![\w.\"])({'|'.join(sorted(names))})\b", r"_\1", code)


def _stored(statement: ast.stmt) -> Iterator[ast.Name]:
    """The names that a statement binds."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node


def _calls(metadata: dict[str, Any], library: str) -> str:
    display = _display(metadata["template"], [len(shape) for _, _, shape in metadata["outputs"]])
    words = {"@NAME@": metadata["name"], "@LIBRARY@": library, "@SIZE@": str(STAMP_BYTES), "@WORDS@": STAMP_WORDS}
    words |= {"@RESULT@": display, "@CODES@": repr({value: code for code, value in CODES.items()})}
    return reduce(lambda text, word: text.replace(*word), words.items(), _CALLS)


def _display(template: Template, ranks: Sequence[int]) -> str:
    """What a call returns, as Python's text over the list `a` of arrays; those of rank 0 are NumPy's scalars."""
    if isinstance(template, dict):
        return f"{{{', '.join(f'{key!r}: {_display(inner, ranks)}' for key, inner in template.items())}}}"
    if isinstance(template, list):
        return f"[{', '.join(_display(inner, ranks) for inner in template)}]"
    if isinstance(template, tuple):
        return f"({''.join(_display(inner, ranks) + ', ' for inner in template)})"
    return f"a[{template}]" + "[()]" * (not ranks[template])


_IMPORTS = """\
from __future__ import annotations

import ctypes
import hashlib
import numbers
import struct
import sys
import sysconfig
from pathlib import Path

import numpy as np
"""

_CHECKS = '''

def _refuse(kind, call, expected, got, mend):
    raise kind(f"{METADATA['name']}({call}): expected {expected}; got {got}. {mend}")


def _text(value):
    if isinstance(value, np.ndarray):
        return f"{value.dtype}[{', '.join(map(str, value.shape))}]"
    return repr(value) if isinstance(value, (numbers.Number, str, type(None))) else type(value).__name__


def _evaluate(extent, dims):
    """An extent as a number; an expression like "2 * m + 1" is this file's own text."""
    return extent if isinstance(extent, int) else eval(extent, {"__builtins__": {}, "min": min}, dims)


def _shape_text(shape):
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def _exact(value, dtype):
    """The same numbers in a dtype that holds every one of them, where it does; Python's numbers in lists are weak."""
    if isinstance(value, (list, tuple)):
        given = value
        try:
            weak = all(isinstance(v, numbers.Number) and not isinstance(v, np.generic) for v in _flat(value))
            value = np.array(value)
        except ValueError:
            return value
        if weak and value.dtype.kind in {"f": "biuf", "i": "biu", "b": "b"}[dtype.kind] or not value.size:
            with np.errstate(over="ignore", invalid="ignore"):
                array = value.astype(dtype)
            same = np.isinf(array) == np.isinf(value) if dtype.kind == "f" else array == value
            return array if same.all() else given
        if value.dtype.kind not in "biuf":
            return given
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        return value
    if np.can_cast(value.dtype, dtype, "safe"):
        return value.astype(dtype)
    if value.dtype.kind in "iu" and dtype.kind == "f":
        array = value.astype(dtype)
        return array if (array.astype(object) == value.astype(object)).all() else value
    return value


def _flat(value):
    for each in value:
        yield from _flat(each) if isinstance(each, (list, tuple)) else (each,)


def _array(name, dtype, shape, value):
    """A contiguous array of the right dtype and rank; Python numbers stand for rank-0 arrays."""
    call = f"{name}={_text(value)}, ..."
    dtype = np.dtype(dtype)
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, numbers.Number):
        weak = {"f": numbers.Real, "i": numbers.Integral, "b": bool}[dtype.kind]
        if shape:
            _refuse(ValueError, call, f"rank {len(shape)}, shape {_shape_text(shape)}", "rank 0", "Pass an array.")
        if not isinstance(value, weak) or (dtype.kind == "b" and not isinstance(value, bool)):
            _refuse(TypeError, call, f"dtype {dtype}", repr(value), f"Pass {name}=np.{dtype}(...).")
        try:
            with np.errstate(over="ignore"):
                array = np.array(float(value) if dtype.kind == "f" else value, dtype)
        except OverflowError:
            array = None
        infinite = isinstance(value, float) and np.isinf(value)
        if array is None or (dtype.kind == "f" and np.isinf(array) and not infinite):
            _refuse(ValueError, f"{name}=..., ...", f"a number that {dtype} can hold", "a larger one", "Rescale it.")
        return array
    if isinstance(value, (list, tuple)) or getattr(value, "dtype", dtype) != dtype:
        value = _exact(value, dtype)
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        mend = f'Pass {name}=np.asarray({name}, "{dtype}").'
        if isinstance(value, np.ma.MaskedArray):
            mend = f"Masks have no meaning here: pass {name}={name}.filled(0) or another value."
        _refuse(TypeError, call, f"a NumPy array {_shape_text(shape)} {dtype}", type(value).__name__, mend)
    if value.dtype != dtype:
        _refuse(TypeError, call, f"dtype {dtype}", _text(value), f'Convert it once: {name}.astype("{dtype}").')
    if value.ndim != len(shape):
        got = f"rank {value.ndim}, shape {value.shape}"
        _refuse(ValueError, call, f"rank {len(shape)}, shape {_shape_text(shape)}", got, "Reshape it.")
    return np.require(value, requirements=("C", "A")).view(np.ndarray)


def _extents(arrays, dims):
    """The run-time extents, the same wherever they occur."""
    dims = dict(dims)
    origin = {}
    for (name, _, shape), array in zip(METADATA["inputs"], arrays):
        for axis, (extent, size) in enumerate(zip(shape, array.shape)):
            if extent in METADATA["dims"] and extent not in dims:
                dims[extent], origin[extent] = size, f", as axis {axis} of {name} {array.shape}"
    for dim in METADATA["dims"]:
        if dim not in dims:
            _refuse(TypeError, "...", f"the extent {dim}", "no value for it", f"Pass {dim}= as a keyword.")
    for (name, _, shape), array in zip(METADATA["inputs"], arrays):
        for axis, (extent, size) in enumerate(zip(shape, array.shape)):
            wanted = _evaluate(extent, dims)
            if wanted != size:
                text = wanted if extent == wanted else f"{extent} = {wanted}{origin.get(extent, '')}"
                expected = f"axis {axis} of {name} {_shape_text(shape)} to have extent {text}"
                got = f"{size} in shape {array.shape}"
                _refuse(ValueError, f"{name}={_text(array)}, ...", expected, got, "Make the extents agree.")
    return dims


def _check_values(arrays, dims):
    for extent, least, reason in METADATA["requirements"]:
        size = _evaluate(extent, dims)
        if size < least:
            mend = f"Pass at least {least} along {extent}."
            _refuse(ValueError, "...", f"{extent} >= {least} for the {reason}", f"{extent} = {size}", mend)
    by_name = dict(zip([item[0] for item in METADATA["inputs"]], arrays))
    for name, extent, reason, wraps, _ in METADATA["index_bounds"]:
        array, bound = by_name[name], _evaluate(extent, dims)
        low = -bound if wraps else 0
        if array.size and (array.min() < low or array.max() >= bound):
            wrong = array[(array < low) | (array >= bound)].flat[0]
            expected = f"every element of {name} in {low} ... {bound - 1} ({reason})"
            _refuse(ValueError, f"{name}={_text(array)}, ...", expected, wrong, "Mend the data.")
'''

_CALLS = '''

def _unfit(path, got):
    expected = f"the library {path} of the same export as this file"
    mend = "Export the function again, and copy its files together."
    raise ImportError(f"@NAME@: expected {expected}; got {got}. {mend}")


def _open(path):
    """The library, if it is the one that was exported with this file, byte for byte."""
    if path.exists() and not path.is_file():  # to read a pipe may take for ever
        _unfit(path, "what is no plain file")
    try:
        content = path.read_bytes()
    except OSError as error:
        _unfit(path, error.strerror)
    if hashlib.sha256(content).hexdigest() != METADATA["library"]:
        _unfit(path, "another one, or one that is damaged")
    for again in range(1000):  # a system's loader may know another library under this name: then by another spelling
        try:
            found = ctypes.CDLL(str(path.parent) + "/." * again + "/" + path.name)
            stamp = ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(found, "@NAME@_digest")), @SIZE@)
        except (OSError, ValueError) as error:
            _unfit(path, f"one that cannot be opened ({error})")
        if stamp == f"@WORDS@{METADATA['digest']}\\0".encode():
            return found
    _unfit(path, "another one")


_absent = _lacking(METADATA["needs"])
if _absent:  # the first such instruction would end the process
    _had = f"a processor with {', '.join(METADATA['needs'])}; got one without {', '.join(_absent)}"
    _mend = 'Export it for this machine, or for all of its kind: target="x86-64-portable".'
    raise ImportError(f"@NAME@: expected {_had}. {_mend}")
_library = _open(Path(__file__).resolve().with_name("@LIBRARY@"))
_run = _library.@NAME@_run
_run.restype = ctypes.c_int32
_run.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_size_t]
_workspace_bytes = _library.@NAME@_workspace_bytes
_workspace_bytes.restype = ctypes.c_size_t
_workspace_bytes.argtypes = [ctypes.c_void_p]


def _dims_table(dims):
    values = [dims[dim] for dim in METADATA["dims"]]
    return (ctypes.c_int64 * max(1, len(values)))(*values)


def _table(arrays):
    return (ctypes.c_void_p * max(1, len(arrays)))(*[array.ctypes.data for array in arrays])


def _hand_back(a):
    return @RESULT@


def workspace_bytes(**dims):
    """Scratch memory of one call in bytes, for given extents."""
    for name, value in dims.items():
        _check_extent(name, value)
    return _checked_bytes(dims, _dims_table(dims))


def _check_extent(name, value):
    if value >= 2**63:
        mend = "Pass a smaller one: native code counts in int64."
        _refuse(OverflowError, f"{name}={value!r}, ...", f"an extent {name} of less than 2**63", value, mend)


def _checked_bytes(dims, table):
    size = _workspace_bytes(table)
    if size == 2 ** (8 * ctypes.sizeof(ctypes.c_size_t)) - 1:
        got = ", ".join(f"{name} = {dims[name]}" for name in METADATA["dims"])
        _refuse(OverflowError, "...", "extents for which every array can be addressed", got, "Pass smaller ones.")
    return size


def processor():
    """For which processor the code is that runs here, as "x86-64-v3"; None where there is code for one alone."""
    levels = {int(level[8:] or 1): level for level in METADATA["levels"]}
    return levels[_library.@NAME@_processor()] if levels else None


def @NAME@(*args, **keywords):
    """Run once; arguments by keyword, fresh arrays back."""
    repeat = _repeated.get(None)
    found = None if repeat is None else repeat(args, keywords)
    return _checked(args, keywords) if found is None else found


_repeated = {}  # None: a call with arrays of the same sizes as the last one


def _repeatable(arrays, outputs, c_dims, size):
    """Such a call; what is otherwise is for the call that checks: None."""
    if METADATA["index_bounds"] or not _is_native:
        return None
    names, made = [item[0] for item in METADATA["inputs"]], [(array.dtype, array.shape) for array in outputs]
    given = [(array.dtype, array.shape) for array in arrays]
    in_order, numbers = METADATA["positional"] == tuple(names), _places_of_numbers(given)
    block = _array_block(ctypes.cast(_run, ctypes.c_void_p).value, ctypes.addressof(c_dims), size, given, made)
    native = _as_builtin("@NAME@", ctypes.cast(_library.symnet_arrays, ctypes.c_void_p).value, block, c_dims, _library)
    empty, spare = np.empty, []

    def call(args, keywords):
        if not args and len(keywords) == len(names):
            try:
                inputs = [keywords[name] for name in names]
            except KeyError:
                return None
        elif in_order and not keywords and len(args) == len(names):
            inputs = args
        else:
            return None
        if numbers:
            inputs = _with_arrays_for_numbers(inputs, numbers)
        outputs = [empty(shape, dtype) for dtype, shape in made]
        try:
            workspace = spare.pop()
        except IndexError:
            workspace = _workspace(size)
        done = native(*inputs, *outputs, workspace[1])
        spare.append(workspace)
        return _hand_back(outputs) if done else None

    return call


_is_native = hasattr(_library, "symnet_arrays") and _arrays_are_possible()


def _workspace(size):
    """Aligned memory, and its address."""
    memory = np.empty(size + 64, np.uint8)
    return memory, -(-memory.ctypes.data // 64) * 64


def _checked(args, keywords):
    """A call, after every check."""
    names = [item[0] for item in METADATA["inputs"]]
    positional = METADATA["positional"]
    if len(args) > len(positional):
        expected = f"at most {len(positional)} positional arguments" if positional else "keywords only"
        _refuse(TypeError, "...", expected, f"{len(args)} by position", f"Name {', '.join(names)}.")
    for name, value in zip(positional, args):
        if name in keywords:
            _refuse(TypeError, f"{name}=...", f"{name} once", "it by position and by keyword", "Drop one of the two.")
        keywords[name] = value
    dims = {name: keywords.pop(name) for name in list(keywords) if name in METADATA["dims"] and name not in names}
    for name, value in dims.items():
        if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 0:
            _refuse(ValueError, f"{name}={value!r}, ...", "an extent of 0 or more", repr(value), f"Write {name}=32.")
        _check_extent(name, value)
    for name in keywords:
        if name not in names:
            _refuse(TypeError, f"{name}=...", f"the inputs {', '.join(names)}", repr(name), "Correct the name.")
    for name in names:
        if name not in keywords:
            _refuse(TypeError, ", ".join(keywords), f"the inputs {', '.join(names)}", f"no {name}", f"Pass {name}=.")
    arrays = [_array(name, dtype, shape, keywords[name]) for name, dtype, shape in METADATA["inputs"]]
    given, dims = dims, _extents(arrays, dims)
    _check_values(arrays, dims)
    c_dims = _dims_table(dims)
    size = _checked_bytes(dims, c_dims)
    outputs = [
        np.empty([_evaluate(extent, dims) for extent in shape], dtype) for _, dtype, shape in METADATA["outputs"]
    ]
    memory, workspace = _workspace(size)
    code = _run(_table(arrays), _table(outputs), c_dims, workspace, size)
    if code == 4 and METADATA["index_checks"]:
        number, value, place = (ctypes.c_int64 * 3).from_address(workspace)
        text, extent, reason, wraps, shape = METADATA["index_checks"][number]
        bound = _evaluate(extent, dims)
        at = [int(i) for i in np.unravel_index(place, [_evaluate(n, dims) for n in shape])] if shape else ""
        got = f"{value} at {text if text in names else ''}{at}" if shape else value
        expected = f"every element of {text} in {-bound if wraps else 0} ... {bound - 1} ({reason})"
        _refuse(ValueError, "...", expected, got, "Mend the data.")
    if code == 6:
        got = "a singular one (code 6, SINGULAR_MATRIX: a pivot of its elimination is 0)"
        mend = "Check the data; a sum such as A + 1e-6*eye(n) keeps a matrix away from singular ones."
        _refuse(ValueError, "...", "a matrix that can be inverted", got, mend)
    if code:
        words = @CODES@.get(code, "which nobody knows")
        mend = "This is a defect of symnet: please report it with the expression."
        _refuse(RuntimeError, "...", "native code to return OK", f"code {code}, {words}", mend)
    _repeated[None] = None if given else _repeatable(arrays, outputs, c_dims, size)
    return _hand_back(outputs)
'''
