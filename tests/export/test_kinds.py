"""Every kind of file of an export, used for what it is there for: linked, compiled, configured, read."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.assembling import target_machine
from symnet.backends.llvm.targets import host_target, target_for
from symnet.cli.main import main
from symnet.errors import ArgumentError, ExistingFileError
from symnet.export.kinds import DEFAULT, KINDS, chosen
from symnet.export.names import library_name

CC = shutil.which("cc") or shutil.which("gcc")
pytestmark = [
    pytest.mark.skipif(CC is None, reason="no C compiler"),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests link as on Linux"),
]
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Werror"]
TABLE = np.sin(np.arange(1200.0)).reshape(8, 150)  # large enough that its bytes are put into the object

m = sn.dim("m")
X, W = sn.tensor("X", m, 8), sn.tensor("W", 8, 4)
D = sn.tensor("D", m, 4, one_hot=True)
L = sn.mean(sn.cross_entropy(sn.softmax(X @ W), D)) + sn.sum(sn.tanh(X @ TABLE)) / 1000


@pytest.fixture(scope="module")
def function():
    return sn.value_and_grad(L, [W], name="net", target="native")


@pytest.fixture(scope="module")
def files(function, tmp_path_factory):
    return function.export(tmp_path_factory.mktemp("kinds") / "net", files="all")


def run(*command, folder, environment=None):
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def expected(files, tmp_path_factory):
    """What the test prints where the object is linked."""
    folder = tmp_path_factory.mktemp("expected")
    run(CC, files.test, files.object, "-o", "t", folder=folder)
    return run("./t", "9", folder=folder)


def test_all_kinds_are_written_with_one_digest(files):
    assert set(files.files) == set(KINDS)
    assert sorted(path.name for path in files.header.parent.iterdir()) == sorted(path.name for path in files.paths)
    digest = json.loads(files.files["json"].read_text())["digest"].encode()
    assert [word for word, path in files.files.items() if digest not in path.read_bytes()] == []


# ----- each kind for what it is


def test_the_static_library_links(files, tmp_path, expected):
    folder = files.header.parent
    run(CC, files.test, f"-L{folder}", "-l:libnet.a", "-o", "t", folder=tmp_path)
    assert run("./t", "9", folder=tmp_path) == expected


@pytest.mark.skipif(shutil.which("ar") is None, reason="no ar")
def test_ar_reads_the_static_library(function, tmp_path):
    long = "a_name_that_does_not_fit_into_the_header_of_a_member"
    files = function.export(tmp_path / long, files="o,a")
    assert run("ar", "t", files.files["a"], folder=tmp_path) == f"{long}.o\n"
    run("ar", "x", files.files["a"], "--output", tmp_path.parent, folder=tmp_path)
    assert (tmp_path.parent / f"{long}.o").read_bytes() == files.object.read_bytes()


@pytest.mark.skipif(shutil.which("llvm-nm") is None, reason="no llvm-nm")
@pytest.mark.parametrize(
    ("triple", "before"),
    [
        ("aarch64-apple-darwin", "_"),
        ("x86_64-apple-macosx", "_"),
        ("x86_64-pc-windows-gnu", ""),
        ("i686-pc-windows-gnu", "_"),
        ("i686-linux-gnu", ""),
        ("wasm32-unknown-unknown", ""),
        ("powerpc64-linux-gnu", ""),
    ],
)
def test_the_index_of_a_static_library_has_the_symbols_of_its_object(tmp_path, triple, before):
    f = sn.compile(sn.sum(X @ W), name="function_of_a_machine", target=target_for(triple))
    files = f.export(tmp_path / "function_of_a_machine", files="a")
    text = run("llvm-nm", "--print-armap", files.files["a"], folder=tmp_path)
    index, defined = text.split("\n\n", 1)
    indexed = set(re.findall(r"^(\S+) in function_of_a_machine\.o$", index, re.MULTILINE))
    assert indexed == {name for name in re.findall(r" [TRDS] (\S+)", defined) if not name.startswith("@")}
    assert f"{before}function_of_a_machine_run" in indexed


def test_the_c_source_stands_for_the_object(files, tmp_path, expected):
    source = files.files["c"]
    options = [*STRICT, "-O2", "-ffp-contract=off", "-fno-math-errno", "-march=native"]
    run(CC, *options, "-c", source, "-o", "net.o", folder=tmp_path)
    run(CC, files.test, "net.o", "-o", "t", folder=tmp_path)
    assert run("./t", "9", folder=tmp_path) == expected


def test_the_assembly_stands_for_the_object(files, tmp_path, expected):
    run(CC, files.test, files.files["s"], "-o", "t", folder=tmp_path)
    assert run("./t", "9", folder=tmp_path) == expected


def test_the_llvm_assembly_stands_for_the_object(files, tmp_path, expected):
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(files.files["ll"].read_text())
    module.verify()
    with target_machine(host_target()) as machine:
        module.data_layout = str(machine.target_data)
        (tmp_path / "net.o").write_bytes(machine.emit_object(module))
    run(CC, files.test, "net.o", "-o", "t", folder=tmp_path)
    got, wanted = (np.array(text.split()[1::2], float) for text in (run("./t", "9", folder=tmp_path), expected))
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-14)  # other passes than ours


def test_the_shared_library_has_its_own_name(files, tmp_path, expected):
    if shutil.which("readelf") is None:
        pytest.skip("no readelf")
    assert f"Library soname: [{library_name('net')}]" in run("readelf", "-d", files.library, folder=tmp_path)
    library = shutil.copy(files.library, tmp_path / "another_name.so")
    run(CC, files.test, library, "-o", "t", folder=tmp_path)
    shutil.copy(files.library, tmp_path / library_name("net"))
    Path(library).unlink()
    assert run("./t", "9", folder=tmp_path, environment={"LD_LIBRARY_PATH": str(tmp_path)}) == expected


def test_json_says_what_the_function_says_of_itself(files, function):
    found = json.loads(files.files["json"].read_text())
    assert found["signature"] == str(function.signature)
    assert [each["text"] for each in found["outputs"]] == list(map(str, function.formula))
    assert found["outputs"][1]["latex"].startswith(r"\frac")
    assert found["inputs"][0] == {
        "name": "X",
        "c": "X",
        "dtype": "float64",
        "c_type": "double",
        "shape": ["m", 8],
        "used": True,
    }
    assert found["operations"]["flops"] == str(function.flops)
    assert found["target"]["triple"] == host_target().triple
    assert found["versions"]["symnet"] == sn.__version__
    assert found["files"]["h"] == "net.h" and found["call"].split("(")[0] in files.header.read_text()
    assert found["requirements"] == [{"extent": "m", "at_least": 1, "reason": "mean over m"}]


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="no pkg-config")
def test_pkg_config_finds_header_and_library(files, tmp_path, expected):
    folder = shutil.copytree(files.header.parent, tmp_path / "moved to another folder")
    environment = {"PKG_CONFIG_PATH": str(folder), "LD_LIBRARY_PATH": str(folder), "PATH": "/usr/bin:/bin"}
    shutil.copy(files.test, tmp_path)
    command = f'eval "{CC} net_test.c $(pkg-config --cflags --libs net)" -o t'
    run("sh", "-c", command, folder=tmp_path, environment=environment)
    assert run("./t", "9", folder=tmp_path, environment=environment) == expected


# ----- CMake

needs_cmake = pytest.mark.skipif(shutil.which("cmake") is None, reason="no cmake")


@needs_cmake
@pytest.mark.parametrize("files_of", ["all", "o,h,cmake,test", "c,h,cmake,test"])
@pytest.mark.parametrize("source", ["OFF", "ON"])
def test_cmake_builds_the_project_and_its_test_passes(function, tmp_path, files_of, source):
    function.export(tmp_path / "net", files=files_of)
    run("cmake", "-S", ".", "-B", "build", f"-Dnet_FROM_SOURCE={source}", "-Werror=dev", folder=tmp_path)
    run("cmake", "--build", "build", folder=tmp_path)
    assert "100% tests passed, 0 tests failed out of 1" in run("ctest", "--test-dir", "build", folder=tmp_path)


CONSUMER = """\
#include <stdio.h>
#include "net.h"
int main(void)
{
    printf("%d %d\\n", (int)net_abi, net_ABI);
    return 0;
}
"""


@needs_cmake
@pytest.mark.parametrize("how", ["find_package(net CONFIG REQUIRED)", "add_subdirectory(net)"])
def test_another_project_of_cmake_uses_the_library(files, tmp_path, how):
    folder = shutil.copytree(files.header.parent, tmp_path / "net")
    run("cmake", "-S", ".", "-B", "b", f"-DCMAKE_INSTALL_PREFIX={tmp_path}/there", folder=folder)
    run("cmake", "--build", "b", "--target", "install", folder=folder)
    (tmp_path / "main.c").write_text(CONSUMER)
    (tmp_path / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.13)\nproject(user C)\n{how}\n"
        "add_executable(user main.c)\ntarget_link_libraries(user PRIVATE net::net)\n"
    )
    run("cmake", "-S", ".", "-B", "b", f"-DCMAKE_PREFIX_PATH={tmp_path}/there", folder=tmp_path)
    run("cmake", "--build", "b", folder=tmp_path)
    assert run("b/user", folder=tmp_path) == "2 2\n"


# ----- README


def test_the_commands_of_the_readme_run(files, tmp_path):
    folder = shutil.copytree(files.header.parent, tmp_path / "net")
    commands = re.findall(r"```sh\n(.*?)\n```", (folder / "README.md").read_text(), re.DOTALL)
    assert len(commands) == 5
    (folder / "main.rs").write_text("mod net;\nfn main() { assert!(net::same_export()); }\n")
    for command in commands:
        if shutil.which(re.sub(r"^\w+=\S+ ", "", command).split()[0]) is not None:
            run("sh", "-ec", command, folder=folder)
    assert "import net" in (folder / "README.md").read_text()
    run(sys.executable, "-c", "from net import net", folder=folder)


def test_the_call_of_the_readme_compiles(files, tmp_path):
    text = files.files["readme"].read_text()
    code = re.search(r"```c\n(.*?)\n```", text, re.DOTALL)[1].replace('#include "net.h"\n', "")
    program = (
        f'#include <stdio.h>\n#include <stdlib.h>\n#include "{files.header}"\nint main(void)\n{{\n'
        "static double X[16], D[8], W[32], grad_W[32], value;\nconst int64_t m = 2;\n"
        f"{code}\nreturn code;\n}}\n"
    )
    (tmp_path / "main.c").write_text(program)
    run(CC, "-std=c11", *STRICT[1:], "main.c", files.object, "-o", "t", folder=tmp_path)
    run("./t", folder=tmp_path)


# ----- a choice of them


def test_what_is_asked_for_is_written_and_nothing_else(function, tmp_path):
    for number, asked in enumerate((["h", "a"], "h,a", ("libnet.a", "net.h"), {".h", "a"})):
        files = function.export(tmp_path / str(number) / "net", files=asked)
        assert list(files.files) == ["h", "a"] and files.library is None and files.stub is None
        assert sorted(path.name for path in (tmp_path / str(number)).iterdir()) == ["libnet.a", "net.h"]


def test_a_library_without_its_object_is_linked(function, tmp_path):
    function.export(tmp_path / "net", files="so,py")
    assert sorted(path.name for path in tmp_path.iterdir()) == [library_name("net"), "net.py"]
    assert sn.load(tmp_path / "net").inputs == function.inputs


def test_the_usual_files_of_another_machine_need_no_linker():
    assert chosen(None, "f", True, "") == DEFAULT
    assert chosen(None, "f", False, "") == ("o", "h", "test")
    assert set(KINDS) - set(chosen("all", "f", False, "")) == {"so", "py"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["obj"], r"expected words among o, h, a, .*; got 'obj'\. Did you mean \"o\"\?"),
        (["net.cc"], r"got 'net.cc'\. Did you mean \"\w+\"\?"),
        ([], r"expected kinds of files as words, or \"all\"; got \[\]\. Write files=\[\"h\", \"a\"\]"),
        (3, r"got 3\. Write files="),
        ("", r"got ''\."),
        ([None], r"got None\."),
        (
            ["pc", "h"],
            r"files=\['pc', 'h'\]\): expected \"a\" or \"so\" beside \"pc\"; got none\. Add \"a\" or \"so\",",
        ),
        (["cmake", "o"], r"expected \"h\" beside \"cmake\"; got none\. Add \"h\", or leave \"cmake\" out"),
        (["py"], r"expected \"so\" beside \"py\"; got none"),
        (["test"], r"expected \"h\" beside \"test\"; got none"),
    ],
)
def test_a_choice_that_cannot_work_is_refused(function, tmp_path, asked, message):
    with pytest.raises(ArgumentError, match=message):
        function.export(tmp_path / "deep" / "net", files=asked)
    assert list(tmp_path.iterdir()) == []


def test_a_library_for_another_machine_is_refused(function, tmp_path):
    with pytest.raises(ArgumentError, match=r"expected \"so\" where the code is for this machine; got another\. Link"):
        function.export(tmp_path / "net", target="aarch64-linux-gnu", files="so")


def test_files_that_every_export_calls_alike_belong_to_one_function(function, tmp_path):
    function.export(tmp_path / "net", files="readme,h")
    function.export(tmp_path / "net", files="readme,h")
    with pytest.raises(ExistingFileError, match=r"README\.md, or one that export wrote; got one of the export of net"):
        function.export(tmp_path / "other", files="readme,h")
    assert not (tmp_path / "other.h").exists()
    function.export(tmp_path / "other", files="readme,h", overwrite=True)
    assert "# other" in (tmp_path / "README.md").read_text()


def test_a_test_is_not_overwritten_by_the_source_of_a_function_of_that_name(function, tmp_path):
    function.export(tmp_path / "net", files="h,test")
    with pytest.raises(ExistingFileError, match=r"net_test\.c, or .* got one of the export of net\. "):
        function.export(tmp_path / "net_test", files="c")


def test_the_command_line_chooses_files(tmp_path, capsys):
    command = ["export", "sum(tanh(x))", str(tmp_path / "total"), "--shapes", "x:n", "--files"]
    assert main([*command, "h,a,json"]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / name) for name in ("total.h", "libtotal.a", "total.json")]
    (tmp_path / "total.c").write_text("mine\n")
    assert main([*command, "c"]) == 2
    assert "total.c, or one that export wrote; got a file that export did not write" in capsys.readouterr().err
    assert main([*command, "c", "--overwrite"]) == 0
    assert main([*command, "nothing"]) == 2
    assert "expected words among o, h, a" in capsys.readouterr().err
