"""Fetching pictures from the web, as safely as a machine at home can: docs/backfill.md has the rules."""

from client.fetching.failures import Failure, FetchFailed
from client.fetching.fetcher import Fetcher
from client.fetching.limits import FetchLimits, Network

__all__ = ["Fetcher", "FetchLimits", "Network", "Failure", "FetchFailed"]
