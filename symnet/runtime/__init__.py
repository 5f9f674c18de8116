"""Object code as functions: arguments in, arrays out, nothing lost between.

`function.py` is what users hold, `arguments` and `domains` check what they give, `bind` makes a training step of it;
`cache` keeps object code, `native` loads it, `sharing` says how many threads pay, `threads` and `pool_ir` share rows
among them.
"""
