"""The face signal."""
