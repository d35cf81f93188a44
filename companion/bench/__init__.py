"""Measurements too long for a chapter, to be run as `python -m companion.bench`."""
