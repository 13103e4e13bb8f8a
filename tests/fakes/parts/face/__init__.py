"""Stands in for a signal."""
