"""Export and import: what other installations and programs read, and what they wrote."""
