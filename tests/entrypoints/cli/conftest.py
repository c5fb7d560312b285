"""Fixtures of the command line's tests."""

from entrypoints.cli.commanding import here

__all__ = ["here"]
