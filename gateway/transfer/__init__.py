"""Performers and vectors in bulk, from and for other installations."""
