"""A real Triton server on a machine without NVIDIA's container: a stand-in for it; see README.md here."""
