"""The tattoo signal."""
