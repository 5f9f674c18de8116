"""Disks that are full at any file: nothing is left behind, old files stay, and the error names the file."""

import errno
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import symnet as sn
from symnet.errors import CompileError, FileError, SymnetError
from symnet.export.kinds import KINDS

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
CHOICE = [word for word in KINDS if word != "so"]  # that are written here; the linker writes the other


@pytest.fixture(scope="module")
def function():
    return sn.compile(sn.sum(sn.tanh(sn.tensor("x", sn.dim("n")))), name="total", target="native")


@pytest.fixture(scope="module")
def larger(function, tmp_path_factory):
    """The files of another function of the name."""
    folder = tmp_path_factory.mktemp("larger")
    x = sn.tensor("x", sn.dim("n"))
    sn.compile([sn.sum(sn.tanh(x)), sn.exp(x)], name="total", target="native").export(folder / "total", files="all")
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else None


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("word", CHOICE)
def test_a_disk_that_is_full_at_a_file_leaves_all_as_it_was(function, larger, tmp_path, monkeypatch, word, existing):
    folder = tmp_path / "deep" / "er"
    if existing:
        shutil.copytree(larger, folder)
    before, full = contents(folder), KINDS[word].file_name("total")
    write = Path.write_bytes

    def write_bytes(path, content):
        if path.name == full:
            write(path, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    message = rf"export\(\".*total\"\): expected to write .*/{re.escape(full)}; got No space left on device\. Make room"
    with pytest.raises(FileError, match=message):
        function.export(folder / "total", files="all")
    assert contents(folder) == before
    assert (tmp_path / "deep").exists() == existing


@pytest.mark.parametrize("files", ["all", None])
def test_real_disks_of_any_size(function, larger, tmp_path, files):
    """A file system of one size after the other, until one is large enough."""
    place, failed, room = tmp_path / "disk", [], 0
    place.mkdir()
    for room in range(8, 1024, 8):
        command = ["mount", "-t", "tmpfs", "-o", f"size={room}k", "tmpfs", str(place)]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("no file system can be mounted")
        try:
            function.export(place / "new" / "total", files=files)
        except SymnetError as error:
            assert isinstance(error, (FileError, CompileError)) and "No space left on device" in str(error)
            assert list(place.iterdir()) == []
            failed.append(type(error))
        else:
            assert len(list((place / "new").iterdir())) == (len(KINDS) if files else 5)
            break
        finally:
            subprocess.run(["umount", str(place)], check=True)
    assert len(failed) > 2 and room < 1016


@pytest.mark.parametrize("way", ["linker", "interrupt"])
def test_what_ends_an_export_early_leaves_nothing(function, tmp_path, monkeypatch, way):
    if way == "linker":
        monkeypatch.setenv("CC", "false")
        with pytest.raises(CompileError):
            function.export(tmp_path / "a" / "b" / "total", files="all")
    else:

        def stop(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("symnet.export.files.link", stop)
        with pytest.raises(KeyboardInterrupt):
            function.export(tmp_path / "a" / "b" / "total", files="all")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_link_is_followed_and_one_that_was_there_stays(function, tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    function.export(tmp_path / "link" / "total", files="h")
    assert (tmp_path / "real" / "total.h").is_file() and (tmp_path / "link").is_symlink()
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("CC", "false")
    with pytest.raises(CompileError):
        function.export(tmp_path / "empty" / "total", files="so")
    assert (tmp_path / "empty").is_dir() and not any((tmp_path / "empty").iterdir())


def test_a_file_with_another_name_beside_is_not_touched(function, tmp_path):
    beside = {"total.hpp": "mine", "total_test.py": "mine", "CMakeLists.txt.bak": "mine", ".symnet-x": "mine"}
    for name, text in beside.items():
        (tmp_path / name).write_text(text)
    function.export(tmp_path / "total", files="all")
    assert {name: (tmp_path / name).read_text() for name in beside} == beside
