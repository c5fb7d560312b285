"""What Piccolo's command line and migrations look for: the engine and the app.

`PICCOLO_CONF` names this module (set by `engine`), so it is found from an installed wheel as well as
from a checkout. It is imported late, by Piccolo, so that tables can import the engine first.
`leerbudget migrate` is the way to migrate; this keeps `piccolo …` useful for those who develop.
"""

import os

from piccolo.conf.apps import AppRegistry

from leerbudget.foundation.database import DB
from leerbudget.foundation.roles import OWNER

__all__ = ["APP_REGISTRY", "DB"]

APP_REGISTRY = AppRegistry(apps=["leerbudget.piccolo_app"])

_url = os.environ.get("LEERBUDGET_OWNER_URL")
if _url:  # tables made by `piccolo migrations forwards` must belong to the owner, too, or the app could not use them
    DB.config = {"dsn": _url, "server_settings": {"role": OWNER}}
