"""What the room notifications refuses."""

from leerbudget.foundation.errors import LeerbudgetError


class UnknownNotice(LeerbudgetError):
    """There is no such kind of notice, or its context misses what its text needs. A mistake in the code."""

    code = "unknown_notice"
    status = 500
    message_nl = "Bericht '{kind}' kan niet worden gemaakt: {missing} ontbreekt."


class DeliveryFailed(LeerbudgetError):
    """A mail was not accepted. `permanent`: trying again will not help; `reason`: what was answered."""

    code = "delivery_failed"
    status = 502
    message_nl = "De mail is niet aangenomen: {reason}"
