"""Fixtures of the API tests."""

from entrypoints.api.stage import app_of_module, stage
from entrypoints.http.browsing import app, client

__all__ = ["app", "app_of_module", "client", "stage"]
