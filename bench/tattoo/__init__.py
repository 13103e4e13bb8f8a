"""Detection and identification of tattoos: `python -m bench.tattoo`."""
