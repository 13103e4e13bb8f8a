"""The policy BAYESIAN, of small pure functions. Not wired to Identify yet."""
