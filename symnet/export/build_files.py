"""What build systems read: a project for CMake, and a file for pkg-config.

In: a function's name, the kinds of files beside them.  Out: the texts of `CMakeLists.txt` and `NAME.pc`.

Both say where things lie by the folder that they lie in themselves, so that the folder may be moved.
"""

from __future__ import annotations

from collections.abc import Collection

from symnet.loops.abi import ABI
from symnet.loops.signature import Signature
from symnet.schedule.target import Target

_X86_OPTIONS = {128: "", 256: " -mavx2", 512: " -mavx2 -mavx512f -mavx512vl"}  # by the width of vectors


def source_options(target: Target) -> str:
    """What a compiler must be told so that the C has the object's bits and speed."""
    machine = ""
    if target.architecture in ("x86_64", "amd64"):
        machine = _X86_OPTIONS.get(target.vector_bits, "") + " -mfma" * target.fma
    return f"-ffp-contract=off -fno-math-errno{machine}"


def pkg_config_text(name: str, signature: Signature) -> str:
    """`pkg-config --cflags --libs NAME`, where this folder is in PKG_CONFIG_PATH."""
    said = " ".join(str(signature).split()).replace("#", "").replace("$", "$$")
    return f"""\
prefix=${{pcfiledir}}
libdir=${{prefix}}
includedir=${{prefix}}

Name: {name}
Description: {said}
Version: {ABI}
Cflags: -I${{includedir}}
Libs: -L${{libdir}} -l{name}
"""


def cmake_text(name: str, kinds: Collection[str], target: Target) -> str:
    """A project with the library NAME::NAME, to be built alone or by add_subdirectory."""
    parts = [
        f"cmake_minimum_required(VERSION 3.13)\nproject({name} VERSION {ABI} LANGUAGES C)\ninclude(GNUInstallDirs)",
        _library(name, kinds, source_options(target)),
        f"""\
add_library({name}::{name} ALIAS {name})
target_include_directories({name} PUBLIC
  $<BUILD_INTERFACE:${{CMAKE_CURRENT_SOURCE_DIR}}> $<INSTALL_INTERFACE:${{CMAKE_INSTALL_INCLUDEDIR}}>)""",
        _test(name) if "test" in kinds else "",
        f"""\
install(TARGETS {name} EXPORT {name}-targets ARCHIVE DESTINATION ${{CMAKE_INSTALL_LIBDIR}})
install(FILES {name}.h DESTINATION ${{CMAKE_INSTALL_INCLUDEDIR}})
install(EXPORT {name}-targets NAMESPACE {name}:: FILE {name}-config.cmake
  DESTINATION ${{CMAKE_INSTALL_LIBDIR}}/cmake/{name})""",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _library(name: str, kinds: Collection[str], options: str) -> str:
    """The library, of the object or of the C."""
    of_object = f"add_library({name} STATIC {name}.o)\nset_target_properties({name} PROPERTIES LINKER_LANGUAGE C)"
    of_source = f"""\
add_library({name} STATIC {name}.c)
set_target_properties({name} PROPERTIES C_STANDARD 99 C_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
if(NOT MSVC)
  target_compile_options({name} PRIVATE {options})
endif()
if(UNIX)
  target_link_libraries({name} PUBLIC m) # sqrt and fma, where the compiler makes no instructions of them
endif()"""
    if "c" not in kinds:
        return of_object
    if "o" not in kinds:
        return of_source
    option = f'option({name}_FROM_SOURCE "Compile {name}.c instead of taking {name}.o" OFF)'
    pieces = (_indented(of_source), _indented(of_object))
    return "{}\nif({}_FROM_SOURCE)\n{}\nelse()\n{}\nendif()".format(option, name, *pieces)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _test(name: str) -> str:
    """The test, where this project is the whole one."""
    return f"""\
if(CMAKE_CURRENT_SOURCE_DIR STREQUAL CMAKE_SOURCE_DIR)
  include(CTest)
  if(BUILD_TESTING)
    add_executable({name}_test {name}_test.c)
    target_link_libraries({name}_test PRIVATE {name})
    add_test(NAME {name}_test COMMAND {name}_test)
  endif()
endif()"""
