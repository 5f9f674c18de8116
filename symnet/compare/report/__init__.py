"""A comparison as text, as records, as a page."""
