"""The one cookie: the token of a web session."""

from datetime import timedelta

from litestar.datastructures import Cookie


class SessionCookie:
    """How the cookie is called and kept.

    Over https it is `__Host-leerbudget`: browsers then refuse it without Secure, with a Domain, or for part
    of the site. Over plain http (a demonstration on one's own machine) browsers would refuse that name.

    Args:
        secure: whether people reach the site over https.
    """

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        self.name = "__Host-leerbudget" if secure else "leerbudget"

    def holding(self, token: str, lifetime: timedelta) -> Cookie:
        """The cookie that logs the browser in."""
        return self._cookie(token, int(lifetime.total_seconds()))

    def gone(self) -> Cookie:
        """The cookie that makes the browser forget."""
        return self._cookie("", 0)

    def _cookie(self, value: str, max_age: int) -> Cookie:
        return Cookie(
            key=self.name, value=value, max_age=max_age, path="/", secure=self.secure, httponly=True, samesite="lax"
        )
