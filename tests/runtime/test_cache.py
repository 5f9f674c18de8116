import errno
import hashlib
import json
import os
import pickle
import socket
import struct
import subprocess
import sys
import threading
import typing
from pathlib import Path

import numpy as np
import pytest
from platformdirs import user_cache_dir

import symnet as sn
from symnet.backends.llvm import codegen, loading
from symnet.errors import ArgumentError
from symnet.runtime import cache as caching
from symnet.runtime.cache import Cache, default_cache
from symnet.runtime.entry import HEAD_BYTES, MAGIC, VERSION, Entry, decode, encode
from symnet.runtime.function import NativeFunction
from tests.runtime.programs import PROGRAMS

KEY = "0123456789abcdef"


def entry(size=100):
    return Entry(bytes(size), PROGRAMS["gather"]()[1], (0, {"W": 1}))


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
    f = NativeFunction(found.signature, loading.load(found.object_code), template=found.template)
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


def every_byte(content):
    """Positions of an entry: all of its head and description, and some of its code."""
    return [*range(len(content) - 100), *range(len(content) - 100, len(content), 7)]


def test_every_truncation_and_every_flipped_byte_is_a_miss():
    content = encode(KEY, entry())
    assert decode(KEY, content) == entry()
    for position in every_byte(content):
        assert decode(KEY, content[:position]) is None
        for change in (1, 0x80, 0xFF):
            flipped = bytearray(content)
            flipped[position] ^= change
            assert decode(KEY, bytes(flipped)) is None, position
    assert decode(KEY, content + b"\0") is None


def test_an_entry_of_another_key_is_a_miss(tmp_path):
    cache = Cache(tmp_path)
    cache.put(KEY, entry())
    other = "f" * 16
    (tmp_path / f"{KEY}.symnet").rename(tmp_path / f"{other}.symnet")
    assert cache.get(other) is None


class Sly:
    ran: typing.ClassVar[list[int]] = []

    def __reduce__(self):
        return Sly.ran.append, (1,)


def forged(description, code=b"", version=VERSION):
    """Bytes whose checksum holds."""
    lengths = struct.pack("<8sIIQ", MAGIC, version, len(description), len(code))
    return lengths + hashlib.sha256(lengths + description + code).digest() + description + code


def described(**changes):
    """The description of an entry with changes to its signature."""
    plain = json.loads(encode(KEY, entry())[HEAD_BYTES:].partition(bytes(100))[0])
    plain["signature"].update(changes)
    return plain


def paths(plain, path=()):
    """Every place inside plain data."""
    yield path
    if isinstance(plain, dict | list):
        for key, inner in plain.items() if isinstance(plain, dict) else enumerate(plain):
            yield from paths(inner, (*path, key))


def replaced(plain, path, value):
    if not path:
        return value
    copied = plain.copy()
    copied[path[0]] = replaced(plain[path[0]], path[1:], value)
    return copied


def test_forged_descriptions_are_none_and_run_no_code(tmp_path):
    whole = described()
    assert decode(KEY, forged(json.dumps(whole).encode(), bytes(100))) == entry()
    count = 0
    for path in paths(whole):
        for value in (None, True, 7, -1.5, "os.system", [], [1], {}, {"IntConst": {"value": "x"}}, [[[]]]):
            plain = replaced(whole, path, value)
            found = decode(KEY, forged(json.dumps(plain).encode(), bytes(100)))
            if found is not None:  # still an entry: of the same form, and so of the declared types
                assert found == decode(KEY, encode(KEY, found))
            else:
                count += 1
    assert count > 400


@pytest.mark.parametrize(
    "description",
    [
        pickle.dumps(Sly()),
        b"",
        b"null",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b"1" * 10_000,
        b"{}",
        json.dumps(described(name=["os", "system"])).encode(),
        json.dumps(described(dims="mn")).encode(),
        json.dumps(described(unused=[[]])).encode(),
        json.dumps(described() | {"more": 1}).encode(),
        json.dumps(described(inputs=[["cos\nsystem\n", "float32", []]])).encode(),
    ],
    ids=range(13),
)
def test_what_is_no_description_is_none(tmp_path, description):
    for content in (forged(description), forged(description, bytes(100)), forged(description, version=1), description):
        (tmp_path / f"{KEY}.symnet").write_bytes(content)
        assert Cache(tmp_path).get(KEY) is None
    assert not Sly.ran


def test_nothing_in_the_runtime_unpickles():
    root = Path(caching.__file__).parent
    users = [path.name for path in root.rglob("*.py") if "import pickle" in path.read_text()]
    assert users == []


# ----- the folder


WAYS = {
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": lambda path: socket.socket(socket.AF_UNIX).bind(str(path)),
    "a folder": lambda path: path.mkdir(),
    "a full folder": lambda path: (path / "inside").mkdir(parents=True),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "an unreadable file": lambda path: (path.write_bytes(b"x" * 100), path.chmod(0)),
    "a file for all": lambda path: (path.write_bytes(encode(KEY, entry())), path.chmod(0o666)),
    "a huge file": lambda path: (path.touch(), os.truncate(path, 1 << 40)),
    "an empty file": lambda path: path.touch(),
}


@pytest.mark.parametrize("what", WAYS)
@pytest.mark.filterwarnings("ignore:unclosed <socket")
def test_whatever_stands_in_an_entrys_place_is_a_miss(tmp_path, what, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cache, place = Cache(tmp_path), Path(f"{KEY}.symnet")
    WAYS[what](place)
    assert cache.get(KEY) is None
    assert cache.put(KEY, entry()) is (what not in ("a folder", "a full folder"))
    assert (cache.get(KEY) == entry()) is (what not in ("a folder", "a full folder"))
    cache.prune()
    cache.clear()
    assert not list(tmp_path.glob("*.tmp"))


def test_a_link_to_an_entry_elsewhere_is_not_followed(tmp_path):
    cache, other = Cache(tmp_path / "a"), Cache(tmp_path / "b")
    assert cache.put(KEY, entry()) and other.put(KEY, entry())
    path = tmp_path / "a" / f"{KEY}.symnet"
    path.unlink()
    path.symlink_to(tmp_path / "b" / f"{KEY}.symnet")
    assert cache.get(KEY) is None
    assert other.get(KEY) == entry()


def test_the_folder_is_the_users_alone(tmp_path):
    cache = Cache(tmp_path / "new")
    cache.put(KEY, entry())
    assert cache.folder.stat().st_mode & 0o777 == 0o700
    assert (cache.folder / f"{KEY}.symnet").stat().st_mode & 0o777 == 0o600
    cache.folder.chmod(0o777)
    assert cache.get(KEY) == entry()
    assert cache.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o750, 0o701])
def test_a_folder_of_other_things_is_left_alone_and_not_used(tmp_path, mode):
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "thesis.tmp").write_text("years of work")
    os.utime(folder / "thesis.tmp", (1000, 1000))
    folder.chmod(mode)
    cache = Cache(folder)
    assert cache.put(KEY, entry()) is False
    assert cache.get(KEY) is None
    cache.prune()
    cache.clear()
    assert cache.reason() == "a folder that others may enter"
    assert [path.name for path in folder.iterdir()] == ["thesis.tmp"]
    assert folder.stat().st_mode & 0o777 == mode


def test_a_link_to_a_folder_is_not_used(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    cache = Cache(tmp_path / "link")
    assert cache.put(KEY, entry()) is False
    assert cache.get(KEY) is None
    assert not list((tmp_path / "real").iterdir())


@pytest.mark.parametrize("whose", ["folder", "entry"])
def test_what_belongs_to_another_user_is_not_used(tmp_path, monkeypatch, whose):
    cache = Cache(tmp_path)
    cache.put(KEY, entry())
    if whose == "folder":
        monkeypatch.setattr(caching, "_USER", lambda: os.geteuid() + 1)
    elif os.geteuid() == 0:
        os.chown(tmp_path / f"{KEY}.symnet", 12345, 12345)
    else:
        pytest.skip("only the administrator gives files away")
    assert cache.get(KEY) is None
    assert cache.put(KEY, entry()) is (whose == "entry")


def refusing(number):
    def refuse(*args, **options):
        raise OSError(number, os.strerror(number))

    return refuse


CALLS = ("open", "fstat", "lstat", "utime", "replace", "chmod", "listdir", "mkdir", "unlink")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS, errno.EMFILE, errno.ESTALE])
@pytest.mark.parametrize("name", CALLS)
def test_whatever_the_system_refuses_is_a_miss(tmp_path, monkeypatch, name, number):
    cache = Cache(tmp_path)
    cache.put(KEY, entry())
    (tmp_path / "0123456789abcdef0.symnet").write_bytes(b"damaged")
    with monkeypatch.context() as patched:
        patched.setattr(os, name, refusing(number))
        assert cache.get(KEY) in (None, entry())
        assert cache.get(KEY + "0") is None
        assert cache.put(KEY + "1", entry()) in (True, False)
        cache.prune()
        cache.clear()
        assert cache.entries() in ([], cache.entries())
    if name != "unlink":
        assert not list(tmp_path.glob("*.tmp"))


FULL = """
import resource, signal, sys
from symnet.runtime.cache import Cache
from tests.runtime.test_cache import KEY, entry
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.dont_write_bytecode = True  # it would be cut, and read by others
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))  # a disk with room for 3000 bytes
cache = Cache(sys.argv[1])
print(cache.put(KEY, entry(5000)), cache.get(KEY), sorted(path.name for path in cache.folder.iterdir()))
"""


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.stdout == "False None []\n", done.stderr


def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path).put(KEY, entry())
    assert not list(tmp_path.iterdir())


KILLED = """
import sys, threading
from symnet.runtime.cache import Cache
from tests.runtime.test_cache import KEY, entry
cache = Cache(sys.argv[1])
print("ready", flush=True)
while True:
    cache.put(KEY, entry(2_000_000))
"""


def test_a_writer_may_be_killed_at_any_point(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    for number in range(3):
        writer = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE)
        writer.stdout.readline()
        threading.Event().wait(0.007 * number)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        assert Cache(tmp_path).get(KEY) in (None, entry(2_000_000))
    for path in tmp_path.glob("*.tmp"):
        os.utime(path, (1000, 1000))
    assert Cache(tmp_path).put(KEY, entry())
    assert [path.name for path in tmp_path.iterdir()] == [f"{KEY}.symnet"]


def damage_somehow(folder, rng):
    """Some damage to a folder of entries, at random; what a process reads once, such as the support code, stays so."""
    for path in folder.iterdir():
        way = int(rng.integers(6))
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b"damaged before"
        path.unlink()
        if way == 0:
            path.write_bytes(content[: rng.integers(len(content))])
        elif way == 1:
            os.mkfifo(path)
        elif way == 2:
            path.mkdir()
        elif way == 3:
            path.symlink_to("/dev/zero")
        elif way == 4:
            path.write_bytes(rng.bytes(len(content)))
        else:
            where = int(rng.integers(len(content)))
            path.write_bytes(content[:where] + bytes([content[where] ^ 1]) + content[where + 1 :])


def test_compiling_never_fails_for_the_caches_sake(tmp_path, monkeypatch, rng):
    monkeypatch.setenv("SYMNET_CACHE", "1")
    monkeypatch.setenv("SYMNET_CACHE_DIR", str(tmp_path))
    x = sn.tensor("x", 3)
    for _ in range(12):
        f = sn.compile({x: 2 * x, ("key", 1): x + 1})
        assert not f.from_cache
        warm = sn.compile({x: 2 * x, ("key", 1): x + 1})
        for values in (f(x=np.ones(3)), warm(x=np.ones(3))):
            assert list(values) == [x, ("key", 1)] and values[x].tolist() == values["key", 1].tolist() == [2, 2, 2]
        is_folder = any(path.is_dir() for path in tmp_path.iterdir())
        assert warm.from_cache is not is_folder
        for path in filter(Path.is_dir, tmp_path.iterdir()):
            path.rmdir()
        damage_somehow(tmp_path, rng)


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
    for name in ("old.symnet.tmp", "new.symnet.tmp", "somebodys.tmp"):
        (tmp_path / name).write_bytes(b"x")
    for name in ("old.symnet.tmp", "somebodys.tmp"):
        os.utime(tmp_path / name, (1000, 1000))
    Cache(tmp_path).prune()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.symnet.tmp", "somebodys.tmp"]


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


@pytest.mark.parametrize("given", [None, "", "  ", "elsewhere"])
def test_the_folder_is_the_one_that_platformdirs_names(tmp_path, monkeypatch, given):
    monkeypatch.delenv("SYMNET_CACHE", raising=False)
    monkeypatch.delenv("SYMNET_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    if given is None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / given) if given == "elsewhere" else given)
    assert default_cache().folder == Path(user_cache_dir("symnet", appauthor=False))


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
