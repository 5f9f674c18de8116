"""Where the time of a call goes, and what this machine could do.

`limits_ir.py` and `limits.py` measure the machine: arithmetic and reads.  `phase_times.py` measures a call, phase by
phase; `phase_work.py` says what each phase has to do; `table.py` sets both side by side and `plot.py` draws them.
"""
