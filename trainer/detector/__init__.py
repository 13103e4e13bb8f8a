"""Trains the tattoo detector that gives boxes: `python -m trainer.detector`, docs/tattoo-training.md."""
