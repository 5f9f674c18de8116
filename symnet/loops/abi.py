"""The numbers of the C interface, which emitted code, its callers in Python and the C header must agree on.

In: nothing.  Out: what a call returns, and where arrays begin.  `docs/c-abi.md` has the whole interface.
"""

from __future__ import annotations

from symnet.loops.ir import INDEX_OUT_OF_RANGE, SINGULAR_MATRIX

ALIGNMENT = 64  # bytes, of the workspace and of constant arrays

CODES = {
    "OK": 0,
    "WORKSPACE_TOO_SMALL": 1,
    "BAD_PHASE": 2,
    "BAD_EXTENT": 3,  # by the typed call of the header alone, as is WORKSPACE_MISALIGNED
    INDEX_OUT_OF_RANGE: 4,
    "WORKSPACE_MISALIGNED": 5,
    SINGULAR_MATRIX: 6,
}
