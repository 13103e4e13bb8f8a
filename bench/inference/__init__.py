"""Where models run: in process, or by Triton with and without dynamic batching."""
