"""Describing again what is enrolled, while a signal changes its models; docs/enrolment.md has the rules."""
