"""Loops → LLVM IR → object code.

`codegen.py` is the way through: `emitter` writes statements and `statements` their kinds, `vectors` lanes,
`reductions` sums, `math/` the elementary functions; `kernels` makes equal loops one function; `targets` and
`machines` name processors.
"""
