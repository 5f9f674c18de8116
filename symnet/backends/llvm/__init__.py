"""Loops → LLVM IR → object code.

`codegen.py` is the way through, and `program.py` writes a whole program: `statements.py` has a writer for each kind of
statement, `ops.py` a line for each operation; `lanes.py` makes `elementary/`'s functions instructions; `vectors.py`
writes lanes of loops, `reductions.py` sums, `fetches.py` checked gathers; equal loops are one function;
`targets.py` and `machines.py` name processors.
"""
