"""Trains the tattoo embedder: `python -m trainer.embedder`, docs/tattoo-training.md."""
