"""The OpenAPI 3.1 document at `/api/v1/openapi.json`, and its page at `/api/v1/docs`; nothing from elsewhere.

Litestar's own document is completed: shapes are described exactly, and every operation tells about its error
answers.
"""

import html
from collections.abc import Iterator
from typing import Any, cast

import msgspec
from litestar import Request, get
from litestar.enums import MediaType
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Contact, License

from leerbudget.entrypoints.api.problems import MEDIA_TYPE
from leerbudget.entrypoints.api.types import Answer, Body
from leerbudget.entrypoints.http.authentication import PUBLIC
from leerbudget.entrypoints.http.envelope import API_VERSION
from leerbudget.foundation.errors import LeerbudgetError

PREFIX = "/api/v1"

_DESCRIPTION = """\
Learning budgets for Dutch foster families.

Amounts are euro cents. Log in with a mailed link; the session is a cookie. A request that changes something
with that cookie must carry `Origin` with this site's own address. Lists give `next_cursor` until their last
page. Errors are problem documents (RFC 9457) with a stable `code`. What you may not see looks as if it
does not exist.
"""

_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "description": "urn:leerbudget:problem:<code>"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people, in Dutch."},
        "code": {"type": "string", "description": "For programs; never changes."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_ERRORS = {
    "400": "The request is not readable.",
    "401": "Nobody is logged in.",
    "403": "The request does not come from our own pages.",
    "404": "It does not exist, or the asker may not know that it does.",
    "409": "The state of things does not allow it.",
    "410": "It can no longer be used.",
    "413": "The request is too large.",
    "415": "The body must be application/json.",
    "422": "Something in the request is not right; `errors` says what and where.",
    "429": "Too many tries; see Retry-After.",
    "503": "Too busy now; see Retry-After.",
}
_BODY_ONLY = frozenset({"413", "415"})


def openapi_config(contact_url: str) -> OpenAPIConfig:
    """What Litestar builds its part of the document from. Its own pages lie below `/api/v1/docs`."""
    return OpenAPIConfig(
        title="leerbudget",
        version=API_VERSION,
        summary="Learning budgets for Dutch foster families",
        description=_DESCRIPTION,
        contact=Contact(name="leerbudget", url=contact_url),
        license=License(name="EUPL-1.2", identifier="EUPL-1.2"),
        path=f"{PREFIX}/docs",
        render_plugins=[_CompleteJson(path="/openapi.json"), _Page(path="/"), _Start(path="/start.js")],
    )


def completed(schema: dict[str, Any]) -> dict[str, Any]:
    """Litestar's document with what it leaves out. Safe to repeat on the same document."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    shapes = {kind.__name__: kind for base in (Body, Answer) for kind in _descendants(base)}
    schemas |= _exact([shapes[name] for name in schemas if name in shapes])
    schemas["Problem"] = _PROBLEM_SCHEMA
    schemas.pop("ValidationException", None)
    for path in schema.get("paths", {}).values():
        for method, operation in path.items():
            if isinstance(operation, dict) and "responses" in operation:
                _tell_errors(method, operation)
    return schema


def _exact(shapes: list[type]) -> dict[str, Any]:
    """What msgspec itself says of the shapes that it reads and writes.

    Litestar's description leaves out bounds within lists and mappings, tags, and that unknown fields are refused.
    """
    _, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    return dict(components)


def _tell_errors(method: str, operation: dict[str, Any]) -> None:
    reads_body = "requestBody" in operation
    for status, meaning in _ERRORS.items():
        if (status in _BODY_ONLY and not reads_body) or (status == "403" and method == "get"):
            continue
        if operation["responses"].get(status, {}).get("x-own"):
            continue
        operation["responses"][status] = {
            "description": meaning,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }


def _descendants(kind: type) -> Iterator[type]:
    child: type
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


@get("/openapi.json", opt={PUBLIC: True}, include_in_schema=False, media_type="application/vnd.oai.openapi+json")
async def openapi_document(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The document, where the NL API Design Rules look for it."""
    return completed(request.app.openapi_schema.to_schema())


class _CompleteJson(JsonRenderPlugin):
    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, completed(openapi_schema))


class _Page(OpenAPIRenderPlugin):
    """The page around Swagger UI, from our own files and without inline script."""

    def __init__(self, path: str) -> None:
        super().__init__(path=path, media_type=MediaType.HTML)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        del openapi_schema
        asset = request.app.state.asset
        try:
            css, icon, bundle, preset = (
                html.escape(asset(name))
                for name in ("swagger-ui.css", "icon.svg", "swagger-ui-bundle.js", "swagger-ui-preset.js")
            )
        except LeerbudgetError:
            css = icon = bundle = preset = ""
        head = f'<link rel="stylesheet" href="{css}"><link rel="icon" href="{icon}">' if css else ""
        scripts = "".join(
            f'<script src="{source}" defer></script>' for source in (bundle, preset, f"{PREFIX}/docs/start.js") if css
        )
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>leerbudget API</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}{scripts}</head>'
            f'<body><div id="swagger-ui"><p><a href="{PREFIX}/openapi.json">openapi.json</a></p></div></body></html>'
        ).encode()


class _Start(OpenAPIRenderPlugin):
    """The few lines that start Swagger UI."""

    def __init__(self, path: str) -> None:
        super().__init__(path=path, media_type=cast("MediaType", "text/javascript"))

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        del request, openapi_schema
        return (
            f'window.addEventListener("load", () => SwaggerUIBundle({{url: "{PREFIX}/openapi.json", '
            'dom_id: "#swagger-ui", presets: [SwaggerUIBundle.presets.apis], validatorUrl: null}));\n'
        ).encode()
