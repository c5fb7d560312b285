# ruff: noqa: INP001 (a folder of commands, not a package)
"""Reading a round from a file, packed or not."""

import gzip
from pathlib import Path

from leerbudget.matcher.instance import Instance, read_instance


def read_round(file: Path) -> Instance:
    """The instance in a file."""
    data = file.read_bytes()
    return read_instance(gzip.decompress(data) if file.suffix == ".gz" else data)
