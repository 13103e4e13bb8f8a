"""How well proportions are measured: rendered people of known identity, seen from everywhere."""
