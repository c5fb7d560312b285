"""Fixtures of the HTTP tests."""

from entrypoints.http.browsing import app, client

__all__ = ["app", "client"]
