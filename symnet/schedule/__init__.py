"""Loops → loops: the same values, sooner and in less memory.

`program.py` has the order: `stream` goes through the batch in superblocks of rows, `fuse` joins loops over the same
points, `fetch` joins checks of indices to gathers, `tile` and `pack` arrange products, `partials` adds rows in blocks,
`spread` runs several superblocks at once, `parallelize` shares them among threads, `multiply_add` writes products into
sums, `vectorize` cuts vector loops into lanes, `alike` does all that once for nests that differ in names alone; `reuse`
lends memory; `work` estimates what each phase takes.
"""
