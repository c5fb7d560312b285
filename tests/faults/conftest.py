"""Fixtures of the fault tests."""

from entrypoints.http.browsing import app
from faults.embedded_ground import home, program

__all__ = ["app", "home", "program"]
