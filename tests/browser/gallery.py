"""Every page with made-up contents, so that pages can be looked at and tested without a database.

`PYTHONPATH=tests python -m browser.gallery` serves it on a free port of this machine and prints the address.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import uvicorn
from jinja2 import Environment
from litestar import Litestar, Request, Response, get
from litestar.datastructures import ResponseHeader
from litestar.static_files import create_static_files_router

from browser.gallery_pages import PAGES, Sample
from leerbudget.entrypoints.web import assets
from leerbudget.entrypoints.web.templating import SECURITY_HEADERS, environment


@cache
def _environment() -> Environment:
    return environment()


def render(sample: Sample) -> str:
    """The page of a sample as HTML."""
    return _environment().get_template(sample.template).render(sample.context)


def _handler(sample: Sample) -> Callable[..., Any]:
    @get(sample.path, media_type="text/html", name=sample.name)
    async def show(request: Request[Any, Any, Any]) -> Response[str]:
        return Response(render(sample), status_code=sample.status, headers={"Vary": "HX-Request"})

    return show


def app() -> Litestar:
    """The gallery, with the headers and static files of the real application."""
    headers: Mapping[str, str] = SECURITY_HEADERS
    return Litestar(
        [
            *(_handler(sample) for sample in PAGES),
            create_static_files_router(
                assets.STATIC_PATH, [assets.BUILT], cache_control=None, name="static", include_in_schema=False
            ),
        ],
        response_headers=[ResponseHeader(name=name, value=value) for name, value in headers.items()],
        openapi_config=None,
        logging_config=None,
    )


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """The gallery on a free port of this machine, in the running loop; yields its address."""
    config = uvicorn.Config(app(), host="127.0.0.1", port=0, log_level="warning", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined,method-assign]
    task = asyncio.create_task(server._serve())
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def _stay() -> None:
    async with serving() as address:
        for sample in PAGES:
            print(address + sample.path)  # noqa: T201 (this command's output)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_stay())
