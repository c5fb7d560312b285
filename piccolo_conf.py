"""For the `piccolo` command line in a checkout; the installed package carries the same module."""

from leerbudget.foundation.piccolo_conf import APP_REGISTRY, DB

__all__ = ["APP_REGISTRY", "DB"]
