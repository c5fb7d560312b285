"""Fixtures of the fault tests."""

from faults.embedded_ground import home, program

__all__ = ["home", "program"]
