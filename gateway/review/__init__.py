"""What the owner decides about enrolled faces that seem to be somebody else's."""
