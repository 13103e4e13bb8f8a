"""Composite pictures of virtual performers through Identify itself: `python -m bench.composites`."""
