"""What the room identity refuses."""

from leerbudget.foundation.errors import LeerbudgetError


class LinkNotUsable(LeerbudgetError):
    """The login link is unknown, was used before, or is older than 15 minutes; all look the same."""

    code = "link_not_usable"
    status = 410
    message_nl = "Deze link werkt niet meer. Vraag een nieuwe link aan."


class TooManyTries(LeerbudgetError):
    """Somebody tried too often in a short time. `retry_after_seconds` says how long to wait."""

    code = "too_many_tries"
    status = 429
    message_nl = "U probeerde dit te vaak. Wacht even en probeer het dan opnieuw."


class LoginTaken(LeerbudgetError):
    """The e-mail address already belongs to the login of another person."""

    code = "login_taken"
    status = 409
    message_nl = "Dit e-mailadres hoort al bij iemand anders."


class LoginUnknown(LeerbudgetError):
    """There is no such login."""

    code = "login_unknown"
    status = 404
    message_nl = "Dit account is er niet."
