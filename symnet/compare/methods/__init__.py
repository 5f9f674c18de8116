"""The ways to a derivative, one to a file, and their names (`registry.py`)."""
