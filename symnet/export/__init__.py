"""Compiled functions as files: object code, shared library, C header, Python stub, C test."""

from symnet.export.files import Exported, export

__all__ = ["Exported", "export"]
