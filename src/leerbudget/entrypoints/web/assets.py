"""The files that `scripts/build_assets.py` made: where they lie and under which address they are served.

Names carry a digest of their content, so browsers may keep them for ever.
"""

import json
from functools import cache
from pathlib import Path

from leerbudget.foundation.errors import LeerbudgetError

BUILT = Path(__file__).parent / "static" / "built"
STATIC_PATH = "/static"
CACHE_CONTROL = "public, max-age=31536000, immutable"


class AssetsNotBuilt(LeerbudgetError):
    """The stylesheet, font and scripts are not there, or a page asks for one that is not among them."""

    code = "assets_not_built"
    status = 500
    message_nl = "De opmaak van de site is nog niet gemaakt ({name}). Voer `make setup` uit."


@cache
def manifest() -> dict[str, str]:
    """Plain name → name of the built file.

    Raises:
        AssetsNotBuilt: nothing was built yet.
    """
    try:
        files = json.loads((BUILT / "manifest.json").read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError) as problem:
        raise AssetsNotBuilt(name="manifest.json") from problem
    return {str(name): str(file) for name, file in files.items()}


def asset(name: str) -> str:
    """The address of a built file: `leerbudget.css` → `/static/leerbudget-0123456789ab.css`.

    Raises:
        AssetsNotBuilt: nothing was built yet, or not this.
    """
    try:
        return f"{STATIC_PATH}/{manifest()[name]}"
    except KeyError:
        raise AssetsNotBuilt(name=name) from None
