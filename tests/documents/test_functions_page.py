"""The page of public names names them all, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import symnet as sn

PAGE = Path(__file__).resolve().parents[2] / "docs" / "functions.md"


def test_the_page_lists_every_public_name_once() -> None:
    listed = re.findall(r"^\| `sn\.(\w+)` \| \S", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(sn.__all__)
