"""Compiled functions as files: object code, shared library, C header, Python stub, C test.

`files.py` writes them, `load.py` reads them back; names are checked by `names.py`, which compilations need, too.
"""
