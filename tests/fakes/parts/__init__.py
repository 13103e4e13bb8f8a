"""Stand-ins for services, as packages that the supervisor runs with `python -m`."""
