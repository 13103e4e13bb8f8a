"""A studio that never saw a person: renders adult mannequins with tattoos, and knows the truth of each picture.

See docs/studio.md. What needs the `train` packages says so where it imports them.
"""
