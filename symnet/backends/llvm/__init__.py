"""Loops → LLVM IR → object code.

`codegen.py` is the way through, and `program.py` writes a whole program: `statements.py` has a writer for each kind of
statement, `ops.py` a line for each operation, `math/` the elementary functions; `vectors.py` writes lanes,
`reductions.py` sums; `kernels.py` makes equal loops one function; `targets.py` and `machines.py` name processors.
"""
