"""The arithmetic of the policy BAYESIAN, of small pure functions."""
