"""The Triton model repository: one folder per model with its config.pbtxt; see docs/triton.md.

The ONNX files are not here: `marquee models build` puts both together in the data folder.
"""
