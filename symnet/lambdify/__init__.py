"""SymPy's `lambdify`, native.

`lambdify.py` is the door; `arguments.py` reads what it is given, `functions.py` compiles and runs, and `lambdified.py`
is the callable that users hold.  In: SymPy's symbols and expressions.  Out: a function of numbers and arrays.
"""
