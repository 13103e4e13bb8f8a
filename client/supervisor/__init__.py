"""Runs the whole system on one machine: database, services and gateway as child processes."""
