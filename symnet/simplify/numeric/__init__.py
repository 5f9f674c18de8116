"""The numeric form: what keeps its digits and stays finite, made once before lowering.

`passes.py` lists the passes in order, each a file here; `exponentials/` are the sums of exponentials, with their
logarithms and quotients, `singularities/` what cancels, or is 0/0, at one point.
"""
