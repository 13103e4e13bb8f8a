"""Accuracy of the face signal on Labeled Faces in the Wild: `python -m bench.faces`."""
