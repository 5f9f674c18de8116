"""Elementary functions as LLVM IR: polynomials and a few divisions, never a call.

In: a builder and values of one real type: `float`, `double`, or vectors of them of any width.
Out: straight-line IR at the builder's position (`mod` and the powers of integers have one loop), and the result.

`table.py` has `MATH`.  Every function's docstring bounds its error in ulp, says what its coefficients are and
how they were found; `tests/llvm/test_math.py` holds each to its bound.  Special values are IEEE 754's:
inf, NaN, signed zeros and subnormals go in and come out as they should.
"""
