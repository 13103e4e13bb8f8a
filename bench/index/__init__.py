"""Recall, time and memory of the vector index at library sizes."""
