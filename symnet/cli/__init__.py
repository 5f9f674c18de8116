"""The command line: `symnet demo | derive | check | compile | export | compare | info`.

`main.py` has a function for each command, `usage.py` the examples and the errors of arguments, `demo.py` the digits.
"""
