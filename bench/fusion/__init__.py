"""Does fusion help? Virtual performers through several policies: `python -m bench.fusion`."""
