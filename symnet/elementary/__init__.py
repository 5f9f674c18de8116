"""Elementary functions of numbers in lanes: polynomials and a few divisions, never a call.

`lanes.py` says what a function may ask of its numbers, a file for each family says what it is, and `table.py` has them
by name.  Nothing here imports the rest of symnet: a back end implements `Lanes` (`backends/llvm/lanes.py`) and so has
every function.  A docstring bounds the error in ulp, says what the coefficients are and how they were found, and
`tests/elementary/` holds it to that.  Special values are IEEE 754's: inf, NaN, signed zeros and subnormals go in and
come out as they should.
"""
