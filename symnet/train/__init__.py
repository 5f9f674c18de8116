"""Training: batches in, parameters out, every epoch on record.

`fit.py` is the call, `loop` what it does, `step` one batch, `optimizers` the rules, `history` the record, `door` what
is refused before anything runs.
"""
