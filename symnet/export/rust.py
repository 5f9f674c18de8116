"""A safe call of an exported function from Rust.

In: a `Signature`, the kinds of files beside it, the stamp of the object.  Out: the text of `NAME.rs`, a module that
needs the standard library, and the static or the shared library beside it.

Slices say their lengths, and cannot be null, misaligned, or overlap what is written; what is left of the checks of the
typed call in C (`typed_call.py`) stands here.  Where inputs are donated, a second function takes these as `&mut`, and
leaves the new values in them.
Not handled: phases on several threads; Rust before 1.82.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from symnet.export.collisions import RUST, RUST_ITEMS
from symnet.export.extents import rust_count, rust_text
from symnet.export.typed_call import Parameters
from symnet.loops.abi import ABI, ALIGNMENT, CODES, STAMP_BYTES
from symnet.loops.ir import Buffer
from symnet.loops.signature import Signature

RUST_TYPE = {"bool": "bool", "int32": "i32", "int64": "i64", "float32": "f32", "float64": "f64"}
_LOCAL = frozenset(("dims", "workspace", "extents", "bytes", "code", "inputs", "outputs", "place"))
_PRELUDE = frozenset(("Ok", "Err", "Some", "None"))


def rust_text_of(signature: Signature, kinds: Collection[str], stamp: str) -> str:
    """The whole module."""
    name, names = signature.name, rust_names(signature)
    words = {
        "@NAME@": name,
        "@SIGNATURE@": " ".join(str(signature).split()),
        "@USE@": _use(signature, names),
        "@ABI@": str(ABI),
        "@STAMP@": stamp,
        "@STAMP_BYTES@": str(STAMP_BYTES),
        "@ALIGNMENT@": str(ALIGNMENT),
        "@LINK@": ', kind = "static"' if "a" in kinds else "",
        "@EXTENTS@": "".join(f"\n    pub {c}: usize," for c in names.dims) + "\n" * bool(names.dims),
        **{f"@{code}@": str(value) for code, value in CODES.items()},
    }
    text = _MODULE.replace("@CALLS@", "\n".join(_calls(signature, names)))
    for word, meant in words.items():
        text = text.replace(word, meant)
    return text


def _calls(signature: Signature, names: Parameters) -> Iterator[str]:
    """The function, and the one that updates in place."""
    kinds: list[tuple[str, str, frozenset[str]]] = [(signature.name, "Runs everything on this thread.", frozenset())]
    if signature.donated:
        words = "The same in place: an input that is taken as `&mut` holds its result afterwards."
        kinds.append(("in_place", words, frozenset(source for source, _ in signature.donated)))
    for called, words, held in kinds:
        parameters = "".join(f"\n    {each}," for each in _parameters(signature, names, held))
        body = "\n".join(f"    {line}" for line in _body(signature, names, held))
        yield (
            _CALL.replace("@CALLED@", called)
            .replace("@WORDS@", words)
            .replace("@PARAMETERS@", parameters)
            .replace("@BODY@", body)
        )


def rust_names(signature: Signature) -> Parameters:
    """The arguments as Rust allows them: those of C, and a `_` behind what is taken."""
    parameters = Parameters.of(signature)
    used = {*RUST, *RUST_ITEMS, *_LOCAL, *_PRELUDE, signature.name}
    used |= {f"place_{k}" for k in range(len(signature.inputs))}

    def free(identifiers: tuple[str, ...]) -> tuple[str, ...]:
        found = []
        for identifier in identifiers:
            while identifier in used:
                identifier += "_"
            used.add(identifier)
            found.append(identifier)
        return tuple(found)

    return Parameters(free(parameters.dims), free(parameters.inputs), free(parameters.outputs))


def _parameters(signature: Signature, names: Parameters, held: frozenset[str]) -> Iterator[str]:
    """The arguments; `held` are the inputs that hold their results, which are no arguments then."""
    for buffer, c in zip(signature.inputs, names.inputs, strict=True):
        kind = RUST_TYPE[buffer.dtype]
        plain = f"{c}: &[{kind}]" if buffer.shape else f"{c}: {kind}"
        yield _written(buffer, c) if buffer.name in held else plain
    for buffer, c in _made(signature, names, held):
        yield _written(buffer, c)


def _written(buffer: Buffer, c: str) -> str:
    kind = RUST_TYPE[buffer.dtype]
    return f"{c}: &mut [{kind}]" if buffer.shape else f"{c}: &mut {kind}"


def _made(signature: Signature, names: Parameters, held: frozenset[str]) -> list[tuple[Buffer, str]]:
    """The outputs that have arrays of their own."""
    inside = {result for source, result in signature.donated if source in held}
    outputs = zip(signature.outputs, names.outputs, strict=True)
    return [(buffer, c) for buffer, c in outputs if buffer.name not in inside]


def _body(signature: Signature, names: Parameters, held: frozenset[str]) -> Iterator[str]:
    """The statements of the call: extents, lengths, indices, then the function."""
    dims = dict(zip(signature.dims, names.dims, strict=True))
    for c in names.dims:
        yield f"let {c} = extent(extents.{c})?;"
    for need in signature.requirements:
        yield f"if {rust_text(need.extent, dims)} < {need.at_least} {{ return Err(Error::BadExtent); }}"
    yield f"let dims: [i64; {len(dims)}] = [{', '.join(names.dims)}];"
    yield "let bytes = workspace.reserve(&dims)?;"
    for buffer, c in [*zip(signature.inputs, names.inputs, strict=True), *_made(signature, names, held)]:
        if buffer.shape:
            yield f'length("{c}", {c}.len(), {rust_count(buffer.shape, dims)})?;'
    yield from _index_checks(signature, names, dims)
    yield from _tables(signature, names, held)


def _tables(signature: Signature, names: Parameters, held: frozenset[str]) -> Iterator[str]:
    """The addresses of the arguments; one that is input and output is taken once."""
    pairs = {result: source for source, result in signature.donated if source in held}
    spelled = {b.name: (b, c) for b, c in zip(signature.inputs, names.inputs, strict=True)}
    places = {name: f"place_{k}" for k, name in enumerate(spelled) if name in held}
    for name, place in places.items():
        yield f"let {place} = {_address(*spelled[name], 'mut')};"
    inputs = [
        f"{places[b.name]} as *const c_void" if b.name in held else _address(b, c, "const") for b, c in spelled.values()
    ]
    outputs = [
        places[pairs[b.name]] if b.name in pairs else _address(b, c, "mut")
        for b, c in zip(signature.outputs, names.outputs, strict=True)
    ]
    yield from (f"let inputs: [*const c_void; {len(inputs)}] = [", *(f"    {each}," for each in inputs), "];")
    yield from (f"let outputs: [*mut c_void; {len(outputs)}] = [", *(f"    {each}," for each in outputs), "];")


def _index_checks(signature: Signature, names: Parameters, dims: dict[str, str]) -> Iterator[str]:
    """Labels that native code does not check are looked at here."""
    by_name = {buffer.name: (buffer, c) for buffer, c in zip(signature.inputs, names.inputs, strict=True)}
    for bound in signature.index_bounds:
        buffer, c = by_name[bound.name]
        end = rust_text(bound.extent, dims)
        low = f"-({end})" if bound.wraps else "0"
        outside = f"i64::from(place) < {low} || i64::from(place) >= {end}"
        if buffer.shape:
            yield f"if {c}.iter().any(|&place| {outside}) {{ return Err(Error::IndexOutOfRange); }}"
        else:
            yield f"if {outside.replace('place', c)} {{ return Err(Error::IndexOutOfRange); }}"


def _address(buffer: Buffer, c: str, kind: str) -> str:
    """The address of an argument for C."""
    if buffer.shape:
        return f"{c}.as_{'mut_' * (kind == 'mut')}ptr() as *{kind} c_void"
    return f"{'&' * (kind == 'const')}{c} as *{kind} {RUST_TYPE[buffer.dtype]} as *{kind} c_void"


def _use(signature: Signature, names: Parameters) -> str:
    """The call, in a program."""
    inputs = [f"&{c}" if b.shape else c for b, c in zip(signature.inputs, names.inputs, strict=True)]
    outputs = [f"&mut {c}" for c in names.outputs]
    extents = f"Extents {{ {', '.join(names.dims)} }}" if names.dims else "Extents {}"
    passed = ", ".join([*inputs, *outputs, f"{signature.name}::{extents}", "&mut workspace"])
    return f"{signature.name}::{signature.name}({passed})?;"


_MODULE = """\
//! @SIGNATURE@
//!
//! Written by symnet.  Arrays are row-major.  In a program, which is linked with `-L` and this file's folder:
//!
//! ```ignore
//! mod @NAME@;
//! let mut workspace = @NAME@::Workspace::new();
//! @USE@
//! ```
#![allow(dead_code, non_snake_case, non_upper_case_globals, unused_parens)]

use std::os::raw::c_void;

/// The number of the interface, and what the object of this export says of itself.
pub const ABI: i32 = @ABI@;
pub const DIGEST: &str = "@STAMP@";

#[link(name = "@NAME@"@LINK@)]
unsafe extern "C" {
    fn @NAME@_run(
        inputs: *const *const c_void,
        outputs: *const *mut c_void,
        dims: *const i64,
        workspace: *mut c_void,
        workspace_bytes: usize,
    ) -> i32;
    fn @NAME@_workspace_bytes(dims: *const i64) -> usize;
    static @NAME@_digest: [u8; @STAMP_BYTES@];
    static @NAME@_abi: i32;
}

/// The extents of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extents {@EXTENTS@}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A slice has another number of elements than the extents say.
    Length { argument: &'static str, expected: i64, got: usize },
    /// An extent is too small for the function, or so large that a size cannot be addressed.
    BadExtent,
    /// A label or an index is out of range; the outputs mean nothing.
    IndexOutOfRange,
    /// Equations with a singular matrix; the outputs mean nothing.
    SingularMatrix,
    /// There is no memory for the workspace.
    OutOfMemory,
    /// The library that is linked belongs to another export than this file.
    OtherExport,
    /// Another code of the function, which is none of its own.
    Code(i32),
}

impl std::fmt::Display for Error {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Length { argument, expected, got } => {
                write!(to, "@NAME@(…, {}, …): expected {} elements; got {}", argument, expected, got)
            }
            Error::BadExtent => write!(to, "@NAME@: an extent is too small for the function, or too large"),
            Error::IndexOutOfRange => write!(to, "@NAME@: a label or an index is out of range"),
            Error::SingularMatrix => write!(to, "@NAME@: equations with a singular matrix"),
            Error::OutOfMemory => write!(to, "@NAME@: no memory for the workspace"),
            Error::OtherExport => write!(to, "@NAME@: the library and this file are of different exports"),
            Error::Code(code) => write!(to, "@NAME@: code {}", code),
        }
    }
}

impl std::error::Error for Error {}

#[repr(C, align(@ALIGNMENT@))]
#[derive(Clone, Copy)]
struct Block([u8; @ALIGNMENT@]);

/// Scratch memory of calls with any extents: it grows where it must, and holds nothing between calls.
#[derive(Clone, Default)]
pub struct Workspace {
    blocks: Vec<Block>,
}

impl Workspace {
    /// One that is empty.
    pub fn new() -> Workspace {
        Workspace { blocks: Vec::new() }
    }

    /// Room for a call; its size in bytes.
    fn reserve(&mut self, dims: &[i64]) -> Result<usize, Error> {
        if !same_export() { return Err(Error::OtherExport); }
        let bytes = unsafe { @NAME@_workspace_bytes(dims.as_ptr()) };
        if bytes == usize::MAX { return Err(Error::BadExtent); }
        let blocks = bytes / @ALIGNMENT@ + 1;
        if self.blocks.len() < blocks {
            let more = blocks - self.blocks.len();
            if self.blocks.try_reserve_exact(more).is_err() { return Err(Error::OutOfMemory); }
            self.blocks.resize(blocks, Block([0; @ALIGNMENT@]));
        }
        Ok(bytes)
    }
}

/// Whether the library that is linked was exported with this file.
pub fn same_export() -> bool {
    let said = unsafe { @NAME@_digest };
    said[..@STAMP_BYTES@ - 1] == *DIGEST.as_bytes() && unsafe { @NAME@_abi } == ABI
}

fn extent(given: usize) -> Result<i64, Error> {
    if given as u64 > i64::MAX as u64 { Err(Error::BadExtent) } else { Ok(given as i64) }
}

fn length(argument: &'static str, got: usize, expected: i64) -> Result<(), Error> {
    if got as u64 == expected as u64 { Ok(()) } else { Err(Error::Length { argument, expected, got }) }
}

@CALLS@"""

_CALL = """\
/// @WORDS@
pub fn @CALLED@(@PARAMETERS@
    extents: Extents,
    workspace: &mut Workspace,
) -> Result<(), Error> {
    let _ = extents;
@BODY@
    let code = unsafe {
        @NAME@_run(
            inputs.as_ptr(),
            outputs.as_ptr(),
            dims.as_ptr(),
            workspace.blocks.as_mut_ptr() as *mut c_void,
            bytes,
        )
    };
    match code {
        @OK@ => Ok(()),
        @BAD_EXTENT@ => Err(Error::BadExtent),
        @INDEX_OUT_OF_RANGE@ => Err(Error::IndexOutOfRange),
        @SINGULAR_MATRIX@ => Err(Error::SingularMatrix),
        other => Err(Error::Code(other)),
    }
}
"""
