"""Trains the first tattoo detector and fits the tattoo embedding's projection, both on drawings only.

Nothing here reads a photograph: designs, skin, bodies, clothes, faces and overlays are drawn by seeded code.
What ships under services/tattoo/weights can be made again by `python -m trainer.drawings`.
"""
