"""`python -m leerbudget`: the same command as `leerbudget`."""

from leerbudget.entrypoints.cli.main import run

run()
