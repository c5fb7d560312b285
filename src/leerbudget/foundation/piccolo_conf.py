"""What Piccolo's command line and migrations look for: the engine and the app.

`PICCOLO_CONF` names this module (set by `engine`), so it is found from an installed wheel as well as
from a checkout. It is imported late, by Piccolo, so that tables can import the engine first.
"""

import os

from piccolo.conf.apps import AppRegistry

from leerbudget.foundation.database import DB

__all__ = ["APP_REGISTRY", "DB"]

APP_REGISTRY = AppRegistry(apps=["leerbudget.piccolo_app"])

_url = os.environ.get("LEERBUDGET_OWNER_URL") or os.environ.get("LEERBUDGET_DATABASE_URL")
if _url:
    DB.config = {"dsn": _url}
