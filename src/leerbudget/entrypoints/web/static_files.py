"""The built stylesheet, font and scripts, served with a year of caching: their names carry their digest."""

from litestar.static_files import create_static_files_router

from leerbudget.entrypoints.web import assets

static_files = create_static_files_router(
    assets.STATIC_PATH,
    [assets.BUILT],
    name="static",
    include_in_schema=False,
    opt={"cache_control": assets.CACHE_CONTROL},
)
