"""Whom the owner enrolled: performers, forgetting, coverage."""
