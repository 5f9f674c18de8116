"""The numbers of the C interface, which emitted code, its callers in Python and the C header must agree on.

In: nothing.  Out: the number of the interface, what a call returns, where arrays begin, and what a stamp says.
`docs/c-abi.md` has the whole interface.
"""

from __future__ import annotations

SINGULAR_MATRIX, INDEX_OUT_OF_RANGE = "SINGULAR_MATRIX", "INDEX_OUT_OF_RANGE"

ABI = 2  # the interface that `NAME_abi` names; what raises it, docs/c-abi.md says

ALIGNMENT = 64  # bytes, of the workspace and of constant arrays

STAMP_WORDS = "symnet digest "
STAMP_DIGITS = 32  # hexadecimal
STAMP_BYTES = len(STAMP_WORDS) + STAMP_DIGITS + 1  # bytes, with the zero at the end
BLANK_STAMP = STAMP_WORDS + STAMP_DIGITS * "0"

CODES = {
    "OK": 0,
    "WORKSPACE_TOO_SMALL": 1,
    "BAD_PHASE": 2,
    "BAD_EXTENT": 3,  # by the typed call of the header alone, as are WORKSPACE_MISALIGNED and those of arguments
    INDEX_OUT_OF_RANGE: 4,
    "WORKSPACE_MISALIGNED": 5,
    SINGULAR_MATRIX: 6,
    "NULL_ARGUMENT": 7,
    "ARGUMENT_MISALIGNED": 8,
}
