"""Golden texts: what a stage printed when somebody last looked at it.

`SYMNET_UPDATE_GOLDEN=1 pytest …` writes them again; read the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path


def check_golden(path: Path, text: str) -> None:
    """Compare with the file, or write it where the environment asks."""
    if os.environ.get("SYMNET_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"{path} is missing; write it with SYMNET_UPDATE_GOLDEN=1"
    assert text == path.read_text()
