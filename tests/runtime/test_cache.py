import hashlib
import os
import pickle
import subprocess
import sys
import typing
from pathlib import Path

import numpy as np
import pytest

from symnet.errors import ArgumentError
from symnet.llvm import codegen
from symnet.runtime import cache as caching
from symnet.runtime.cache import Cache, Entry, default_cache
from symnet.runtime.function import NativeFunction
from tests.runtime.programs import PROGRAMS

KEY = "0123456789abcdef"


def entry(size=100):
    return Entry(bytes(size), PROGRAMS["gather"]()[1], (0,), {"formula": "(Y - D)/m", "flops": 12})


def test_an_entry_comes_back_as_it_was_put(tmp_path):
    cache = Cache(tmp_path / "new" / "folder")
    assert cache.get(KEY) is None
    assert cache.put(KEY, entry())
    assert cache.get(KEY) == entry()
    assert Cache(cache.folder).get(KEY) == entry()
    assert [path.name for path in cache.folder.iterdir()] == [f"{KEY}.symnet"]


def test_a_function_made_from_an_entry_runs(tmp_path):
    program, signature = PROGRAMS["affine"]()
    cache = Cache(tmp_path)
    cache.put(KEY, Entry(codegen.compile_object(codegen.emit_ir(program)), signature))
    found = cache.get(KEY)
    f = NativeFunction(found.signature, codegen.load(found.object_code), structure=found.structure)
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(f(X=x, b=x[0], a=2)[0], 3 * x)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "foreign"])
def test_a_damaged_entry_is_removed(tmp_path, damage):
    cache = Cache(tmp_path)
    cache.put(KEY, entry())
    path = tmp_path / f"{KEY}.symnet"
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[-20] ^= 1
    path.write_bytes({"truncated": content[:-1], "flipped": content, "empty": b"", "foreign": b"hello" * 99}[damage])
    assert cache.get(KEY) is None
    assert not path.exists()
    cache.put(KEY, entry())
    assert cache.get(KEY) == entry()


class Sly:
    ran: typing.ClassVar[list[int]] = []

    def __reduce__(self):
        return Sly.ran.append, (1,)


@pytest.mark.parametrize("plain", [Sly(), (1, 2, 3, 4, 5, 6), 3])
def test_a_forged_entry_is_none_and_runs_no_code(tmp_path, plain):
    payload = pickle.dumps(plain)
    forged = caching._MAGIC + hashlib.sha256(payload).digest() + payload
    (tmp_path / f"{KEY}.symnet").write_bytes(forged)
    assert Cache(tmp_path).get(KEY) is None
    assert not Sly.ran


def test_the_least_recently_used_entries_go_first(tmp_path):
    cache = Cache(tmp_path, limit=35_000)
    for number in range(3):
        cache.put(f"{KEY}{number}", entry(10_000))
        os.utime(tmp_path / f"{KEY}{number}.symnet", (1000 + number, 1000 + number))
    assert cache.get(f"{KEY}0") is not None  # used just now
    cache.put(f"{KEY}3", entry(10_000))
    assert sorted(path.stem[-1] for path in cache.entries()) == ["0", "2", "3"]
    cache.clear()
    assert cache.entries() == []


def test_what_dead_processes_left_is_removed(tmp_path):
    (tmp_path / "old.tmp").write_bytes(b"x")
    (tmp_path / "new.tmp").write_bytes(b"x")
    os.utime(tmp_path / "old.tmp", (1000, 1000))
    Cache(tmp_path).prune()
    assert [path.name for path in tmp_path.iterdir()] == ["new.tmp"]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    cache = Cache(tmp_path / "file" / "inside")
    assert cache.put(KEY, entry()) is False
    assert cache.get(KEY) is None
    cache.prune()


@pytest.mark.parametrize("key", ["short", "../../etc/passwd", "a/b" * 9, "x" * 200, ""])
def test_a_key_is_a_digest(tmp_path, key):
    with pytest.raises(ArgumentError, match=r"Cache\[.*\]: expected 8 to 128 letters.*Pass digest.hexdigest"):
        Cache(tmp_path).get(key)


def test_the_environment_chooses_the_folder_or_turns_the_cache_off(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMNET_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("SYMNET_CACHE", raising=False)
    assert default_cache().folder == tmp_path
    monkeypatch.setenv("SYMNET_CACHE", "0")
    assert default_cache() is None
    monkeypatch.delenv("SYMNET_CACHE")
    monkeypatch.delenv("SYMNET_CACHE_DIR")
    assert default_cache().folder.name == "symnet"


WRITER = """
import sys
from symnet.runtime.cache import Cache
from tests.runtime.test_cache import KEY, entry
cache = Cache(sys.argv[1])
for _ in range(30):
    cache.put(KEY, entry(5000))
    assert cache.get(KEY) == entry(5000)
"""


def test_several_processes_may_share_a_folder(tmp_path):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen(command, cwd=root) for _ in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert Cache(tmp_path).get(KEY) == entry(5000)
