"""The signal services: one package each."""
