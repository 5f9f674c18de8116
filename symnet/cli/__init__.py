"""The command line: `symnet demo | derive | check | compile | export | compare | info`.

`main.py` has the commands and their options, with the help of `usage.py` (examples, errors of arguments);
`commands.py` has a function for each, `sources.py` reads what they are given, `info.py` and `demo.py` are two of them.
"""
