"""The module for Rust: its numbers are those in process, and what is wrong is refused before native code runs."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError
from symnet.export.pattern import pattern
from symnet.export.rust import RUST_TYPE, rust_names

RUSTC = shutil.which("rustc")
pytestmark = [
    pytest.mark.skipif(RUSTC is None, reason="no Rust compiler"),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests link as on Linux"),
]
m, n = sn.dim("m"), sn.dim("n")
X, W, b, x = sn.tensor("X", m, 8), sn.tensor("W", 8, 4), sn.tensor("b", 4), sn.tensor("x", 5)
A, v, s = sn.tensor("A", 6, 6), sn.tensor("v", 6), sn.scalar("s")
t, E = sn.labels("t", m, classes=4), sn.tensor("E", 5, 3)
i, B = sn.tensor("i", m, dtype="int64"), sn.tensor("B", m, dtype="bool")
_WORDS = "fn self Ok None Error Block match bytes dims let mod extents θ f_run Vec i exp place code"
FUNCTIONS = {
    "network": lambda o: sn.value_and_grad(sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W) + b), t)), [W, b], **o),
    "scalars": lambda o: sn.compile([s * x, s + 1, sn.sum(x)], **o),
    "solved": lambda o: sn.compile(sn.solve(A + 6 * sn.eye(6), v), **o),
    "truth": lambda o: sn.compile([sn.where(B, X[:, 0], X[:, 1]), X[:, 0] > X[:, 1], i + 2], **o),
    "gathered": lambda o: sn.compile(sn.take(E, i % 5), **o),
    "shifted": lambda o: sn.compile([X[::-1], X[1:], sn.concat([x, x, sn.tensor("y", n)])], **o),
    "nothing": lambda o: sn.compile(sn.ones(3), **o),
    "names": lambda o: sn.compile({"type": sum(k * sn.tensor(w, 2) for k, w in enumerate(NAMES))}, **o),
}
NAMES = _WORDS.split()


def rustc(folder, *options):
    done = subprocess.run([RUSTC, "-D", "warnings", *options, "main.rs"], cwd=folder, capture_output=True, text=True)
    if "linker" in done.stderr and "not found" in done.stderr:
        pytest.skip("Rust has no linker")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def literal(value, kind):
    if kind == "bool":
        return "true" if value else "false"
    return f"{value!r}{kind}" if kind[0] == "f" else f"{value}{kind}"


def program(f, data, dims, shapes, change=""):
    """A program that calls the module's function and prints every output."""
    names = rust_names(f.signature)
    inputs = [*zip(f.signature.inputs, names.inputs, strict=True)]
    outputs = [*zip(f.signature.outputs, names.outputs, strict=True)]
    lines = ["#![allow(non_snake_case)]", "mod f;", "fn main() {"]
    for buffer, c in inputs:
        values = [literal(value, RUST_TYPE[buffer.dtype]) for value in data[buffer.name].ravel().tolist()]
        lines.append(f"let v_{c} = vec![{', '.join(values)}];" if buffer.shape else f"let v_{c} = {values[0]};")
    for (buffer, c), shape in zip(outputs, shapes, strict=True):
        zero = literal(0.0 if "float" in buffer.dtype else 0, RUST_TYPE[buffer.dtype])
        lines.append(f"let mut v_{c} = " + (f"vec![{zero}; {int(np.prod(shape))}];" if buffer.shape else f"{zero};"))
    passed = [f"&v_{c}" if buffer.shape else f"v_{c}" for buffer, c in inputs] + [f"&mut v_{c}" for _, c in outputs]
    extents = ", ".join(f"{c}: {dims[dim]}" for dim, c in zip(f.signature.dims, names.dims, strict=True))
    lines += ["let mut workspace = f::Workspace::new();", change]
    lines.append(f"match f::f({', '.join(passed)}, f::Extents {{ {extents} }}, &mut workspace) {{")
    lines += ['    Err(error) => println!("{:?}: {}", error, error),', "    Ok(()) => {"]
    for buffer, c in outputs:
        each = f'for each in v_{c}.iter() {{ println!("{{:?}}", each); }}'
        lines.append(each if buffer.shape else f'println!("{{:?}}", v_{c});')
    return "\n".join([*lines, "} } }", ""])


def numbers(text):
    return np.array([float({"true": "1", "false": "0"}.get(word, word)) for word in text.split()])


def leaves_of(found):
    """The arrays of a result."""
    found = list(found.values()) if isinstance(found, dict) else found
    return [leaf for part in found for leaf in leaves_of(part)] if isinstance(found, (tuple, list)) else [found]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_rust_program_gets_the_numbers_of_the_call_in_process(name, dtype, tmp_path):
    f = FUNCTIONS[name]({"name": "f", "dtype": dtype})
    f.export(tmp_path / "f", files="rs,a", target="native")
    dims = {dim: 5 + k for k, dim in enumerate(f.signature.dims)}
    data = pattern(f.signature, dims)
    expected = [np.asarray(part) for part in leaves_of(f(**data))]
    (tmp_path / "main.rs").write_text(program(f, data, dims, [part.shape for part in expected]))
    edition = ("2015", "2018", "2021", "2024")[len(name) % 4]
    rustc(tmp_path, "-L", ".", "--edition", edition)
    done = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True)
    np.testing.assert_array_equal(numbers(done.stdout).astype(dtype), np.concatenate([np.ravel(e) for e in expected]))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    f = FUNCTIONS["network"]({"name": "f"})
    folder = tmp_path_factory.mktemp("rust")
    f.export(folder / "f", files="rs,so,h")
    return f, folder


def run_changed(network, tmp_path, change, dims=None):
    f, folder = network
    data = pattern(f.signature, {"m": 5})
    shapes = [(), (8, 4), (4,)]
    shutil.copy(folder / "f.rs", tmp_path)
    (tmp_path / "main.rs").write_text(program(f, data, dims or {"m": 5}, shapes, change))
    rustc(tmp_path, "-A", "warnings", "-L", str(folder), "--edition", "2021")
    environment = {"LD_LIBRARY_PATH": str(folder)}
    return subprocess.run([tmp_path / "main"], capture_output=True, text=True, env=environment).stdout


@pytest.mark.parametrize(
    ("change", "dims", "message"),
    [
        ("let v_X = vec![0.5; 39];", None, 'Length { argument: "X", expected: 40, got: 39 }: f(…, X, …): expected 40 '),
        ("let mut v_grad_b = vec![0.5; 5];", None, 'Length { argument: "grad_b", expected: 4, got: 5 }'),
        ("let v_t = vec![0, 1, 4, 2, 3];", None, "IndexOutOfRange: f: a label or an index is out of range"),
        ("let v_t = vec![0, 1, -1, 2, 3];", None, "IndexOutOfRange"),
        ("", {"m": 0}, "BadExtent: f: an extent is too small"),
        ("", {"m": 2**62}, "BadExtent"),
        ("", {"m": 2**64 - 1}, "BadExtent"),
        ("", {"m": 4}, "Length {"),
    ],
)
def test_what_is_wrong_is_refused(network, tmp_path, change, dims, message):
    assert run_changed(network, tmp_path, change, dims).startswith(message)


def test_the_shared_library_is_linked_where_there_is_no_static_one(network, tmp_path):
    f, folder = network
    assert '#[link(name = "f")]' in (folder / "f.rs").read_text()
    got = numbers(run_changed(network, tmp_path, ""))
    expected = np.concatenate([np.ravel(e) for e in leaves_of(f(**pattern(f.signature, {"m": 5})))])
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


def test_a_library_of_another_export_is_refused(tmp_path):
    for folder, dtype in (("one", "float64"), ("two", "float32")):
        FUNCTIONS["scalars"]({"name": "f", "dtype": dtype}).export(tmp_path / folder / "f", files="rs,a")
    shutil.copy(tmp_path / "two" / "libf.a", tmp_path / "one")
    g = FUNCTIONS["scalars"]({"name": "f"})
    (tmp_path / "one" / "main.rs").write_text(program(g, pattern(g.signature, {}), {}, [(5,), (), ()]))
    rustc(tmp_path / "one", "-L", ".")
    done = subprocess.run([tmp_path / "one" / "main"], capture_output=True, text=True)
    assert done.stdout == "OtherExport: f: the library and this file are of different exports\n"


def test_a_singular_matrix_is_said(tmp_path):
    f = sn.compile(sn.solve(A, v), name="f")
    f.export(tmp_path / "f", files="rs,a")
    data = {"A": np.ones((6, 6)), "v": np.ones(6)}
    (tmp_path / "main.rs").write_text(program(f, data, {}, [(6,)]))
    rustc(tmp_path, "-L", ".")
    done = subprocess.run([tmp_path / "main"], capture_output=True, text=True)
    assert done.stdout.startswith("SingularMatrix: f: equations with a singular matrix")


def test_the_call_of_the_documentation_compiles(network, tmp_path):
    _, folder = network
    text = (folder / "f.rs").read_text()
    lines = re.search(r"```ignore\n(.*?)//! ```", text, re.DOTALL)[1].replace("//! ", "").split("\n")
    arrays = "let (X, t, W, b) = (vec![0.5; 40], vec![0i64; 5], vec![0.1; 32], vec![0.1; 4]);\nlet m = 5;"
    outputs = "let (mut value, mut grad_W, mut grad_b) = (0.0, vec![0.0; 32], vec![0.0; 4]);"
    body = "\n".join([arrays, outputs, *lines[1:]])
    main = f"{lines[0]}\nfn main() -> Result<(), f::Error> {{\n{body}\nOk(()) }}\n"
    (tmp_path / "main.rs").write_text(main)
    shutil.copy(folder / "f.rs", tmp_path)
    rustc(tmp_path, "-A", "warnings", "-L", str(folder), "--edition", "2021")


def test_keywords_of_rust_name_no_function(tmp_path):
    f = sn.compile(sn.sum(x), name="f")
    for name, what in (("fn", "a keyword of Rust"), ("self", "a keyword of Rust"), ("Block", "a name of the module")):
        with pytest.raises(ArgumentError, match=f"got '{name}', {what}"):
            f.export(tmp_path / name, files="rs,a")
    with pytest.raises(ArgumentError, match=r'expected "a" or "so" beside "rs"'):
        f.export(tmp_path / "f", files="rs")
