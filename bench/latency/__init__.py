"""How long Identify takes end to end, where the time goes, and what the system weighs."""
