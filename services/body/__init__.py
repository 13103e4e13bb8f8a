"""The body signal."""
