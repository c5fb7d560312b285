"""Files that are handed out: papers of money. Never stored by browsers or proxies."""

from litestar import Response

PDF, XML = "application/pdf", "application/xml"


def document(content: bytes, name: str, media_type: str) -> Response[bytes]:
    """A file to keep, under a name of ours."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
