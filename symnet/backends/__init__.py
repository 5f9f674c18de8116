"""Scheduled loops → code of one kind, a folder for each; none imports another.

`llvm/` writes LLVM's assembly and makes object code of it, for the machine at hand and for others; `c99/` writes C that
can be compiled instead, with the same interface and bits.
A back end reads `loops/ir.py` and the target's facts (`schedule/target.py`); what it is given says all that it must do.
"""
