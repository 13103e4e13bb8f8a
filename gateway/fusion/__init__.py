"""The arithmetic of the policy BAYESIAN, of small pure functions; `gateway/bayesian.py` uses part of it."""
