"""The command `leerbudget`: one group, each command in a module of its own that loads only when called."""
