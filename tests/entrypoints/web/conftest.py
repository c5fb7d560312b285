"""Fixtures of the page tests."""

from entrypoints.http.browsing import app, client

__all__ = ["app", "client"]
