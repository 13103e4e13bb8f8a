"""A studio that never saw a person: renders adult mannequins with tattoos, and knows what is true of them.

See docs/studio.md. What needs the `train` packages says so where it imports them.
"""
