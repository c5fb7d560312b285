"""How Stripe says no."""

from typing import Any


class Refusal(Exception):
    """An answer that is not what was asked, in the shape that Stripe gives it."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        self.status = status
        self.error: dict[str, Any] = {"type": kind, "message": message}
        self.error |= {name: value for name, value in (("code", code), ("param", param)) if value is not None}
        super().__init__(message)


def missing(what: str, identifier: str, param: str = "id") -> Refusal:
    """There is no such object."""
    return Refusal(f"No such {what}: '{identifier}'", status=404, code="resource_missing", param=param)
