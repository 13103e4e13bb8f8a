"""What the signal services share: requests checked, answers built, rows stored, observations enrolled.

Nothing here knows which signal it serves.
"""
