"""Files that do not fit together, and files that must not be overwritten: every way of damage, for every file."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.targets import target_for
from symnet.cli.main import main
from symnet.errors import ExistingFileError, FileError, SymnetError
from symnet.export.files import export
from symnet.export.guarded import guarded, guarded_code
from symnet.export.load import load
from symnet.export.names import library_name
from symnet.export.writing import owner_of
from tests.runtime.programs import PROGRAMS

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
pytestmark = needs_cc
LIBRARY = library_name("f")
NAMES = ("f.o", "f.h", "f_test.c", LIBRARY, "f.py")
FOUR_PARTS = r"(?s)\S+: expected .+; got .+\. \S.+"


def export_to(path, variant="affine", **options):
    return export(path, *reversed(PROGRAMS[variant]()), **options)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two exports under one name: files by name."""
    folder = tmp_path_factory.mktemp("two")
    made = []
    for number, variant in enumerate(("affine", "column_sums")):
        export_to(folder / str(number) / "f", variant)
        made.append({name: (folder / str(number) / name).read_bytes() for name in NAMES})
    return made


def put(folder, files):
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def imported(path):
    spec = importlib.util.spec_from_file_location("f", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def runs(f):
    x = np.ones((2, 3), np.float32)
    return f(X=x, b=x[0], a=2)[1] == 18


# ----- what does not fit together


def test_every_file_of_an_export_says_the_same_digest(two):
    for files in two:
        digest = next(line for line in files["f.py"].decode().splitlines() if '"digest"' in line).split("'")[-2]
        for name in ("f.o", "f.h", LIBRARY):
            assert b"symnet digest " + digest.encode() in files[name]


@pytest.mark.parametrize("count", range(1, 5))
def test_an_interrupted_export_is_refused_with_the_file_that_does_not_fit(tmp_path, two, count):
    mixed = {name: two[k < count][name] for k, name in enumerate(NAMES)}
    put(tmp_path, mixed)
    if mixed[LIBRARY] == two[0][LIBRARY]:  # the object is new, and neither is it opened
        assert runs(load(tmp_path / "f")) and runs(imported(tmp_path / "f.py").f)
        return
    with pytest.raises(FileError, match=rf"load\(.*\): expected the file .*{LIBRARY} of the same export as the stub"):
        load(tmp_path / "f")
    with pytest.raises(ImportError, match=rf"f: expected the library .*{LIBRARY} of the same export as this file; got"):
        imported(tmp_path / "f.py")


def test_swapped_files_are_refused(tmp_path, two):
    for swapped in NAMES:
        put(tmp_path, {**two[0], swapped: two[1][swapped]})
        if swapped in (LIBRARY, "f.py"):
            with pytest.raises(FileError, match=LIBRARY):
                load(tmp_path / "f")
            with pytest.raises(ImportError, match=LIBRARY):
                imported(tmp_path / "f.py")
    put(tmp_path, {**two[0], "f.o": two[1]["f.o"]})
    command = ["cc", "f_test.c", "f.o", "-o", "t"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run(["./t"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "f: header and object are of different exports\n")


def places(content, rng, count):
    return sorted({0, 1, len(content) // 2, len(content) - 1, *rng.integers(len(content), size=count).tolist()})


def test_a_truncated_or_damaged_library_is_refused_and_never_opened(tmp_path, two, rng):
    put(tmp_path, two[0])
    path, content = tmp_path / LIBRARY, two[0][LIBRARY]
    for place in places(content, rng, 60):
        for damaged in (content[:place], content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]):
            path.write_bytes(damaged)
            with pytest.raises(FileError, match=FOUR_PARTS):
                load(tmp_path / "f")
    with pytest.raises(ImportError, match=r"got another one, or one that is damaged\. Export"):
        imported(tmp_path / "f.py")


def damages(content, rng):
    """A stub cut off or changed at many places, and whether the head is whole, which finds that."""
    body = content.index(b"exec(_code") + len(b"exec(_code(Path(__file__)))\n")
    for place in [*range(0, len(content) - 1, 97), *places(content[:-1], rng, 60)]:
        yield content[:place], place >= body
        yield content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :], place >= body
        yield content[:place] + content[place + 1 :], place >= body


def test_a_truncated_or_damaged_stub_is_refused_by_name(tmp_path, two, rng):
    put(tmp_path, two[0])
    path, content = tmp_path / "f.py", two[0]["f.py"]
    for damaged, head in damages(content, rng):
        path.write_bytes(damaged)
        try:
            f = load(tmp_path / "f")
        except FileError as error:
            assert "f.py as it was exported; got one that is damaged" in str(error)
        else:
            assert runs(f) and (not head or guarded_code(damaged.decode()) == guarded_code(content.decode()))


def test_a_truncated_or_damaged_stub_is_no_syntax_error_and_runs_nothing(tmp_path, two, rng):
    put(tmp_path, two[0])
    path, content = tmp_path / "f.py", two[0]["f.py"]
    for damaged, head in damages(content, rng):
        if not head:
            continue
        path.write_bytes(damaged)
        try:
            found = guarded_code(damaged.decode())
        except ValueError:
            found = ""
        if found:  # the space behind a `#:` was changed
            assert found == guarded_code(content.decode())
            continue
        lines = damaged[content.index(b"#: ") :].splitlines()
        behind = all(line.startswith(b"#") for line in lines) and b"\0" not in damaged
        with pytest.raises(ImportError if behind else (ImportError, SyntaxError), match=r"f\.py|null bytes"):
            imported(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: b"# of another project\n" + text,
        lambda text: text.replace(b'"utf-8"', b'"UTF-8"').replace(b"\n\n\ndef", b"\n\ndef"),
        lambda text: text + b"\n\n",
        lambda text: text[:-1],
    ],
)
def test_newlines_a_mark_of_the_encoding_and_lines_above_do_no_harm(tmp_path, two, change):
    put(tmp_path, two[0])
    path = tmp_path / "f.py"
    path.write_bytes(change(path.read_bytes()))
    assert runs(load(tmp_path / "f")) and runs(imported(path).f)


def test_a_traceback_through_a_stub_shows_its_lines(tmp_path, two):
    put(tmp_path, two[0])
    with pytest.raises(TypeError, match="got no b") as caught:
        imported(tmp_path / "f.py").f(X=np.ones(3))
    last = caught.traceback[-1]
    assert Path(last.path) == tmp_path / "f.py"
    assert (tmp_path / "f.py").read_text().split("\n")[last.lineno].startswith("#:     raise kind(")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "METADATA = 3",
        "METADATA = {}",
        "METADATA = {'abi': 2}",
        "METADATA = {'abi': 2, 'name': 'f', 'digest': 'x'}",
        "METADATA = {'abi': 2, 'digest': ['x']}",
        "METADATA = " + "(" * 5000 + ")" * 5000,
        "METADATA = __import__('os').system('true')",
        "METADATA = [1, 2",
        "x = 1 +",
        "\0",
        "# coding: nonsense\nMETADATA = {}",
    ],
)
def test_a_stub_of_something_else_is_refused_in_four_parts(tmp_path, two, text):
    put(tmp_path, two[0])
    for content in (text, guarded("f", "", text)):
        (tmp_path / "f.py").write_text(content)
        with pytest.raises(SymnetError, match=FOUR_PARTS):
            load(tmp_path / "f")
    (tmp_path / "f.py").write_bytes(b"\xff\xfe" + text.encode())
    with pytest.raises(FileError, match=r"f\.py as it was exported; got one that is damaged"):
        load(tmp_path / "f")


@pytest.mark.parametrize("name", ["f.py", LIBRARY])
@pytest.mark.parametrize("way", ["folder", "pipe", "gone", "link to nothing"])
def test_what_stands_in_a_files_place_is_refused(tmp_path, two, name, way):
    put(tmp_path, two[0])
    (tmp_path / name).unlink()
    if way == "folder":
        (tmp_path / name).mkdir()
    elif way == "pipe":
        os.mkfifo(tmp_path / name)
    elif way == "link to nothing":
        (tmp_path / name).symlink_to("nowhere")
    with pytest.raises(SymnetError, match=rf"load\(.*\): expected the file .*{name}; got no such file"):
        load(tmp_path / "f")
    if name == LIBRARY:  # which the stub opens
        with pytest.raises(ImportError, match=rf"f: expected the library .*{LIBRARY} of the same export"):
            imported(tmp_path / "f.py")


def test_the_stub_opens_its_library_after_another_export_to_the_same_path(tmp_path):
    export_to(tmp_path / "f")
    old = imported(tmp_path / "f.py")
    export_to(tmp_path / "f", "column_sums")
    new = imported(tmp_path / "f.py")
    assert new.f(X=np.ones((3, 2))).tolist() == [3, 3]
    assert runs(old.f)


# ----- what must not be overwritten

FOREIGN = {
    "somebody's text": lambda path, own: path.write_text("years of work\n"),
    "an empty file": lambda path, own: path.write_bytes(b""),
    "bytes": lambda path, own: path.write_bytes(bytes(range(256)) * 9),
    "a link": lambda path, own: (path.with_name("target").write_text("years"), path.symlink_to("target")),
    "a link to nothing": lambda path, own: path.symlink_to("nowhere"),
    "a read-only file of ours": lambda path, own: (path.write_bytes(own), path.chmod(0o444)),
    "a folder": lambda path, own: path.mkdir(),
    "a pipe": lambda path, own: os.mkfifo(path),
    "a text of ours that was changed": lambda path, own: path.write_bytes(own + b"# mine\n"),
}
NEVER = ("a folder", "a pipe")


def state(folder):
    return {
        path.name: (path.lstat().st_mode, path.lstat().st_ino, path.is_file() and path.read_bytes())
        for path in folder.iterdir()
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_is_overwritten_that_export_did_not_write(tmp_path, two, name, what):
    if what == "a text of ours that was changed" and name in ("f.o", LIBRARY):
        pytest.skip("no text")
    FOREIGN[what](tmp_path / name, two[0][name])
    before = state(tmp_path)
    with pytest.raises(
        ExistingFileError, match=rf"export\(.*\): expected no file .*{name}, or one that export wrote; got"
    ):
        export_to(tmp_path / "f")
    assert state(tmp_path) == before
    if what in NEVER:
        with pytest.raises(FileExistsError, match=r"Choose another name"):
            export_to(tmp_path / "f", overwrite=True)
        assert state(tmp_path) == before
        return
    export_to(tmp_path / "f", overwrite=True)
    assert runs(load(tmp_path / "f"))
    assert not (tmp_path / name).is_symlink()
    if what == "a link":
        assert (tmp_path / "target").read_text() == "years"


def test_exports_replace_exports(tmp_path, two):
    assert all(owner_of(content) is not None for files in two for content in files.values())
    export_to(tmp_path / "f", "column_sums")
    export_to(tmp_path / "f")
    assert runs(load(tmp_path / "f"))
    assert sorted(contents(tmp_path)) == sorted(NAMES)


def test_the_command_line_does_not_replace_the_model_by_its_stub(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    source = "import symnet as sn\nx = sn.tensor('x', 3)\nL = sn.sum(x * x)\n"
    Path("model.py").write_text(source)
    assert main(["export", "model.py:L", "model"]) != 0
    assert "export wrote; got a file that export did not write" in capsys.readouterr().err
    assert Path("model.py").read_text() == source
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["model.py"]
    assert main(["export", "model.py:L", "model", "--force"]) == 0
    assert load("model")(x=np.ones(3)) == 3


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664), (0o027, 0o640)])
def test_permissions_are_what_the_umask_leaves(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        files = export_to(tmp_path / "f", files="all")
    finally:
        os.umask(before)
    for path in set(files.paths) - {files.library}:
        assert path.stat().st_mode & 0o777 == mode
    assert files.library.stat().st_mode & 0o666 == mode


@pytest.mark.parametrize("count", range(5))
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("existing", [True, False])
def test_where_one_rename_fails_all_files_stay_as_they_were(tmp_path, monkeypatch, two, count, error, existing):
    if existing:
        put(tmp_path, two[1])
    before, calls = contents(tmp_path), []
    real = os.replace

    def replace(source, target):
        calls.append(target)
        if len(calls) == count + 1:
            raise error
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(FileError if isinstance(error, OSError) else KeyboardInterrupt) as raised:
        export_to(tmp_path / "f")
    if isinstance(error, OSError):
        assert raised.match(
            rf"export\(.*\): expected to write .*{NAMES[count]}; got No space left on device\. Make room"
        )
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


FULL = """
import resource, signal, sys
import symnet as sn
x = sn.tensor("x", 3)
f = sn.compile(sn.sum(sn.exp(x)))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.dont_write_bytecode = True  # it would be cut, and read by others
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
try:
    f.export(sys.argv[1])
except sn.FileError as error:
    print(type(error).__name__, error)
"""


def test_a_full_disk_is_said_and_leaves_the_old_files(tmp_path):
    export_to(tmp_path / "f")
    before = contents(tmp_path)
    command = [sys.executable, "-c", FULL, str(tmp_path / "f")]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.stdout.startswith("FileError export("), done.stderr
    assert "File too large" in done.stdout
    assert contents(tmp_path) == before and not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"expected to write .*; got (Not a directory|File exists)\. Make room"):
        export_to(tmp_path / "file" / "f", library=False)


def test_other_machines_get_a_digest_too(tmp_path):
    for triple in ("thumbv7em-none-eabi", "aarch64-apple-darwin", "wasm32-unknown-unknown", "powerpc64-linux-gnu"):
        name = triple.split("-")[0]
        files = export_to(tmp_path / name, target=target_for(triple))
        stamp = files.header.read_text().split(f'{name}_DIGEST "')[1].split('"')[0]
        assert stamp.encode() in files.object.read_bytes()
        export_to(tmp_path / name, target=target_for(triple))


def test_one_digest_tells_results_in_another_order_apart(tmp_path):
    x = sn.tensor("x", 3)
    for number, structure in enumerate(([x + 1, 2 * x], {"a": x + 1, "b": 2 * x})):
        (tmp_path / str(number)).mkdir()
        sn.compile(structure, name="f").export(tmp_path / str(number) / "f")
    stubs = [(tmp_path / str(number) / "f.py").read_text() for number in (0, 1)]
    found = [next(line for line in stub.splitlines() if '"digest"' in line) for stub in stubs]
    assert found[0] != found[1]
