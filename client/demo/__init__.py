"""A demonstration on real photographs that well-known packages ship for their own tests."""
