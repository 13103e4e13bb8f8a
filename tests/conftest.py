"""Fixtures for every test: one real database server for the whole run, one fresh database per test."""

from tests.fakes.postgres import database, postgres_server

__all__ = ["database", "postgres_server"]
